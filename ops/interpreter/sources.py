"""The source of a kernel, and what can be read off it before it runs."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

WAITING = frozenset(
    "syncthreads syncthreads_count syncthreads_and syncthreads_or syncwarp shfl_sync shfl_up_sync shfl_down_sync "
    "shfl_xor_sync all_sync any_sync eq_sync ballot_sync match_any_sync match_all_sync activemask cg".split()
)
"""What a thread cannot do alone."""
FENCES = frozenset(("threadfence", "threadfence_block", "threadfence_system"))
"""What orders memory for others."""
CONCERNING = WAITING | FENCES
TREE = "tree"
"""The attribute of a rebuilt function that holds its syntax: its file has another."""


class Source(NamedTuple):
    """A kernel as its file has it."""

    lines: tuple[str, ...]
    first_line: int
    file: str
    tree: ast.FunctionDef
    """Its syntax, with the line numbers of the file."""


def source_of(code: CodeType) -> Source | None:
    """The source of a kernel's code, or None where its writer kept none (see `linecache`)."""
    return _source(code, code.co_filename)


@cache
def _source(code: CodeType, file: str) -> Source | None:  # codes of two files may be equal
    try:
        lines, first = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, SyntaxError, IndexError):
        return None
    if (
        not isinstance(tree, ast.FunctionDef) or tree.name != code.co_name
    ):  # edited since it was loaded
        return None
    ast.increment_lineno(tree, first - 1)
    return Source(tuple(line.rstrip("\n") for line in lines), first, code.co_filename, tree)


class Use(NamedTuple):
    """What a kernel does with one of its arrays."""

    read: bool
    written: bool


def uses(code: CodeType) -> Mapping[str, Use]:
    """For every argument whether elements are read and written, as far as the source tells; else both."""
    return _uses(code, code.co_filename)


@cache
def _uses(code: CodeType, file: str) -> Mapping[str, Use]:
    names = code.co_varnames[: code.co_argcount]
    source = source_of(code)
    if source is None or "slice" in code.co_names:  # which may stand for an index
        return {name: Use(True, True) for name in names}
    read, written = set[str](), set[str]()
    plain = set[ast.Name]()
    for node in ast.walk(source.tree):
        match node:
            case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name))):
                read.add(name)
            case ast.Subscript(value=ast.Name(id=name) as base, ctx=context):
                (read if isinstance(context, ast.Load) else written).add(name)
                plain.add(base)
                if _taken_apart(
                    node.slice
                ):  # what is taken of it may be written under another name
                    read.add(name)
                    written.add(name)
            case ast.Attribute(value=ast.Name() as base, attr=attribute) if attribute != "T":
                plain.add(base)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node not in plain:  # handed on, to an atomic say
            read.add(node.id)
            written.add(node.id)
    return {name: Use(name in read, name in written) for name in names}


def _taken_apart(index: ast.expr) -> bool:
    """Whether an index names more than one element."""
    return any(
        isinstance(node, ast.Slice)
        or (isinstance(node, ast.Constant) and node.value in (None, Ellipsis))
        for node in ast.walk(index)
    )


@cache
def own_names(code: CodeType) -> frozenset[str]:
    """The attributes and globals that a code and the functions defined in it mention."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= own_names(constant)
    return frozenset(found)


def waits(kernel: Callable[..., Any]) -> frozenset[str]:
    """What a kernel mentions, itself or in functions that it holds, for which a thread must wait, and its fences."""
    return (
        frozenset(name for code in _codes(kernel, set()) for name in own_names(code)) & CONCERNING
    )


def _codes(function: Any, seen: set[int]) -> Iterator[CodeType]:
    if not isinstance(function, FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    yield function.__code__
    for cell in function.__closure__ or ():
        yield from _codes(cell.cell_contents, seen)
    for name in own_names(function.__code__):  # a device function of the same file
        yield from _codes(function.__globals__.get(name), seen)


def rebuilt(function: Callable[..., Any], tree: ast.FunctionDef, **extra: Any) -> FunctionType:
    """The function with another body: its globals, its closure and its lines stay. `extra` are names for the new body.

    >>> def add(x): return x + 1
    >>> tree = ast.parse("def add(x): return x + more").body[0]
    >>> rebuilt(add, tree, more=10)(1)
    11
    """
    assert isinstance(function, FunctionType)
    old = function.__code__
    cells = dict(zip(old.co_freevars, function.__closure__ or (), strict=True))
    cells |= {name: CellType(value) for name, value in extra.items()}
    around = ast.parse("def around(): pass").body[0]
    assert isinstance(around, ast.FunctionDef)
    around.args.args = [ast.arg(name) for name in cells]
    tree.decorator_list = []
    around.body = [tree, ast.Return(ast.Name(tree.name, ast.Load()))]
    ast.fix_missing_locations(around)
    module = compile(ast.Module([around], []), old.co_filename, "exec")
    code = _inner(_inner(module, "around"), tree.name)
    closure = tuple(cells[name] for name in code.co_freevars)
    made = FunctionType(code, function.__globals__, old.co_name, function.__defaults__, closure)
    made.__dict__[TREE] = tree
    return made


def _inner(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
