"""Networks whose gradients slides derive, and the derivations as the slides print them."""

# ruff: noqa: N806  # letters as on the slides
from __future__ import annotations

import numpy as np

import tracer as tr


def batch_norm(batch: int = 8) -> tr.Trace:
    """A batch with 5 features in small primitives, and a squared error."""
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(batch, 5)) * 2 + 1, name="x")
    gamma = tr.parameter(rng.normal(size=5), name="gamma")
    beta = tr.parameter(rng.normal(size=5), name="beta")
    mu = x.mean(0)
    xc = x - mu
    var = (xc**2).mean(0)
    xhat = xc / tr.sqrt(var + 1e-5)
    y = gamma * xhat + beta
    loss = ((y - rng.normal(size=(batch, 5))) ** 2).mean()
    return tr.trace(loss)


def layer_norm() -> tr.Trace:
    """Five tokens of 4 features, normalised one by one."""
    rng = np.random.default_rng(1)
    x = tr.tensor(rng.normal(size=(5, 4)), name="x")
    gamma = tr.parameter(rng.normal(size=4), name="gamma")
    beta = tr.parameter(rng.normal(size=4), name="beta")
    mu = x.mean(1, keepdims=True)
    xc = x - mu
    var = (xc**2).mean(1, keepdims=True)
    xhat = xc / tr.sqrt(var + 1e-5)
    y = gamma * xhat + beta
    return tr.trace(tr.sum((y - rng.normal(size=(5, 4))) ** 2))


def classifier() -> tr.Trace:
    """Softmax and cross-entropy in small primitives, a batch of 6, 4 features, 3 classes."""
    rng = np.random.default_rng(2)
    x = tr.tensor(rng.normal(size=(6, 4)), name="x")
    W = tr.parameter(rng.normal(size=(4, 3)), name="W")
    b = tr.parameter(rng.normal(size=3), name="b")
    y = tr.constant(np.eye(3)[rng.integers(0, 3, 6)], name="y")
    z = x @ W + b
    e = tr.exp(z)
    yhat = e / tr.sum(e, axis=1, keepdims=True)
    return tr.trace(-tr.sum(y * tr.log(yhat)) / 6)


def two_layers() -> tr.Trace:
    """A network of two layers on one vector, and a squared error."""
    rng = np.random.default_rng(3)
    x = tr.tensor(rng.normal(size=4), name="x")
    W1, b1 = (
        tr.parameter(rng.normal(size=(3, 4)), name="W1"),
        tr.parameter(rng.normal(size=3), name="b1"),
    )
    W2, b2 = (
        tr.parameter(rng.normal(size=(2, 3)), name="W2"),
        tr.parameter(rng.normal(size=2), name="b2"),
    )
    y = tr.constant([1.0, 0.0], name="y")
    z1 = W1 @ x + b1
    a1 = tr.sigmoid(z1)
    z2 = W2 @ a1 + b2
    a2 = tr.sigmoid(z2)
    return tr.trace(tr.sum((a2 - y) ** 2) / 2)


def attention() -> tr.Trace:
    """Five queries, six keys of 4 features, values of 3."""
    rng = np.random.default_rng(4)
    Q = tr.tensor(rng.normal(size=(5, 4)), name="Q")
    K = tr.tensor(rng.normal(size=(6, 4)), name="K")
    V = tr.tensor(rng.normal(size=(6, 3)), name="V")
    S = Q @ K.T / 2.0
    P = tr.softmax(S)
    O = P @ V  # noqa: E741  # the letter of the paper
    return tr.trace(tr.sum(O**2))


def recurrent(first: int = 1, steps: int = 5) -> tr.Trace:
    """h_t = tanh(W_xh x_t + W_hh h_(t-1) + b_h), some steps counted from a number, and the square of the last h."""
    rng = np.random.default_rng(5)
    W_xh = tr.parameter(rng.normal(size=(3, 2)), name="W_xh")
    W_hh = tr.parameter(rng.normal(size=(3, 3)), name="W_hh")
    b_h = tr.parameter(rng.normal(size=3), name="b_h")
    h = tr.tensor(np.full(3, 0.1), name="h0")
    for t in range(first, first + steps):
        with tr.scope("rnn", t=t):
            x = tr.constant(rng.normal(size=2))
            z = W_xh @ x + W_hh @ h + b_h
            h = tr.tanh(z)
    return tr.trace(tr.sum(h**2) / 2)


SIX_LINES = r"""
\begin{align*}
\frac{\partial\ell}{\partial\widehat{x}_i} &= \frac{\partial\ell}{\partial y_i}\cdot\gamma \\
\frac{\partial\ell}{\partial\sigma_{\mathcal{B}}^2} &= \sum_{i=1}^m \frac{\partial\ell}{\partial\widehat{x}_i}
    \cdot(x_i-\mu_{\mathcal{B}})\cdot\frac{-1}{2}(\sigma_{\mathcal{B}}^2+\epsilon)^{-3/2} \\
\frac{\partial\ell}{\partial\mu_{\mathcal{B}}} &= \left(\sum_{i=1}^m \frac{\partial\ell}{\partial\widehat{x}_i}
    \cdot\frac{-1}{\sqrt{\sigma_{\mathcal{B}}^2+\epsilon}}\right) + \frac{\partial\ell}{\partial\sigma_{\mathcal{B}}^2}
    \cdot\frac{\sum_{i=1}^m -2(x_i-\mu_{\mathcal{B}})}{m} \\
\frac{\partial\ell}{\partial x_i} &= \frac{\partial\ell}{\partial\widehat{x}_i}
    \cdot\frac{1}{\sqrt{\sigma_{\mathcal{B}}^2+\epsilon}} + \frac{\partial\ell}{\partial\sigma_{\mathcal{B}}^2}
    \cdot\frac{2(x_i-\mu_{\mathcal{B}})}{m} + \frac{\partial\ell}{\partial\mu_{\mathcal{B}}}\cdot\frac{1}{m} \\
\frac{\partial\ell}{\partial\gamma} &= \sum_{i=1}^m\frac{\partial\ell}{\partial y_i}\cdot\widehat{x}_i \\
\frac{\partial\ell}{\partial\beta} &= \sum_{i=1}^m\frac{\partial\ell}{\partial y_i}
\end{align*}
"""
"""Ioffe & Szegedy 2015, section 3, as printed."""

