"""The types in which an elementwise operation computes: as numpy promotes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.elementwise.writer import COMPARISONS, INTEGERS, LOGIC, QUESTIONS
from ops.primitive import NUMBERS, Primitive

FLOATS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})
DTYPES = {"i8": np.dtype(np.int64), "b1": np.dtype(np.bool_)}
"""The dtypes beside that of the kernel, by their words in `Kernel.arguments`."""
WORDS = {dtype: word for word, dtype in DTYPES.items()}


class Typed(NamedTuple):
    """In which dtype a kernel computes, and as what it takes its inputs."""

    dtype: np.dtype[Any]
    integers: bool
    """Whether it computes in int64; then the dtype is any."""
    types: tuple[tuple[str, bool], ...]
    """`T`, `i8` or `b1`, and whether an integer is only asked whether it is 0."""


def typed_operands(op: Primitive, inputs: Sequence[Any]) -> Typed | None:
    """The types for an operation on device arrays and Python numbers; None if no kernel computes in them.

    Not computed: float32 with float64, or with integers, before it is widened to float64; integers of other sizes;
    functions of integers, such as exp.
    """
    dtypes = {x.dtype for x in inputs if type(x) not in NUMBERS}
    if not dtypes <= FLOATS | set(WORDS):
        return None
    floats = dtypes & FLOATS
    if len(floats) > 1:
        return None
    types = tuple(_type(op, k, x) for k, x in enumerate(inputs))
    if floats:
        (dtype,) = floats
        if dtype == np.float32 and any(type_ == "i8" and not asked for type_, asked in types):
            return None
        return Typed(dtype, False, types)
    if _asks_bools(op, inputs):
        return None
    weak = any(type(x) is float for x in inputs)
    if op.name in QUESTIONS - COMPARISONS or (weak and op.name in INTEGERS):
        return Typed(np.dtype(np.float64), False, types)
    if op.name not in INTEGERS or weak:
        return None
    numbers = tuple(
        "i8" if type(x) is int else type_ for x, (type_, _) in zip(inputs, types, strict=True)
    )
    asked = (asked for _, asked in types)
    return Typed(np.dtype(np.float64), True, tuple(zip(numbers, asked, strict=True)))


def _type(op: Primitive, k: int, x: Any) -> tuple[str, bool]:
    if type(x) in NUMBERS:
        return "T", False
    word = WORDS.get(x.dtype, "T")
    return word, word == "i8" and (op.name in LOGIC or (op.name == "where" and k == 0))


def _asks_bools(op: Primitive, inputs: Sequence[Any]) -> bool:
    """Whether bools are to be computed with, as numpy does: True + True is True there."""
    numbers = inputs[op.name == "where" :]
    if op.name in QUESTIONS or any(type(x) in (int, float) for x in numbers):
        return False
    bools = [type(x) is bool or getattr(x, "dtype", None) == np.bool_ for x in numbers]
    arrays = [type(x) is not bool for x in numbers]
    return all(bools) and not (op.name == "where" and all(arrays))
