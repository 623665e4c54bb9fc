"""Certified derivatives of a scalar by the elements of an array: all of them, or a sample and random directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.replay import Cone
from tracer.traces import Trace

from .certified.certificate import SMOOTH, Certified
from .certified.certify import ENOUGH, certify_direction, certify_elements
from .judge import RTOL, judge
from .report import Element

Array = Any
"""A numpy array or numpy scalar."""

MANY = 4096
"""An array with more elements than this is sampled."""
SAMPLE = 256
"""Elements looked at in a larger array."""
SHAKES = 3
"""How often the inputs of a trace are moved, to see how rounding changes its gradients."""
DIRECTIONS = 8
"""Random signed directions through all elements of a larger array."""


@dataclass(frozen=True, eq=False)
class Context:
    """What surrounds the gradient of a node in its trace, and says how exact it can be."""

    automatic: Array
    """The gradient itself; NaN if there is none."""
    shaken: tuple[Array, ...]
    """The gradient when the inputs of the trace are moved by one unit in the last place: how rounding changes it."""
    scale: float
    """The largest magnitude among the flows into the node, and in the gradient."""
    throughput: float
    """The most that the loss would change by if a value from the node on changed by as much as itself."""
    floor: float
    """A bound that is good enough even for a derivative that is 0 and has no size of its own."""


def context(trace: Trace, shaken: Sequence[Trace], node: int) -> Context:
    """The context of the gradient of a node; for the other traces see `shake`."""
    value, gradient = trace.value(node), trace.gradient(node)
    through, moved = throughput(trace, node), [other.gradient(node) for other in shaken]
    if gradient is None:
        gradient = np.full(np.shape(value), math.nan)
    flows = [flow.cotangent for flow in trace.flows_into(node)]
    return Context(
        automatic=np.asarray(gradient),
        shaken=tuple(np.asarray(other) for other in moved if other is not None),
        scale=max(map(largest, (gradient, *flows))),
        throughput=through,
        floor=ENOUGH * through / max(largest(value), 1.0),
    )


def shake(trace: Trace, rng: np.random.Generator) -> tuple[Trace, ...]:
    """A few replays of the trace with every float leaf moved up or down by one unit in the last place; 0 stays."""
    return tuple(_shaken(trace, rng) for _ in range(SHAKES))


def _shaken(trace: Trace, rng: np.random.Generator) -> Trace:
    moved: dict[int | str, Array] = {}
    for k in np.flatnonzero(trace.op_of < 0).tolist():
        value = trace.value(k)
        if value.dtype.kind == "f":
            towards = rng.choice((-np.inf, np.inf), np.shape(value)).astype(value.dtype)
            moved[k] = np.where(value == 0, value, np.nextafter(value, towards))
    return trace.replay(moved)


def throughput(trace: Trace, node: int) -> float:
    """The largest |gradient * value| from the node on."""
    through = 0.0
    with np.errstate(all="ignore"):
        for k in range(node, len(trace)):
            gradient = trace.gradient(k)
            if gradient is not None:
                through = max(through, largest(gradient * trace.value(k)))
    return through


def largest(array: Array) -> float:
    """The largest finite magnitude in an array; 0 if there is none.

    >>> largest(np.array([1.0, -2.0, np.inf]))
    2.0
    """
    array = np.asarray(array, np.float64)
    return float(np.max(abs(array), initial=0.0, where=np.isfinite(array)))


@dataclass(frozen=True, eq=False)
class Measured:
    """Certified numbers for an array: of single elements (by flat number), and along directions."""

    shape: tuple[int, ...]
    elements: Array
    slopes: tuple[Certified, ...]
    directions: tuple[Array, ...]
    along: tuple[Certified, ...]

    def compare(self, context: Context, hand: Array | None = None) -> tuple[Element, ...]:
        """Each certified number beside the automatic and the hand's, with the verdict on the hand's, if there is one.

        hand: float, of the shape measured.
        """
        automatic = context.automatic
        unit = float(np.finfo((automatic if hand is None else hand).dtype).eps)
        smooth = [slope.status == SMOOTH for slope in self.slopes]
        moves = [
            largest((g - automatic).reshape(-1)[self.elements[smooth]]) for g in context.shaken
        ]
        rounding = min(8 * max(moves, default=0.0), RTOL * context.throughput)
        ours = self._read(automatic)
        theirs = [math.nan] * len(ours) if hand is None else self._read(hand)
        where: list[tuple[int | str, ...]] = [
            tuple(map(int, np.unravel_index(k, self.shape))) for k in self.elements.tolist()
        ]
        where += [("direction", k) for k in range(len(self.directions))]
        found = []
        for n, slope in enumerate((*self.slopes, *self.along)):
            many = 1.0 if n < len(self.slopes) else math.sqrt(automatic.size)
            verdict, reason = judge(
                ours[n] if hand is None else theirs[n],
                slope,
                scale=many * context.scale,
                floor=context.floor,
                unit=unit,
                rounding=many * rounding,
            )
            found.append(Element(where[n], theirs[n], ours[n], slope, verdict, reason))
        return tuple(found)

    def _read(self, claim: Array) -> list[float]:
        """What an array of claims says of every number measured."""
        flat = np.asarray(claim, np.float64).reshape(-1)
        with np.errstate(all="ignore"):
            along = [float(flat @ direction.reshape(-1)) for direction in self.directions]
        return [*flat[self.elements].tolist(), *along]


def measure(
    function: Callable[[Array], float],
    x: Array,
    *,
    elements: int | None = None,
    rng: np.random.Generator,
) -> Measured:
    """Certify the derivatives of a scalar function at x.

    elements: look at so many elements at most, drawn at random. By default at all of up to 4096, and beyond that at a
    sample, and along directions of random signs, which go through every element.
    """
    x = np.asarray(x, np.float64)
    count = looked_at(x.size, elements)
    flat = np.arange(x.size)
    if count < x.size:
        flat = np.sort(rng.choice(x.size, size=count, replace=False))
    directions: tuple[Array, ...] = ()
    if x.size > max(count, MANY):
        reach = np.maximum(abs(x), 0.25)
        directions = tuple(rng.choice((-1.0, 1.0), x.shape) * reach for _ in range(DIRECTIONS))
    return Measured(
        shape=x.shape,
        elements=flat,
        slopes=certify_elements(function, x, flat),
        directions=directions,
        along=tuple(certify_direction(function, x, direction) for direction in directions),
    )


def looked_at(size: int, elements: int | None = None) -> int:
    """How many elements of an array of that size are looked at; see `measure`."""
    return (size if size <= MANY else SAMPLE) if elements is None else min(elements, size)


def absent(measured: Measured, size: float) -> Context:
    """The context of an array at which no gradient arrives, so that it counts as 0.

    size: of the terms that the function adds up, against which a derivative of 0 is judged.
    """
    return Context(np.zeros(measured.shape), (), scale=0.0, throughput=0.0, floor=ENOUGH * size)


def loss_by(trace: Trace, node: int) -> Callable[[Array], float]:
    """The scalar that a trace differentiates, <seed, loss>, as a function of the value of one node: a replay.

    What leads on from the node runs again; what was detached keeps its recorded value.
    """
    detach = [k for k, op in enumerate(trace.ops) if op.name == "detach"]
    fixed = {
        k: trace.value(k) for k in np.flatnonzero(np.isin(trace.op_of, detach)).tolist() if k > node
    }
    cone = Cone(trace, [node, *fixed], trace.loss)
    seed = np.asarray(trace.seed)

    def function(value: Array) -> float:
        return float(np.sum(seed * cone({**fixed, node: value[()]})))

    return function
