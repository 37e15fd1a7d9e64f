"""Training steps on JAX's device, several in one call."""

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from cunet_tf.aliases import Tensor

State = tuple[
    list[Tensor], list[Tensor], list[Tensor], list[Tensor]
]  # trainable, other, optimizer's and metrics' variables


class Steps:
    """Keras' own training step of a compiled model, its state on the device between calls.

    Args:
        model: compiled, its metrics built, with an optimizer whose learning rate is a plain number.
        scan: compile a loop over the steps of a chunk, which spares a GPU the wait for each call; XLA's loops are slow
            on a CPU, where the steps are called one by one.
    """

    def __init__(self, model: keras.Model, scan: bool):
        self.model = model
        self._variables = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables)
        (self._rate,) = [index for index, each in enumerate(self._variables[2]) if each.path.endswith("/learning_rate")]
        trained, others, optimizer = ([jnp.array(each.value) for each in part] for part in self._variables)
        model.reset_metrics()
        self._fresh = [jnp.array(each.value) for each in model.metrics_variables]
        self._state: State = (trained, others, optimizer, self._fresh)
        self._run = jax.jit(self._scanned) if scan else self._one_by_one
        self._one = jax.jit(self._step)

    def __call__(self, images: np.ndarray, targets: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        """Train on the batches of a chunk.

        Args:
            images: uint8 ``[T, B, H, W, 3]``.
            targets: float32 ``[T, B, C, 3]``, x and y in heat-map pixels and the mask.
            rates: learning rates float32 ``[T]``.

        Returns:
            Loss and metrics by name, means over the chunk, still on the device.
        """
        self._state, logs = self._run((*self._state[:3], self._fresh), (images, targets, rates))
        return logs

    def compile(self, chunk: int, batch_size: int) -> None:
        """Compile for chunks of so many batches; the state stays as it is."""
        size, landmarks = self.model.spec.input_size, self.model.spec.skeleton.size
        images = np.zeros((chunk, batch_size, size, size, 3), np.uint8)
        targets = np.zeros((chunk, batch_size, landmarks, 3), np.float32)
        start = (*self._state[:3], self._fresh)
        jax.block_until_ready(self._run(start, (images, targets, np.zeros(chunk, np.float32))))

    def install(self) -> None:
        """Give the model's variables the values on the device; copies, as Keras may give away the memory of its own."""
        for variables, values in zip(self._variables, self._state[:3], strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(np.array(value))

    def _step(self, state: State, inputs: Tensor) -> tuple[State, dict[str, Any]]:
        images, target, rate = inputs
        trained, others, optimizer, metrics = state
        optimizer = [rate if index == self._rate else each for index, each in enumerate(optimizer)]
        pixels = jnp.asarray(images, "float32") / 255.0
        targets = (target,) * len(self.model.outputs)
        logs, (trained, others, optimizer, metrics) = self.model.train_step(
            (trained, others, optimizer, metrics), (pixels, targets)
        )
        return (list(trained), list(others), list(optimizer), list(metrics)), logs

    def _scanned(self, state: State, inputs: Tensor) -> tuple[State, dict[str, Any]]:
        state, logs = jax.lax.scan(self._step, state, inputs)
        return state, {name: values[-1] for name, values in logs.items()}  # of running means

    def _one_by_one(self, state: State, inputs: Tensor) -> tuple[State, dict[str, Any]]:
        logs: dict[str, Any] = {}
        for each in zip(*inputs, strict=True):
            state, logs = self._one(state, each)
        return state, logs
