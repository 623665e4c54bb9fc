"""What every room's tests may ask for."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[1]

os.environ["GRADSTEP_CONFIG"] = (
    os.devnull
)  # no test reads or writes the settings of whoever runs it
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads wait for each other

SELDOM = (20_000, 20, 20)
"""How many objects come between two runs of the garbage collector: at Python's 700, it takes a third of the time."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the million objects that are the tests themselves out of the sight of the garbage collector."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*SELDOM)
        gc.enable()


RunPython = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds the four packages, the README and pyproject.toml."""
    return ROOT


@pytest.fixture
def python(tmp_path: Path) -> RunPython:
    """Run a fresh interpreter, without a terminal, in an empty folder: `python("-c", "import tracer")`.

    first: folders that Python searches before this checkout.
    """

    def run(*arguments: str, first: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, (*first, ROOT)))
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )

    return run
