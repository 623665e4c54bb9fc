"""The arguments of a launch at the door: of the types that the kernel declares, and as its threads see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import CodeType
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel
from ops.interpreter.clock import Clock
from ops.interpreter.memory import Tracked, checked_array
from ops.interpreter.sources import Use, uses
from ops.interpreter.windows import Window, overlapping, windows


def taken(
    kernel: Kernel,
    code: CodeType,
    scalar: Any,
    arguments: Sequence[Any],
    clock: Clock,
    *,
    numba: bool = False,
) -> list[Any]:
    """The arguments as a kernel takes them: floats of its scalar type, Python integers, arrays checked by a clock.

    As Numba takes them, a number keeps its own type, and arrays may lie in memory in any way. Raises `TypeError` for
    what the kernel does not declare.
    """
    names = code.co_varnames[: code.co_argcount]
    kinds = kernel.arguments.split()
    if not len(arguments) == len(names) == len(kinds):
        raise TypeError(
            f"kernel {kernel.name} takes {len(names)} arguments, declares {len(kinds)}, is given "
            f"{len(arguments)}\n  try: one for each of {', '.join(names)}"
        )
    values = [
        _value(f"kernel {kernel.name}: {name}", kind, x, scalar, numba)
        for name, kind, x in zip(names, kinds, arguments, strict=True)
    ]
    use = dict(uses(code))
    arrays = {name: x for name, x in zip(names, values, strict=True) if type(x) is np.ndarray}
    if numba:  # a row of a table may be written under another name
        use |= {name: Use(True, True) for name, x in arrays.items() if x.ndim > 1}
    written = {name: x for name, x in arrays.items() if use[name].written}
    shared = _windows(arrays, clock) if written else {}
    seen: dict[Any, Tracked] = {}
    for i, name in enumerate(names):
        if name not in arrays:
            continue
        if name in shared:
            values[i] = shared[name]
            continue
        x = arrays[name]
        twice = any(
            name != n and (name in written or n in written) and np.may_share_memory(x, y)
            for n, y in arrays.items()
        )
        values[i] = checked_array(
            name, x, clock, use[name].read or twice, use[name].written or twice
        )
        if isinstance(values[i], Tracked):
            _share(values[i], seen)
    return values


def _value(what: str, kind: str, x: Any, scalar: Any, numba: bool) -> Any:
    base, _, axes = kind.partition("[")
    dtype = np.dtype(scalar if base == "T" else base)
    if not axes:
        if numba:
            return x
        return scalar(x) if base == "T" else bool(x) if base == "b1" else int(x)
    rank = axes.count(",") + 1
    if (
        not isinstance(x, np.ndarray)
        or (x.dtype, x.ndim) != (dtype, rank)
        or not (x.flags.c_contiguous or numba)
    ):
        given = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(
            f"{what} is {given}, declared {kind}\n"
            f"  try: a C-contiguous {dtype} array with {rank} {'axis' if rank == 1 else 'axes'}"
        )
    return x


def _windows(arrays: Mapping[str, Any], clock: Clock) -> dict[str, Window]:
    """The arrays that overlap others and are not the same."""
    names = list(arrays)
    found: dict[str, Window] = {}
    for group in overlapping(list(arrays.values())):
        own = [names[i] for i in group]
        found |= dict(zip(own, windows(own, [arrays[n] for n in own], clock), strict=True))
    return found


def _share(x: Tracked, seen: dict[Any, Tracked]) -> None:
    """Let two arguments that are the same memory remember accesses together."""
    first = seen.setdefault((x.a.__array_interface__["data"][0], x.shape), x)
    if first is not x:
        x.remembers_with(first)
