"""A kernel that is written for Numba computes in Numba's types."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.machine import run
from ops.interpreter.recording import record
from ops.interpreter.widening import (
    OPERATORS,
    binary,
    cast,
    inverted,
    mathematics,
    negative,
    raised,
)
from tests.ops.interpreter.launching import kernel

Made = Callable[..., None]
INTEGERS = "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
TYPES = [*INTEGERS, "float32", "float64"]


def written(build: Any, arguments: str, *given: Any) -> None:
    """Run one thread of a kernel of Numba's."""
    run(kernel(build, arguments), "f4", Launch(1, 1), given, typing="numba")


def type_of(x: Any) -> str:
    """The type of Numba for which a number stands."""
    if isinstance(x, np.generic):
        return type(x).__name__
    return {bool: "bool_", int: "int64", float: "float64"}[type(x)]


SOURCES = {
    "Add": "+",
    "Sub": "-",
    "Mult": "*",
    "Div": "/",
    "FloorDiv": "//",
    "Mod": "%",
    "BitAnd": "&",
    "BitOr": "|",
    "BitXor": "^",
    "LShift": "<<",
    "RShift": ">>",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_an_operator_has_the_type_and_the_value_that_numba_gives_it(name: str) -> None:
    numba = pytest.importorskip("numba")
    space: dict[str, Any] = {}
    exec(f"def f(a, b): return a {SOURCES[name]} b", space)
    bits = OPERATORS[name][0] in ("bits", "shift")
    operate = binary(name)
    for x, y in itertools.product(INTEGERS if bits else TYPES, repeat=2):
        if OPERATORS[name][0] == "shift" and "bool_" in (x, y):
            continue
        a, b = getattr(np, x)(1 if x == "bool_" else 100), getattr(np, y)(1 if y == "bool_" else 3)
        compiled = numba.njit(space["f"], error_model="numpy")
        expected = compiled(a, b)
        kind = str(compiled.nopython_signatures[-1].return_type)
        got = operate(a, b)
        assert type_of(got).rstrip("_") == kind, (x, y)
        assert got == expected, (x, y)


with np.errstate(all="ignore"):  # as inside a kernel
    WIDE: dict[str, tuple[Any, Any]] = {
        "int32 * int32": (binary("Mult")(np.int32(2000000), np.int32(2000000)), 4000000000000),
        "int32 + literal": (binary("Add")(np.int32(2000000), 2147483647), 2149483647),
        "uint8 + uint8": (binary("Add")(np.uint8(224), np.uint8(224)), np.uint64(448)),
        "uint8 - literal": (binary("Sub")(np.uint8(224), 255), -31),
        "uint8 << 4": (binary("LShift")(np.uint8(224), 4), np.uint64(3584)),
        "int64 wraps": (binary("Mult")(2**62, 4), 0),
        "int64 + 1 wraps": (binary("Add")(2**63 - 1, 1), -(2**63)),
        "-int8": (negative(np.int8(-128)), -128),
        "-uint8": (negative(np.uint8(224)), np.uint64(32)),
        "~uint8": (inverted(np.uint8(5)), np.uint64(250)),
        "~int32": (inverted(np.int32(5)), -6),
        "float32 * 0.1": (binary("Mult")(np.float32(3), 0.1), np.float64(3 * 0.1)),
        "int / int": (binary("Div")(1, 3), np.float64(1 / 3)),
        "1 / 0.0": (binary("Div")(1.0, np.float32(0)), np.float64(np.inf)),
        "float32 ** 2": (raised(np.float32(1.1), 2), np.float32(1.1) * np.float32(1.1)),
        "int32 + float32": (
            binary("Add")(np.int32(1), np.float32(0.1)),
            1 + np.float64(np.float32(0.1)),
        ),
        "int32(2**40 + 1)": (cast(np.int32, 2**40 + 1), np.int32(1)),
        "int32(-1.5)": (cast(np.int32, np.float64(-1.5)), np.int32(-1)),
        "sqrt of float32": (mathematics().sqrt(np.float32(2)), np.float32(np.sqrt(np.float32(2)))),
        "sqrt of an integer": (mathematics().sqrt(2), np.float64(np.sqrt(2.0))),
    }


@pytest.mark.parametrize("name", WIDE)
def test_a_result_widens(name: str) -> None:
    got, expected = WIDE[name]
    assert type_of(got) == type_of(expected)
    assert got == expected


def hashed(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """Small integers, floats with bare constants, an argument, += on elements and names."""
    int32, float32 = np.int32, np.float32

    def half(v):  # type: ignore[no-untyped-def]
        return v * 0.5 + 1 / 3

    def kernel(n, x, out, s):  # type: ignore[no-untyped-def]
        h = int32(5381)
        for _ in range(8):
            h = h * 33 + n[0]
        out[0] = h
        out[1] = half(x[0])
        total = 0.0
        for k in range(3):
            total += x[k]
        out[2] = total
        out[3] += x[1] * s
        out[4] += n[0] * n[0]
        out[6] = 1 if x[0] == 0.7 else 0
        out[7] = max(x[0], 0.0) * float32(2)
        x[2] = x[2] * 0.1

    return kernel


HASHED = "i4[:] f4[:] f8[:] T"


def test_a_kernel_computes_as_numba_compiles_it() -> None:
    numba = pytest.importorskip("numba")
    n = np.array([2000000], np.int32)
    floats = np.array([0.7, 0.1, 3.3], np.float32)
    got = [n, floats.copy(), np.zeros(8), 0.1]
    written(hashed, HASHED, *got)
    made = hashed(None, None, None, 1)
    cells = dict(zip(made.__code__.co_freevars, made.__closure__, strict=True))  # type: ignore[attr-defined]
    half = cells["half"]
    half.cell_contents = numba.njit(half.cell_contents)
    want = [n, floats.copy(), np.zeros(8), 0.1]
    numba.njit(made)(*want)
    assert got[1].tobytes() == want[1].tobytes()
    assert got[2].tolist() == want[2].tolist()
    plain = [n, floats.copy(), np.zeros(8), 0.1]
    run(kernel(hashed, HASHED), "f4", Launch(1, 1), plain)
    assert plain[2].tolist() != got[2].tolist()  # numpy's own types are others


def test_a_recorded_kernel_of_numba_computes_the_same_and_shows_no_name_of_ours() -> None:
    given = [np.array([7], np.int32), np.ones(3, np.float32), np.zeros(8), 0.1]
    recorded = record(kernel(hashed, HASHED), "f4", Launch(1, 1), given, typing="numba")
    assert recorded.fault is None
    names = {name for event in recorded.runs[0].threads[0] for name in event.registers}
    assert names == {"h", "_", "total", "k", "half.v", "half.return"}
    written(hashed, HASHED, *given)
    assert recorded.results["out"].tolist() == given[2].tolist()


def test_the_index_of_an_augmented_assignment_is_evaluated_once() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        places = [3, 2, 1]

        def kernel(out):  # type: ignore[no-untyped-def]
            out[places.pop()] += 5

        return kernel

    out = np.arange(4)
    written(build, "i8[:]", out)
    assert out.tolist() == [0, 6, 2, 3]


def test_a_number_of_numpy_keeps_its_type_as_an_argument() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out, s):  # type: ignore[no-untyped-def]
            out[0] = s * s

        return kernel

    for s, expected in ((0.1, 0.1 * 0.1), (np.float32(0.1), np.float32(0.1) * np.float32(0.1))):
        out = np.zeros(1)
        written(build, "f8[:] T", out, s)
        assert out[0] == expected


def test_the_operators_are_all_of_python_but_the_product_of_matrices() -> None:
    known = {each.__name__ for each in ast.operator.__subclasses__()}
    assert set(OPERATORS) == known - {"MatMult"}


def test_another_typing_is_refused() -> None:
    with pytest.raises(ValueError, match="try: typing='ours'"):
        run(kernel(hashed, HASHED), "f4", Launch(1, 1), [], typing="nump")
