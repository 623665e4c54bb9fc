"""From what a thread ran into to the record of it: who else took part, at which lines, and what to try."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ops.interpreter.faults import Found, Index3, Place, element, told
from ops.interpreter.indexed import Indexed, plain
from ops.interpreter.memory import Checked
from ops.interpreter.mending import mended, race_mended
from ops.interpreter.namespace import Request
from ops.interpreter.own_memory import Local
from ops.interpreter.passing import end_of
from ops.interpreter.record import Fault
from ops.interpreter.sources import Source, source_of
from ops.interpreter.unknown import unknown
from ops.interpreter.windows import address, overlapping
from ops.interpreter.windows import copies as copies_of


def copied(arguments: Sequence[Any]) -> list[Any]:
    """Arguments for another run that finds what the first one found: one copy of memory that is given twice."""
    copies: dict[Any, Any] = {}
    arrays = [x for x in arguments if isinstance(x, np.ndarray)]
    for group in overlapping(arrays):
        own = [arrays[i] for i in group]
        copies |= zip(map(_key, own), copies_of(own), strict=True)
    given = []
    for x in arguments:
        if isinstance(x, np.ndarray):
            key = _key(x)
            if key not in copies:
                copies[key] = x.copy(order="K")
                copies[key].flags.writeable = x.flags.writeable
            x = copies[key]
        given.append(x)
    return given


def _key(x: np.ndarray[Any, Any]) -> Any:
    return (address(x), x.shape, x.dtype, x.strides)


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
    shown, at = found.shown or (found.array, found.index)
    name = _name(shown, frame)
    spot = element(name, at)
    index = tuple(int(i) for i in _parts(at)) if _integers(at) else ()
    kernel, file = machine.kernel.name, code.co_filename
    if found.kind != "race":
        here = Place(thread, block, line, "")
        return told(
            kernel,
            file,
            found.kind,
            f"{spot} {_what(found)}",
            [here],
            mended(found, name, line),
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
        race_mended(
            frame.f_code,
            name,
            there,
            line,
            apart=apart,
            reads=not (writes and was_write),
            device=frame.f_code is not code,
        ),
        array=name,
        index=index,
    )


def raised_in(machine: Any, error: Exception) -> Fault:
    """The fault of a thread in which a line raised: no call of CUDA, a division by 0, a name without a value."""
    code = machine.function.__code__
    _, line = _kernel_frame(error.__traceback__, code.co_filename)
    if not line:
        raise error
    block, thread = where(machine, machine.clock.stamp)
    name = type(error).__name__
    what, cure = (f"{name}: {error}" if str(error) else name), _cure(error)
    spaces = {"cuda": machine.cuda, "math": machine.math}
    spaces |= {
        f"cuda.{n}": getattr(machine.cuda, n) for n in ("atomic", "shared", "local", "const")
    }
    for space, holder in spaces.items():
        if isinstance(error, AttributeError) and error.obj is holder:
            what, cure = unknown(space, error.name or "", dir(holder))
    if isinstance(error, AttributeError) and isinstance(error.obj, Checked | Indexed | Local):
        what = f"an array has no {error.name} in the interpreter, but shape, size, ndim, dtype, T and slices"
        cure = "indices worked out in plain lines"
    kernel = machine.kernel.name
    return told(kernel, code.co_filename, "error", what, [Place(thread, block, line, "")], cure)


def _cure(error: Exception) -> str:
    match error:
        case ZeroDivisionError():
            return "a comparison with 0 first: a GPU goes on with a number that means nothing"
        case UnboundLocalError():
            name = error.args[0].split("'")[1]
            return f"a value for {name} before the if or the loop, so that every thread has one"
        case NameError() if error.name:
            return f"{error.name} as an argument, or at the top of the file"
        case OSError() | MemoryError():
            return "fewer or smaller arrays"
        case TypeError() | AttributeError():
            return "what Numba compiles: numbers, arrays and tuples, cuda and math"
    return "an if around the line, so that no thread comes there"


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
    """What the innermost function of the kernel's file that has a name for an array calls it."""
    file, whole = frame.f_code.co_filename, plain(array)
    while frame is not None:
        known = frame.f_locals.items() if frame.f_code.co_filename == file else ()
        for wanted in (array, whole):
            for name, value in known:
                if value is wanted or (type(value) is Indexed and value.array is wanted):
                    return str(name)
        frame = frame.f_back
    return str(whole.name) if isinstance(whole, Checked) else "array"


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


def _where_all_come(source: Source | None, line: int) -> str:
    """What to try for a barrier in a line to which not all threads come."""
    around = [
        node
        for node in (() if source is None else ast.walk(source.tree))
        if isinstance(node, ast.If | ast.For | ast.While) and node.lineno <= line <= end_of(node)
    ]
    if around and not isinstance(around[-1], ast.If):  # the innermost comes last
        first = around[-1].lineno
        return f"as many turns of the loop in line {first} for every thread, with an if around the work in it"
    return "the barrier outside the if, where every thread comes"


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
    early = found.kind == "divergent barrier" and any(t.waiting is None for t in machine.standing)
    source = source_of(code)
    returns = source is not None and any(isinstance(n, ast.Return) for n in ast.walk(source.tree))
    hint = {
        "divergent barrier": "an if around the work in place of the return, so that every thread comes to the barrier"
        if early and returns
        else _where_all_come(source, places[0].line),
        "stray shuffle": "a mask that names the lanes which come to this line, and no others",
    }.get(found.kind, "the same number of syncs in every block")
    return told(machine.kernel.name, code.co_filename, found.kind, found.what, places, hint)
