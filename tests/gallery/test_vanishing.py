"""The network whose gradient changes by one known factor with every step back in time."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.recurrent.vanishing import STEPS


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
