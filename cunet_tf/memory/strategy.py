"""The object that tells each layer of a network what to keep for the backward pass (paper, section 4.3).

Layers hold one, and call it in training passes only; :class:`Memory` itself is the plain network.
A tensor is stored once, by whoever made it, however many layers read it: how to find it again
(:class:`~cunet_tf.memory.remat.Kept`) travels with the tensor, as Keras' masks do.
"""

from collections.abc import Callable

import keras
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.backend import on_tensorflow, tensorflow
from cunet_tf.compat import forget_traces
from cunet_tf.errors import CUNetError
from cunet_tf.memory import remat, storage
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.memory.pooling import max_pool
from cunet_tf.memory.remat import Kept
from cunet_tf.memory.waiting import held_back
from cunet_tf.quantize.quantizers import Linear

ATTRIBUTE = "_cunet_kept"  # of a tensor


class Memory:
    """Keeps what automatic differentiation keeps, on every backend.

    Attributes:
        config: the mode.
        joins: two convolutions of which only the second reads the first are one recomputed function.
    """

    config = MemoryConfig()
    joins = False

    def recompute(self, function: Callable, *args: Tensor, exact: bool = False) -> Tensor:
        """``function(*args)``, which a mode computes again in the backward pass.

        Args:
            function: pure; takes the ReLU to use as ``relu``. Returns a tensor, or a tuple of tensors of
                which only the first has a gradient.
            args: tensors ``[B, H, W, C]`` or Keras variables; variables are never rounded.
            exact: nor are the tensors.
        """
        return function(*args)

    def derived(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """``function(x)``, cheap and differentiable without x, kept in the form of x (upsampling)."""
        return function(x)

    def quantized(self, x: Tensor, quantizer: Callable[[Tensor], Tensor] | None) -> Tensor:
        """``quantizer(x)``, or x, for others to read."""
        return x if quantizer is None else quantizer(x)

    def pooled(self, x: Tensor) -> Tensor:
        """2x2 max-pooling, for others to read."""
        return max_pool(x)

    def held_back(self, outputs: list[Tensor]) -> list[Tensor]:
        """The network's heat maps; with a mode early heads' gradients wait for the last one's."""
        return outputs

    def __bool__(self) -> bool:
        return bool(self.config)


class Saving(Memory):
    """Recomputes, and with a mode of few bits stores the outputs of convolutions rounded.

    Args:
        config: a mode other than ``none``.
        lossless: the network's own quantized features fit the mode's bits; nothing else is rounded then.

    Raises:
        CUNetError: Keras runs on another backend than TensorFlow.
    """

    def __init__(self, config: MemoryConfig, lossless: bool = False):
        tensorflow(f"memory={config}")  # refuses other backends
        self.config = config
        self.joins = config.bottleneck or lossless  # between them there is no grid
        self.rounds = config.compresses and not lossless

    def recompute(self, function: Callable, *args: Tensor, exact: bool = False) -> Tensor:
        """See :meth:`Memory.recompute`."""
        tf = tensorflow("memory")
        tensors = [tf.convert_to_tensor(arg) for arg in args]
        whole = [exact or isinstance(arg, keras.Variable) for arg in args]
        kept = [
            Kept(storage.exact(tensor)) if own else self._kept(tensor)
            for tensor, own in zip(tensors, whole, strict=True)
        ]
        return remat.recomputed(function, tensors, kept)

    def derived(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """See :meth:`Memory.derived`; kept is what x is kept as."""
        kept, y = self._kept(x), function(x)
        return _attach(y, Kept(lambda zero: function(kept.restore(zero)), kept.lossy, kept.grid))

    def quantized(self, x: Tensor, quantizer: Callable[[Tensor], Tensor] | None) -> Tensor:
        """See :meth:`Memory.quantized`; kept are the integers of the grid, where these fit the mode."""
        if isinstance(quantizer, Linear):
            low, high = quantizer.limits
            x = remat.masked(x, quantizer, lambda v: (v >= low) & (v <= high), quantizer.gradient)
            return self._on_grid(x, quantizer)
        return self._on_grid(x if quantizer is None else quantizer(x), None)

    def pooled(self, x: Tensor) -> Tensor:
        """See :meth:`Memory.pooled`; kept is where each maximum was."""
        kept = getattr(x, ATTRIBUTE, None)
        return self._on_grid(remat.pooled(x), kept and kept.grid)

    def held_back(self, outputs: list[Tensor]) -> list[Tensor]:
        """See :meth:`Memory.held_back`: the gradients wait for each other."""
        return held_back(outputs)

    def _on_grid(self, x: Tensor, grid: Linear | None) -> Tensor:
        """x, to be found again: as integers of its grid where these fit the mode's bits."""
        if grid is not None and fits(grid, self.config):
            return _attach(x, Kept(storage.on_grid(x, grid), grid=grid))
        self._kept(x)
        return x

    def _kept(self, x: Tensor) -> Kept:
        """How a tensor is found again; decided here where nobody has yet."""
        if not hasattr(x, ATTRIBUTE):
            restore = storage.rounded(x, self.config.bits) if self.rounds else storage.exact(x)
            _attach(x, Kept(restore, lossy=self.rounds))
        return getattr(x, ATTRIBUTE)


class Checkpointed(Memory):
    """Recomputes under JAX (``jax.checkpoint``); what it keeps is exact.

    Args:
        config: the mode ``recompute``, with or without the bottleneck.

    Raises:
        CUNetError: a mode that stores few bits.
    """

    def __init__(self, config: MemoryConfig):
        if config.compresses:
            tensorflow(f"memory={config}, which stores few bits,")
        self.config, self.joins = config, config.bottleneck

    def recompute(self, function: Callable, *args: Tensor, exact: bool = False) -> Tensor:
        """See :meth:`Memory.recompute`."""
        import jax

        return jax.checkpoint(function)(*map(ops.convert_to_tensor, args))


PLAIN = Memory()


def fits(grid: object, config: MemoryConfig) -> bool:
    """Whether the integers of a quantizer's grid fit into the bits of a mode."""
    return config.compresses and isinstance(grid, Linear) and grid.bits <= config.bits


def _attach(x: Tensor, kept: Kept) -> Tensor:
    setattr(x, ATTRIBUTE, kept)
    return x


def set_memory(model: keras.Model, memory: str | MemoryConfig | None) -> keras.Model:
    """Set the memory mode of a CU-Net, before ``fit`` or between two calls of it.

    The mode belongs to the running model: its variables, its configuration and the files it
    is saved to are the same in every mode.

    Args:
        model: of :func:`~cunet_tf.models.cunet.build_cunet`, also loaded from a file.
        memory: a mode by name, ``None`` for ``none``.

    Returns:
        The model.

    Raises:
        CUNetError: unknown mode, another network than a CU-Net, or one of few bits under another backend than
            TensorFlow.
    """
    config = MemoryConfig.parse(memory)
    parts = [part for layer in model.layers for part in (layer, *getattr(layer, "convolutions", ()))]
    strategy = PLAIN
    if config:
        if len(parts) == len(model.layers):
            raise CUNetError(f"memory={config}: only a CU-Net saves memory, not {model.name}; leave --memory out.")
        grids = ("input_quantizer", "output_quantizer")
        lossless = any(fits(getattr(part, name, None), config) for part in parts for name in grids)
        strategy = Saving(config, lossless) if on_tensorflow() else Checkpointed(config)
    for part in (model, *parts):
        if hasattr(part, "memory"):
            part.memory = strategy
    forget_traces(model)
    return model
