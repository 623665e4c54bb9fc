"""A loop or condition that is wrong is blamed itself, and not the lines in it."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr

LINES = """\
T = 4
dw = 0
for t in reversed(range(1, T + 1)):
    dh[t] = 2 * h[t]
    if t < T:
        dh[t] += dz[t+1] * w
    dz[t] = dh[t] * (1 - h[t]**2)
for t in range(1, T + 1):
    dw += dz[t] * h[t-1]
"""


def trace() -> tr.Trace:
    w, h = tr.parameter(0.8, name="w"), tr.tensor(0.4, name="h0")
    losses = []
    for t in range(1, 5):
        with tr.scope("rnn", t=t):
            z = w * h
            h = tr.tanh(z)
            losses.append(h * h)
    return tr.trace(tr.sum(tr.stack(losses)))


def test_the_right_lines_pass():
    assert tr.verify(trace(), LINES).ok


@pytest.mark.parametrize(
    ("right", "wrong", "line", "kind", "fix"),
    [
        ("if t < T:", "if t < T - 1:", 5, "truncated", "if t < T:"),
        ("for t in range(1, T + 1):", "for t in range(2, T + 1):", 8, "truncated", "for t in range(1, T + 1):"),
        ("for t in range(1, T + 1):", "for t in range(1, T):", 8, "truncated", "for t in range(1, T + 1):"),
    ],
)  # fmt: skip
def test_a_head_that_leaves_steps_out_is_blamed_and_mended(right, wrong, line, kind, fix):
    text = LINES.replace(right, wrong)
    row = tr.verify(trace(), text).first_wrong
    assert (row.fault, row.causes[0].kind, row.causes[0].fix) == (line, kind, fix)


def test_a_step_that_no_line_gives_is_mentioned_where_it_is_used():
    report = tr.verify(trace(), LINES.replace("reversed(range(1,", "reversed(range(2,"))
    assert any("no line gives dL/dz#1: it was used as recorded" in note for note in report.notes)
    assert not any("as recorded" in note for note in tr.verify(trace(), LINES).notes)


def test_a_loop_that_runs_forwards_is_told_so():
    text = """\
dw, later = 0, 0
for t in range(1, 5):
    dh = 2 * h[t] + later
    dz = dh * (1 - h[t]**2)
    dw += dz * h[t-1]
    later = dz * w
"""
    assert tr.verify(trace(), text.replace("range(1, 5)", "reversed(range(1, 5))")).ok
    row = tr.verify(trace(), text).first_wrong
    assert row.fault == 2
    assert row.causes[0].text == "line 2: the loop runs in the wrong direction"


def test_a_loop_over_an_axis_that_stops_early_is_blamed():
    x = tr.tensor(np.array([1.0, 2.0, 3.0]), name="x")
    text = "dx = np.zeros_like(x)\nfor k in range(2):\n    dx[k] = 2 * x[k]\n"
    row = tr.verify(tr.trace(tr.sum(x * x)), text).first_wrong
    assert (row.fault, row.causes[0].text) == (2, "line 2: the loop leaves out k = 2")


def test_a_wrong_line_in_a_right_loop_is_blamed_itself():
    row = tr.verify(trace(), LINES.replace("h[t]**2)", "h[t]**3)")).first_wrong
    assert (row.line, row.fault) == (7, 0)


def test_a_loop_that_would_be_right_at_these_inputs_only_is_not_blamed():
    x = tr.tensor(np.array([2.0, 0.0]), name="x")
    text = "dx = np.zeros_like(x)\nfor k in range(2):\n    dx[k] = 4.0\n"
    row = tr.verify(tr.trace(tr.sum(x * x)), text).first_wrong  # 4 and 0: one turn would do, here
    assert not any("loop" in cause.text for cause in row.causes)
