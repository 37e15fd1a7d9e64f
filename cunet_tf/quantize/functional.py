r"""Quantizers as functions of tensors, each with the gradient that training sees.

Every function keeps the shape and the type of its tensor; the arithmetic is float32.
``x`` stands for features ``[B, H, W, C]``, ``w`` for a kernel ``[kh, kw, cin, filters]`` (any
shape whose last axis counts the filters), ``g`` for a gradient.
"""

import math
from collections.abc import Callable

from keras import ops

from cunet_tf import replicas
from cunet_tf.aliases import Backward, Tensor
from cunet_tf.backend import custom_gradient, on_tensorflow, tensorflow
from cunet_tf.quantize.bits import KERNEL_BITS, limits, require_kernel_bits
from cunet_tf.quantize.dither import compiled_dither, noise_bits
from cunet_tf.quantize.means import above_mean, mean, mean_of

TERNARY_THRESHOLD = 0.7  # of mean |w| (TWN)
# Steps that lose least of a normal distribution of variance 1, for 2 to 8 bits; where the search for a filter's begins.
NORMAL_STEPS = dict(zip(KERNEL_BITS, (1.224, 0.651, 0.353, 0.193, 0.105, 0.057, 0.031), strict=True))
STARTS = (0.6, 0.8, 1.0, 1.25, 1.6, 2.0)  # multiples of them: filters are less or more heavy-tailed
REFINEMENTS = 4
GRADIENTS = "a quantization of gradients"  # in messages; the rest runs on JAX too


def binary(w: Tensor, alpha: bool = False) -> Tensor:
    r"""Binary kernel (paper, eq. 5; XNOR-Net).

    .. math:: q(w) = \alpha\,\mathrm{sign}(w), \quad \mathrm{sign}(0) = +1, \quad
       \alpha = \operatorname{mean}_{kh, kw, cin}|w| \text{ per filter, or } 1
    .. math:: \partial q / \partial w = 1_{|w| \le 1} \quad \text{(straight through)}

    Example:
        >>> binary(np.float32([[0.5], [-0.1], [0.0]]), alpha=True).numpy().ravel()
        array([ 0.2, -0.2,  0.2], dtype=float32)
    """

    def values(full: Tensor) -> Tensor:
        return _signs(full) * mean(ops.abs(full)) if alpha else _signs(full)

    return _straight_through(w, values)


def ternary(w: Tensor, alpha: bool = False) -> Tensor:
    r"""Ternary kernel (paper, eq. 6, whose middle case should read 0; TWN).

    .. math:: q(w) = \alpha\,(1_{w > t} - 1_{w < -t}), \quad t = 0.7 \operatorname{mean}|w|, \quad
       \alpha = \operatorname{mean}_{|w| > t} |w| \text{ per filter, or } 1
    .. math:: \partial q / \partial w = 1_{|w| \le 1}

    Example:
        >>> ternary(np.float32([[0.6], [-0.1], [-0.2]]), alpha=True).numpy().ravel()
        array([0.6, 0. , 0. ], dtype=float32)
    """

    def values(full: Tensor) -> Tensor:
        size = ops.abs(full)
        far = ops.cast(above_mean(size, TERNARY_THRESHOLD), "float32")
        signs = far * _signs(full) + 0.0  # no negative zeros
        return signs * mean_of(size, far) if alpha else signs

    return _straight_through(w, values)


def uniform(w: Tensor, bits: int) -> Tensor:
    r"""k-bit symmetric kernel with one step for each filter.

    .. math:: q(w) = s\,\mathrm{clip}(\mathrm{round}(w / s), -L, L), \quad L = 2^{k-1} - 1, \quad
       s = \arg\min \|q(w) - w\|^2 \text{ per filter}
    .. math:: \partial q / \partial w = 1

    Not of the paper, whose kernels have one bit or two; the steps are those of :func:`uniform_integers`. The gradient
    passes everywhere: a weight beyond the last integer widens its filter's step in the next call.

    Raises:
        CUNetError: bits outside 2..8.

    Example:
        >>> uniform(np.float32([[3.0], [-1.1], [0.1]]), bits=3).numpy().round(2).ravel()
        array([ 3.03, -1.01,  0.  ], dtype=float32)
    """

    def values(full: Tensor) -> Tensor:
        integers, step = uniform_integers(full, bits)
        return integers * step

    return _straight_through(w, values, everywhere=True)


