"""From what a thread ran into to the record of it: who else took part, at which lines, and what to try."""

from __future__ import annotations

import dis
from collections.abc import Callable, Sequence
from types import CodeType, TracebackType
from typing import Any

import numpy as np

from ops.interpreter.faults import Found, Index3, Place, element, told
from ops.interpreter.memory import Checked
from ops.interpreter.namespace import Request
from ops.interpreter.record import Fault


def copied(arguments: Sequence[Any]) -> list[Any]:
    """Arguments for another run that finds what the first one found: one copy of memory that is given twice."""
    copies: dict[Any, Any] = {}
    given = []
    for x in arguments:
        if isinstance(x, np.ndarray):
            key = (x.__array_interface__["data"][0], x.shape, x.dtype)
            if key not in copies:
                copies[key] = x.copy()
                copies[key].flags.writeable = x.flags.writeable
            x = copies[key]
        given.append(x)
    return given


def explained(again: Callable[[], Any], found: Found) -> Fault:
    """The fault that a machine ran into, as told by another one that runs the same and keeps a log of lines.

    Was an element of shared memory read before anything was written to it, a third one goes on to the end of the
    stretch to see who writes it: then a barrier is missing.
    """
    for awaiting in (True, False) if premature(found) else (False,):
        machine = again()
        machine.clock.log, machine.clock.awaiting = [], awaiting
        try:
            machine.run()
        except Found as same:
            if same.kind == "race" or not awaiting:
                return story(machine, same)
        except Exception:  # the made-up number led astray
            continue
    raise AssertionError(f"a run did not repeat: {found.kind} {found}")


def premature(found: Found) -> bool:
    """Whether a thread read shared memory to which nobody had written: too early, perhaps."""
    return found.kind == "uninitialised" and getattr(found.array, "space", "") == "shared"


def story(machine: Any, found: Found) -> Fault:
    """The fault of a run that was made with its log on."""
    code = machine.function.__code__
    frame, line = _kernel_frame(found.__traceback__, code.co_filename)
    if frame is None:
        return _waiting(machine, found)
    block, thread = where(machine, machine.clock.stamp)
    name = _name(found.array, frame)
    spot = element(name, found.index)
    index = tuple(int(i) for i in _parts(found.index)) if _integers(found.index) else ()
    kernel, file = machine.kernel.name, code.co_filename
    if found.kind != "race":
        here = Place(thread, block, line, "")
        return told(
            kernel,
            file,
            found.kind,
            f"{spot} {_what(found)}",
            [here],
            _hint(found, name, line),
            array=name,
            index=index,
        )
    other_block, other = where(machine, found.other)
    array = found.array
    writes = str(found) == "read" or _last_write(machine, array, found)
    was_write = str(found) != "read"
    there = _line_of(machine, array, found, was_write)
    places = [
        Place(other, other_block, there, "wrote it" if was_write else "read it"),
        Place(thread, block, line, "writes it" if writes else "reads it"),
    ]
    apart = block != other_block
    between = "two blocks, and blocks run in any order" if apart else "no barrier in between"
    return told(
        kernel,
        file,
        "race",
        f"race on {spot}: {between}",
        places,
        _mend(code, there, line, apart),
        array=name,
        index=index,
    )


def where(machine: Any, stamp: int) -> tuple[Index3, Index3]:
    """The block and the thread of a stamp."""
    block, first = machine.stretches[stamp // 32]
    number = first + stamp % 32
    sizes = machine.threads
    return block, (number % sizes.x, number // sizes.x % sizes.y, number // (sizes.x * sizes.y))


def _kernel_frame(tb: TracebackType | None, file: str) -> tuple[Any, int]:
    frame, line = None, 0
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == file:
            frame, line = tb.tb_frame, tb.tb_lineno
        tb = tb.tb_next
    return frame, line


def _line_in(frame: Any, file: str) -> int:
    while frame.f_code.co_filename != file:
        frame = frame.f_back
    return int(frame.f_lineno)


def _name(array: Any, frame: Any) -> str:
    for name, value in frame.f_locals.items():
        if value is array:
            return str(name)
    return str(array.name) if isinstance(array, Checked) else "array"


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _integers(index: Any) -> bool:
    return all(hasattr(i, "__index__") for i in _parts(index))


def _what(found: Found) -> str:
    shape = getattr(found.array, "shape", ())
    if found.kind == "bounds":
        return f"{found.what}: its shape is {shape}"
    return found.what


def _last_write(machine: Any, array: Any, found: Found) -> bool:
    """Whether the thread that ran into the race was writing."""
    entry = machine.clock.log[-1]
    return (
        entry.array == (array.space, array.memory)
        and entry.stamp == machine.clock.stamp
        and entry.write
        and bool(entry.index == found.index)
    )


def _line_of(machine: Any, array: Any, found: Found, write: bool) -> int:
    key = (array.space, array.memory)
    for entry in machine.clock.log:
        if (entry.array, entry.stamp, entry.write) == (
            key,
            found.other,
            write,
        ) and entry.index == found.index:
            return int(entry.line)
    return 0


def _mend(code: CodeType, there: int, here: int, apart: bool) -> str:
    if apart:
        return "one block alone for each element, or parts that a second kernel puts together"
    first, last = sorted((there, here))
    if first == last:
        return f"cuda.syncthreads() after line {here} if its loop comes there again; else one thread for each element"
    if any(first < line < last for line in _barrier_lines(code)):
        return f"cuda.syncthreads() after line {last}, before the loop comes to line {first} again"
    return f"cuda.syncthreads() between lines {first} and {last}"


def _barrier_lines(code: CodeType) -> set[int]:
    """The lines that wait for the block, in the code that runs: a barrier that was taken away is not among them."""
    line, found = 0, set[int]()
    for instruction in dis.get_instructions(code):
        positions = instruction.positions
        line = (positions.lineno if positions else None) or line
        if instruction.argval == "syncthreads":
            found.add(line)
    return found


def _hint(found: Found, name: str, line: int) -> str:
    if found.kind == "uninitialised" and found.array.space == "local":  # type: ignore[attr-defined]
        return f"write every element of {name} first"
    if found.kind == "uninitialised":
        return (
            f"write every element of {name} before line {line}, with cuda.syncthreads() in between"
        )
    if found.kind == "read-only":
        return f"an array that may be written for {name}"
    return f"a comparison with {name}.shape before the access"


def _waiting(machine: Any, found: Found) -> Fault:
    """The fault of threads that wait."""
    code = machine.function.__code__
    places: list[Place] = []
    seen = set[Any]()
    for t in machine.standing:
        if t.waiting is None:
            kind, place, line, doing = "end", 0, 0, "has ended"
        else:
            place = t.waiting.place if type(t.waiting) is Request else t.waiting
            kind = t.waiting.kind if type(t.waiting) is Request else "syncthreads"
            line = _line_in(t.greenlet.gr_frame, code.co_filename)
            call = "cg.this_grid().sync" if kind == "grid" else kind
            doing = f"waits at cuda.{call}"
        if (kind, place) not in seen:
            seen.add((kind, place))
            places.append(Place(tuple(t.index), tuple(t.block), line, doing))
    hint = {
        "divergent barrier": "the barrier outside the if, where every thread comes",
        "stray shuffle": "a mask that names the lanes which come to this line, and no others",
    }.get(found.kind, "the same number of syncs in every block")
    return told(machine.kernel.name, code.co_filename, found.kind, found.what, places, hint)
