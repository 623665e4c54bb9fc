"""What a wrong gradient looks like: causes that explain its error exactly.

Each finder takes what is known of one wrong line and returns the causes it recognises; the first that recognises any is
believed. New causes are new finders in `FINDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tracer.format import number, shape
from tracer.replay import affected
from tracer.traces import Trace

from .causes import Cause

Array = Any
"""A numpy array or numpy scalar."""

CLOSE = 1e-7
"""Relative difference up to which a cause explains an error exactly."""
MOST_AXES = 8
"""Arrays with more axes are not summed in search of a missing sum."""
MOST_FLOWS = 256
"""Nodes with more flows are not taken apart."""
MOST_ROUTES = 12
"""Named values through which routes are cut, at most."""
MOST_WORK = 400_000
"""Nodes run again, at most, in search of a route."""


@dataclass(frozen=True, eq=False)
class Wrong:
    """A wrong line: the claim, the right gradient, and the node it is a gradient of."""

    trace: Trace
    node: int
    claim: Array
    right: Array


Finder = Callable[[Wrong], Iterator[Cause]]


def diagnose(trace: Trace, node: int, claim: Array) -> tuple[Cause, ...]:
    """The causes that explain a wrong gradient by hand, of any shape, exactly; empty if none does."""
    right = trace.gradient(node)
    if right is None:
        return ()
    wrong = Wrong(trace, node, np.asarray(claim, np.float64), np.asarray(right, np.float64))
    if not (np.isfinite(wrong.claim).all() and np.isfinite(wrong.right).all()):
        return ()
    for finder in FINDERS:
        found = tuple(finder(wrong))
        if found:
            return found[:3]
    return ()


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are equal up to rounding, relative to the larger."""
    if np.shape(a) != np.shape(b):
        return False
    size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return bool(np.linalg.norm(a - b) <= CLOSE * size)


def sums(wrong: Wrong) -> Iterator[Cause]:
    """A sum over axes that broadcasting had repeated."""
    claim, right = wrong.claim, wrong.right
    extra = claim.ndim - right.ndim
    if extra <= 0 or claim.ndim > MOST_AXES:
        return
    for axes in combinations(range(claim.ndim), extra):
        total = claim.sum(axes)
        if total.shape == right.shape and same(total, right):
            where = f"axis {axes[0]}" if extra == 1 else f"axes {', '.join(map(str, axes))}"
            name = wrong.trace.label(wrong.node)
            yield Cause(
                "sum",
                (
                    f"the sum over {where} is missing: "
                    f"{name}, {shape(right.shape)}, was broadcast to {shape(claim.shape)}"
                ),
            )
            return


def transposed(wrong: Wrong) -> Iterator[Cause]:
    """Axes in the wrong order."""
    if wrong.claim.ndim > 1 and same(wrong.claim.T, wrong.right):
        yield Cause("transposed", "it is transposed")


def factors(wrong: Wrong) -> Iterator[Cause]:
    """A constant factor: a sign, a 2, the size of a batch."""
    if wrong.claim.shape != wrong.right.shape or not wrong.right.any():
        return
    k = float(np.sum(wrong.claim * wrong.right) / np.sum(wrong.right**2))
    if same(wrong.claim, k * wrong.right):
        said = factor(k, sizes_near(wrong), any_number=wrong.right.size > 1)
        if said:
            yield Cause(kind_of(k, sizes_near(wrong)), f"it is {said}")


def factor(k: float, sizes: set[int], *, any_number: bool = True) -> str:
    """A factor in words, with what may have been forgotten; empty for one that nothing explains, unless wanted.

    >>> factor(-1.0, set()), factor(8.0, {8})
    ('of the wrong sign', '8 times too large: 1/8, for the size of an axis, was forgotten')
    >>> factor(0.5, {8}), factor(-3.5, set())
    ('half of what it should be: a factor 2 was forgotten', '−3.5 times what it should be')
    """

    def is_(number: float) -> bool:
        return abs(k - number) <= CLOSE * abs(number)

    if is_(-1.0):
        return "of the wrong sign"
    for m in sorted(size for size in sizes if size > 2):
        if is_(m):
            return f"{m} times too large: 1/{m}, for the size of an axis, was forgotten"
        if is_(1 / m):
            return f"{m} times too small: 1/{m}, for the size of an axis, is too much"
        if is_(m / (m - 1)) or is_((m - 1) / m):
            return f"{number(k)} times what it should be: {m} against {m - 1}, as in an unbiased variance"
    if is_(2.0):
        return "twice what it should be: a factor 2 too much"
    if is_(0.5):
        return "half of what it should be: a factor 2 was forgotten"
    return f"{number(k)} times what it should be" if any_number and k else ""


