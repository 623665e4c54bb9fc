"""Numbers in an interpreted kernel are those of a GPU: rounded to the dtype, never raising."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.rounding import FACTS, ROUNDED, rounding
from tests.ops.interpreter.launching import launched, unset

Made = Callable[..., None]
BINARY = ("atan2", "copysign", "fmod", "hypot", "pow", "remainder")
EDGES = (0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan)


@pytest.mark.parametrize("T", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROUNDED)
def test_a_function_gives_the_dtype_and_never_raises(name: str, T: Any) -> None:
    function = getattr(rounding(T), name)
    with np.errstate(all="ignore"):
        for x in EDGES:
            for y in EDGES if name in BINARY else [None]:
                given = [T(x)] if y is None else [T(x), T(y)]
                got = function(*given)
                assert type(got) is T
                assert (
                    not any(np.isnan(z) for z in given)
                    or np.isnan(got)
                    or name in ("pow", "hypot", "copysign")
                )
                try:
                    exact = T(getattr(math, name)(*map(float, given)))
                except (ValueError, OverflowError):
                    assert not np.isfinite(got)
                else:
                    assert got == exact or np.isnan(exact)


AS_NUMPY = {
    ("log", 0.0): -np.inf,
    ("log", -1.0): np.nan,
    ("log1p", -1.0): -np.inf,
    ("exp", 1000.0): np.inf,
    ("exp", -1000.0): 0.0,
    ("expm1", 1000.0): np.inf,
    ("sqrt", -1.0): np.nan,
    ("cosh", -1000.0): np.inf,
    ("sinh", -1000.0): -np.inf,
    ("floor", np.inf): np.inf,
    ("floor", -2.5): -3.0,
    ("ceil", 2.5): 3.0,
    ("trunc", -2.5): -2.0,
    ("lgamma", 0.0): np.inf,
    ("gamma", 200.0): np.inf,
    ("gamma", -1.0): np.nan,
    ("atanh", 1.0): np.inf,
    ("atanh", 2.0): np.nan,
    ("acos", 2.0): np.nan,
    ("sin", np.inf): np.nan,
}


@pytest.mark.parametrize(("name", "x"), AS_NUMPY)
def test_what_python_refuses_is_a_number_here(name: str, x: float) -> None:
    with np.errstate(all="ignore"):
        got = getattr(rounding(np.float64), name)(np.float64(x))
    assert got == AS_NUMPY[name, x] or (np.isnan(got) and np.isnan(AS_NUMPY[name, x]))


def test_rounding_to_whole_numbers_keeps_the_sign_of_zero() -> None:
    given = rounding(np.float32)
    for x in (
        given.ceil(np.float32(-0.5)),
        given.trunc(np.float32(-0.5)),
        given.floor(np.float32(-0.0)),
    ):
        assert str(x) == "-0.0"


def test_a_power_takes_all_signs() -> None:
    power = rounding(np.float64).pow
    with np.errstate(all="ignore"):
        assert power(0.0, -1.0) == np.inf
        assert np.isnan(power(-8.0, 1 / 3))
        assert power(1e300, 2.0) == np.inf
        assert power(-1e300, 3.0) == -np.inf


def test_facts_are_truths() -> None:
    given = rounding(np.float32)
    assert [getattr(given, name)(np.float32("nan")) for name in FACTS] == [True, False, False]


def test_overflow_division_and_invalid_are_facts_and_no_warnings() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out, waiting):  # type: ignore[no-untyped-def]
            out[0] = x[0] * x[0]
            out[1] = x[0] / x[1]
            out[2] = x[1] / x[1]
            out[3] = -x[0] / x[1]
            if waiting:
                cuda.syncthreads()

        return kernel

    for _ in range(2):
        out = np.zeros(4, np.float32)
        launched(build, "T[:] T[:] b1", Launch(1, 1), np.array([1e38, 0], np.float32), out, True)
        assert out[:2].tolist() == [np.inf, np.inf]
        assert np.isnan(out[2])
        assert out[3] == -np.inf


def test_arithmetic_is_rounded_to_the_dtype_at_every_step() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        third = T(1 / 3)

        def kernel(x, out, s, n):  # type: ignore[no-untyped-def]
            kept = cuda.local.array(1, T)
            kept[0] = x[0] * third + s
            out[0] = math.exp(kept[0]) * T(n)

        return kernel

    f4 = np.float32
    x, out = np.array([0.7], f4), unset(1)
    launched(build, "T[:] T[:] T i8", Launch(1, 1), x, out, 0.1, 3)
    expected = f4(math.exp(x[0] * f4(1 / 3) + f4(0.1))) * f4(3)
    assert out[0] == expected
    assert type(expected) is f4


def test_a_constant_or_an_argument_too_large_for_the_dtype_is_inf() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        large = T(1e300)

        def kernel(out, x):  # type: ignore[no-untyped-def]
            out[0] = large
            out[1] = -x

        return kernel

    out = unset(2)
    launched(build, "T[:] T", Launch(1, 1), out, 1e300)
    assert out.tolist() == [np.inf, -np.inf]


def test_integers_wrap_as_in_memory() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            kept = cuda.shared.array(1, np.int64)
            out[0] = x[0] * x[0]
            out[1] = x[0] + 1
            kept[0] = 2**63 + 5
            out[2] = kept[0]
            out[3] = 2**64 + 7

        return kernel

    out = np.zeros(4, np.int64)
    launched(build, "i8[:] i8[:]", Launch(1, 1), np.array([2**63 - 1]), out)
    assert out.tolist() == [1, -(2**63), 5 - 2**63, 7]


def test_labels_are_indices() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, labels, wanted, out):  # type: ignore[no-untyped-def]
            i = cuda.grid(1)
            if wanted[i]:
                out[i] = x[i, labels[i]]

        return kernel

    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    out = unset(4)
    wanted = np.array([True, False, True, True])
    launched(build, "T[:,:] i8[:] b1[:] T[:]", Launch(1, 4), x, np.array([2, 9, 0, 1]), wanted, out)
    assert out[[0, 2, 3]].tolist() == [2, 6, 10]
    assert np.isnan(out[1])
