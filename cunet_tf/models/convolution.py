"""Convolutions with batch normalisations of their own: what all of them share, and the one of the stem."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cunet_tf.aliases import Shape, Tensor
from cunet_tf.memory.pooling import max_pool
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.models.normalize import MOMENTUM, batch_moments_norm, moving_norm

PACKAGE = "cunet_tf"


@keras.saving.register_keras_serializable(PACKAGE)
class FanInUniform(keras.initializers.Initializer):
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the convolution initialiser of the reference."""

    def __init__(self, seed: int | None = None):
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """A kernel ``[k, k, inputs, filters]``."""
        limit = float(shape[0] * shape[1] * shape[2]) ** -0.5
        return keras.random.uniform(shape, -limit, limit, dtype, seed=self._generator)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        return {"seed": self.seed}


class NormalizedConv(keras.layers.Layer):
    """A convolution without bias and its batch normalisations: variables, files, moving statistics.

    Args:
        filters: output channels.
        kernel_size: side of the kernel.
        bn_sets: independent sets of BN variables.
        gamma_init: ``"ones"`` or ``"uniform"`` (U(0, 1), the reference).

    Attributes:
        memory: what training keeps for the backward pass, see :func:`~cunet_tf.memory.strategy.set_memory`.
    """

    memory: Memory = PLAIN

    def __init__(self, filters: int, kernel_size: int, bn_sets: int, gamma_init: str, **kwargs: object):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.bn_sets, self.gamma_init = filters, kernel_size, bn_sets, gamma_init

    def add_variables(self, inputs: int, normalized: int, constraint: Callable[[Tensor], Tensor] | None = None) -> None:
        """Kernel ``[k, k, inputs, filters]``; gamma, beta, moving statistics ``[normalized]`` of each set, if any."""
        self.kernel = self.add_weight(
            name="kernel", shape=(self.kernel_size, self.kernel_size, inputs, self.filters),
            initializer=FanInUniform(), constraint=constraint,
            autocast=False,  # quantized in float32 in every policy
        )  # fmt: skip
        gamma = "ones" if self.gamma_init == "ones" else keras.initializers.RandomUniform(0.0, 1.0)
        self.bn = [self._add_bn(normalized, gamma, index) for index in range(self.bn_sets if normalized else 0)]

    def _add_bn(
        self, channels: int, gamma: str | keras.initializers.Initializer, index: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Variables (gamma, beta, moving mean, moving variance), float32 in every policy."""
        prefix = "" if index == 0 else f"pass{index + 1}_"
        specs = [("gamma", gamma, True), ("beta", "zeros", True),
                 ("moving_mean", "zeros", False), ("moving_variance", "ones", False)]  # fmt: skip
        return tuple(
            self.add_weight(
                name=prefix + name, shape=(channels,), initializer=init, trainable=trainable,
                dtype="float32", autocast=False,
            )
            for name, init, trainable in specs
        )  # fmt: skip

    def normalize_fixed(self, x: Tensor, bn_set: int = 0) -> Tensor:
        """Batch normalisation by the moving statistics (inference)."""
        gamma, beta, *statistics = self.bn[bn_set]
        return moving_norm(x, gamma, beta, *map(ops.convert_to_tensor, statistics))

    def update_statistics(self, bn_set: int, mean: Tensor, variance: Tensor) -> None:
        """Take a batch's moments into the moving statistics; once a training pass, outside of what is recomputed."""
        for moving, batch in zip(self.bn[bn_set][2:], (mean, variance), strict=True):
            moving.assign(moving * MOMENTUM + ops.stop_gradient(batch) * (1.0 - MOMENTUM))

    def save_own_variables(self, store: MutableMapping[str, np.ndarray]) -> None:
        """Store by name (Keras would by position), so that files outlive added BN sets."""
        for variable in self._own_variables():
            store[variable.name] = ops.convert_to_numpy(variable)

    def load_own_variables(self, store: Mapping[str, np.ndarray]) -> None:
        """A BN set that the file lacks starts as a copy of the first."""
        for variable in self._own_variables():
            first = variable.name.split("_", 1)[-1] if variable.name.startswith("pass") else variable.name
            variable.assign(store[variable.name if variable.name in store else first])

    def _own_variables(self) -> list[Tensor]:
        return [self.kernel, *(variable for one_set in self.bn for variable in one_set)]


@keras.saving.register_keras_serializable(PACKAGE)
class ConvBNReLU(NormalizedConv):
    """``pool(ReLU(BN(conv(x))))`` without bias: the stem, and what stands outside of U-Nets.

    The padding is explicit, and equal on all sides: with stride 2, "same" would pad a 7x7 kernel by 2 and 3
    pixels. A memory mode keeps the input as it is, never rounded, and computes the rest again.

    Args:
        filters: output channels.
        kernel_size: odd.
        strides: of the convolution.
        pool: 2x2 max-pooling at the end.
        gamma_init: see :class:`NormalizedConv`.

    Input: ``[B, H, W, C]``. Output: ``[B, H/strides, W/strides, filters]``, half of that with ``pool``.
    """

    def __init__(
        self, filters: int, kernel_size: int = 1, strides: int = 1, pool: bool = False, gamma_init: str = "ones",
        **kwargs: object,
    ):  # fmt: skip
        super().__init__(filters, kernel_size, 1, gamma_init, **kwargs)
        self.strides, self.pool = strides, pool

    def build(self, input_shape: Shape) -> None:
        """Make the variables, for inputs of a shape."""
        self.add_variables(input_shape[-1], self.filters)

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """The operation on ``[B, H, W, C]``, in training by the moments of the batch."""
        if not (training and self.trainable):
            return self._finish(self.normalize_fixed(self._convolve(x, self.kernel)))
        gamma, beta, *_ = self.bn[0]
        output, *moments = self.memory.recompute(self._train, x, self.kernel, gamma, beta, exact=True)
        self.update_statistics(0, *moments)
        return self.memory.quantized(output, None)

    def _train(
        self, x: Tensor, kernel: Tensor, gamma: Tensor, beta: Tensor, relu: Callable = ops.relu
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The training pass, a pure function."""
        normed, mean, variance = batch_moments_norm(self._convolve(x, kernel), gamma, beta)
        return self._finish(normed, relu), mean, variance

    def _convolve(self, x: Tensor, kernel: Tensor) -> Tensor:
        side = self.kernel_size // 2
        padded = ops.pad(x, ((0, 0), (side, side), (side, side), (0, 0))) if side else x
        return ops.conv(padded, ops.cast(kernel, x.dtype), self.strides, "valid")

    def _finish(self, normed: Tensor, relu: Callable = ops.relu) -> Tensor:
        # Pooled first: the same values, and a quarter of them for the ReLU and its gradient.
        return relu(max_pool(normed) if self.pool else normed)

    def compute_output_shape(self, input_shape: Shape) -> tuple:
        """Shape of the results, of that of the inputs, as Keras asks for it."""
        batch, *grid, _ = input_shape
        step = self.strides * (2 if self.pool else 1)
        return (batch, *(side // step for side in grid), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        names = ("filters", "kernel_size", "strides", "pool", "gamma_init")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
