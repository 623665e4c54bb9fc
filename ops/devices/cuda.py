"""The device `cuda`: a GPU, on which kernels run that Numba compiles when they are first launched."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.devices.cuda_adapter import SIMULATOR, package, support
from ops.devices.cuda_memory import KINDS, CupyMemory, NumbaMemory
from ops.devices.device import Memory
from ops.devices.finding import opened
from ops.errors import DeviceError

BROKEN = re.compile(
    "ILLEGAL|LAUNCH_FAILED|LAUNCH_TIMEOUT|MISALIGNED|HARDWARE|ASSERT|ECC|CONTEXT_IS"
)
"""Of the driver's words for what went wrong: after these, nothing runs on the GPU in this process any more."""
TOO_LARGE = re.compile("OUT_OF_RESOURCES|INVALID_CONFIG|INVALID_VALUE|COOPERATIVE_LAUNCH")
TOO_NEW = re.compile(r"UNSUPPORTED_PTX|Unsupported \.version|unsupported toolchain", re.IGNORECASE)
MOST_BLOCKS = (2**31 - 1, 65535)
"""Of a launch along x and y. Kernels stride over their work by the size of the grid, so fewer blocks do all of it."""
KEPT = 4096
"""Launches that are kept ready: sizes that change at every step would fill the memory of the host."""
FULL = re.compile("out of memory|OUT_OF_MEMORY|MemoryAllocation", re.IGNORECASE)