PASTED = """\
∂L/∂x̂ᵢ = ∂L/∂yᵢ · γ
∂L/∂σ² = Σᵢ ∂L/∂x̂ᵢ (xᵢ − μ) · (−½)(σ² + ε)^(−3/2)
∂L/∂μ  = −Σᵢ ∂L/∂x̂ᵢ / √(σ² + ε)
∂L/∂xᵢ = ∂L/∂x̂ᵢ / √(σ² + ε) + ∂L/∂σ² · 2(xᵢ − μ)/m + 1/m · ∂L/∂μ
∂L/∂γ  = Σᵢ ∂L/∂yᵢ x̂ᵢ
∂L/∂β  = Σᵢ ∂L/∂yᵢ
"""
"""The same as it is pasted from a slide."""

LAYER_NORM = r"""
\[ \frac{\partial L}{\partial \hat x_i} = \gamma_i \frac{\partial L}{\partial y_i} \]
\[ \frac{\partial L}{\partial x_i} = \frac{1}{\sqrt{\sigma^2 + \epsilon}} \left( \frac{\partial L}{\partial \hat x_i}
   - \frac{1}{D} \sum_{j=1}^{D} \frac{\partial L}{\partial \hat x_j}
   - \frac{\hat x_i}{D} \sum_{j=1}^{D} \frac{\partial L}{\partial \hat x_j} \hat x_j \right) \]
\[ \frac{\partial L}{\partial \gamma_i} = \sum_{n=1}^{N} \frac{\partial L}{\partial y_{ni}} \hat x_{ni} \]
"""

CROSS_ENTROPY = r"""
$$\frac{\partial L}{\partial z_{nk}} = \sum_j \frac{\partial L}{\partial \hat y_{nj}} \hat y_{nj}
  (\delta_{jk} - \hat y_{nk}) = \frac{1}{N} (\hat y_{nk} - y_{nk})$$
$$\nabla_z L = \frac{\hat y - y}{N}$$
$$\frac{\partial L}{\partial W_{ij}} = \sum_{n=1}^{N} \frac{\partial L}{\partial z_{nj}} x_{ni}$$
$$\nabla_W L = x^\top \frac{\partial L}{\partial z}, \qquad \nabla_b L = \mathbf 1^\top \frac{\partial L}{\partial z}$$
$$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial z} W^{\mathsf T}$$
"""

TWO_LAYERS = r"""
\begin{align}
\delta^{(2)} &= \frac{\partial L}{\partial z^{(2)}} = (a^{(2)} - y) \odot \sigma'(z^{(2)}) \\
\frac{\partial L}{\partial W^{(2)}} &= \delta^{(2)} a^{(1)\top}, \qquad
  \frac{\partial L}{\partial b^{(2)}} = \delta^{(2)} \\
\delta^{(1)} &= W^{(2)\top} \delta^{(2)} \odot a^{(1)} \odot (1 - a^{(1)}) \\
\nabla_{W^{[1]}} L &= \delta^{[1]} x^T \\
\frac{\partial L}{\partial W^{(1)}_{ij}} &= \delta^{(1)}_i x_j
\end{align}
"""

EVERY_LAYER = r"""
\[ \delta^{(L)} = (a^{(L)} - y) \odot \sigma'(z^{(L)}) \]
\[ \delta^{(l)} = (W^{(l+1)})^\top \delta^{(l+1)} \odot \sigma'(z^{(l)}) \]
"""

ATTENTION = r"""
\begin{align*}
dV &= P^\top dO \\
dP &= dO V^\top \\
dS_{ij} &= P_{ij} \Bigl( dP_{ij} - \sum_k P_{ik} dP_{ik} \Bigr) \\
dQ &= \frac{dS K}{\sqrt{d}}, \quad d = 4 \\
dK &= \frac{1}{\sqrt d} dS^\top Q
\end{align*}
"""

THROUGH_TIME = r"""
\begin{align*}
\frac{\partial L}{\partial h_T} &= h_T \\
\frac{\partial L}{\partial h_{t-1}} &= W_{hh}^\top \delta_t \\
\frac{\partial L}{\partial W_{hh}} &= \sum_{t=1}^T \delta_t h_{t-1}^\top \\
\frac{\partial L}{\partial W_{xh}} &= \sum_t \delta_t x_t^\top \\
\frac{\partial L}{\partial b_h} &= \sum_t \delta_t
\end{align*}
where $\delta_t = \frac{\partial L}{\partial z_t} = \frac{\partial L}{\partial h_t} \odot (1 - h_t^2)$ for all $t$.
"""
