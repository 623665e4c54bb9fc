"""Batch normalisation in three forms, on four samples and on real digits; and its six lines by hand."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.normalisation.batchnorm import (
    DIGITS_FILE,
    EPS,
    classifier,
    four_samples,
    one_node,
    own_rule,
    small_steps,
)
from gallery.normalisation.inference import BATCHES, MEAN, STD, running_averages

FORMS = {"small": small_steps, "fused": one_node, "by_hand": own_rule}
NETWORKS = {"four samples": four_samples, "digits": classifier}


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


def test_at_inference_the_terms_by_variance_and_mean_are_gone():
    """LECTURES section 4: fixed statistics replace the batch's, so dL/dx = dL/dy gamma / sqrt(var + eps) alone."""
    trace = tr.trace(GALLERY["batchnorm:inference"].build())
    alone = trace.gradient("y") * trace.value("gamma") / np.sqrt(trace.value("var") + EPS)
    np.testing.assert_allclose(trace.gradient("x"), alone, rtol=1e-13)
    assert [trace[name].kind for name in ("mu", "var")] == ["constant", "constant"]


def test_at_inference_a_sample_does_not_feel_its_neighbours():
    for name, feels in (("batchnorm:inference", False), ("batchnorm", True)):
        trace = tr.trace(GALLERY[name].build())
        others = np.array(trace.value("x"))
        others[1:] += [[3.0, -1.0], [0.0, 2.0], [1.0, 1.0]]
        again = trace.replay({"x": others})
        assert np.any(again.value("y")[0] != trace.value("y")[0]) == feels, name


@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_the_running_averages_are_those_of_the_layer_with_the_lectures_variance(alpha):
    """mean <- alpha * batch mean + (1 - alpha) * mean; the layer knows PyTorch's 1/(m - 1), and the lecture's 1/m."""
    layer = tr.nn.BatchNorm1d(2, momentum=alpha, running_variance="biased")
    rng = np.random.default_rng(2015)
    for _ in range(BATCHES):
        layer(rng.normal(MEAN, STD, size=(4, 2)))
    mean, var = running_averages(alpha)
    np.testing.assert_allclose(layer.running_mean.value, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.value, var, rtol=1e-10)


def test_eps_is_a_knob_of_every_form():
    for name in ("batchnorm", "batchnorm:fused", "batchnorm:by_hand", "layernorm"):
        trace = tr.trace(GALLERY[name].build(eps=1.0))
        assert tr.verify(trace, GALLERY[name].derivation).ok, name
        assert trace.value("loss") != tr.trace(GALLERY[name].build()).value("loss")


def test_a_token_is_normalised_by_itself_and_a_batch_by_feature():
    layer, batch = (tr.trace(GALLERY[name].build()) for name in ("layernorm", "batchnorm"))
    assert layer.value("mu").shape == (3, 1)
    assert batch.value("mu").shape == (2,)
    alone = layer.replay({"x": np.repeat(layer.value("x")[:1], 3, axis=0)})
    np.testing.assert_array_equal(alone.value("y")[0], layer.value("y")[0])


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
