"""`import tracer` against `import numpy`: CPU time of the statement, in fresh interpreters taken in turn.

Both find their bytecode in a cache, as after a first run, whatever this environment says of writing it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.bench.harness import SINGLE_THREAD, Row, compared

ROOT = Path(__file__).resolve().parents[2]
STATEMENT = (
    "import time; start = time.process_time(); import {}; print(time.process_time() - start)"
)


def rows(*, processes: int = 20) -> list[Row]:
    """The median of so many processes each; one of each before them fills the bytecode cache."""
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    samples: dict[str, list[float]] = {"import tracer": [], "import numpy": []}
    with tempfile.TemporaryDirectory() as cache:
        environment |= {**SINGLE_THREAD, "PYTHONPYCACHEPREFIX": cache}
        for number in range(processes + 1):
            for name, taken in samples.items():
                seconds = seconds_to_run(name, environment)
                if number:
                    taken.append(seconds)
    medians = {name: statistics.median(taken) for name, taken in samples.items()}
    return [compared("import tracer", "import numpy", medians, goal=1.15)]


def seconds_to_run(statement: str, environment: Mapping[str, str]) -> float:
    """CPU seconds of one import statement in a new process."""
    code = STATEMENT.format(statement.removeprefix("import "))
    command = [sys.executable, "-c", code]
    return float(subprocess.check_output(command, cwd=ROOT, env=environment, text=True))
