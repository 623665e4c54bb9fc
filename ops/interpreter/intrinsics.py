"""What `cuda` computes of numbers alone: the bits of integers, and the few functions that `math` has not."""

from __future__ import annotations

from typing import Any

import numpy as np


class Intrinsics:
    """Functions of one thread."""

    @staticmethod
    def popc(x: Any) -> int:
        """How many bits are set: of an integer of Python of 64.

        >>> Intrinsics.popc(np.int32(-1)), Intrinsics.popc(255)
        (32, 8)
        """
        return _bits(x).bit_count()

    @staticmethod
    def clz(x: Any) -> int:
        """How many bits are 0 above the highest that is set."""
        return _width(x) - _bits(x).bit_length()

    @staticmethod
    def ffs(x: Any) -> int:
        """The number of the lowest bit that is set, counted from 1; 0 for 0."""
        bits = _bits(x)
        return (bits & -bits).bit_length()

    @staticmethod
    def brev(x: Any) -> Any:
        """The bits in reverse order, without a sign."""
        width = _width(x)
        found = int(f"{_bits(x):0{width}b}"[::-1], 2)
        return np.uint32(found) if width == 32 else np.uint64(found)

    @staticmethod
    def fma(a: Any, b: Any, c: Any) -> Any:
        """a * b + c, rounded once: here by way of the widest float that the processor has."""
        if all(type(x) is np.float32 for x in (a, b, c)):
            return np.float32(np.longdouble(a) * np.longdouble(b) + np.longdouble(c))
        return np.float64(np.longdouble(a) * np.longdouble(b) + np.longdouble(c))

    @staticmethod
    def cbrt(x: Any) -> Any:
        """The cube root."""
        scalar = np.float32 if type(x) is np.float32 else np.float64
        return scalar(np.cbrt(np.float64(x)))

    @staticmethod
    def selp(holds: Any, a: Any, b: Any) -> Any:
        """`a` if it holds, else `b`."""
        return a if holds else b

    @staticmethod
    def nanosleep(ns: Any) -> None:
        """Wait: here for no time at all."""


def _width(x: Any) -> int:
    size = 8 * x.dtype.itemsize if isinstance(x, np.generic) else 64
    return max(32, size)


def _bits(x: Any) -> int:
    return int(x) & ((1 << _width(x)) - 1)
