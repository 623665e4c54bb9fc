"""Which CUDA package is taken, and the sentence for what is missing: with packages and drivers made up for the test."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import SimpleNamespace

import pytest

from ops.devices import cuda_driver
from ops.devices.cuda_driver import Driver, Gpu, driver

H200 = Gpu("NVIDIA H200", (9, 0), 143771 * 2**20)
FINE = Driver((13, 0), (H200,))
WORKS = "def is_available(): return True\n"
NO_COMPILER = "def is_available(): return False\n"
NEEDS_OLD_NUMPY = "raise ImportError('Numba needs NumPy 2.3 or less. Got NumPy 2.4.')"
SHADOWED = "implementation = 'NVIDIA'\n" + WORKS
ROW_STACK = "import numpy\nassert numpy.row_stack is numpy.vstack\nprint('named')\n"

ASK = """
import ops.devices.cuda_adapter as adapter
from ops.devices.cuda_driver import Driver, Gpu
adapter.driver = lambda: {driver!r}
found = adapter.support()
print(found.package, found.version, found.available, found.about, sep="|")
"""


@pytest.fixture
def ask(python, tmp_path):
    """What is said where these packages are installed: name to version and the text of its module `cuda`."""

    def run(seen: Driver = FINE, before: str = "", **packages: tuple[str, str]) -> list[str]:
        here = tmp_path / "installed"
        here.mkdir()
        for name in {"numba", "numba_cuda_mlir", *packages}:
            version, text = packages.get(name, ("", ""))
            _install(here, name, version, text)
        hidden = "import sys\nfor name in ('numba', 'numba_cuda_mlir'):\n"
        hidden += f"    if name not in {tuple(packages)!r}: sys.modules[name] = None\n"
        done = python("-c", hidden + before + ASK.format(driver=seen), first=(here,))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().split("|")

    return run


def _install(here: Path, name: str, version: str, text: str) -> None:
    """A package, its module `cuda`, and what pip would write down of it."""
    (here / name / "cuda" / "np").mkdir(parents=True)
    (here / name / "__init__.py").touch()
    (here / name / "cuda" / "__init__.py").write_text(text, encoding="utf-8")
    (here / name / "cuda" / "np" / "__init__.py").touch()
    (here / name / "cuda" / "np" / "arrayobj.py").write_text(ROW_STACK, encoding="utf-8")
    about = here / f"{name}-{version}.dist-info"
    about.mkdir()
    lines = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
    (about / "METADATA").write_text(lines, encoding="utf-8")


def test_the_successor_is_taken_first(ask):
    found = ask(
        numba=("0.68.1", WORKS), numba_cuda_mlir=("0.6.0", WORKS), cuda_bindings=("13.5.0", "")
    )
    assert found[:3] == ["numba-cuda-mlir", "0.6.0", "True"]
    assert (
        found[3]
        == "NVIDIA H200, 140 GiB, compute capability 9.0, driver of CUDA 13.0, by numba-cuda-mlir 0.6.0"
    )


def test_what_numba_ships_serves_where_nothing_else_is_installed(ask):
    assert ask(numba=("0.68.1", WORKS))[:3] == ["numba", "0.68.1", "True"]


def test_a_successor_in_pieces_is_passed_over(ask):
    found = ask(
        numba=("0.68.1", WORKS), numba_cuda_mlir=("0.6.0", "raise OSError('no such library')")
    )
    assert found[:3] == ["numba", "0.68.1", "True"]


def test_numba_cuda_is_told_from_what_it_replaces(ask):
    before = "import numpy\nnumpy.row_stack = numpy.vstack\n"  # whichever numpy there is
    found = ask(
        before=before,
        numba=("0.68.1", SHADOWED),
        numba_cuda=("0.30.4", ""),
        cuda_bindings=("13.5.0", ""),
    )
    assert found[:3] == ["numba-cuda", "0.30.4", "True"]


def test_numba_cuda_loads_with_a_numpy_that_has_no_row_stack(ask):
    """numpy 2.5 dropped the name; numba-cuda looks it up when it compiles its first kernel."""
    before = "import numpy\nif hasattr(numpy, 'row_stack'): del numpy.row_stack\n"
    found = ask(before=before, numba=("0.68.1", SHADOWED), numba_cuda=("0.30.4", ""))
    assert found[:3] == ["named\nnumba-cuda", "0.30.4", "True"]


@pytest.mark.parametrize(
    ("seen", "packages", "said"),
    [
        (FINE, {}, "no package that compiles CUDA kernels is installed; pip install 'gradstep[cuda13]'"),
        (
            FINE,
            {"numba": ("0.61.2", NEEDS_OLD_NUMPY)},
            "numba 0.61.2 does not work with numpy",
        ),
        (
            FINE,
            {"numba": ("0.68.1", "raise OSError('libLLVM.so: not found')")},
            "numba 0.68.1 is installed but does not load (OSError: libLLVM.so: not found)",
        ),
        (
            FINE,
            {"numba": ("0.68.1", "def is_available(): raise OSError('libnvvm: bad ELF')")},
            "numba 0.68.1 is installed but does not load (OSError: libnvvm: bad ELF)",
        ),
        (FINE, {"numba": ("0.68.1", NO_COMPILER)}, "finds no compiler of CUDA (libnvvm)"),
        (
            FINE._replace(version=(12, 4)),
            {"numba_cuda_mlir": ("0.6.0", WORKS), "cuda_bindings": ("13.5.0", "")},
            "the NVIDIA driver runs CUDA 12.4, numba-cuda-mlir 0.6.0 needs 13.0; a newer driver",
        ),
        (FINE._replace(version=(10, 2)), {"numba": ("0.68.1", WORKS)}, "needs 11.2"),
        (
            Driver(fault="this machine has no NVIDIA driver", cure="use another"),
            {"numba": ("0.68.1", WORKS)},
            "this machine has no NVIDIA driver; use another",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_a_line(ask, seen, packages, said):
    *_, available, about = ask(seen, **packages)
    assert available == "False"
    assert said in about
    assert "\n" not in about


def test_asking_for_nothing_loads_nothing_of_cuda(python):
    done = python(
        "-c",
        "import sys, tracer, ops, ops.devices.finding, ops.devices.arrays, ops.cuda.native\n"
        "from ops.cuda.kernel import kernels\n"
        "assert kernels()\n"
        "print(*{name.split('.')[0] for name in sys.modules})",
    )
    assert done.returncode == 0, done.stderr
    heavy = {"numba", "numba_cuda", "numba_cuda_mlir", "llvmlite", "cupy", "cuda", "greenlet"}
    assert set(done.stdout.split()) & heavy == set()


class Library:
    """A driver that answers as told."""

    def __init__(self, version: int = 13000, status: int = 0, count: int = 1) -> None:
        self.status = status
        self.cuDriverGetVersion = lambda where: self._write(where, version)
        self.cuDeviceGetCount = lambda where: self._write(where, count)
        self.cuDeviceGet = lambda where, number: self._write(where, number)
        self.cuDeviceTotalMem_v2 = lambda where, handle: self._write(where, H200.memory)
        numbers = {cuda_driver.MAJOR: 9, cuda_driver.MINOR: 0}
        self.cuDeviceGetAttribute = lambda where, number, handle: self._write(
            where, numbers[number]
        )

    def cuInit(self, flags: int) -> int:
        return self.status

    def cuDeviceGetName(
        self, where: ctypes.Array[ctypes.c_char], size: object, handle: object
    ) -> int:
        where.value = H200.name.encode()
        return 0

    def _write(self, where: object, value: int) -> int:
        where._obj.value = value  # type: ignore[attr-defined]
        return 0


def test_the_driver_is_asked_for_its_gpus(monkeypatch):
    monkeypatch.setattr(cuda_driver, "_library", lambda: Library(count=2))
    assert driver() == Driver((13, 0), (H200, H200))


@pytest.mark.parametrize(
    ("library", "said"),
    [
        (None, "this machine has no NVIDIA driver (libcuda.so.1)"),
        (Library(status=100), "the NVIDIA driver shows no GPU to this process"),
        (Library(count=0), "the NVIDIA driver shows no GPU to this process"),
        (Library(status=999), "the NVIDIA driver does not start (its error 999)"),
        (Library(status=803), "is not that of the machine's kernel module"),
    ],
)
def test_a_driver_that_does_not_serve_is_named(monkeypatch, library, said):
    monkeypatch.setattr(cuda_driver, "_library", lambda: library)
    found = driver()
    assert said in found.fault
    assert found.cure
    assert found.gpus == ()


def test_no_driver_is_found_where_none_is_installed(monkeypatch):
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(cuda_driver, "ctypes", SimpleNamespace(CDLL=missing))
    assert cuda_driver._library() is None
