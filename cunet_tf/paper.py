"""The paper's figures of quantized networks (Tables 8, 9 and 10), to be set against ours.

Keys are the names of :class:`cunet_tf.quantize.names.QuantConfig`; the paper's QFG is QIG here.
"""

from typing import NamedTuple


class FaceRow(NamedTuple):
    """A row of Table 8: NME in percent on 300-W, ratios to the float network, balance index."""

    full: float
    easy: float
    hard: float
    training_memory: float
    model_size: float
    balance_index: float


class BodyRow(NamedTuple):
    """A row of Table 9: PCKh@0.5 on MPII's validation part and balance index, as printed."""

    pckh: float
    balance_index: float


class Figures(NamedTuple):
    """One configuration in the paper: the metric as printed, the error in percent, the balance index."""

    value: float
    error: float
    balance_index: float


TABLE_8 = {
    "float": FaceRow(3.38, 2.95, 5.13, 1.0, 1.0, 11.4),
    "BW-QIG(616)": FaceRow(5.93, 5.10, 9.34, 0.17, 0.03, 0.18),
    "BW-QIG(818)": FaceRow(4.30, 3.67, 6.86, 0.25, 0.03, 0.14),
    "BW-a-QIG(818)": FaceRow(4.47, 3.75, 7.40, 0.25, 0.03, 0.15),
    "BW": FaceRow(3.75, 3.20, 5.99, 1.0, 0.03, 0.42),
    "BW-a": FaceRow(3.58, 3.12, 5.45, 1.0, 0.03, 0.38),
    "TW": FaceRow(3.73, 3.20, 5.85, 1.0, 0.06, 0.83),
    "TW-QIG(626)": FaceRow(4.27, 3.70, 6.59, 0.17, 0.06, 0.19),
    "TW-QIG(828)": FaceRow(4.13, 3.55, 6.50, 0.25, 0.06, 0.26),
}

# Memory and size are those of Table 8. The indices of BW, BW-a and TW do not follow from
# equation 8, which gives 7.02, 6.31 and 13.7.
TABLE_9 = {
    "float": BodyRow(86.1, 193.0),
    "BW-QIG(616)": BodyRow(62.7, 7.10),
    "BW-QIG(818)": BodyRow(81.5, 2.57),
    "BW": BodyRow(84.7, 6.84),
    "BW-a": BodyRow(85.5, 7.97),
    "TW": BodyRow(84.9, 14.0),
    "TW-QIG(626)": BodyRow(74.0, 6.90),
    "TW-QIG(828)": BodyRow(81.7, 5.02),
}

JOINTS = ("Head", "Sho", "Elb", "Wri", "Hip", "Knee", "Ank")

# PCKh@0.5 of the joints, in the order of JOINTS, and the mean.
TABLE_10 = {
    "float": (96.1, 94.5, 86.7, 81.1, 86.9, 81.0, 76.3, 86.1),
    "BW-a": (95.9, 94.4, 86.6, 80.3, 86.5, 79.5, 75.2, 85.5),
    "BW": (96.3, 94.2, 85.2, 79.1, 85.8, 78.2, 74.3, 84.7),
    "BW-QIG(818)": (95.6, 92.4, 82.0, 74.7, 82.6, 74.8, 68.6, 81.5),
    "TW": (96.2, 93.9, 85.7, 79.6, 85.8, 79.1, 74.1, 84.9),
    "TW-QIG(828)": (95.4, 92.6, 82.1, 75.2, 83.0, 74.9, 68.7, 81.7),
    "TW-QIG(626)": (94.2, 87.2, 73.4, 65.1, 76.0, 64.7, 57.6, 74.0),
}


def paper_figures(name: str, bodies: bool) -> Figures | None:
    """The paper's figures of a configuration: Table 9 for bodies, Table 8 (full set) for faces.

    Args:
        name: as ``str(QuantConfig)`` writes it.
        bodies: joints, whose error is 100 - PCKh, instead of faces, whose error is the NME.
    """
    if bodies:
        row = TABLE_9.get(name)
        return row and Figures(row.pckh, 100.0 - row.pckh, row.balance_index)
    face = TABLE_8.get(name)
    return face and Figures(face.full, face.full, face.balance_index)
