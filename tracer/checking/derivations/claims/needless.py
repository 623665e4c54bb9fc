"""Terms of a gradient that are exactly zero, and may be left out: the second one of the paper's dL/dμ."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import spoken
from tracer.checking.derivations.refusals import RefusedError
from tracer.checking.derivations.running.tape import Done
from tracer.replay import affected
from tracer.traces import Trace

Array = Any
"""A numpy array or numpy scalar."""

NOTHING = 1e-9
"""What comes through a value is 0 if it is less than so much of the gradient."""
MOST_WORK = 200_000
"""Nodes run again, at most, in search of such terms."""


def needless(names: Names, done: list[Done], final: Mapping[int, int]) -> list[str]:
    """Notes on gradients whose lines leave out a term that is exactly zero."""
    trace, work = names.trace, 0
    notes: list[str] = []
    claimed = {node: done[number] for node, number in final.items() if done[number].step is None}
    if len(claimed) != len(final):
        return []
    for node, each in claimed.items():
        right = trace.gradient(node)
        if right is None or not np.any(right):
            continue
        if not _is_near(each.result, right):
            continue
        used = _gradients(names, done, each, final)
        reach = _before(trace, node, used)
        for via in (k for k in reach if k in claimed and k != trace.loss):
            work += len(reach)
            if work > MOST_WORK:
                return notes
            if _is_nothing(trace, node, via):
                notes.append(
                    f"line {each.line.number}: {spoken(each.name)} leaves out what comes via {trace.label(via)}, "
                    "and may: it is exactly 0"
                )
    return notes


def _is_near(found: Array, right: Array) -> bool:
    """Whether a gradient is the right one, but for rounding."""
    if np.size(found) != np.size(right):
        return False
    return bool(np.max(np.abs(np.ravel(found) - np.ravel(right))) <= 1e-6 * np.max(np.abs(right)))


def _before(trace: Trace, node: int, used: Collection[int]) -> list[int]:
    """What a value reaches without passing through one of those whose gradients are used."""
    reached = {node}
    for k in affected(trace, [node]):
        if k not in used and any(i in reached for i in trace.inputs_of(k)):
            reached.add(k)
    return sorted(reached - {node})


def _is_nothing(trace: Trace, node: int, via: int) -> bool:
    """Whether a gradient is the same with a value held fixed."""
    right = trace.gradient(node)
    left = trace.replay({via: trace.value(via)}).gradient(node)
    if right is None or left is None:
        return False
    return bool(np.max(np.abs(right - left)) <= NOTHING * np.max(np.abs(right)))


def _gradients(
    names: Names, done: list[Done], claim: Done, final: Mapping[int, int]
) -> Collection[int]:
    """The gradients that a line and its helpers use."""
    found: set[int] = set()
    seen, waiting = {claim.number}, [claim]
    while waiting:
        each = waiting.pop()
        for word in each.words:
            try:
                node = names.gradient(word)
            except RefusedError:
                node = None
            if node is not None:
                found.add(node)
        for number in each.reads:
            if number not in seen and done[number].node < 0:
                seen.add(number)
                waiting.append(done[number])
    return found
