"""Geometry of a drawn figure: text outside its box, labels that overlap, lines through text, what the page cuts off.

`findings(drawn)` reads the strokes alone, so it holds for every style, step and format that is written from them.
Letters are boxes of ink: as wide as the font says, as high as their tallest letter, with what hangs below the line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from tests.tracer.diagrams.boxes import Box, around, extent, ink, line_of, outline
from tracer.diagrams.layout.drawn import ROLES
from tracer.diagrams.measure import letters_width
from tracer.diagrams.strokes import Drawn, Ellipse, Item, Letters, Point, Polygon

SLACK = 0.75
"""Points that boxes may share: Graphviz moves letters to whole pixels."""
SQUEEZED = 1.2
"""A text may be so many times as wide as its room: kerning makes it narrower than its letters."""
CELL = 60.0


@dataclass(frozen=True)
class Finding:
    """Something that a reader would stumble over."""

    what: str
    one: str
    other: str
    at: Point
    amount: float

    def __str__(self) -> str:
        x, y = self.at
        second = f" by {self.other}" if self.other else ""
        return f"{self.what}: {self.one}{second}, {self.amount:.1f} points at ({x:.0f}, {y:.0f})"


class Word(NamedTuple):
    """Letters with their place in the painting order."""

    number: int
    order: int
    item: Item
    letters: Letters
    box: Box

    def __str__(self) -> str:
        return f"{self.letters.text!r} of {self.item.kind} {self.item.key}"


def findings(drawn: Drawn) -> tuple[Finding, ...]:
    """All that is wrong with a figure, in painting order."""
    words = tuple(_words(drawn))
    return (
        *_unpainted(drawn),
        *_off_the_page(drawn, words),
        *_squeezed(words),
        *_outside_their_outline(drawn, words),
        *_overlapping(words),
        *_struck_through(drawn, words),
        *_colliding(drawn),
    )


def report(found: Iterable[Finding], most: int = 12) -> str:
    """The findings as lines, the gravest first."""
    lines = [str(each) for each in sorted(found, key=lambda each: -each.amount)]
    more = [f"… and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*lines[:most], *more])


# ----- what can be wrong


def _words(drawn: Drawn) -> Iterator[Word]:
    number = 0
    for order, item in enumerate(drawn.items):
        for stroke in item.strokes:
            if isinstance(stroke, Letters):
                yield Word(number, order, item, stroke, ink(stroke))
                number += 1


def _unpainted(drawn: Drawn) -> Iterator[Finding]:
    """Strokes in no colour, or in one that no palette has."""
    for item in drawn.items:
        for stroke in item.strokes:
            paints = (
                {stroke.paint} if isinstance(stroke, Letters) else {stroke.line, stroke.fill} - {""}
            )
            for paint in paints - set(ROLES):
                box = extent(stroke)
                yield Finding(
                    "not painted", f"{item.kind} {item.key}", f"role {paint!r}", box[:2], 1
                )


def _off_the_page(drawn: Drawn, words: tuple[Word, ...]) -> Iterator[Finding]:
    page = Box(0, 0, drawn.width, drawn.height)
    for item in drawn.items:
        for stroke in item.strokes:
            box = extent(stroke)
            if not page.holds(box, SLACK):
                over = max(-box.left, -box.top, box.right - page.right, box.bottom - page.bottom)
                said = f"{stroke.text!r} of " if isinstance(stroke, Letters) else ""
                yield Finding("off the page", f"{said}{item.kind} {item.key}", "", box[:2], over)


def _squeezed(words: tuple[Word, ...]) -> Iterator[Finding]:
    for word in words:
        room = word.letters.room
        wide = letters_width(word.letters.text.strip(), word.letters.size, word.letters.bold)
        if wide > room * SQUEEZED + 1:
            yield Finding(
                "squeezed", str(word), f"its room of {room:.0f}", word.letters.at, wide - room
            )


def _outside_their_outline(drawn: Drawn, words: tuple[Word, ...]) -> Iterator[Finding]:
    """Text of a framed item that leaves the frame, at a corner of an ellipse too."""
    frames = {
        order: (outline(item.strokes), item)
        for order, item in enumerate(drawn.items)
        if item.kind in ("shape", "cluster")
    }
    for word in words:
        frame, item = frames.get(word.order, (None, None))
        if frame is None or item is None:
            continue
        if item.kind == "cluster":  # a label may stand on its frame, or right below it
            tall = word.box.bottom - word.box.top + 2
            frame = Box(frame.left, frame.top - tall, frame.right, frame.bottom + tall)
        if not frame.holds(word.box, SLACK):
            box = word.box
            over = max(
                frame.left - box.left,
                frame.top - box.top,
                box.right - frame.right,
                box.bottom - frame.bottom,
            )
            yield Finding("outside its box", str(word), "", box[:2], over)
            continue
        for stroke in item.strokes:
            if isinstance(stroke, Ellipse):
                over = _beyond(word.box, stroke)
                if over > SLACK:
                    yield Finding("outside its box", str(word), "its ellipse", word.box[:2], over)


def _beyond(box: Box, ellipse: Ellipse) -> float:
    """How far the corners of a box lie outside an ellipse; corners of ink boxes are mostly empty, hence a margin."""
    (x, y), (across, up) = ellipse.middle, ellipse.radii
    far = max(
        (((cx - x) / across) ** 2 + ((cy - y) / up) ** 2) ** 0.5
        for cx in (box.left, box.right)
        for cy in (box.top, box.bottom)
    )
    return (far - 1.08) * min(across, up)


def _overlapping(words: tuple[Word, ...]) -> Iterator[Finding]:
    for one, other in _near(words):
        across, down = one.box.meets(other.box)
        follows = one.order == other.order and abs(one.letters.at[1] - other.letters.at[1]) < 0.5
        if across > (1.5 if follows else SLACK) and down > SLACK:
            yield Finding("overlaps", str(one), str(other), other.box[:2], min(across, down))


def _near(words: tuple[Word, ...]) -> Iterator[tuple[Word, Word]]:
    """Pairs of words that lie in a common cell of a grid, each once."""
    cells: dict[tuple[int, int], list[Word]] = defaultdict(list)
    seen: set[tuple[int, int]] = set()
    for word in words:
        for cell in _cells(word.box):
            for other in cells[cell]:
                if (other.number, word.number) not in seen:
                    seen.add((other.number, word.number))
                    yield other, word
            cells[cell].append(word)


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    for column in range(int(box.left // CELL), int(box.right // CELL) + 1):
        for row in range(int(box.top // CELL), int(box.bottom // CELL) + 1):
            yield column, row


def _struck_through(drawn: Drawn, words: tuple[Word, ...]) -> Iterator[Finding]:
    """A line that is seen across text: an edge, a frame, a wire; what a later fill covers is not seen."""
    cells: dict[tuple[int, int], list[Word]] = defaultdict(list)
    for word in words:
        for cell in _cells(word.box):
            cells[cell].append(word)
    fills = _grounds(drawn)
    for order, item in enumerate(drawn.items):
        for stroke in item.strokes:
            if isinstance(stroke, (Letters, Ellipse)) or not stroke.line:
                continue
            if (
                item.kind == "edge"
                and not (isinstance(stroke, Polygon) and stroke.open)
                and stroke.fill
            ):
                continue  # an arrow's head
            hit: dict[int, tuple[Word, float]] = {}
            for a, b in pairwise(line_of(stroke)):
                piece = Box(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
                for cell in _cells(piece):
                    for word in cells.get(cell, ()):
                        if word.order == order and item.kind == "shape":
                            continue  # its own rule or border
                        depth = _depth(a, b, word.box)
                        if depth > 0 and not _covered(word, order, fills):
                            hit[word.number] = (
                                word,
                                max(depth, hit.get(word.number, (word, 0.0))[1]),
                            )
            for word, depth in hit.values():
                yield Finding(
                    "struck through", str(word), f"{item.kind} {item.key}", word.box[:2], depth
                )


def _grounds(drawn: Drawn) -> dict[int, Box]:
    """Items with a filled ground, by their place in the painting order."""
    found = {}
    for order, item in enumerate(drawn.items):
        boxes = [
            extent(stroke)
            for stroke in item.strokes
            if not isinstance(stroke, Letters) and stroke.fill and item.kind == "shape"
        ]
        if boxes:
            found[order] = around(boxes)
    return found


def _covered(word: Word, line: int, fills: dict[int, Box]) -> bool:
    """Whether the ground that a word stands on was painted over the line."""
    ground = fills.get(word.order)
    return line < word.order and ground is not None and ground.holds(word.box, SLACK)


def _depth(a: Point, b: Point, box: Box) -> float:
    """How long a piece of line runs inside a box that is a little smaller than the ink; 0 if it only touches."""
    inner = Box(box.left + 0.8, box.top + 0.8, box.right - 0.8, box.bottom - 0.8)
    low, high = 0.0, 1.0
    for start, step, least, most in (
        (a[0], b[0] - a[0], inner.left, inner.right),
        (a[1], b[1] - a[1], inner.top, inner.bottom),
    ):
        if least >= most:
            return 0.0
        if abs(step) < 1e-9:
            if not least < start < most:
                return 0.0
            continue
        first, second = sorted(((least - start) / step, (most - start) / step))
        low, high = max(low, first), min(high, second)
    if low >= high:
        return 0.0
    return (high - low) * ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5


def _colliding(drawn: Drawn) -> Iterator[Finding]:
    """Framed shapes that overlap, unless one lies wholly on the other, as on a pane."""
    framed = []
    for item in drawn.items:
        box = outline(item.strokes) if item.kind == "shape" else None
        if box is not None:
            framed.append((item, box))
    framed.sort(key=lambda pair: pair[1].left)
    open_ones: list[tuple[Item, Box]] = []
    for item, box in framed:
        open_ones = [pair for pair in open_ones if pair[1].right > box.left]
        for other, held in open_ones:
            across, down = box.meets(held)
            inside = held.holds(box, SLACK) or box.holds(held, SLACK)
            if across > SLACK and down > SLACK and not inside:
                yield Finding(
                    "collides",
                    f"shape {item.key}",
                    f"shape {other.key}",
                    box[:2],
                    min(across, down),
                )
        open_ones.append((item, box))
