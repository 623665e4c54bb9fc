"""How large a box is, and where on its frame wires come in and go out, for drawings to the right and down."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

PORTS = 6
"""A box has at most so many rows where wires come in; a node of more arguments shares them."""


class Shape(NamedTuple):
    """The size of a box in cells; one that stands for several nodes has a second edge right and below, its shadow."""

    width: int
    height: int
    shadow: bool = False


class Ports(NamedTuple):
    """A box as the layout sees it.

    Its size along the flow and across it, and the places, counted across, where its value leaves and its arguments
    come in.
    """

    depth: int
    breadth: int
    out: int
    ins: tuple[int, ...]


def box_height(arguments: int, rows: int = 2) -> int:
    """Rows of a box that writes so many rows: a frame, and a row for every argument, PORTS at most."""
    return 2 + max(rows, min(arguments, PORTS))


@lru_cache(maxsize=4096)
def ports(shape: Shape, arguments: int, *, down: bool = False) -> Ports:
    """Where the wires of a box with so many arguments end; `down` for a drawing from top to bottom.

    >>> ports(Shape(13, 4), 2)
    Ports(depth=13, breadth=4, out=1, ins=(1, 2))
    >>> ports(Shape(13, 4), 2, down=True)
    Ports(depth=4, breadth=14, out=9, ins=(3, 9))
    """
    width, height = shape.width - shape.shadow, shape.height - shape.shadow
    if down:
        out = width // 2 if height == 1 else width - 4
        first = out if arguments == 1 or height == 1 else min(3, out)
        step = (out - first) / max(1, arguments - 1)
        ins = tuple(first + round(a * step) for a in range(arguments))
        return Ports(shape.height, shape.width + 1, out, ins)
    first = 0 if height == 1 else 1
    rows = max(1, height - 2)
    shared = (a if arguments <= rows else a * rows // arguments for a in range(arguments))
    return Ports(shape.width, shape.height, first, tuple(first + row for row in shared))
