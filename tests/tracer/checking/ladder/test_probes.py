"""Probes: what disagrees is looked at again before it counts, and a small wrong claim stays wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tracer.checking import AGREE, DISAGREE
from tracer.checking.ladder.bisection import bisected
from tracer.checking.ladder.probes import Bundle, certified_bundles


def bundle(function, claim, size=1.0, **more):
    one = np.ones(1)
    return Bundle(0 * one, claim * one, size * one, 0 * one, lambda which, at: function(at), **more)


def verdict(*args, **more):
    ((finding,),) = certified_bundles([bundle(*args, **more)])
    return finding.verdict


@pytest.mark.parametrize("width", [1e-4, 1e-5])
def test_a_right_claim_about_a_feature_narrower_than_the_first_steps_is_not_blamed(width):
    """x + x exp(−(x/w)²) has slope 2 at 0, and slope 1 wherever one looks from further off."""
    ripple = lambda x: x + x * np.exp(-((x / width) ** 2))  # noqa: E731
    assert verdict(ripple, 2.0) == AGREE
    assert verdict(ripple, 2.1) == DISAGREE


@pytest.mark.parametrize("error", [1e-3, 1e-6, 3e-9])
def test_looking_from_close_by_does_not_hide_a_small_error(error):
    assert verdict(np.sin, 1.0 + error) == DISAGREE
    assert verdict(np.sin, 1.0) == AGREE


def test_an_error_that_rounding_explains_is_none():
    assert verdict(np.sin, 1.0 + 1e-8, rounding=lambda k: 2e-8) == AGREE
    assert verdict(np.sin, 1.0 + 1e-2, rounding=lambda k: 1.0) == DISAGREE


def test_bundles_keep_their_findings_apart():
    right, wrong = bundle(np.sin, 1.0), bundle(np.cos, 0.5)
    findings = certified_bundles([right, wrong, right])
    assert [each[0].verdict for each in findings] == [AGREE, DISAGREE, AGREE]


@pytest.mark.parametrize("wrong", [[], [3], [0, 99], list(range(40, 60)), list(range(100))])
def test_halving_finds_the_wrong_elements_and_says_whether_there_are_more(wrong):
    claims = np.ones(100)
    claims[wrong] = 1.1
    direction = np.linspace(0.5, 1.5, 100)

    def probing(groups):
        slopes = np.array([direction[group].sum() for group in groups])
        said = np.array([(claims * direction)[group].sum() for group in groups])
        return Bundle(0 * said, said, slopes, 0 * said, lambda which, at: slopes[which] * at)

    found = bisected(probing, direction)
    indices = [element.index[0] for element in found.elements]
    assert set(indices) <= set(wrong)
    assert len(indices) == min(len(wrong), 8)
    assert found.alone is (len(wrong) <= 8)
