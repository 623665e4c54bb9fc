"""The curves of an operation of one number and of its slope: where they are defined, and what is worth a look."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ops import Primitive
from tracer.plots import Axis, Curve, Plot

Array = NDArray[Any]

POINTS = 4097
"""How many points of a curve are looked at: an odd number, so that a frame about 0 has 0 in it."""
JUMP = 0.06
"""A curve that moves by so much of the height between two points next to each other has jumped."""
REACH = 4.0
"""A curve is shown between minus and plus this, and further if a kink lies further out."""
FAR = 8.0
"""A sample beyond this is a tail, not a place to look at."""
HEIGHT = 1.6
"""What rises higher than this times the largest |x| is cut off: an exponential would flatten everything else."""


def has_curve(op: Primitive) -> bool:
    """Whether it takes one number and gives one, with a derivative, and no parameter must be given."""
    given = inspect.Parameter.empty not in op.defaults.values()
    return op.elementwise and len(op.inputs) == 1 and op.differentiable(0) and given


def curves(op: Primitive) -> Plot:
    """Value and slope of an operation with its default parameters. The slope is its rule's."""
    left, right = _domain(op, *_reach(op))
    xs = np.linspace(left, right, POINTS)
    value, slope = evaluated(op, xs)
    low, high = _range(value, slope, HEIGHT * max(abs(left), abs(right)))
    same = np.allclose(value, slope, equal_nan=True)
    marks = [
        Curve(f"{op.name}(x)", *_broken(xs, value, high - low), shows="value"),
        Curve(
            "∂/∂x, the same curve" if same else "∂/∂x, from its rule",
            *_broken(xs, slope, high - low),
            dashed=True,
            shows="gradient",
        ),
    ]
    return Plot("", marks, Axis(low=left, high=right), Axis(low=low, high=high))


def evaluated(op: Primitive, xs: Array) -> tuple[Array, Array]:
    """The value at every point, and what its rule sends back for a cotangent of 1."""
    with np.errstate(all="ignore"):
        out, saved = op.run((xs,), op.defaults)
        (slope,) = op.pull_back(np.ones_like(out), out, (xs,), (True,), op.defaults, saved)
    return np.asarray(out, float), np.where(np.isfinite(out), slope, np.nan)


def _broken(xs: Array, ys: Array, height: float) -> tuple[Array, Array]:
    """A curve with a gap wherever it jumps."""
    with np.errstate(invalid="ignore", over="ignore"):
        jumps = np.flatnonzero(np.abs(np.diff(ys)) > JUMP * height) + 1
    return np.insert(xs, jumps, xs[jumps]), np.insert(ys, jumps, np.nan)


def _reach(op: Primitive) -> tuple[float, float]:
    """From −4 to 4, and beyond a kink further out, such as that of relu6: every kink is a sample of its operation."""
    seen = [np.ravel(x) for one in op.samples(np.random.default_rng(0)) for x in one.args[:1]]
    numbers = np.concatenate(seen).astype(float)
    outer = numbers[(np.abs(numbers) > REACH) & (np.abs(numbers) <= FAR)]
    before, behind = evaluated(op, outer - 1e-6)[1], evaluated(op, outer + 1e-6)[1]
    kinks = [float(x) for x in outer[np.abs(behind - before) > 0.01]]
    return min([-REACH, *(x - 1 for x in kinks)]), max([REACH, *(x + 1 for x in kinks)])


def _domain(op: Primitive, left: float, right: float) -> tuple[float, float]:
    """The stretch on which the value is a number, with a margin where it ends inside; all of it if it is nowhere."""
    for _ in range(2):  # the second look is finer, for a domain that ends between two points
        xs = np.linspace(left, right, 4097)
        defined = np.flatnonzero(np.isfinite(evaluated(op, xs)[0]))
        if not defined.size:
            break
        first, last = xs[defined[0]], xs[defined[-1]]
        margin = 0.04 * (last - first)
        left = max(left, float(first - margin))
        right = min(right, float(last + margin))
    return left, right


def _range(value: Array, slope: Array, height: float) -> tuple[float, float]:
    """What must be seen of both, with a margin."""
    ends = [_tame(curve, share) for curve, share in ((value, 0.02), (slope, 0.06))]
    low = max(min(low for low, _ in ends), -height)
    high = min(max(high for _, high in ends), height)
    if not low < high:
        low, high = low - 1, high + 1
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _tame(curve: Array, share: float) -> tuple[float, float]:
    """Least and largest number of a curve, but near a pole those that a share of the points lies beyond."""
    finite = curve[np.isfinite(curve)]
    if not finite.size:
        return 0.0, 0.0
    low, high = (float(q) for q in np.quantile(finite, [share, 1 - share]))
    wild = 0.4 * (high - low)
    least, largest = float(finite.min()), float(finite.max())
    return (least if least >= low - wild else low, largest if largest <= high + wild else high)
