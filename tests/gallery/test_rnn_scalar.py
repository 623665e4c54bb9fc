"""The scalar network against PyTorch: the terms of dL<T>/dwaa one by one, and each as a product of factors.

`cells_golden.json` was made by `cells_in_torch.py` with torch 2.13.0 in float64.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.recurrent.rnn_scalar import LONGEST, local
from gallery.recurrent.terms import terms

GOLDEN = json.loads(Path(__file__).with_name("cells_golden.json").read_text())
SCALAR = GALLERY["rnn_scalar"]


def test_the_golden_numbers_say_how_they_were_made():
    assert "torch 2.13.0" in GOLDEN["made"]


@pytest.mark.parametrize("length", [3, 8])
def test_every_number_is_pytorchs(length):
    trace = tr.trace(SCALAR.build(length=length))
    golden = GOLDEN["rnn_scalar" if length == 3 else "rnn_scalar:8"]
    states = [trace.value("a0"), *(trace.value(f"a#{t}") for t in range(1, length + 1))]
    np.testing.assert_allclose(states, golden["a"], rtol=1e-13)
    assert trace.value("L") == pytest.approx(golden["L"], rel=1e-13)
    for name in ("wax", "ba", "wya", "by"):
        assert trace.gradient(name) == pytest.approx(golden[name], rel=1e-11)
    factors = [local(trace, t) for t in range(2, length + 1)]
    np.testing.assert_allclose(factors, golden["da_by_da"][1:], rtol=1e-12)
    assert math.prod(factors) == pytest.approx(golden["da_by_da1"], rel=1e-12)
    added = terms(trace, "waa")
    assert [*added] == [*range(length, 0, -1)]
    np.testing.assert_allclose([*added.values()], golden["waa"][::-1], rtol=1e-11)
    assert trace.gradient("waa") == pytest.approx(sum(golden["waa"]), rel=1e-11)


@pytest.mark.parametrize("waa", [-1.5, 0.0, 0.9, 2.0])
def test_each_term_is_the_gradient_at_the_end_times_the_factors_on_the_way_back(waa):
    trace = tr.trace(SCALAR.build(waa=waa, length=5))
    carried = trace.gradient("a#5")
    for t, term in terms(trace, "waa").items():
        before = trace.value("a0" if t == 1 else f"a#{t - 1}")
        assert term == pytest.approx(carried * (1 - trace.value(f"a#{t}") ** 2) * before, rel=1e-12)
        carried *= local(trace, t)


@pytest.mark.parametrize("length", [4, LONGEST])
def test_the_derivation_holds_for_any_number_of_steps(length):
    trace = tr.trace(SCALAR.build(length=length))
    assert tr.verify(trace, SCALAR.derivation).ok


def test_a_large_weight_explodes_while_the_states_are_small_and_saturates_where_they_are_not():
    """Farrahi & Hare: it vanishes or explodes as |waa| varies: 2^7 = 128 after seven factors, and 2^-7."""
    small, full, _ = SCALAR.plots(**SCALAR.settings())
    last = {c.label: c.y[-1] for c in small.marks}
    assert last["waa = 2"] == pytest.approx(128, rel=0.1)
    assert last["waa = 1.2"] == pytest.approx(1.2**7, rel=1e-3)
    assert last["waa = 0.5"] == pytest.approx(0.5**7, rel=1e-3)
    assert {c.label: c.y[-1] for c in full.marks}["waa = 2"] < 1e-4
    trace = tr.trace(SCALAR.build(waa=2.0, length=LONGEST, size=0.001))
    assert abs(trace.gradient("a#1")) > 100 * abs(trace.gradient(f"a#{LONGEST}"))


def test_the_plot_has_the_chosen_weight_as_its_one_full_line():
    for plot in SCALAR.plots(**SCALAR.settings(waa=0.7)):
        assert [c.label for c in plot.marks if not c.dashed] == ["waa = 0.7"]
    reached = {c.label: c.y for c in SCALAR.plots(**SCALAR.settings())[1].marks}["waa = 0.9"]
    golden = GOLDEN["rnn_scalar:8"]
    np.testing.assert_allclose(reached[-1], golden["da_by_da1"], rtol=1e-12)
