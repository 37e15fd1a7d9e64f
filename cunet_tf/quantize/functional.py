r"""Quantizers as functions of tensors, each with the gradient that training sees.

Every function keeps the shape and the type of its tensor; the arithmetic is float32.
``x`` stands for features ``[B, H, W, C]``, ``w`` for a kernel ``[kh, kw, cin, filters]`` (any
shape whose last axis counts the filters), ``g`` for a gradient.
"""

import math
from collections.abc import Callable
from typing import Any

from cunet_tf.backend import custom_gradient, tensorflow
from cunet_tf.errors import CUNetError

TERNARY_THRESHOLD = 0.7  # of mean |w| (TWN)
MIN_BITS, MAX_BITS = 2, 16  # of features and gradients
KERNEL_BITS = range(2, 9)  # of uniform kernels
# Steps that lose least of a normal distribution of variance 1, for 2 to 8 bits; where the search for a filter's begins.
NORMAL_STEPS = dict(zip(KERNEL_BITS, (1.224, 0.651, 0.353, 0.193, 0.105, 0.057, 0.031), strict=True))
STARTS = (0.6, 0.8, 1.0, 1.25, 1.6, 2.0)  # multiples of them: filters are less or more heavy-tailed
REFINEMENTS = 4


def binary(w: Any, alpha: bool = False) -> Any:
    r"""Binary kernel (paper, eq. 5; XNOR-Net).

    .. math:: q(w) = \alpha\,\mathrm{sign}(w), \quad \mathrm{sign}(0) = +1, \quad
       \alpha = \operatorname{mean}_{kh, kw, cin}|w| \text{ per filter, or } 1
    .. math:: \partial q / \partial w = 1_{|w| \le 1} \quad \text{(straight through)}

    Example:
        >>> binary(np.float32([[0.5], [-0.1], [0.0]]), alpha=True).numpy().ravel()
        array([ 0.2, -0.2,  0.2], dtype=float32)
    """

    def values(full: Any) -> Any:
        tf = tensorflow()
        signs = tf.where(full >= 0.0, 1.0, -1.0)
        return signs * tf.cast(_mean(tf.abs(full)), tf.float32) if alpha else signs

    return _straight_through(w, values)


def ternary(w: Any, alpha: bool = False) -> Any:
    r"""Ternary kernel (paper, eq. 6, whose middle case should read 0; TWN).

    .. math:: q(w) = \alpha\,(1_{w > t} - 1_{w < -t}), \quad t = 0.7 \operatorname{mean}|w|, \quad
       \alpha = \operatorname{mean}_{|w| > t} |w| \text{ per filter, or } 1
    .. math:: \partial q / \partial w = 1_{|w| \le 1}

    Example:
        >>> ternary(np.float32([[0.6], [-0.1], [-0.2]]), alpha=True).numpy().ravel()
        array([0.6, 0. , 0. ], dtype=float32)
    """

    def values(full: Any) -> Any:
        tf = tensorflow()
        size = tf.abs(full)
        far = tf.cast(tf.cast(size, tf.float64) > TERNARY_THRESHOLD * _mean(size), tf.float32)
        signs = far * tf.where(full >= 0.0, 1.0, -1.0) + 0.0  # no negative zeros
        return signs * tf.cast(tf.math.divide_no_nan(_mean(size * far), _mean(far)), tf.float32) if alpha else signs

    return _straight_through(w, values)


