"""Which part of a trace a figure shows, and the frames around it: one per stretch of work inside a scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracer import errors
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Cluster, Run, Shape, Text
from tracer.kinds import KINDS
from tracer.traces import Trace

GIVEN = (KINDS.index("input"), KINDS.index("constant"))
"""Leaves that stay in the scope they come from; weights stand where they are used."""


@dataclass(frozen=True)
class Part:
    """The nodes that a figure shows: all of a trace, or one scope of it with what flows in."""

    trace: Trace
    nodes: tuple[int, ...]
    """In the order in which they ran."""
    inside: frozenset[int]
    """Those drawn with their operation; the others are inputs from elsewhere."""

    def uses(self, i: int) -> tuple[int, ...]:
        """The edges by which shown operations read node i, in order."""
        edges = self.trace.uses_of(i)
        if len(self.inside) == len(self.trace):
            return tuple(edges)
        return tuple(e for e in edges if int(self.trace.edge_consumer[e]) in self.inside)

    def draws_operation(self, i: int) -> bool:
        """Whether node i is shown as an operation rather than as a given value."""
        return i in self.inside and self.trace.op_of[i] >= 0


def part_of(trace: Trace, scope: str | None) -> Part:
    """The whole trace, or the nodes whose scope is `scope` or lies inside it, and their direct inputs.

    Raises `DiagramError` listing the scopes when there is none of that name.
    """
    if scope is None:
        return Part(trace, tuple(range(len(trace))), frozenset(range(len(trace))))
    named = [".".join(map(str, entries)) for entries in trace.scopes]
    wanted = [
        scope in (text, *_prefixes(entries))
        for text, entries in zip(named, trace.scopes, strict=True)
    ]
    members = np.flatnonzero(np.array([*wanted, False])[np.asarray(trace.scope_of)])
    inside = {int(i) for i in members if trace.op_of[i] >= 0}
    if not inside:
        known = sorted({text for entries in trace.scopes for text in _prefixes(entries)})
        listed = ", ".join(plain(text, longest=60) for text in known[:12]) + (
            " …" if len(known) > 12 else ""
        )
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


def frames_of(part: Part) -> Frames:
    """The frames of a part. A leaf stands where all its consumers stand; data no deeper than its own scope."""
    trace = part.trace
    frames: list[Frame] = []
    around: dict[int, tuple[int, ...]] = {}
    entries: tuple[object, ...] = ()
    path: tuple[int, ...] = ()
    for i in part.nodes:
        if not part.draws_operation(i):
            continue
        scope = trace.scopes[trace.scope_of[i]]
        kept = _common(entries, scope)
        path = path[:kept]
        for entry in scope[kept:]:
            frames.append(Frame(str(entry), path[-1] if path else -1, len(path)))
            path = (*path, len(frames) - 1)
        entries, around[i] = scope, path
    made = Frames(tuple(frames), around)
    for i in part.nodes:
        if i in around:
            continue
        readers = [int(trace.edge_consumer[e]) for e in part.uses(i)]
        home = made.shared(readers)
        if trace.kind_of[i] in GIVEN or i not in part.inside:
            scope = trace.scopes[trace.scope_of[i]]
            home = home[: _common([frames[k].label for k in home], [str(entry) for entry in scope])]
        around[i] = home
    return made


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