def uniform_integers(w: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    r"""The whole numbers of :func:`uniform`, and the step of each filter.

    From each of a few steps s, the best of a normal distribution and multiples of it, and the one that cuts nothing
    off, the least squares solution :math:`s = \langle w, q \rangle / \langle q, q \rangle` and the rounding q are
    found in turn; the step of least error is taken. (And the smallest weight is tried: a kernel that consists of
    whole numbers of steps, 1 among them, is found again as it is.)

    Returns:
        Integers -L..L as float32, of w's shape; steps, float32 ``[1, ..., filters]``, 0 for a filter of zeros.

    Raises:
        CUNetError: bits outside 2..8.
    """
    require_kernel_bits(bits)
    w = ops.cast(w, "float32")
    axes = list(range(-len(w.shape), -1))  # from behind: all steps are tried at once, along an axis in front
    limit = 2.0 ** (bits - 1) - 1.0

    def total(x: Tensor) -> Tensor:
        return ops.sum(x, axis=axes, keepdims=True)

    def rounded(step: Tensor) -> Tensor:
        return ops.clip(ops.round(ops.divide_no_nan(w, step)), -limit, limit)

    normal = NORMAL_STEPS[bits] * ops.sqrt(ops.mean(ops.square(w), axis=axes, keepdims=True))
    size = ops.abs(w)
    steps = ops.stack([start * normal for start in STARTS] + [ops.max(size, axis=axes, keepdims=True) / limit])
    for _ in range(REFINEMENTS):
        q = rounded(steps)
        steps = ops.divide_no_nan(total(w * q), total(q * q))
    smallest = ops.min(ops.where(size > 0.0, size, float("inf")), axis=axes, keepdims=True)
    smallest = ops.where(ops.isinf(smallest), 0.0, smallest)
    steps = ops.concatenate([ops.stack([ops.zeros_like(smallest), smallest]), steps])
    error = total(ops.square(w - steps * rounded(steps)))
    best = ops.take_along_axis(steps, ops.argmin(error, axis=0, keepdims=True), axis=0)[0]
    return rounded(best), best


def center(w: Tensor) -> Tensor:
    r"""Mean-centring over the input channels (XNOR-Net), before :func:`binary` or :func:`ternary`.

    .. math:: w - \operatorname{mean}_{cin} w, \quad \text{differentiated as it stands}

    Example:
        >>> center(np.float32([[[[1.0], [3.0]]]])).numpy().ravel()
        array([-1.,  1.], dtype=float32)
    """
    w = ops.convert_to_tensor(w)
    return w - ops.mean(w, axis=-2, keepdims=True)


def linear(
    x: Tensor, bits: int, r: float = 1.0, signed: bool = True, narrow: bool = False, gradient: Callable | None = None
) -> Tensor:
    r"""k-bit features on a uniform grid (paper, eq. 7, whose formula lost a division; WAGE).

    .. math:: q(x) = \sigma\,\mathrm{clip}(\mathrm{round}(x / \sigma), lowest, highest)

    Signed: :math:`\sigma = r\,2^{1-k}`, integers :math:`-2^{k-1} \dots 2^{k-1}-1` (``narrow``
    leaves out the lowest, as eq. 7 does). Unsigned: :math:`\sigma = r\,2^{-k}`, integers
    :math:`0 \dots 2^k-1`. Halves round up.

    .. math:: \partial q / \partial x = 1_{lowest \le x / \sigma \le highest}

    ``gradient`` (such as :func:`scaled_gradient` with its bits) then quantizes the gradient.

    Raises:
        CUNetError: bits outside 2..16, or r is no power of two.

    Example:
        >>> linear(np.float32([-3.0, 0.3, 0.9]), bits=3).numpy()
        array([-1.  ,  0.25,  0.75], dtype=float32)
    """
    low, high = limits(bits, r, signed, narrow)
    if on_tensorflow():
        rounded, passed = _fused(low, high, bits, narrow and signed)
    else:
        rounded, passed = _grid(low, high, bits, r, signed)

    @custom_gradient
    def quantize(full: Tensor) -> tuple[Tensor, Backward]:
        def grad(dy: Tensor) -> Tensor:
            dx = passed(dy, full)
            return dx if gradient is None else gradient(dx)

        return rounded(full), grad

    return _in_float32(x, quantize)


def _fused(low: float, high: float, bits: int, narrow: bool) -> tuple[Callable, Callable]:
    """TensorFlow's own operations: values on a grid, and the gradient within its limits."""
    quantization = tensorflow().quantization
    options = {"min": low, "max": high, "num_bits": bits, "narrow_range": narrow}
    return (lambda x: quantization.fake_quant_with_min_max_args(x, **options),
            lambda dy, x: quantization.fake_quant_with_min_max_args_gradient(dy, x, **options))  # fmt: skip


def _grid(low: float, high: float, bits: int, r: float, signed: bool) -> tuple[Callable, Callable]:
    """The same by any backend's operations, in their order."""
    step = r * 2.0 ** ((1 if signed else 0) - bits)
    return (lambda x: ops.floor((ops.clip(x, low, high) - low) / step + 0.5) * step + low,
            lambda dy, x: dy * ops.cast(ops.logical_and(x >= low, x <= high), dy.dtype))  # fmt: skip


def scaled_gradient(g: Tensor, bits: int, stochastic: bool = True) -> Tensor:
    r"""k-bit gradient that keeps its scale (WAGE's, with the scale multiplied back).

    .. math:: s \cdot \mathrm{clip}(\sigma\,\mathrm{round}(g / (s \sigma)), -1+\sigma, 1-\sigma), \quad
       s = 2^{\mathrm{round}(\log_2 \max|g|)}, \quad \sigma = 2^{1-k}

    WAGE drops s because its network has no branches; with concatenations, batch normalisation
    and several heads s must stay. ``stochastic`` rounds up with the probability of the
    fraction and keeps the mean: a trained network's gradients are mostly smaller than a
    step, and rounding them to nearest loses what they add up to. The random numbers
    depend on the gradient alone, so equal runs stay equal. Has no gradient itself.

    Raises:
        CUNetError: Keras runs on another backend than TensorFlow.

    Example:
        >>> scaled_gradient(np.float32([0.9, 0.3, -0.05]), bits=3, stochastic=False).numpy()
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    limits(bits, 1.0, signed=True)
    tf = tensorflow(GRADIENTS)
    g = tf.convert_to_tensor(g)
    full = tf.cast(g, tf.float32)
    high, low, batch = _whole_batch(full)
    tiny = 2.0**-100  # below it 1/s would overflow; a gradient this small is none
    log2 = tf.math.log(tf.maximum(tf.maximum(high, -low), tiny)) / math.log(2.0)
    power = tf.round(log2)
    s = tf.pow(2.0, power)
    step = s * 2.0 ** (1 - bits)  # no number where the gradient is none, as the noise's bits cannot be
    end = s - step
    if stochastic:
        seed = tf.bitcast(tf.stack([high, low]), tf.int32)
        noise = noise_bits(tf.shape(full), seed, len(full.shape), tf.cast(power, tf.int32) + 1 - bits, batch)
        quantized = compiled_dither()(full, noise, step, end)
    else:
        quantized = tf.quantization.fake_quant_with_min_max_vars(full, -end, end, bits, narrow_range=True)
    return tf.cast(quantized, g.dtype)


def _whole_batch(full: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor] | None]:
    """Highest and lowest value over all replicas; where this one's pictures begin, and how many all have together."""
    tf = tensorflow(GRADIENTS)
    high, low = tf.reduce_max(full), tf.reduce_min(full)
    if replicas.count() == 1:
        return high, low, None
    sizes = tf.cast(tf.shape(full)[0], tf.float32)
    rows = replicas.gathered(tf.stack([high, low, sizes]))
    each = tf.cast(rows[:, 2], tf.int32)
    own = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.reduce_max(rows[:, 0]), tf.reduce_min(rows[:, 1]), (tf.reduce_sum(each[:own]), tf.reduce_sum(each))


def quantized_gradient(x: Tensor, bits: int, stochastic: bool = True) -> Tensor:
    """The identity, whose gradient passes through :func:`scaled_gradient`."""

    @custom_gradient
    def identity(value: Tensor) -> tuple[Tensor, Backward]:
        return tensorflow(GRADIENTS).identity(value), lambda dy: scaled_gradient(dy, bits, stochastic)

    return identity(x)


def _signs(full: Tensor) -> Tensor:
    return ops.where(full >= 0.0, ops.ones_like(full), -ops.ones_like(full))


def _straight_through(w: Tensor, values: Callable, everywhere: bool = False) -> Tensor:
    @custom_gradient
    def quantize(full: Tensor) -> tuple[Tensor, Backward]:
        def grad(dy: Tensor) -> Tensor:
            return dy if everywhere else dy * ops.cast(ops.abs(full) <= 1.0, dy.dtype)

        return values(full), grad

    return _in_float32(w, quantize)


def _in_float32(tensor: Tensor, function: Callable) -> Tensor:
    tensor = ops.convert_to_tensor(tensor)
    return ops.cast(function(ops.cast(tensor, "float32")), tensor.dtype)
