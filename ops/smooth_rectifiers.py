"""Rectifiers without a hard corner: elu and its relatives, softplus and softsign."""

from __future__ import annotations

import numpy as np

from ops.activations import sigmoid
from ops.declaring import elementwise
from ops.elementwise import abs, exp, log1p, maximum, minimum, singles, square, where
from ops.exponentials import expm1
from ops.formula import call
from ops.primitive import Array, sample

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
"""The fixed point of mean 0 and variance 1: Klambauer et al. 2017, equation 14."""

# The exponentials are taken of min(x, 0): where x is large the branch is not chosen, but 0 · ∞ would be NaN in
# the second derivative.


@elementwise(
    vjps={
        "x": lambda g, out, x, *, alpha: where(x > 0, g, g * alpha * exp(minimum(x, 0))),
    },
    formula=call("elu", r"\operatorname{ELU}"),
    samples=lambda rng: [
        *singles(-800.0, -40.0, -1e-9, 0.0, 800.0)(rng),
        sample(np.array([-2.0, 0.0, 2.0]), alpha=0.5),
    ],
)
def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """x right of 0 and α (eˣ − 1) left of it, which saturates at −α (Clevert et al. 2016).

    Slope 1 or α eˣ. At x = 0, a kink unless α is 1, the rule returns α, as PyTorch does.
    """
    return where(x > 0, x, alpha * expm1(minimum(x, 0)))


@elementwise(
    vjps={"x": lambda g, out, x, *, alpha: where(x > 0, g, g * exp(minimum(x, 0) / alpha))},
    formula=call("celu", r"\operatorname{CELU}"),
    samples=lambda rng: [
        *singles(-800.0, -40.0, -1e-9, 0.0, 800.0)(rng),
        sample(np.array([-2.0, 0.5, 2.0]), alpha=0.5),
    ],
)
def celu(x: Array, *, alpha: float = 1.0) -> Array:
    """x right of 0 and α (e^(x/α) − 1) left of it: an elu of slope 1 at 0 for every α (Barron 2017).

    Raises `ValueError` for α = 0.
    """
    if alpha == 0:
        raise ValueError("alpha=0 divides by zero\n  try: relu, which celu approaches")
    return where(x > 0, x, alpha * expm1(minimum(x, 0) / alpha))


@elementwise(
    vjps={
        "x": lambda g, out, x: where(
            x > 0, g * SELU_SCALE, g * (SELU_SCALE * SELU_ALPHA) * exp(minimum(x, 0))
        ),
    },
    formula=call("selu", r"\operatorname{SELU}"),
    samples=singles(-800.0, -40.0, -1e-9, 0.0, 800.0),
)
def selu(x: Array) -> Array:
    """λ x right of 0 and λ α (eˣ − 1) left of it: keeps activations at mean 0, variance 1 (Klambauer et al. 2017).

    λ = 1.0507, α = 1.6733. At the kink, x = 0, the rule returns λ α, as PyTorch does.
    """
    return SELU_SCALE * where(x > 0, x, SELU_ALPHA * expm1(minimum(x, 0)))


@elementwise(
    vjps={"x": lambda g, out, x, *, beta: g * sigmoid(beta * x)},
    formula=call("softplus", r"\operatorname{softplus}"),
    samples=lambda rng: [
        *singles(-800.0, -40.0, 0.0, 40.0, 800.0)(rng),
        sample(np.array([-2.0, 0.0, 30.0]), beta=2.5),
    ],
)
def softplus(x: Array, *, beta: float = 1.0) -> Array:
    """log(1 + e^(βx)) / β, a smooth relu. Slope σ(βx): 0 far on the left, 1 far on the right.

    Exact in both tails: the threshold from which PyTorch returns x itself is not needed.
    Raises `ValueError` for β = 0.
    """
    if beta == 0:
        raise ValueError("beta=0 divides by zero")
    scaled = beta * x
    return (maximum(scaled, 0) + log1p(exp(-abs(scaled)))) / beta


@elementwise(
    vjps={"x": lambda g, out, x: g / square(1 + abs(x))},
    formula=call("softsign", r"\operatorname{softsign}"),
    samples=singles(-1e6, -1e-9, 0.0, 1e6),
)
def softsign(x: Array) -> Array:
    """x / (1 + |x|): like tanh, but it saturates slowly. Slope 1/(1 + |x|)²."""
    return x / (1 + abs(x))
