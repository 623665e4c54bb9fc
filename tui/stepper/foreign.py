"""Kernels of the user's: FILE.py:NAME, as it is written for Numba, with `NAME_example` beside it.

In the interpreter the names that a kernel uses of `numba.cuda` and `math` mean the interpreter's. Device functions,
types of Numba and functions that were imported by themselves are translated too, wherever the kernel finds them: among
the globals of its file, or in the closure of the function that made it.
"""

from __future__ import annotations

import difflib
import inspect
import math as python_math
from collections.abc import Iterable, Mapping
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch, Trial
from tui.scripts import UsageError, imported, own_path
from tui.targets import ScriptError, script_at

FAMILY = "yours"
BUILDS = ("cuda", "math", "T", "threads")
"""The first parameters of a function that builds a kernel, as those of Gradstep do."""
EXAMPLE = "_example"
"""What follows the name of a kernel in the name of its launch."""


def is_foreign(text: str) -> bool:
    """Whether a name means a kernel in a file of the user's.

    >>> is_foreign("mine.py:reduce"), is_foreign("row_norm")
    (True, False)
    """
    return text.endswith(".py") or ".py:" in text


def foreign(text: str) -> tuple[Kernel, str]:
    """The kernel of that name in that file, and its dtype; "" where that is to be chosen.

    Raises `UsageError` for a file or a name that is not there or cannot be launched, `ScriptError` if the file raises.
    """
    path, _, name = text.rpartition(":") if not text.endswith(".py") else (text, "", "")
    program = script_at(path)
    try:
        with own_path(program):
            names = imported(program)
            found = names.get(name)
            if isinstance(found, Kernel):
                return found, ""
            function = _function(path, name, names)
            launch, arguments = _example(path, name, names, function)
    except (UsageError, SystemExit) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{path} left before {name} was there\n  try: put what it runs by itself under  if __name__ == '__main__':"
        ) from None
    except Exception as error:
        raise ScriptError(error, 1) from None
    dtype = dtype_of(arguments)
    return _kernel(name, function, launch, arguments), dtype


def _function(path: str, name: str, names: Mapping[str, Any]) -> FunctionType:
    """The Python function of a kernel, or the function that builds one."""
    found = names.get(name)
    function = getattr(found, "py_func", found)
    if isinstance(function, FunctionType):
        return function
    own = [each[: -len(EXAMPLE)] for each in names if each.endswith(EXAMPLE)]
    own = own or [each for each, value in names.items() if hasattr(value, "py_func")]
    if not name:
        cure = f"{path}:{own[0]}" if own else f"{path}:NAME"
        raise UsageError(f"which kernel of {path}?\n  try: {cure}")
    near = difflib.get_close_matches(name, own or names, n=1, cutoff=0.5)
    cure = f"{path}:{(near or own or ['NAME'])[0]}"
    what = f"has no kernel {name!r}" if found is None else f"has a {name} that is no function"
    raise UsageError(f"{path} {what}\n  try: {cure}")


def _example(
    path: str, name: str, names: Mapping[str, Any], function: FunctionType
) -> tuple[Launch, tuple[Any, ...]]:
    """How a kernel is launched: `NAME_example = (blocks, threads, arguments)`, or a function that returns that."""
    called = f"{name}{EXAMPLE}"
    given = names.get(called)
    parameters = list(inspect.signature(function).parameters)
    wanted = ", ".join(parameters if not _builds(function) else ["the arguments"])
    cure = f"{called} = (2, 64, ({wanted},))  in {path}: blocks, threads, arguments"
    if given is None:
        raise UsageError(f"how is {name} launched? {path} has no {called}\n  try: {cure}")
    if callable(given):
        given = given()
    if not isinstance(given, tuple) or len(given) != 3 or not isinstance(given[2], tuple | list):
        raise UsageError(
            f"{called} is no launch: blocks, threads and a tuple of arguments\n  try: {cure}"
        )
    blocks, threads, arguments = given
    for each in (blocks, threads):
        sizes = each if isinstance(each, tuple) else (each,)
        if not 1 <= len(sizes) <= 3 or not all(isinstance(n, int) and n > 0 for n in sizes):
            raise UsageError(f"{called} launches {each!r} blocks or threads\n  try: {cure}")
    taken = tuple(map(_taken, arguments))
    if not _builds(function) and len(taken) != len(parameters):
        raise UsageError(
            f"{name} takes {len(parameters)} arguments, and {called} gives {len(taken)}\n  try: {cure}"
        )
    return Launch(blocks, threads), taken


