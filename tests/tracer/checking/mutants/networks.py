# ruff: noqa: N806  (W1 and L are written as on the slide)
"""The networks whose derivations are broken: small primitives, named as in a lecture, every length its own.

No two axes of a network have the same length, so that nothing wrong fits by chance; every loss is a squared error or
weighs its values by numbers drawn once, so that no gradient is zero whatever the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

import tracer as tr

EPS = 1e-5
STEPS = 4
"""Steps in time of the recurrent network."""

Drawn = Callable[..., np.ndarray]
"""Draws a normal array of a shape."""


def drawn(seed: int, dtype: type = np.float64) -> Drawn:
    """Normal arrays, the same at every call."""
    rng = np.random.default_rng(seed)
    return lambda *shape: rng.normal(size=shape).astype(dtype)


def batchnorm(normal: Drawn) -> tr.Tensor:
    """Ioffe & Szegedy 2015, section 3: a batch of 7 with 4 features."""
    x = tr.tensor(normal(7, 4) * 2 + 1, name="x")
    gamma, beta = tr.parameter(normal(4), name="gamma"), tr.parameter(normal(4), name="beta")
    target = tr.constant(normal(7, 4))
    mu = tr.mean(x, axis=0)
    xc = x - mu
    var = tr.mean(tr.square(xc), axis=0)
    xhat = xc / tr.sqrt(var + EPS)
    y = gamma * xhat + beta
    return tr.mean(tr.square(y - target))


def batchnorm_staged(normal: Drawn) -> tr.Tensor:
    """The same, a name for every stage, as it is often taught."""
    x = tr.tensor(normal(5, 3) + 1, name="x")
    gamma, beta = tr.parameter(normal(3), name="gamma"), tr.parameter(normal(3), name="beta")
    target = tr.constant(normal(5, 3))
    mu = tr.mean(x, axis=0)
    xmu = x - mu
    sq = tr.square(xmu)
    var = tr.mean(sq, axis=0)
    sqrtvar = tr.sqrt(var + EPS)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    y = gammax + beta
    return tr.mean(tr.square(y - target))


def layernorm(normal: Drawn) -> tr.Tensor:
    """Ba, Kiros & Hinton 2016: 4 tokens of 6 features, each normalised by itself."""
    x = tr.tensor(normal(4, 6) * 1.5 - 0.5, name="x")
    gamma, beta = tr.parameter(normal(6), name="gamma"), tr.parameter(normal(6), name="beta")
    target = tr.constant(normal(4, 6))
    mu = tr.mean(x, axis=1, keepdims=True)
    xc = x - mu
    var = tr.mean(tr.square(xc), axis=1, keepdims=True)
    rstd = 1 / tr.sqrt(var + EPS)
    xhat = xc * rstd
    y = gamma * xhat + beta
    return tr.mean(tr.square(y - target))


def softmax(normal: Drawn) -> tr.Tensor:
    """A hidden layer, softmax in small steps, and the cross-entropy with soft targets; a batch of 6."""
    x = tr.tensor(normal(6, 5), name="x")
    W1, b1 = tr.parameter(normal(5, 3), name="W1"), tr.parameter(normal(3), name="b1")
    W2, b2 = tr.parameter(normal(3, 4), name="W2"), tr.parameter(normal(4), name="b2")
    weights = np.exp(normal(6, 4))
    Y = tr.constant(weights / weights.sum(1, keepdims=True))
    h = tr.tanh(x @ W1 + b1)
    z = h @ W2 + b2
    e = tr.exp(z)
    s = tr.sum(e, axis=1, keepdims=True)
    p = e / s
    logp = tr.log(p)
    return -tr.sum(Y * logp) / 6.0


def rnn(normal: Drawn, initial: str = "h0") -> tr.Tensor:
    """h⟨t⟩ = tanh(x⟨t⟩ Wxh + h⟨t−1⟩ Whh + b), y⟨t⟩ = h⟨t⟩ Why + by over 4 steps; the squared error of all of them.

    initial: the name of the first state; "h" makes it the state of step 0, h[0] in a derivation.
    """
    Wxh, Whh = (
        tr.parameter(normal(6, 5) / 2, name="Wxh"),
        tr.parameter(normal(5, 5) / 2, name="Whh"),
    )
    Why, b = tr.parameter(normal(5, 2), name="Why"), tr.parameter(normal(5), name="b")
    by = tr.parameter(normal(2), name="by")
    with tr.scope("rnn", t=0):
        h = tr.tensor(normal(3, 5), name=initial)
    losses = []
    for t in range(1, STEPS + 1):
        with tr.scope("rnn", t=t):
            x = tr.constant(normal(3, 6))
            target = tr.constant(normal(3, 2))
            a = x @ Wxh + h @ Whh + b
            h = tr.tanh(a)
            y = h @ Why + by
            losses.append(tr.sum(tr.square(y - target)))
    return tr.sum(tr.stack(losses)) / 3.0


def rnn_from_step_0(normal: Drawn) -> tr.Tensor:
    """The same; the first state is h[0]."""
    return rnn(normal, "h")


def lstm(normal: Drawn) -> tr.Tensor:
    """Hochreiter & Schmidhuber 1997 with a forget gate: one cell, all gates in one product, 3 sequences, 5 units."""
    x = tr.tensor(normal(3, 4), name="x")
    hprev, cprev = tr.tensor(normal(3, 5), name="hprev"), tr.tensor(normal(3, 5), name="cprev")
    Wx, Wh = tr.parameter(normal(4, 20) / 2, name="Wx"), tr.parameter(normal(5, 20) / 2, name="Wh")
    b = tr.parameter(normal(20), name="b")
    H, C = tr.constant(normal(3, 5)), tr.constant(normal(3, 5))
    a = x @ Wx + hprev @ Wh + b
    i = tr.sigmoid(a[:, 0:5])
    f = tr.sigmoid(a[:, 5:10])
    o = tr.sigmoid(a[:, 10:15])
    g = tr.tanh(a[:, 15:20])
    c = f * cprev + i * g
    h = o * tr.tanh(c)
    return tr.sum(H * h) + tr.sum(C * c)


def lstm_gates(normal: Drawn) -> tr.Tensor:
    """The same cell with a weight matrix for every gate, on [h⟨t−1⟩, x⟨t⟩]."""
    x, hprev = tr.tensor(normal(2, 3), name="x"), tr.tensor(normal(2, 4), name="hprev")
    cprev = tr.tensor(normal(2, 4), name="cprev")
    Wi, bi = tr.parameter(normal(7, 4) / 2, name="Wi"), tr.parameter(normal(4), name="bi")
    Wf, bf = tr.parameter(normal(7, 4) / 2, name="Wf"), tr.parameter(normal(4), name="bf")
    Wo, bo = tr.parameter(normal(7, 4) / 2, name="Wo"), tr.parameter(normal(4), name="bo")
    Wg, bg = tr.parameter(normal(7, 4) / 2, name="Wg"), tr.parameter(normal(4), name="bg")
    target = tr.constant(normal(2, 4))
    xh = tr.concatenate([hprev, x], axis=1)
    zi = xh @ Wi + bi
    zf = xh @ Wf + bf
    zo = xh @ Wo + bo
    zg = xh @ Wg + bg
    i = tr.sigmoid(zi)
    f = tr.sigmoid(zf)
    o = tr.sigmoid(zo)
    g = tr.tanh(zg)
    c = f * cprev + i * g
    tc = tr.tanh(c)
    h = o * tc
    return tr.sum(tr.square(h - target)) / 2.0


def attention(normal: Drawn) -> tr.Tensor:
    """Vaswani et al. 2017, equation 1: one head of self-attention over 4 tokens."""
    x = tr.tensor(normal(4, 6), name="x")
    Wq, Wk = tr.parameter(normal(6, 3), name="Wq"), tr.parameter(normal(6, 3), name="Wk")
    Wv, Wo = tr.parameter(normal(6, 5), name="Wv"), tr.parameter(normal(5, 2), name="Wo")
    target = tr.constant(normal(4, 2))
    q = x @ Wq
    k = x @ Wk
    v = x @ Wv
    s = q @ k.T / 3.0**0.5
    p = tr.softmax(s, axis=1)
    o = p @ v
    y = o @ Wo
    return tr.mean(tr.square(y - target))


def attention_heads(normal: Drawn) -> tr.Tensor:
    """Two heads over a memory of its own: 3 queries, 5 keys, with the scores masked by a constant."""
    q, k = tr.tensor(normal(2, 3, 4), name="q"), tr.tensor(normal(2, 5, 4), name="k")
    v, G = tr.tensor(normal(2, 5, 6), name="v"), tr.constant(normal(2, 3, 6))
    mask = tr.constant((np.arange(5) <= np.arange(3)[:, None] + 2).astype(v.dtype))
    qk = tr.einsum("hid,hjd->hij", q, k)
    s = qk / 2.0
    e = tr.exp(s) * mask
    Z = tr.sum(e, axis=2, keepdims=True)
    p = e / Z
    o = p @ v
    return tr.sum(G * o)


def conv(normal: Drawn) -> tr.Tensor:
    """A convolution of length 3, ReLU, the mean over positions, a linear layer; 2 signals of 5 channels."""
    x = tr.tensor(normal(2, 5, 8), name="x")
    w, b = tr.parameter(normal(4, 5, 3) / 2, name="w"), tr.parameter(normal(4) / 4, name="b")
    V, c = tr.parameter(normal(4, 7), name="V"), tr.parameter(normal(7), name="c")
    target = tr.constant(normal(2, 7))
    z = tr.conv1d(x, w, b)
    r = tr.relu(z)
    pooled = tr.mean(r, axis=2)
    y = pooled @ V + c
    return tr.mean(tr.square(y - target))


def conv_stride(normal: Drawn) -> tr.Tensor:
    """A two-dimensional convolution of stride 2 and a weighted sum of its outputs."""
    x = tr.tensor(normal(2, 3, 7, 6), name="x")
    w, b = tr.parameter(normal(4, 3, 3, 2), name="w"), tr.parameter(normal(4), name="b")
    G = tr.constant(normal(2, 4, 3, 3))
    z = tr.conv2d(x, w, b, stride=2)
    y = tr.sigmoid(z)
    return tr.sum(G * y)


NETWORKS: tuple[Callable[[Drawn], tr.Tensor], ...] = (
    batchnorm,
    batchnorm_staged,
    layernorm,
    softmax,
    rnn,
    rnn_from_step_0,
    lstm,
    lstm_gates,
    attention,
    attention_heads,
    conv,
    conv_stride,
)
"""The networks; the place in this table is the random seed."""


@cache
def traced(network: str, dtype: type = np.float64) -> tr.Trace:
    """The trace of the network of that name."""
    (seed,) = (k for k, record in enumerate(NETWORKS) if record.__name__ == network)
    return tr.trace(NETWORKS[seed](drawn(seed, dtype)))
