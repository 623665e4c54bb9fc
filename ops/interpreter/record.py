"""What a run of a kernel leaves behind: for every thread the lines that it ran, and what they read and wrote. Frozen.

Threads of a block run one after another, each up to the next barrier. Between barriers no thread sees what another
writes (that would be a race, and is reported), so the recorded events may be put into the order of a GPU afterwards:
see `ops.interpreter.schedule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Access(NamedTuple):
    """One element that a line read or wrote."""

    space: str
    """`global`, `shared` or `local`."""
    array: str
    """The name of the array in the kernel."""
    index: tuple[int, ...]  # type: ignore[assignment]  # hides tuple.index
    value: Any
    write: bool
    before: Any = None
    """Of a write: what was there."""


class Call(NamedTuple):
    """A call of a device function."""

    name: str
    """Of the function."""
    line: int
    """With which the statement begins that calls it."""
    nth: int
    """The first, second... call of that statement."""


class Function(NamedTuple):
    """A device function, as its file has it."""

    name: str
    first_line: int
    lines: tuple[str, ...]


class Event(NamedTuple):
    """One line of the kernel or of a device function that it calls, run by one thread."""

    line: int
    """In the file of the kernel."""
    kind: str
    """`line`, `barrier` (the block waits), `warp` (the warp exchanges numbers, or meets at a `syncwarp`), `grid` (all
    blocks wait), `end`."""
    registers: Mapping[str, Any]
    """The local numbers that the line changed, with their new values; of a device function as `name.number`."""
    accesses: tuple[Access, ...]
    within: tuple[Call, ...] = ()
    """The calls of device functions that led to the line, outermost first."""


class Fault(NamedTuple):
    """What a kernel does wrong, with everything that is needed to point at it."""

    kind: str
    """`race`, `bounds`, `uninitialised`, `divergent barrier`, `deadlock`, `stray shuffle`, `read-only`, `error` (a line
    raised)."""
    text: str
    """The whole story in words, with element, threads and lines."""
    array: str = ""
    index: tuple[int, ...] = ()  # type: ignore[assignment]
    threads: tuple[tuple[int, int, int], ...] = ()
    """The threads that take part, by their index in the block."""
    lines: tuple[int, ...] = ()
    """The line of each of them."""
    block: tuple[int, int, int] = (0, 0, 0)
    """The block of the first of them."""
    blocks: tuple[tuple[int, int, int], ...] = ()
    """The block of each of them."""


class BlockRun(NamedTuple):
    """One block: the events of each of its threads, by thread number."""

    block: tuple[int, int, int]
    threads: tuple[tuple[Event, ...], ...]
    shared: Mapping[str, tuple[tuple[int, ...], str]]
    """Name of each shared array, to its shape and dtype."""
    loops: tuple[tuple[int, int], ...] = ()
    """The first and the last line of every loop of the kernel and its device functions."""


class KernelRun(NamedTuple):
    """A recorded launch: the source, the arguments before and after, and the blocks that were recorded."""

    name: str
    source: tuple[str, ...]
    """The lines of the kernel function."""
    first_line: int
    """The number of the first of them in its file."""
    file: str
    blocks: int | tuple[int, int]
    threads: int
    dtype: str
    arguments: Mapping[str, Any]
    """Argument name to its value before the launch: a copy of an array, or a number."""
    results: Mapping[str, Any]
    """The arrays after it."""
    runs: tuple[BlockRun, ...]
    fault: Fault | None
    stopped: str = ""
    """Why not everything was recorded, in words; empty if all was."""
    functions: tuple[Function, ...] = ()
    """The device functions of the same file that the kernel may call."""
