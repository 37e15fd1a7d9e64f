"""Named networks with everything they need to be trained and used."""

from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.heatmaps import REFERENCE_SIGMA
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton
from cunet_tf.spec import ModelSpec


def _mobile(name: str, skeleton: Skeleton, crop_factor: float) -> ModelSpec:
    config = CUNetConfig(2, 1, 64, 16, skeleton.size, input_size=128)
    return ModelSpec(name, name, config, skeleton, crop_factor, sigma=1.2)


def _paper(name: str, stacks: int, skeleton: Skeleton, crop_factor: float) -> ModelSpec:
    config = CUNetConfig(stacks, 1, 128, 32, skeleton.size)
    return ModelSpec(name, name, config, skeleton, crop_factor, sigma=REFERENCE_SIGMA)


def _iterative(name: str, plain: ModelSpec) -> ModelSpec:
    """Two passes through the same convolutions (paper, section 3.4)."""
    return plain.replace(name=name, preset=name, config=plain.config.replace(refinement=16))


def _baseline(name: str, config: NetworkConfig) -> ModelSpec:
    """A network that the paper compares with, for MPII."""
    return ModelSpec(name, name, config, MPII16, 1.25, sigma=REFERENCE_SIGMA)


PRESETS: dict[str, ModelSpec] = {
    spec.preset: spec
    for spec in (
        _mobile("face-mobile", FACE68, 1.15),
        _mobile("pose-mobile", LSP14, 1.25),
        _paper("face-4", 4, FACE68, 1.1),
        _paper("face-8", 8, FACE68, 1.1),
        _paper("pose-2", 2, MPII16, 1.25),
        _paper("pose-4", 4, MPII16, 1.25),
        _paper("pose-8", 8, MPII16, 1.25),
        _paper("pose-16", 16, MPII16, 1.25),
        _iterative("iterative-4", _paper("face-4", 4, FACE68, 1.1)),
        _baseline("dense-unet-4", DenseUNetConfig(4)),
        _baseline("dense-unet-8", DenseUNetConfig(8)),
        _baseline("hourglass-4", HourglassConfig(4)),
        _baseline("hourglass-8", HourglassConfig(8)),
        _baseline("hourglass-16", HourglassConfig(16)),
    )
}


def preset(name: str) -> ModelSpec:
    """The description of a preset, to be changed with ``spec.replace``.

    Raises:
        CUNetError: unknown name; the message lists the known ones.
    """
    if name not in PRESETS:
        raise CUNetError(f"unknown preset {name!r}. {did_you_mean(name, PRESETS)}")
    return PRESETS[name]


def network_name(spec: ModelSpec) -> str:
    """A network by its preset and what was changed of it: ``face-mobile``, ``face-mobile (stacks=4, growth=8)``.

    Landmarks are the skeleton's and do not count. A preset of another version is named alone.
    """
    known, own = PRESETS.get(spec.preset), spec.config.to_dict()
    before = known.config.to_dict() if known else own
    changed = [f"{name}={value}" for name, value in own.items() if name != "landmarks" and before.get(name) != value]
    return f"{spec.preset} ({', '.join(changed)})" if changed else spec.preset
