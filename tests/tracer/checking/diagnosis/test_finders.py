"""Causes that are recognised in the numbers alone: of a gradient given as an array, with and without a trace."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.checking.mutants.networks import traced
from tracer.checking.diagnosis.causes import KINDS, Cause
from tracer.checking.diagnosis.finders import diagnose
from tracer.checking.diagnosis.wrong import Wrong, wrong_in

RNG = np.random.default_rng(3)
G = RNG.normal(size=(6, 5))


def causes(claim, right=G, sizes=()) -> tuple[Cause, ...]:
    return diagnose(Wrong(None, -1, np.asarray(claim, float), np.asarray(right, float), sizes))


WITHOUT_A_TRACE = [
    pytest.param(-G, G, "sign", "it is of the wrong sign", id="sign"),
    pytest.param(2 * G, G, "two", "twice what it should be", id="2"),
    pytest.param(G / 2, G, "two", "half of what it should be", id="1/2"),
    pytest.param(6 * G, G, "size", "1/6, for the length of an axis, was forgotten", id="m"),
    pytest.param(G / 30, G, "size", "1/30, for the length of an axis, is too much", id="1/m"),
    pytest.param(G * 6 / 5, G, "size", "1/5 stands where 1/6 belongs", id="m/(m-1)"),
    pytest.param(G / 6**0.5, G, "size", "1/√6 is too much", id="root of m"),
    pytest.param(4 * G, G, "stale", "as if 4 passes had been added up", id="stale"),
    pytest.param(G / np.log(10), G, "factor", "a logarithm to base 10", id="log base"),
    pytest.param(-1.7 * G, G, "factor", "−1.7 times what it should be", id="any factor"),
    pytest.param(G.T, G, "transposed", "it is transposed", id="transposed"),
    pytest.param(G[::-1], G, "reversed", "it runs backwards along axis 0", id="reversed"),
    pytest.param(np.roll(G, 1, 0), G, "shift", "one step too late along axis 0", id="shift"),
    pytest.param(G, G.sum(0), "sum", "the sum over axis 0 is missing", id="no sum"),
    pytest.param(G, G.sum(), "sum", "the sum over axes 0, 1 is missing", id="no sum at all"),
    pytest.param(G.sum(1), G, "sum", "it is summed over axis 1, and should be 6×5", id="a sum"),
    pytest.param(G[[3, 4, 2, 0, 1, 5]], G, "wrong factor", "the entries 0:2 and 3:5 are swapped", id="rows"),
    pytest.param(G[[0, 2, 3, 1, 4, 5]], G, "wrong factor", "in the order 0, 2, 3, 1, 4, 5", id="order"),
    pytest.param(G, np.where(G > 0, G, 0), "mask", "a mask was forgotten", id="mask"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "right", "kind", "text"), WITHOUT_A_TRACE)
def test_a_cause_is_recognised_without_a_trace(claim, right, kind, text):
    (first, *_) = causes(claim, right)
    assert first.kind == kind
    assert text in first.text
    assert first.exact


def changed(*places: tuple) -> np.ndarray:
    wrong = G.copy()
    for place in places:
        wrong[place] += RNG.normal(size=np.shape(wrong[place]))
    return wrong


KNOWN = [
    pytest.param(changed(3), "right in 25 of 30 elements: wrong only in row 3", id="a row"),
    pytest.param(changed((slice(None), slice(1, 4))), "wrong only in columns 1 to 3", id="columns"),
    pytest.param(changed((1, 1), (4, 1)), "wrong only in rows 1, 4", id="two elements"),
    pytest.param(np.round(G, 4), "right to 4 digits only", id="rounded"),
    pytest.param(np.where(np.arange(6)[:, None] == 2, np.nan, G), "first at [2, 0]", id="nan"),
    pytest.param(G * np.arange(2.0, 7), "a factor that is the same along axis 0", id="by column"),
    pytest.param(G + np.array([[1.0], [-1]] * 3) * [1, 2, 3, 4, 5], "only its sums over axis 0", id="in sum"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "text"), KNOWN)
def test_where_no_cause_is_found_it_is_said_what_is_right(claim, text):
    (first, *_) = causes(claim)
    assert text in first.text
    assert first.kind in ("some elements", "precision")
    assert not first.exact


@pytest.mark.parametrize("seed", range(4))
def test_no_cause_is_invented_for_a_random_error(seed):
    rng = np.random.default_rng(seed)
    trace = traced("batchnorm")
    for name in ("x", "var", "gamma", "xhat", "y"):
        right = trace.gradient(name)
        wrong = wrong_in(trace, trace.node_index(name), right + rng.normal(size=right.shape))
        assert not any(cause.exact for cause in diagnose(wrong))
    assert not any(cause.exact for cause in causes(rng.normal(size=(6, 5))))


def test_what_is_right_has_no_cause():
    assert causes(G) == ()
    assert causes(np.zeros((0, 3)), np.zeros((0, 3))) == ()
    assert causes(np.zeros((2, 3)), np.zeros((2, 3))) == ()
    assert diagnose(None) == ()


def first_of(trace: tr.Trace, name: str, claim) -> Cause:
    found = diagnose(wrong_in(trace, trace.node_index(name), np.asarray(claim)))
    assert found
    assert len(found) <= 3
    return found[0]


BN, NET, CELL = traced("batchnorm"), traced("softmax"), traced("lstm_gates")


def test_a_flow_is_missing_doubled_or_scaled():
    x = tr.tensor(G, name="x")
    a, b, c = tr.sin(x), tr.exp(x), tr.square(x)
    trace = tr.trace(tr.sum(a * b + c))
    flows = {trace.label(f.consumer): f.cotangent for f in trace.flows_into("x")}
    whole = trace.gradient("x")
    assert first_of(trace, "x", whole - flows["b"]).text == "the flow from b is missing"
    assert first_of(trace, "x", whole + flows["b"]).kind == "doubled path"
    assert first_of(trace, "x", whole + 0.4 * flows["c"]).kind == "scaled path"
    assert first_of(trace, "x", whole - 2 * flows["c"]).kind == "sign"
    both = first_of(trace, "x", flows["a"])
    assert both.kind == "missing path"
    assert both.text == "the flows from c, b are missing"
    two = diagnose(wrong_in(trace, 0, whole - 2 * flows["c"] + flows["b"]))
    assert [cause.text for cause in two] == [
        "the flow from c is of the wrong sign",
        "the flow from b is twice what it should be: a factor 2 too much",
    ]


def test_a_route_is_missing():
    without = BN.replay({"var": BN.value("var")}).gradient("x")
    cause = first_of(BN, "x", without)
    assert (cause.kind, cause.text) == ("missing path", "the path via var is missing")


def test_a_factor_equal_to_a_recorded_value_is_missing_or_too_many():
    assert first_of(BN, "xhat", BN.gradient("y")).text.endswith("gamma was forgotten")
    extra = first_of(BN, "var", BN.gradient("var") * BN.value("gamma"))
    assert (extra.kind, extra.text) == ("extra factor", "the factor gamma is too many")
    lost = first_of(CELL, "c", CELL.gradient("c") / (1 - CELL.value("tc") ** 2))
    assert lost.kind == "missing factor"
    assert lost.text == "it is the gradient of tc: the local derivative 1 − tc · tc was forgotten"


def test_another_recorded_value_stands_in_a_product():
    claim = np.sum(BN.gradient("y") * BN.value("x"), axis=0)
    cause = first_of(BN, "gamma", claim)
    assert (cause.kind, cause.text) == ("wrong factor", "x stands where xhat belongs")


def test_the_sum_goes_over_the_wrong_axes():
    claim = np.full(4, BN.gradient("y").sum())
    assert first_of(BN, "beta", claim).text.startswith("it is summed over all axes")


def test_another_gradient_stands_there_or_was_added():
    swapped = first_of(CELL, "Wi", CELL.gradient("Wf"))
    assert (swapped.kind, swapped.text) == ("wrong factor", "it is the gradient of Wf, not of Wi")
    stale = first_of(CELL, "Wi", CELL.gradient("Wi") + CELL.gradient("Wo"))
    assert (stale.kind, stale.text) == ("stale", "the gradient of Wo was added to it")


def test_the_variance_is_unbiased_where_it_should_not_be():
    assert first_of(BN, "var", BN.gradient("var") * 7 / 6).kind == "bessel"


def test_epsilon_was_forgotten():
    x = tr.tensor(G, name="x")
    loss = tr.sum(tr.sin(x) / tr.sqrt(tr.mean(tr.square(x)) + 1e-3))
    right = tr.trace(loss)
    bare = tr.trace(tr.sum(tr.sin(x) / tr.sqrt(tr.mean(tr.square(x)))))
    assert first_of(right, "x", bare.gradient("x")).kind == "epsilon"


def test_the_jacobian_of_softmax_is_taken_as_diagonal():
    p, g = NET.value("p"), NET.gradient("p")
    assert first_of(NET, "z", g * p * (1 - p)).kind == "softmax"
    assert first_of(NET, "z", g * p).kind == "softmax"
    x = tr.tensor(G, name="x")
    s = tr.softmax(x * 2.0)
    fused = tr.trace(tr.sum(tr.square(s)))
    claim = 2 * (2 * s.value * s.value * (1 - s.value))
    assert first_of(fused, "x", claim).kind == "softmax"


def test_a_detach_a_relu_or_a_clip_is_passed_over():
    x = tr.tensor(G, name="x")
    with tr.record():
        stopped = tr.trace(tr.sum(tr.detach(tr.sin(x)) * tr.exp(x)))
    claim = np.cos(G) * np.exp(G) + np.sin(G) * np.exp(G)
    assert (
        first_of(stopped, "x", claim).text == "it goes on through detach, where the gradient stops"
    )
    rectified = tr.trace(tr.sum(tr.relu(tr.sin(x)) * 3.0))
    assert first_of(rectified, "x", 3 * np.cos(G)).kind == "mask"
    clipped = tr.trace(tr.sum(tr.clip(tr.sin(x), -0.5, 0.5) ** 2))
    clip = np.clip(np.sin(G), -0.5, 0.5)
    assert "clip" in first_of(clipped, "x", 2 * clip * np.cos(G)).text


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_backward_pass_truncated_in_time_is_told_with_its_length(depth):
    trace = traced("rnn")
    h, w = [trace.value("h0")], trace.value("Whh")
    for t in range(1, 5):
        h.append(trace.value(f"h#{t}"))
    claim = np.zeros_like(w)
    for t in range(1, 5):
        carried = trace.gradient(f"y#{t}") @ trace.value("Why").T
        for back in range(t, max(t - depth - 1, 0), -1):
            da = carried * (1 - h[back] ** 2)
            claim += h[back - 1].T @ da
            carried = da @ w.T
    cause = first_of(trace, "Whh", claim)
    assert cause.kind == "truncated"
    said = "does not go back in time" if not depth else f"goes back {depth} step"
    assert said in cause.text


def test_every_kind_that_a_finder_gives_is_listed():
    with pytest.raises(AssertionError):
        Cause("nonsense", "")
    assert {p.values[2] for p in WITHOUT_A_TRACE} <= KINDS.keys()


def test_a_large_trace_is_diagnosed_in_bounded_work():
    x = tr.tensor(G, name="x")
    y = x
    for _ in range(600):
        y = tr.sin(y) + 0.01
    trace = tr.trace(tr.sum(y * y))
    wrong = wrong_in(trace, 0, trace.gradient(0) + RNG.normal(size=G.shape))
    assert not any(cause.exact for cause in diagnose(wrong))
