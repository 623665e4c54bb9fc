"""Layer normalisation: the same formula over the features of one token, whatever else is in the batch."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.normalisation.batchnorm import EPS, EPS_KNOB, SOURCE
from gallery.normalisation.identities import ZERO

TOKENS = [[0.5, -1.0, 2.0, 0.1], [1.5, 0.3, -0.7, -0.2], [-0.4, 0.8, 1.1, -1.9]]


def layernorm(eps: float = EPS) -> tr.Tensor:
    """Three tokens of four features, each with a mean and a variance of its own."""
    x = tr.tensor(TOKENS)
    gamma = tr.parameter([1.5, 0.5, 1.0, 2.0])
    beta = tr.parameter([0.1, -0.2, 0.0, 0.3])
    target = tr.constant([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    with tr.scope("layernorm"):
        with tr.scope("statistics"):
            mu = tr.mean(x, axis=1, keepdims=True)
            centred = x - mu
            var = tr.mean(tr.square(centred), axis=1, keepdims=True)
        with tr.scope("normalise"):
            std = tr.sqrt(var + eps)
            xhat = centred / std
        with tr.scope("scale"):
            y = gamma * xhat + beta
    loss = tr.mse_loss(y, target)
    return loss


def first_token_moved(trace: tr.Trace) -> float:
    """How far y and dL/dx of the first token move when the other two become something else."""
    others = np.array(trace.value("x"))
    others[1:] = [[9.0, -9.0, 4.0, 0.0], [-3.0, 7.0, 0.0, 1.0]]
    again = trace.replay({"x": others})
    before, after = trace.gradient("x"), again.gradient("x")
    assert before is not None
    assert after is not None
    values = np.abs(again.value("y")[0] - trace.value("y")[0]).max()
    return float(max(values, np.abs(after[0] - before[0]).max()))


def apart_from_fused(trace: tr.Trace) -> float:
    """Largest difference of y from that of the fused operation."""
    x, gamma, beta, std, var = (trace.value(name) for name in ("x", "gamma", "beta", "std", "var"))
    fused = tr.layer_norm(x, gamma, beta, eps=float(np.mean(std**2 - var)))
    return float(np.abs(fused - trace.value("y")).max())


LAYERNORM = Entry(
    name="layernorm",
    build=layernorm,
    caption="layer normalisation: every token by its own mean and variance, independent of the batch",
    source="Ba, Kiros & Hinton 2016; " + SOURCE.partition("; ")[2],
    facts=(
        Fact(
            "mean of xhat by token",
            "0.000000 0.000000 0.000000",
            lambda t: t.value("xhat").mean(axis=1),
        ),
        Fact(
            "standard deviation of xhat by token",
            "1.0000 1.0000 1.0000",
            lambda t: t.value("xhat").std(axis=1),
        ),
        Fact("how far the first token moves when the others change", ZERO, first_token_moved),
        Fact("largest difference of y from that of the fused operation", ZERO, apart_from_fused),
    ),
    derivation="""\
# The six lines of batch normalisation, with sums over the n features of a token in place of sums over the batch.
n = x.shape[1]
eps = std**2 - var
dL/dy     = 2 * (y - target) / y.size
dL/dxhat  = dL/dy * gamma
dL/dvar   = sum(dL/dxhat * (x - mu) * (-1/2) * (var + eps)**(-3/2), axis=1, keepdims=True)
dL/dmu    = sum(dL/dxhat * (-1 / sqrt(var + eps)) + dL/dvar * -2 * (x - mu) / n, axis=1, keepdims=True)
dL/dx     = dL/dxhat / sqrt(var + eps) + dL/dvar * 2 * (x - mu) / n + dL/dmu / n
dL/dgamma = sum(dL/dy * xhat, axis=0)
dL/dbeta  = sum(dL/dy, axis=0)
""",
    knobs=(EPS_KNOB,),
    orders=("run loss", "run centred"),
)