def uniform(w: Any, bits: int) -> Any:
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
        array([ 3.01, -1.  ,  0.  ], dtype=float32)
    """

    def values(full: Any) -> Any:
        integers, step = uniform_integers(full, bits)
        return integers * step

    return _straight_through(w, values, everywhere=True)


def uniform_integers(w: Any, bits: int) -> tuple[Any, Any]:
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
    tf = tensorflow()
    w = tf.cast(w, tf.float32)
    axes = list(range(len(w.shape) - 1))
    limit = 2.0 ** (bits - 1) - 1.0

    def total(x: Any) -> Any:
        return tf.reduce_sum(x, axes, keepdims=True)

    def rounded(step: Any) -> Any:
        return tf.clip_by_value(tf.round(tf.math.divide_no_nan(w, step)), -limit, limit)

    normal = NORMAL_STEPS[bits] * tf.sqrt(tf.reduce_mean(tf.square(w), axes, keepdims=True))
    steps = [start * normal for start in STARTS] + [tf.reduce_max(tf.abs(w), axes, keepdims=True) / limit]
    best_step, least = tf.zeros_like(normal), total(tf.square(w))
    size = tf.abs(w)
    smallest = tf.reduce_min(tf.where(size > 0.0, size, float("inf")), axes, keepdims=True)
    for index, step in enumerate([tf.where(tf.math.is_inf(smallest), 0.0, smallest), *steps]):
        for _ in range(REFINEMENTS if index else 0):
            q = rounded(step)
            step = tf.math.divide_no_nan(total(w * q), total(q * q))
        error = total(tf.square(w - step * rounded(step)))
        best_step, least = tf.where(error < least, step, best_step), tf.minimum(error, least)
    return rounded(best_step), best_step


def require_kernel_bits(bits: int) -> None:
    """Refuse widths that :func:`uniform` has not.

    Raises:
        CUNetError: bits outside 2..8.
    """
    if bits not in KERNEL_BITS:
        raise CUNetError(f"{bits!r} bits for kernels: give an integer from {KERNEL_BITS[0]} to {KERNEL_BITS[-1]}.")


def center(w: Any) -> Any:
    r"""Mean-centring over the input channels (XNOR-Net), before :func:`binary` or :func:`ternary`.

    .. math:: w - \operatorname{mean}_{cin} w, \quad \text{differentiated as it stands}

    Example:
        >>> center(np.float32([[[[1.0], [3.0]]]])).numpy().ravel()
        array([-1.,  1.], dtype=float32)
    """
    tf = tensorflow()
    w = tf.convert_to_tensor(w)
    return w - tf.reduce_mean(w, axis=-2, keepdims=True)


def linear(
    x: Any, bits: int, r: float = 1.0, signed: bool = True, narrow: bool = False, gradient: Callable | None = None
) -> Any:
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
    options = {"min": low, "max": high, "num_bits": bits, "narrow_range": narrow and signed}

    @custom_gradient
    def quantize(full: Any) -> tuple[Any, Callable]:
        quantization = tensorflow().quantization

        def grad(dy: Any) -> Any:
            dx = quantization.fake_quant_with_min_max_args_gradient(dy, full, **options)
            return dx if gradient is None else gradient(dx)

        return quantization.fake_quant_with_min_max_args(full, **options), grad

    return _in_float32(x, quantize)


def limits(bits: int, r: float, signed: bool, narrow: bool = False) -> tuple[float, float]:
    """Lowest and highest value of :func:`linear`'s grid.

    Example:
        >>> limits(8, 2.0, signed=True)
        (-2.0, 1.984375)
    """
    if not isinstance(bits, int) or not MIN_BITS <= bits <= MAX_BITS:
        raise CUNetError(f"{bits!r} bits for features or gradients: give an integer from {MIN_BITS} to {MAX_BITS}.")
    if r <= 0 or math.frexp(r)[0] != 0.5:
        raise CUNetError(f"range r={r}: give a power of two, such as 0.5, 1, 2 or 4.")
    if not signed:
        return 0.0, r * (1.0 - 2.0**-bits)
    high = r * (1.0 - 2.0 ** (1 - bits))
    return (-high if narrow else -r), high


def scaled_gradient(g: Any, bits: int, stochastic: bool = True) -> Any:
    r"""k-bit gradient that keeps its scale (WAGE's, with the scale multiplied back).

    .. math:: s \cdot \mathrm{clip}(\sigma\,\mathrm{round}(g / (s \sigma)), -1+\sigma, 1-\sigma), \quad
       s = 2^{\mathrm{round}(\log_2 \max|g|)}, \quad \sigma = 2^{1-k}

    WAGE drops s because its network has no branches; with concatenations, batch normalisation
    and several heads s must stay. ``stochastic`` rounds up with the probability of the
    fraction and keeps the mean: a trained network's gradients are mostly smaller than a
    step, and rounding them to nearest loses what they add up to. The random numbers
    depend on the gradient alone, so equal runs stay equal. Has no gradient itself.

    Example:
        >>> scaled_gradient(np.float32([0.9, 0.3, -0.05]), bits=3, stochastic=False).numpy()
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    limits(bits, 1.0, signed=True)
    tf = tensorflow()
    g = tf.convert_to_tensor(g)
    full = tf.cast(g, tf.float32)
    high, low = tf.reduce_max(full), tf.reduce_min(full)
    tiny = 2.0**-100  # below it 1/s would overflow; a gradient this small is none
    log2 = tf.math.log(tf.maximum(tf.maximum(high, -low), tiny)) / math.log(2.0)
    s = tf.pow(2.0, tf.round(log2))
    if stochastic:
        noise = rounding_noise(tf.shape(full), tf.bitcast(tf.stack([high, low]), tf.int32), len(full.shape))
        full += noise * (s * 2.0 ** (1 - bits))
    end = s * (1.0 - 2.0 ** (1 - bits))
    quantized = tf.quantization.fake_quant_with_min_max_vars(full, -end, end, bits, narrow_range=True)
    return tf.cast(quantized, g.dtype)


def rounding_noise(shape: Any, seed: Any, rank: int) -> Any:
    """Uniform in (-0.5, 0.5), for ``[B, H, W, C]`` or any shape of ``rank`` axes; any two entries are independent.

    One number for each column of a picture and one for each row of any picture are added modulo 1: of two entries one
    has a number that the other has not. So sums of rounded values, such as a kernel's gradient, have the variance
    that fresh numbers for every entry give; those would take longer than the convolution's own gradient.
    """
    tf = tensorflow()
    if rank < 3:
        return tf.random.stateless_uniform(shape, seed, -0.5, 0.5)
    columns = tf.random.stateless_uniform(tf.concat([shape[:1], [1], shape[2:]], 0), seed, -0.5, 0.5)
    rows = tf.random.stateless_uniform(tf.concat([[1], shape[1:2], [1], shape[3:]], 0), seed + 1, -0.5, 0.5)
    total = columns + (rows + 2.0**-24)  # between two of float32's random numbers: never half-way between integers
    return total - tf.round(total)


def quantized_gradient(x: Any, bits: int, stochastic: bool = True) -> Any:
    """The identity, whose gradient passes through :func:`scaled_gradient`."""

    @custom_gradient
    def identity(value: Any) -> tuple[Any, Callable]:
        return tensorflow().identity(value), lambda dy: scaled_gradient(dy, bits, stochastic)

    return identity(x)


def _straight_through(w: Any, values: Callable, everywhere: bool = False) -> Any:
    @custom_gradient
    def quantize(full: Any) -> tuple[Any, Callable]:
        tf = tensorflow()

        def grad(dy: Any) -> Any:
            return dy if everywhere else dy * tf.cast(tf.abs(full) <= 1.0, dy.dtype)

        return values(full), grad

    return _in_float32(w, quantize)


def _in_float32(tensor: Any, function: Callable) -> Any:
    tf = tensorflow()
    tensor = tf.convert_to_tensor(tensor)
    return tf.cast(function(tf.cast(tensor, tf.float32)), tensor.dtype)


def _mean(size: Any) -> Any:
    """Mean per filter, over all axes but the last, kept as broadcastable axes.

    In float64: there the mean of equal float32 values is that value, so a quantized kernel is
    a fixed point, and one restored from its signs and alpha is the same to the last bit.
    """
    tf = tensorflow()
    return tf.reduce_mean(tf.cast(size, tf.float64), axis=list(range(len(size.shape) - 1)), keepdims=True)
