"""What the driver of NVIDIA's GPUs says of them, asked directly: it takes no package, and no memory of a GPU."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

LIBRARIES = ("libcuda.so.1", "libcuda.so", "nvcuda.dll")
NO_DEVICE, MISMATCHES = 100, (35, 803, 804)
"""Of the driver's numbers for what is wrong: no GPU; a library that is not that of the kernel module."""
MAJOR, MINOR = 75, 76
"""The driver's numbers for the two halves of a compute capability."""


class Gpu(NamedTuple):
    """A GPU."""

    name: str
    capability: tuple[int, int]
    """The generation of its instructions: (9, 0) for an H200."""
    memory: int
    """Bytes."""

    def __str__(self) -> str:
        major, minor = self.capability
        return f"{self.name}, {self.memory / 2**30:.0f} GiB, compute capability {major}.{minor}"


class Driver(NamedTuple):
    """The driver of this machine, or why there is none that serves."""

    version: tuple[int, int] = (0, 0)
    """The newest CUDA that it runs: (13, 0)."""
    gpus: tuple[Gpu, ...] = ()
    fault: str = ""
    """What is missing, as a sentence without its full stop; empty if nothing is."""
    cure: str = ""
    """What to try against it."""


def driver() -> Driver:
    """Ask the driver: its version, and the GPUs that it shows to this process."""
    library = _library()
    if library is None:
        return Driver(
            fault=f"this machine has no NVIDIA driver ({LIBRARIES[0]})",
            cure="use a machine with an NVIDIA GPU and its driver",
        )
    version = _number(library.cuDriverGetVersion)
    spoken = (version // 1000, version % 1000 // 10)
    status = library.cuInit(0)
    if status in MISMATCHES:
        fault = "the NVIDIA driver of this process is not that of the machine's kernel module"
        return Driver(spoken, fault=fault, cure="restart the machine, or mend the container")
    count = _number(library.cuDeviceGetCount) if status == 0 else 0
    if status not in (0, NO_DEVICE):
        fault = f"the NVIDIA driver does not start (its error {status})"
        return Driver(spoken, fault=fault, cure="see whether nvidia-smi works")
    if not count:
        fault = "the NVIDIA driver shows no GPU to this process"
        return Driver(spoken, fault=fault, cure="see nvidia-smi, and CUDA_VISIBLE_DEVICES")
    return Driver(spoken, tuple(_gpu(library, number) for number in range(count)))


def _library() -> Any:
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def _gpu(library: Any, number: int) -> Gpu:
    handle = ctypes.c_int(_number(library.cuDeviceGet, number))
    name = ctypes.create_string_buffer(256)
    library.cuDeviceGetName(name, ctypes.c_int(256), handle)
    memory = ctypes.c_size_t()
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    major, minor = (
        _number(library.cuDeviceGetAttribute, attribute, handle) for attribute in (MAJOR, MINOR)
    )
    return Gpu(name.value.decode(errors="replace"), (major, minor), memory.value)


def _number(ask: Any, *arguments: Any) -> int:
    """The integer that a function of the driver writes where its first argument points; 0 if it fails."""
    found = ctypes.c_int()
    return found.value if ask(ctypes.byref(found), *arguments) == 0 else 0
