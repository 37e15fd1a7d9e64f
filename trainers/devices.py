"""Where a training runs: on one device, on those of one machine, on several machines.

TensorFlow shares a batch by ``tf.distribute``, JAX by ``keras.distribution``. Either way the network, its losses and
its normalisations see the whole batch, and the order of the pictures is that of one device.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from cunet_tf.backend import on_tensorflow
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.sharing import Share
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.cluster import Cluster

STRATEGIES = ("one", "mirrored", "multiworker")


@dataclass(frozen=True)
class Devices:
    """Which devices train.

    Attributes:
        strategy: ``one``; ``mirrored``, those of this machine; ``multiworker``, those of all workers of ``TF_CONFIG``.
        count: use so many of this machine's, 0 all: of its GPUs, or where it has none, parts of its processor.
        workers: processes that make the pictures, 0 threads of this one; the pictures are the same.
    """

    strategy: str = "one"
    count: int = 0
    workers: int = 0

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise CUNetError(f"--strategy={self.strategy}: give one of {', '.join(STRATEGIES)}.")
        if self.count and self.strategy == "one":
            raise CUNetError(f"--devices={self.count} needs --strategy=mirrored or multiworker.")
        if self.workers < 0:
            raise CUNetError(f"--workers={self.workers}: give a number of processes, or 0 for none.")

    def team(self) -> "Team":
        """What trains; nothing is started yet.

        Raises:
            CUNetError: ``TF_CONFIG`` is wrong, or the backend has no such strategy or workers.
        """
        if self.workers and on_tensorflow():
            raise CUNetError(
                f"--workers={self.workers} is for Keras' JAX backend: TensorFlow makes pictures in threads of its own, "
                "leave it out."
            )
        if self.strategy == "one":
            return Team()
        if not on_tensorflow():
            if self.strategy == "multiworker":
                raise CUNetError("--strategy=multiworker works with the TensorFlow backend only: use mirrored.")
            return Parallel(self.count)
        return (
            Workers(Cluster.from_environment(), self.count) if self.strategy == "multiworker" else Mirrored(self.count)
        )


class Team:
    """One device, and what the others have in common with it.

    Attributes:
        chief: whether this process writes the run's files.
    """

    chief = True

    def prepare(self) -> str:
        """Look at this machine; returns the devices' name. No variable may be made before :meth:`start`.

        Raises:
            CUNetError: it has too few devices.
        """
        name = device_name()
        if "," in name:
            print("notice: one GPU trains: --strategy=mirrored takes them all.", file=sys.stderr)
        return name

    def start(self, plan: Mapping[str, Any]) -> None:
        """Wait for the other processes, if there are any; ``plan`` must be equal for all of them.

        Raises:
            CUNetError: one does not answer, or its plan is another.
        """

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """What is global to the process while it trains."""
        yield

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """In which everything with variables is built."""
        yield

    def feed(self, examples: Examples, batch_size: int, training: bool = False, **options: Any) -> Any:
        """Batches of all devices together, in the form the active backend likes best."""
        make = examples.dataset if on_tensorflow() else examples.batches
        return make(batch_size, training=training, **options)

    def steps(self, examples: Examples, batch_size: int) -> int:
        """Batches of a validation on all samples."""
        return examples.steps(batch_size, training=False)


class Mirrored(Team):
    """A replica on each device of this machine (``tf.distribute.MirroredStrategy``)."""

    strategy: Any
    workers, worker = 1, 0

    def __init__(self, count: int = 0):
        self.count = count

    def prepare(self) -> str:
        """See :meth:`Team.prepare`."""
        name, self.devices = device_name(), tensorflow_devices(self.count)
        if len(self.devices) < 2:
            raise CUNetError(
                "--strategy=mirrored: this machine has one device: leave it out, or share the processor by --devices=2."
            )
        return f"{name}, {len(self.devices)} replicas"

    def start(self, plan: Mapping[str, Any]) -> None:
        """See :meth:`Team.start`."""
        import tensorflow as tf

        self.strategy = tf.distribute.MirroredStrategy(self.devices)

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """See :meth:`Team.scope`."""
        with self.strategy.scope():
            yield

    def share(self, examples: Examples) -> Share:
        """The replicas of this process."""
        replicas = self.strategy.num_replicas_in_sync
        local = replicas // self.workers
        passes = 2 if getattr(examples.spec.config, "refinement", 0) else 1
        return Share(replicas, self.worker * local, local, passes)

    def feed(self, examples: Examples, batch_size: int, training: bool = False, **options: Any) -> Any:
        """See :meth:`Team.feed`."""
        share = self.share(examples)
        first = examples.dataset(batch_size, training=training, share=share, **options)  # errors come from here
        return self.strategy.distribute_datasets_from_function(lambda _: first)

    def steps(self, examples: Examples, batch_size: int) -> int:
        """See :meth:`Team.steps`."""
        share = self.share(examples)
        return len(share.validation(len(examples.source), batch_size)) // share.local


class Workers(Mirrored):
    """Replicas on the devices of several machines (``tf.distribute.MultiWorkerMirroredStrategy``)."""

    def __init__(self, cluster: Cluster, count: int = 0):
        super().__init__(count)
        self.cluster = cluster
        self.chief, self.workers, self.worker = cluster.chief, len(cluster.workers), cluster.index

    def prepare(self) -> str:
        """See :meth:`Team.prepare`."""
        if self.count:
            raise CUNetError(
                f"--devices={self.count} is for --strategy=mirrored: a worker takes all GPUs that CUDA_VISIBLE_DEVICES "
                "lets it see, or the processor."
            )
        return f"{device_name()}, worker {self.worker} of {self.workers}"

    def start(self, plan: Mapping[str, Any]) -> None:
        """See :meth:`Team.start`."""
        import tensorflow as tf

        self.cluster.meet(plan)
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy()


class Parallel(Team):
    """A part of each batch on each device of this machine, under JAX (``keras.distribution.DataParallel``)."""

    def __init__(self, count: int):
        self.count = count

    def prepare(self) -> str:
        """See :meth:`Team.prepare`."""
        import jax

        if self.count > 1:
            with contextlib.suppress(RuntimeError):  # too late: JAX has started, with the devices that it found
                jax.config.update("jax_num_cpu_devices", self.count)
        self.devices = jax.devices()[: self.count or None]
        if len(self.devices) < max(self.count, 2):
            raise CUNetError(f"--strategy=mirrored --devices={self.count}: JAX has {len(self.devices)} of them here.")
        return f"{device_name()}, {len(self.devices)} devices"

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """See :meth:`Team.training`."""
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=self.devices))
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)

    def feed(self, examples: Examples, batch_size: int, training: bool = False, **options: Any) -> Any:
        """As any team's; what is validated on is filled up with pictures that count in no metric.

        They count in the mean of the loss, as 0: of 9 pictures on 2 devices it is 9/10 of the true one.
        """
        count = len(self.devices)
        if training:
            Share(count, local=count).size(batch_size)  # refuses what cannot be shared
        else:
            batch_size = -(-batch_size // count) * count
        return examples.batches(batch_size, training=training, multiple=count, **options)

    def steps(self, examples: Examples, batch_size: int) -> int:
        """See :meth:`Team.steps`."""
        count = len(self.devices)
        return examples.steps(-(-batch_size // count) * count, training=False)


def tensorflow_devices(count: int) -> list[str]:
    """GPUs, all or so many, or so many parts of the processor where there is none; the others are out of sight.

    Raises:
        CUNetError: there are fewer GPUs, or TensorFlow has started with another number of parts.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if count > len(gpus):
            raise CUNetError(f"--devices={count}: this machine has {len(gpus)} GPUs.")
        return [f"GPU:{index}" for index in range(count or len(gpus))]
    if count > 1:
        processor, part = tf.config.list_physical_devices("CPU")[0], tf.config.LogicalDeviceConfiguration()
        try:
            tf.config.set_logical_device_configuration(processor, [part] * count)
            tf.config.list_logical_devices()  # starts TensorFlow
        except (RuntimeError, ValueError):
            have = len(tf.config.list_logical_devices("CPU"))
            if have < count:
                raise CUNetError(
                    f"--devices={count}: TensorFlow has started with {have}: begin a new process."
                ) from None
    return [f"CPU:{index}" for index in range(count or 1)]


def device_name() -> str:
    """Let the GPUs' memory grow on demand, and name the devices that Keras sees."""
    if not on_tensorflow():
        import jax

        return f"jax: {jax.devices()[0].device_kind}"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):  # TensorFlow has started
            tf.config.experimental.set_memory_growth(gpu, True)
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    return f"tensorflow: {', '.join(names) if names else 'CPU'}"
