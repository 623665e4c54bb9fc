"""`tr.certify`: the derivative of any recorded value by any other, and what it says of bad input."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr

X = np.random.default_rng(0).normal(size=(4, 3))


@pytest.fixture(scope="module")
def batch_norm():
    x = tr.tensor(X, name="x")
    gamma = tr.parameter(np.array([1.0, 2.0, 0.5]), name="gamma")
    mu = x.mean(axis=0)
    var = ((x - mu) ** 2).mean(axis=0)
    xhat = (x - mu) / tr.sqrt(var + 1e-5)
    y = tr.relu(xhat * gamma)
    loss = (y**2).sum()
    return tr.trace(loss)


def test_the_loss_is_differentiated_by_a_leaf_and_by_an_inner_value(batch_norm):
    for by in ("x", "mu", "var", "xhat", "y", "gamma"):
        found = tr.certify(batch_norm, by)
        gradient = batch_norm.gradient(by)
        spare = 1e-14 * np.max(abs(gradient))
        assert (abs(found.values - gradient) <= found.bounds + spare).all(), by
        assert found.of == "loss"
        np.testing.assert_array_equal(found.automatic, gradient)


def test_an_element_of_an_inner_value_is_differentiated_by_another_inner_value(batch_norm):
    found = tr.certify(batch_norm, by="x", of="mu", at=1)
    expected = np.zeros((4, 3))
    expected[:, 1] = 0.25
    np.testing.assert_allclose(found.values, expected, atol=1e-15)
    assert found.of == "mu[1]"
    assert found.bounds.max() < 1e-14


def test_a_cotangent_weighs_the_elements(batch_norm):
    g = np.random.default_rng(1).normal(size=(4, 3))
    found = tr.certify(batch_norm, by="gamma", of="xhat", cotangent=g)
    np.testing.assert_array_equal(found.values, 0)  # gamma comes after it
    assert found.notes == ("xhat does not depend on gamma",)
    found = tr.certify(batch_norm, by="xhat", of="xhat", cotangent=g)
    np.testing.assert_allclose(found.values, g, rtol=1e-14)


def test_only_the_elements_asked_for_are_looked_at(batch_norm):
    found = tr.certify(batch_norm, "x", elements=[(0, 1), -1])
    assert found.elements == ((0, 1), (3, 2))
    assert np.isfinite(found.values).sum() == 2
    assert np.isinf(found.bounds).sum() == 10


def test_a_float32_run_is_certified_in_float64():
    x = tr.tensor(np.array([0.3, 0.7], np.float32), name="x")
    found = tr.certify(tr.trace(tr.tanh(x).sum()), "x")
    np.testing.assert_allclose(found.values, 1 - np.tanh(x.value.astype(float)) ** 2, rtol=1e-14)


def test_a_kink_names_its_node_and_shows_both_slopes():
    x = tr.tensor([0.0, 1.0], name="x")
    text = str(tr.certify(tr.trace(tr.relu(x).sum()), "x"))
    assert "[0, 1] kink" in text
    assert "kink: relu@1 at [0] = 0" in text


def test_it_prints_at_most_a_dozen_elements():
    x = tr.tensor(np.ones(20), name="x")
    assert "… 8 more" in str(tr.certify(tr.trace((x * x).sum()), "x"))


def test_an_empty_value_has_no_derivatives():
    x = tr.tensor(np.empty((0, 2)), name="x")
    found = tr.certify(tr.trace(x.sum()), "x")
    assert found.values.shape == (0, 2)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"by": "z"}, tr.errors.UnknownNameError, "'z'"),
        ({"by": "x", "of": "y"}, tr.errors.CheckError, "4×3 elements"),
        ({"by": "x", "of": "y", "at": (9, 9)}, tr.errors.CheckError, "no element"),
        ({"by": "x", "of": "y", "at": "a"}, tr.errors.CheckError, "no element"),
        ({"by": "x", "of": "y", "at": 0, "cotangent": 1.0}, tr.errors.CheckError, "both"),
        ({"by": "x", "of": "y", "cotangent": np.ones(3)}, tr.errors.CheckError, r"\(4, 3\)"),
        ({"by": "x", "elements": [99]}, tr.errors.CheckError, "no element 99"),
    ],
)
def test_bad_input_is_one_clear_error(batch_norm, asked, error, said):
    with pytest.raises(error, match=said) as caught:
        tr.certify(batch_norm, **asked)
    assert "try:" in str(caught.value)


def test_whole_numbers_have_no_derivative():
    x, k = tr.tensor([1.0, 2.0], name="x"), tr.constant(np.array([1, 0]), name="k")
    trace = tr.trace((x[k] * x).sum())
    with pytest.raises(tr.errors.CheckError, match="whole numbers"):
        tr.certify(trace, "k")
