"""`python -m tests.bench [NAME ...]`: every speed that Gradstep promises, as ratios to what users would pick instead.

Peers come with the `bench` extra and are skipped with a word when absent. Runs in a checkout: a wheel holds no tests.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.harness import SINGLE_THREAD, Row, table

ROOT = Path(__file__).resolve().parents[2]
IN_NEW_PROCESS = "from tests.bench.run import print_rows; print_rows({!r}, toy={!r})"


@dataclass(frozen=True)
class Bench:
    """A benchmark: the module whose `rows` runs it, what it shows, and the arguments of a run that takes no time."""

    module: str
    about: str
    toy: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, *, toy: bool = False) -> list[Row]:
        """Run it in this process."""
        rows: list[Row] = importlib.import_module(self.module).rows(**(self.toy if toy else {}))
        return rows


BENCHES = {
    "import": Bench("tests.bench.imports", "import tracer against import numpy", {"processes": 1}),
    "chain": Bench(
        "tests.bench.chain",
        "1,000 recorded operations on 8x8 arrays, forward and backward",
        {"operations": 8, "rounds": 1},
    ),
    "mlp": Bench(
        "tests.bench.scalar_mlp",
        "an optimiser step of a scalar MLP, 65,000 nodes",
        {"points": 2, "rounds": 1, "sample_seconds": 0},
    ),
    "step": Bench(
        "tests.bench.debugger_step",
        "a debugger step on 100,000 nodes",
        {"nodes": 200, "doublings": 8, "steps": 2, "rounds": 1},
    ),
    "tui": Bench(
        "tests.bench.debugger_screen",
        "the debugger on the screen: a step, the tape, the first screen, the drawing, at any size",
        {"graphs": (40, 80), "tapes": (100, 200), "layouts": (50, 100), "steps": 2, "runs": 1},
    ),
    "figures": Bench(
        "tests.bench.figures",
        "a figure from trace to SVG: an unrolled network, 20,000 nodes; against plain dot",
        {"steps": (3,), "nodes": 80, "stopped": 5},
    ),
    "digits": Bench(
        "tests.bench.digits_mlp",
        "a training step of MLP 784-256-128-10, plain and with BatchNorm",
        {"batch": 4, "rounds": 1, "sample_seconds": 0},
    ),
    "recording": Bench(
        "tests.bench.recording",
        "recording on against off",
        {"batch": 4, "steps": 2, "rounds": 1, "sample_seconds": 0},
    ),
    "training": Bench(
        "tests.bench.training",
        "a training that is watched against the bare loop",
        {"steps": 2, "rounds": 1, "sample_seconds": 0},
    ),
    "initialization": Bench(
        "tests.bench.ten_layers",
        "the five initialisation tables of the gallery, against their matrix products alone",
        {"tables": 1, "rounds": 1},
    ),
    "loops": Bench(
        "tests.bench.loops",
        "compiled elementwise loops against numpy, at the size from which they are used",
        {"rounds": 1, "sample_seconds": 0, "operations": 1},
    ),
    "norms": Bench(
        "tests.bench.norms",
        "softmax cross-entropy and normalisation, recorded, forward and backward",
        {"rows": 4, "rounds": 1, "sample_seconds": 0},
    ),
    "convolution": Bench(
        "tests.bench.convolution",
        "conv2d and max_pool2d, recorded, forward and backward",
        {"batch": 1, "rounds": 1, "sample_seconds": 0},
    ),
    "recurrent": Bench(
        "tests.bench.recurrent",
        "a tanh RNN as one layer and in a recorded loop, forward and backward",
        {"steps": 2, "rounds": 1, "sample_seconds": 0},
    ),
    "numerical": Bench(
        "tests.bench.numerical",
        "certified numbers on the published set beside other methods; lanes against a loop",
        {"points": 1, "size": 4, "elements": 4, "rounds": 1},
    ),
    "checks": Bench(
        "tests.bench.checks",
        "a check of 4,096 parameters by the ladder against gradcheck; the mutants that both catch",
        {"sizes": (3, 4, 2), "rounds": 1},
    ),
    "mutants": Bench(
        "tests.bench.mutants",
        "wrong derivations: flagged, on the right line, with the right cause; no false alarm",
        {"count": 3},
    ),
    "checkers": Bench(
        "tests.bench.checkers",
        "wrong and right gradients shown to this checker and to others: what each lets through",
        {"count": 2},
    ),
}


def print_rows(name: str, *, toy: bool) -> None:
    """Run one benchmark and print its rows as one line of JSON: the half of `rows_of` in the new process."""
    print(json.dumps([asdict(row) for row in BENCHES[name].rows(toy=toy)]))


def rows_of(name: str, *, toy: bool = False) -> list[Row]:
    """Run one benchmark in a process of its own: on one thread, and with no library loaded that another one needs."""
    done = subprocess.run(
        [sys.executable, "-c", IN_NEW_PROCESS.format(name, toy)],
        cwd=ROOT,
        env={**os.environ, **SINGLE_THREAD},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def main(argv: Sequence[str]) -> int:
    """Print the table of the named benchmarks, or of all; 1 if a goal was missed, else 0."""
    parser = argparse.ArgumentParser(
        prog="gradstep bench",
        description="Compare speed with what users would pick instead; a ratio is our CPU time over the peer's.",
        epilog="benchmarks: " + "; ".join(f"{name}: {one.about}" for name, one in BENCHES.items()),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    parser.add_argument(
        "--toy", action="store_true", help="tiny sizes: shows that it runs, not how fast"
    )
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHES)}")
    rows = [row for name in options.names or BENCHES for row in rows_of(name, toy=options.toy)]
    print(table(rows))
    return 1 if any(row.verdict == "missed" for row in rows) and not options.toy else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
