"""Frames, wires and blocks as areas of a cell: no font can shift them, so they join without gaps.

The shape of a box-drawing character is read off its Unicode name, `BOX DRAWINGS LIGHT DOWN AND RIGHT`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from typing import NamedTuple

WIDTH, HEIGHT = 8, 16
"""Units of a cell."""
CX, CY = 3, 7
"""Where wires meet: the left upper corner of a square as wide as they are."""
APART = 2
"""How far each of two parallel lines lies from where a single one would."""
_WEIGHTS = {"LIGHT": "light", "SINGLE": "light", "HEAVY": "heavy", "DOUBLE": "double"}
_SIDES = {
    "LEFT": ("left",), "RIGHT": ("right",), "UP": ("up",), "DOWN": ("down",),
    "HORIZONTAL": ("left", "right"), "VERTICAL": ("up", "down"),
}  # fmt: skip
_DASHES = {"DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}
_OUTLINES = {
    "▶": "m0 3l8 4.5l-8 4.5z",
    "◀": "m8 3l-8 4.5l8 4.5z",
    "▲": "m3.5 3l4 8h-8z",
    "▼": "m3.5 12l4-8h-8z",
    "╭": "m3 16v-4q0-5 5-5v1q-4 0-4 4v4z",
    "╮": "m4 16v-4q0-5-4-5v1q3 0 3 4v4z",
    "╰": "m3 0v3q0 5 5 5v-1q-4 0-4-4v-3z",
    "╯": "m4 0v3q0 5-4 5v-1q3 0 3-4v-3z",
}
_QUARTERS = {
    "▖": "3", "▗": "4", "▘": "1", "▙": "134", "▚": "14", "▛": "123", "▜": "124", "▝": "2", "▞": "23", "▟": "234",
}  # fmt: skip
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


class Box(NamedTuple):
    """A rectangle: its left upper corner and its size."""

    x: float
    y: float
    w: float
    h: float


class Shape(NamedTuple):
    """What a character looks like: boxes, or an outline of SVG that is relative to the corner of the cell.

    `cover` is the share of ink in it: less than 1 for shades.
    """

    boxes: tuple[Box, ...] = ()
    outline: str = ""
    cover: float = 1.0


@cache
def shape(character: str) -> Shape | None:
    """The shape of a character that is drawn; None for one that is written.

    >>> shape("─").boxes
    (Box(x=0, y=7, w=8, h=1),)
    >>> shape("x") is None
    True
    """
    if character in _OUTLINES:
        return Shape(outline=_OUTLINES[character])
    if "\u2800" <= character <= "\u28ff":
        dots = ord(character) - 0x2800
        shown = (place for bit, place in enumerate(_DOTS) if dots >> bit & 1)
        return Shape(tuple(Box(1 + 4 * x, 1 + 4 * y, 2, 2) for x, y in shown))
    if "▀" <= character <= "▟":
        return _block(character)
    name = unicodedata.name(character, "")
    if not name.startswith("BOX DRAWINGS ") or "DIAGONAL" in name:
        return None
    words = name.removeprefix("BOX DRAWINGS ")
    return Shape(_dashes(words.split()) if "DASH" in words else _crossing(arms(words)))


def arms(words: str) -> dict[str, str]:
    """The weight of each arm of a box-drawing character, by the end of its name.

    >>> arms("VERTICAL LIGHT AND RIGHT HEAVY")
    {'up': 'light', 'down': 'light', 'right': 'heavy'}
    >>> arms("DOUBLE DOWN AND LEFT")
    {'down': 'double', 'left': 'double'}
    """
    found: dict[str, str] = {}
    weight = ""
    for part in words.split(" AND "):
        named = [_WEIGHTS[word] for word in part.split() if word in _WEIGHTS]
        weight = named[0] if named else weight
        found |= {side: weight for word in part.split() for side in _SIDES.get(word, ())}
    return found


def _crossing(weights: dict[str, str]) -> tuple[Box, ...]:
    """The boxes of arms that meet in the middle of a cell."""
    return merged(box for side, weight in weights.items() for box in _arm(side, weight, weights))


def _arm(side: str, weight: str, weights: dict[str, str]) -> Iterable[Box]:
    """An arm: one box, or two for a double one, which end where the crossing double ones begin."""
    flat = side in ("left", "right")
    middle, across, far = (CX, CY, WIDTH) if flat else (CY, CX, HEIGHT)
    before, after = (
        weights.get(each) == "double" for each in (("up", "down") if flat else ("left", "right"))
    )
    outward = 1 if side in ("right", "down") else -1
    thick = 2 if weight == "heavy" else 1
    for offset in (-APART, APART) if weight == "double" else (0,):
        inner, outer = (before, after) if offset < 0 else (after, before)
        if not offset:
            inner, outer = before and after, before != after
        shift = APART * outward * (1 if inner else -1 if outer else 0)
        start, end = (middle + shift, far) if outward > 0 else (0, middle + shift + thick)
        if flat:
            yield Box(start, across + offset, end - start, thick)
        else:
            yield Box(across + offset, start, thick, end - start)


def merged(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """The same area in fewer boxes: those that touch and are equally high, or equally wide, become one.

    >>> merged([Box(0, 7, 8, 1), Box(8, 7, 8, 1)])
    (Box(x=0, y=7, w=16, h=1),)
    """
    rows: list[Box] = []
    for box in sorted(boxes, key=attrgetter("y", "h", "x")):
        last = rows[-1] if rows else None
        if last and (last.y, last.h) == (box.y, box.h) and box.x <= last.x + last.w:
            rows[-1] = last._replace(w=max(last.w, box.x + box.w - last.x))
        else:
            rows.append(box)
    kept: list[Box] = []
    for box in sorted(rows, key=attrgetter("x", "w", "y")):
        last = kept[-1] if kept else None
        if last and (last.x, last.w) == (box.x, box.w) and box.y <= last.y + last.h:
            kept[-1] = last._replace(h=max(last.h, box.y + box.h - last.y))
        else:
            kept.append(box)
    return tuple(sorted(kept, key=attrgetter("y", "x")))


def _dashes(words: list[str]) -> tuple[Box, ...]:
    """Dashes across the cell, or down."""
    count = next(_DASHES[word] for word in words if word in _DASHES)
    thick = 2 if "HEAVY" in words else 1
    flat = "HORIZONTAL" in words
    size = (WIDTH if flat else HEIGHT) / count
    starts = [(round(size * (number + 0.2), 1), round(size * 0.6, 1)) for number in range(count)]
    if flat:
        return tuple(Box(start, CY, length, thick) for start, length in starts)
    return tuple(Box(CX, start, thick, length) for start, length in starts)


def _block(character: str) -> Shape:
    """Half blocks, eighths, shades and quarters."""
    code = ord(character)
    if character == "▀":
        return Shape((Box(0, 0, 8, 8),))
    if character <= "█":  # by eighths, from below
        tall = 2 * (code - ord("▀"))
        return Shape((Box(0, HEIGHT - tall, 8, tall),))
    if character <= "▏":  # by eighths, from the left, seven to one
        return Shape((Box(0, 0, ord("▐") - code, 16),))
    if character in "░▒▓":
        return Shape((Box(0, 0, 8, 16),), cover=0.25 * (code - ord("▐")))
    edges = {"▐": Box(4, 0, 4, 16), "▔": Box(0, 0, 8, 2), "▕": Box(7, 0, 1, 16)}
    if character in edges:
        return Shape((edges[character],))
    corners = {
        "1": Box(0, 0, 4, 8),
        "2": Box(4, 0, 4, 8),
        "3": Box(0, 8, 4, 8),
        "4": Box(4, 8, 4, 8),
    }
    return Shape(merged(corners[number] for number in _QUARTERS[character]))
