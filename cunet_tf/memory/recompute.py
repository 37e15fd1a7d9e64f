"""Recomputation in the backward pass (paper, section 3.2; Fig. 10).

A :class:`Recipe` says how a tensor's value is found again in the backward pass. It travels
with the tensor, so that a map is stored once, by whoever made it, however many layers read
it. Three kinds of operation use recipes:

- :func:`recomputed` runs a function whose backward pass rebuilds the arguments from their
  recipes and runs it again;
- :func:`deferred` runs a function whose result is not kept at all: the operation that reads
  it recomputes both (the bottleneck of a block);
- :func:`resampled` runs a cheap function (upsampling) whose result is rebuilt from what its
  argument keeps.

Everything in a backward pass depends on the incoming gradient through a zero that is computed
from it. Otherwise TensorFlow would recompute at once, in the forward pass, and save nothing;
XLA ignores control dependencies, so the dependency is one of data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from cunet_tf.backend import tensorflow
from cunet_tf.errors import CUNetError
from cunet_tf.memory.names import MemoryConfig

ATTRIBUTE = "_cunet_recipe"  # of a tensor, as Keras carries its masks


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Recipe:
    """How to find a tensor's value again.

    Attributes:
        sources: the tensors that receive the gradient, mostly the tensor itself.
        rebuild: from a zero (float32 scalar) to the sources' values, read from what is kept.
        value: from the sources' values to the tensor's; differentiable.
        lossy: the rebuilt value differs from the one of the forward pass.
        grid: the quantizer on whose grid the tensor's values lie, if there is one.
        kept: the tensor receives the gradient itself; ``False`` behind :func:`deferred`.
    """

    sources: tuple[Any, ...]
    rebuild: Callable[[Any], tuple[Any, ...]]
    value: Callable[..., Any] = _same
    lossy: bool = False
    grid: Any = None
    kept: bool = True


def attach(tensor: Any, recipe: Recipe) -> Any:
    """Let ``recipe`` travel with ``tensor``; returns the tensor."""
    setattr(tensor, ATTRIBUTE, recipe)
    return tensor


def attached(tensor: Any) -> Recipe | None:
    """The tensor's recipe, ``None`` outside of a training pass."""
    return getattr(tensor, ATTRIBUTE, None)


def recipe_of(tensor: Any, memory: MemoryConfig) -> Recipe:
    """The tensor's recipe; where it has none yet, one that keeps the tensor itself, or its few bits."""
    found = attached(tensor)
    if found is None:
        from cunet_tf.memory.compressed import rounded

        rebuild = rounded(tensor, memory.bits) if memory.compresses else exact(tensor)
        found = Recipe((tensor,), lambda zero: (rebuild(zero),), lossy=memory.compresses)
        attach(tensor, found)
    return found


def keep_exactly(tensor: Any) -> None:
    """Keep a tensor as it is in every mode."""
    if attached(tensor) is None:
        keep = exact(tensor)
        attach(tensor, Recipe((tensor,), lambda zero: (keep(zero),)))


def exact(tensor: Any) -> Callable[[Any], Any]:
    """Keeps a tensor as it is; a function from the zero to its value."""
    tf = tensorflow("memory")
    return lambda zero: tensor + tf.cast(zero, tensor.dtype)


def recomputed(function: Callable, memory: MemoryConfig) -> Callable:
    """``function``, whose backward pass keeps only what the recipes of its arguments keep.

    Args:
        function: a pure function of tensors, which returns a tensor, or a tuple of tensors of
            which only the first has a gradient (the others are moments).
        memory: how arguments without a recipe are kept. Keras variables are never compressed.

    Returns:
        A function of the same arguments, tensors or Keras variables, with the same results.
    """

    def call(*args: Any) -> Any:
        tf = tensorflow("memory")
        tensors, recipes = _arguments(args, memory)
        count = len(tensors)

        @tf.custom_gradient
        def operation(*inputs: Any) -> Any:
            outputs = function(*(tf.stop_gradient(value) for value in inputs[:count]))

            def backward(*gradients: Any) -> list[Any]:
                leaves = _rebuild(recipes, zero_of(gradients[0]))
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(leaves)
                    again = function(*_values(recipes, leaves))
                first = again[0] if isinstance(again, tuple) else again
                flat = [leaf for own in leaves for leaf in own]
                return [None] * count + tape.gradient(first, flat, gradients[0])

            return outputs, backward

        # Every value enters as an argument: TensorFlow would search what is captured for variables.
        return operation(*tensors, *_sources(recipes))

    return call


