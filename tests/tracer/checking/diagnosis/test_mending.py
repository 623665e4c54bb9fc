"""Small repairs of a wrong line: the kind of mistake, and the line as it should be, in the user's own words."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from tests.tracer.checking.mutants.derivations import RIGHT
from tests.tracer.checking.mutants.networks import traced
from tracer.checking.diagnosis.finders import diagnose
from tracer.checking.diagnosis.mending.patching import written
from tracer.checking.diagnosis.mending.search import mended
from tracer.checking.diagnosis.wrong import Wrong, wrong_in

DERIVATIONS = Path(__file__).parents[4] / "gallery" / "derivations"
SIX, STAGED, COMPACT = "batchnorm", "batchnorm staged", "layernorm compact"
CASES = [
    (SIX, "* (-1/2)", "* (1/2)", "sign", "axis=0) * (-1 / 2) *"),
    (SIX, "* (-1/2)", "* -1", "two", "* -0.5 *"),
    (SIX, "**(-3/2)", "**(-1/2)", "exponent", "(var + eps)**(-3 / 2)"),
    (SIX, "(var + eps)**(-3/2)", "var**(-3/2)", "epsilon", "(var + eps)**(-3/2)"),
    (SIX, "(-1 / np.sqrt(var + eps))", "(-1 / (var + eps))", "exponent", "np.sqrt(var + eps)"),
    (SIX, "dxhat = dy * gamma", "dxhat = dy", "missing factor", "dxhat = dy * gamma"),
    (SIX, "dxhat = dy * gamma", "dxhat = dy * beta", "wrong factor", "dxhat = dy * gamma"),
    (SIX, "dxhat = dy * gamma", "dxhat = dy * gamma * xhat", "extra factor", "dxhat = dy * gamma"),
    (SIX, "dbeta = np.sum(dy, axis=0)", "dbeta = np.mean(dy, axis=0)", "sum", "np.sum(dy, axis=0)"),
    (SIX, "dbeta = np.sum(dy, axis=0)", "dbeta = dy", "sum", "dbeta = dy.sum(0)"),
    (SIX, " + dvar * 2 * (x - mu) / m", "", "missing path", "+ dvar * 2 * (x - mu) / m"),
    (SIX, " + dvar * 2 * (x - mu) / m + dmu / m", "", "missing path", "+ dvar * 2 * (x - mu) / m"),
    (SIX, "dmu / m\ndg", "dmu / m + dmu / m\ndg", "doubled path", "(x - mu) / m + dmu / m"),
    (SIX, "dmu / m\ndg", "dmu\ndg", "size", "dmu / m"),
    (SIX, "2 * (x - mu) / m +", "2 * (x - mu) / (m - 1) +", "bessel", "(x - mu) / m + dmu / m"),
    (SIX, "dmu / m\ndg", "3.5 * dmu / m\ndg", "factor", "+ dmu / m"),
    (STAGED, "/ N * dvar", "/ (N - 1) * dvar", "bessel", "/ N * dvar"),
    (COMPACT, "g.mean(axis=1, keepdims=True)", "g.mean(axis=0)", "sum", "axis=1, keepdims=True"),
    (COMPACT, "g - mean_g - xhat", "g + mean_g - xhat", "sign", "g - mean_g - xhat"),
    ("softmax", "dW2 = h.T @ dz", "dW2 = dz.T @ h", "transposed", "dW2 = h.T @ dz"),
    ("softmax", "(p - Y) / m", "p - Y", "size", "dz = (p - Y) / m"),
    ("softmax", "(p - Y) / m", "p / m", "missing path", "- Y"),
    ("softmax", "dh * (1 - h**2)", "dh * h * (1 - h)", "wrong factor", "(1 - h ** 2)"),
    ("softmax", "dh * (1 - h**2)", "dh", "missing factor", "dh * (1 - h ** 2)"),
    ("attention", "(dp - np.sum(dp * p, axis=1, keepdims=True))", "dp", "softmax", "(dp * p).sum("),
    ("attention", "ds @ k / np.sqrt(d)", "ds @ k", "missing factor", "ds @ k / np.sqrt(d)"),
    ("attention", "dq @ Wq.T + dk @ Wk.T", "dq @ Wk.T + dk @ Wq.T", "wrong factor", "dk @ Wk.T"),
    ("conv", "dr * (z > 0)", "dr", "mask", "dr * (z > 0)"),
    ("conv", "dr * (z > 0)", "dr * (z < 0)", "mask", "dr * (z > 0)"),
    ("conv", "[dw0, dw1, dw2]", "[dw2, dw1, dw0]", "reversed", "[dw0, dw1, dw2]"),
    ("lstm", "dcprev = dc * f", "dcprev = dc * i", "wrong factor", "dcprev = dc * f"),
    ("rnn", "h[t-1].T @ da", "h[t].T @ da", "shift", "h[t - 1].T @ da"),
    ("rnn", "dh = dy @ Why.T + dhnext", "dh = dy @ Why.T", "missing path", "+ dhnext"),
    ("rnn unrolled", "h0.T @ da#1 + h#1.T @ da#2 + ", "", "truncated", "= h0.T @ da#1 + h#1.T @ da#2 + h"),
    ("rnn", "db += da.sum(axis=0)", "db = da.sum(axis=0)", "truncated", "db += da.sum(axis=0)"),
    ("rnn unrolled", "(da#1 + da#2 + da#3 + da#4)", "(da#1 + da#2 + da#3)", "missing path", "+ da#4)"),
    ("conv stride", "dw +=", "dw =", "missing path", "dw += np.einsum("),
    ("conv stride", "dz[:, :, i, j], w)", "dz[:, :, i, j], w[:, :, ::-1])", "reversed", "dx[:, :, r:r+3, c:c+2] += np"),
    (SIX, "dxhat = dy * gamma", "dxhat = dy / gamma", "exponent", "dxhat = dy * gamma"),
    (SIX, "dx = dxhat / np.sqrt(", "dx = dxhat * np.sqrt(", "exponent", "dx = dxhat / np.sqrt(var + eps)"),
    (SIX, "dbeta = np.sum(dy, axis=0)", "dbeta = np.sum(dy)", "sum", "dbeta = np.sum(dy, axis=0)"),
    (COMPACT, " - xhat * mean_gx", "", "missing path", "g - mean_g - mean_gx * xhat"),
    ("attention", "ds @ k / np.sqrt(d)", "ds @ k / d", "exponent", "ds @ k / np.sqrt(d)"),
    ("softmax jacobian", "p * (dp - np.sum(dp * p", "-p * (dp - np.sum(dp * p", "sign", "p * (dp"),
]  # fmt: skip


def wrongly(name: str, right: str, wrong: str) -> tr.checking.Row:
    """The first wrong row of a right derivation with one thing changed."""
    text = RIGHT[name].text
    assert text.count(right) == 1
    report = tr.verify(traced(RIGHT[name].network), text.replace(right, wrong), elements=4)
    assert report.first_wrong is not None
    return report.first_wrong


def each_kind_once() -> list:
    """The cases: the first of each kind in every run, the others in the long one."""
    found, seen = [], set()
    for case in CASES:
        marks = [pytest.mark.slow] if case[3] in seen else []
        seen.add(case[3])
        found.append(pytest.param(*case, marks=marks))
    return found


@pytest.mark.parametrize(("name", "right", "wrong", "kind", "fix"), each_kind_once())
def test_a_mistake_is_named_and_mended(name, right, wrong, kind, fix):
    row = wrongly(name, right, wrong)
    assert row.causes[0].kind == kind, row.causes
    assert fix in row.causes[0].fix
    assert row.causes[0].exact


def test_a_mistake_in_a_helper_is_found_in_its_line():
    row = wrongly("lstm", "daf = df * f * (1 - f)", "daf = df * f")
    assert row.name == "da"
    assert row.causes[0].line == 9
    assert row.causes[0].text == "line 9 (daf): the factor 1 - f was forgotten"
    assert row.causes[0].fix == "daf = df * f * (1 - f)"


def test_a_length_that_is_another_axis_is_found_where_it_is_defined():
    row = wrongly("layernorm", "n = x.shape[1]", "n = x.shape[0]")
    assert row.causes[0].line == 1
    assert row.causes[0].fix == "n = x.shape[1]"


def test_the_path_is_named_and_the_term_to_add_too():
    (cause, *_) = wrongly(SIX, " + dvar * 2 * (x - mu) / m", "").causes
    assert cause.text == "the path via var is missing"
    assert cause.fix == "dx = dxhat / np.sqrt(var + eps) + dmu / m + dvar * 2 * (x - mu) / m"


def test_what_is_right_by_the_size_of_the_batch_alone_is_not_proposed():
    """With m = 4 the number 2 / m is 1/2: the fix must hold for any other m."""
    four = tr.trace(GALLERY["batchnorm"].build())
    text = (DERIVATIONS / "forgotten_route.txt").read_text()
    row = tr.verify(four, text, elements=2).first_wrong
    assert row.causes[0].fix.endswith("+ dL_dmu / m + dL_dvar * 2 * (x - mu) / m")
    mean = text.replace("+ dL/dmu / m", "+ dL/dmu + dL/dvar * 2 * (x - mu) / m")
    row = tr.verify(four, mean, elements=2).first_wrong
    assert row.causes[0].fix.endswith("+ dL_dmu / m + dL_dvar * 2 * (x - mu) / m")


def test_a_forgotten_term_is_made_of_gradients_that_the_derivation_gives():
    x = tr.tensor(np.random.default_rng(0).normal(size=(4, 4)), name="x")
    mu = tr.mean(x, axis=1, keepdims=True)
    var = tr.mean(tr.square(x - mu), axis=1, keepdims=True)
    std = tr.sqrt(var + 1e-5)
    xhat = (x - mu) / std
    trace = tr.trace(tr.sum(tr.sin(xhat)))
    text = "dxhat = np.cos(xhat)\ndx = (dxhat - dxhat.mean(1, keepdims=True)) / std"
    (cause,) = tr.verify(trace, text).first_wrong.causes
    assert cause.fix.endswith(" - xhat * (dxhat * xhat).mean(1, keepdims=True)) / std")
    (cause,) = tr.verify(trace, "dxhat = np.sin(xhat)").first_wrong.causes
    assert (cause.text, cause.fix) == ("sin should be cos: np.cos(xhat)", "dxhat = np.cos(xhat)")


def test_a_small_wrong_element_beside_large_right_ones_is_not_explained_away():
    p = tr.tensor(np.array([1e6, 1e-3, 1.0]), name="p")
    trace = tr.trace(tr.sum(p**2.0))
    for text in ("dp = 2 * p * np.array([1, 1.5, 1])", "dp = 2 * p + np.array([0, 1e-4, 0])"):
        (cause,) = tr.verify(trace, text).first_wrong.causes
        assert tr.verify(trace, cause.fix).ok
    row = tr.verify(trace, "dp = 2 * p\ndp[1] = 0").first_wrong
    assert row.line == 2
    assert not any(cause.exact or cause.fix for cause in row.causes)


def test_a_helper_that_is_wrong_is_not_replaced_by_what_was_recorded():
    text = RIGHT["softmax"].text.replace("dz = (p - Y) / m", "d = np.sin(p) / m\ndz = d")
    row = tr.verify(traced("softmax"), text).first_wrong
    assert not any("stands where" in cause.text for cause in row.causes)


def test_a_mask_that_hides_nothing_is_not_proposed():
    x = tr.tensor(np.array([1.0, 2.0]), name="x")
    row = tr.verify(tr.trace(tr.sum(x * 2.0)), "dx = 2 * np.ones(3)").first_wrong
    assert not any(">" in cause.fix for cause in row.causes)


def test_a_line_that_no_small_change_mends_gets_no_repair():
    row = wrongly(SIX, "dxhat = dy * gamma", "dxhat = np.sin(dy) * gamma + 0.3 * y**2")
    assert not any(cause.exact or cause.fix for cause in row.causes)


@dataclass(frozen=True)
class Line:
    number: int
    text: str
    target: str
    expression: ast.expr


class Fake:
    """One line over two vectors."""

    def __init__(self, text: str) -> None:
        statement = ast.parse(text).body[0]
        assert isinstance(statement, ast.Assign)
        self.lines = (Line(1, text, "dx", statement.value),)
        self.names = {"a": np.array([1.5, -2.0, 3.0]), "b": np.array([0.5, 4.0, -1.0])}
        self.written = (statement.value,)
        self.effort = 1
        self.tried = 0

    def again(self, index: int, expression: ast.expr) -> np.ndarray | None:
        self.tried += 1
        try:
            code = compile(ast.fix_missing_locations(ast.Expression(expression)), "", "eval")
            return np.asarray(eval(code, {"np": np}, dict(self.names)))
        except Exception:
            return None


def wrong_of(text: str, right: np.ndarray) -> tuple[Wrong, Fake]:
    x = tr.tensor(np.zeros(3), name="x")
    fake = Fake(text)
    claim = fake.again(0, fake.lines[0].expression)
    return Wrong(tr.trace(tr.sum(x)), 0, claim, right, repairs=fake), fake


@pytest.mark.parametrize(
    ("text", "right", "fix"),
    [
        ("dx = a*b   # mine", "-(a * b)", "dx = -(a*b)   # mine"),
        ("dx = a *  b**2", "a * b**3", "dx = a *  b**3"),
        ("dx = (a + b) * a", "(a - b) * a", "dx = (a - b) * a"),
        ("dx = a*a", "a * b", "dx = b*a"),
        ("dx = a + b", "(a + b) / 2", "dx = (a + b) / 2"),
        ("dx = a - b / a", "a - b", "dx = a - b"),
        ("dx = a", "a[::-1]", "dx = a[::-1]"),
    ],
)
def test_the_mended_line_keeps_the_users_own_words(text, right, fix):
    wrong, fake = wrong_of(text, eval(right, {}, dict(Fake(text).names)))
    (cause,) = mended(wrong)
    assert cause.fix == fix
    assert fake.tried < 1000


def test_brackets_around_what_changes_are_kept_where_they_are_needed():
    line = Fake("dx = (a + b) * a").lines[0]
    read = written(line)
    total = read.tree.left
    assert read.text_with(total, ast.Name("a", ast.Load())) == "dx = a * a"
    assert read.text_with(read.tree, total) == "dx = a + b"


def test_the_work_is_bounded_and_the_same_every_time():
    rng = np.random.default_rng(0)
    wrong, fake = wrong_of("dx = a * b - np.sqrt(a**2) / (b + 3) * a", rng.normal(size=3))
    assert list(mended(wrong)) == []
    first = fake.tried
    assert first < 6500
    assert list(mended(wrong)) == []
    assert fake.tried == 2 * first - 1


def test_long_arrays_are_tried_less_often():
    wrong, fake = wrong_of("dx = a * b", np.zeros(3))
    many = np.broadcast_to(1.0, 4_000_000)
    long = Wrong(wrong.trace, 0, many, many * 3.3, repairs=fake)
    before = fake.tried
    assert list(mended(long)) == []
    assert fake.tried - before <= 10


def test_a_very_deep_line_is_left_alone():
    deep = "dx = " + "+".join(["a"] * 200)
    assert written(Fake(deep).lines[0]) is None


def test_a_right_claim_has_no_cause():
    wrong, _ = wrong_of("dx = a * b", np.array([1.5, -2.0, 3.0]) * np.array([0.5, 4.0, -1.0]))
    assert diagnose(wrong) == ()


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if k % 4 else []) for k, n in enumerate(RIGHT)],
)
def test_no_line_of_a_right_derivation_gets_a_cause(name):
    trace = traced(RIGHT[name].network)
    report = tr.verify(trace, RIGHT[name].text, elements=1)
    assert not any(row.causes for row in report.rows)


def test_no_recorded_gradient_gets_a_cause():
    count = 0
    for name in RIGHT:
        trace = traced(RIGHT[name].network)
        for node in range(len(trace)):
            gradient = trace.gradient(node)
            if gradient is not None:
                assert diagnose(wrong_in(trace, node, gradient * (1 + 1e-15))) == ()
                count += 1
    assert count > 300
