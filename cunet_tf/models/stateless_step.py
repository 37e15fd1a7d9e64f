"""The training step of two passes under JAX, where variables are values that a step takes and gives back."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from cunet_tf.aliases import Tensor

State = tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]


def stateless_step(model: keras.Model, state: State, data: tuple[Tensor, ...]) -> tuple[dict[str, Any], State]:
    """Both updates of :class:`~cunet_tf.models.refined_model.RefinedModel`, as its TensorFlow step does them.

    Args:
        model: compiled.
        state: values of its trainable and other variables, of the optimizer's, of the metrics'.
        data: a batch.

    Returns:
        Logs, and the new state.
    """
    trainable, others, optimizer, metrics = map(list, state)
    images, y, w, given = model.halved(data)
    heads, outputs = len(y) // 2, []
    for index, part in enumerate((slice(heads), slice(heads, None))):
        made, trainable, others, optimizer = _update(model, index, images[index], y[part], w[part],
                                                     (trainable, others, optimizer))  # fmt: skip
        outputs += made
    with _scope(zip(model.trainable_variables + model.non_trainable_variables + model.metrics_variables,
                    trainable + others + metrics, strict=True)) as scope:  # fmt: skip
        logs = model.logged(data[0], y, outputs, given)
    return logs, (trainable, others, optimizer, _values(scope, model.metrics_variables))


def _update(
    model: keras.Model,
    index: int,
    images: Tensor,
    targets: list[Tensor],
    weights: list[Tensor],
    state: tuple[list, list, list],
) -> tuple[list[Tensor], list, list, list]:
    """One update on the loss of a pass: heat maps, then the new state. Variables that the pass does not read stay."""
    import jax

    trainable, others, optimizer = state
    part, own = model.pass_of(index), model.trainable_variables
    with _scope(zip(own + model.non_trainable_variables, trainable + others, strict=True)):
        inputs = model.tapped(images) if index else images

    def loss_of(chosen: dict[int, Any]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        values = [chosen.get(place, value) for place, value in enumerate(trainable)]
        with _Reads(list(zip(own + model.non_trainable_variables, values + others, strict=True))) as scope:
            made = part(inputs, training=True)
            loss = model.optimizer.scale_loss(model.loss_of_pass(index, targets, made, weights))
        read.update(place for place, variable in enumerate(own) if id(variable) in scope.read)
        return loss, (made, _values(scope, model.non_trainable_variables))

    read: set[int] = set()
    jax.eval_shape(loss_of, {})  # to learn which variables the pass reads
    gradients, (made, others) = jax.grad(loss_of, has_aux=True)({place: trainable[place] for place in sorted(read)})
    with _scope(zip(own + model.optimizer.variables, trainable + optimizer, strict=True)) as scope:
        model.optimizer.apply(list(gradients.values()), [own[place] for place in gradients])
    return made, _values(scope, own), others, _values(scope, model.optimizer.variables)


class _Reads(keras.StatelessScope):
    """A scope that knows whose values were asked for."""

    def __init__(self, state_mapping: list[tuple[Tensor, Tensor]]):
        super().__init__(state_mapping=state_mapping)
        self.read: set[int] = set()

    def get_current_value(self, variable: keras.Variable) -> Tensor:
        """As Keras', noted down."""
        self.read.add(id(variable))
        return super().get_current_value(variable)


def _scope(pairs: Iterable[tuple[Tensor, Tensor]]) -> keras.StatelessScope:
    return keras.StatelessScope(state_mapping=list(pairs))


def _values(scope: keras.StatelessScope, variables: Iterable[keras.Variable]) -> list[Tensor]:
    """Of variables in a scope, as they were where nothing was assigned."""
    found = []
    for variable in variables:
        value = scope.get_current_value(variable)
        found.append(variable.value if value is None else value)
    return found
