"""Which package compiles kernels for a GPU on this machine, and what is missing if none can.

There are three with one interface: `numba_cuda_mlir`, NVIDIA's `numba-cuda`, which takes the place of `numba.cuda`, and
the `numba.cuda` that Numba itself ships. The first that loads is taken, and not before a device is asked for.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from ops.devices.cuda_driver import Driver, driver
from ops.errors import DeviceError

INSTALL = "pip install 'gradstep[cuda13]', or gradstep[cuda12] for a driver of CUDA 12"
OLDEST = (11, 2)
"""The CUDA that a driver must run for the `numba.cuda` that Numba ships."""
SIMULATOR = "the simulator of numba.cuda"


class Package(NamedTuple):
    """A package that compiles kernels."""

    module: Any
    """What compiles and launches them: `module.jit`, `module.to_device` and so on."""
    language: Any
    """What they are built with: `language.threadIdx`, `language.syncthreads` and so on."""
    name: str
    """As pip calls it."""
    version: str


class Support(NamedTuple):
    """What there is of CUDA on this machine: a package, a driver and a GPU; or what is missing."""

    package: str
    """What compiles kernels, as pip calls it; empty if nothing does."""
    version: str
    """Of that package."""
    available: bool
    reason: str = ""
    """What is missing, as a sentence without its full stop; empty if nothing is."""
    try_: str = ""
    """What to try against it."""
    gpu: str = ""
    """The first GPU, which is the one that is used, and its driver."""

    @property
    def about(self) -> str:
        """What it is, or what is missing and what to try, in a line."""
        if self.available:
            return f"{self.gpu}, by {self.package} {self.version}"
        return f"{self.reason}; {self.try_}"

    @property
    def error(self) -> DeviceError:
        """What is missing, as the error of who asked for a GPU."""
        return DeviceError(f"{self.reason}\n  try: {self.try_}")


@cache
def support() -> Support:
    """What there is of CUDA on this machine. Asking loads the package and starts the driver."""
    try:
        found = package()
    except DeviceError as error:
        reason, try_ = str(error).split("\n  try: ")
        return Support("", "", False, reason, try_)
    if found.name == SIMULATOR:
        return Support(found.name, found.version, True, gpu="no GPU")
    seen = driver()
    reason, try_ = _missing(found, seen)
    gpu = "{}, driver of CUDA {}.{}".format(seen.gpus[0], *seen.version) if seen.gpus else ""
    return Support(found.name, found.version, not reason, reason, try_, gpu)


def _missing(found: Package, seen: Driver) -> tuple[str, str]:
    """What keeps a package from a GPU, and what to try; two empty texts if nothing does."""
    if seen.fault:
        return seen.fault, seen.cure
    needed = _cuda_of(found)
    if seen.version < needed:
        runs, wants = ("{}.{}".format(*version) for version in (seen.version, needed))
        reason = f"the NVIDIA driver runs CUDA {runs}, {found.name} {found.version} needs {wants}"
        return reason, "a newer driver, or pip install 'gradstep[cuda12]'"
    try:
        complete = found.module.is_available()
    except Exception as error:  # of any kind: a library in pieces
        return _fault(found.name, error), INSTALL
    if not complete:
        reason = f"{found.name} {found.version} finds no compiler of CUDA (libnvvm) on this machine"
        return reason, INSTALL
    return "", ""


def _cuda_of(found: Package) -> tuple[int, int]:
    """The CUDA that a package was made for: its bindings bear that number."""
    bindings = _version("cuda-bindings") if found.name != "numba" else ""
    return (int(bindings.partition(".")[0]), 0) if bindings else OLDEST


@cache
def package() -> Package:
    """The package that compiles kernels here. Raises `DeviceError` that says why there is none."""
    faults = []
    for module, name in (
        ("numba_cuda_mlir.cuda", "numba-cuda-mlir"),
        ("numba.cuda", "numba"),
    ):
        absent = find_spec(module.partition(".")[0]) is None
        if absent or (_simulated() and name != "numba"):
            continue
        try:
            loaded = import_module(module)
            if name == "numba" and getattr(loaded, "implementation", "") == "NVIDIA":
                name = "numba-cuda"
                _load_without_row_stack()
        except Exception as error:  # of any kind: a package in pieces
            faults.append(_fault(name, error))
            continue
        if _simulated():
            return Package(loaded, _Simulated(), SIMULATOR, _version(name))
        return Package(loaded, loaded, name, _version(name))
    if faults:
        raise DeviceError(f"{faults[0]}\n  try: {INSTALL}")
    raise DeviceError(f"no package that compiles CUDA kernels is installed\n  try: {INSTALL}")


class _Simulated:
    """The words of a kernel in Numba's simulator, which has them only while a kernel runs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("numba.cuda.simulator.kernel")._get_kernel_context(), name)


def _simulated() -> bool:
    """Whether who started the process asks for Numba's own simulator, which runs kernels without a GPU."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


def _load_without_row_stack() -> None:
    """Let numba-cuda load the module that names `np.row_stack`, which numpy 2.5 no longer has; it is not called."""
    if not hasattr(np, "row_stack"):
        vars(np)["row_stack"] = np.vstack
        try:
            with suppress(ModuleNotFoundError):  # of other releases, which do not name it
                import_module("numba.cuda.np.arrayobj")
        finally:
            del vars(np)["row_stack"]


def _fault(name: str, error: Exception) -> str:
    """A sentence for a package that does not load."""
    first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    what = f"{name} {_version(name)}".rstrip()
    if "numpy" in first.lower():
        return f"{what} does not work with numpy {np.__version__} ({first})"
    return f"{what} is installed but does not load ({type(error).__name__}: {first})"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
