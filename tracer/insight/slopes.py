"""Flat activations: which operations can go flat, by their own rules, and where in a batch one has.

Nothing here knows an operation by name. One that takes a single array is tried on a grid of numbers: if its slope is
bounded everywhere and dies out far on one side (relu, gelu, softplus), its units can be dead; if it dies out on both
sides (tanh, sigmoid, hard_tanh), they can be saturated.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Array, Primitive
from tracer.fetching import seen
from tracer.stats import zeros
from tracer.traces import Trace
from tracer.values import device_name, placed

FLAT = 1 - 0.97**2
"""A unit is flat where its slope is less than this share of the steepest: for tanh, where |tanh x| > 0.97.

The mark at which Karpathy counts saturated tanh units ("Building makemore, part 3", 2022).
"""
STEEPEST = 8.0
"""What rises faster than this somewhere is no activation: an exponential, a square, a reciprocal."""
LEAST = 0.05
"""What rises nowhere faster than this is a constant or a step."""
FAR = 1e4
"""How far out a slope must have died: that of arctan is 1e-8 here."""
GONE = 1e-5
"""A slope that counts as none, as a share of the steepest."""

_GRID = np.concatenate([[-FAR], np.linspace(-6, 6, 241) + 1e-4, [FAR]])
"""Where an operation is tried; moved a little, to miss kinks."""


class Shape(NamedTuple):
    """How an activation flattens: its steepest slope, and on how many sides its slope dies out (1 or 2)."""

    steepest: float
    sides: int


class Flat(NamedTuple):
    """How much of one activation is flat: the share of its units, of how many, over how many samples."""

    share: float
    units: int
    samples: int


def shape_of_activation(trace: Trace, node: int) -> Shape | None:
    """How the operation of a node flattens; None if it is no activation: it stays steep, or mixes its inputs.

    >>> import tracer as tr
    >>> trace = tr.trace(tr.sigmoid(tr.relu(tr.tensor(3.0) * 2.0)))
    >>> [shape_of_activation(trace, k) for k in (1, 2)]
    [None, Shape(steepest=1.0, sides=1)]
    >>> round(shape_of_activation(trace, 3).steepest, 3), shape_of_activation(trace, 3).sides
    (0.25, 2)
    """
    op = trace.op(node)
    inputs = trace.inputs_of(node)
    if op is None or not op.elementwise or sum(i >= 0 for i in inputs) != 1:
        return None
    beside = tuple(trace.literals[-1 - i] if i < 0 else None for i in inputs)
    params = tuple(trace.params[trace.params_of[node]].items())
    try:
        return _shape(op, beside, params)
    except TypeError:  # a parameter that is no key, such as a list: no activation of ours has one
        return None


@lru_cache(maxsize=256)
def _shape(
    op: Primitive, beside: tuple[Any, ...], params: tuple[tuple[str, Any], ...]
) -> Shape | None:
    """How an operation flattens, with these numbers beside the input that is None."""
    place = beside.index(None)
    if not op.differentiable(place):
        return None
    args = [_GRID if number is None else number for number in beside]
    slope = _slope(op, args, place, dict(params))
    if slope is None or not np.isfinite(slope).all():
        return None
    steep = np.abs(slope)
    top = float(steep.max())
    if not LEAST < top < STEEPEST:
        return None
    sides = int(steep[0] < GONE * top) + int(steep[-1] < GONE * top)
    return Shape(top, sides) if sides else None


def _slope(op: Primitive, args: list[Any], place: int, params: Mapping[str, Any]) -> Array | None:
    """The slope of an operation on the grid, by its rule; None where it cannot run there."""
    wanted = [k == place for k in range(len(args))]
    try:
        with np.errstate(all="ignore"):
            out, saved = op.run(args, params)
            slope = op.pull_back(np.ones_like(out), out, args, wanted, params, saved)[place]
    except Exception:  # a user's own operation may refuse these numbers in any way it likes
        return None
    return slope if np.shape(slope) == _GRID.shape else None


def flat_share(trace: Trace, node: int, shape: Shape) -> Flat:
    """How much of an activation is flat on the recorded numbers, by its own local derivative.

    Of one that dies on one side: the share of units that are flat for every sample, so that they learn from none. Of
    one that saturates on both: the share of all its numbers.
    """
    value = trace.storage.held(node)
    inputs = trace.inputs_of(node)
    place = next(k for k, i in enumerate(inputs) if i >= 0)
    ones = placed(np.ones(value.shape, value.dtype)[()], device_name(value))
    with np.errstate(all="ignore"):
        slope = trace.pull_back(node, ones, [k == place for k in range(len(inputs))])
        flat = abs(slope[place]) < FLAT * shape.steepest
    if not flat.size:
        return Flat(0.0, 0, 0)
    axes = sample_axes(flat.ndim)
    units = int(np.prod([n for axis, n in enumerate(flat.shape) if axis not in axes]))
    silent = seen(flat.all(axis=axes) if shape.sides == 1 else flat)
    return Flat((silent.size - zeros(silent)) / silent.size, units, flat.size // units)


def sample_axes(ndim: int) -> tuple[int, ...]:
    """The axes of an activation that count samples: all but the features, which come last; of an image, second.

    A single array of numbers is one sample.

    >>> sample_axes(2), sample_axes(4), sample_axes(1), sample_axes(3)
    ((0,), (0, 2, 3), (), (0, 1))
    """
    features = 1 if ndim > 3 else ndim - 1
    return tuple(axis for axis in range(ndim) if axis != features) if ndim > 1 else ()
