"""The recurrent network against PyTorch's numbers for the same weights, and its gradient split by time step.

`rnn_golden.json` was made by `rnn_in_torch.py` with torch 2.13.0 in float64.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.recurrent.rnn import IS_NAME, SENTENCE, WAA, WAX, back_to_the_first, losses

GOLDEN = json.loads(Path(__file__).with_name("rnn_golden.json").read_text())
SHARED = ("waa", "wax", "ba", "wya", "by")
CLOSE = {"rtol": 1e-12, "atol": 1e-15}


@pytest.fixture(scope="module")
def trace():
    return tr.trace(GALLERY["rnn"].build())


def by_step(trace, name):
    """The flows into a shared weight by the time step of the use that sent them."""
    return {trace[flow.consumer].scope[0].index: flow.cotangent for flow in trace.flows_into(name)}


def test_the_golden_numbers_say_how_they_were_made():
    assert "torch 2.13.0" in GOLDEN["made"]


def test_outputs_and_losses_are_pytorchs(trace):
    for t in range(1, 9):
        assert trace.value(f"yhat#{t}") == pytest.approx(GOLDEN["yhat"][t - 1], rel=1e-13)
        assert trace.value(f"L#{t}") == pytest.approx(GOLDEN["L"][t - 1], rel=1e-13)
    assert trace.value("loss") == pytest.approx(GOLDEN["loss"], rel=1e-13)


@pytest.mark.parametrize("name", SHARED)
def test_the_gradient_of_a_shared_weight_is_split_by_time_step_as_pytorchs(trace, name):
    flows = by_step(trace, name)
    assert sorted(flows) == list(range(1, 9))
    for t, golden in enumerate(GOLDEN["flows"][name], start=1):
        np.testing.assert_allclose(flows[t], golden, **CLOSE)
    np.testing.assert_allclose(trace.gradient(name), np.sum(GOLDEN["flows"][name], axis=0), **CLOSE)


@pytest.mark.parametrize("name", ["waa", "wya"])
def test_the_third_loss_alone_uses_a_weight_as_pytorch_says(name):
    """Farrahi & Hare: dL<3>/dwya has one term; dL<3>/dwaa one for each step back: a<3>, a<2>, a<1>."""
    third = tr.trace(GALLERY["rnn:third"].build())
    flows = by_step(third, name)
    assert sorted(flows) == ([3] if name == "wya" else [1, 2, 3])
    for t, flow in flows.items():
        np.testing.assert_allclose(flow, GOLDEN["third"][name][t - 1], **CLOSE)
    np.testing.assert_allclose(third.gradient(name), np.sum(GOLDEN["third"][name], axis=0), **CLOSE)


def test_the_three_terms_are_products_of_jacobians_along_the_way_back():
    """dL<3>/dwaa = sum over k of (dL<3>/da<3>) (product of da<j>/da<j-1>) tanh'(a<k>) a<k-1>, k = 3, 2, 1."""
    third = tr.trace(GALLERY["rnn:third"].build())
    a = [third.value("a0"), *(third.value(f"a#{t}") for t in (1, 2, 3))]
    waa, wya, yhat = third.value("waa"), third.value("wya"), third.value("yhat")
    upstream = yhat * wya  # dL/dz = yhat - y with y = 0
    flows = by_step(third, "waa")
    for k in (3, 2, 1):
        delta = upstream * (1 - a[k] ** 2)
        np.testing.assert_allclose(flows[k], np.outer(delta, a[k - 1]), rtol=1e-11, atol=1e-16)
        upstream = delta @ waa
    assert not flows[1].any(), "a<0> is zero, so the furthest term is exactly zero"


def test_the_sentence_and_the_scopes_are_the_lectures(trace):
    assert " ".join(SENTENCE) == "Kate Farrahi and Jonathon Hare teach deep learning"
    assert IS_NAME == [1, 1, 0, 1, 1, 0, 0, 0]
    assert np.shape(WAA) == (3, 3)
    assert np.shape(WAX) == (3, 8)
    words = [trace.value(f"x#{t}") for t in range(1, 9)]
    np.testing.assert_array_equal(words, np.eye(8))
    assert trace["a#3"].scope_text == "rnn[t=3]"
    assert trace["waa"].scope_text == ""


def test_the_losses_of_the_steps_sum_to_the_loss(trace):
    total = sum(step.item() for step in losses())
    assert trace.value("loss") == pytest.approx(total, rel=1e-14)


def test_the_product_of_the_jacobians_is_pytorchs():
    """da<3>/da<1>, which PyTorch takes in one piece."""
    third = tr.trace(GALLERY["rnn:third"].build())
    np.testing.assert_allclose(back_to_the_first(third), GOLDEN["da3_by_da1"], **CLOSE)


@pytest.mark.parametrize("name", ["rnn", "rnn:third"])
def test_the_plot_shows_each_term_of_the_last_loss_by_how_far_back_it_is(name):
    (plot,) = GALLERY[name].plots(scale=0.7)
    sizes = {curve.label: dict(zip(curve.x, curve.y, strict=True)) for curve in plot.marks}
    assert [curve.label for curve in plot.marks if not curve.dashed] == ["0.7 waa"]
    flows = by_step(tr.trace(losses()[7]), "waa")
    assert sizes["waa"] == pytest.approx(
        {8 - t: np.linalg.norm(flow) if t > 1 else np.nan for t, flow in flows.items()}, nan_ok=True
    )
    assert sizes["0.5 waa"][6] < 0.1 * sizes["waa"][6] < 0.1 * sizes["2 waa"][6]


def test_the_figure_writes_the_word_that_it_is_fed_on_each_step(trace):
    drawn = trace.diagram().render("svg").decode()
    for t, word in enumerate(SENTENCE, start=1):
        assert f"t = {t}, {word}" in drawn
        assert str(trace[f"x#{t}"].scope[-1]) == word
