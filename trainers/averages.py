"""Averaged weights in the model's place, for validation and ``best.keras``."""

from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from cunet_tf.data.pipeline import Examples
from cunet_tf.models.renorm import estimate_norms, norm_layers

PICTURES = 128  # that batch normalisations are estimated from


class Averages:
    """Exchanges a model's weights for their moving average, and back.

    Averaged weights give other features than those whose statistics the training's batch normalisations hold, so these
    are estimated for them; what the training goes on with is left exactly as it was.

    Args:
        model: compiled with an optimizer that keeps an average.
        examples: of the training; the first :data:`PICTURES` views of its first epoch are used.
        batch_size: of the training.
    """

    def __init__(self, model: keras.Model, examples: Examples, batch_size: int):
        self.model, self.examples, self.batch_size = model, examples, batch_size
        # Keras' SwapEMAWeights swaps by adding and subtracting, which rounds.
        self._averages = [each for each in model.optimizer.variables if each.path.endswith("_average")]
        self._statistics = [value for layer in norm_layers(model) for one in layer.bn for value in one[2:]]
        self._own: list[np.ndarray] = []  # weights, then statistics
        self._estimated: list[np.ndarray] = []
        self._update = -1  # that the estimate belongs to

    def put_in(self) -> None:
        """Average and estimated statistics take the place of the weights and their statistics."""
        self._own = _values([*self.model.trainable_variables, *self._statistics])
        _assign(self.model.trainable_variables, _values(self._averages))
        update = int(ops.convert_to_numpy(self.model.optimizer.iterations))
        if update != self._update:
            self.estimate()
            self._estimated, self._update = _values(self._statistics), update
        else:
            _assign(self._statistics, self._estimated)

    def take_out(self) -> None:
        """Undo :meth:`put_in`."""
        _assign([*self.model.trainable_variables, *self._statistics], self._own)

    def estimate(self) -> None:
        """Statistics of the batch normalisations, for the weights that the model has now."""
        estimate_norms(self.model, self.pictures())

    def pictures(self) -> Iterator[np.ndarray]:
        """Batches ``[B, H, W, 3]`` of augmented training pictures, the same each time."""
        chosen = self.examples.order(0, shuffle=True)[:PICTURES]
        whole = max(len(chosen) // self.batch_size, 1)  # a small last batch would have moments of its own
        for indices in np.array_split(chosen[: whole * self.batch_size], whole):
            yield np.stack([self.examples.make(0, int(index))[0] for index in indices])


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
