"""Names that are given a second value: a gradient goes on under its name, or is overwritten."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tracer.checking import AGREE

MASKS = ("dh[h <= 0] = 0", "dh *= h > 0", "dh = np.where(h > 0, dh, 0)", "dh = dh * (h > 0)")
LINES = """\
dh = 2 * h
{}
dw = x.T @ dh
db = dh.sum(0)
"""


def layer() -> tr.Trace:
    rng = np.random.default_rng(0)
    x, w = (
        tr.tensor(rng.normal(size=(4, 3)), name="x"),
        tr.parameter(rng.normal(size=(3, 2)), name="w"),
    )
    b = tr.parameter(rng.normal(size=2), name="b")
    z = x @ w + b
    h = tr.relu(z)
    return tr.trace(tr.sum(h * h))  # the gradient of h is 0 where h is: a mask changes nothing


def shifted() -> tr.Trace:
    rng = np.random.default_rng(0)
    x, w = (
        tr.tensor(rng.normal(size=(4, 3)), name="x"),
        tr.parameter(rng.normal(size=(3, 2)), name="w"),
    )
    b = tr.parameter(rng.normal(size=2), name="b")
    z = x @ w + b
    h = tr.relu(z)
    return tr.trace(tr.sum((h - 1) * (h - 1)))


@pytest.mark.parametrize("mask", MASKS)
def test_a_masked_gradient_is_that_of_the_value_in_front(mask):
    """CS231n: `dhidden[hidden <= 0] = 0`, whatever the variable is called."""
    report = tr.verify(shifted(), LINES.format(mask).replace("2 * h", "2 * (h - 1)"))
    assert [row.verdict for row in report.rows] == [AGREE] * 4
    assert "line 2: this dh is the gradient of z" in report.notes
    assert tr.verify(layer(), LINES.format(mask)).ok


def test_a_wrong_mask_is_blamed_and_what_follows_inherits_it():
    report = tr.verify(shifted(), LINES.format("dh *= h > 1").replace("2 * h", "2 * (h - 1)"))
    assert report.first_wrong.line == 2
    assert [row.inherited for row in report.rows] == [False, False, True, True]


def test_one_buffer_may_run_back_through_the_network():
    x, w, b = (tr.tensor(value, name=name) for value, name in ((1.3, "x"), (0.7, "w"), (0.2, "b")))
    a = tr.sigmoid(w * x + b)
    text = "da = 2*(a-1)\nda = da*a*(1-a)\ndw = da*x\ndb = da\n"
    assert tr.verify(tr.trace((a - 1) ** 2), text).ok


def test_a_gradient_that_is_used_and_then_overwritten_is_judged():
    x = tr.tensor(3.0, name="x")
    y = x * 2
    trace = tr.trace(y * y)
    report = tr.verify(trace, "dy = 5\ndx = dy * 2\ndy = 2 * y\n")
    assert report.first_wrong.line == 1
    assert [row.inherited for row in report.rows] == [False, True, False]


def test_a_gradient_that_is_overwritten_unused_is_mentioned():
    report = tr.verify(tr.trace(tr.square(tr.tensor(3.0, name="x"))), "dx = 1\ndx = 2 * x\n")
    assert report.ok
    assert "line 1: this dx was not judged: line 2 overwrites it" in report.notes


def test_an_intermediate_gradient_may_be_laid_out_transposed():
    """CS231n's LayerNorm works on transposed arrays; a parameter's gradient has the parameter's shape."""
    text = "dh = (2 * (h - 1)).T\ndz = dh * (h.T > 0)\ndw = (dz @ x).T\ndb = dz.sum(1)\n"
    report = tr.verify(shifted(), text)
    assert report.ok, report
    assert report.rows[0].notes == ("it is laid out transposed: 2×4 for 4×2",)
    assert tr.verify(shifted(), text.replace("(dz @ x).T", "dz @ x")).first_wrong.line == 3
