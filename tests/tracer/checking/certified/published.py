"""The published set: functions whose derivatives are known to fifty digits, on which certified numbers are measured.

Each is written once, for numpy and for mpmath alike: `m` is the library, `x` the point. The first 24 are those of the
study with which the method began; the others are harder on purpose, or are what networks are made of. The truth is
mpmath's derivative at 50 digits of the very function, constants rounded to float64 as numpy has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import mpmath
import numpy as np
from scipy import special

Number = Any
"""A float, or an mpmath number."""


class Function(NamedTuple):
    """A function R -> R, and the interval from which its points are drawn."""

    name: str
    of: Callable[[Any, Number], Number]
    low: float
    high: float
    rough: bool = False
    """Whether float64 knows f, or x, to so few digits only that its derivative cannot have thirteen."""

    def numeric(self, x: float) -> float:
        """f(x) in float64."""
        with np.errstate(all="ignore"):
            return float(self.of(NUMPY, x))

    def slope(self, x: float) -> Any:
        """f'(x) by mpmath, right to 40 digits and more."""
        with mpmath.workdps(50):
            return mpmath.diff(lambda t: self.of(EXACT, t), mpmath.mpf(x))


def _same_names(source: Any, names: str) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names.split()}


NAMES = "sin cos tan exp log log1p expm1 tanh sinh cosh sqrt"
NUMPY = SimpleNamespace(
    **_same_names(np, NAMES),
    arctan=np.arctan,
    arcsin=np.arcsin,
    arcsinh=np.arcsinh,
    erf=special.erf,
    erfc=special.erfc,
    lgamma=special.gammaln,
    bessel=special.j0,
    digamma=special.digamma,
    airy=lambda x: special.airy(x)[0],
    single=np.float32,
)
EXACT = SimpleNamespace(
    **_same_names(mpmath, NAMES),
    arctan=mpmath.atan,
    arcsin=mpmath.asin,
    arcsinh=mpmath.asinh,
    erf=mpmath.erf,
    erfc=mpmath.erfc,
    lgamma=mpmath.loggamma,
    bessel=lambda x: mpmath.besselj(0, x),
    digamma=lambda x: mpmath.digamma(x),
    airy=mpmath.airyai,
    single=lambda x: x,
)

OTHERS = (1.5, -0.2, 0.9)
"""The other elements of a batch, the other logits."""


def sigmoid(m: Any, x: Number) -> Number:
    """1 / (1 + e⁻ˣ)."""
    return 1 / (1 + m.exp(-x))


def normalised(m: Any, batch: list[Number]) -> Number:
    """The first element of a batch, normalised."""
    mean = sum(batch) / len(batch)
    var = sum((b - mean) ** 2 for b in batch) / len(batch)
    return (batch[0] - mean) / m.sqrt(var + 1e-5)


def rnn(steps: int, gain: float = 0.9) -> Callable[[Any, Number], Number]:
    """A tanh RNN of one unit over so many steps, with x in every step; the square of its last state."""

    def run(m: Any, x: Number) -> Number:
        h = 0.1 * x
        for t in range(steps):
            h = m.tanh(gain * h + 0.5 * x * (t % 3 - 1) + 0.2)
        return h * h

    return run


def gated(m: Any, x: Number) -> Number:
    """The cell of an LSTM of one unit after three steps, all its gates fed by x."""
    h, c = 0.1, 0.2
    for k in range(3):
        i, f, o = (sigmoid(m, x * w + h * 0.5 + b) for w, b in ((0.7, 0.1), (-0.4, 1.0), (0.3, -k)))
        c = f * c + i * m.tanh(1.1 * x - 0.3 * h)
        h = o * m.tanh(c)
    return h


def horner(m: Any, x: Number) -> Number:
    """(x − 1)⁷ multiplied out, which cancels near 1."""
    total = 0.0 * x
    for c in (1, -7, 21, -35, 35, -21, 7, -1):
        total = total * x + c
    return total


