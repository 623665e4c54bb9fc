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
from dataclasses import dataclass
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from tui.scripts import UsageError, imported, in_a_line, own_path
from tui.stepper.examples import EXAMPLE, Example, builds, example_of
from tui.stepper.unlaunched import without_a_gpu
from tui.targets import ScriptError, script_at

FAMILY = "yours"
MANY = 6
"""So many kernels of a file are named where none is near."""


@dataclass(frozen=True)
class Foreign:
    """A kernel of the user's."""

    kernel: Kernel
    dtype: str
    """The dtype in which it is built; "" where that is to be chosen."""
    example: Example | None = None
    """Its launch; of a whole record none: it has trials."""
    fixed: bool = False
    """Whether its types are those of its arguments, so that no dtype can be chosen."""


def is_foreign(text: str) -> bool:
    """Whether a name means a kernel in a file of the user's.

    >>> is_foreign("mine.py:reduce"), is_foreign("row_norm")
    (True, False)
    """
    return text.endswith(".py") or ".py:" in text


def foreign(text: str) -> Foreign:
    """The kernel of that name in that file.

    Raises `UsageError` for a file or a name that is not there or cannot be launched, `ScriptError` if the file raises.
    """
    path, _, name = text.rpartition(":") if not text.endswith(".py") else (text, "", "")
    program = script_at(path)
    try:
        with own_path(program), without_a_gpu("numba" in Path(program.file).read_text("utf8")):
            names = imported(program)
            found = names.get(name)
            if isinstance(found, Kernel):
                return Foreign(found, "")
            function = _function(path, name, names)
            example = example_of(path, name, names, function)
    except (UsageError, SystemExit) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{path} left before {name} was there\n  try: put what it runs by itself under  if __name__ == '__main__':"
        ) from None
    except Exception as error:
        if type(error).__name__ == "CudaSupportError":
            raise UsageError(
                f"{in_a_line(error).partition(': ')[0]} asks for a GPU when it is imported, and there is none\n"
                "  try: put that line under  if __name__ == '__main__':"
            ) from None
        raise ScriptError(error, 1) from None
    kernel = _kernel(name, function, example)
    return Foreign(kernel, dtype_of(example.arguments), example, fixed=not builds(function))


def _function(path: str, name: str, names: Mapping[str, Any]) -> FunctionType:
    """The Python function of a kernel, or the function that builds one."""
    found = names.get(name)
    function = getattr(found, "py_func", found)
    if isinstance(function, FunctionType):
        if name + EXAMPLE not in names and _makes_a_kernel(found):
            cure = f"mine = {name}(...)  and  mine{EXAMPLE} = (2, 64, (x, out))  in {path}, then {path}:mine"
            raise UsageError(f"{name} is no kernel, but returns one\n  try: {cure}")
        return function
    own = [each[: -len(EXAMPLE)] for each in names if each.endswith(EXAMPLE)]
    own = own or [each for each, value in names.items() if hasattr(value, "py_func")]
    if not name:
        cure = f"{path}:{own[0]}" if own else f"{path}:NAME"
        raise UsageError(f"which kernel of {path}?\n  try: {cure}")
    near = difflib.get_close_matches(name, own or names, n=1, cutoff=0.6)
    listed = (near or own or ["NAME"])[:MANY]
    cure = f"{path}:{listed[0]}" + "".join(f" or :{each}" for each in listed[1:])
    what = f"has no kernel {name!r}" if found is None else f"has a {name} that is no function"
    raise UsageError(f"{path} {what}\n  try: {cure}")


def _makes_a_kernel(found: Any) -> bool:
    """Whether a plain function defines another one that uses `cuda`."""
    if not isinstance(found, FunctionType) or builds(found):
        return False
    inner = [each for each in found.__code__.co_consts if isinstance(each, CodeType)]
    uses = {name for each in inner for name in (*each.co_names, *each.co_freevars)}
    return "cuda" in uses


def dtype_of(arguments: Iterable[Any]) -> str:
    """The dtype in which a kernel computes: that of its arrays of floats, float32 before float64.

    >>> dtype_of([np.zeros(2), 3, np.zeros(2, np.float32)]), dtype_of([1])
    ('float32', 'float32')
    """
    kinds = {x.dtype.name for x in arguments if isinstance(x, np.ndarray) and x.dtype.kind == "f"}
    return "float64" if kinds == {"float64"} else "float32"


def _kernel(name: str, function: FunctionType, example: Example) -> Kernel:
    """The record of a kernel whose only trial is its example."""

    def build(cuda: Any, math: Any, dtype: Any, threads: int, **options: Any) -> Any:
        if builds(function):
            return function(cuda, math, dtype, threads, **options)
        return Translation(cuda, math).function(function)

    doc = (inspect.getdoc(function) or "").partition("\n")[0]
    kinds = " ".join(map(kind_of, example.arguments))
    return Kernel(
        name,
        FAMILY,
        build,
        kinds,
        lambda rng, dtype: [Trial(example.arguments, {}, what=example.what)],
        launches=(example.launch,),
        doc=doc,
    )


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
