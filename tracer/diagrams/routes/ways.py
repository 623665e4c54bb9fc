"""What a figure calls the ways of a gradient: by the scopes and operations they go through, `skip`, `carry`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracer.diagrams.gates import operand_text
from tracer.diagrams.names import name_text, plain, text_of
from tracer.insight.routes import Route
from tracer.traces import Trace

PASSING = ("add", "reshape", "transpose", "broadcast_to", "concatenate", "stack", "astype")
"""Operations that hand their cotangent on as it is, at most in another shape."""
MOST_WORDS, MOST_LETTERS = 3, 30
"""Of a longer way its first and its last stop are told."""


def stops_of(trace: Trace, edges: Iterable[int]) -> frozenset[int]:
    """The nodes that edges lead to."""
    return frozenset(int(trace.edge_consumer[edge]) for edge in edges)


def route_names(trace: Trace, routes: Sequence[Route], trunk: frozenset[int]) -> list[str]:
    """What each route goes through, stretch by stretch from the source; a stretch that all share is not told.

    A route that is alone has no name.
    """
    stretches = [_stretches(trace, route, trunk) for route in routes]
    told: list[list[str]] = [[] for _ in routes]
    for number in range(len(stretches[0])):
        ways = list(dict.fromkeys(stretch[number] for stretch in stretches))
        if len(ways) > 1:
            names = dict(zip(ways, _way_names(trace, ways), strict=True))
            for words, stretch in zip(told, stretches, strict=True):
                words.append(names[stretch[number]])
    return [
        words[0] if len(words) == 1 else _in_turn([word.removeprefix("through ") for word in words])
        for words in told
    ]


def _in_turn(words: Sequence[str]) -> str:
    """Stretch after stretch; of many the first and the last.

    >>> _in_turn(["F", "skip"]), _in_turn(["a long way", "another long way", "skip", "G"])
    ('F, then skip', 'a long way, …, then G')
    """
    listed = ", then ".join(words)
    return listed if len(listed) <= MOST_LETTERS else f"{words[0]}, …, then {words[-1]}"


def _way_names(trace: Trace, ways: Sequence[tuple[int, ...]]) -> list[str]:
    """Names of the ways from one node to another, by as outer scopes as tell them apart."""
    depth = shared_depth(trace, {node for way in ways for node in stops_of(trace, way)})
    deepest = max(
        len(trace.scopes[trace.scope_of[node]]) for way in ways for node in stops_of(trace, way)
    )
    for inner in range(depth, deepest + 1):
        names = [way_name(trace, way[:-1], way[-1], inner) for way in ways]
        if len(set(names)) == len(ways):
            return names
    return told_apart([way_name(trace, way[:-1], way[-1], depth) for way in ways])


def _stretches(trace: Trace, route: Route, trunk: frozenset[int]) -> list[tuple[int, ...]]:
    """The edges of a route from the source on, cut behind each that leads into the trunk."""
    found: list[tuple[int, ...]] = []
    begun: list[int] = []
    for edge in reversed(route.edges):
        begun.append(edge)
        if int(trace.edge_consumer[edge]) in trunk:
            found.append(tuple(begun))
            begun = []
    return found


def region_name(trace: Trace, source: int, which: int, regions: Sequence[frozenset[int]]) -> str:
    """What a bundle goes through before it meets another one."""
    stops = [stops_of(trace, region) for region in regions]
    own = stops[which].difference(*(stop for k, stop in enumerate(stops) if k != which))
    inner = [edge for edge in sorted(regions[which]) if int(trace.edge_consumer[edge]) in own]
    entry = min(edge for edge in regions[which] if trace.input_of[edge] == source)
    depth = shared_depth(trace, frozenset[int]().union(*stops))
    return way_name(trace, inner or [entry], entry, depth)


def shared_depth(trace: Trace, nodes: Iterable[int]) -> int:
    """How many scopes lie around all of the nodes."""
    scopes = [trace.scopes[trace.scope_of[node]] for node in nodes]
    least = min(map(len, scopes), default=0)
    return next((k for k in range(least) if len({scope[k] for scope in scopes}) > 1), least)


def way_name(trace: Trace, edges: Sequence[int], last: int, depth: int) -> str:
    """What a way goes through: scopes below `depth`, or operations; `skip` or `carry` where nothing is done to it.

    edges: those that lead to what is its own. last: the edge by which it enters what it shares with others.
    """
    working = [edge for edge in edges if not _passes(trace, edge)]
    if not working:
        return "skip" if edges or _passes(trace, last) else "direct"
    working = [edge for edge in working if not _is_gated(trace, edge)]
    if not working:
        return "carry"
    words: list[str] = []
    for edge in working:
        word = _word(trace, edge, depth)
        if word not in words[-1:]:
            words.append(word)
    listed = ", ".join(words)
    if len(words) > MOST_WORDS or (len(words) > 2 and len(listed) > MOST_LETTERS):
        listed = f"{words[0]} … {words[-1]}"
    return f"through {listed}"


def _word(trace: Trace, edge: int, depth: int) -> str:
    node = int(trace.edge_consumer[edge])
    scope = trace.scopes[trace.scope_of[node]]
    if len(scope) > depth:
        return plain(str(scope[depth]), longest=24)
    if trace.names[node]:
        return text_of(name_text(trace.names[node]))
    return text_of(operand_text(trace, node, [int(trace.edge_argument[edge])]))


def _passes(trace: Trace, edge: int) -> bool:
    op = trace.op(int(trace.edge_consumer[edge]))
    return op is not None and op.name in PASSING


def _is_gated(trace: Trace, edge: int) -> bool:
    """Whether it is only multiplied by something computed, as by a gate of an LSTM or of a highway."""
    node, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
    op, inputs = trace.op(node), trace.inputs_of(node)
    other = inputs[1 - argument] if op is not None and op.name == "mul" else -1
    return other >= 0 and other != trace.input_of[edge] and bool(trace.op_of[other] >= 0)


def told_apart(names: Sequence[str]) -> list[str]:
    """The names, numbered where several are alike.

    >>> told_apart(["skip", "through F", "skip"])
    ['skip 1', 'through F', 'skip 2']
    """
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(f"{name} {seen[name]}" if names.count(name) > 1 else name)
    return told
