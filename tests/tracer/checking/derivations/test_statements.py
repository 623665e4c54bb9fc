"""Statements of a derivation, the names it may use, where it stands in a script, and what it says of bad ones."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import tracer as tr
from tracer.checking.derivations.claims import claims_of_text
from tracer.checking.derivations.locating import derivation_in
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.running import interpreter
from tracer.checking.verifying import verify
from tracer.errors import DerivationError


def network() -> tr.Trace:
    rng = np.random.default_rng(0)
    x, w1 = tr.tensor(rng.normal(size=(4, 3))), tr.parameter(rng.normal(size=(3, 5)), name="W1")
    w2, μ = tr.parameter(rng.normal(size=(5, 2)), name="W2"), tr.parameter(rng.normal(size=5))
    z = x @ w1 + μ
    h_hat = tr.tanh(z)
    out = h_hat @ w2
    return tr.trace(tr.sum(out * out))


TRACE = network()
BASE = "dhhat = dout @ W2.T\ndz = dhhat * (1 - h_hat**2)\ndW1 = x.T @ dz\n"


@pytest.mark.parametrize(
    "text",
    [
        "dW2 = h_hat.T @ dout",
        "dL/dW2 = ĥ.T @ dout",
        "∂L/∂W2 = hhat.T @ g",
        "dloss_dW2 = h_hat.T @ dout",
        "grad_W2 = h_hat.T @ upstream",
        "W2_grad = h_hat.T @ dout",
        "W2.grad = h_hat.T @ out.grad",
        "d_W_2 = h_hat.T @ d_out",
        "def backward(dout):\n    dW2 = h_hat.T @ dout\n    return dW2",
        "def backward(dout, cache):\n    x, h_hat, W2 = cache\n    return {'W2': h_hat.T @ dout}",
        "dL/dμ = ((dout @ W2.T) * (1 - ĥ**2)).sum(0)",
        "dmu = ((dout @ W2.T) * (1 - h_hat**2)).sum(0)",
        "dμ = ((dout @ W2.T) * (1 - ĥ**2)).sum(axis=0)",
        "a, b = h_hat.T, dout\ndW2 = a @ b",
        "dW2 = np.zeros_like(W2)\nfor n in range(len(x)):\n    dW2 += np.outer(h_hat[n], dout[n])",
        "dW2 = np.zeros(W2.shape)\nfor i in range(5):\n    for j in range(2):\n"
        "        dW2[i][j] = (h_hat[:, i] * dout[:, j]).sum()",
        "dW2 = sum([np.outer(a, b) for a, b in zip(h_hat, dout)])",
        "parts = []\nfor n in range(4):\n    parts.append(np.outer(h_hat[n], dout[n]))\ndW2 = np.sum(parts, axis=0)",
        "dW2 = np.zeros_like(W2)\nnp.add.at(dW2, np.arange(5), h_hat.T @ dout)",
        "if len(x) > 3 and not x.shape[1] == 2:\n    dW2 = h_hat.T @ dout\nelse:\n    dW2 = 0 * W2",
        "dW2 = h_hat.T @ dout if m == 4 else 0 * W2",
        "dW2 = np.einsum('ni,nj->ij', h_hat, dout)\nprint(dW2)",
    ],
)
def test_statements_and_spellings_are_understood(text):
    report = tr.verify(TRACE, text)
    assert report.ok, report
    assert len(report.rows) == 1


def test_a_name_of_two_readings_is_refused():
    x_hat, xhat = tr.tensor(1.0), tr.tensor(2.0)
    trace = tr.trace(x_hat * xhat)
    with pytest.raises(DerivationError, match="x_hat or xhat"):
        tr.verify(trace, "q = x__hat")
    assert tr.verify(trace, "dx_hat = xhat\ndxhat = x_hat").ok


def test_assigning_to_a_copy_does_not_change_what_it_was_copied_from():
    text = "dout = 2 * out\nq = dout\nq += 1\nq[0] = 5\ndW2 = h_hat.T @ dout"
    report = tr.verify(TRACE, text)
    assert report.ok, report
    assert any("in numpy this `+=` would also change dout" in note for note in report.notes)
    apart = tr.verify(TRACE, text.replace("q = dout", "q = dout.copy()"))
    assert not any("in numpy" in note for note in apart.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dW2 = h_hat.T @ dout\nh_hat += 1", "line 2: h_hat is a recorded value, and cannot be changed"),
        ("x[0] = 1\ndW2 = W2", "line 1: x is a recorded value, and cannot be changed in place"),
        ("dW2[0] = 1", r"line 1: dW2 has not been made.*\n.*\n  try: dW2 = np.zeros_like\(W2\)"),
        ("r = np.random.rand(3)\ndx = x", "line 1: a derivation that draws random numbers cannot be"),
        ("dx = rng.normal(size=3)", "random numbers"),
        ("def f():\n    dx = x\ndef g():\n    pass", "line 1: a derivation is at most one function"),
        ("import torch", "line 1: nothing can be imported but numpy"),
        ("dx = x\nclass A:\n    pass", "line 2: a derivation has no classes"),
        ("global x\ndx = x", "line 1: a derivation has no global state"),
        ("dx = lambda: 1", "line 1: lambda: 1 is not allowed here"),
        ("dx = x @ out", r"the inner sizes differ, 3 against 4\n.*\n  try: x.T @ out"),
        ("dx = x + W1", r"axis 1 differs: 3 against 5"),
        ("dx = x * 2)\n", r"line 1: this is not Python: unmatched '\)'\n  dx = x \* 2\)\n            \^"),
        ("a, b = x, x, x\ndx = x", "line 1: 2 names for 3 values"),
        ("for n in 3:\n    dx = x", "line 1: 3 is nothing to go through"),
        ("if x > 0:\n    dx = x", "is a table of 4×3 truths"),
        ("dW1 = q[0]\n", "'q' is neither defined"),
        ("dhhat = dL_dW5", "there is no recorded value 'W5'"),
        ("dW22 = 1.0\ndW3 = x\ndW1x = x", "line 1: there is no recorded value 'W22'"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_the_reason_and_a_cure(text, words):
    with pytest.raises(DerivationError, match=words) as caught:
        tr.verify(TRACE, text)
    assert "try: " in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "words"),
    [("MOST_STATEMENTS", "100 statements have run"), ("SECONDS", r"it has run for 0\.05 s")],
)
def test_a_loop_without_end_is_stopped_at_its_line(monkeypatch, limit, words):
    monkeypatch.setattr(interpreter, limit, 100 if limit == "MOST_STATEMENTS" else 0.05)
    with pytest.raises(DerivationError, match=f"line [23]: {words}"):
        tr.verify(TRACE, "k = 0\nwhile k >= 0:\n    k = k + 1\ndx = x")
    with pytest.raises(DerivationError, match=f"line 1: {words}"):
        tr.verify(TRACE, "q = [k for k in range(99_999) for_]".replace(" for_", "") + "\ndx = x")


def test_a_helper_that_is_used_nowhere_is_noted():
    report = tr.verify(TRACE, "dim = x.shape[1]\n" + BASE)
    assert report.ok, report
    assert "line 1: dim is used nowhere" in report.notes


def test_numbers_that_are_not_finite_are_named_with_their_place():
    report = tr.verify(TRACE, "q = x / (x - x[1, 2])\ndx = q * 1\n" + BASE)
    assert "line 1: q comes to inf at [1, 2]" in report.notes
    assert report.first_wrong.name == "dx"


def test_a_wrong_shape_does_not_hide_what_comes_after():
    report = tr.verify(
        TRACE, BASE.replace("dz = dhhat *", "dz = dhhat.T @ dhhat *").replace("(1 - h_hat**2)", "2")
    )
    wrong = [(row.name, row.inherited) for row in report.rows if row.verdict == "DISAGREE"]
    assert wrong == [("dz", False)]
    assert report.first_wrong.because == "its shape is 5×5, the value's 4×5"


def test_a_gradient_that_depends_on_itself_in_a_condition_is_judged_on_its_own_numbers():
    text = "dout = 3 * out\nif dout[0, 0] * out[0, 0] > 2.5 * out[0, 0]**2:\n    dW2 = h_hat.T @ dout\n"
    report = tr.verify(TRACE, text + "else:\n    dx = x\n")
    assert any("a condition depends on a gradient" in note for note in report.notes)


def test_a_line_written_otherwise_is_tried_on_recorded_gradients():
    names = Names(TRACE)
    derived = claims_of_text(names, "k = 2\na = 1 - h_hat\ndz = k * dh_hat * a / 2\n")
    (claim,) = derived.claims
    repairs = claim.repairs
    assert [line.number for line in repairs.lines] == [1, 2, 3]
    assert set(repairs.names) == {"k", "a"}
    right = repairs.again(1, ast.parse("1 - h_hat**2", mode="eval").body)
    np.testing.assert_allclose(right, TRACE.gradient("z"))
    assert repairs.again(2, ast.parse("nothing + 1", mode="eval").body) is None
    np.testing.assert_array_equal(repairs.again(0, ast.parse("2", mode="eval").body), claim.alone)


def test_a_helper_that_several_wrong_lines_share_is_at_fault():
    text = (
        BASE.replace("dz = ", "da = ")
        .replace("x.T @ dz", "x.T @ da")
        .replace("1 - h_hat**2", "1 + h_hat**2")
    )
    report = tr.verify(TRACE, text + "dx = da @ W1.T\n")
    assert [row.fault for row in report.rows if row.verdict == "DISAGREE"] == [2, 2]


def test_a_helper_of_which_something_right_is_made_is_not_at_fault():
    text = BASE.replace("dz = ", "da = ").replace("x.T @ dz", "x.T @ da")
    report = tr.verify(TRACE, text + "dx = 2 * da @ W1.T\n")
    assert (report.first_wrong.name, report.first_wrong.fault) == ("dx", 0)


def test_a_helper_that_does_not_matter_to_what_is_right_may_be_at_fault():
    """The sum of x − mu is zero, so that dmu is right whatever multiplies it."""
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(6, 3)) + 1)
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    xhat = (x - mu) / tr.sqrt(var + 1e-5)
    trace = tr.trace(tr.sum(tr.tanh(xhat) * rng.normal(size=(6, 3))))
    text = """\
