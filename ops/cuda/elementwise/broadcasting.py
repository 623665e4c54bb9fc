"""Broadcasting seen by a kernel: axes that lie alike in all operands merged into one, and how the rest is cut up.

After the merge an operand either moves along an axis or does not. Of at most two axes it has a letter: `f` full, `r`
one row that all rows share, `c` one column, `n` one number; of more axes it has a mask: `101` moves along the first and
the last of three. Device arrays are contiguous, so a mask is all that an index needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

Shape = tuple[int, ...]

MOST_AXES = 4
"""How many axes may be left after the merge."""

LETTERS: Mapping[str, str] = MappingProxyType({"01": "r", "10": "c"})


class Layout(NamedTuple):
    """The sizes of the merged axes, and the kind of every operand."""

    sizes: Shape
    kinds: tuple[str, ...]


@lru_cache(maxsize=4096)
def layout_of(shape: Shape, operands: tuple[Shape | None, ...]) -> Layout | None:
    """How operands (None for a Python number, kind `p`) lie against a result; None if over four axes are left.

    >>> layout_of((8, 4, 5), ((8, 4, 5), (4, 5), (8, 1, 1), (1,), None))
    Layout(sizes=(8, 20), kinds=('f', 'r', 'c', 'n', 'p'))
    >>> layout_of((2, 3, 5), ((2, 3, 5), (3, 1)))
    Layout(sizes=(2, 3, 5), kinds=('f', '010'))
    >>> layout_of((2, 3), ((2, 3), (2, 3))).sizes
    (6,)
    """
    sizes: list[int] = []
    moving: list[tuple[bool, ...]] = []
    padded = [None if x is None else (1,) * (len(shape) - len(x)) + x for x in operands]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        moves = tuple(x is not None and x[axis] != 1 for x in padded)
        if moving and moving[-1] == moves:
            sizes[-1] *= size
        else:
            sizes.append(size)
            moving.append(moves)
    if len(sizes) > MOST_AXES:
        return None
    kinds = [
        "p" if x is None else _kind("".join("01"[moves[k]] for moves in moving))
        for k, x in enumerate(padded)
    ]
    return Layout(tuple(sizes), tuple(kinds))


def _kind(mask: str) -> str:
    if "0" not in mask:
        return "f"
    if "1" not in mask:
        return "n"
    return LETTERS.get(mask, mask)


class Tiling(NamedTuple):
    """How a matrix is cut into the tiles of blocks. A function of its shape alone, so that sums have one order."""

    lanes: int
    """Into how many sums a tile is gathered at first: as many as a block has threads."""
    width: int
    """How many of them lie side by side in a row; the rest lie below each other."""
    splits: int
    """Into how many parts the summed axis is cut."""


BLOCKS = 132 * 32
"""Several times as many blocks as the 132 multiprocessors of an H200 hold at a time, lest many wait for a last few."""

SMALL_LIST = 4096
"""Up to so many elements blocks of 32 threads are launched: a few more of them, none idle."""

SMALL = 1024
"""Up to so many elements a matrix is summed by 32 lanes, without a second launch."""


def by_columns(rows: int, columns: int) -> Tiling:
    """Tiles of up to 32 columns, whose rows are summed.

    >>> by_columns(65536, 1024)
    Tiling(lanes=256, width=32, splits=132)
    >>> by_columns(33, 5)
    Tiling(lanes=32, width=8, splits=1)
    """
    lanes = 32 if rows * columns <= SMALL else 256
    width = _width(columns, 32)
    return Tiling(lanes, width, _splits(rows, columns, lanes // width, width))


def by_rows(rows: int, columns: int) -> Tiling:
    """Tiles of a few rows, whose columns are summed: by 32 lanes each, or by all of them where there are few rows.

    >>> by_rows(65536, 1024)
    Tiling(lanes=256, width=32, splits=1)
    >>> by_rows(1, 1 << 28)
    Tiling(lanes=256, width=256, splits=4224)
    """
    lanes = 32 if rows * columns <= SMALL else 256
    width = _width(columns, lanes if rows < BLOCKS else 32)
    return Tiling(lanes, width, _splits(columns, rows, width, lanes // width))


def _width(size: int, most: int) -> int:
    """The least power of two that a row fits into, up to the most."""
    width = 1
    while width < min(size, most):
        width *= 2
    return width


def _splits(summed: int, kept: int, lanes: int, width: int) -> int:
    """Into how many parts to cut what is summed by so many lanes, for tiles of a width: each sums eight or more."""
    if summed * kept <= SMALL:
        return 1
    tiles = math.ceil(kept / width)
    return max(1, min(math.ceil(BLOCKS / tiles), math.ceil(summed / (8 * lanes))))
