"""Backpropagation through time as people write it: loops over the recorded steps, in several styles."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tracer as tr
from tracer.checking import AGREE, DISAGREE
from tracer.errors import DerivationError

T, B, D, H, OUT = 4, 2, 3, 5, 2


def rnn(*, last: bool = False, first: int | None = None) -> tr.Trace:
    """h⟨t⟩ = tanh(x⟨t⟩ Wx + h⟨t−1⟩ Wh + b) and a squared error at each step, or at the last alone."""
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, OUT))
    wx = tr.parameter(rng.normal(size=(D, H)), name="Wx")
    wh = tr.parameter(0.4 * rng.normal(size=(H, H)), name="Wh")
    b = tr.parameter(np.zeros(H))
    why = tr.parameter(rng.normal(size=(H, OUT)), name="Why")
    h = tr.constant(np.zeros((B, H)), name="h0")
    loss = 0.0
    for t in range(T):
        with tr.scope("rnn", **({} if first is None else {"t": t + first})):
            h = tr.tanh(inputs[t] @ wx + h @ wh + b)
            if not last or t == T - 1:
                y = h @ why
                loss = loss + tr.sum((y - targets[t]) ** 2)
    return tr.trace(loss)


TRACE = rnn()

NEXT = """\
T = 4
dWx, dWh, dWhy, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Why), np.zeros_like(b)
dhnext = np.zeros_like(h[0])
for t in reversed(range(T)):
    dy = 2 * (y[t] - targets[t])
    dWhy += h[t].T @ dy
    dh = dy @ Why.T + dhnext
    dz = dh * (1 - h[t]**2)
    db += dz.sum(0)
    dWx += inputs[t].T @ dz
    dWh += h[t-1].T @ dz
    dhnext = dz @ Wh.T
"""
"""As in min-char-rnn and CS231n, for row vectors."""
CARRIED = NEXT.replace("dhnext = np", "dh = np").replace(
    "dh = dy @ Why.T + dhnext", "dh += dy @ Why.T"
)
CARRIED = CARRIED.replace("dhnext = dz", "dh = dz")
"""dh is handed on to the next turn, and completed there."""
WITHIN = CARRIED.replace("dh += dy @ Why.T", "pass").replace(
    "dz = dh *", "dz = (dh + dy @ Why.T) *"
)
"""dh is only what comes from the step behind: the gradient of no recorded value."""
INDEXED = """\
for t in range(3, -1, -1):
    dy[t] = 2 * (y[t] - targets[t])
    dh[t] = dy[t] @ Why.T
    if t < 3:
        dh[t] += dz[t+1] @ Wh.T
    dz[t] = dh[t] * (1 - h[t]**2)
dWh = sum(h[t-1].T @ dz[t] for t in range(4))
db = sum(dz).sum(axis=0)
""".replace("for t in range(3", "dz = [None] * 4\nfor t in range(3")
FROM_ONE = NEXT.replace("range(T)", "range(1, T + 1)").replace("h[0]", "h[1]")
LISTED = """\
hs = [h0] + [h[t] for t in range(4)]
dhs = []
dh = np.zeros_like(h0)
for k, (h_t, h_before, y_t, Y_t) in enumerate(zip(reversed(hs[1:]), reversed(hs[:-1]), reversed(y), reversed(targets))):
    dh = dh + 2 * (y_t - Y_t) @ Why.T
    dz = dh * (1 - h_t**2)
    dhs.append(h_before.T @ dz)
    dh = dz @ Wh.T
dWh = sum(dhs)
"""
ARRAY = """\
def backward(dout, cache):
    h, y, Wh = cache
    dh = np.zeros((4, 2, 5))
    dWh = np.zeros(Wh.shape)
    after = 0
    t = 3
    while t >= 0:
        dh[t] += 2 * (y[t] - targets[t]) @ Why.T + after
        dz = dh[t] * (1 - h[t]**2)
        dWh += h[t-1].T @ dz
        after = dz @ Wh.T
        t -= 1
    return dWh
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (NEXT, ["dy[t]", "dWhy", "dh[t]", "db", "dWx", "dWh"]),
        (CARRIED, ["dy[t]", "dWhy", "dh[t]", "db", "dWx", "dWh"]),
        (WITHIN, ["dy[t]", "dWhy", "db", "dWx", "dWh"]),
        (INDEXED, ["dy[t]", "dh[3]", "dh[t]", "dWh", "db"]),
        (ARRAY, ["dh[t]", "dWh"]),
        (FROM_ONE, ["dy[t]", "dWhy", "dh[t]", "db", "dWx", "dWh"]),
    ],
    ids=["next", "carried", "within", "indexed", "array", "from one"],
)
def test_a_right_loop_agrees_with_a_row_for_each_line(text, names):
    report = tr.verify(TRACE, text)
    assert report.ok, report
    assert [row.name for row in report.rows] == names


def test_lists_of_steps_can_be_gone_through():
    report = tr.verify(TRACE, LISTED)
    assert report.ok, report
    assert "dWh" in [row.name for row in report.rows]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("text", [NEXT, FROM_ONE])
def test_steps_may_be_counted_otherwise_than_by_the_scope(first, text):
    assert tr.verify(rnn(first=first), text).ok


