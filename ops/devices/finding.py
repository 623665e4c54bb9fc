"""Which devices there are, and opening one by name. Nothing of CUDA is imported before somebody asks."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

from ops.devices.device import Device
from ops.errors import DeviceError

NAMES = ("cpu", "cuda", "interpret")


class Found(NamedTuple):
    """A device as `tr.devices()` lists it."""

    name: str
    available: bool
    about: str
    """What it is, or what is missing and what to try."""

    def __str__(self) -> str:
        return f"{self.name:9} {'yes' if self.available else 'no ':3}  {self.about}"


class Devices(tuple[Found, ...]):
    """The devices of this machine; prints as a table."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    __repr__ = __str__


def devices() -> Devices:
    """Where values may lie on this machine: `cpu`, `cuda` and `interpret`, with what they are or what is missing.

    Asking loads the CUDA package that is installed, if there is one.
    """
    from ops.devices.cuda_adapter import support

    cuda = support()
    return Devices(
        (
            Found("cpu", True, "numpy, and kernels that Numba compiles"),
            Found("cuda", cuda.available, cuda.about),
            Found(
                "interpret", True, "CUDA kernels run by our interpreter: slow, every access checked"
            ),
        )
    )


def checked(name: object) -> str:
    """The name of a device. Raises `DeviceError` for what is none."""
    if not isinstance(name, str) or name.partition(":")[0] not in NAMES:
        near = ["cuda"] if name == "gpu" else get_close_matches(str(name), NAMES, n=1, cutoff=0.4)
        raise DeviceError(
            f"there is no device {name!r:.80}: there are {', '.join(NAMES)}\n"
            f"  try: device={(near or ['interpret'])[0]!r}"
        )
    if name.partition(":")[2] not in ("", "0"):
        raise DeviceError(
            f"device {name!r}: one GPU is used, the first\n"
            f"  try: device='cuda', with CUDA_VISIBLE_DEVICES to choose which GPU is the first"
        )
    return name.partition(":")[0]


def opened(name: str) -> Device:
    """The device of that name, opened when first asked for: there is one of each kind.

    Raises `DeviceError` that says what is missing, and how to interpret kernels instead.
    """
    return _opened(checked(name))


@cache
def _opened(name: str) -> Device:
    if name == "interpret":
        from ops.devices.interpreting import INTERPRET

        return INTERPRET
    from ops.devices.cuda_adapter import support

    found = support()
    if not found.available:
        raise DeviceError(
            f"{found.about}\n  try: device='interpret', which runs the same kernels without a GPU"
        )
    from ops.devices.cuda import Cuda

    return Cuda()
