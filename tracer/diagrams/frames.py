"""Which part of a trace a figure shows, and the frames around it: one per stretch of work inside a scope."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracer import errors
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Cluster, Run, Shape, Text
from tracer.diagrams.settings import Settings
from tracer.kinds import KINDS
from tracer.traces import Trace

GIVEN = (KINDS.index("input"), KINDS.index("constant"))
"""Leaves that stay in the scope they come from; weights stand where they are used."""
EVERYTHING = Settings()


@dataclass(frozen=True)
class Part:
    """The nodes that a figure shows: all of a trace, one scope of it with what flows in, or a neighbourhood."""

    trace: Trace
    nodes: tuple[int, ...]
    """In the order in which they ran."""
    inside: frozenset[int]
    """Those drawn with their operation; the others are inputs from elsewhere."""
    beyond: frozenset[int] = frozenset()
    """Of the others, the inputs of a neighbourhood that lie just outside it; a style may show a stub instead."""
    trimmed: bool = False
    """Whether it is a neighbourhood, from which more edges lead on than those that are drawn."""

    def uses(self, i: int) -> tuple[int, ...]:
        """The edges by which shown operations read node i, in order."""
        edges = self.trace.uses_of(i)
        if len(self.inside) == len(self.trace):
            return tuple(edges)
        return tuple(e for e in edges if int(self.trace.edge_consumer[e]) in self.inside)

    def draws_operation(self, i: int) -> bool:
        """Whether node i is shown as an operation rather than as a given value."""
        return i in self.inside and self.trace.op_of[i] >= 0


def part_of(trace: Trace, settings: Settings = EVERYTHING) -> Part:
    """What the settings ask for: the whole trace, a scope with its direct inputs, the surroundings of a node.

    Raises `DiagramError` listing the scopes when there is none of that name, or where the node is not in it;
    `UnknownNameError` for a node that the trace does not know.
    """
    part = _scope_of(trace, settings.scope)
    return part if settings.around is None else _around(part, settings)


def _scope_of(trace: Trace, scope: str | None) -> Part:
    if scope is None:
        return Part(trace, tuple(range(len(trace))), frozenset(range(len(trace))))
    named = [".".join(map(str, entries)) for entries in trace.scopes]
    wanted = [
        scope in (text, *_prefixes(entries))
        for text, entries in zip(named, trace.scopes, strict=True)
    ]
    if not any(wanted):
        ends = {
            text for entries in trace.scopes for text in _prefixes(entries) if _ends(text, scope)
        }
        if len(ends) == 1:
            return _scope_of(trace, ends.pop())
        if ends:
            raise errors.DiagramError(
                f"{len(ends)} scopes end in {plain(scope, longest=60)!r}\n"
                f"  try: one of {_some(ends)}, such as scope={_first(ends)!r}"
            )
    members = np.flatnonzero(np.array([*wanted, False])[np.asarray(trace.scope_of)])
    inside = {int(i) for i in members if trace.op_of[i] >= 0}
    if not inside:
        known = {text for entries in trace.scopes for text in _prefixes(entries)}
        listed = _some(known)
        raise errors.DiagramError(
            f"no operation was recorded in a scope {plain(scope, longest=60)!r}\n"
            + (
                f"  the scopes are: {listed}"
                if known
                else "  try: with tr.scope(name): around a part of the network"
            )
        )
    sources = {source for i in inside for source in trace.inputs_of(i) if source >= 0}
    leaves = {int(i) for i in members if trace.op_of[i] < 0}
    return Part(trace, tuple(sorted(inside | sources | leaves)), frozenset(inside | leaves))


def _ends(text: str, scope: str) -> bool:
    """Whether a scope is called so by its end: `block[k=6].attention` is `attention` on its frame."""
    return text.endswith(f".{scope}")


def _naturally(text: str) -> list[tuple[bool, int, str]]:
    """By what scopes are put in order: 2 comes before 10."""
    return [
        (piece.isdecimal(), int(piece[:18]) if piece.isdecimal() else 0, piece)
        for piece in re.split(r"(\d+)", text)
    ]


def _first(texts: Iterable[str]) -> str:
    return plain(min(texts, key=_naturally), longest=60)


def _some(texts: Iterable[str]) -> str:
    """The first dozen scopes."""
    known = sorted(texts, key=_naturally)
    listed = ", ".join(plain(text, longest=60) for text in known[:12])
    return listed + (" …" if len(known) > 12 else "")


def _around(part: Part, settings: Settings) -> Part:
    """What lies within so many edges of a node, with the direct inputs of what is drawn with its operation."""
    trace, radius = part.trace, settings.radius
    assert settings.around is not None
    centre = trace.node_index(settings.around)
    if centre not in part.nodes:
        raise errors.DiagramError(
            f"{plain(trace[centre].label, longest=60)} does not lie in the scope "
            f"{plain(str(settings.scope), longest=60)}\n"
            f"  try: without the scope, or scope={trace[centre].scope_text!r}"
        )
    near = within(part, centre, radius)
    inside = frozenset(
        i
        for i in near
        if i in part.inside
        and (trace.op_of[i] < 0 or near & set(trace.inputs_of(i)) or i == centre)
    )
    read = {j for i in inside for j in trace.inputs_of(i) if trace.op_of[i] >= 0 and j >= 0}
    beyond = frozenset(read - near)
    return Part(trace, tuple(sorted(near | beyond)), inside, beyond, trimmed=True)


def within(part: Part, centre: int, radius: int, most: int | None = None) -> set[int]:
    """The nodes at most so many edges from a centre, along arrows or against them; the `most` nearest of them.

    A leaf that others read too is an end: what shares only a weight is not near.
    """
    trace, shown = part.trace, set(part.nodes)
    found, frontier = {centre}, [centre]
    for _ in range(radius):
        ahead: list[int] = []
        for i in frontier:
            reads = [j for j in trace.inputs_of(i) if j >= 0] if part.draws_operation(i) else []
            leads = trace.op_of[i] >= 0 or i == centre
            read_by = [int(trace.edge_consumer[e]) for e in part.uses(i)] if leads else []
            for j in (*reads, *read_by):
                if j in shown and j not in found:
                    if len(found) == most:
                        return found
                    found.add(j)
                    ahead.append(j)
        if not ahead:
            break
        frontier = ahead
    return found


def _prefixes(entries: Sequence[object]) -> list[str]:
    """Every way to name a scope by its beginning: `rnn[t=3]`, `rnn[t=3].cell`, and `rnn` for all its steps."""
    texts = [str(entry) for entry in entries]
    bare = [str(getattr(entry, "name", entry)) for entry in entries]
    exact = [".".join(texts[:k]) for k in range(1, len(texts) + 1)]
    return exact + [".".join([*texts[: k - 1], bare[k - 1]]) for k in range(1, len(texts) + 1)]


@dataclass(frozen=True)
class Frame:
    """One stretch of work inside a scope; a scope entered twice has two."""

    label: str
    parent: int
    depth: int


@dataclass(frozen=True)
class Frames:
    """All frames of a part, and for each node the frames around it, outermost first."""

    frames: tuple[Frame, ...]
    around: Mapping[int, tuple[int, ...]]

    def shared(self, nodes: Iterable[int]) -> tuple[int, ...]:
        """The frames that lie around every one of the nodes; none for no nodes."""
        paths = [self.around[i] for i in nodes]
        if not paths:
            return ()
        least = min(map(len, paths))
        depth = next((k for k in range(least) if len({path[k] for path in paths}) > 1), least)
        return paths[0][:depth]

    def home(self, readers: Iterable[int], own: Sequence[object] | None) -> tuple[int, ...]:
        """Where a leaf stands: with all that read it; with a scope of its `own`, no deeper than that."""
        home = self.shared(readers)
        if own is None:
            return home
        return home[: _common([self.frames[k].label for k in home], [str(entry) for entry in own])]


def frames_of(part: Part) -> Frames:
    """The frames of a part. A leaf stands where all its consumers stand; data no deeper than its own scope."""
    trace = part.trace
    work = [(i, trace.scopes[trace.scope_of[i]]) for i in part.nodes if part.draws_operation(i)]
    made = stretches(work)
    around = dict(made.around)
    for i in part.nodes:
        if i in around:
            continue
        readers = [int(trace.edge_consumer[e]) for e in part.uses(i)]
        own = trace.scopes[trace.scope_of[i]]
        bound = trace.kind_of[i] in GIVEN or i not in part.inside
        around[i] = made.home(readers, own if bound else None)
    return Frames(made.frames, around)


def stretches(work: Iterable[tuple[int, Sequence[object]]]) -> Frames:
    """The frames around things that ran in this order, each in a scope."""
    frames: list[Frame] = []
    around: dict[int, tuple[int, ...]] = {}
    entries: Sequence[object] = ()
    path: tuple[int, ...] = ()
    for i, scope in work:
        kept = _common(entries, scope)
        path = path[:kept]
        for entry in scope[kept:]:
            frames.append(Frame(str(entry), path[-1] if path else -1, len(path)))
            path = (*path, len(frames) - 1)
        entries, around[i] = scope, path
    return Frames(tuple(frames), around)


def _common(left: Sequence[object], right: Sequence[object]) -> int:
    least = min(len(left), len(right))
    return next((k for k in range(least) if left[k] != right[k]), least)


def framed(
    frames: tuple[Frame, ...],
    placed: Mapping[int, Sequence[Shape]],
    notes: Mapping[int, Text] | None = None,
    *,
    filled: bool,
) -> tuple[tuple[Shape, ...], tuple[Cluster, ...]]:
    """The shapes outside all frames, and the outermost clusters. `placed` maps a frame, or -1, to its shapes."""
    inner: dict[int, list[Cluster]] = {}
    for k in reversed(range(len(frames))):
        frame = frames[k]
        shapes, clusters = tuple(placed.get(k, ())), tuple(reversed(inner.get(k, [])))
        if not shapes and not clusters:
            continue
        outer = filled and frame.depth == 0
        look = Run(plain(frame.label, longest=60), "ink" if outer else "quiet", 14 if outer else 12)
        label = (look, *(notes or {}).get(k, ()))
        inner.setdefault(frame.parent, []).append(Cluster(f"f{k}", label, shapes, clusters, outer))
    return tuple(placed.get(-1, ())), tuple(reversed(inner.get(-1, [])))
