"""Gradients of which a part is wrong: a flow or a route that is missing, counted twice, of the wrong sign or scaled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from tracer.replay import affected
from tracer.traces import Trace

from .causes import Cause
from .constants import factor, factor_cause, share_of
from .naming import places
from .wrong import CLOSE, MOST_FLOWS, Wrong, same, step_of

Array = Any
"""A numpy array or numpy scalar."""

MOST_ROUTES = 12
"""Named values through which routes are cut, at most."""
MOST_WORK = 60_000
"""Nodes run again, at most, in search of a route."""
MOST_TOGETHER = 16
"""Nodes with more flows are not solved for several wrong flows at once."""


def flows(wrong: Wrong) -> Iterator[Cause]:
    """A flow into the node that is missing, counted twice, of the wrong sign or scaled; or those of some steps."""
    trace, node = wrong.trace, wrong.node
    if trace is None or not wrong.fits or not 1 < len(trace.uses_of(node)) <= MOST_FLOWS:
        return
    arrived = trace.flows_into(node)
    at = places(trace, [flow.consumer for flow in arrived])
    parts = [np.asarray(flow.cotangent, np.float64) for flow in arrived]
    named = [f"the flow from {place}" for place in at]
    found = list(_shares(wrong, list(zip(named, parts, strict=True))))
    if not found:
        steps = [step_of(trace, flow.consumer) for flow in arrived]
        found = list(_together(wrong, named, parts, steps)) or list(_runs(wrong, at, parts))
    yield from found


def _together(
    wrong: Wrong, names: Sequence[str], parts: Sequence[Array], steps: Sequence[int | None]
) -> Iterator[Cause]:
    """Several flows that are wrong at once, each by a factor: the one choice of factors that explains the claim."""
    if not 1 < len(parts) <= MOST_TOGETHER or wrong.right.size <= len(parts):
        return
    table = np.stack([part.reshape(-1) for part in parts], axis=1)
    sizes = np.linalg.norm(table, axis=0)
    if not sizes.all():
        return
    shares, _, rank, _ = np.linalg.lstsq(table / sizes, wrong.claim.reshape(-1), rcond=1e-10)
    if rank < len(parts):
        return
    shares = shares / sizes
    if not same(table @ shares, wrong.claim.reshape(-1)):
        return
    lost = [k for k, share in enumerate(shares) if abs(share) < CLOSE]
    fine = [k for k, share in enumerate(shares) if abs(share - 1) < CLOSE]
    if len(lost) + len(fine) == len(parts) and lost:
        what = ", ".join(names[k].removeprefix("the flow from ") for k in lost)
        in_time = len({steps[k] for k in lost} - {None}) == len(lost)
        kind = "truncated" if in_time and len(lost) > 1 else "missing path"
        text = (
            f"the flows from {what} are missing"
            if len(lost) > 1
            else f"{names[lost[0]]} is missing"
        )
        yield Cause(kind, text)
        return
    for k, share in enumerate(shares):
        if k not in fine and k not in lost:
            yield from factor_cause(names[k], float(share), wrong, path=True)


def _runs(wrong: Wrong, at: Sequence[str], parts: Sequence[Array]) -> Iterator[Cause]:
    """All flows from the first on, or up to the last, that are wrong by one factor: those of some time steps."""
    if len(parts) < 3:
        return
    total = np.cumsum(parts, axis=0)
    runs = [
        (f"the sum of the flows from {at[0]} to {at[k]}", total[k]) for k in range(1, len(at) - 1)
    ]
    runs += [
        (f"the sum of the flows from {at[k + 1]} to {at[-1]}", total[-1] - total[k])
        for k in range(len(at) - 2)
    ]
    for cause in _shares(wrong, runs):
        yield Cause("truncated", cause.text) if cause.kind == "missing path" else cause


def routes(wrong: Wrong) -> Iterator[Cause]:
    """All routes via some named value: found by cutting them in a replay, and seeing how much gradient is left."""
    trace, node = wrong.trace, wrong.node
    if trace is None or not wrong.fits:
        return
    beyond = affected(trace, [node])
    named = [k for k in beyond if trace.names[k] and trace.receives[k] and k != trace.loss]
    named = named[: min(MOST_ROUTES, MOST_WORK // max(len(beyond), 1))]
    parts = [(f"the path via {trace.label(k)}", _through(wrong, trace, (k,))) for k in named]
    parts = _each_once(parts)
    found = list(_shares(wrong, parts))
    tried = len(named) * len(beyond)
    pairs_of = MOST_ROUTES // 2
    if not found and len(parts) <= pairs_of and tried + pairs_of**2 * len(beyond) <= 2 * MOST_WORK:
        pairs = combinations(named[:pairs_of], 2)
        both = [
            (
                f"what comes via {trace.label(a)} and via {trace.label(b)}",
                _through(wrong, trace, (a, b)),
            )
            for a, b in pairs
        ]
        found = list(_shares(wrong, _each_once(both)))
    yield from found


def _each_once(parts: Sequence[tuple[str, Array]]) -> list[tuple[str, Array]]:
    """The parts of a gradient, those left out that are the same as one before."""
    return [
        part
        for n, part in enumerate(parts)
        if not any(same(part[1], other) for _, other in parts[:n])
    ]


def _through(wrong: Wrong, trace: Trace, nodes: tuple[int, ...]) -> Array:
    """The part of the gradient that comes through some nodes: the whole, less what is left when they are leaves."""
    left = trace.replay({k: trace.value(k) for k in nodes}).gradient(wrong.node)
    return wrong.right - (0.0 if left is None else left)


def _shares(wrong: Wrong, parts: Sequence[tuple[str, Array]]) -> Iterator[Cause]:
    """The parts of a gradient of which a wrong share explains the whole error."""
    error, size = wrong.claim - wrong.right, np.linalg.norm(wrong.right)
    for name, part in parts:
        if np.linalg.norm(part) <= CLOSE * size or same(part, wrong.right):
            continue
        share = 1 + share_of(error, part)
        if not same(error, (share - 1) * part):
            continue
        if abs(share) < CLOSE:
            yield Cause("missing path", f"{name} is missing")
        elif abs(share - 2) < CLOSE:
            yield Cause("doubled path", f"{name} is counted twice")
        elif wrong.right.size > 1 or factor(share, wrong.lengths)[0] != "factor":
            yield from factor_cause(name, share, wrong, path=True)
