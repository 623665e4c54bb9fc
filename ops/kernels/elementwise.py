"""Elementwise operations by compiled loops: one kernel for each operation, pattern of broadcasting and dtype.

A kernel is a real file in the cache folder, for Numba's cache refuses code without one; a process that cannot write
compiles from memory. What does not fit stays with numpy: another dtype, memory that is not contiguous, broadcasting in
the middle, a rule that branches.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ops.kernels.compiling import cache_folder, jit
from ops.kernels.loops import Code, Pattern, pattern_of, pull_code, value_code
from ops.kernels.reading import TRUTHS, UnreadableError
from ops.primitive import NUMBERS, Array, Primitive

_FLOATS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


class Loop(NamedTuple):
    """A compiled kernel, and how its operands are laid out."""

    kernel: Callable[..., None]
    pattern: Pattern
    flowing: tuple[int, ...]
    """The inputs that receive a flow."""
    alike: bool
    """Whether all operands have the shape of the result."""


_LOOPS: dict[Any, Loop | None] = {}


def fits(inputs: Sequence[Any], shape: tuple[int, ...], dtype: Any) -> bool:
    """Whether loops can be written for these operands: floats of one dtype, contiguous, in rows and columns."""
    if dtype not in _FLOATS or not shape:
        return False
    for x in inputs:
        if type(x) in NUMBERS:
            continue
        if (x.dtype != dtype and x.dtype != np.bool_) or (x.ndim and not x.flags.c_contiguous):
            return False
    return pattern_of(shape, _shapes(inputs)) is not None


def value(op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any]) -> Array | None:
    """The value of an elementwise operation by a compiled loop; None if none can be written."""
    shape, dtype = result_of(inputs)
    if dtype is None or op.name in TRUTHS:
        return None
    made = np.empty(shape, dtype)
    loop = _loop(op, inputs, made, None, params)
    if loop is None:
        return None
    if loop.alike:
        arrays = [*inputs, made]
        loop.kernel(*arrays if len(shape) == 1 else [x.reshape(-1) for x in arrays])
    else:
        loop.kernel(*_laid_out(inputs, loop.pattern, dtype), _as(made, "f", loop.pattern))
    return made


def result_of(inputs: Sequence[Any]) -> tuple[tuple[int, ...], Any]:
    """The shape and the dtype of a result; the dtype is None unless there are floats that a loop takes.

    Raises `ValueError` for shapes that do not fit together.
    """
    shape: tuple[int, ...] | None = None
    dtype = None
    for x in inputs:
        if type(x) not in NUMBERS:
            if shape is None:
                shape = x.shape
            elif x.shape != shape:
                shape = np.broadcast_shapes(shape, x.shape)
            if dtype is None and x.dtype in _FLOATS:
                dtype = x.dtype
    return shape or (), dtype


def pull(
    op: Primitive,
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
) -> list[Any] | None:
    """The wanted flows by a compiled loop, summed to the shapes of their inputs; None if there is no loop."""
    dtype, shape = out.dtype, out.shape
    if g.dtype != dtype or g.shape != shape:
        return None
    loop = _loop(op, inputs, out, tuple(wanted), params)
    if loop is None:
        return None
    pattern = loop.pattern
    if not g.flags.c_contiguous:
        g = np.ascontiguousarray(g)
    flows: list[Any] = [None] * len(inputs)
    if loop.alike:  # nothing is broadcast: the common case, kept short
        arrays = [g, out, *inputs]
        for k in loop.flowing:
            flows[k] = flow = np.empty(shape, dtype)
            arrays.append(flow)
        loop.kernel(*arrays if len(shape) == 1 else [x.ravel() for x in arrays])
        return flows
    targets = []
    for k in loop.flowing:
        kind = pattern.kinds[k]
        flows[k] = (np.zeros if kind == "r" else np.empty)(inputs[k].shape, dtype)
        targets.append(_as(flows[k], kind, pattern))
    around = (_as(g, "f", pattern), _as(out, "f", pattern))
    loop.kernel(*around, *_laid_out(inputs, pattern, dtype), *targets)
    return [flow if flow is None or flow.ndim else flow[()] for flow in flows]


def _shapes(inputs: Sequence[Any]) -> tuple[tuple[int, ...] | None, ...]:
    return tuple([None if type(x) in NUMBERS else x.shape for x in inputs])


def _laid_out(inputs: Sequence[Any], pattern: Pattern, dtype: Any) -> list[Any]:
    """The operands as the kernel takes them: matrices or lists of elements, rows, columns, numbers."""
    return [
        _as(x, kind, pattern) if kind != "n" else _number(x, dtype)
        for x, kind in zip(inputs, pattern.kinds, strict=True)
    ]


def _number(x: Any, dtype: Any) -> Any:
    if type(x) is bool or getattr(x, "dtype", None) == np.bool_:
        return bool(x)
    return dtype.type(x if type(x) in NUMBERS else x.reshape(())[()])


def _as(x: Array, kind: str, pattern: Pattern) -> Array:
    if kind != "f" or pattern.flat:
        return x if x.ndim == 1 else x.reshape(-1)
    return x if x.ndim == 2 and pattern.columns == x.shape[1] else x.reshape(pattern[:2])


def _loop(
    op: Primitive,
    inputs: Sequence[Any],
    out: Array,
    wanted: tuple[bool, ...] | None,
    params: Mapping[str, Any],
) -> Loop | None:
    """The kernel for such operands, written and compiled when first asked for; `wanted` None means the value."""
    key = (
        op,
        out.shape,
        out.dtype.char,
        wanted,
        # by their spelling: 0.5 and numpy's 0.5, or 0.0 and -0.0, are equal and give other results
        repr(params) if params else "",
        *[
            type(x) if type(x) in NUMBERS else (x.shape, x.dtype.char, x.flags.c_contiguous)
            for x in inputs
        ],
    )
    try:
        return _LOOPS[key]
    except KeyError:
        pass
    shapes = _shapes(inputs)
    truths = [type(x) is bool or getattr(x, "dtype", None) == np.bool_ for x in inputs]
    pattern = pattern_of(out.shape, shapes)
    loop = None
    if pattern is not None and fits(inputs, out.shape, out.dtype):
        try:
            name = out.dtype.name
            code = (
                value_code(op, pattern.kinds, truths, params, name)
                if wanted is None
                else pull_code(op, pattern.kinds, truths, wanted, params, name)
            )
            flowing = tuple(k for k, rule in enumerate(op.rules) if wanted and wanted[k] and rule)
            alike = all(shape == out.shape for shape in shapes)
            loop = Loop(_compiled(op.name, code), pattern, flowing, alike)
        except UnreadableError:
            loop = None
    _LOOPS[key] = loop
    return loop


_KERNELS: dict[str, Callable[..., None]] = {}


def _compiled(name: str, code: Code) -> Callable[..., None]:
    """The kernel of a generated module, from its file in the cache folder if there is such a folder."""
    found = _KERNELS.get(code.text)
    if found is None:
        found = _KERNELS[code.text] = jit(_module(name, code.text).kernel)
    return found


def _module(name: str, text: str) -> ModuleType:
    label = f"gradstep_{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    folder = cache_folder()
    if folder is not None:
        file = folder / f"{label}.py"
        try:
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                beside = file.with_suffix(f".{os.getpid()}")
                beside.write_text(text, encoding="utf-8")
                beside.replace(file)
            return _imported(label, str(file))
        except OSError:
            pass
    module = ModuleType(label)
    exec(compile(text, f"<{label}>", "exec"), module.__dict__)
    return module


def _imported(label: str, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(label, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[label] = module  # Numba's cache pickles functions by module and name
    spec.loader.exec_module(module)
    return module