def test_where_only_the_last_step_has_a_loss_what_is_carried_is_the_gradient():
    text = CARRIED.replace("    dy = 2 * (y[t] - targets[t])\n", "").replace(
        "    dWhy += h[t].T @ dy\n", ""
    )
    text = (
        text.replace("    dh += dy @ Why.T\n", "")
        .replace(" dWhy,", "")
        .replace(" np.zeros_like(Why),", "")
    )
    text = text.replace("dh = np.zeros_like(h[0])", "dh = 2 * (y - targets[3]) @ Why.T")
    report = tr.verify(rnn(last=True), text)
    assert report.ok, report
    assert [row.name for row in report.rows] == ["dh[3]", "db", "dWx", "dWh", "dh[t]"]


def test_every_step_of_a_line_is_judged_and_the_worst_named():
    report = tr.verify(TRACE, NEXT.replace("+ dhnext", "+ dhnext * (t != 1)"))
    row = report.first_wrong
    assert (row.name, row.line) == ("dh[t]", 7)
    assert "wrong at t = 1, right at the other time steps" in row.because
    assert row.worst.where.startswith("[t=1, ")
    assert row.shape == (B, H)
    assert TRACE.label(row.node) == "h#2"
    assert row.count(DISAGREE) <= 2 * B * H < len(row.elements) == T * B * H
    assert [r.name for r in report.rows if r.verdict == DISAGREE and not r.inherited] == ["dh[t]"]


def test_a_wrong_helper_in_a_loop_is_the_line_at_fault():
    report = tr.verify(TRACE, NEXT.replace("(1 - h[t]**2)", "(1 - h[t])"))
    assert report.first_wrong.fault == 8
    assert report.first_wrong.causes[0].text.startswith("line 8 (dz): ")


def test_a_loop_that_leaves_steps_out_is_the_line_at_fault():
    report = tr.verify(TRACE, CARRIED.replace("reversed(range(T))", "range(T-1, T-3, -1)"))
    row = report.first_wrong
    assert (row.name, row.fault, row.causes[0].kind) == ("dWhy", 4, "truncated")
    assert row.causes[0].text == "line 4: the loop leaves out t = 0 and 1"
    assert row.causes[0].fix == "for t in reversed(range(4)):"
    assert {r.name for r in report.rows if r.verdict == AGREE} == {"dy[t]", "dh[t]"}


def test_a_step_that_was_not_recorded_is_refused_with_those_that_were():
    with pytest.raises(
        DerivationError, match=r"line 2: there is no h\[4\]: its time steps are 0 to 3"
    ):
        tr.verify(TRACE, "for t in range(4):\n    dh[t] = h[t+1]")


def test_a_gradient_used_before_its_step_is_given_is_refused():
    text = "for t in reversed(range(4)):\n    dz = dh[t] * (1 - h[t]**2)\n    dh[t] = dz @ Wh.T"
    with pytest.raises(DerivationError, match="line 2: it uses dh before the line that gives it"):
        tr.verify(TRACE, text)


def test_plural_names_and_column_vectors_are_understood():
    rng = np.random.default_rng(1)
    w = tr.parameter(rng.normal(size=(3, 3)), name="W")
    u = tr.parameter(rng.normal(size=(3, 2)), name="U")
    s = tr.constant(np.zeros((3, 1)), name="s0")
    for _ in range(3):
        x = tr.constant(rng.normal(size=(2, 1)))
        s = tr.tanh(w @ s + u @ x)
    loss = tr.sum(s * s)
    text = """\
dU, dW = np.zeros_like(U), np.zeros_like(W)
ds = 2 * ss[2]
for t in reversed(range(3)):
    draw = (1 - ss[t] * ss[t]) * ds
    dU += np.dot(draw, xs[t].T)
    dW += np.dot(draw, ss[t-1].T)
    ds = np.dot(W.T, draw)
"""
    report = tr.verify(tr.trace(loss), text)
    assert report.ok, report


def test_a_long_loop_is_verified_in_the_time_that_it_takes():
    x = tr.tensor(0.5, name="x")
    for _ in range(300):
        x = tr.tanh(x) * 1.01
    report = tr.verify(tr.trace(x), "for t in reversed(range(300)):\n    q = t\ndx = 1.0")
    assert report.rows[0].verdict == AGREE


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("dh[2] = 2 * h[1:][1]", "h[1:] cannot be computed: its parts differ in shape, 2×4, 2×5"),
        ("dh[2] = 2 * np.array(h)[2]", "np.array(h) cannot be computed: its parts differ in shape"),
        ("dh = np.zeros_like(h)\ndh[2] = 2 * h[2][0, 0]", "dh[2] has no place: the array is 2×5"),
    ],
)
def test_steps_of_different_shapes_make_no_one_array_and_it_says_so(line, complaint):
    h = tr.tensor(np.ones((2, 3)), name="x")
    for t, (before, after) in enumerate([(3, 4), (4, 4), (4, 5)]):
        with tr.scope("layer", t=t):
            h = tr.tanh(h @ np.full((before, after), 0.1))
    trace = tr.trace((h * h).sum())
    assert tr.verify(trace, "dh[2] = 2 * h[2]").ok
    with pytest.raises(DerivationError, match=re.escape(complaint)):
        tr.verify(trace, line)
