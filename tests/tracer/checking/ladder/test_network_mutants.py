"""Mutants of the rules of a network: the ladder catches every one that gradcheck in slow mode catches, and names it."""

from __future__ import annotations

import pytest

import tracer as tr
from tests.bench.checks import MUTANTS, SIZES, caught, check, data, gradcheck, network, ours

SMALL = (6, 5, 3)
SOME = ("w: one element", "b: mean, not sum", "tanh: 1 − tanh² forgotten", "tiny: 1e-6 off")


def test_the_right_network_passes():
    assert check(None, SMALL)
    assert check(None, SIZES)


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(m, id=m.name, marks=[] if m.name in SOME else pytest.mark.slow) for m in MUTANTS],
)
def test_a_mutant_is_caught_and_its_operation_named(mutant):
    params, x, t = data(SMALL)
    report = tr.check(network(ours(mutant), x, t), params)
    assert f"(rule of {mutant.op} by {'xy'[mutant.argument]})" in report.summary


@pytest.mark.slow
def test_what_gradcheck_catches_is_caught():
    pytest.importorskip("torch")
    theirs = caught(gradcheck, SMALL)
    assert theirs
    assert theirs <= caught(check, SMALL)


@pytest.mark.slow
def test_every_mutant_of_4096_parameters_is_caught():
    assert caught(check, SIZES) == {mutant.name for mutant in MUTANTS}
