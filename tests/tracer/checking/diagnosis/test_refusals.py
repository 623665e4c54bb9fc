"""Lines whose shapes do not fit: the refusal proposes the line as it should be, where a small change mends it."""

from __future__ import annotations

import pytest

import tracer as tr
from tests.tracer.checking.mutants.derivations import RIGHT
from tests.tracer.checking.mutants.networks import traced
from tracer.errors import DerivationError

SIX = "batchnorm"


@pytest.mark.parametrize(
    ("name", "right", "wrong", "fix"),
    [
        ("softmax", "dh = dz @ W2.T", "dh = dz @ W2", "dh = dz @ W2.T"),
        ("softmax", "dW2 = h.T @ dz", "dW2 = h @ dz", "dW2 = h.T @ dz"),
        (SIX, "(x - mu), axis=0) * (-1/2)", "(x - mu), axis=1) * (-1/2)", "mu), axis=0) * (-1/2)"),
        ("rnn indexed", "da[t+1] @ Whh.T", "da[t] @ Whh.T", "dh[t] += da[t + 1] @ Whh.T"),
        ("rnn indexed", "x[t].T @ da[t]", "da[t].T @ x[t]", "dWxh += x[t].T @ da[t]"),
    ],
)
def test_a_line_that_cannot_be_computed_is_refused_with_the_line_as_it_should_be(
    name, right, wrong, fix
):
    text = RIGHT[name].text
    assert right in text
    with pytest.raises(DerivationError) as refused:
        tr.verify(traced(RIGHT[name].network), text.replace(right, wrong))
    assert fix in str(refused.value).partition("try: ")[2]


def test_a_refusal_that_no_small_change_mends_keeps_its_own_advice():
    text = RIGHT["softmax"].text.replace("dh = dz @ W2.T", "dh = np.sin(dz) @ W2")
    with pytest.raises(DerivationError, match="try: ") as refused:
        tr.verify(traced("softmax"), text)
    assert "dh = " not in str(refused.value).partition("try: ")[2]
