"""What a line of a kernel raises is a fault with its thread and line; names that CUDA has and we have not say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.machine import KernelFault, run
from ops.interpreter.recording import record
from tests.ops.interpreter.launching import fault_of, kernel, launched, numbers

Made = Callable[..., None]


def doing(line: Callable[..., Any], waiting: bool) -> Callable[..., Made]:
    """A kernel whose third thread does something."""

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if waiting:
                cuda.syncthreads()
            if t == 2:
                line(cuda, math, x)
            if t == 9:
                v = x[t]
            x[t] = T(1) if t < 9 else v

        return kernel

    return build


def raises(cuda: Any, math: Any, x: Any) -> None:
    """A line of a user's."""
    raise ValueError("bad")


LINES: dict[str, tuple[Callable[..., Any], str, str]] = {
    "a raise": (raises, "ValueError: bad", "an if around the line"),
    "a division": (lambda cuda, math, x: 1 // (cuda.threadIdx.x - 2), "ZeroDivisionError", "a comparison with 0"),
    "a typo": (lambda cuda, math, x: cuda.gird(1), "cuda has no gird", "cuda.grid"),
    "not here": (lambda cuda, math, x: cuda.fp16.hadd(1, 2), "CUDA has cuda.fp16, and", "the kernel without it"),
    "no function": (lambda cuda, math, x: math.squirt(1.0), "math has no squirt", "math.sqrt"),
    "a type": (lambda cuda, math, x: None + 1, "TypeError", "what Numba compiles"),
    "no name": (lambda cuda, math, x: unheard_of, "NameError", "unheard_of as an argument"),  # noqa: F821
}  # fmt: skip


@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize("name", LINES)
def test_what_a_line_raises_is_a_fault_of_its_thread(name: str, waiting: bool) -> None:
    line, words, cure = LINES[name]
    build = doing(line, waiting)
    fault = fault_of(build, "T[:]", Launch(2, 4), numbers(4))
    assert (fault.kind, fault.threads, fault.block) == ("error", ((2, 0, 0),), (0, 0, 0))
    assert words in fault.text
    assert f"try: {cure}" in fault.text
    recorded = record(kernel(build, "T[:]"), "f4", Launch(2, 4), [numbers(4)])
    assert recorded.fault == fault
    assert recorded.runs[0].threads[2][-1].kind != "end"


def test_a_name_without_a_value_in_one_thread_is_a_fault_there() -> None:
    fault = fault_of(doing(lambda cuda, math, x: 0, False), "T[:]", Launch(1, 16), numbers(16))
    assert (fault.kind, fault.threads) == ("error", ((10, 0, 0),)) or fault.threads == ((10, 0, 0),)
    assert "try: a value for v before the if" in fault.text


@pytest.mark.parametrize("typing", ["ours", "numba"])
def test_an_interrupt_ends_a_run(typing: str) -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        turns = []

        def kernel(x):  # type: ignore[no-untyped-def]
            while True:
                turns.append(x[0])
                if len(turns) > 100:
                    raise KeyboardInterrupt

        return kernel

    for launch in (Launch(1, 1), Launch(2, 40)):
        with pytest.raises(KeyboardInterrupt):
            run(kernel(build, "T[:]"), "f4", launch, [numbers(1)], typing=typing)
        with pytest.raises(KeyboardInterrupt):
            record(kernel(build, "T[:]"), "f4", launch, [numbers(1)], typing=typing)


ALONE: dict[str, tuple[Callable[..., Any], Any]] = {
    "popc": (lambda cuda: cuda.popc(np.int32(-1)) + cuda.popc(255), 40),
    "clz": (lambda cuda: (cuda.clz(np.int32(1)), cuda.clz(1), cuda.clz(np.uint32(0))), (31, 63, 32)),
    "ffs": (lambda cuda: (cuda.ffs(0), cuda.ffs(8), cuda.ffs(np.int32(-(2**31)))), (0, 4, 32)),
    "brev": (lambda cuda: (cuda.brev(np.uint32(1)), cuda.brev(np.uint32(6))), (2**31, 3 << 29)),
    "fma": (lambda cuda: cuda.fma(np.float32(1 + 2**-12), np.float32(1 + 2**-12), np.float32(-1)), 2**-11 + 2**-24),
    "cbrt": (lambda cuda: cuda.cbrt(np.float32(27)), 3),
    "selp": (lambda cuda: (cuda.selp(True, 1, 2), cuda.selp(False, 1, 2)), (1, 2)),
    "nanosleep": (lambda cuda: cuda.nanosleep(10), None),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_a_function_of_cuda_alone(name: str) -> None:
    call, expected = ALONE[name]
    got = []

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            got.append(call(cuda))

        return kernel

    launched(build, "T[:]", Launch(1, 1), numbers(1))
    assert got == [expected]


def lanes(call: Callable[..., Any]) -> list[Any]:
    """What every lane of a warp gets."""
    got = [None] * 32

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if False:
                cuda.activemask()
                cuda.match_any_sync(1, 1)
            got[t] = call(cuda, t)

        return kernel

    launched(build, "T[:]", Launch(1, 32), numbers(1))
    return got


def test_lanes_match() -> None:
    every = 0xFFFFFFFF
    got = lanes(lambda cuda, t: cuda.match_any_sync(every, t % 2))
    assert got == [0x55555555, 0xAAAAAAAA] * 16
    assert lanes(lambda cuda, t: cuda.match_all_sync(every, 5)) == [(every, True)] * 32
    assert lanes(lambda cuda, t: cuda.match_all_sync(every, t)) == [(0, False)] * 32


def test_the_active_mask_names_the_lanes_that_come_together() -> None:
    got = lanes(lambda cuda, t: cuda.activemask() if t < 8 else 0)
    assert got == [0xFF] * 8 + [0] * 24


def test_more_atomic_operations() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            cuda.atomic.and_(x, 0, 6)
            cuda.atomic.or_(x, 1, 1 << t)
            cuda.atomic.xor(x, 2, 1 << t)
            cuda.atomic.inc(x, 3, 2)
            cuda.atomic.dec(x, 4, 2)
            cuda.atomic.nanmax(x, 5, t)

        return kernel

    x = np.array([7, 0, 1, 0, 0, 0])
    launched(build, "i8[:]", Launch(1, 4), x)
    assert x.tolist() == [6, 15, 14, 1, 2, 3]


def test_an_unknown_name_is_an_attribute_error_for_who_only_asks() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            x[0] = T(hasattr(cuda, "gird") + hasattr(math, "squirt") + getattr(cuda, "fp17", 7))

        return kernel

    x = numbers(1)
    launched(build, "T[:]", Launch(1, 1), x)
    assert x[0] == 7


def test_a_wrong_argument_is_no_fault_of_the_kernel() -> None:
    with pytest.raises(TypeError, match="declared") as raised:
        launched(doing(raises, False), "T[:]", Launch(1, 1), 5)
    assert not isinstance(raised.value, KernelFault)
