"""One thing to try for a fault, in the words of the kernel: where a barrier may stand, or what to write instead."""

from __future__ import annotations

import ast
import dis
import linecache
from types import CodeType

from ops.interpreter.faults import Found
from ops.interpreter.passing import common, differing, differs, end_of, numbers_given
from ops.interpreter.sources import source_of

ATOMIC = {ast.Add: "add", ast.Sub: "sub"}
ALONE = "one block alone for each element, or parts that a second kernel puts together"


def race_mended(
    code: CodeType,
    name: str,
    there: int,
    here: int,
    *,
    apart: bool,
    reads: bool,
    device: bool = False,
) -> str:
    """What to try for a race on an array between two lines: of two blocks if they are `apart`; does one only read?

    code: of the function in which the lines stand; `device` if that is not the kernel.
    """
    first, last = sorted((there, here))
    if first == last:
        atomic = _atomic(code, here, name)
        if atomic:
            rest = ALONE if apart else "one thread for each element"
            return f"{atomic} in line {here}, or {rest}"
    if apart:
        return ALONE
    source = source_of(code)
    if source is None or not source.first_line <= first <= last < source.first_line + len(
        source.lines
    ):
        if first == last:
            return "its number into a variable, cuda.syncthreads() where all threads come, then the write"
        return (
            f"cuda.syncthreads() between what lines {first} and {last} do, where all threads come"
        )
    waiting = _barrier_lines(code)
    given = numbers_given(source.tree) if device else frozenset[str]()
    at = common(source.tree, first, last, waiting, given)
    if at is None:
        return f"cuda.syncthreads() between lines {first} and {last}, where all threads come"
    begin, end = end_of(at.first), end_of(at.last)
    if at.first is not at.last:
        if at.loop is not None and any(begin < line < at.last.lineno for line in waiting):
            return (
                f"cuda.syncthreads() after line {end}, before the loop comes to line {first} again"
            )
        return f"cuda.syncthreads() between lines {begin} and {at.last.lineno}"
    if at.loop is not None:
        return f"cuda.syncthreads() after line {end}, before the loop comes to line {first} again"
    if first != last:
        return f"two branches with cuda.syncthreads() in between: not all threads come to lines {first} to {last}"
    if reads and _reads(at.first, here, name):
        return f"{name} read into a variable in line {here}, cuda.syncthreads() where all threads come, then the write"
    if reads and isinstance(_statement(code, here), ast.Assign):
        return f"another array than {name} to write to, which shares no memory with what line {here} reads"
    written = _written(at.first, here)
    if written is not None and not differs(written, differing(source.tree, given)):
        return "one thread that writes it (if cuda.threadIdx.x == 0:), or cuda.atomic.exch where several may"
    return "one thread for each element"


def mended(found: Found, name: str, line: int) -> str:
    """What to try for any other fault that a thread runs into."""
    if found.kind == "uninitialised" and found.array.space == "local":  # type: ignore[attr-defined]
        return f"write every element of {name} first"
    if found.kind == "uninitialised":
        return (
            f"write every element of {name} before line {line}, with cuda.syncthreads() in between"
        )
    if found.kind == "read-only":
        return f"an array that may be written for {name}"
    if found.kind == "deadlock":
        return "a lock that its holder opens again, with cuda.atomic.exch, in the same thread"
    shape = getattr(found.array, "shape", ())
    if shape == (0,) and getattr(found.array, "space", "") == "shared":
        return "the bytes of dynamic shared memory in the launch, or a size here"
    if "slice" in found.what:
        return f"a loop over the indices of {name}"
    if "an index that is no" in found.what:
        return f"an integer as the index of {name}"
    if "indices" in found.what or "1 index" in found.what:
        return f"{len(shape)} {'index' if len(shape) == 1 else 'indices'} for {name}"
    return f"a comparison with {name}.shape before the access"


def _statement(code: CodeType, line: int) -> ast.stmt | None:
    """The one statement of a line, wherever the line stands."""
    text = linecache.getline(code.co_filename, line).strip()
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return None
    return body[0] if len(body) == 1 else None


def _atomic(code: CodeType, line: int, name: str) -> str:
    """`out[0] += x[i]` as an atomic operation; empty for what is none."""
    match _statement(code, line):
        case ast.AugAssign(
            target=ast.Subscript(value=ast.Name(id=array) as base, slice=index), op=op, value=value
        ) if type(op) in ATOMIC and not _mentions(value, array):
            if array != name:
                return ""
            given = ", ".join(ast.unparse(each) for each in (base, index, value))
            if isinstance(index, ast.Tuple):
                given = f"{array}, ({ast.unparse(index).strip('()')}), {ast.unparse(value)}"
            return f"cuda.atomic.{ATOMIC[type(op)]}({given})"
    return ""


def _written(around: ast.stmt, line: int) -> ast.expr | None:
    """The index of the element that a line writes."""
    for node in ast.walk(around):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Store)
            and node.lineno == line
        ):
            return node.slice
    return None


def _reads(around: ast.stmt, line: int, name: str) -> bool:
    return any(
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and node.lineno == line
        and _mentions(node.value, name)
        for node in ast.walk(around)
    )


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _barrier_lines(code: CodeType) -> set[int]:
    """The lines that wait for the block, in the code that runs: a barrier that was taken away is not among them."""
    line, found = 0, set[int]()
    for instruction in dis.get_instructions(code):
        positions = instruction.positions
        line = (positions.lineno if positions else None) or line
        if instruction.argval == "syncthreads":
            found.add(line)
    return found
