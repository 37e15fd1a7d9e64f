"""CU-Net in Keras: coupled U-Nets that find landmarks, from training to the phone.

Names are loaded on first use, so that ``import cunet_tf`` (and prediction from a
``.tflite`` file) never waits for TensorFlow.
"""

import importlib
from typing import Any

__version__ = "0.2.0"

_HOME = {
    "Augmentation": "cunet_tf.data.augment",
    "CUNetConfig": "cunet_tf.config",
    "CUNetError": "cunet_tf.errors",
    "Codec": "cunet_tf.codec",
    "DenseUNetConfig": "cunet_tf.config_baselines",
    "DetectionLoss": "cunet_tf.losses",
    "Examples": "cunet_tf.data.pipeline",
    "HeatmapLoss": "cunet_tf.losses",
    "HourglassConfig": "cunet_tf.config_baselines",
    "Localizer": "cunet_tf.localizer",
    "ModelSpec": "cunet_tf.spec",
    "NormalizedMeanError": "cunet_tf.training_metrics",
    "PercentageOfCorrectKeypoints": "cunet_tf.training_metrics",
    "QuantActivation": "cunet_tf.models.quant_layers",
    "QuantConfig": "cunet_tf.quantize.names",
    "QuantConv2D": "cunet_tf.models.quant_layers",
    "Recipe": "cunet_tf.trainers.recipes",
    "Skeleton": "cunet_tf.skeletons",
    "bake": "cunet_tf.export.bake",
    "benchmark": "cunet_tf.export.benchmarking",
    "build_cunet": "cunet_tf.models.cunet",
    "build_dense_unet": "cunet_tf.models.dense_unet",
    "build_hourglass": "cunet_tf.models.hourglass",
    "build_network": "cunet_tf.models.build",
    "check": "cunet_tf.checking",
    "detect": "cunet_tf.detector",
    "evaluate": "cunet_tf.evaluation",
    "export_model": "cunet_tf.export.exporting",
    "last_head_metrics": "cunet_tf.training_metrics",
    "load_300w": "cunet_tf.data.w300",
    "load_coco": "cunet_tf.data.coco",
    "load_folder": "cunet_tf.data.folder",
    "load_keras": "cunet_tf.models.saved",
    "load_lsp": "cunet_tf.data.lsp",
    "load_mpii": "cunet_tf.data.mpii",
    "load_synthetic": "cunet_tf.data.synthetic",
    "load_yolo": "cunet_tf.data.yolo",
    "matched": "cunet_tf.data.matching",
    "preset": "cunet_tf.presets",
    "pretrained": "cunet_tf.models.pretrained",
    "read_image": "cunet_tf.data.sample",
    "set_memory": "cunet_tf.memory.strategy",
    "summary": "cunet_tf.models.summary",
    "train": "cunet_tf.trainers.train",
    "write_folder": "cunet_tf.data.folder_write",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'cunet_tf' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from cunet_tf.errors import missing_package

        raise missing_package(error) from None


def home(name: str) -> str:
    """The module in which a public name is defined."""
    return _HOME[name]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
