"""The script that measures a GPU: what it says without one, its rows, and that it runs, in the interpreter."""

from __future__ import annotations

import json
import math

import pytest

from ops.devices.cuda_adapter import Support
from tests.bench import gpu
from tests.bench.gpu import Measured, main, measured, table
from tests.bench.gpu_cases import Case
from tests.bench.gpu_clocks import Clock


def ticking(step: float) -> Clock:
    """A clock by which any batch of runs takes `step` seconds for each run."""
    count = [0.0]

    def mark() -> float:
        return count[0]

    def run_took() -> None:
        count[0] += step

    clock = Clock(mark, lambda first, last: last - first, lambda: None)
    return clock, run_took


def test_without_a_device_it_says_so_and_that_is_all(monkeypatch, capsys):
    missing = Support("", "", False, "this machine has no NVIDIA driver", "use another")
    monkeypatch.setattr(gpu, "support", lambda: missing)
    assert main([]) == 0
    said = "Nothing was measured: this machine has no NVIDIA driver; use another.\n"
    assert capsys.readouterr().out == said


def test_the_time_of_a_run_is_that_of_a_batch_by_the_clock_of_the_gpu():
    clock, run = ticking(0.004)
    assert math.isclose(clock.seconds(run), 0.004)


@pytest.mark.parametrize(
    ("changes", "floor", "goal", "verdict"),
    [
        ({"moved": 8e9, "goal": 5e-3}, 2e-3, 5e-3, "met"),
        ({"moved": 8e9, "goal": 3e-3}, 2e-3, 3e-3, "missed"),
        ({"moved": 8e9, "share": 0.5}, 2e-3, 4e-3, "met"),
        ({"floor": 1e-3}, 1e-3, None, ""),
        ({"goal": 1.15, "against": "other"}, None, 1.15 * 3e-3, "missed"),
    ],
)
def test_a_row_is_held_against_the_copy_rate_a_time_or_another_row(changes, floor, goal, verdict):
    clock, run = ticking(0.004)
    before = {"other": Measured("other", 3e-3)}
    row = measured(Case("one", run, **changes), {"ours": clock}, 4e12, before, small=False)
    assert math.isclose(row.seconds, 0.004)
    assert (row.floor, row.goal) == (floor, pytest.approx(goal))
    assert row.verdict == verdict


def test_a_case_that_fails_is_a_row_that_says_why():
    clock, _ = ticking(1)

    def broken() -> None:
        raise RuntimeError("no such kernel\nand more")

    row = measured(Case("one", broken), {"ours": clock}, None, {}, small=False)
    assert row.verdict == "failed: RuntimeError: no such kernel"


@pytest.mark.slow
def test_it_runs_in_the_interpreter(tmp_path, capsys):
    kept = tmp_path / "numbers.json"
    assert main(["--device", "interpret", "--small", "--json", str(kept)]) == 0
    found = json.loads(kept.read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert printed.startswith("device 'interpret': no GPU")
    assert table(found) in printed
    rows = [Measured(**row) for row in found["rows"]]
    assert len(rows) >= 22
    for row in rows:
        assert row.fault == "", row
        assert row.seconds is not None
        assert row.verdict == ""
