"""Functions with a wrong backward pass, and some with a right one, to be shown to several checkers of gradients.

Each is written once, over a module of array functions, so that numpy, JAX and autograd run the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
"""An array of the library that runs the function."""


@dataclass(frozen=True)
class Shown:
    """A function of one array, and a backward pass that its author believes in.

    forward: (module, x) to the output. backward: (module, x, g) to what is claimed for x; numpy or jax.numpy is the
    module. right: whether the backward pass is right, so that a complaint is a false alarm.
    """

    name: str
    forward: Callable[[Any, Array], Array]
    backward: Callable[[Any, Array, Array], Array]
    x: np.ndarray
    right: bool = False
    large: bool = False
    """Whether a full Jacobian is too large to be asked for."""

    @property
    def diagonal(self) -> bool:
        """Whether the backward pass, given a tangent, is also what a forward rule would claim."""
        return self.forward in (sine, tanh, relu, fast_cosine) and self.backward is not transposed


def normal(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    """Standard normal numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def sine(m: Any, x: Array) -> Array:
    """sin x, of which most wrong gradients here are."""
    return m.sin(x)


def tanh(m: Any, x: Array) -> Array:
    """tanh x."""
    return m.tanh(x)


def tanh_backward(m: Any, x: Array, g: Array) -> Array:
    """g (1 − tanh² x)."""
    return g * (1 - m.tanh(x) ** 2)


def relu(m: Any, x: Array) -> Array:
    """max(x, 0)."""
    return m.maximum(x, 0.0)


def fast_cosine(m: Any, x: Array) -> Array:
    """cos 1,000 x."""
    return m.cos(1000 * x)


def fast_cosine_backward(m: Any, x: Array, g: Array) -> Array:
    """−1,000 g sin 1,000 x."""
    return -1000 * g * m.sin(1000 * x)


def scaled(factor: float) -> Callable[[Any, Array, Array], Array]:
    """The gradient of sin x, times a factor."""
    return lambda m, x, g: g * m.cos(x) * np.asarray(factor, x.dtype)


def one_flipped(m: Any, x: Array, g: Array) -> Array:
    """The gradient of sin x with the sign of its first element flipped."""
    signs = np.ones(x.shape, x.dtype)
    signs.flat[0] = -1
    return g * m.cos(x) * signs


def transposed(m: Any, x: Array, g: Array) -> Array:
    """The gradient of sin x, transposed. x: (n, n)."""
    return (g * m.cos(x)).T


# ----- batch normalisation over axis 0, in one piece

EPS = 1e-5


def normalised(m: Any, x: Array) -> Array:
    """(x − μ) / √(σ² + ε) over a batch. x: (batch, features)."""
    return (x - x.mean(0)) / m.sqrt(x.var(0) + EPS)


def normalised_loss(m: Any, x: Array) -> Array:
    """The sum of a normalised batch, which is 0 for every x."""
    return normalised(m, x).sum()


def batch_norm_backward(
    *, variance: bool = True, mean: bool = True, per_batch: bool = True
) -> Callable[[Any, Array, Array], Array]:
    """∂L/∂x = (g − mean g − x̂ · mean(g x̂)) / √(σ² + ε), with a term left out, or with 1/m left out of both."""

    def backward(m: Any, x: Array, g: Array) -> Array:
        std, hat = m.sqrt(x.var(0) + EPS), normalised(m, x)
        size = 1 if per_batch else x.shape[0]
        g = g + 0 * hat  # of a single number
        dx = g
        if mean:
            dx = dx - g.mean(0) * size
        if variance:
            dx = dx - hat * (g * hat).mean(0) * size
        return dx / std

    return backward


def softmax(m: Any, x: Array) -> Array:
    """The softmax of each row."""
    shifted = m.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def softmax_backward(m: Any, x: Array, g: Array) -> Array:
    """s (g − Σ g s)."""
    s = softmax(m, x)
    return s * (g - (g * s).sum(-1, keepdims=True))


def softmax_diagonal(m: Any, x: Array, g: Array) -> Array:
    """The Jacobian of softmax taken as diagonal: s (1 − s)."""
    s = softmax(m, x)
    return g * s * (1 - s)


def unstable_row(m: Any, x: Array, g: Array) -> Array:
    """The gradient of softmax, but for its last row, in which the sum is left out."""
    s = softmax(m, x)
    last = np.zeros((x.shape[0], 1), x.dtype)
    last[-1] = 1
    return s * (g - (1 - last) * (g * s).sum(-1, keepdims=True))


