"""Batch normalisation in three forms, on four samples and on real digits; and its six lines by hand."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.normalisation.batchnorm import (
    DIGITS_FILE,
    EPS,
    digits,
    four_samples,
    one_node,
    own_rule,
    small_steps,
)

FORMS = {"small": small_steps, "fused": one_node, "by_hand": own_rule}
NETWORKS = {"four samples": four_samples, "digits": digits}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("form", ["fused", "by_hand"])
def test_the_three_forms_agree_forwards_and_backwards(network, form):
    reference, other = tr.trace(network(small_steps)), tr.trace(network(FORMS[form]))
    names = {node.name for node in reference if node.kind in ("parameter", "input")} | {"y", "loss"}
    for name in names:
        np.testing.assert_allclose(other.value(name), reference.value(name), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(
            other.gradient(name), reference.gradient(name), rtol=1e-8, atol=1e-13, err_msg=name
        )


def test_each_form_is_what_it_says():
    assert {"mean", "sqrt", "div"} <= {
        node.op_name for node in tr.trace(GALLERY["batchnorm"].build())
    }
    assert tr.trace(GALLERY["batchnorm:fused"].build())["y"].op_name == "batch_norm"
    assert tr.trace(GALLERY["batchnorm:by_hand"].build())["y"].op_name == "batch_norm_by_hand"


def test_the_recorded_gradients_are_the_six_lines_in_numpy():
    """Ioffe & Szegedy 2015, section 3, from recorded values and dL/dy alone."""
    trace = tr.trace(GALLERY["batchnorm"].build())
    x, mu, var, xhat, gamma = (trace.value(name) for name in ("x", "mu", "var", "xhat", "gamma"))
    dy, m = trace.gradient("y"), len(x)
    dxhat = dy * gamma
    dvar = (dxhat * (x - mu)).sum(axis=0) * (-1 / 2) * (var + EPS) ** (-3 / 2)
    dmu = (dxhat * (-1 / np.sqrt(var + EPS))).sum(axis=0) + dvar * (-2 * (x - mu)).sum(axis=0) / m
    by_hand = {
        "xhat": dxhat,
        "var": dvar,
        "mu": dmu,
        "x": dxhat / np.sqrt(var + EPS) + dvar * 2 * (x - mu) / m + dmu / m,
        "gamma": (dy * xhat).sum(axis=0),
        "beta": dy.sum(axis=0),
    }
    for name, gradient in by_hand.items():
        np.testing.assert_allclose(
            trace.gradient(name), gradient, rtol=1e-10, atol=1e-14, err_msg=name
        )


def test_the_rule_of_our_own_operation_computes_with_plain_arrays():
    from gallery.normalisation.six_lines import (
        backward,
    )  # declares the operation, so not while tests are collected

    rng = np.random.default_rng(0)
    x, gamma, beta, g = (
        rng.normal(size=(5, 3)),
        rng.normal(size=3),
        rng.normal(size=3),
        rng.normal(size=(5, 3)),
    )
    found = backward(g, None, x, gamma, beta, eps=EPS)
    assert {name: np.shape(value) for name, value in found.items()} == {
        "x": (5, 3), "gamma": (3,), "beta": (3,),
    }  # fmt: skip
    np.testing.assert_allclose(found["x"].sum(axis=0), 0, atol=1e-12)


def test_the_statistics_of_a_normalised_batch_are_zero_and_one():
    trace = tr.trace(GALLERY["batchnorm"].build())
    np.testing.assert_allclose(trace.value("xhat").mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(trace.value("xhat").std(axis=0), 1, atol=1e-4)


def test_gamma_of_the_deviation_and_beta_of_the_mean_give_the_identity_back():
    """LECTURES section 4: gamma = sqrt(var + eps), beta = mu."""
    trace = tr.trace(GALLERY["batchnorm"].build())
    again = trace.replay({"gamma": trace.value("std"), "beta": trace.value("mu")})
    np.testing.assert_allclose(again.value("y"), trace.value("x"), rtol=1e-12)


def test_the_digits_are_64_images_of_8x8_grey_levels():
    with np.load(DIGITS_FILE) as file:
        images, labels = file["images"], file["labels"]
    assert images.shape == (64, 8, 8)
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 16)
    assert labels[:10].tolist() == list(range(10))
    assert "CC BY 4.0" in DIGITS_FILE.with_name("README.md").read_text()


def test_the_digits_entry_reads_the_images_as_shares_of_the_highest_level():
    trace = tr.trace(GALLERY["batchnorm:digits"].build())
    assert trace.value("x").shape == (64, 64)
    assert trace.value("x").max() == 1.0
    assert trace["labels"].dtype.kind == "i"
