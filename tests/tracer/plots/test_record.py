"""Plots as data: numbers that do not fit are refused where the mark is made."""

from __future__ import annotations

import numpy as np
import pytest

from tracer.errors import PlotError
from tracer.plots import Axis, Band, Contours, Curve, Histogram, Points, Trajectory


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Curve("loss", [1, 2, 3], [1, 2]), r"curve 'loss': 3 x, 2 y"),
        (lambda: Band("spread", [1, 2], [1, 2], [3]), r"band 'spread': 2 x, 2 low, 1 high"),
        (lambda: Points("p", [[1]], [1]), r"points 'p': x is 1 by 1"),
        (lambda: Trajectory("sgd", 1.0, 2.0), "x is a single number"),
        (lambda: Curve("c", ["a"], [1]), "x is not numbers"),
        (lambda: Curve("c", [[1], [1, 2]], [1]), "x is not numbers"),
        (lambda: Histogram("h", [1, 2], [0, 1]), "2 counts need 3 rising edges, not 2"),
        (lambda: Histogram("h", [1, 2], [0, 2, 1]), "3 rising edges"),
        (lambda: Contours([1, 2], [1, 2, 3], np.zeros((2, 3)), [0]), r"z is \(2, 3\) for 3 y"),
        (lambda: Axis(scale="log10"), "no scale 'log10'"),
        (lambda: Axis(low=2, high=1), "cannot go from 2 to 1"),
        (lambda: Axis(scale="log", low=0), "log axis cannot begin at 0"),
        (lambda: Axis(high=float("inf")), "cannot end at"),
    ],
)
def test_what_does_not_fit_is_refused_with_something_to_try(make, words):
    with pytest.raises(PlotError, match=words) as refused:
        make()
    assert "\n  try: " in str(refused.value)


def test_a_histogram_spans_its_numbers_and_leaves_out_what_is_not_finite():
    found = Histogram.of("h", [5.0, 6.0, np.nan, np.inf, 5.5], bins=2)
    assert found.edges.tolist() == [5.0, 5.5, 6.0]
    assert found.counts.tolist() == [1, 2]


@pytest.mark.parametrize("values", [[], [np.nan], [3.0, 3.0], [0.0], [1e300], [1e-300]])
def test_a_histogram_of_one_number_or_none_has_room(values):
    found = Histogram.of("h", values)
    assert found.edges[0] < found.edges[-1]
    assert found.counts.sum() == np.isfinite(values).sum()
