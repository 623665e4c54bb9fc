"""Values that were recorded once at each step of a loop, such as the h of every time step: reached as `h[t]`."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from tracer.replay import affected
from tracer.traces import Trace

_INDEXED = re.compile(r"([^\W\d]\w*)\[\w+\]")
_NUMBERED = re.compile(r"([^\W\d]\w*?)_?(\d{1,6})")


@dataclass(frozen=True)
class Family:
    """The nodes of one name, in the order of time.

    first: the time step of the first, if the scope says it. initial: the node that stands before the first, such as
    the h0 that the first step reads; −1 if there is none.
    """

    name: str
    nodes: tuple[int, ...]
    first: int | None = None
    initial: int = -1

    def __len__(self) -> int:
        return len(self.nodes)

    def node(self, step: int) -> int:
        """The node of a step, counted from 0; −1 is what stands before. Raises `IndexError` beyond the ends."""
        if len(self.nodes) == 1:
            return self.nodes[0]  # recorded once, at a step that nothing tells
        if step == -1 and self.initial >= 0:
            return self.initial
        if not 0 <= step < len(self.nodes):
            raise IndexError(step)
        return self.nodes[step]


def families_of(trace: Trace) -> dict[str, Family]:
    """By name, the values that a loop recorded again and again: at one place of the source, or at time steps.

    >>> import tracer as tr
    >>> h = h0 = tr.tensor(0.5, name="h0")
    >>> for t in range(3):
    ...     with tr.scope("rnn", t=t):
    ...         h = tr.tanh(h)
    >>> [(each.nodes, each.first, each.initial) for each in families_of(tr.trace(h)).values()]
    [((1, 2, 3), 0, 0)]
    """
    by_name: dict[str, list[int]] = defaultdict(list)
    for node, name in enumerate(trace.names):
        if name:
            by_name[name].append(node)
    found = {}
    for name, nodes in by_name.items():
        indexed = _INDEXED.fullmatch(name)
        family = _family(trace, name, nodes)
        if family is None and indexed and len(nodes) == 1:
            family = Family(name, tuple(nodes))
        if family is not None:
            plain = indexed[1] if indexed and indexed[1] not in by_name else name
            found[plain] = family
    numbered = _numbered(by_name)
    found |= {name: each for name, each in numbered.items() if name not in by_name}
    return {name: _with_initial(trace, each) for name, each in found.items()}


def time_of(trace: Trace, node: int) -> int | None:
    """The time step of a node by its scope, None if no scope says one."""
    for entry in reversed(trace.scopes[trace.scope_of[node]]):
        if entry.key == "t" and isinstance(entry.index, int):
            return entry.index
    return None


def _family(trace: Trace, name: str, nodes: list[int]) -> Family | None:
    """The nodes of one name as steps of a loop, if they are."""
    initial = -1
    if len(nodes) > 1 and trace.op_of[nodes[0]] < 0 <= trace.op_of[nodes[1]]:
        initial, nodes = nodes[0], nodes[1:]
    times = [time_of(trace, node) for node in nodes]
    known = [time for time in times if time is not None]
    if len(known) == len(nodes) and known == list(range(known[0], known[0] + len(nodes))):
        return Family(name, tuple(nodes), known[0], initial) if len(nodes) > 1 else None
    places = {int(trace.place_of[node]) for node in nodes}
    if len(nodes) + (initial >= 0) > 1 and len(places) == 1 and -1 not in places:
        return Family(name, tuple(nodes), None, initial)
    return None


def _numbered(by_name: dict[str, list[int]]) -> dict[str, Family]:
    """Values that bear their step in the name: x0, x1, x2."""
    groups: dict[str, dict[int, int]] = defaultdict(dict)
    for name, nodes in by_name.items():
        parts = _NUMBERED.fullmatch(name)
        if parts and len(nodes) == 1:
            groups[parts[1]][int(parts[2])] = nodes[0]
    found = {}
    for name, steps in groups.items():
        first = min(steps)
        if len(steps) > 1 and sorted(steps) == list(range(first, first + len(steps))):
            found[name] = Family(name, tuple(steps[k] for k in sorted(steps)), first)
    return found


def _with_initial(trace: Trace, family: Family) -> Family:
    """The family with what stands before its first step: `h0`, or what the first step reads as the others read h."""
    if family.initial >= 0:
        return family
    for name in (f"{family.name}0", f"{family.name}_0", f"{family.name}_init"):
        if name in trace.names:
            node = trace.names.index(name)
            return Family(family.name, family.nodes, family.first, node)
    if len(family) < 2 or trace.op_of[family.nodes[0]] < 0:
        return family
    first, second = family.nodes[:2]
    between = set(affected(trace, [first], second)) | {second}
    for edge in trace.uses_of(first):
        consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
        if consumer not in between:
            continue
        twin = consumer - (second - first)
        if 0 <= twin < first and trace.op_of[twin] == trace.op_of[consumer]:
            before = trace.inputs_of(twin)
            if argument < len(before) and 0 <= before[argument] < first:
                return Family(family.name, family.nodes, family.first, before[argument])
        earlier = [
            k
            for k in range(first)
            if trace.op_of[k] == trace.op_of[consumer]
            and trace.place_of[k] == trace.place_of[consumer] >= 0
        ]
        if len(earlier) == 1 and argument < len(trace.inputs_of(earlier[0])):
            node = trace.inputs_of(earlier[0])[argument]
            if node >= 0:
                return Family(family.name, family.nodes, family.first, node)
    return family
