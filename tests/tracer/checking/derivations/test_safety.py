"""A derivation of a stranger: it can neither exhaust the memory, nor run without end, nor command the terminal."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from tests.tracer.checking.derivations import hostile_calls
from tracer.checking.derivations.calculator import evaluate
from tracer.checking.derivations.calculator.costs import RULES
from tracer.checking.derivations.calculator.sizes import afford
from tracer.checking.derivations.calculator.vocabulary import FUNCTIONS
from tracer.checking.diagnosis import patience
from tracer.errors import DerivationError, GradstepError
from tui.cli import main
from tui.printing import Piece, printed


def network() -> tr.Trace:
    x, w = tr.tensor([1.0, 2.0, 3.0], name="x"), tr.parameter([0.5, 0.2, 0.1], name="w")
    return tr.trace(tr.sum((x * w) ** 2))


TRACE = network()
TALL = "a = np.zeros((10**6, 1))\n"
WIDE = "a = np.zeros((1, 10**6))\ni = np.zeros(10**6).astype(int)\n"
TWICE = "a = [1.0]\n" + "a = [a, a]\n" * 40


@pytest.mark.parametrize(
    "lines",
    [
        "b = np.ones_like(x, shape=(10**10,))",
        "b = np.full(fill_value=1, shape=10**10)",
        "b = np.repeat(x, axis=0, repeats=3 * 10**8)",
        "b = x.repeat(axis=0, repeats=3 * 10**8)",
        "b = np.diag(np.ones(2), k=60000)",
        "b = np.pad(x, mode='constant', pad_width=10**9)",
        "b = np.tril(np.ones(10**7))",
        "b = np.split(np.zeros(10**7), 10**7)",
        TALL + "b = np.inner(a, a)",
        WIDE + "b = np.take(a, i, 0)",
        WIDE + "i = [0] * 100000\nb = a[i]",
        WIDE + "a[i] = 1",
        WIDE + "np.add.at(a, i, 1)",
        "a = np.zeros((10**6, 0))\nb = np.tensordot(a, a.T, 1)",
        "a = []\nfor i in range(5000):\n    a = [a, np.zeros(10**6)]",
        "a = []\nfor i in range(5000):\n    a.append([np.zeros(10**6)])",
        "b = [[0] * 100000 for k in range(90000)]",
        "b = [list(range(100000)) for k in range(90000)]",
        TWICE + "b = np.array(a)",
        "a = [0] * 100000\nb = [a] * 100000\nc = np.array(b)",
    ],
)
def test_what_would_exhaust_the_memory_is_refused_before_it_runs(lines):
    with pytest.raises(DerivationError, match=r"line \d+: .*(elements|too many numbers)"):
        tr.verify(TRACE, f"{lines}\ndx = x")


@pytest.mark.parametrize(
    "lines",
    [
        "a = np.zeros(10**6)\nb = np.convolve(a, a)",
        "a = np.zeros((2000, 2000)).astype(int)\nb = a @ a",
        "a = np.zeros((900, 900))\nb = np.einsum('ij,jk->ik', a, a)",
        "b = np.argsort(np.zeros(5 * 10**7))",
        "a = np.zeros((2,) * 20)\nb = np.roll(a, (1,) * 20, tuple(range(20)))",
    ],
)
def test_a_call_that_would_run_for_long_is_refused_before_it_runs(lines):
    with pytest.raises(DerivationError, match=r"line \d+: .* would take about"):
        tr.verify(TRACE, f"{lines}\ndx = x")


def test_the_arguments_of_a_call_count_alike_by_position_and_by_keyword():
    x = np.ones((2, 3))
    assert afford("repeat", (x, 4, 1)) == afford("repeat", (x,), {"axis": 1, "repeats": 4})
    assert afford("full", ((4, 5), 1.0)) == afford("full", (), {"fill_value": 1.0, "shape": (4, 5)})
    assert afford("pad", (x, 4)) == afford("pad", (x,), {"pad_width": 4})


def test_a_function_without_a_rule_for_its_size_is_not_on_the_list():
    assert FUNCTIONS.keys() <= RULES.keys()
    with pytest.raises(DerivationError, match="not on the list"):
        tr.verify(TRACE, "dx = np.vander(x)")


MADE = (
    "np.outer(x, x)", "np.kron(table, table)", "np.inner(table, table)", "np.dot(table, table.T)",
    "np.tensordot(table, table, 0)", "np.tensordot(table, table, axes=([1], [1]))",
    "np.einsum('ij,kl->ikl', table, table)", "np.einsum('ij,kl', table, table)", "np.diag(x, k=-4)", "np.eye(3, 5)",
    "np.tril(x)", "np.pad(table, ((1, 2), (0, 7)))", "np.repeat(table, [1, 5], axis=0)", "np.tile(x, (2, 3))",
    "np.take(table, [[0, 1], [1, 1]], axis=1)", "np.take_along_axis(table, np.array([[0], [1]]), 1)",
    "np.arange(0, 1, 0.01)", "np.where(truths)", "np.convolve(x, x)", "np.full_like(x, 1, shape=(3, 4))",
    "table[[0, 1, 1, 1, 0]]", "table[:, [0, 0, 0, 0]]", "table[[[0], [1]], [[0, 1, 2]]]", "table[table > 1]",
    "x[:, None] * x", "np.stack([x, x, x])", "np.concatenate([table, table])", "table[None, ..., None]",
)  # fmt: skip


@pytest.mark.parametrize("text", MADE)
def test_no_call_makes_more_than_was_counted(text, monkeypatch):
    counted = []
    spend = "tracer.checking.derivations.calculator.spending.Spending.spend"
    monkeypatch.setattr(spend, lambda self, cost: counted.append(cost.elements))
    found = evaluate(ast.parse(text, mode="eval").body, hostile_calls.Meanings())
    assert np.size(found) <= sum(counted)


def test_a_call_with_hostile_arguments_gives_a_value_or_a_refusal():
    found = [hostile_calls.outcome(text)[0] for text in hostile_calls.calls(1, 6)]
    assert 50 < sum(value is not None for value in found) < len(found) / 2


@pytest.mark.slow
def test_many_hostile_calls_stay_within_little_memory_and_a_second_each():
    script = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
import numpy as np
from tests.tracer.checking.derivations import hostile_calls
since = time.thread_time()
np.exp(np.ones(10**7))
reference = time.thread_time() - since
slowest = max(
    (hostile_calls.outcome(text)[1], text) for k in range(2, 12) for text in hostile_calls.calls(k, 20)
)
assert slowest[0] < 20 * reference, (slowest, reference)
"""
    root = Path(tr.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env={"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr[-2000:]


@pytest.mark.parametrize(
    "line",
    [
        "b = np.pad(x)",
        "b = np.pad(x, 'a')",
        "b = np.arange(x)",
        "b = np.arange()",
        "b = np.arange(np.inf - np.inf)",
        "b = np.tensordot(x)",
        "b = np.expand_dims(x, axis=tuple(range(60)))",
        "b = np.array([None, x])",
        "b = x in [x, 1]",
        "for i, a in enumerate(x, x):\n    b = a",
        "for i, a in [None]:\n    b = a",
        "b = " + "+".join(["x"] * 600),
        "b = " + "-" * 50000 + "x",
        "if x[0] > 0:\n    b = x\n" + "elif x[0] > 1:\n    b = x\n" * 900,
    ],
)
def test_nonsense_is_refused_with_its_line(line):
    with pytest.raises(DerivationError, match=r"line 1: .*\n  .*\n  try: "):
        tr.verify(TRACE, f"{line}\ndx = x")


def test_a_sum_of_a_hundred_terms_is_no_nonsense():
    assert tr.verify(TRACE, "dx = " + "+".join(["0.02 * x * w**2"] * 100))


def test_ordinary_calls_with_two_index_arrays_are_not_taken_for_large_ones():
    lines = "p = np.ones((3000, 10))\np[np.arange(3000), np.zeros(3000).astype(int)] -= 1\n"
    assert tr.verify(TRACE, lines + "dx = 2 * x * w**2")


# ----- the search for causes

HEAVY = "dx = sum([k * 0.0 for k in range(2000)]) + 3.7 * x * w * w * w"


def test_a_search_for_causes_ends_after_so_much_work_and_says_so(monkeypatch):
    monkeypatch.setattr(patience, "LINE_WORK", 10**8)
    first, second = (str(tr.verify(TRACE, HEAVY)) for _ in range(2))
    assert "the search for a cause was ended: to run these lines again takes too long" in first
    assert first == second


def test_a_search_for_causes_ends_after_so_much_time_and_says_so(monkeypatch):
    monkeypatch.setattr(patience, "LINE_SECONDS", 0.0)
    assert "the search for a cause was ended after 0 s" in str(tr.verify(TRACE, HEAVY))


def test_all_searches_of_a_report_together_end_too(monkeypatch):
    monkeypatch.setattr(patience, "WORK", 3 * 10**5)
    report = tr.verify(TRACE, "dx = 3.7 * x * w * w * w\ndw = 4.1 * w * x * w * x")
    assert [bool(row.notes) for row in report.rows] == [True, True]


def test_a_short_search_is_not_ended():
    report = tr.verify(TRACE, "dx = 2 * x * w * w * w")
    assert "ended" not in str(report)
    assert report.rows[0].causes[0].exact


# ----- the terminal

CURSES = "\x1b[2J\x1b[1;1HPASS\x1b[8m \x9b2J \u202e \x07 \x00 \u2028 \x85 \r"


def shown(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


def test_no_comment_and_no_name_commands_the_terminal_that_prints_a_report():
    report = tr.verify(TRACE, f"dx = 3 * x # {CURSES}\ndw = 1")
    assert shown(str(report))
    assert shown(report.to_json())
    assert "PASS" in str(report)


@pytest.mark.parametrize("derivation", [f"dx = x {CURSES}", f"dx = {CURSES}", {CURSES: 1.0}])
def test_no_error_commands_the_terminal(derivation, tmp_path, capsys):
    if isinstance(derivation, str):
        file = tmp_path / "lines\x1b[2J.txt"
        file.write_text(derivation.replace("\x00", ""), encoding="utf-8", newline="")
        assert main(["verify", "sigmoid_neuron", str(file)]) == 2
        said = capsys.readouterr()
        assert shown(said.err)
        assert "line" in said.err
    with pytest.raises(GradstepError) as caught:
        tr.verify(TRACE, derivation)
    assert shown(str(caught.value))


def test_the_page_of_a_wrong_derivation_does_not_command_the_terminal(tmp_path, capsys):
    file = tmp_path / "lines\x1b[2J.txt"
    file.write_text(f"dw0 = 5 # {CURSES}".replace("\x00", ""), encoding="utf-8", newline="")
    main(["verify", "sigmoid_neuron", str(file)])
    said = capsys.readouterr()
    assert shown(said.out + said.err)
    assert "dw" in said.out


def test_an_assertion_that_fails_does_not_command_the_terminal():
    with pytest.raises(AssertionError) as caught:
        tr.assert_derivation(TRACE, f"dx = 3 * x # {CURSES}")
    assert shown(str(caught.value))


def test_a_painted_page_holds_no_sequences_but_its_own():
    assert printed([(Piece("\x1b[2J", "value"),)], colours=True) == "\x1b[32m\\x1b[2J\x1b[0m"
