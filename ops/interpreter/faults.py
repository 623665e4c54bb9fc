"""What a kernel did wrong, told in the words of its writer: the array, the element, the threads, the lines."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from typing import Any, NamedTuple

from ops.errors import GradstepError
from ops.interpreter.record import Fault

Index3 = tuple[int, int, int]


class KernelFault(GradstepError, RuntimeError):  # noqa: N818 - a fault is its name
    """A kernel raced, left an array, read what nobody wrote, or waits for ever. Its `fault` holds the facts."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


class Place(NamedTuple):
    """A thread at a line of the kernel."""

    thread: Index3
    block: Index3
    line: int
    doing: str
    """What the thread does there: `reads`, `writes`, `waits at cuda.syncthreads()`..."""


class Found(Exception):  # noqa: N818 - no error of ours
    """Raised inside a thread where it does wrong. The machine adds lines and words."""

    def __init__(
        self, kind: str, what: str, array: object = None, index: object = (), other: int = -1
    ) -> None:
        super().__init__(what)
        self.kind, self.what, self.array, self.index, self.other = kind, what, array, index, other
        self.shown: tuple[Any, Any] | None = None
        """The array and the index as the kernel names them, where others name the same memory otherwise."""


def told(
    kernel: str,
    file: str,
    kind: str,
    what: str,
    places: Sequence[Place],
    hint: str,
    *,
    array: str = "",
    index: tuple[int, ...] = (),
) -> Fault:
    """The record of a fault with its whole story: what, who at which lines, and one thing to try."""
    across = len({place.block for place in places}) > 1
    block = f", block {short(places[0].block)}" if places and not across else ""
    lines = [f"kernel {kernel}{block}: {what}"]
    for place in places:
        who = f"thread {short(place.thread)}" + (
            f" of block {short(place.block)}" if across else ""
        )
        text = linecache.getline(file, place.line).strip()
        who += f" {place.doing}" if place.doing else ""
        lines.append(f"  line {place.line}: {who}:  {text}" if place.line else f"  {who}")
    return Fault(
        kind,
        "\n".join([*lines, f"  try: {hint}"]),
        array,
        index,
        tuple(place.thread for place in places),
        tuple(place.line for place in places),
        places[0].block if places else (0, 0, 0),
        tuple(place.block for place in places),
    )


def short(index: Index3) -> str:
    """The index of a thread or block as a kernel writes it: one number where the others are 0.

    >>> short((3, 0, 0)), short((3, 1, 0))
    ('3', '(3, 1)')
    """
    x, y, z = index
    return f"({x}, {y}, {z})" if z else f"({x}, {y})" if y else str(x)


def element(array: str, index: object) -> str:
    """An element as source code writes it.

    >>> element("out", (3, 4)), element("out", 7)
    ('out[3, 4]', 'out[7]')
    """
    inside = ", ".join(str(i) for i in index) if isinstance(index, tuple) else str(index)
    return f"{array}[{inside}]"
