"""Certified derivatives of a scalar by the elements of an array: all of them, or a sample and random directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tracer.cones import Cone, NotAnalyticError
from tracer.nodes import Guard
from tracer.replay import detached
from tracer.traces import Trace

from .certified.certificate import KINK, SMOOTH, Certified
from .certified.certify import certify_direction, certify_elements
from .certified.complex_step import sharpened
from .certified.search import ENOUGH
from .judge import AGREE, DISAGREE, RTOL, UNDECIDABLE, judge
from .progress import ROUND, Counted
from .report import Element
from .rounding import cancelled, largest, rounded, throughput
from .spreading import Job, finished, shares

Array = Any
"""A numpy array or numpy scalar."""

MANY = 4096
"""An array with more elements than this is sampled."""
SAMPLE = 256
"""Elements looked at in a larger array."""
VAGUE = 1e-8
"""A relative bound above which a complex step is tried."""
SHAKEN = 8
"""How much further than in a few draws rounding may move a gradient."""
SUMMED = 64.0
"""Units in the last place of the terms of a sum by which it may be off."""
ZERO = "zero to rounding: the last digits of the inputs move it by more"
"""The reason of an element of a gradient of which no digit is known, as where a network has fitted its data exactly."""
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
    """The largest magnitude among the flows into the node, and in the gradient; and within what is fused."""
    throughput: float
    """The most that the loss would change by if a value from the node on changed by as much as itself."""
    floor: float
    """A bound that is good enough even for a derivative that is 0 and has no size of its own."""
    summed: float = 0.0
    """The largest of what is added up to a flow, where several elements read one of the node, as in broadcasting."""
    upstream: float = 0.0
    """The largest magnitude in the seed cotangent, beside which a gradient may be nothing but rounding."""


def context(trace: Trace, shaken: Sequence[Trace], node: int) -> Context:
    """The context of the gradient of a node; for the other traces see `shake`."""
    value, gradient = trace.value(node), trace.gradient(node)
    through, moved = throughput(trace, node), [other.gradient(node) for other in shaken]
    if gradient is None:
        gradient = np.full(np.shape(value), math.nan)
    flows = [flow.cotangent for flow in trace.flows_into(node)]
    readers = {flow.consumer for flow in trace.flows_into(node)}
    sent = [np.asarray(trace.gradient(k)) for k in readers if trace.gradient(k) is not None]
    return Context(
        automatic=np.asarray(gradient),
        shaken=tuple(np.asarray(other) for other in moved if other is not None),
        scale=max(cancelled(trace, node), *map(largest, (gradient, *flows))),
        throughput=through,
        floor=ENOUGH * through / max(largest(value), 1.0),
        summed=max((largest(g) for g in sent if g.size > np.size(value)), default=0.0),
        upstream=0.0 if trace.seed is None else largest(np.asarray(trace.seed)),
    )


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
        with np.errstate(all="ignore"):
            moves = [
                largest((g - automatic).reshape(-1)[self.elements[smooth]]) for g in context.shaken
            ]
        noise = SHAKEN * max(moves, default=0.0)
        # a sum of terms that cancel is off by the rounding of the terms
        rounding = min(noise, RTOL * context.throughput) + SUMMED * unit * context.summed
        # at an edge, of a step or kink, the last digits of the inputs may move a gradient of any size
        nothing = 0 < largest(automatic) <= noise <= RTOL * context.upstream
        nothing = nothing and bool(np.isfinite(automatic).all())
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
            if nothing and (verdict == DISAGREE or (verdict != AGREE and slope.status == SMOOTH)):
                reach = 1.0 if n < len(self.slopes) else float(np.sum(abs(self._along(n))))
                if _is_within(noise * reach, ours[n] if hand is None else theirs[n], slope):
                    verdict, reason = UNDECIDABLE, ZERO
            found.append(Element(where[n], theirs[n], ours[n], slope, verdict, reason))
        return tuple(found)

    def _along(self, n: int) -> Array:
        """The direction of a certified number, of all numbered from the elements on."""
        return self.directions[n - len(self.slopes)]

    def _read(self, claim: Array) -> list[float]:
        """What an array of claims says of every number measured."""
        flat = np.asarray(claim, np.float64).reshape(-1)
        with np.errstate(all="ignore"):
            along = [float(flat @ direction.reshape(-1)) for direction in self.directions]
        return [*flat[self.elements].tolist(), *along]


def _is_within(noise: float, claim: float, slope: Certified) -> bool:
    """Whether a claim and a certified number, or the slopes of a kink, are nothing but noise."""
    sides = (slope.left, slope.right) if slope.status == KINK else (slope.value,)
    return abs(claim) <= noise and all(abs(side) <= noise for side in sides)


def measure(
    function: Callable[[Array], float],
    x: Array,
    *,
    elements: int | None = None,
    rng: np.random.Generator,
    executor: Executor | None = None,
    noise: float | None = None,
) -> Measured:
    """Certify the derivatives of a scalar function at x.

    elements: look at so many elements at most, drawn at random. By default at all of up to 4096, and beyond that at a
    sample, and along directions of random signs, which go through every element. executor: spreads the elements.
    noise: how far its values are off by rounding, as in `certify_each`; by default what it says itself.
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
    noise = getattr(function, "noise", None) if noise is None else noise
    slopes = certified(function, x, flat, executor, noise)
    if hasattr(function, "complex_many"):
        slopes = sharpened(function, x, flat, slopes, beyond=VAGUE)
    return Measured(
        shape=x.shape,
        elements=flat,
        slopes=slopes,
        directions=directions,
        along=tuple(certify_direction(function, x, direction, noise) for direction in directions),
    )


