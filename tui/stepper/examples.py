"""How a kernel of the user's is launched: by the example beside it, or as its file launches it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from ops.cuda.kernel import Launch
from ops.interpreter.sources import source_of
from tui.scripts import UsageError
from tui.stepper.layouts import Layout, first_of_each, layout_of

EXAMPLE = "_example"
"""What follows the name of a kernel in the name of its launch."""
BUILDS = ("cuda", "math", "T", "threads")
"""The first parameters of a function that builds a kernel, as those of Gradstep do."""


@dataclass(frozen=True)
class Example:
    """A launch with its arguments."""

    launch: Launch
    arguments: tuple[Any, ...]
    """Arrays and numbers."""
    layouts: tuple[Layout | None, ...]
    """How the arrays lay in memory as they were given."""
    shared_bytes: int
    """Bytes of shared memory that only the launch knows."""
    what: str
    """Where it is written."""


def builds(function: FunctionType) -> bool:
    """Whether a function makes a kernel, as those of Gradstep do."""
    return tuple(inspect.signature(function).parameters)[: len(BUILDS)] == BUILDS


def example_of(path: str, name: str, names: Mapping[str, Any], function: FunctionType) -> Example:
    """The launch that `NAME_example` tells, a tuple or a function that returns one; else that of the file itself.

    A launch is (blocks, threads, arguments), or (blocks, threads, stream, bytes of shared memory, arguments). Raises
    `UsageError` for what is none.
    """
    called = f"{name}{EXAMPLE}"
    given = names.get(called)
    parameters = [*inspect.signature(function).parameters.values()]
    listed = likely(function) if not builds(function) else ["the arguments"]
    cure = f"{called} = (2, 64, ({', '.join(listed)}{',' * (len(listed) == 1)}))  in {path}: blocks, threads, arguments"
    what = called
    launches = getattr(names.get(name), "launches", ())
    if given is None and launches:
        sizes, arguments = launches[0]
        given, what = (*sizes, arguments), f"as {path} launches it"
    if given is None:
        raise UsageError(f"how is {name} launched? {path} has no {called}\n  try: {cure}")
    given = given() if callable(given) else given
    if not isinstance(given, tuple) or len(given) not in (3, 4, 5):
        raise UsageError(
            f"{called} is no launch: blocks, threads and a tuple of arguments\n  try: {cure}"
        )
    blocks, threads, *more, arguments = given
    shared = more[1] if len(more) > 1 else 0
    if not isinstance(arguments, tuple | list) or not isinstance(shared, int) or shared < 0:
        raise UsageError(
            f"{called} is no launch: blocks, threads and a tuple of arguments\n  try: {cure}"
        )
    for each in (blocks, threads):
        sizes = each if isinstance(each, tuple) else (each,)
        if not 1 <= len(sizes) <= 3 or not all(
            isinstance(n, int | np.integer) and n > 0 for n in sizes
        ):
            raise UsageError(f"{called} launches {each!r} blocks or threads\n  try: {cure}")
    if not builds(function):
        spare = [each.default for each in parameters[len(arguments) :]]
        if len(arguments) > len(parameters) or inspect.Parameter.empty in spare:
            raise UsageError(
                f"{name} takes {len(parameters)} arguments, and {called} gives {len(arguments)}\n  try: {cure}"
            )
        arguments = (*arguments, *spare)
    found, layouts = taken(arguments, dense=builds(function))
    return Example(Launch(_plain(blocks), _plain(threads)), found, layouts, shared, what)


def likely(function: FunctionType) -> list[str]:
    """Arguments that a kernel might take, as they are written: arrays for what it indexes, else numbers.

    >>> def scale(x, a):
    ...     x[0] = a
    >>> likely(scale)
    ['np.zeros(100, np.float32)', '1']
    """
    names = [*inspect.signature(function).parameters]
    source = source_of(function.__code__)
    if source is None:
        return names
    axes: dict[str, int] = {}
    for node in ast.walk(source.tree):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                count = len(index.elts) if isinstance(index, ast.Tuple) else 1
                axes[name] = max(count, axes.get(name, 0))
            case ast.Attribute(value=ast.Name(id=name), attr="shape" | "size"):
                axes.setdefault(name, 1)
            case ast.Call(
                args=[ast.Name(id=name), *_], func=ast.Attribute(value=ast.Attribute(attr="atomic"))
            ):
                axes.setdefault(name, 1)
    shapes = ["100", "(10, 10)", "(5, 5, 5)"]
    return [
        f"np.zeros({shapes[min(axes[name], 3) - 1]}, np.float32)" if name in axes else "1"
        for name in names
    ]


def _plain(sizes: Any) -> Any:
    return tuple(map(int, sizes)) if isinstance(sizes, tuple) else int(sizes)


def taken(
    arguments: Sequence[Any], *, dense: bool
) -> tuple[tuple[Any, ...], tuple[Layout | None, ...]]:
    """Arguments as the interpreter takes them, and their layouts; what was the same array stays the same one.

    dense: arrays shall lie row by row without gaps, and numbers be Python's.
    """
    given = [each if _is_number(each) else np.asarray(each) for each in arguments]
    found: list[Any] = []
    for k, (each, first) in enumerate(zip(given, first_of_each(given), strict=True)):
        if first < k:
            found.append(found[first])
        elif not isinstance(each, np.ndarray):
            found.append(each.item() if dense and isinstance(each, np.generic) else each)
        elif each.dtype.kind not in "fiub":
            raise UsageError(_no_numbers(each.dtype))
        else:
            found.append(np.ascontiguousarray(each) if dense or not each.ndim else each)
    layouts = (layout_of(each) if isinstance(each, np.ndarray) else None for each in given)
    return tuple(found), tuple(layouts)


def _no_numbers(dtype: np.dtype[Any]) -> str:
    """Why an array of a dtype is not taken, and what to try."""
    if dtype.names:
        fields = ", ".join(dtype.names)
        what = f"of records of {fields}, and the interpreter has integers, floats and truths"
        return (
            f"an argument of the example is an array {what}\n  try: an array for each of {fields}"
        )
    if dtype.kind == "c":
        what = f"of dtype {dtype}, and the interpreter has integers, floats and truths"
        return f"an argument of the example is {what}\n  try: x.real and x.imag as two arrays"
    what = f"of dtype {dtype}, neither an array of numbers nor a number"
    return f"an argument of the example is {what}\n  try: np.zeros(100, np.float32)"


def _is_number(argument: Any) -> bool:
    return isinstance(argument, bool | int | float | np.generic)
