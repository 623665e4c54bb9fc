"""The activation functions as the lectures write them, each of a batch z; the name of the result is the function's."""

from __future__ import annotations

from typing import Any

import tracer as tr


def sigmoid(z: Any) -> tr.Tensor:
    """σ(z) = 1 / (1 + e⁻ᶻ)."""
    s = tr.sigmoid(z)
    return s


def tanh(z: Any) -> tr.Tensor:
    """tanh(z) = 2 σ(2z) - 1."""
    t = tr.tanh(z)
    return t


def hard_tanh(z: Any) -> tr.Tensor:
    """min(max(z, -1), 1): tanh in three straight pieces."""
    hard_tanh = tr.hard_tanh(z)
    return hard_tanh


def relu(z: Any) -> tr.Tensor:
    """max(0, z)."""
    relu = tr.relu(z)
    return relu


def leaky_relu(z: Any) -> tr.Tensor:
    """max(0.1 z, z)."""
    leaky_relu = tr.leaky_relu(z, negative_slope=0.1)
    return leaky_relu


def parametric_relu(z: Any) -> tr.Tensor:
    """max(α z, z) with a slope α that is learned."""
    alpha = tr.parameter(0.25)
    prelu = tr.prelu(z, alpha)
    return prelu


def elu(z: Any) -> tr.Tensor:
    """z where z > 0, else eᶻ - 1."""
    elu = tr.elu(z)
    return elu


def swish(z: Any) -> tr.Tensor:
    """z σ(z)."""
    swish = tr.swish(z)
    return swish


def gelu(z: Any) -> tr.Tensor:
    """z Φ(z), with Φ the distribution function of the normal distribution."""
    gelu = tr.gelu(z)
    return gelu


def maxout(z: Any) -> tr.Tensor:
    """max(w1 z + b1, w2 z + b2): the larger of two straight lines that are learned."""
    w1, b1 = tr.parameter(1.0), tr.parameter(-1.0)
    w2, b2 = tr.parameter(-0.5), tr.parameter(0.4)
    with tr.scope("first piece"):
        first = w1 * z + b1
    with tr.scope("second piece"):
        second = w2 * z + b2
    maxout = tr.maximum(first, second)
    return maxout
