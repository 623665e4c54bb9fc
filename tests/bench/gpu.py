"""`python -m tests.bench.gpu`: what runs how fast on the GPU, against its copy rate, CuPy and PyTorch, in one table.

It needs numpy, a package that compiles kernels and a GPU; CuPy and PyTorch are peers if they are installed. Where no
device answers it says so, and that is all. `--device interpret --small` shows that it runs, not how fast.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ops.devices.cuda_adapter import support
from ops.devices.cuda_driver import driver
from ops.devices.finding import opened
from tests.bench.gpu_cases import CASES, Case, Place
from tests.bench.gpu_clocks import Clock, clock_of, clock_of_cupy, clock_of_torch

PACKAGES = "numba numba-cuda numba-cuda-mlir cupy-cuda13x cupy-cuda12x torch numpy".split()
COPIED = 2**30
"""Bytes of the copy that is the measure of all others."""


@dataclass(frozen=True)
class Measured:
    """A row: seconds, and what they are held against."""

    name: str
    seconds: float | None
    floor: float | None = None
    """Seconds in which the copy rate moves its bytes, or the multiplications are done."""
    goal: float | None = None
    cupy: float | None = None
    torch: float | None = None
    fault: str = ""
    """Why there is no number."""

    @property
    def verdict(self) -> str:
        """Whether the goal is met."""
        if self.fault:
            return f"failed: {self.fault}"
        if self.goal is None or self.seconds is None:
            return ""
        return "met" if self.seconds <= self.goal else "missed"


def measured(
    case: Case,
    clocks: dict[str, Clock],
    rate: float | None,
    before: dict[str, Measured],
    *,
    small: bool,
) -> Measured:
    """Time a case and its peers. What fails becomes a row that says so: the others are still measured.

    rate: bytes that a copy reads and writes in a second. small: sizes are cut, so goals and floors are not those.
    """

    def timed(which: str) -> float | None:
        run = getattr(case, which)
        return None if run is None else clocks[which].seconds(run, quick=small) / case.each

    floor = case.moved / rate if case.moved and rate else case.floor or None
    goal = case.goal
    if case.share is not None:
        goal = floor / case.share if floor else None
    if case.against:
        other = before[case.against].seconds
        goal = None if other is None or goal is None else goal * other
    try:
        ours, cupy, torch = timed("ours"), timed("cupy"), timed("torch")
    except Exception as error:  # of any kind: this script is run where nobody can look
        return Measured(case.name, None, fault=_line(error))
    limits = (None, None) if small else (floor, goal)
    return Measured(case.name, ours, *limits, cupy, torch)


def copy_rate(at: Place, clocks: dict[str, Clock]) -> float | None:
    """Bytes a second that a library reads and writes when it copies on the GPU."""
    size = 2**10 if at.small else COPIED
    if at.cupy is not None:
        a, b = at.cupy.zeros(size, "u1"), at.cupy.zeros(size, "u1")
        return 2 * size / clocks["cupy"].seconds(lambda: at.cupy.copyto(b, a))
    if at.torch is not None:
        a = at.torch.zeros(size, dtype=at.torch.uint8, device="cuda")
        b = at.torch.zeros_like(a)
        return 2 * size / clocks["torch"].seconds(lambda: b.copy_(a))
    return None


def run(device: str, *, small: bool) -> dict[str, Any]:
    """Measure everything: the machine, the copy rate and the rows. Raises `DeviceError` where no device answers."""
    place = opened(device)
    cupy = getattr(getattr(place, "memory", None), "cupy", None)
    at = Place(place, cupy, _torch(device), small)
    clocks = {"ours": clock_of(place)}
    if at.cupy is not None:
        clocks["cupy"] = clock_of_cupy(at.cupy, at.cupy.cuda.Stream.null)
    if at.torch is not None:
        clocks["torch"] = clock_of_torch(at.torch)
    rate = copy_rate(at, clocks)
    done: dict[str, Measured] = {}
    for cases in CASES:
        try:
            for case in cases(at):
                done[case.name] = measured(case, clocks, rate, done, small=small)
                print(*_cells(done[case.name]), flush=True, file=sys.stderr)
        except Exception as error:  # of making the case
            done[cases.__name__] = Measured(cases.__name__, None, fault=_line(error))
    return {
        "machine": {**machine(device), "small": small},
        "copy_rate": rate,
        "rows": [asdict(row) for row in done.values()],
    }


def machine(device: str) -> dict[str, Any]:
    """What it was measured on."""
    found = driver()
    return {
        "device": device,
        "gpu": str(found.gpus[0]) if found.gpus else "",
        "driver": "{}.{}".format(*found.version),
        "compiler": f"{support().package} {support().version}",
        "packages": {name: number for name in PACKAGES if (number := _version(name))},
        "python": sys.version.split()[0],
    }


def table(found: dict[str, Any]) -> str:
    """The rows as aligned text, under a line that names the device."""
    about, rate = found["machine"], found["copy_rate"]
    lines = [HEAD, *(_cells(Measured(**row)) for row in found["rows"])]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = (
        "  ".join(
            cell.rjust(width) if 0 < number < len(HEAD) - 1 else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
    copied = f"copies at {rate / 1e12:.2f} TB/s" if rate else "no copy rate was measured"
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    where = about["gpu"] if about["device"] == "cuda" else f"device {about['device']!r}: no GPU"
    where += ", every axis cut" if about["small"] else ""
    return "\n".join((f"{where}, driver of CUDA {about['driver']}, {copied}", packages, "", *rows))


HEAD = ("operation", "ms", "floor", "of floor", "goal", "cupy", "torch", "of torch", "verdict")


def _cells(row: Measured) -> tuple[str, ...]:
    return (
        row.name,
        _milliseconds(row.seconds),
        _milliseconds(row.floor),
        _ratio(row.seconds, row.floor),
        _milliseconds(row.goal),
        _milliseconds(row.cupy),
        _milliseconds(row.torch),
        _ratio(row.seconds, row.torch),
        row.verdict,
    )


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.4f}"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return "-" if ours is None or not theirs else f"{ours / theirs:.2f}"


def _line(error: Exception) -> str:
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}"


def _torch(device: str) -> Any:
    """PyTorch, if it is installed and sees the GPU."""
    if device != "cuda" or find_spec("torch") is None:
        return None
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    return torch if torch.cuda.is_available() else None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def main(argv: Sequence[str]) -> int:
    """Print the table; 0 also where no device answers, for then there is nothing to miss."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gpu", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "interpret"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny sizes: shows that it runs")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers there, too")
    options = parser.parse_args(argv)
    if options.device == "cuda" and not support().available:
        print(f"Nothing was measured: {support().about}.")
        return 0
    started = time.perf_counter()
    found = run(options.device, small=options.small)
    print(table(found))
    print(f"\nmeasured in {time.perf_counter() - started:.0f} s")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
