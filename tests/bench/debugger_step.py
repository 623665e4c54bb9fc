"""A step of the debugger costs the same at any size of the graph: 100,000 nodes and 2^60 routes against 100 nodes."""

from __future__ import annotations

import tracer as tr
from tests.bench.harness import Case, Row, compared, interleave
from tracer.debugger import Debugger

SMALL, LARGE, DOUBLED = "chain of 100", "chain of {:,}", "60 doublings y = y + y"


def chain_trace(nodes: int) -> tr.Trace:
    """y = y · w over and over: one weight that every node uses."""
    w = tr.tensor(1.0, name="w")
    y = tr.tensor(2.0, name="x")
    for _ in range(nodes):
        y = y * w
    return tr.trace(y)


def doubled_trace(times: int) -> tr.Trace:
    """y = y + y: as many nodes as doublings, but 2^times routes."""
    y = tr.tensor(1.0, name="y")
    for _ in range(times):
        y = y + y
    return tr.trace(y)


def walk(debugger: Debugger, start: int, steps: int) -> None:
    """From a position so many steps back in time and forth again; at each, what a view reads: state and gradient."""
    debugger.goto(start)
    for move in (debugger.previous, debugger.next):
        for _ in range(steps):
            move()
            here = debugger.timeline.step(debugger.position)
            debugger.timeline.status(debugger.position, here.node)
            debugger.timeline.gradient(debugger.position, here.node)


def rows(
    *, nodes: int = 100_000, doublings: int = 60, steps: int = 20, rounds: int = 11
) -> list[Row]:
    """Steps in the middle of the backward pass; each goal leaves room for a logarithm."""
    traces = {
        SMALL: chain_trace(100),
        LARGE.format(nodes): chain_trace(nodes),
        DOUBLED: doubled_trace(doublings),
    }
    cases = []
    for name, trace in traces.items():
        debugger = Debugger(trace)
        timeline = debugger.timeline
        middle = (timeline.forward_steps + timeline.last) // 2
        cases.append(Case(name, lambda at=middle, it=debugger: walk(it, at, steps)))
    seconds = interleave(cases, rounds=rounds)
    per_step = {name: taken / (2 * steps) for name, taken in seconds.items()}
    return [
        compared(name, SMALL, per_step, goal=1.5, stretch=1.2, label=f"debugger step, {name}")
        for name in traces
        if name != SMALL
    ]
