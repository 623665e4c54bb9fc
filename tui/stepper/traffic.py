"""What the lanes of a warp read and write in one step, and what that costs: segments of 128 bytes, banks of 4 bytes.

A load of a warp takes as many transactions as the segments that it touches; arrays begin where a segment does, as every
allocation on a device does. Shared memory has 32 banks, each as wide as 4 bytes: two words of one bank wait for each
other, unless they are the same word. Numbers of 8 bytes go in two halves of the warp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tui.stepper.lanes import amount, lanes_text
from tui.stepper.walk import WARP

if TYPE_CHECKING:
    from ops.interpreter.record import Access, Event
    from tui.stepper.walk import Walk

SEGMENT, BANKS, WORD = 128, 32, 4
"""Bytes of a segment of global memory; banks of shared memory, and their width in bytes."""


@dataclass(frozen=True)
class Traffic:
    """One access of a line, as all its lanes make it: an element each."""

    space: str
    array: str
    write: bool
    threads: tuple[int, ...]
    places: tuple[tuple[int, ...], ...]
    """The element of each of the threads."""
    cost: str
    """In words: how many segments, or which bank conflict; empty of local memory."""
    bad: bool = False
    """Whether it costs more than it must."""

    @property
    def words(self) -> str:
        """The whole sentence: `32 lanes read x[0…31]: 1 segment of 128 bytes, coalesced`."""
        who = lanes_text(self.threads) if len(self.threads) == 1 else _many(self.threads)
        verb = "write" if self.write else "read"
        verb += "s" * (len(self.threads) == 1)
        said = f"{who} {verb} {places_text(self.array, self.places)}"
        return f"{said}: {self.cost}" if self.cost else said


def traffic(walk: Walk, events: Mapping[int, Event]) -> tuple[Traffic, ...]:
    """The accesses of a step: the first of each lane to an array together, then the second ones, and so on."""
    groups: dict[tuple[str, str, bool, int], list[tuple[int, Access]]] = {}
    for thread, event in events.items():
        seen: dict[tuple[str, str, bool], int] = {}
        for access in event.accesses:
            key = access.space, access.array, access.write
            seen[key] = seen.get(key, 0) + 1
            groups.setdefault((*key, seen[key]), []).append((thread, access))
    return tuple(_traffic(walk, key[:3], made) for key, made in groups.items())


def _traffic(walk: Walk, key: tuple[str, str, bool], made: Sequence[tuple[int, Access]]) -> Traffic:
    space, array, write = key
    threads = tuple(thread for thread, _ in made)
    places = tuple(access.index for _, access in made)
    memory = walk.moment(0).memory.get(walk.home(array))
    if memory is None or space == "local":
        return Traffic(space, array, write, threads, places, "")
    shape, size = memory.values.shape, memory.values.itemsize
    flat = [offset(place, shape) for place in places]
    if array in walk.layouts and space == "global":
        begin, strides = walk.layouts[array]
        pairs = [zip(place, strides, strict=False) for place in places]
        flat = [(begin + sum(i * stride for i, stride in pair)) // size for pair in pairs]
    judged = segments if space == "global" else banks
    if space == "shared" and len(flat) == 1:
        return Traffic(space, array, write, threads, places, "")
    cost, bad = judged(flat, size, threads)
    return Traffic(space, array, write, threads, places, cost, bad)


def offset(place: Sequence[int], shape: Sequence[int]) -> int:
    """The place of an element in memory, counted in elements; also of one beyond the end.

    >>> offset((2, 3), (4, 10))
    23
    """
    found = 0
    for index, length in zip(place, shape, strict=False):
        found = found * length + index
    return found


def segments(flat: Sequence[int], size: int, threads: Sequence[int]) -> tuple[str, bool]:
    """What an access of a warp to global memory costs, and whether that is more than it must be.

    flat: the elements, counted from the start of the array. size: bytes of an element.

    >>> segments(range(32), 4, range(32))
    ('1 segment of 128 bytes, coalesced', False)
    >>> segments(range(0, 640, 20), 4, range(32))
    ('20 segments of 128 bytes for 128 bytes of numbers, a stride of 20', True)
    >>> segments(range(1, 33), 4, range(32))
    ('2 segments of 128 bytes, coalesced but not aligned', False)
    """
    wanted = sorted(set(flat))
    touched = {place * size // SEGMENT for place in wanted}
    least = -(-len(wanted) * size // SEGMENT)
    said = f"{amount(len(touched), 'segment')} of {SEGMENT} bytes"
    if len(wanted) == 1:
        return (f"{said}, one element for all lanes" if len(flat) > 1 else said), False
    if len(touched) <= least:
        return f"{said}, coalesced", False
    gaps = {two - one for one, two in pairwise(wanted)}
    if gaps == {1}:
        return f"{said}, coalesced but not aligned", False
    how = f"a stride of {gaps.pop()}" if len(gaps) == 1 else "scattered"
    return f"{said} for {len(wanted) * size} bytes of numbers, {how}", True


def banks(flat: Sequence[int], size: int, threads: Sequence[int]) -> tuple[str, bool]:
    """What an access of a warp to shared memory costs: the most words of one bank that are wanted at once.

    >>> banks(range(32), 4, range(32)), banks(range(0, 64, 2), 4, range(32)), banks([5] * 32, 4, range(32))
    (('no bank conflict', False), ('2-way bank conflict', True), ('one word for all lanes, no conflict', False))
    """
    if len(flat) > 1 and len(set(flat)) == 1:
        return "one word for all lanes, no conflict", False
    wide = max(1, size // WORD)
    lanes_at_once = WARP // wide
    ways = 1
    for part in range(wide):
        words: dict[int, set[int]] = {}
        for place, thread in zip(flat, threads, strict=True):
            if thread % WARP // lanes_at_once == part:
                word = place * size // WORD // wide
                words.setdefault(word % (BANKS // wide), set()).add(word)
        ways = max(ways, max(map(len, words.values()), default=1))
    return ("no bank conflict", False) if ways == 1 else (f"{ways}-way bank conflict", True)


# ----- words


def _many(threads: Sequence[int]) -> str:
    return f"{len(threads)} lanes"


def places_text(array: str, places: Sequence[Sequence[int]]) -> str:
    """Elements of an array, short: where only one axis runs by ones, that as a range.

    >>> places_text("x", [(0,), (1,), (2,), (3,)]), places_text("x", [(7, 0), (7, 1), (7, 2)])
    ('x[0…3]', 'x[7,0…2]')
    >>> places_text("x", [(0,), (64,), (128,), (192,)]), places_text("n", [(5,), (5,)])
    ('x[0], x[64] … x[192]', 'n[5]')
    """
    every = np.asarray(places)
    if every.ndim != 2 or not every.shape[1]:
        return f"{array}[]"
    first, last = places[0], places[-1]
    if np.array_equal(every, np.broadcast_to(every[0], every.shape)):
        return f"{array}{index_text(first)}"
    moving = [k for k in range(every.shape[1]) if len(set(every[:, k].tolist())) > 1]
    if len(moving) == 1 and bool(np.all(np.diff(every[:, moving[0]]) == 1)):
        at = moving[0]
        words = [f"{i}…{last[at]}" if k == at else str(i) for k, i in enumerate(first)]
        return f"{array}[{','.join(words)}]"
    named = [f"{array}{index_text(place)}" for place in (first, places[1], last)]
    if len(places) <= 2:
        return ", ".join(named[: len(places)])
    return f"{named[0]}, {named[1]} … {named[2]}"


def index_text(place: Sequence[Any]) -> str:
    """An index as it is written: `[7,3]`.

    >>> index_text((7, 3))
    '[7,3]'
    """
    return f"[{','.join(map(str, place))}]"
