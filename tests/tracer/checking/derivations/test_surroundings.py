"""A function of a script that is read as a derivation: what the script says around it counts, or is refused."""

from __future__ import annotations

import pytest

import tracer as tr
from tracer.checking.derivations.locating import derivation_in
from tracer.errors import DerivationError

SCRIPT = '''\
import numpy as np
m = 100
hs = []
{}
for t in range(3):
    hs.append(t)


def backward():
    """The gradient."""
    {}
'''


def verify(line: str, around: str = "") -> tr.checking.Report:  # type: ignore[name-defined]
    x = tr.tensor([1.0, 2.0, 3.0], name="x")
    h = x * x
    with tr.scope("rnn", t=0):
        return tr.verify(tr.trace(tr.sum(h) / 3), derivation_in(SCRIPT.format(around, line)))


def test_a_number_of_the_script_is_what_it_is_there():
    """Not the length of the batch, for which m stands where nobody defines it."""
    report = verify("dh = np.ones(3) / m")
    assert report.first_wrong.line == 11
    assert not any("m is defined nowhere" in note for note in report.notes)
    assert verify("dh = np.ones(3) / n", "n = 3").ok
    assert verify("dh = np.ones(3) / n", "k, n = 1, x.size").ok


@pytest.mark.parametrize(
    ("line", "around", "complaint"),
    [
        ("dh = hs[0] * 2", "", "hs is made outside of the derivation"),
        ("dh = 1 / m0", "m0 = int(np.random.rand())", "m0 is made outside of the derivation"),
        ("dh = m * x", "m = 3", "m is made outside of the derivation"),
        ("dh = tanh(x)", "def tanh(z): return z", "tanh is a function of its own"),
        ("dh = expit(x)", "from scipy.special import expit", "expit is a function of its own"),
        ("dh = hs['x']", "", "hs is made outside of the derivation"),
    ],
)
def test_what_only_running_the_script_would_tell_is_refused(line, around, complaint):
    with pytest.raises(DerivationError, match=complaint):
        verify(line, around)


def test_recorded_values_keep_their_meaning():
    assert verify("dx = 2 * x / 3", "x = np.ones(3)").ok
