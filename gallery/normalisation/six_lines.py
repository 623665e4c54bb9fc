"""An operation of our own: batch normalisation with the backward pass of the paper, line by line.

In a module of its own, imported on first use, so that the table of operations holds Gradstep's alone until then.
"""

from __future__ import annotations

from typing import Any

import tracer as tr


def backward(g: Any, out: Any, x: Any, gamma: Any, beta: Any, *, eps: float) -> dict[str, Any]:
    """The six lines of Ioffe & Szegedy 2015, section 3. g = ∂L/∂y, shaped as x: (batch, features)."""
    m = x.shape[0]
    mu = tr.mean(x, axis=0)
    var = tr.mean(tr.square(x - mu), axis=0)
    xhat = (x - mu) / tr.sqrt(var + eps)
    dxhat = g * gamma
    dvar = tr.sum(dxhat * (x - mu), axis=0) * (-1 / 2) * (var + eps) ** (-3 / 2)
    dmu = (
        tr.sum(dxhat, axis=0) * (-1 / tr.sqrt(var + eps)) + dvar * tr.sum(-2 * (x - mu), axis=0) / m
    )
    dx = dxhat / tr.sqrt(var + eps) + dvar * 2 * (x - mu) / m + dmu / m
    dgamma = tr.sum(g * xhat, axis=0)
    dbeta = tr.sum(g, axis=0)
    return {"x": dx, "gamma": dgamma, "beta": dbeta}


@tr.primitive(
    joint=(backward, ("x", "gamma", "beta")),
    samples=lambda rng: [(rng.normal(size=(4, 2)), rng.normal(size=2), rng.normal(size=2))],
)
def batch_norm_by_hand(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5) -> Any:
    """γ (x − μ) / √(σ² + ε) + β over a batch. x: float (batch, features). gamma, beta: (features,)."""
    mu = x.mean(axis=0)
    var = ((x - mu) ** 2).mean(axis=0)
    return gamma * (x - mu) / (var + eps) ** 0.5 + beta