def _taken(argument: Any) -> Any:
    """An argument as the interpreter takes it."""
    if isinstance(argument, bool | int | float | np.generic):
        return argument.item() if isinstance(argument, np.generic) else argument
    array = np.ascontiguousarray(argument)
    if array.dtype.kind not in "fiub":
        raise UsageError(
            f"an argument of the example is {type(argument).__name__}, neither an array of numbers nor a number\n"
            "  try: np.zeros(100, np.float32)"
        )
    return array


def dtype_of(arguments: Iterable[Any]) -> str:
    """The dtype in which a kernel computes: that of its arrays of floats, float32 before float64.

    >>> dtype_of([np.zeros(2), 3, np.zeros(2, np.float32)]), dtype_of([1])
    ('float32', 'float32')
    """
    kinds = {x.dtype.name for x in arguments if isinstance(x, np.ndarray) and x.dtype.kind == "f"}
    return "float64" if kinds == {"float64"} else "float32"


def _kernel(
    name: str, function: FunctionType, launch: Launch, arguments: tuple[Any, ...]
) -> Kernel:
    """The record of a kernel whose only trial is its example."""

    def build(cuda: Any, math: Any, dtype: Any, threads: int, **options: Any) -> Any:
        if _builds(function):
            return function(cuda, math, dtype, threads, **options)
        return Translation(cuda, math).function(function)

    doc = (inspect.getdoc(function) or "").partition("\n")[0]
    kinds = " ".join(map(kind_of, arguments))
    return Kernel(
        name,
        FAMILY,
        build,
        kinds,
        lambda rng, dtype: [Trial(arguments, {}, what=f"{name}{EXAMPLE}")],
        launches=(launch,),
        doc=doc,
    )


def _builds(function: FunctionType) -> bool:
    return tuple(inspect.signature(function).parameters)[: len(BUILDS)] == BUILDS


def kind_of(argument: Any) -> str:
    """The type of an argument as a kernel's record declares it.

    >>> kind_of(np.zeros((2, 3), np.float32)), kind_of(3), kind_of(0.5), kind_of(True)
    ('f4[:,:]', 'i8', 'T', 'b1')
    """
    if isinstance(argument, np.ndarray):
        return f"{argument.dtype.str[1:]}[{','.join(':' * argument.ndim)}]"
    return {bool: "b1", int: "i8"}.get(type(argument), "T")


# ----- translation


class Translation:
    """What the names of a kernel written for Numba mean in the interpreter."""

    def __init__(self, cuda: Any, math: Any) -> None:
        self.cuda, self.math = cuda, math
        self._known: dict[int, FunctionType] = {}
        self._globals: dict[int, dict[str, Any]] = {}

    def function(self, function: FunctionType) -> FunctionType:
        """The same function, with other meanings of its names."""
        found = self._known.get(id(function))
        if found is None:
            cells = tuple(CellType() for _ in function.__closure__ or ())
            names = self._names(function.__globals__)
            code = function.__code__
            found = FunctionType(code, names, function.__name__, function.__defaults__, cells)
            self._known[id(function)] = found
            for mine, theirs in zip(cells, function.__closure__ or (), strict=True):
                mine.cell_contents = self(theirs.cell_contents)
        return found

    def _names(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self._globals.get(id(given))
        if found is None:
            found = self._globals[id(given)] = {}
            found.update({name: self(value) for name, value in given.items()})
        return found

    def __call__(self, value: Any) -> Any:
        """What a value of the user's file is in the interpreter."""
        if isinstance(value, ModuleType):
            return self._module(value)
        if hasattr(value, "py_func"):
            return self.function(value.py_func)
        home = str(getattr(value, "__module__", None) or type(value).__module__)
        name = str(getattr(value, "__name__", value))
        if home == "math" and getattr(python_math, name, None) is value:
            return getattr(self.math, name, value)
        if home.startswith("numba"):
            if name in _TYPES:
                return np.dtype(name).type
            return getattr(self.cuda, name, value)
        return value

    def _module(self, module: ModuleType) -> Any:
        if module is python_math:
            return self.math
        whole, _, last = module.__name__.rpartition(".")
        if last == "cuda" and whole:
            return self.cuda
        return _Numba(module, self) if module.__name__ in ("numba", "numba_cuda_mlir") else module


class _Numba:
    """`numba` itself: its `cuda`, its types, and what else a kernel asks of it."""

    def __init__(self, module: ModuleType, translation: Translation) -> None:
        self._module, self._translation = module, translation

    def __getattr__(self, name: str) -> Any:
        return self._translation(getattr(self._module, name))


_TYPES = frozenset(
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 boolean bool_".split()
) - {"boolean", "bool_"}
