"""Numbers in another dtype: floats, int64 and bool of each other, as numpy casts them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ops.cuda.elementwise.broadcasting import SMALL_LIST
from ops.cuda.elementwise.code import flat
from ops.cuda.elementwise.kernels import LAUNCHES, build_of
from ops.cuda.elementwise.text import UNROLLED, Body, Load, Store
from ops.cuda.elementwise.trials import ODD
from ops.cuda.elementwise.types import DTYPES, FLOATS, WORDS
from ops.cuda.kernel import Kernel, Launch, Trial
from ops.devices.arrays import DeviceArray, empty

# numpy on a PC makes the least integer of what has no integer; on a GPU it would be another
_WHOLE = "int({0}) if {0} > low and {0} < high else least"

FORMS: Mapping[tuple[str, str], str] = {
    ("T", "i8"): _WHOLE,
    ("T", "b1"): "{} != zero",
    ("i8", "T"): "T({})",
    ("i8", "b1"): "{} != 0",
    ("b1", "T"): "one if {} else zero",
    ("b1", "i8"): "1 if {} else 0",
    ("f4", "T"): "T({})",
    ("T", "f4"): "{}",  # where it is stored it is rounded
}
"""From and to, and how one number is cast. T is float64 where the other is float32."""

_CONSTANTS = {"T(-2.0**63)": "low", "T(2.0**63)": "high", "-2**63": "least"}


@cache
def casting(source: str, target: str) -> Kernel:
    """The kernel `(x, out)` that casts a list of numbers."""
    name = f"astype_{source}_{target}"
    body = Body(
        (Load("x", "v_x", "f", source),),
        (f"t0 = {FORMS[source, target].format('v_x')}",),
        (Store("out", "f", "t0", target),),
        _CONSTANTS if (source, target) == ("T", "i8") else {},
    )
    doc = f"Numbers of type {source} as {target}, where T is a float."
    module = flat(body, doc)

    def trials(rng: np.random.Generator, dtype: Any) -> Iterable[Trial]:
        dtypes = {"T": np.dtype(dtype), "f4": np.dtype(np.float32), **DTYPES}
        for size in (0, 1, 33, ODD):
            drawn = np.rint(rng.normal(size=size)) if source == "i8" else rng.normal(size=size) * 3
            x = (drawn > 0 if source == "b1" else drawn).astype(dtypes[source])
            out = np.full(size, np.nan if target in ("T", "f4") else -1).astype(dtypes[target])
            yield Trial((x, out), {1: x.astype(dtypes[target])}, what=str(size))

    build = build_of(name, module.text)
    return Kernel(name, "elementwise", build, module.arguments, trials, 0, LAUNCHES, doc=doc)


def cast(x: DeviceArray, *, dtype: str) -> DeviceArray | None:
    """The same numbers in another dtype; None for dtypes that kernels do not take."""
    target = np.dtype(dtype)
    if target == x.dtype:
        return x
    if not {x.dtype, target} <= FLOATS | set(WORDS):
        return None
    out = empty(x.device, x.shape, target)
    if x.size:
        floats = {x.dtype, target} & FLOATS
        of_kernel = floats.pop() if len(floats) == 1 else np.dtype(np.float64)
        words = {np.dtype(np.float32): "f4", **WORDS, of_kernel: "T"}
        threads = 32 if x.size <= SMALL_LIST else 256
        launch = Launch(math.ceil(x.size / (UNROLLED * threads)), threads)
        arguments = [x.reshape(x.size).memory, out.reshape(x.size).memory]
        x.device.launch(casting(words[x.dtype], words[target]), of_kernel, launch, arguments)
    return out


def widened(inputs: Sequence[Any]) -> list[Any] | None:
    """The inputs of which numpy makes float64: float32 beside float64 or int64; None if there is nothing to widen.

    The result of an operation is float64 then, as with numpy.
    """
    dtypes = {x.dtype for x in inputs if type(x) is DeviceArray}
    if np.dtype(np.float32) not in dtypes or not dtypes & {np.dtype(np.float64), DTYPES["i8"]}:
        return None
    return [
        cast(x, dtype="float64") if type(x) is DeviceArray and x.dtype == np.float32 else x
        for x in inputs
    ]


def promoted(*arrays: Any) -> tuple[Any, ...]:
    """Arrays of several dtypes in the one that numpy computes in, cast on the device; others as they are.

    So float32 beside float64 or int64 is float64, beside truths float32.
    """
    kinds = {x.dtype if type(x) is DeviceArray else None for x in arrays}
    if len(kinds) == 1 or not kinds <= FLOATS | set(WORDS):
        return arrays
    wide = np.result_type(*kinds)
    return tuple(cast(x, dtype=wide.name) for x in arrays)