class Cuda:
    """The first GPU. Raises `DeviceError` that says what is missing, where none answers."""

    name = "cuda"
    interprets = False

    def __init__(self) -> None:
        found = support()
        if not found.available:
            raise found.error
        self.about = found.about
        self.compiler = package()
        self.fetched = 0
        """How many bytes were copied to the host: what a view asked for."""
        self._ready: dict[Any, tuple[Callable[..., None], tuple[Callable[[Any], Any], ...]]] = {}
        self._compiled: dict[Any, Any] = {}
        try:
            cupy = None if self.compiler.name == SIMULATOR else _cupy()
            cuda = self.compiler.module
            self.memory = NumbaMemory(cuda) if cupy is None else CupyMemory(cupy, cuda)
        except Exception as error:  # of any kind: a driver's
            raise self._in_our_words(error, "starting") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes to another process, or into a copy, by name."""
        return opened, (self.name,)

    def put(self, array: np.ndarray[Any, Any]) -> Memory:
        """A copy of a host array. Raises `DeviceError` where there is not enough memory."""
        _check(array.dtype)
        try:
            return self.memory.put(array)
        except Exception as error:
            raise self._in_our_words(error, "a copy", array.nbytes) from error

    def fetch(self, memory: Memory) -> np.ndarray[Any, Any]:
        """A copy on the host, once all that was launched before has ended."""
        self.fetched += memory.nbytes
        try:
            return self.memory.fetch(memory)
        except Exception as error:
            raise self._in_our_words(error, "fetching a result") from error

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Memory:
        """New memory. Raises `DeviceError` where there is not enough."""
        try:
            return self.memory.empty(shape, dtype)
        except Exception as error:
            needed = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
            raise self._in_our_words(error, "memory", needed) from error

    def launch(
        self,
        kernel: Kernel,
        dtype: Any,
        launch: Launch,
        arguments: Sequence[Any],
        options: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Run a kernel; the first time for these threads and options, compile it. It returns before the kernel ends."""
        key = (kernel.build, dtype, launch, tuple(options.items()), kernel.name)
        ready = self._ready.get(key)
        try:
            if ready is None:
                ready = self._bound(kernel, dtype, launch, options)
                if len(self._ready) >= KEPT:
                    del self._ready[next(iter(self._ready))]  # the oldest
                self._ready[key] = ready
            run, convert = ready
            run(*[turn(x) for turn, x in zip(convert, arguments, strict=True)])
        except Exception as error:
            what = f"kernel {kernel.name} in {launch.blocks} blocks of {launch.threads} threads"
            raise self._in_our_words(error, what) from error

    def _bound(
        self, kernel: Kernel, dtype: Any, launch: Launch, options: Mapping[str, Any]
    ) -> tuple[Callable[..., None], tuple[Callable[[Any], Any], ...]]:
        """A kernel that is bound to its launch, and what makes its arguments of memories and numbers.

        Kernels are compiled for the types with which they are first called, never for types that are written down:
        so the same lines serve all packages.
        """
        import math

        key = (kernel.build, np.dtype(dtype), launch.threads, tuple(options.items()), kernel.name)
        compiled = self._compiled.get(key)
        if compiled is None:
            built = kernel.built(self.compiler.language, math, dtype, launch.threads, **options)
            compiled = self._compiled[key] = self.compiler.module.jit(built)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "Grid size will likely result in under-utilization"
            run = compiled[_capped(launch.blocks), launch.threads, self.memory.stream]
        numbers = {"T": np.dtype(dtype).type, "i8": int, "b1": bool}
        words = kernel.arguments.split()
        return run, tuple(numbers.get(word, self.memory.argument) for word in words)

    def matmul(self, a: Memory, b: Memory, out: Memory) -> bool:
        """The product by cuBLAS, where CuPy is installed."""
        try:
            return self.memory.matmul(a, b, out)
        except Exception as error:
            raise self._in_our_words(error, "matmul") from error

    def adopt(self, foreign: Any) -> Memory:
        """A copy of an array of somebody else's that has `__cuda_array_interface__` or `__dlpack__`."""
        if hasattr(foreign, "dtype") and isinstance(foreign.dtype, np.dtype):
            _check(foreign.dtype)
        try:
            memory = self.memory.adopt(foreign)
        except DeviceError:
            raise
        except Exception as error:
            what = f"a copy of a {type(foreign).__name__}"
            raise self._in_our_words(error, what, getattr(foreign, "nbytes", 0)) from error
        _check(memory.dtype)
        return memory

    def synchronize(self) -> None:
        """Wait until everything that was launched has ended."""
        try:
            self.memory.synchronize()
        except Exception as error:
            raise self._in_our_words(error, "waiting for a result") from error

    def _in_our_words(self, error: Exception, what: str, needed: int = 0) -> DeviceError:
        """What a package or the driver said, as one sentence and what to try."""
        said = f"{type(error).__name__}: {error}"
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        if FULL.search(said) or isinstance(error, MemoryError):
            return DeviceError(
                f"not enough memory on {self._room(needed)}\n  try: a smaller batch, or device='cpu'"
            )
        if BROKEN.search(said):
            return DeviceError(
                f"the GPU stopped at an access out of bounds or the like ({first}): to this process it is lost\n"
                "  try: the same with device='interpret', which names the thread and the element"
            )
        if TOO_NEW.search(said):
            return DeviceError(
                f"the NVIDIA driver is older than the compiler of {self.compiler.name} ({first})\n"
                "  try: a newer driver, or pip install 'nvidia-nvvm==13.0.*' for a driver of CUDA 13.0"
            )
        refused = "does not fit on the GPU" if TOO_LARGE.search(said) else "is refused by the GPU"
        return DeviceError(
            f"{what} {refused} ({type(error).__name__}: {first})\n"
            "  try: device='cpu', or device='interpret' for the same kernels without a GPU"
        )

    def _room(self, needed: int) -> str:
        """The GPU, and how much of its memory is asked for and free."""
        try:
            free, total = self.memory.room()
        except Exception:  # a driver that gives no memory may give no answer either
            return self.about
        return f"{self.about}: {_size(needed)} asked for, {_size(free)} of {_size(total)} free"


def _check(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in KINDS:
        raise DeviceError(
            f"numbers of dtype {dtype} cannot lie on a GPU here\n  try: float32, float64, int64 or bool"
        )


def _capped(blocks: int | tuple[int, int]) -> int | tuple[int, int]:
    """As many of the blocks as a GPU starts in one launch."""
    if isinstance(blocks, int):
        return min(blocks, MOST_BLOCKS[0])
    x, y = map(min, blocks, MOST_BLOCKS)
    return x, y


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e7 else f"{count / 1e3:.0f} kB"


def _cupy() -> Any:
    """CuPy, if it is installed and reaches the GPU; else None: Numba's own arrays then do."""
    if find_spec("cupy") is None:
        return None
    try:
        cupy = import_module("cupy")
        return cupy if cupy.is_available() else None
    except Exception:  # of any kind: a package in pieces, or for another CUDA
        return None
