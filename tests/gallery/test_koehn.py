"""Koehn's network as a computation graph: the same numbers as `xor:one_zero`, and the product of local gradients."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY


@pytest.fixture(scope="module")
def trace():
    return tr.trace(GALLERY["koehn"].build())


def test_the_graph_is_the_network_of_the_table(trace):
    network = tr.trace(GALLERY["xor:one_zero"].build())
    for name in ("h", "y", "e"):
        np.testing.assert_allclose(trace.value(name), network.value(name), rtol=1e-15)
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_allclose(trace.gradient(name), network.gradient(name), rtol=1e-13)


def test_the_nodes_are_product_sum_sigmoid_product_sum_sigmoid_and_the_error(trace):
    """Simion, lecture 4, after Koehn's figure 6.1."""
    chain = [trace[name].op_name for name in ("p1", "s1", "h", "p2", "s2", "y")]
    assert chain == ["matmul", "add", "sigmoid", "matmul", "add", "sigmoid"]
    assert trace.value("e") == pytest.approx((1 - trace.value("y")) ** 2 / 2)


def test_the_gradient_of_the_output_weights_is_the_product_along_the_way(trace):
    """de/dW2 = de/dy · dy/ds2 · ds2/dp2 · dp2/dW2 = (y - t) s(s2)(1 - s(s2)) h."""
    chain = [("e", "y"), ("y", "s2"), ("s2", "p2"), ("p2", "W2")]
    factors = [tr.certify(trace, by, of).values for of, by in chain]
    np.testing.assert_allclose(np.prod(factors[:3]) * factors[3], trace.gradient("W2"), rtol=1e-9)


@pytest.mark.parametrize("t", [0.0, 0.5, 1.0])
def test_the_error_pulls_towards_the_target(t):
    koehn = GALLERY["koehn"]
    trace = tr.trace(koehn.build(**koehn.settings(t=t)))
    assert np.sign(trace.gradient("s2")) == np.sign(trace.value("y") - t)
