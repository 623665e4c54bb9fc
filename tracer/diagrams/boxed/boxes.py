"""What cards and the outline draw: a box for a node or for a folded scope, what each reads, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracer.diagrams.boxed.copies import Box, Use, with_copies
from tracer.diagrams.frames import GIVEN, Frame, Part, stretches
from tracer.diagrams.moments import PARAMETER
from tracer.folding.choosing import fold_to
from tracer.folding.merging import Folded
from tracer.recording import Scope

MOST_DRAWN = 30_000
"""Unless told otherwise, a figure leaves nothing out up to so many boxes."""
MOST_TRIES = 6


@dataclass(frozen=True)
class Boxes:
    """Everything that is drawn, and the frames around it."""

    part: Part
    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    remarks: tuple[str, ...] = ()

    @property
    def shapes(self) -> int:
        """How many shapes they take."""
        return sum(box.shapes for box in self.boxes)

    def place_of(self) -> dict[int, int]:
        """Node to the box that shows its numbers or stands for it."""
        return {i: b for b, box in enumerate(self.boxes) if box.copy[0] == 1 for i in box.nodes}


def boxes_of(part: Part, most: int | None, default: int) -> Boxes:
    """The boxes of a part: at most `most` shapes, or about `default` where the user names no number.

    Above that, time steps, equal blocks and scopes are folded. What folding cannot reach is left out, furthest from
    the loss first, and a remark says so.
    """
    wanted = max(1, default if most is None else most)
    nodes = _drawn_nodes(part)
    found = (
        _unfolded(part)
        if len(nodes) <= wanted
        else _folded(part, fold_to(part.trace, nodes, wanted))
    )
    finished = _finished(part, found)
    for _ in range(MOST_TRIES):
        limit = len(found) - (finished.shapes - wanted)
        if finished.shapes <= wanted or limit < 1:
            break
        before = len(found)
        found = _folded(part, fold_to(part.trace, nodes, limit))
        finished = _finished(part, found)
        if len(found) == before or len(found) > limit:
            break
    if finished.shapes <= wanted or (most is None and finished.shapes <= MOST_DRAWN):
        return finished
    finished = _finished(part, found, copies=False)
    if finished.shapes <= wanted:
        return finished
    return _nearest(part, found, MOST_DRAWN if most is None else wanted)


def _drawn_nodes(part: Part) -> tuple[int, ...]:
    return tuple(i for i in part.nodes if i not in part.beyond) if part.beyond else part.nodes


def _unfolded(part: Part) -> list[Box]:
    """A box for every node."""
    trace = part.trace
    nodes = _drawn_nodes(part)
    place = {i: b for b, i in enumerate(nodes)}
    boxes = []
    starts, inputs = trace.input_start.tolist(), trace.input_of.tolist()
    for i in nodes:
        reads: tuple[Use, ...] = ()
        if part.draws_operation(i):
            edges = range(starts[i], starts[i + 1])
            reads = tuple(Use(place[inputs[e]], (e,)) for e in edges if inputs[e] in place)
        boxes.append(Box(f"n{i}", i, (i,), reads))
    return boxes


def _folded(part: Part, folded: Folded) -> list[Box]:
    """The boxes of a folded graph, as far as they hold nodes of the part, in the order in which they ran."""
    trace, nodes = part.trace, np.array(_drawn_nodes(part))
    shown = np.unique(folded.box_of[nodes]).tolist()
    inner: dict[int, list[int]] = {box: [] for box in shown}
    for i, box in zip(nodes.tolist(), folded.box_of[nodes].tolist(), strict=True):
        inner[box].append(i)
    ran = {
        box: next((i for i in found if trace.op_of[i] >= 0), found[0])
        for box, found in inner.items()
    }
    shown.sort(key=ran.__getitem__)
    place = {box: b for b, box in enumerate(shown)}
    real = np.flatnonzero(trace.input_of >= 0)
    source, target = folded.box_of[trace.input_of[real]], folded.box_of[trace.edge_consumer[real]]
    apart = np.isin(target, nodes_of := np.array(shown)) & np.isin(source, nodes_of)
    apart &= (source != target) | (folded.group[target] < 0)
    uses: dict[int, dict[object, list[int]]] = {}
    for edge, left, right in zip(
        real[apart].tolist(), source[apart].tolist(), target[apart].tolist(), strict=True
    ):
        if not part.draws_operation(int(trace.edge_consumer[edge])) or left not in place:
            continue
        line: object = left if folded.is_folded(left) or folded.is_folded(right) else (left, edge)
        uses.setdefault(right, {}).setdefault(line, []).append(edge)
    boxes = []
    for box in shown:
        reads = tuple(
            Use(place[int(folded.box_of[trace.input_of[edges[0]]])], tuple(edges))
            for edges in uses.get(box, {}).values()
        )
        if not folded.is_folded(box) or len(inner[box]) == 1:
            boxes.append(Box(f"n{inner[box][0]}", inner[box][0], tuple(inner[box]), reads))
            continue
        own = set(inner[box])
        left_by = [i for i in folded.leaving(box) if i in own and trace.op_of[i] >= 0] or [max(own)]
        boxes.append(
            Box(
                f"b{inner[box][0]}", left_by[-1], tuple(inner[box]), reads, name=folded.name(box),
                blocks=folded.blocks(box), outputs=len(left_by),
            )
        )  # fmt: skip
    return boxes


def _finished(part: Part, boxes: Sequence[Box], *, copies: bool = True) -> Boxes:
    """With copies of leaves that are read far away, the frames around each box, and what is not drawn counted."""
    if copies:
        trace = part.trace
        weights = {b for b, box in enumerate(boxes) if trace.kind_of[box.face] == PARAMETER}
        places = [trace.scopes[trace.scope_of[box.face]][:1] for box in boxes]
        boxes = with_copies(boxes, weights, places)
    boxes = _counted(part, boxes) if part.trimmed else list(boxes)
    return _framed(part, boxes)


def _counted(part: Part, boxes: Sequence[Box]) -> list[Box]:
    """With the number of edges that are not drawn beside each box. Within a folded box nothing is missing."""
    trace = part.trace
    drawn: dict[int, int] = {}
    used: dict[int, int] = {}
    for b, box in enumerate(boxes):
        drawn[b] = sum(len(use.edges) for use in box.reads)
        for use in box.reads:
            first = _first(boxes, use.source)
            used[first] = used.get(first, 0) + len(use.edges)
    found = []
    for b, box in enumerate(boxes):
        own = set(box.nodes)
        reads = [j for i in box.nodes for j in trace.inputs_of(i) if j >= 0 and j not in own]
        uses = [
            e for i in box.nodes for e in trace.uses_of(i) if int(trace.edge_consumer[e]) not in own
        ]
        missing = (len(reads) - drawn[b], len(uses) - used.get(b, 0))
        found.append(replace(box, missing=missing if box.copy[0] == 1 else (0, 0)))
    return found


def _first(boxes: Sequence[Box], b: int) -> int:
    """The box that shows the numbers of a leaf."""
    if boxes[b].copy[0] == 1:
        return b
    face = boxes[b].face
    return next(k for k, box in enumerate(boxes) if box.face == face and box.copy[0] == 1)


def _framed(part: Part, boxes: Sequence[Box]) -> Boxes:
    """With the frames: those of the scopes in which each box ran; a leaf stands with what reads it."""
    trace = part.trace
    work: list[tuple[int, Scope]] = []
    readers: dict[int, list[int]] = {}
    for b, box in enumerate(boxes):
        for use in box.reads:
            readers.setdefault(use.source, []).append(b)
        if part.draws_operation(box.face) or box.name:
            scope = trace.scopes[trace.scope_of[box.face]]
            work.append((b, scope[: _depth(part, box)] if box.name else scope))
    work.sort(key=lambda one: boxes[one[0]].face)
    made = stretches(work)
    found = []
    for b, box in enumerate(boxes):
        home = made.around.get(b)
        if home is None:
            bound = trace.kind_of[box.face] in GIVEN or box.face not in part.inside
            own = trace.scopes[trace.scope_of[box.face]] if bound else None
            home = made.home(readers.get(b, ()), own)
        found.append(replace(box, home=home))
    return Boxes(part, tuple(found), made.frames)


def _depth(part: Part, box: Box) -> int:
    """How many frames lie around a folded scope: those that all its operations share, but for its own."""
    trace = part.trace
    scopes = {int(trace.scope_of[i]) for i in box.nodes if trace.op_of[i] >= 0}
    paths = [trace.scopes[s] for s in scopes]
    shared = next(
        (k for k, level in enumerate(zip(*paths, strict=False)) if len(set(level)) > 1),
        min(map(len, paths)),
    )
    return shared if box.blocks > 1 else shared - 1


def _nearest(part: Part, boxes: Sequence[Box], most: int) -> Boxes:
    """The boxes nearest to the loss, with stubs where the others would be."""
    whole = replace(part, trimmed=True)
    readers: list[list[int]] = [[] for _ in boxes]
    for b, box in enumerate(boxes):
        for use in box.reads:
            readers[use.source].append(b)
    last = max(range(len(boxes)), key=lambda b: (part.trace.loss in boxes[b].nodes, boxes[b].face))
    order, seen = [last], {last}
    for b in order:
        for other in (*(use.source for use in boxes[b].reads), *readers[b]):
            if other not in seen:
                seen.add(other)
                order.append(other)
    order += [b for b in range(len(boxes)) if b not in seen]
    keep = most
    while True:
        kept = sorted(order[:keep])
        place = {b: k for k, b in enumerate(kept)}
        some = [
            replace(
                boxes[b],
                reads=tuple(
                    use.at(place[use.source]) for use in boxes[b].reads if use.source in place
                ),
            )
            for b in kept
        ]
        found = _finished(whole, some)
        if found.shapes <= most or keep == 1:
            break
        keep = max(1, keep - max(1, (found.shapes - most + 1) // 2))
    if keep == 1:
        found = replace(found, boxes=tuple(replace(box, missing=(0, 0)) for box in found.boxes))
    said = f"{len(kept):,} of {len(boxes):,} boxes are shown, those nearest to the loss"
    said += "; ask for a scope, or for what lies around a node"
    return replace(found, remarks=(said,))
