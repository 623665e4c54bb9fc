"""Parts of arrays in kernels of Numba's: slices, rows, new axes; where they are checked, and what they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.indexed import Indexed
from ops.interpreter.machine import KernelFault, run
from ops.interpreter.own_memory import Local
from ops.interpreter.record import Fault
from ops.interpreter.recording import record
from tests.ops.interpreter.launching import fault_of, kernel, numbers

Made = Callable[..., None]
PARTS: list[Any] = [
    np.s_[1:3], np.s_[:, 1:], np.s_[..., 0], np.s_[2], np.s_[1, 2:0:-1, ::2], np.s_[None, 1], np.s_[::-1, -1, 1:4],
    np.s_[5:100], np.s_[2:1], np.s_[-2:, None, 0], np.s_[1, ..., 2], np.s_[()],
]  # fmt: skip


def table() -> Indexed:
    """Three axes of different lengths, each element its place."""
    held = Local((3, 4, 5), np.int64)
    for k, place in enumerate(np.ndindex(3, 4, 5)):
        held[place] = k
    return Indexed(held)


def elements(view: Any) -> Any:
    """The numbers of a view, as an array."""
    made = np.empty(view.shape, np.int64)
    for place in np.ndindex(*view.shape):
        made[place] = view[place]
    return made


@pytest.mark.parametrize("index", PARTS, ids=str)
def test_a_part_has_the_elements_of_numpys(index: Any) -> None:
    wanted = np.arange(60).reshape(3, 4, 5)[index]
    assert np.array_equal(elements(table()[index]), wanted)
    assert np.array_equal(elements(table()[index].T), wanted.T)


@pytest.mark.parametrize("inner", [np.s_[1:], np.s_[0], np.s_[::-2], np.s_[..., None]], ids=str)
@pytest.mark.parametrize("outer", [np.s_[1:3], np.s_[:, ::-1], np.s_[2, :, 1:4]], ids=str)
def test_a_part_of_a_part_has_the_elements_of_numpys(outer: Any, inner: Any) -> None:
    wanted = np.arange(60).reshape(3, 4, 5)[outer][inner]
    assert np.array_equal(elements(table()[outer][inner]), wanted)


def faulty(build: Callable[[Any], Made], arguments: str, threads: int, *given: Any) -> Fault:
    """What a kernel of Numba's does wrong."""
    written = kernel(lambda cuda, math, T, threads: build(cuda), arguments)
    with pytest.raises(KernelFault) as raised:
        run(written, "f4", Launch(1, threads), given, typing="numba")
    return raised.value.fault


def test_a_number_and_an_array_are_written_to_a_part() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            out[1:3] = 7
            out[3:] = x[::2]

        return kernel

    out = numbers(6)
    run(kernel(build, "T[:] T[:]"), "f4", Launch(1, 1), [numbers(5), out], typing="numba")
    assert out.tolist() == [0, 7, 7, 0, 2, 4]


def test_an_element_beyond_a_part_is_out_of_bounds_though_the_array_has_it() -> None:
    def build(cuda: Any) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            part = x[2:4]
            x[0] = part[2]

        return kernel

    fault = faulty(build, "T[:]", 1, numbers(9))
    assert (fault.kind, fault.array) == ("bounds", "part")
    assert "part[2] is out of bounds: its shape is (2,)" in fault.text


def test_a_row_beyond_the_array_is_taken_and_only_its_elements_are_faults() -> None:
    def build(cuda: Any) -> Made:
        def kernel(x, read):  # type: ignore[no-untyped-def]
            row = x[cuda.grid(1)]
            if cuda.grid(1) < x.shape[0] or read:
                row[0] = 1

        return kernel

    x = np.zeros((2, 3), np.float32)
    run(
        kernel(lambda cuda, math, T, n: build(cuda), "T[:,:] b1"),
        "f4",
        Launch(1, 4),
        [x, False],
        typing="numba",
    )
    assert x[:, 0].tolist() == [1, 1]
    fault = faulty(build, "T[:,:] b1", 4, x, True)
    assert (fault.array, fault.index, fault.threads) == ("x", (2, 0), ((2, 0, 0),))


def test_parts_that_overlap_race_on_the_element_of_the_array() -> None:
    def build(cuda: Any) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            part = x[2 * t : 2 * t + 3]
            part[:] = t

        return kernel

    fault = faulty(build, "T[:]", 2, numbers(8))
    assert (fault.kind, fault.array, fault.index) == ("race", "x", (2,))
    assert fault.lines[0] == fault.lines[1] != 0


def test_parts_of_shared_memory_are_recorded_under_its_name() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            kept = cuda.shared.array((2, 4), T)
            t = cuda.threadIdx.x
            column = kept[:, t]
            column[0] = x[t]
            again = x
            column[1] = again[t]
            cuda.syncthreads()
            out[t] = kept[0, 3 - t] + column[-1]

        return kernel

    run_ = record(
        kernel(build, "T[:] T[:]"), "f4", Launch(1, 4), [numbers(4), numbers(4)], typing="numba"
    )
    assert run_.fault is None
    assert run_.results["out"].tolist() == [3, 3, 3, 3]
    assert run_.runs[0].shared == {"kept": ((2, 4), "float32")}
    accesses = [(a.array, a.index) for e in run_.runs[0].threads[1] for a in e.accesses]
    assert accesses == [
        ("x", (1,)), ("kept", (0, 1)), ("x", (1,)), ("kept", (1, 1)), ("kept", (0, 2)), ("kept", (1, 1)), ("out", (1,)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda x, cuda: x.reshape(2, 3), "an array has no reshape in the interpreter"),
        (lambda x, cuda: x[1.5], "has an index that is no integer but a float"),
        (lambda x, cuda: x[0, 1:], "has 2 indices, where the array has 1"),
        (lambda x, cuda: cuda.atomic.add(x, slice(0, 2), 1), "is a slice, where a kernel names one element"),
        (lambda x, cuda: x[::0], "ValueError: slice step cannot be zero"),
        (lambda x, cuda: x[:4].__setitem__(slice(0, 2), x[:3]), "an array of shape (3,) for a part of shape (2,)"),
        (lambda x, cuda: x[1:3] + 1, "TypeError: unsupported operand"),
    ],
)  # fmt: skip
def test_what_is_no_part_of_an_array_is_named(write: Any, words: str) -> None:
    def build(cuda: Any) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            write(x, cuda)

        return kernel

    assert words in faulty(build, "T[:]", 1, numbers(6)).text


def test_a_slice_is_refused_in_a_kernel_of_ours() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            x[0] = x[1:][0]

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 1), numbers(3))
    assert "is a slice, where a kernel names one element" in fault.text
    assert "try: a loop over the indices of x" in fault.text
