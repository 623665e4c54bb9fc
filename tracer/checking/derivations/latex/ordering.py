"""Puts lines so that everything is defined before it is used, else in the order of the text."""

from __future__ import annotations

import ast
import heapq
from collections.abc import Sequence

from tracer.checking.derivations.reading import Line


def ordered_lines(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines, each after those that define what it uses; lines that need each other stay where they are.

    >>> def line(target, text): return Line(1, "", target, ast.parse(text, mode="eval").body)
    >>> [each.target for each in ordered_lines([line("dx", "2 * d"), line("d", "y + 1")])]
    ['d', 'dx']
    """
    by_target: dict[str, list[int]] = {}
    for k, line in enumerate(lines):
        by_target.setdefault(line.target, []).append(k)
    needs: list[set[int]] = []
    for k, line in enumerate(lines):
        used = {part.id for part in ast.walk(line.expression) if isinstance(part, ast.Name)}
        before = {j for name in used for j in by_target.get(name, ()) if name != line.target}
        before |= {j for j in by_target[line.target] if j < k}
        needs.append(before)
    users: list[list[int]] = [[] for _ in lines]
    for k, before in enumerate(needs):
        for j in before:
            users[j].append(k)
    open_needs = [len(before) for before in needs]
    ready = [k for k, count in enumerate(open_needs) if not count]
    heapq.heapify(ready)
    found: list[int] = []
    while ready:
        k = heapq.heappop(ready)
        found.append(k)
        for user in users[k]:
            open_needs[user] -= 1
            if not open_needs[user]:
                heapq.heappush(ready, user)
    placed = set(found)
    return tuple(lines[k] for k in [*found, *(k for k in range(len(lines)) if k not in placed)])
