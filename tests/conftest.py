"""Shared fixtures: the real data where it is, a tiny network, one trained run."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# XLA compiles a step in a tenth of the time where it need not make it fast; JAX in processes of its own does so, too.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")
if "PYTEST_XDIST_WORKER" in os.environ:  # one core each, for the processes they start as well
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.spec import ModelSpec
from tests import networks
from tests.networks import run_eagerly
from tests.shared import VARIABLE, WORKER, shared_folder

hypothesis.settings.register_profile("house", deadline=None)  # no test depends on how busy a machine is
hypothesis.settings.load_profile("house")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TINY_FLAGS = ["--preset=face-mobile", "--main_channels=8", "--growth=4", "--levels=1", "--input_size=64"]


@pytest.fixture(scope="session", autouse=True)
def shared_by_workers(tmp_path_factory) -> None:
    """The folder of :mod:`tests.shared`, where there are several workers."""
    if WORKER in os.environ:
        os.environ[VARIABLE] = str(tmp_path_factory.getbasetemp().parent)


@pytest.fixture(scope="session")
def w300_root() -> Path:
    """The real 300-W faces; tests that need them skip where they are absent."""
    if not (REAL_DATA / "300w").is_dir():
        pytest.skip("real data (../shared/data/300w) is not here")
    return REAL_DATA / "300w"


@pytest.fixture(scope="session")
def lspet_root() -> Path:
    """The real people of LSPET; tests that need them skip where they are absent."""
    if not (REAL_DATA / "lspet").is_dir():
        pytest.skip("real data (../shared/data/lspet) is not here")
    return REAL_DATA / "lspet"


@pytest.fixture(scope="session")
def tiny_spec() -> ModelSpec:
    return networks.spec_of()


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory) -> Path:
    """A finished ``cunet train`` of two epochs on drawn faces, 2 U-Nets of 8 channels at 64 px."""

    def train(workdir: Path) -> None:
        flags = [*TINY_FLAGS, "--epochs=2", "--batch_size=16", "--val_share=0.06", "--watch=8"]
        assert main(["train", "--data=synthetic", "--split=5:68", *flags, f"--workdir={workdir}"]) == 0

    return shared_folder("tiny", train, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def exported_run(trained_run, tmp_path_factory) -> Path:
    """The trained run's best model as float32 ``.tflite`` by ``cunet export``, renamed, in a folder of its own."""

    def export(folder: Path) -> None:
        flags = ["--format=float32", "--name=mine", "--license=research use only", "--parity_pictures=4"]
        assert main(["export", f"--model={trained_run / 'best.keras'}", f"--out={folder / 'mine.tflite'}", *flags]) == 0

    return shared_folder("new", export, tmp_path_factory.mktemp("exported")) / "mine.tflite"


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Steps of training run eagerly: for a few of them, tracing would take most of the time."""
    with run_eagerly():
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
