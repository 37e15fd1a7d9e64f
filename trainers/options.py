"""Options of a run beyond its recipe: how it is made steadier, faster or observable."""

import contextlib
import functools
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cunet_tf.errors import CUNetError

WARM_UP = 200  # steps


@dataclass(frozen=True)
class Options:
    """Everything is off by default.

    Attributes:
        patience: stop after so many epochs without a better validation value; 0 never stops.
        ema: largest decay of a moving average of the weights, such as 0.999, see
            :class:`cunet_tf.optimizers.AveragingRMSprop`; the averaged weights are validated and saved as
            ``best.keras``, with batch normalisations estimated for them.
        clipnorm: largest global norm of the gradient.
        mixed_precision: compute in bfloat16, keep variables in float32.
        deterministic: the same bits in every run on the same machine (slower).
        warmup: steps over which the learning rate rises; by default 200, or a tenth of a short training, for
            one that starts from given weights, none for a fresh one.
        init_optimizer: take over the averages of the optimizer too from what the training starts from, see
            :mod:`cunet_tf.trainers.extension`; there is no warm-up then unless asked for.
        tensorboard: write events into ``WORKDIR/tensorboard``.
        save_every: minutes after which ``last.keras`` is written inside an epoch too; 0 is after epochs only.
    """

    patience: int = 0
    ema: float = 0.0
    clipnorm: float = 0.0
    mixed_precision: bool = False
    deterministic: bool = False
    tensorboard: bool = False
    warmup: int | None = None
    init_optimizer: bool = False
    save_every: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.ema < 1.0:
            raise CUNetError(f"--ema={self.ema}: give a decay from 0 (off) to below 1, such as 0.999.")
        if self.save_every < 0:
            raise CUNetError(f"--save_every={self.save_every}: give minutes; 0 saves after epochs only.")
        if self.clipnorm < 0 or self.patience < 0:
            raise CUNetError("--clipnorm and --patience must not be negative; 0 is off.")

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """What is global to the process, for the time of a training.

        Keras' dtype policy and the random states of Python and NumPy are then as they were. Keras' own
        seed stays the training's, and so does determinism, which TensorFlow cannot take back.

        Raises:
            CUNetError: determinism was asked for under another backend than TensorFlow.
        """
        if self.save_every and keras.backend.backend() != "tensorflow":
            raise CUNetError("--save_every works with the TensorFlow backend only: leave it out.")
        policy, python, numpy = keras.config.dtype_policy(), random.getstate(), np.random.get_state()
        if self.deterministic:
            enable_determinism()
        keras.config.set_dtype_policy("mixed_bfloat16" if self.mixed_precision else "float32")
        try:
            yield
        finally:
            keras.config.set_dtype_policy(policy)
            random.setstate(python)
            np.random.set_state(numpy)

    def warmup_steps(self, updates: int, started: bool) -> int:
        """Steps of the warm-up of a training of so many updates; ``started``: from given weights."""
        if self.warmup is not None:
            return self.warmup
        return min(WARM_UP, updates // 10) if started and not self.init_optimizer else 0

    def optimizer_options(self) -> dict[str, Any]:
        """Keyword arguments for a Keras optimizer."""
        options: dict[str, Any] = {"global_clipnorm": self.clipnorm} if self.clipnorm else {}
        return {**options, "use_ema": True, "ema_momentum": self.ema} if self.ema else options

    def callbacks(self, workdir: Path) -> list[keras.callbacks.Callback]:
        """TensorBoard's callback when asked for.

        Raises:
            CUNetError: TensorBoard is not installed.
        """
        if not self.tensorboard:
            return []
        try:
            import tensorboard  # noqa: F401
        except ImportError:
            raise CUNetError(
                "--tensorboard needs the package tensorboard, which TensorFlow no longer brings: "
                "pip install 'cunet-tf[tensorboard]'."
            ) from None
        return [keras.callbacks.TensorBoard(workdir / "tensorboard")]


@functools.cache
def enable_determinism() -> None:
    """The same bits in every run, from now on; says so, once.

    Raises:
        CUNetError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise CUNetError("--deterministic works with the TensorFlow backend only.")
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    print("notice: operations are deterministic, and slower, for the rest of this process.", file=sys.stderr)