def kind_of(k: float, sizes: set[int]) -> str:
    """The kind of cause that a factor is: see `KINDS`."""
    if abs(k + 1) <= CLOSE:
        return "sign"
    if min(abs(abs(k) - 2), abs(abs(k) - 0.5)) <= CLOSE:
        return "two"
    known = [n for m in sizes if m > 2 for n in (m, 1 / m, m / (m - 1), (m - 1) / m)]
    return "size" if any(abs(k - n) <= CLOSE * n for n in known) else "factor"


def sizes_near(wrong: Wrong) -> set[int]:
    """The lengths of the axes of the node and of what stands beside it."""
    trace, near = wrong.trace, {wrong.node}
    for edge in trace.uses_of(wrong.node)[:MOST_FLOWS]:
        consumer = int(trace.edge_consumer[edge])
        near.update((consumer, *(i for i in trace.inputs_of(consumer) if i >= 0)))
    near.update(i for i in trace.inputs_of(wrong.node) if i >= 0)
    return {length for k in near for length in np.shape(trace.value(k))}


def flows(wrong: Wrong) -> Iterator[Cause]:
    """A flow into the node that is missing, counted twice, of the wrong sign or scaled; or all flows of some steps."""
    trace, node = wrong.trace, wrong.node
    if wrong.claim.shape != wrong.right.shape or not 1 < len(trace.uses_of(node)) <= MOST_FLOWS:
        return
    arrived = [
        (_place(trace, flow.consumer), np.asarray(flow.cotangent))
        for flow in trace.flows_into(node)
    ]
    found = list(_shares(wrong, [(f"the flow from {place}", part) for place, part in arrived]))
    if not found and len(arrived) > 2:
        places = [place for place, _ in arrived]
        total = np.cumsum([part for _, part in arrived], axis=0)
        runs = [
            (f"the sum of the flows from {places[0]} to {places[k]}", total[k])
            for k in range(1, len(places) - 1)
        ]
        runs += [
            (f"the sum of the flows from {places[k + 1]} to {places[-1]}", total[-1] - total[k])
            for k in range(len(places) - 2)
        ]
        found = list(_shares(wrong, runs))
    yield from found


def _place(trace: Trace, node: int) -> str:
    """A node by label, with its scope where it has one."""
    scope = trace[node].scope_text
    return f"{trace.label(node)} ({scope})" if scope else trace.label(node)


def routes(wrong: Wrong) -> Iterator[Cause]:
    """All routes via some named value: found by cutting them in a replay, and seeing how much gradient is left."""
    trace, node = wrong.trace, wrong.node
    if wrong.claim.shape != wrong.right.shape:
        return
    beyond = affected(trace, [node])
    named = [k for k in beyond if trace.names[k] and trace.receives[k] and k != trace.loss]
    named = named[: min(MOST_ROUTES, MOST_WORK // max(len(beyond), 1))]
    parts = [(f"the path via {trace.label(k)}", _through(wrong, (k,))) for k in named]
    parts = [
        part
        for n, part in enumerate(parts)
        if not any(same(part[1], other) for _, other in parts[:n])
    ]
    found = list(_shares(wrong, parts))
    if not found and len(parts) <= MOST_ROUTES // 2:
        pairs = combinations(named[: MOST_ROUTES // 2], 2)
        both = [
            (f"what comes via {trace.label(a)} and via {trace.label(b)}", _through(wrong, (a, b)))
            for a, b in pairs
        ]
        found = list(_shares(wrong, both))
    yield from found


def _through(wrong: Wrong, nodes: tuple[int, ...]) -> Array:
    """The part of the gradient that comes through some nodes: the whole, less what is left when they are leaves."""
    trace = wrong.trace
    left = trace.replay({k: trace.value(k) for k in nodes}).gradient(wrong.node)
    return wrong.right - (0.0 if left is None else left)


def _shares(wrong: Wrong, parts: Sequence[tuple[str, Array]]) -> Iterator[Cause]:
    """The parts of a gradient of which a wrong share explains the whole error."""
    error, size = wrong.claim - wrong.right, np.linalg.norm(wrong.right)
    for name, part in parts:
        if np.linalg.norm(part) <= CLOSE * size or same(part, wrong.right):
            continue
        share = 1 + float(np.sum(error * part) / np.sum(part * part))
        if not same(error, (share - 1) * part):
            continue
        if abs(share) < CLOSE:
            yield Cause("missing path", f"{name} is missing")
        elif abs(share - 2) < CLOSE:
            yield Cause("doubled path", f"{name} is counted twice")
        else:
            said = factor(share, sizes_near(wrong), any_number=wrong.right.size > 1)
            if said:
                yield Cause(kind_of(share, sizes_near(wrong)), f"{name} is {said}")


FINDERS: tuple[Finder, ...] = (sums, transposed, factors, flows, routes)
"""What is looked for, in this order; the first that finds something is believed."""
