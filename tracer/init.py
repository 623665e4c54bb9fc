"""Initial values of parameters: arrays drawn from a seeded generator, scaled by the fans of the shape.

A weight is (out, in), a convolution's (out, in, *kernel), as in `tr.nn`. Each function takes `rng`: a
`numpy.random.Generator`, an integer seed, or None for the next random seed of `tr.manual_seed`. The numbers do not
depend on the dtype: float32 weights are the float64 ones, rounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ops.primitive import Array
from ops.random import next_seed

Mode = Literal["fan_in", "fan_out", "average"]


def generator(rng: Any = None) -> np.random.Generator:
    """The generator that `rng` means: itself, one started from an integer, or for None the next of `tr.manual_seed`.

    >>> import tracer as tr
    >>> tr.manual_seed(0)
    >>> first = tr.init.normal((2, 3))
    >>> tr.manual_seed(0)
    >>> bool((tr.init.normal((2, 3)) == first).all())
    True
    """
    if isinstance(rng, np.random.Generator):
        return rng
    return np.random.default_rng(next_seed() if rng is None else rng)


def zeros(shape: Any, *, dtype: Any = np.float64) -> Array:
    """All zeros: right for biases; for weights it leaves all units of a layer alike."""
    return np.zeros(shape, dtype=dtype)


def constant(shape: Any, value: float, *, dtype: Any = np.float64) -> Array:
    """The same number everywhere.

    >>> constant((2, 2), 0.5)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    return np.full(shape, value, dtype=dtype)


def normal(
    shape: Any, *, mean: float = 0.0, std: float = 1.0, rng: Any = None, dtype: Any = np.float64
) -> Array:
    """Independent normal numbers, N(mean, std²)."""
    return generator(rng).normal(mean, std, size=shape).astype(dtype)


def uniform(
    shape: Any, *, low: float = 0.0, high: float = 1.0, rng: Any = None, dtype: Any = np.float64
) -> Array:
    """Independent numbers between low and high, each equally likely."""
    return generator(rng).uniform(low, high, size=shape).astype(dtype)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """How many inputs one output of such a weight reads, and how many outputs one input reaches.

    shape: (out, in) or (out, in, *kernel). Raises `ValueError` for fewer than two axes.

    >>> fans((10, 3)), fans((16, 3, 5, 5))
    ((3, 10), (75, 400))
    """
    itself = getattr(shape, "shape", ())
    if len(itself) > 1:
        raise ValueError(
            f"a shape is given, not the weight itself, which has shape {itself}\n"
            f"  try: weight.set(tr.init.xavier_uniform(weight.shape))"
        )
    if len(shape) < 2:
        raise ValueError(
            f"a weight of shape {tuple(shape)} has no fans: it needs the axes (out, in) or (out, in, *kernel)\n"
            f"  try: tr.init.uniform or tr.init.normal with a spread of your own"
        )
    out, into, *kernel = shape
    window = math.prod(kernel)
    return into * window, out * window


_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, slope: float = 0.01) -> float:
    """By how much the spread of weights must exceed 1/√fan for an activation to keep it (PyTorch's table).

    slope: that of leaky_relu on the negative side, whose gain is √(2 / (1 + slope²)).
    Raises `ValueError` for an activation that is not in the table.

    >>> calculate_gain("relu") == 2**0.5, calculate_gain("leaky_relu", 1.0)
    (True, 1.0)
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(
            f"no gain is known for {nonlinearity!r}\n  try: one of {', '.join((*_GAINS, 'leaky_relu'))}"
        )
    return _GAINS[nonlinearity]


def xavier_normal(
    shape: Sequence[int],
    *,
    gain: float = 1.0,
    mode: Mode = "average",
    rng: Any = None,
    dtype: Any = np.float64,
) -> Array:
    """Normal numbers with std = gain · √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    mode="fan_in" is the form of the Berkeley deck, N(0, 1)/√fan_in.

    >>> weight = xavier_normal((300, 500), rng=0)
    >>> round(float(weight.std()), 3), round((2 / 800) ** 0.5, 3)
    (0.05, 0.05)
    """
    return normal(shape, std=gain / math.sqrt(_fan(shape, mode)), rng=rng, dtype=dtype)


def xavier_uniform(
    shape: Sequence[int],
    *,
    gain: float = 1.0,
    mode: Mode = "average",
    rng: Any = None,
    dtype: Any = np.float64,
) -> Array:
    """Uniform numbers of the std of `xavier_normal`: between ±gain · √(6 / (fan_in + fan_out))."""
    return _uniform_of_std(shape, gain / math.sqrt(_fan(shape, mode)), rng, dtype)


def kaiming_normal(
    shape: Sequence[int],
    *,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    rng: Any = None,
    dtype: Any = np.float64,
) -> Array:
    """Normal numbers with std = gain / √fan (He et al. 2015): √(2 / fan_in) for ReLU.

    a: the slope of leaky_relu on the negative side; 0 is ReLU.
    """
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan(shape, mode))
    return normal(shape, std=std, rng=rng, dtype=dtype)


def kaiming_uniform(
    shape: Sequence[int],
    *,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    rng: Any = None,
    dtype: Any = np.float64,
) -> Array:
    """Uniform numbers of the std of `kaiming_normal`: between ±gain · √(3 / fan).

    With a = √5 the bound is 1/√fan_in: the default of PyTorch's layers, and of ours.
    """
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan(shape, mode))
    return _uniform_of_std(shape, std, rng, dtype)


he_normal = kaiming_normal
"""Another name of `kaiming_normal`."""

he_uniform = kaiming_uniform
"""Another name of `kaiming_uniform`."""


def orthogonal(
    shape: Sequence[int], *, gain: float = 1.0, rng: Any = None, dtype: Any = np.float64
) -> Array:
    """A weight whose rows, or columns if they are fewer, are orthogonal and of length `gain` (Saxe et al. 2013).

    The axes behind the first count as one. The Q of a QR decomposition of normal numbers, its signs made R's, so that
    every orthogonal matrix is equally likely. Raises `ValueError` for fewer than two axes.

    >>> w = orthogonal((2, 3), rng=0)
    >>> bool(np.allclose(w @ w.T, np.eye(2)))
    True
    """
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    draw = generator(rng).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draw)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


def _fan(shape: Sequence[int], mode: Mode) -> float:
    """The fan that a mode names, at least 1, so that an empty weight divides by nothing."""
    into, out = fans(shape)
    named = {"fan_in": into, "fan_out": out, "average": (into + out) / 2}
    if mode not in named:
        raise ValueError(f"no fan is called {mode!r}\n  try: one of {', '.join(named)}")
    return max(named[mode], 1)


def _uniform_of_std(shape: Sequence[int], std: float, rng: Any, dtype: Any) -> Array:
    bound = math.sqrt(3) * std
    return uniform(shape, low=-bound, high=bound, rng=rng, dtype=dtype)