def certified(
    function: Callable[[Array], float],
    x: Array,
    flat: Array,
    executor: Executor | None,
    noise: float | None = None,
) -> tuple[Certified, ...]:
    """The certified derivatives by the elements of those flat numbers, shared out to an executor if there is one.

    Raises `CheckError` where the function cannot be sent.
    """
    if executor is None:
        return certify_elements(function, x, flat, noise)
    counted = isinstance(function, Counted)
    sent = function.function if isinstance(function, Counted) else function
    before = 0

    def told(done: int, of: int) -> None:
        nonlocal before
        if isinstance(function, Counted):
            function.tell((done - before) * ROUND)
        before = done

    jobs = [
        Job(certify_elements, (sent, x, share, noise), share.size)
        for share in shares(flat, executor)
    ]
    return tuple(
        slope for share in finished(jobs, executor, told if counted else None) for slope in share
    )


def looked_at(size: int, elements: int | None = None) -> int:
    """How many elements of an array of that size are looked at; see `measure`."""
    return (size if size <= MANY else SAMPLE) if elements is None else min(elements, size)


def absent(measured: Measured, size: float) -> Context:
    """The context of an array at which no gradient arrives, so that it counts as 0.

    size: of the terms that the function adds up, against which a derivative of 0 is judged.
    """
    return Context(np.zeros(measured.shape), (), scale=0.0, throughput=0.0, floor=ENOUGH * size)


class LossBy:
    """The scalar that a trace differentiates, <seed, loss>, as a function of the value of one node.

    What leads on from the node runs again; what was detached keeps its recorded value. Where Python looked at a value,
    `if x > 0`, and would see another one, the program would take a way that was not recorded: the function is NaN
    there, so that steps stay on this side. (`Trace.replay` goes on in the recorded way, and says so in `flipped`.)

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 2.0], name="x")
    >>> loss = LossBy(tr.trace((x * x).sum()), 0)
    >>> loss(np.array([3.0, 0.0])), loss.many(np.array([[1.0, 1.0], [0.0, 5.0]]))
    (9.0, array([ 2., 25.]))
    """

    def __init__(self, trace: Trace, node: int) -> None:
        self.trace, self.node = trace, node
        self.seed = np.asarray(trace.seed)

    def __reduce__(self) -> tuple[Any, ...]:
        return LossBy, (self.trace, self.node)

    @cached_property
    def _fixed(self) -> dict[int, Array]:
        return detached(self.trace, self.node)

    @cached_property
    def looks(self) -> dict[int, Guard]:
        """Where Python looked at a value and went one way; a look by `item` leads nowhere."""
        return {guard.node: guard for guard in self.trace.guards if guard.kind != "item"}

    @cached_property
    def _cone(self) -> Cone:
        return self.cone([self.trace.loss, *self.looks])

    def cone(self, targets: Sequence[int]) -> Cone:
        """What runs between the node and some targets."""
        return Cone(self.trace, [self.node, *self._fixed], targets)

    def __call__(self, value: Array) -> float:
        """The scalar for one value of the node; NaN where an operation refuses it, or Python would go another way."""
        cone = self._cone
        try:
            now = cone.values({**self._fixed, self.node: value[()]})
        except Exception:  # the operation of a node has no value there: a matrix that is singular
            return math.nan
        for node, guard in self.looks.items():
            if node in now and _elsewhere(guard, np.asarray(now[node]).reshape(1)).any():
                return math.nan
        loss = now[self.trace.loss] if self.trace.loss in now else self.trace.value(self.trace.loss)
        return float(np.sum(self.seed * loss))

    def many(self, values: Array) -> Array:
        """The scalar for many values of the node at once: (lanes, *shape) to float (lanes,)."""
        loss, *looks = self._cone.many({self.node: values}, self._fixed)
        lanes = len(values)
        shape = self.trace.value(self.trace.loss).shape
        terms = self.seed * np.broadcast_to(loss, (lanes, *shape))
        found = np.array(terms.reshape(lanes, -1).sum(axis=1), np.float64)
        for (node, guard), seen in zip(self.looks.items(), looks, strict=True):
            if node in self._cone.plan or node == self.node:
                found[_elsewhere(guard, seen.reshape(lanes))] = math.nan
        return found

    def complex_many(self, values: Array) -> Array | None:
        """The same for complex values; None where an operation on the way is not analytic."""
        try:
            (loss,) = self._way.many({self.node: values}, self._fixed)
        except NotAnalyticError:
            return None
        terms = self.seed * np.broadcast_to(loss, (len(values), *np.shape(self.seed)))
        return np.asarray(terms.reshape(len(values), -1).sum(axis=1))

    @cached_property
    def _way(self) -> Cone:
        """The cone without the looks, which compare and so are not analytic."""
        if not self.looks:
            return self._cone
        return self.cone([self.trace.loss])

    @cached_property
    def noise(self) -> float:
        """How far its values are off because what lies on the way is rounded."""
        return rounded(self.trace, self.node)

    @property
    def reached(self) -> bool:
        """Whether the scalar depends on the node at all."""
        return self.node == self.trace.loss or self.trace.loss in self._cone.plan

    @property
    def room(self) -> int:
        """How many numbers one lane of `many` may need."""
        return max(self._cone.room, int(np.size(self.trace.value(self.node))))


def _elsewhere(guard: Guard, seen: Array) -> Array:
    """Whether Python would have gone another way for these values, bool of their shape."""
    if guard.kind == "bool":
        return np.asarray((seen != 0) != guard.result)
    return np.asarray(np.trunc(seen) != guard.result)


def loss_by(trace: Trace, node: int) -> LossBy:
    """The scalar that a trace differentiates as a function of the value of one node."""
    return LossBy(trace, node)