def mlp(m: Any, x: Number) -> Number:
    """A network 1-3-1 and its squared error."""
    hidden = (m.tanh(w * x + b) for w, b in ((1.3, 0.2), (-0.7, 0.5), (2.1, -1.0)))
    y = sum(v * h for v, h in zip((0.8, -1.1, 0.4), hidden, strict=True))
    return (y - 0.3) ** 2


def attention(m: Any, x: Number) -> Number:
    """Dot-product attention of a query x over three keys, their values mixed."""
    weights = [m.exp(x * key) for key in (0.4, -1.2, 0.9)]
    return sum(w * v for w, v in zip(weights, OTHERS, strict=True)) / sum(weights)


PROTOTYPE = (
    Function("sin", lambda m, x: m.sin(x), -3, 3),
    Function("exp", lambda m, x: m.exp(x), -3, 3),
    Function("log", lambda m, x: m.log(x), 0.05, 5),
    Function("tanh", lambda m, x: m.tanh(x), -3, 3),
    Function("sigmoid", sigmoid, -6, 6),
    Function("softplus", lambda m, x: m.log(1 + m.exp(x)), -6, 6),
    Function("gelu", lambda m, x: x * (1 + m.erf(x / math.sqrt(2))) / 2, -3, 3),
    Function("sqrt", lambda m, x: m.sqrt(x), 0.05, 5),
    Function("cube", lambda m, x: x**3, -3, 3),
    Function("reciprocal", lambda m, x: 1 / x, 0.1, 3),
    Function("x to the x", lambda m, x: m.exp(x * m.log(x)), 0.1, 3),
    Function("gauss", lambda m, x: m.exp(-x * x), -3, 3),
    Function(
        "logsumexp of 3", lambda m, x: m.log(m.exp(x) + m.exp(0.3 * x) + m.exp(-1.2 * x)), -3, 3
    ),
    Function("softmax", lambda m, x: m.exp(x) / (m.exp(x) + m.exp(0.3 * x * x) + 1), -3, 3),
    Function("batch norm of 4", lambda m, x: normalised(m, [x, *OTHERS]), -3, 3),
    Function("arctan", lambda m, x: m.arctan(x), -3, 3),
    Function("erf", lambda m, x: m.erf(x), -3, 3),
    Function("lgamma", lambda m, x: m.lgamma(x), 0.2, 5),
    Function("Squire & Trapp", lambda m, x: m.exp(x) / (m.sin(x) ** 3 + m.cos(x) ** 3), 0.2, 1.4),
    Function("cos 50x", lambda m, x: m.cos(50 * x), -3, 3),
    Function("1e6 + sin", lambda m, x: 1e6 + m.sin(x), -3, 3, rough=True),
    Function("1e-9 sin", lambda m, x: 1e-9 * m.sin(x), -3, 3),
    Function("(x − 1)⁷ multiplied out", horner, -1, 3, rough=True),
    Function("rnn of 8 steps", rnn(8), -2, 2),
)
HARDER = (
    Function("cos 1000x", lambda m, x: m.cos(1000 * x), -3, 3),
    Function("sin x²", lambda m, x: m.sin(x * x), -6, 6),
    Function("sin 1/x", lambda m, x: m.sin(1 / x), 0.02, 1),
    Function(
        "offset cancelled",
        lambda m, x: (1e6 + m.sin(x)) - 1e6 + m.tanh(x),
        -3,
        3,
        rough=True,
    ),
    Function("far away", lambda m, x: m.sin(x), 1e6, 1e6 + 6, rough=True),
    Function("log near 0", lambda m, x: m.log(x), 1e-12, 1e-9),
    Function("sqrt near 0", lambda m, x: m.sqrt(x), 1e-10, 1e-4),
    Function("steep exp", lambda m, x: m.exp(20 * x), -3, 3),
    Function("Runge", lambda m, x: 1 / (1 + 2500 * x * x), -1, 1),
    Function("tiny scale", lambda m, x: 1e-200 * m.tanh(3 * x), -2, 2),
    Function("huge scale", lambda m, x: 1e200 * sigmoid(m, x), -4, 4),
    Function("tan near its pole", lambda m, x: m.tan(x), 1.4, 1.56),
    Function("arcsin near its edge", lambda m, x: m.arcsin(x), 0.9, 0.99999),
    Function("arcsinh", lambda m, x: m.arcsinh(x), -5, 5),
    Function("tail of erfc", lambda m, x: m.erfc(x), 1, 6),
    Function("log of the tail of erfc", lambda m, x: m.log(m.erfc(x)), 1, 5),
    Function("digamma", lambda m, x: m.digamma(x), 0.3, 6),
    Function("Bessel J0", lambda m, x: m.bessel(x), 0.1, 12),
    Function("Airy", lambda m, x: m.airy(x), -8, 3),
    Function("x log x", lambda m, x: x * m.log(x), 1e-3, 5),
    Function("entropy", lambda m, x: -x * m.log(x) - (1 - x) * m.log1p(-x), 0.01, 0.99),
    Function("cross-entropy of a logit", lambda m, x: m.log1p(m.exp(-x)) + 0.3 * x, -8, 8),
    Function(
        "gelu by tanh", lambda m, x: x * (1 + m.tanh(0.79788456 * (x + 0.044715 * x**3))) / 2, -3, 3
    ),
    Function("silu", lambda m, x: x * sigmoid(m, x), -6, 6),
    Function("mish", lambda m, x: x * m.tanh(m.log1p(m.exp(x))), -5, 5),
    Function("expm1 over x", lambda m, x: m.expm1(x) / x, 0.01, 3),
    Function(
        "softmax of large logits", lambda m, x: 1 / (1 + m.exp(30 - x) + m.exp(29.5 - x)), 25, 35
    ),
    Function(
        "logsumexp that is nearly a max", lambda m, x: m.log(m.exp(20 * x) + m.exp(3)) / 20, -1, 1
    ),
    Function("softmax with temperature 0.01", lambda m, x: sigmoid(m, 100 * (x - 0.3)), 0.2, 0.4),
    Function(
        "batch norm of 8 almost equal",
        lambda m, x: normalised(m, [x, 1.001, 0.999, 1.0005, 0.9993, 1.0002, 1.0, 0.9998]),
        0.998,
        1.002,
    ),
    Function(
        "batch norm far from 0", lambda m, x: normalised(m, [100 + x, 101.5, 99.8, 100.9]), -1, 1
    ),
    Function(
        "layer norm, then softmax",
        lambda m, x: sigmoid(m, 3 * normalised(m, [x, *OTHERS, 2.0])),
        -3,
        3,
    ),
    Function("rnn of 2 steps", rnn(2), -2, 2),
    Function("rnn of 30 steps", rnn(30), -2, 2),
    Function("rnn of 20 steps that explodes", rnn(20, gain=2.5), -0.5, 0.5),
    Function("lstm of 3 steps", gated, -3, 3),
    Function("network 1-3-1", mlp, -3, 3),
    Function("attention", attention, -3, 3),
    Function("tanh that saturates", lambda m, x: m.tanh(5 * x), 1, 3),
    Function("product of tanh", lambda m, x: m.tanh(x) * m.tanh(2 * x) * m.tanh(3 * x), 0.1, 2),
    Function(
        "composition five deep", lambda m, x: m.sin(m.exp(m.cos(m.tanh(m.sqrt(1 + x * x))))), -3, 3
    ),
    Function(
        "a narrow bump on a line", lambda m, x: x + m.exp(-(((x - 0.5) / 0.01) ** 2)), 0.4, 0.6
    ),
    Function(
        "a small fast wave on a slow one", lambda m, x: m.sin(x) + 1e-6 * m.sin(1000 * x), -3, 3
    ),
    Function(
        "the difference of two logs", lambda m, x: m.log(1e4 + x) - m.log(1e4), -3, 3, rough=True
    ),
    Function("computed in float32", lambda m, x: m.tanh(m.single(x)), -2, 2, rough=True),
    Function(
        "a float32 sum",
        lambda m, x: m.sin(m.single(x)) + m.single(x) * m.single(0.5),
        -2,
        2,
        rough=True,
    ),
)
FUNCTIONS = (*PROTOTYPE, *HARDER)
