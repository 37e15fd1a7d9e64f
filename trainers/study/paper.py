"""The paper's figures, table by table, to be set against ours: as printed, errors included (docs/paper.md).

MPII: PCKh@0.5 on the validation part, in percent. 300-W: NME in percent of the distance of the outer
eye corners. Keys of the quantization tables are the names of
:class:`cunet_tf.quantize.names.QuantConfig`; the paper's QFG is QIG here.
"""

from typing import NamedTuple


class Faces(NamedTuple):
    """NME in percent on the easy, hard and full test set of 300-W."""

    easy: float
    hard: float
    full: float


class System(NamedTuple):
    """A network in a table of sizes: PCKh (``None``: not given), million parameters, ms for one picture on a K40."""

    pckh: float | None
    parameters: float
    milliseconds: float | None = None


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


# Number of U-Nets -> number of supervisions -> PCKh.
TABLE_1 = {
    2: {1: 86.0, 2: 85.8},
    4: {1: 87.6, 2: 88.1, 3: 88.0, 4: 87.8},
    8: {1: 88.6, 2: 89.3, 4: 89.5, 8: 89.0},
}

# (m, n) of a CU-Net-2.
TABLE_2 = {
    (64, 16): System(81.6, 0.5),
    (128, 16): System(84.2, 1.0),
    (128, 24): System(85.6, 1.4),
    (128, 32): System(86.0, 1.9),
    (192, 24): System(86.3, 2.4),
    (192, 32): System(86.6, 2.9),
}

# By the names of our presets, as in Table 5; the hourglasses are the table's "baselines".
TABLE_3 = {
    "dense-unet-8": System(88.1, 6.1),
    "pose-8": System(89.5, 7.9),
    "hourglass-8": System(None, 25.5),
    "dense-unet-4": System(87.1, 2.9),
    "pose-4": System(88.1, 3.9),
    "hourglass-4": System(None, 12.9),
}

# Order of a CU-Net-8 -> PCKh of the training and of the validation part after these epochs.
TABLE_4_EPOCHS = (1, 50, 100, 150)
TABLE_4 = {
    1: ((20.3, 83.2, 87.7, 91.7), (29.4, 82.8, 85.7, 87.1)),
    7: ((25.2, 84.7, 89.3, 93.1), (36.6, 84.0, 85.1, 86.7)),
}

TABLE_5 = {
    "hourglass-16": System(None, 50.5, 104.8),
    "hourglass-8": System(89.3, 25.5, 48.9),
    "hourglass-4": System(88.3, 12.9, 28.2),
    "pose-16": System(89.9, 15.9, 70.8),
    "pose-8": System(89.5, 7.9, 36.1),
    "pose-4": System(88.2, 3.9, 18.9),
}

# CU-Net-4 by the supervision of its passes (Table 7 repeats two rows and adds a CU-Net-8); million parameters.
TABLE_6 = {
    "detection": (Faces(3.63, 5.60, 4.01), 3.9),
    "regression": (Faces(2.91, 5.12, 3.34), 3.9),
    "detection-detection": (Faces(3.52, 5.59, 3.93), 4.1),
    "detection-regression": (Faces(2.95, 5.12, 3.37), 4.1),
    "regression-regression": (Faces(2.87, 4.97, 3.28), 4.1),
}
TABLE_7_CUNET_8 = (Faces(2.82, 5.07, 3.26), 7.9)

TABLE_8 = {
    "float": FaceRow(3.38, 2.95, 5.13, 1.0, 1.0, 11.4),
    "BW-QIG(616)": FaceRow(5.93, 5.10, 9.34, 0.17, 0.03, 0.18),
    "BW-QIG(818)": FaceRow(4.30, 3.67, 6.86, 0.25, 0.03, 0.14),
    "BW-a-QIG(818)": FaceRow(4.47, 3.75, 7.40, 0.25, 0.03, 0.15),
    "BW": FaceRow(3.75, 3.20, 5.99, 1.0, 0.03, 0.42),
    "BW-a": FaceRow(3.58, 3.12, 5.45, 1.0, 0.03, 0.38),
    "TW": FaceRow(3.73, 3.21, 5.85, 1.0, 0.06, 0.83),
    "TW-QIG(626)": FaceRow(4.27, 3.70, 6.59, 0.17, 0.06, 0.19),
    "TW-QIG(828)": FaceRow(4.13, 3.55, 6.50, 0.25, 0.06, 0.26),
}

# Memory and size are those of Table 8. The indices of BW, BW-a and TW do not follow from
# eq. 8, which gives 7.02, 6.31 and 13.7.
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


# Systems that the paper quotes, and its own.
TABLE_11 = {
    "Yang": System(None, 28.0, 137.7),
    "Wei": System(None, 29.7, 112.4),
    "Chu": System(None, 58.1, 251.0),
    "Newell": System(None, 25.5, 48.9),
    "CU-Net-8": System(None, 7.9, 36.1),
    "CU-Net-16": System(None, 15.9, 70.8),
}

# Most other rows of Table 12 are divided by the distance of the pupils and are left out.
TABLE_12 = {
    "hourglass-4": Faces(2.90, 5.15, 3.35),
    "CU-Net-8": Faces(2.82, 5.07, 3.26),
    "CU-Net-8 BW-a": Faces(3.00, 5.36, 3.46),
}

# Means: PCKh@0.5 on MPII's test part, PCK@0.2 on LSP.
TABLE_13 = {"Newell": 90.9, "Chu": 91.5, "CU-Net-8": 90.8, "CU-Net-16": 91.2, "BW-a": 91.0}
TABLE_14 = {"Newell": 93.0, "Yang": 93.9, "CU-Net-8": 93.4, "CU-Net-16": 94.0, "BW-a": 93.6}


RANGES = ("signed=", "unsigned=")  # switches of a name


def paper_name(quant: str) -> str:
    """The paper's name of a quantization: without ranges of its own, of which the paper does not tell."""
    base, *switches = quant.split("+")
    return "+".join([base, *(each for each in switches if not each.startswith(RANGES))])


def paper_figures(name: str, bodies: bool) -> Figures | None:
    """The paper's figures of a configuration: Table 9 for bodies, Table 8 (full set) for faces.

    Args:
        name: as ``str(QuantConfig)`` writes it, with any ranges.
        bodies: joints, whose error is 100 - PCKh, instead of faces, whose error is the NME.
    """
    name = paper_name(name)
    if bodies:
        row = TABLE_9.get(name)
        return row and Figures(row.pckh, 100.0 - row.pckh, row.balance_index)
    face = TABLE_8.get(name)
    return face and Figures(face.full, face.full, face.balance_index)
