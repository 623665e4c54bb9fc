"""What a CUDA kernel is: one frozen entry that devices, the interpreter, tests and the stepper all read.

A kernel is built for a dtype by a function that is handed `cuda`, `math` and `T`: Numba's for a GPU, the interpreter's
without one. So the same lines run on both, nothing of CUDA is imported before a device is asked for, and every constant
is written `T(0.5)`: a bare 0.5 would make float64 of float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

Array = Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Launch(NamedTuple):
    """How many blocks of how many threads run a kernel. No result depends on it."""

    blocks: int | tuple[int, int]
    threads: int


class Trial(NamedTuple):
    """Arguments on which a kernel is tested, and what it must have written into some of them."""

    arguments: tuple[Any, ...]
    """Arrays (those to be written filled with NaN or -1), and Python numbers."""
    expected: Mapping[int, Array]
    """The number of an argument that is written, to what numpy gives for it, computed in float64."""
    options: Mapping[str, Any] = NOTHING
    """What the kernel is built with, besides its dtype and its threads."""
    what: str = ""
    """The name of the case, as a test shows it: its shapes."""


class Kernel(NamedTuple):
    """A kernel, how it is called, and the trials that hold it to numpy.

    The function that `build(cuda, math, T, threads, **options)` returns uses only what every backend has:
    `threadIdx blockIdx blockDim gridDim grid gridsize shared.array local.array syncthreads shfl_*_sync`, and `math`.
    It strides over its work by the size of the grid, so that any launch does all of it; whatever is summed is summed
    in an order that depends on shapes only, so that every launch gives the same bits.
    """

    name: str
    family: str
    """The room that it belongs to: elementwise, reductions, softmax, norms, products, windows, recurrent, moving."""
    build: Callable[..., Callable[..., None]]
    arguments: str
    """The type of each argument: `T[:,:] T[:] i8[:] i8 T b1[:] f4[:]`; T is the dtype. All arrays are C-contiguous."""
    trials: Callable[[np.random.Generator, Any], Iterable[Trial]]
    """`(rng, T)` to its trials: sizes 0, 1, 31, 32, 33, odd ones and broadcasts. Small: they run in the interpreter."""
    ulps: float = 4
    """How far a result may lie from numpy's, in ulps of the largest element of that result."""
    launches: tuple[Launch, ...] = (Launch(1, 32), Launch(2, 64), Launch(3, 128))
    """Three ways to launch it, between which no bit may differ."""
    options: Mapping[str, Any] = NOTHING
    """The usual values of what `build` takes besides the threads."""
    doc: str = ""
    """One sentence: what it computes."""

    def built(self, cuda: Any, math: Any, dtype: Any, threads: int, **options: Any) -> Any:
        """The kernel function for a namespace of CUDA and of mathematics, a dtype and a number of threads."""
        T = np.dtype(dtype).type
        return self.build(cuda, math, T, threads, **{**self.options, **options})


FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        name: f"ops.cuda.{name}.family"
        for name in "elementwise reductions softmax norms products windows recurrent moving".split()
    }
)
"""The rooms of kernels, and the modules whose table KERNELS holds them by name."""


def kernels() -> Mapping[str, Kernel]:
    """Every kernel by name; loads all families."""
    import importlib

    found: dict[str, Kernel] = {}
    for module in FAMILIES.values():
        found |= importlib.import_module(module).KERNELS
    return found
