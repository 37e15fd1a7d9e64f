"""Base classes with hooks where Keras lets a subclass in by private methods only."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.compat.of_keras import fitted_by_workers, make_trackers, of_processes, prepared, under_strategy


class HookedModel(keras.Model):
    """A model that also trains under strategies of TensorFlow with several processes, and whose clones are marked."""

    def marked(self, outputs: Any) -> Any:
        """Hook: outputs of the model's graph, run on other tensors, as for a clone; unchanged here."""
        return outputs

    def _run_through_graph(self, inputs: Tensor, *args: object, **kwargs: object) -> Any:
        """As Keras does, which builds clones by it; their constructor gets nothing but tensors."""
        return self.marked(super()._run_through_graph(inputs, *args, **kwargs))

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """As Keras does before an epoch, but what it makes there is made before TensorFlow traces the step.

        Under a strategy without taking a batch out of the data.
        """
        if not under_strategy(self):
            make_trackers(self, iterator, data_batch)
        elif not prepared(self, iterator):
            super()._maybe_symbolic_build(iterator, data_batch)

    def make_train_function(self, force: bool = False) -> Any:
        """As Keras does; the optimizer's variables are there before the step is traced, which would be traced twice."""
        if self.optimizer is not None and not (self.optimizer.built or under_strategy(self)):
            self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def _make_function(self, step_function: Callable) -> Callable:
        """As Keras does; where several processes train together it would fail."""
        if of_processes(self):
            return fitted_by_workers(self, step_function)
        return super()._make_function(step_function)


class HookedRMSprop(keras.optimizers.RMSprop):
    """RMSprop whose moving average of the weights may be made otherwise. Arguments as Keras' optimizer."""

    def averaging(self) -> AbstractContextManager[None]:
        """Hook: what surrounds an update of the average; nothing here."""
        return contextlib.nullcontext()

    def _update_model_variables_moving_average(self, trainable_variables: list[Tensor]) -> None:
        with self.averaging():
            super()._update_model_variables_moving_average(trainable_variables)