def deferred(function: Callable, memory: MemoryConfig) -> Callable:
    """``function``, whose first result is kept by nobody: its reader recomputes it, and passes the gradient on.

    Arguments and results as for :func:`recomputed`. The reader must be a function of this module.
    """

    def call(*args: Any) -> Any:
        tf = tensorflow("memory")
        tensors, recipes = _arguments(args, memory)
        outputs = function(*(tf.stop_gradient(tensor) for tensor in tensors))
        several = isinstance(outputs, tuple)

        def rebuild(zero: Any) -> tuple[Any, ...]:
            return tuple(leaf for own in _rebuild(recipes, zero) for leaf in own)

        def value(*flat: Any) -> Any:
            again = function(*_values(recipes, _split(recipes, flat)))
            return again[0] if several else again

        first = _refuse_gradient(outputs[0] if several else outputs, tensors[0])
        lossy = any(recipe.lossy for recipe in recipes)
        attach(first, Recipe(_sources(recipes), rebuild, value, lossy, kept=False))
        return (first, *outputs[1:]) if several else first

    return call


def resampled(function: Callable, memory: MemoryConfig, x: Any) -> Any:
    """``function(x)``, kept in the form of ``x``: upsampling between blocks.

    Args:
        function: cheap, of one tensor ``[B, H, W, C]``, differentiable; its gradient may need its input.
        memory: see :func:`recomputed`.
        x: read by other layers of the network too.
    """
    recipe = recipe_of(x, memory)
    y = recomputed(function, memory)(x)
    rebuild = lambda zero: (function(recipe.value(*recipe.rebuild(zero))),)  # noqa: E731
    return attach(y, Recipe((y,), rebuild, lossy=recipe.lossy, grid=recipe.grid))


def held_back(outputs: list[Any]) -> list[Any]:
    """The identity on a network's heat maps; no gradient passes before that of the last ones exists.

    The loss of an early head is known while later U-Nets still run: without this the backward
    pass of each early head would begin at once, and its gradient, a full map, wait for the rest.
    """
    tf = tensorflow("memory")

    @tf.custom_gradient
    def together(*maps: Any) -> Any:
        def backward(*gradients: Any) -> list[Any]:
            zero = zero_of(gradients[-1])
            return [g + tf.cast(zero, g.dtype) for g in gradients[:-1]] + [gradients[-1]]

        return [tf.identity(map_) for map_ in maps], backward

    return list(together(*outputs)) if len(outputs) > 1 else outputs


def zero_of(gradient: Any) -> Any:
    """A float32 zero that exists only once ``gradient`` does; NaN where its first entry is.

    No optimizer folds it: that ``min(|g|, 0)`` is 0 holds for numbers, not for NaN.
    """
    tf = tensorflow("memory")
    first = tf.reshape(gradient, [-1])[0]
    return tf.minimum(tf.abs(tf.cast(first, tf.float32)), 0.0)


def _arguments(args: Any, memory: MemoryConfig) -> tuple[list[Any], list[Recipe]]:
    tf = tensorflow("memory")
    tensors, recipes = [], []
    for arg in args:
        tensor = tf.convert_to_tensor(arg)
        tensors.append(tensor)
        if isinstance(arg, keras.Variable):
            keep = exact(tensor)
            recipes.append(Recipe((tensor,), lambda zero, keep=keep: (keep(zero),)))
        else:
            recipes.append(recipe_of(tensor, memory))
    return tensors, recipes


def _sources(recipes: list[Recipe]) -> tuple[Any, ...]:
    return tuple(source for recipe in recipes for source in recipe.sources)


def _rebuild(recipes: list[Recipe], zero: Any) -> list[tuple[Any, ...]]:
    return [recipe.rebuild(zero) for recipe in recipes]


def _values(recipes: list[Recipe], leaves: list[tuple[Any, ...]]) -> list[Any]:
    return [recipe.value(*own) for recipe, own in zip(recipes, leaves, strict=True)]


def _split(recipes: list[Recipe], flat: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    rest = iter(flat)
    return [tuple(next(rest) for _ in recipe.sources) for recipe in recipes]


def _refuse_gradient(tensor: Any, source: Any) -> Any:
    """The identity; a reader that expects a gradient through it would silently learn nothing."""
    tf = tensorflow("memory")

    @tf.custom_gradient
    def guard(value: Any, _: Any) -> Any:
        def refuse(*_: Any) -> Any:
            raise CUNetError(
                "with memory saving on, a tensor inside the network is read by a layer that is not the "
                "network's own: build this model with memory='none'."
            )

        return tf.identity(value), refuse

    return guard(tensor, source)