ivar = 1 / np.sqrt(var + eps)
dvar = (dxhat * (x - mu)).sum(0) * -0.5 * ivar**3
da = dxhat * ivar
db = (x - mu) * dvar / 6
dmu = -(da + db).sum(0)
dx = da + db + dmu / 6
"""
    report = tr.verify(trace, text)
    assert [row.name for row in report.rows if row.verdict == "DISAGREE"] == ["dx"]
    assert (report.first_wrong.name, report.first_wrong.fault) in (("dx", 4), ("dx", 0))
    assert tr.verify(trace, text.replace("(x - mu) * dvar / 6", "2 * (x - mu) * dvar / 6")).ok


def test_a_large_gradient_is_looked_at_where_it_is_suspect():
    rng = np.random.default_rng(0)
    x, w = tr.tensor(rng.normal(size=(3, 64))), tr.parameter(rng.normal(size=(64, 64)))
    y = x @ w
    trace = tr.trace(tr.sum(y * y))
    right = verify(trace, "dw = x.T @ (2 * y)")
    assert right.ok
    assert len(right.rows[0].elements) < 150
    wrong = verify(trace, "dw = x.T @ (2 * y)\ndw[17, 5] *= 1.001")
    assert wrong.first_wrong.worst.index == (17, 5)


def test_float32_targets_that_sum_to_one_but_for_rounding_are_no_mistake():
    rng = np.random.default_rng(0)
    z = tr.tensor(rng.normal(size=(6, 4)).astype(np.float32))
    soft = rng.random((6, 4))
    target = tr.constant((soft / soft.sum(1, keepdims=True)).astype(np.float32))
    p = tr.softmax(z)
    trace = tr.trace(-tr.sum(target * tr.log(p)))
    assert tr.verify(trace, "dz = p - target").ok
    assert not tr.verify(trace, "dz = p - 1.0001 * target").ok


SCRIPT = '''\
import tracer as tr

x = tr.tensor(3.0)
y = x * x

derivation = """\\
dx = 2 * x
"""


def backward(dout):
    dx = 3 * x
    return dx
'''


def test_the_derivation_of_a_script_keeps_its_line_numbers():
    text = derivation_in(SCRIPT)
    assert text.splitlines()[6] == "dx = 2 * x"
    assert text.strip() == "dx = 2 * x"
    function = derivation_in(SCRIPT.replace("derivation = ", "other = "))
    x = tr.tensor(3.0)
    report = tr.verify(tr.trace(x * x), function)
    assert report.first_wrong.line == SCRIPT.splitlines().index("    dx = 3 * x") + 1
    assert derivation_in("x = 1\n") == ""
    assert derivation_in("x = (") == ""
