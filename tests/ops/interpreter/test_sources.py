"""Kernels of which no file has the lines, and kernels that call functions of their own."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.barriers import barriers, without_barrier
from ops.interpreter.machine import KernelFault, run
from ops.interpreter.recording import record
from ops.interpreter.sources import uses
from tests.ops.interpreter.launching import kernel, launched, numbers, reverse, unset

Made = Callable[..., None]

TEXT = """\
def reverse(x, out):
    kept = cuda.shared.array(64, T)
    t = cuda.threadIdx.x
    kept[t] = x[t]
    cuda.syncthreads()
    out[t] = kept[63 - t]
"""


def written(cuda: Any, math: Any, T: Any, threads: int, file: str = "<nowhere>") -> Made:
    given = {"cuda": cuda, "T": T}
    exec(compile(TEXT, file, "exec"), given)
    return given["reverse"]  # type: ignore[no-any-return]


def generated(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    linecache.cache["<reverse>"] = (len(TEXT), None, TEXT.splitlines(keepends=True), "<reverse>")
    return written(cuda, math, T, threads, "<reverse>")


@pytest.mark.parametrize("build", [written, generated])
def test_a_kernel_made_from_text_runs_and_is_checked(build: Any) -> None:
    out = unset(64)
    launched(build, "T[:] T[:]", Launch(1, 64), numbers(64), out)
    assert (out == numbers(64)[::-1]).all()
    with pytest.raises(KernelFault, match="out of bounds"):
        launched(build, "T[:] T[:]", Launch(1, 65), numbers(65), unset(65))


def test_without_its_lines_no_barrier_can_be_taken_away_and_nothing_recorded() -> None:
    k = kernel(written, "T[:] T[:]")
    assert barriers(k, "f4") == ()
    with pytest.raises(ValueError, match=r"try: put its lines into linecache\.cache"):
        run(without_barrier(k, 0), "f4", Launch(1, 64), [numbers(64), unset(64)])
    with pytest.raises(ValueError, match=r"try: put its lines into linecache\.cache"):
        record(k, "f4", Launch(1, 64), [numbers(64), unset(64)])


def test_with_its_lines_in_the_cache_a_generated_kernel_is_like_any_other() -> None:
    k = kernel(generated, "T[:] T[:]")
    assert [(b.line, b.text) for b in barriers(k, "f4")] == [(5, "cuda.syncthreads()")]
    recorded = record(k, "f4", Launch(1, 64), [numbers(64), unset(64)])
    assert [e.line for e in recorded.runs[0].threads[0]] == [2, 3, 4, 5, 6, 6]
    with pytest.raises(KernelFault) as raised:
        run(without_barrier(k, 0), "f4", Launch(1, 64), [numbers(64), unset(64)])
    assert raised.value.fault.lines == (6, 4)
    assert "kept[t] = x[t]" in raised.value.fault.text


def test_a_mutant_is_recorded_without_its_barrier() -> None:
    recorded = record(
        without_barrier(kernel(reverse, "T[:] T[:]"), 0),
        "f4",
        Launch(1, 64),
        [numbers(64), unset(64)],
    )
    assert recorded.fault is not None
    assert not any(e.kind == "barrier" for t in recorded.runs[0].threads for e in t)


def test_a_barrier_in_a_function_of_the_kernel_is_a_barrier() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def wait() -> None:
            cuda.syncthreads()

        def kernel(x, out):  # type: ignore[no-untyped-def]
            kept = cuda.shared.array(8, T)
            t = cuda.threadIdx.x
            kept[t] = x[t]
            wait()
            out[t] = kept[7 - t]

        return kernel

    out = unset(8)
    launched(build, "T[:] T[:]", Launch(1, 8), numbers(8), out)
    assert (out == numbers(8)[::-1]).all()


def test_what_a_kernel_does_with_an_argument_is_read_from_its_lines() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(read, changed, shape, handed, renamed):  # type: ignore[no-untyped-def]
            changed[0] += read[0]
            n = shape.shape[0]
            cuda.atomic.add(handed, n, read[0])
            other = renamed
            other[0] = n

        return kernel

    made = build(None, None, np.float32, 1)
    found = uses(made.__code__)
    assert {name: tuple(use) for name, use in found.items()} == {
        "read": (True, False),
        "changed": (True, True),
        "shape": (False, False),
        "handed": (True, True),
        "renamed": (True, True),
    }
