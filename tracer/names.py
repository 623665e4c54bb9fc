"""Names of nodes: given ones, else the variable that a node was assigned to, found by the exact span in the source."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import cycle, groupby
from typing import TYPE_CHECKING

import numpy as np

from tracer.errors import UnknownNameError
from tracer.format import printable
from tracer.kinds import KINDS

if TYPE_CHECKING:
    from tracer.places import Span
    from tracer.traces import Trace

DIGITS = 18
"""A text of more digits is not read as the number of a node."""
SHOWN = 12
"""So many names are listed where there is none of that name."""


def names_of(trace: Trace) -> tuple[str, ...]:
    """The name of each node, empty where it has none.

    The assignment whose value is exactly the span of a node names it. Where one span made several nodes (a function
    that records more than one, a layer), the last of them bears the name; in a loop the last of each turn.
    """
    assigned = [
        trace.sources[p.file].assignments.get(p.span, "") if p.file in trace.sources else ""
        for p in trace.places
    ]
    names = [""] * len(trace)
    places = trace.place_of.tolist()
    ops = trace.op_of.tolist()
    for place, run in groupby(range(len(trace)), key=places.__getitem__):
        if place < 0 or not assigned[place]:
            continue
        nodes = list(run)
        last = ops[nodes[-1]]
        spot = trace.places[place]
        function = trace.sources[spot.file].called.get(spot.span)
        if (
            function
            and last >= 0
            and function != trace.ops[last].name
            and len({ops[k] for k in nodes}) == 1
        ):
            nodes = nodes[-1:]  # one call made them all, such as sum(losses)
        turn = _period([ops[k] for k in nodes])
        for k in nodes[turn - 1 :: turn]:
            names[k] = assigned[place]
    for k, name in (*_constants(trace).items(), *_elements(trace)):
        names[k] = name
    for k, name in trace.given_names.items():
        names[k] = name
    return tuple(names)


def _period(ops: list[int]) -> int:
    """After how many operations they repeat: the length of one turn of a loop, or of all if there is none.

    >>> _period([1, 2, 1, 2]), _period([3, 3, 3]), _period([1, 2, 1])
    (2, 1, 3)
    """
    count = len(ops)
    turns = (size for size in range(1, count + 1) if count % size == 0)
    return next(size for size in turns if ops[size:] == ops[: count - size])


def _elements(trace: Trace) -> Iterator[tuple[int, str]]:
    """Names of what comprehensions made: those of its targets, or numbered; of a list of unknown length, leaves only.

    A trace holds what its loss needs. So nothing is named of a comprehension of which some elements are not there, as
    nobody knows which; and a list of unknown length lends its name without a number.
    """
    made: defaultdict[int, list[int]] = defaultdict(list)
    unpacked = [
        trace.sources[p.file].unpacked.get(p.span, ()) if p.file in trace.sources else ()
        for p in trace.places
    ]
    places = trace.place_of.tolist()
    for k, place in enumerate(places):
        if place >= 0 and unpacked[place]:
            made[place].append(k)
    for place, nodes in made.items():
        names = unpacked[place]
        whole = len(names) > 1 or names[0].endswith("]")
        for run in _runs(trace, places, nodes) if whole else [nodes]:
            if not whole:
                yield from ((k, names[0]) for k in run if trace.op_of[k] < 0)
            elif len(run) % len(names) == 0 and len({trace.op_of[k] for k in run}) == 1:
                yield from zip(run, cycle(names), strict=False)


def _runs(trace: Trace, places: list[int], nodes: list[int]) -> Iterator[list[int]]:
    """The nodes of one place, cut where something else was recorded than its parts: each run of a comprehension."""
    whole = trace.places[places[nodes[0]]]
    parts = [p.file == whole.file and _lies_in(p.span, whole.span) for p in trace.places]
    run: list[int] = []
    for k in nodes:
        if run and not all(at >= 0 and parts[at] for at in places[run[-1] + 1 : k]):
            yield run
            run = []
        run.append(k)
    yield run


def _lies_in(part: Span, whole: Span) -> bool:
    line, end_line, column, end_column = whole
    first, last, start, end = part
    return (line, column) <= (first, start) and (last, end) <= (end_line, end_column)


def _constants(trace: Trace) -> dict[int, str]:
    """Names of the constants that were made from operands: the X of `X @ w`, where X is an array."""
    found = {}
    for k in np.flatnonzero(trace.kind_of == KINDS.index("constant")).tolist():
        place, edges = trace.place_of[k], trace.uses_of(k)
        if place < 0 or len(edges) != 1 or trace.places[place].file not in trace.sources:
            continue
        consumer = int(trace.edge_consumer[edges[0]])
        argument = int(trace.edge_argument[edges[0]])
        if trace.place_of[consumer] != place or trace.made_by(consumer) is not None:
            continue
        spot = trace.places[place]
        source = trace.sources[spot.file]
        operands = source.operands.get(spot.span, ())
        count = len(trace.inputs_of(consumer))
        op = trace.op_of[consumer]
        same = op >= 0 and source.called.get(spot.span) == trace.ops[op].name
        if operands and operands[0] in source.imported:
            operands = operands[1:]  # tr.matmul(X, w): the first is the module
        elif operands and spot.span in source.methods:
            # w.matmul(X): the first is an operand. What owns the layer of self.embed(X) is none
            operands = ("", *operands[1:]) if same else ()
        # inputs that are left out stand at the end: the bias of linear(X, w)
        fits = len(operands) == count or (same and argument < len(operands) < count)
        if fits and operands[argument]:
            found[k] = operands[argument]
    return found


def detached_from(trace: Trace, node: int) -> str | None:
    """The expression that a constant was detached from, "" where it has no name; None for any other node."""
    place = trace.places[trace.place_of[node]] if trace.place_of[node] >= 0 else None
    if trace.op_of[node] >= 0 or place is None or place.file not in trace.sources:
        return None
    source = trace.sources[place.file]
    if source.called.get(place.span) != "detach":
        return None
    owner, *others = source.operands.get(place.span) or ("",)
    return (others or [""])[0] if owner in source.imported else owner


def labels_of(trace: Trace) -> tuple[str, ...]:
    """A unique label for each node: the name, `h#3` where it repeats, `mul@7` where there is none."""
    names = [printable(name) for name in trace.names]
    total = Counter(names)
    so_far: Counter[str] = Counter()
    words = [op.name for op in trace.ops]
    labels = []
    for k, name in enumerate(names):
        if not name:
            which = trace.op_of[k]
            labels.append(f"{words[which] if which >= 0 else KINDS[trace.kind_of[k]]}@{k}")
        elif total[name] == 1:
            labels.append(name)
        else:
            so_far[name] += 1
            labels.append(f"{name}#{so_far[name]}")
    return tuple(labels)


def numbers_of(trace: Trace) -> dict[str, int]:
    """The number of each node by its label, and by its name: of those that share one, the latest."""
    table = {name: k for k, name in enumerate(trace.names) if name}
    table.update({label: k for k, label in enumerate(trace.labels)})
    return table


def node_called(trace: Trace, key: int | str) -> int:
    """The number of a node given by number or its digits, name or label. Raises `UnknownNameError`."""
    if isinstance(key, str):
        found = trace.numbers_of_names.get(key)
        if found is not None:
            return found
        head, at, digits = key.rpartition("@")
        number = int(digits) if digits.isdecimal() and len(digits) <= DIGITS else len(trace)
        if at and number < len(trace) and head in ("", trace[number].op_name):
            return number
        if not at and digits.isdecimal() and len(digits) <= DIGITS:
            key = number
    if isinstance(key, (int, np.integer)):
        index = int(key)
        if -len(trace) <= index < len(trace):
            return index % len(trace)
        raise UnknownNameError(
            f"there is no node {index}: the trace has nodes 0 to {len(trace) - 1}\n"
            f"  try: a name, such as trace[{_some_of(trace)[0]!r}]"
        )
    names = _some_of(trace, key if isinstance(key, str) else "")
    said = repr(key) if len(repr(key)) <= 80 else f"{repr(key)[:79]}…"
    raise UnknownNameError(
        f"there is no node {said}\n  there are: {', '.join(names)}\n"
        f"  try: one of these names, or a node number"
    )


def _some_of(trace: Trace, near: str = "") -> list[str]:
    """Some names of nodes, those close to a word first."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(name for name in trace.names if name)) or ["0"]
    close = get_close_matches(near, names[:5000], n=SHOWN) if near else []
    rest = [name for name in names if name not in close]
    shown = (close + rest)[:SHOWN]
    return shown + (["…"] if len(names) > len(shown) else [])