WRONG: Sequence[Shown] = (
    Shown("sin, gradient × 1.0009", sine, scaled(1.0009), normal(30, 30)),
    Shown("sin, gradient × 1.00001", sine, scaled(1.00001), normal(5, 5)),
    Shown("10⁻⁶ x, gradient 0", lambda m, x: x * 1e-6, lambda m, x, g: g * 0, normal(30, 30)),
    Shown(
        "10⁻⁷ sin, sign flipped",
        lambda m, x: m.sin(x) * 1e-7,
        lambda m, x, g: -g * m.cos(x) * 1e-7,
        normal(5, 5),
    ),
    Shown(
        "a mean over 200,000, gradient × 2",
        lambda m, x: m.sin(x) / 2e5,
        lambda m, x, g: g * m.cos(x) / 1e5,
        normal(10, 10),
    ),
    Shown("one sign of 900 flipped", sine, one_flipped, normal(30, 30)),
    Shown("one sign of 10,000 flipped", sine, one_flipped, normal(100, 100), large=True),
    Shown("transposed", sine, transposed, normal(12, 12)),
    Shown("float32, 1,000 elements, gradient 0", sine, scaled(0.0), normal(1000, dtype="float32")),
    Shown("float32, 1,000 elements, × 1.1", sine, scaled(1.1), normal(1000, dtype="float32")),
    Shown("100,000 elements, gradient 0", sine, scaled(0.0), normal(100_000), large=True),
    Shown("backward ignores g", sine, lambda m, x, g: m.cos(x) + 0 * g, normal(4, 4)),
    Shown("relu at 0, slope 1.7", relu, lambda m, x, g: 1.7 * g, np.zeros(3)),
    Shown("BatchNorm, no path via σ²", normalised, batch_norm_backward(variance=False), normal(8, 5)),
    Shown("BatchNorm, no path via μ", normalised, batch_norm_backward(mean=False), normal(8, 5)),
    Shown("BatchNorm, 1/m forgotten", normalised, batch_norm_backward(per_batch=False), normal(8, 5)),
    Shown(
        "sum(BatchNorm(x)), no path via σ²",
        normalised_loss,
        batch_norm_backward(variance=False),
        normal(8, 5),
    ),
    Shown("softmax, Jacobian diagonal", softmax, softmax_diagonal, normal(4, 6)),
    Shown("softmax, one row without its sum", softmax, unstable_row, normal(64, 6)),
)  # fmt: skip
"""Wrong gradients: the case, and the numbers at which it is shown."""

RIGHT: Sequence[Shown] = (
    Shown("sin", sine, scaled(1.0), normal(12, 12), right=True),
    Shown("10⁶ + sin", lambda m, x: m.sin(x) + 1e6, scaled(1.0), normal(4, 4), right=True),
    Shown("cos 1,000 x", fast_cosine, fast_cosine_backward, normal(5), right=True),
    Shown("sin at 10⁷", sine, scaled(1.0), 1e7 + normal(4), right=True),
    Shown("x³ at 10⁻⁴", lambda m, x: x**3, lambda m, x, g: 3 * g * x**2, normal(5) * 1e-4, right=True),
    Shown("√x at 10⁻⁷", lambda m, x: m.sqrt(x), lambda m, x, g: g / (2 * m.sqrt(x)), np.array([1e-7, 1.0]), right=True),
    Shown("relu at 0, slope 0", relu, lambda m, x, g: g * (x > 0), np.array([0.0, 1.0]), right=True),
    Shown("abs(x) near 0", lambda m, x: abs(x), lambda m, x, g: g * m.sign(x), np.array([1e-7, -1e-7]), right=True),
    Shown("float32 tanh", tanh, tanh_backward, normal(8, 8, dtype="float32"), right=True),
    Shown("float32 BatchNorm", normalised, batch_norm_backward(), normal(8, 5, dtype="float32"), right=True),
    Shown("BatchNorm", normalised, batch_norm_backward(), normal(8, 5), right=True),
    Shown("sum(BatchNorm(x))", normalised_loss, batch_norm_backward(), normal(8, 5), right=True),
    Shown("softmax", softmax, softmax_backward, normal(4, 6), right=True),
)  # fmt: skip
"""Right gradients at which checkers have been seen to complain."""
