"""Names that are used again: `dh1[h1 <= 0] = 0` makes the gradient of z1 out of that of h1, under the same name.

What a later line makes of a gradient alone, by a factor or a mask, is that of a value further back, if it comes to that
number; and a gradient that is overwritten, but used before, counts as one of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import Program, spoken
from tracer.checking.derivations.running.carrying import terms_of
from tracer.checking.derivations.running.interpreter import Run
from tracer.checking.derivations.running.setting import Meant
from tracer.checking.derivations.running.tape import Done

Array = Any
"""A numpy array or numpy scalar."""

FURTHER_BACK = 64
"""Values in front of the one whose gradient it was, at most, that are looked at."""
CLOSE = 1e-9
"""Relative difference up to which two gradients are the same."""


def gone_on(names: Names, program: Program, own: Run) -> tuple[Run, list[str]]:
    """The run in which gradients made of those of the same name are those of values further back; and notes on them."""
    made, latest = dict[int, int](), dict[tuple[int, str], int]()
    for each in own.done:
        if each.node < 0:
            continue
        key = (each.node, each.name)
        if key in latest and _is_made_of_itself(each):
            made[each.number] = latest[key]
        else:
            latest[key] = each.number
    if not made:
        return own, []
    right = {first: own.done[first].node for first in made.values()}
    setting = replace(own.setting, right=right, meant=own.assignments.meant)
    alone = Run(program, setting)
    alone.all()
    meant, notes = dict(own.assignments.meant), []
    for number, first in made.items():
        done = alone.done[number]
        back = _further_back(names, done)
        if back < 0 and not _same(done.result, names.right(done.node)):
            back = _in_front(names, alone.done[first])
        if back >= 0:
            meant[number] = [Meant(back, done.step)]
            notes.append(
                f"line {done.line.number}: this {spoken(done.name)} is the gradient of {names.trace.label(back)}"
            )
    if not notes:
        return own, []
    again = Run(program, replace(own.setting, meant=meant))
    again.all()
    return again, notes


def overwritten(done: Sequence[Done], final: Mapping[int, int]) -> tuple[dict[int, int], list[str]]:
    """Gradients that other lines use before they are overwritten, by number; and notes on those that nothing uses."""
    used: dict[int, int] = {}
    notes: list[str] = []
    by_node: dict[int, list[Done]] = {}
    for each in done:
        if each.node >= 0:
            by_node.setdefault(each.node, []).append(each)
    for node, claims in by_node.items():
        for first, second in pairwise(claims):
            apart = first.line.number != second.line.number and not (first.turns or second.turns)
            if (
                not apart
                or first.line.judged
                or not np.any(first.result)
                or _reads(done, second, first)
            ):
                continue
            if any(first.number in each.reads for each in done[: second.number]):
                used[first.number] = node
            else:
                notes.append(
                    f"line {first.line.number}: this {spoken(first.name)} was not judged: line "
                    f"{second.line.number} overwrites it"
                )
    return used, notes if final else []


def _reads(done: Sequence[Done], later: Done, earlier: Done) -> bool:
    """Whether an assignment is made of an earlier one."""
    waiting, seen = [later], {later.number}
    while waiting:
        for number in waiting.pop().reads:
            if number == earlier.number:
                return True
            if number > earlier.number and number not in seen:
                seen.add(number)
                waiting.append(done[number])
    return False


def _is_made_of_itself(done: Done) -> bool:
    """Whether an assignment makes a value of what its name held, by a factor or a mask and not by a sum."""
    expression = done.line.expression
    if done.put is not None:
        return isinstance(expression, ast.Constant) and expression.value == 0
    if any(isinstance(term, ast.Name) and term.id == done.name for term in terms_of(expression)):
        return False
    return any(isinstance(part, ast.Name) and part.id == done.name for part in ast.walk(expression))


def _further_back(names: Names, done: Done) -> int:
    """The value in front of the one it was, whose gradient this is; −1 if there is none, or it is still that one."""
    trace = names.trace
    if _same(done.result, names.right(done.node)):
        return -1
    waiting, seen = [done.node], [done.node]
    while waiting and len(seen) < FURTHER_BACK:
        for k in trace.inputs_of(waiting.pop(0)):
            if k < 0 or k in seen:
                continue
            if _same(done.result, names.right(k)):
                return int(k)
            seen.append(k)
            waiting.append(k)
    return -1


def _in_front(names: Names, first: Done) -> int:
    """The one value that a function was applied to, where its own gradient was right already; else −1."""
    trace = names.trace
    before = [k for k in trace.inputs_of(first.node) if k >= 0 and trace.receives[k]]
    if len(before) != 1 or not _same(first.result, names.right(first.node)):
        return -1
    return before[0] if np.shape(trace.value(before[0])) == np.shape(first.result) else -1


def _same(found: Array, right: Array | None) -> bool:
    if right is None or np.shape(found) != np.shape(right) or not np.any(right):
        return False
    return bool(np.max(np.abs(found - right)) <= CLOSE * np.max(np.abs(right)))
