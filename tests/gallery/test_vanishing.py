"""The network whose gradient changes by one known factor with every step back in time."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.knobs import settings
from gallery.training import train

STEPS = 30


@pytest.mark.parametrize(("name", "factor"), [("vanishing", 0.5), ("vanishing:exploding", 1.5)])
def test_each_step_back_multiplies_the_gradient_by_the_factor_of_the_weight(name, factor):
    trace = tr.trace(GALLERY[name].build())
    sizes = [float(np.linalg.norm(trace.gradient(f"a#{t}"))) for t in range(1, STEPS + 1)]
    seed = float(np.linalg.norm(2 * (trace.value(f"a#{STEPS}") - np.array([0.5, -0.5]))))
    assert sizes[-1] == pytest.approx(seed, rel=1e-12)
    for t, size in enumerate(sizes, start=1):
        # tanh' = 1 − a², and the last steps reach a = 0.3
        assert size == pytest.approx(seed * factor ** (STEPS - t), rel=0.2)


def test_the_first_state_gets_a_billionth_of_the_last_or_a_hundred_thousand_times_as_much():
    for name, least, most in (("vanishing", 1e-10, 1e-8), ("vanishing:exploding", 1e5, 1e6)):
        trace = tr.trace(GALLERY[name].build())
        first, last = (np.linalg.norm(trace.gradient(f"a#{t}")) for t in (1, STEPS))
        assert least < first / last < most


@pytest.mark.parametrize("factor", [0.0, 0.9, 1.0, 2.0])
def test_without_saturation_every_step_back_multiplies_by_the_factor(factor):
    """Three steps from a state of a millionth: tanh' is 1 to twelve digits."""
    trace = tr.trace(GALLERY["vanishing"].build(factor=factor, length=3))
    sizes = [np.linalg.norm(trace.gradient(f"a#{t}")) for t in (1, 2, 3)]
    np.testing.assert_allclose(sizes[:2], [factor * sizes[1], factor * sizes[2]], rtol=1e-9)


def test_the_curves_fall_towards_the_first_step_below_one_and_rise_above():
    (plot,) = GALLERY["vanishing"].plots(factor=0.7, length=20)
    first, last = (
        {curve.label: curve.y[k] for curve in plot.marks if curve.label != "|waa| = 1"}
        for k in (0, -1)
    )
    assert plot.y.scale == "log"
    assert [curve.label for curve in plot.marks if not curve.dashed] == ["|waa| = 0.7"]
    assert {label: first[label] > last[label] for label in first} == {
        "|waa| = 0.5": False,
        "|waa| = 0.7": False,
        "|waa| = 0.9": False,
        "|waa| = 1.1": True,
        "|waa| = 1.5": True,
    }


def learning(factor, steps=100):
    entry = GALLERY["vanishing"]
    chosen = settings(entry.every_knob, {"factor": factor})
    *_, history = train(entry.training, chosen, steps=steps)
    return history


def test_a_bit_from_thirty_steps_ago_is_not_learnt_where_its_gradient_vanishes():
    history = learning(0.5)
    assert history.losses[-20:].mean() == pytest.approx(np.log(2), abs=0.03)
    first, last = (history.measures[name][1] for name in ("|dL/da<1>|", "|dL/da<30>|"))
    assert (first < 1e-8 * last).all()
    (plot,) = GALLERY["vanishing"].training.plots(history, factor=0.5, length=30, lr=0.05)
    assert [curve.label for curve in plot.marks] == ["|dL/da<1>|", "|dL/da<30>|"]


def test_it_is_learnt_where_the_gradient_reaches_the_first_step():
    history = learning(1.0)
    assert history.losses[-20:].mean() < 0.05
    assert history.measures["told right"][1][-20:].min() == 1.0
    assert history.measures["|dL/da<1>|"][1][0] > 0.1 * history.measures["|dL/da<30>|"][1][0]


def test_the_steps_that_are_kept_can_be_stepped_through_time():
    trace = learning(1.0, steps=1).traces[1]
    assert trace["a#30"].scope_text == "rnn[t=30]"
    assert {node.name for node in trace if node.kind == "parameter"} == {"waa", "wax", "wya", "by"}
