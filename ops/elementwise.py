"""Arithmetic, powers, logarithms, choices and comparisons: what works element by element, with broadcasting.

Rules take `g`, the cotangent of the result, and ignore broadcasting: the engine sums over the broadcast axes.
At a kink a rule returns a member of the subgradient, and the docstring says which.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ops.declaring import Samples, elementwise, primitive
from ops.formula import ADD, ATOM, COMPARE, MUL, NEG, POW, Formula, call, infix
from ops.primitive import NUMBERS, Array, sample


def pairs(*extra: tuple[Any, Any]) -> Samples:
    """Two inputs: equal shapes, a broadcast both ways, rank 0, a literal, empty; then the extra pairs."""

    def make(rng: np.random.Generator) -> list[Any]:
        def draw(*shape: int) -> Array:
            x = rng.normal(size=shape)
            return x + np.copysign(0.2, x)  # no divisor near 0

        return [
            (draw(3, 4), draw(3, 4)),
            (draw(2, 1, 3), draw(4, 1)),
            (np.float64(1.5), np.float64(0.7)),
            (draw(3), 2.0),
            (draw(0, 3), draw(3)),
            *extra,
        ]

    return make


def singles(*values: float, low: float = -3.0, high: float = 3.0) -> Samples:
    """One input: a matrix inside the domain, a rank-0 value, an empty one; then the chosen values (tails, the kink)."""

    def make(rng: np.random.Generator) -> list[Any]:
        return [
            (rng.uniform(low, high, size=(3, 4)),),
            (np.float64(rng.uniform(low, high)),),
            (np.empty((0, 2)),),
            *([(np.array(values),)] if values else []),
        ]

    return make


# ----- arithmetic


@elementwise(
    vjps={"x": lambda g, out, x, y: g, "y": lambda g, out, x, y: g},
    kernel=operator.add,
    formula=infix("+", "+", ADD, needs=(ADD, MUL)),
    samples=pairs(),
)
def add(x: Array, y: Array) -> Array:
    """Sum of two values. An add gate distributes: both inputs receive the whole cotangent."""


@elementwise(
    vjps={"x": lambda g, out, x, y: g, "y": lambda g, out, x, y: -g},
    kernel=operator.sub,
    formula=infix("−", "-", ADD, needs=(ADD, MUL)),
    samples=pairs(),
)
def sub(x: Array, y: Array) -> Array:
    """Difference of two values."""


@elementwise(
    vjps={"x": lambda g, out, x, y: g * y, "y": lambda g, out, x, y: g * x},
    kernel=operator.mul,
    formula=Formula(r"{x} · {y}", r"{x} \cdot {y}", MUL, (NEG, POW), symbol="×"),
    samples=pairs((np.float64(0.0), np.float64(3.0))),
)
def mul(x: Array, y: Array) -> Array:
    """Product of two values. A multiply gate exchanges: each input receives the cotangent times the other input."""


@elementwise(
    vjps={"x": lambda g, out, x, y: g / y, "y": lambda g, out, x, y: -(g * out) / y},
    kernel=operator.truediv,
    formula=Formula("{x} / {y}", r"\frac{{{x}}}{{{y}}}", MUL, (NEG, POW), (0, 0), symbol="÷"),
    samples=pairs(),
)
def div(x: Array, y: Array) -> Array:
    """Quotient of two values; IEEE results at a zero divisor."""


@elementwise(
    vjps={"x": lambda g, out, x: -g},
    kernel=operator.neg,
    formula=Formula("−{x}", "-{x}", NEG, (MUL,), symbol="−"),
    samples=singles(0.0),
)
def neg(x: Array) -> Array:
    """The value with its sign changed."""


def pow_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """y · x^(y−1), and 0 where the exponent is 0."""
    if type(y) in NUMBERS:
        return g * y * x ** (y - 1) if y else where(False, g, 0)
    base = where(y == 0, where(x == 0, 1, x), x)  # 0 · 0⁻¹ is not a number
    return g * y * base ** (y - 1)


def pow_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """x^y · log x, and 0 where x is not positive (there x^y is constant or undefined around y)."""
    if type(x) in NUMBERS:
        return g * out * log(x) if x > 0 else where(False, g, 0)
    return where(x > 0, g * out * log(where(x > 0, x, 1)), 0)


@elementwise(
    vjps={"x": pow_x, "y": pow_y},
    kernel=operator.pow,
    formula=Formula("{x}^{y}", "{{{x}}}^{{{y}}}", POW, (ATOM, ATOM), (ATOM, 0), symbol="x^y"),
    samples=lambda rng: [
        (rng.uniform(0.5, 2, size=(3, 4)), rng.normal(size=(3, 4))),
        (rng.uniform(0.5, 2, size=(2, 1)), rng.normal(size=(3,))),
        (np.float64(1.5), 2),
        (np.array([-2.0, 0.0, 0.5]), 3),
        (np.array([0.0, 2.0]), 0),
        (np.array([0.5, 2.0]), -1.5),
        (np.float64(1.5), np.float64(-0.5)),
        (2.0, rng.normal(size=3)),
        (np.empty((0, 3)), np.ones(3)),
    ],
)
def pow(x: Array, y: Array) -> Array:
    """x to the power y. By x: y · x^(y−1), 0 where y is 0; by y: x^y · log x, 0 where x <= 0."""


@elementwise(
    vjps={"x": lambda g, out, x: g * 2 * x},
    kernel=np.square,
    formula=Formula("{x}²", "{{{x}}}^2", POW, (ATOM,), symbol="x²"),
    samples=singles(0.0, 1e-8),
)
def square(x: Array) -> Array:
    """x times x."""


@elementwise(
    vjps={"x": lambda g, out, x: g / (2 * out)},
    kernel=np.sqrt,
    formula=Formula("√({x})", r"\sqrt{{{x}}}", symbol="√"),
    samples=singles(1e-4, 1e6, low=0.1, high=4.0),
)
def sqrt(x: Array) -> Array:
    """Square root. At 0 the slope is infinite: a cotangent of 0 times it is NaN, as IEEE has it."""


# ----- exponentials and logarithms


@elementwise(
    vjps={"x": lambda g, out, x: g * out},
    kernel=np.exp,
    formula=call("exp", r"\exp"),
    samples=singles(-800.0, 0.0, 20.0),
)
def exp(x: Array) -> Array:
    """e to the power x: its own derivative."""


@elementwise(
    vjps={"x": lambda g, out, x: g / x},
    kernel=np.log,
    formula=call("log", r"\log"),
    samples=singles(1e-6, 1.0, 1e6, low=0.1, high=4.0),
)
def log(x: Array) -> Array:
    """Natural logarithm."""


@elementwise(
    vjps={"x": lambda g, out, x: g / (1 + x)},
    kernel=np.log1p,
    formula=call("log1p", r"\operatorname{log1p}"),
    samples=singles(1e-12, 0.0, low=-0.5, high=3.0),
)
def log1p(x: Array) -> Array:
    """log(1 + x), exact for small x."""


# ----- kinks and choices


def abs_x(g: Any, out: Any, x: Any) -> Any:
    """−g left of 0, g right of it, and 0 at 0."""
    return g * sign(x)


@elementwise(
    vjps={"x": abs_x},
    kernel=operator.abs,
    formula=Formula("|{x}|", r"\left|{x}\right|", symbol="|x|"),
    samples=singles(0.0, -1e3),
)
def abs(x: Array) -> Array:
    """Magnitude. At the kink, x = 0, the rule returns 0."""


def flat(g: Any, out: Any, x: Any) -> Any:
    """The derivative of a step function: 0 everywhere, also at the jump."""
    return where(False, g, 0)


@elementwise(
    vjps={"x": flat},
    kernel=np.sign,
    formula=call("sign", r"\operatorname{sign}"),
    samples=singles(-2.0, 2.0),
)
def sign(x: Array) -> Array:
    """−1, 0 or 1. Piecewise constant: its derivative is 0, also at the jump."""


def maximum_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """The larger input receives all; inputs of which neither is larger share equally."""
    return where(x > y, g, where(x < y, 0, g * 0.5))


def maximum_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """The larger input receives all; inputs of which neither is larger share equally."""
    return where(y > x, g, where(y < x, 0, g * 0.5))


@elementwise(
    vjps={"x": maximum_x, "y": maximum_y},
    kernel=np.maximum,
    formula=Formula("max({x}, {y})", r"\max\left({x}, {y}\right)", symbol="max"),
    samples=pairs((np.array([1.0, 2.0]), np.array([1.0, -2.0]))),
)
def maximum(x: Array, y: Array) -> Array:
    """The larger of two values. A max gate routes: the larger input receives the cotangent.

    Where neither is larger, at a tie or where one is NaN, they share it equally.
    """


def minimum_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """The smaller input receives all; inputs of which neither is smaller share equally."""
    return where(x < y, g, where(x > y, 0, g * 0.5))


def minimum_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """The smaller input receives all; inputs of which neither is smaller share equally."""
    return where(y < x, g, where(y > x, 0, g * 0.5))


@elementwise(
    vjps={"x": minimum_x, "y": minimum_y},
    kernel=np.minimum,
    formula=Formula("min({x}, {y})", r"\min\left({x}, {y}\right)", symbol="min"),
    samples=pairs((np.array([1.0, 2.0]), np.array([1.0, -2.0]))),
)
def minimum(x: Array, y: Array) -> Array:
    """The smaller of two values, which receives the cotangent; shared equally at a tie or where one is NaN."""


def _choose(condition: Array, x: Array, y: Array) -> Array:
    if (
        type(condition) is np.bool_
        and type(x) is np.float64
        and type(y) in (np.float64, int, float)
    ):
        return x if condition else np.float64(y)  # six times faster than np.where on one number
    return np.where(condition, x, y)


def where_x(g: Any, out: Any, condition: Any, x: Any, y: Any) -> Any:
    """The cotangent where the condition holds, else 0."""
    return where(condition, g, 0)


def where_y(g: Any, out: Any, condition: Any, x: Any, y: Any) -> Any:
    """The cotangent where the condition does not hold, else 0."""
    return where(condition, 0, g)


@elementwise(
    vjps={"x": where_x, "y": where_y},
    kernel=_choose,
    formula=Formula(
        "where({condition}, {x}, {y})",
        r"\begin{{cases}} {x} & {condition} \\ {y} & \text{{else}} \end{{cases}}",
        symbol="where",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)) > 0, rng.normal(size=(3, 4)), rng.normal(size=4)),
        (np.bool_(True), np.float64(2.0), 0),
        (np.array([True, False]), 1.0, rng.normal(size=(3, 2))),
        (True, rng.normal(size=2), rng.normal(size=(2, 1))),
        (np.empty(0, dtype=bool), np.empty((2, 0)), np.float64(1.0)),
    ],
)
def where(condition: Array, x: Array, y: Array) -> Array:
    """x where the condition holds, else y. The input not chosen receives 0."""


def _comparison(name: str, text: str, tex: str, compare: Callable[..., Any], doc: str) -> Any:
    def kernel(x: Array, y: Array) -> Array:
        return compare(x, y)

    kernel.__doc__ = doc
    kernel.__qualname__ = name
    declare = elementwise(
        kernel=compare,
        name=name,
        formula=infix(text, tex, COMPARE, needs=(ADD, ADD)),
        samples=pairs((np.array([1.0, np.nan]), np.array([1.0, np.nan]))),
    )
    return declare(kernel)


_NO_RULE = "True or False; not differentiable."
greater = _comparison("greater", ">", ">", operator.gt, f"Whether x > y. {_NO_RULE}")
greater_equal = _comparison(
    "greater_equal", "≥", r"\ge", operator.ge, f"Whether x >= y. {_NO_RULE}"
)
less = _comparison("less", "<", "<", operator.lt, f"Whether x < y. {_NO_RULE}")
less_equal = _comparison("less_equal", "≤", r"\le", operator.le, f"Whether x <= y. {_NO_RULE}")
equal = _comparison("equal", "=", "=", operator.eq, f"Whether x equals y. {_NO_RULE}")
not_equal = _comparison("not_equal", "≠", r"\ne", operator.ne, f"Whether x differs. {_NO_RULE}")


# ----- type


def _cast_size(x: Any, *, dtype: Any) -> float:
    """The elements of x. Raises `TypeError` for a dtype that is no kind of number, whose elements may have any size."""
    if np.dtype(dtype).kind not in "fiub":
        raise TypeError(f"{dtype!r:.40} is no dtype of numbers")
    return int(np.size(x))


@primitive(
    vjps={"x": lambda g, out, x, *, dtype: g},
    formula=Formula("{x}", "{x}", 0, (0,), symbol="cast"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 3)), dtype="float64"),
        sample(np.float64(2.0), dtype="float64"),
    ],
    size=_cast_size,
)
def astype(x: Array, *, dtype: str) -> Array:
    """The same numbers in another dtype; the cotangent comes back in the dtype of x."""
    return x.astype(dtype)


@primitive(
    formula=Formula("{x}", "{x}", 0, (0,), symbol="detach"),
    samples=lambda rng: [(rng.normal(size=3),)],
)
def detach(x: Array) -> Array:
    """The same value, cut off from the backward pass: no cotangent goes to x."""
    return x
