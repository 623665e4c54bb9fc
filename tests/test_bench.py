"""The benchmarks run, and the harness measures what it says. How fast we are is for `python -m tests.bench`."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

from tests.bench.harness import Case, Row, absent, compared, duration, interleave, table
from tests.bench.run import BENCHES, ROOT, main, rows_of


def spin(count: int) -> int:
    return sum(range(count))


@pytest.mark.slow
def test_interleaving_finds_the_ratio_of_two_loads():
    seconds = interleave(
        [Case("long", lambda: spin(80_000)), Case("short", lambda: spin(8_000))],
        rounds=5,
        sample_seconds=0.01,
    )
    assert 4 < seconds["long"] / seconds["short"] < 25


@pytest.mark.slow
def test_every_round_runs_every_case_and_turns_the_order_round():
    ran: list[str] = []
    interleave(
        [Case(name, lambda name=name: ran.append(name)) for name in "ab"],
        rounds=3,
        sample_seconds=0,
    )
    warm_up = ["a", "a", "b", "b"]
    assert ran == [*warm_up, "a", "b", "b", "a", "a", "b"]


@pytest.mark.parametrize("collector", [True, False])
def test_the_collector_is_as_the_case_says_and_restored_afterwards(collector):
    before = gc.isenabled()
    seen: set[bool] = set()
    interleave(
        [Case("case", lambda: seen.add(gc.isenabled()), collector=collector)],
        rounds=1,
        sample_seconds=0,
    )
    assert collector in seen
    assert gc.isenabled() is before


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [(0.5, "stretch met"), (0.7, "met"), (0.75, "met"), (0.8, "missed"), (None, "skipped")],
)
def test_a_row_says_whether_its_goal_is_met(ratio, verdict):
    assert Row("ours", "theirs", ratio, goal=0.75, stretch=0.6).verdict == verdict


def test_a_row_without_its_peer_names_the_extra_to_install():
    assert "gradstep[bench]" in table([absent("ours", "theirs", goal=1.0)])


def test_a_row_shows_both_times():
    row = compared("ours", "theirs", {"ours": 1.3e-3, "theirs": 2.6e-3}, goal=0.75)
    assert row.ratio == pytest.approx(0.5)
    assert row.note == "1.3 ms against 2.6 ms"


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.0, "2 s"), (4.5e-5, "45 µs"), (3e-8, "30 ns"), (0.123456, "123 ms")]
)
def test_a_duration_has_three_digits_and_a_unit(seconds, text):
    assert duration(seconds) == text


IN_ONE_PROCESS = "from tests.bench.run import *\nfor name in BENCHES: print_rows(name, toy=True)"


@pytest.fixture(scope="module")
def toys() -> dict[str, list[Row]]:
    """The rows of every benchmark at toy size, all from one process: loading PyTorch takes longer than they do."""
    lines = subprocess.check_output([sys.executable, "-c", IN_ONE_PROCESS], cwd=ROOT, text=True)
    rows = [[Row(**row) for row in json.loads(line)] for line in lines.splitlines()]
    return dict(zip(BENCHES, rows, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHES)
def test_a_benchmark_runs_at_toy_size(name, toys):
    assert toys[name]
    assert all(row.verdict == "skipped" or row.ratio >= 0 for row in toys[name])


def test_the_command_prints_a_table_and_refuses_an_unknown_name(capsys):
    assert main(["--toy", "import"]) == 0
    assert "import numpy" in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        main(["nonesuch"])
    assert refused.value.code == 2
    assert "import, chain, mlp, step" in capsys.readouterr().err


@pytest.mark.bench
@pytest.mark.parametrize("name", BENCHES)
def test_every_goal_is_met(name):
    rows = rows_of(name)
    assert [row for row in rows if row.verdict == "missed"] == [], table(rows)
