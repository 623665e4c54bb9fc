"""Lines that cannot be computed: each is wrong, written as it should be where a small change mends it."""

from __future__ import annotations

import pytest

import tracer as tr
from tests.tracer.checking.mutants.derivations import RIGHT
from tests.tracer.checking.mutants.networks import traced
from tracer.checking.judge import DISAGREE
from tracer.errors import DerivationError

SIX = "batchnorm"


@pytest.mark.parametrize(
    ("name", "right", "wrong", "fix"),
    [
        ("softmax", "dh = dz @ W2.T", "dh = dz @ W2", "dh = dz @ W2.T"),
        ("softmax", "dW2 = h.T @ dz", "dW2 = h @ dz", "dW2 = h.T @ dz"),
        (SIX, "(x - mu), axis=0) * (-1/2)", "(x - mu), axis=1) * (-1/2)", "mu), axis=0) * (-1/2)"),
        ("rnn indexed", "x[t].T @ da[t]", "da[t].T @ x[t]", "dWxh += x[t].T @ da[t]"),
    ],
)
def test_a_line_that_cannot_be_computed_is_wrong_and_written_as_it_should_be(
    name, right, wrong, fix
):
    text = RIGHT[name].text
    assert right in text
    changed = text.replace(right, wrong)
    report = tr.verify(traced(RIGHT[name].network), changed)
    row = report.first_wrong
    assert changed.splitlines()[row.line - 1].strip() == row.text
    assert "cannot be computed" in row.reason
    assert fix in row.causes[0].fix
    assert [each.line for each in report.rows if each.verdict == DISAGREE] == [row.line]


def test_an_element_of_a_time_step_is_refused_with_the_line_as_it_should_be():
    text = RIGHT["rnn indexed"].text.replace("da[t+1] @ Whh.T", "da[t] @ Whh.T")
    with pytest.raises(DerivationError) as refused:
        tr.verify(traced(RIGHT["rnn indexed"].network), text)
    assert "dh[t] += da[t + 1] @ Whh.T" in str(refused.value).partition("try: ")[2]


def test_a_line_that_no_small_change_mends_keeps_its_reason_alone():
    text = RIGHT["softmax"].text.replace("dh = dz @ W2.T", "dh = np.sin(dz) @ W2 @ W2")
    row = tr.verify(traced("softmax"), text).first_wrong
    assert "cannot be computed" in row.reason
    assert not row.causes


@pytest.mark.parametrize(
    ("right", "wrong", "fix", "words"),
    [
        ("dh = dz @ W2.T", "dh = dz @ W1.T", "dh = dz @ W2.T", "W1 stands where W2 belongs"),
        ("dW2 = h.T @ dz", "dW2 = H.T @ dz", "dW2 = h.T @ dz", "did you mean h?"),
    ],
)
def test_another_array_or_another_case_is_proposed(right, wrong, fix, words):
    text = RIGHT["softmax"].text
    assert right in text
    row = tr.verify(traced("softmax"), text.replace(right, wrong)).first_wrong
    assert row.causes[0].fix == fix
    assert words in row.causes[0].text
