"""Right derivations that look different: other algebra, order and names, loops, einsum, LaTeX, arrays, float32.

None of them may be called wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from tests.tracer.checking.mutants.derivations import RIGHT
from tests.tracer.checking.mutants.networks import traced
from tracer.errors import DerivationError
from tracer.traces import Trace


class Variant(NamedTuple):
    """A right derivation: the row of the table, the network, how it looks, and what `tr.verify` is given."""

    family: str
    network: str
    name: str
    derivation: str | Mapping[str, Any]
    dtype: type = np.float64

    @property
    def trace(self) -> Trace:
        """The trace that judges it."""
        return traced(self.network, self.dtype)


TEXTS: dict[str, dict[str, str]] = {
    "batchnorm": {
        "compact": """\
m = x.shape[0]
std = np.sqrt(var + 1e-5)
dgamma = (dy * xhat).sum(0)
dbeta = dy.sum(0)
dx = gamma / (m * std) * (m * dy - dbeta - xhat * dgamma)
""",
        "projections": """\
g = dy * gamma
dx = (g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) / np.sqrt(var + 1e-5)
""",
        "the zero term left out": """\
dxhat = gamma * dy
dvar = -0.5 * ((x - mu) * dxhat).sum(0) / (var + 1e-5) / np.sqrt(var + 1e-5)
dmu = -dxhat.sum(0) / np.sqrt(var + 1e-5)
dx = dmu / len(x) + (x - mu) * dvar / len(x) * 2 + dxhat / np.sqrt(var + 1e-5)
""",
        "lecture notation": """\
m = 7
∂L/∂y = 2 * (y - target) / (m * 4)
∂L/∂xhat = ∂L/∂y * gamma
dL/dvar = sum(dL/dxhat * (x - mu), axis=0) * (-1/2) * (var + 1e-5)**(-3/2)
dL/dmu = sum(dL/dxhat * (-1 / sqrt(var + 1e-5)), axis=0) + dL/dvar * sum(-2 * (x - mu), axis=0) / m
dL/dx = dL/dxhat / sqrt(var + 1e-5) + dL/dvar * 2 * (x - mu) / m + dL/dmu / m
""",
        "einsum": """\
dxhat = np.einsum('bf,f->bf', dy, gamma)
dgamma = np.einsum('bf,bf->f', dy, xhat)
dbeta = np.einsum('bf->f', dy)
""",
        "products of matrices": """\
m = x.shape[0]
ones = np.ones((1, m))
dbeta = ones @ dy
dgamma = ones @ (dy * xhat)
dxhat = dy @ np.diag(gamma)
mean = np.ones((m, m)) / m
dx = (np.eye(m) - mean) @ (dxhat - xhat * (ones @ (dxhat * xhat) / m)) / np.sqrt(var + 1e-5)
""",
        "the mean moved into the centred values": """\
inv = (var + 1e-5)**-0.5
dxhat = dy * gamma
dvar = (dxhat * xc).sum(0) * -0.5 * inv**3
dxc = dxhat * inv + dvar * 2 * xc / len(x)
dmu = -dxc.sum(0)
dx = dxc - dxc.mean(0)
""",
        "kept axes and negative axes": """\
dbeta = dy.sum(axis=-2, keepdims=True)
dgamma = np.sum(dy * xhat, axis=(0,), keepdims=True)
""",
        "another decomposition of the variance": """\
second = (x**2).mean(0)
variance = second - mu**2
dxhat = dy * gamma
dvar = (dxhat * (x - mu)).sum(0) * -0.5 * (variance + 1e-5)**-1.5
dx = dxhat / np.sqrt(variance + 1e-5) + dvar * 2 * (x - mu) / 7 - dxhat.mean(0) / np.sqrt(variance + 1e-5)
""",
        "built up": """\
m = x.shape[0]
dxhat = dy * gamma
dx = dxhat / np.sqrt(var + 1e-5)
dvar = -0.5 * np.sum(dxhat * xc, axis=0) * (var + 1e-5)**-1.5
dx += 2 * dvar * xc / m
dmu = -np.sum(dx, axis=0)
dx += dmu / m
""",
        "sample by sample": """\
m = x.shape[0]
dgamma = np.zeros_like(gamma)
dbeta = np.zeros_like(beta)
for i in range(m):
    dgamma += dy[i] * xhat[i]
    dbeta += dy[i]
""",
        "feature by feature": """\
m, features = x.shape
std = np.sqrt(var + 1e-5)
dx = np.zeros_like(x)
for j in range(features):
    g = dy[:, j] * gamma[j]
    dx[:, j] = (g - np.sum(g) / m - xhat[:, j] * np.sum(g * xhat[:, j]) / m) / std[j]
""",
        "a function": """\
def backward(dy, x, gamma):
    m = x.shape[0]
    dxhat = dy * gamma
    dx = (dxhat - dxhat.mean(0) - xhat * (dxhat * xhat).mean(0)) / np.sqrt(var + 1e-5)
    dgamma = (dy * xhat).sum(0)
    return dx, dgamma
""",
        "LaTeX": r"""
\frac{\partial L}{\partial \hat{x}_i} = \frac{\partial L}{\partial y_i} \cdot \gamma \\
\frac{\partial L}{\partial \sigma^2} = \sum_{i=1}^m \frac{\partial L}{\partial \hat{x}_i} \cdot (x_i - \mu)
  \cdot \frac{-1}{2} (\sigma^2 + \epsilon)^{-3/2} \\
\frac{\partial L}{\partial \mu} = \sum_{i=1}^m \frac{\partial L}{\partial \hat{x}_i}
  \cdot \frac{-1}{\sqrt{\sigma^2 + \epsilon}} \\
\frac{\partial L}{\partial x_i} = \frac{\partial L}{\partial \hat{x}_i} \cdot \frac{1}{\sqrt{\sigma^2 + \epsilon}}
  + \frac{\partial L}{\partial \sigma^2} \cdot \frac{2(x_i - \mu)}{m}
  + \frac{\partial L}{\partial \mu} \cdot \frac{1}{m} \\
\frac{\partial L}{\partial \gamma} = \sum_{i=1}^m \frac{\partial L}{\partial y_i} \cdot \hat{x}_i \\
\frac{\partial L}{\partial \beta} = \sum_{i=1}^m \frac{\partial L}{\partial y_i}
""",
    },
    "batchnorm_staged": {
        "in fewer lines": """\
dxhat = 2 * (y - target) / y.size * gamma
dsqrtvar = -(dxhat * xmu).sum(0) / (var + 1e-5)
dvar = dsqrtvar / (2 * sqrtvar)
dxmu = dxhat / sqrtvar + xmu * (2 / len(x)) * dvar
dx = dxmu - dxmu.mean(axis=0)
""",
        "divisions in place of the reciprocal": """\
dgamma = (dy * xmu / sqrtvar).sum(axis=0)
divar = (dy * gamma * xmu).sum(axis=0)
dvar = -divar / 2 * ivar**3
dsq = np.broadcast_to(dvar / len(x), x.shape)
""",
    },
    "layernorm": {
        "token by token": """\
n = 6
rows, columns = x.shape
dx = np.zeros_like(x)
for r in range(rows):
    g = dy[r] * gamma
    dx[r] = rstd[r] / n * (n * g - np.sum(g) - xhat[r] * np.sum(g * xhat[r]))
""",
        "one formula": """\
n = x.shape[-1]
g = gamma * dy
dx = rstd / n * (n * g - g.sum(-1, keepdims=True) - xhat * (g * xhat).sum(-1, keepdims=True))
""",
        "transposed back and forth": """\
g = (dy * gamma).T
xt = xhat.T
dx = ((g - g.mean(0) - xt * (g * xt).mean(0)) * rstd.T).T
dgamma = np.einsum('tf,tf->f', dy, xhat)
dbeta = np.ones(4) @ dy
""",
        "sums reshaped": """\
dxhat = dy * gamma
drstd = (dxhat * xc).sum(1)[:, None]
dvar = (-rstd**3 / 2 * drstd).reshape(-1, 1)
dmu = -rstd * np.sum(dxhat, axis=1).reshape(4, 1)
dx = dxhat * rstd + 2 / 6 * dvar * xc + dmu / 6
""",
    },
    "softmax": {
        "LaTeX": r"""
\frac{\partial L}{\partial z} = \frac{1}{6} (p - Y)
\frac{\partial L}{\partial W_2} = h^T \frac{\partial L}{\partial z}
\frac{\partial L}{\partial h} = \frac{\partial L}{\partial z} W_2^\top
""",
        "the formula of the slide": """\
dz = (np.exp(z) / np.exp(z).sum(1, keepdims=True) - Y) / 6
dh = np.einsum('bk,jk->bj', dz, W2)
dW2 = np.einsum('bj,bk->jk', h, dz)
db2 = np.ones(6) @ dz
""",
        "the whole Jacobian": """\
dp = -Y / (p * 6)
J = np.einsum('bi,ij->bij', p, np.eye(4)) - np.einsum('bi,bj->bij', p, p)
dz = np.einsum('bij,bj->bi', J, dp)
""",
        "our own softmax": """\
m = len(x)
dz = (softmax(z, axis=1) - Y) / m
dh = dz @ W2.T
da = dh - dh * h * h
dW1 = (da.T @ x).T
""",
        "sample by sample": """\
m = x.shape[0]
dW1 = np.zeros_like(W1)
db1 = np.zeros_like(b1)
for k in range(m):
    delta2 = (p[k] - Y[k]) / m
    delta1 = (W2 @ delta2) * (1 - h[k]) * (1 + h[k])
    dW1 += np.outer(x[k], delta1)
    db1 += delta1
""",
        "via logarithms": """\
m = 6.0
dlogp = -Y / m
dz = dlogp - np.exp(logp) * dlogp.sum(axis=1, keepdims=True)
ds = Y.sum(1, keepdims=True) / s / m
de = dlogp / e + ds
""",
    },
    "rnn_from_step_0": {
        "first step apart": """\
T = 4
dWhh = np.zeros_like(Whh)
for t in range(T, 0, -1):
    dy = (y[t] - target[t]) * 2 / 3
    if t == T:
        dh = dy @ Why.T
    else:
        dh = dy @ Why.T + da @ Whh.T
    da = dh - dh * h[t]**2
    dWhh += np.einsum('bi,bj->ij', h[t-1], da)
""",
        "while": """\
t = 4
dhnext = 0
dWxh = 0 * Wxh
db = 0 * b
while t > 0:
    dh = 2 / 3 * (y[t] - target[t]) @ Why.T + dhnext
    da = dh * (1 - h[t]) * (1 + h[t])
    dWxh += x[t].T @ da
    db += np.ones(3) @ da
    dhnext = da @ Whh.T
    t -= 1
""",
        "forwards for the weights": """\
dWhy = np.zeros_like(Why)
dby = np.zeros_like(by)
for t in range(1, 5):
    dby += dy[t].sum(0)
    dWhy += (dy[t].T @ h[t]).T
""",
    },
    "rnn": {
        "stacked": """\
H = np.concatenate([h0, h#1, h#2, h#3])
A = np.concatenate([da#1, da#2, da#3, da#4])
dWhh = H.T @ A
dWxh = np.concatenate([x#1, x#2, x#3, x#4]).T @ A
db = A.sum(axis=0)
""",
        "tanh written out": """\
dh#4 = 2 / 3 * (y#4 - target#4) @ Why.T
da#4 = dh#4 / np.cosh(a#4)**2
dh#3 = 2 / 3 * (y#3 - target#3) @ Why.T + (Whh @ da#4.T).T
da#3 = (1 - np.tanh(a#3)**2) * dh#3
""",
        "one weight matrix for both": """\
both = np.concatenate([Wxh, Whh])
step = da#4 @ both.T
dh#3 = dy#3 @ Why.T + step[:, 6:]
dx#4 = step[:, :6]
""",
    },
    "lstm": {
        "LaTeX": r"""
\frac{\partial L}{\partial c} = C + \frac{\partial L}{\partial h} \odot o \odot (1 - \tanh^2(c)) \\
\frac{\partial L}{\partial f} = \frac{\partial L}{\partial c} \odot cprev \\
\frac{\partial L}{\partial i} = \frac{\partial L}{\partial c} \odot g
""",
        "written into slices": """\
n = 5
da = np.zeros_like(a)
da[:, 0*n:1*n] = dc * g * i * (1 - i)
da[:, 1*n:2*n] = dc * cprev * f * (1 - f)
da[:, 2*n:3*n] = dh * np.tanh(c) * o * (1 - o)
da[:, 3*n:4*n] = dc * i * (1 - g**2)
dWx = x.T @ da
""",
        "sums of squares": """\
dc = C + H * o / np.cosh(c)**2
di = g * dc
dg = i * dc
dWh = np.einsum('bi,bj->ij', hprev, da)
db = np.sum(da, 0)
dhprev = np.einsum('bj,ij->bi', da, Wh)
""",
        "in one line for each gate": """\
dai = dc * g * (i - i**2)
daf = dc * cprev * (f - f**2)
dao = H * np.tanh(c) * (o - o**2)
dag = dc * i - dc * i * g * g
da = np.concatenate((dai, daf, dao, dag), axis=-1)
""",
    },
    "lstm_gates": {
        "gates stacked": """\
W = np.concatenate([Wi, Wf, Wo, Wg], axis=1)
D = np.concatenate([dzi, dzf, dzo, dzg], axis=1)
dxh = D @ W.T
G = xh.T @ D
dWi = G[:, :4]
dWf = G[:, 4:8]
dWo = G[:, 8:12]
dWg = G[:, 12:]
""",
        "from the output": """\
dzo = (h - target) * tc * o * (1 - o)
dc = (h - target) * o * (1 - tc**2)
dcprev = f * dc
dzg = dc * i * (1 - g) * (1 + g)
dbg = dzg.sum(0)
""",
    },
    "attention": {
        "LaTeX": r"""
\frac{\partial L}{\partial v} = p^\top \frac{\partial L}{\partial o} \\
\frac{\partial L}{\partial p} = \frac{\partial L}{\partial o} v^\top \\
\frac{\partial L}{\partial q} = \frac{1}{\sqrt{3}} \frac{\partial L}{\partial s} k \\
\frac{\partial L}{\partial k} = \frac{1}{\sqrt{3}} \left(\frac{\partial L}{\partial s}\right)^\top q
""",
        "einsum": """\
dy = (y - target) / 4
dv = np.einsum('ij,id->jd', p, dy @ Wo.T)
dp = np.einsum('id,jd->ij', dy @ Wo.T, v)
ds = np.einsum('ij,ij->ij', p, dp) - p * np.einsum('ij,ij->i', p, dp)[:, None]
dq = 3**-0.5 * np.einsum('ij,jd->id', ds, k)
dk = 3**-0.5 * np.einsum('ij,id->jd', ds, q)
""",
        "the Jacobian of softmax row by row": """\
dp = do @ v.T
ds = np.zeros_like(p)
for i in range(4):
    J = np.diag(p[i]) - np.outer(p[i], p[i])
    ds[i] = J @ dp[i]
""",
        "scaled once": """\
scaled = ds / np.sqrt(q.shape[-1])
dq = scaled @ k
dk = (q.T @ scaled).T
dx = np.concatenate([dq, dk, dv], axis=1) @ np.concatenate([Wq, Wk, Wv], axis=1).T
""",
        "helper names": """\
grad_scores = p * (dp - (do * o).sum(axis=1, keepdims=True))
ds = grad_scores
dWq = x.T @ (grad_scores @ k) / 3**0.5
""",
    },
    "attention_heads": {
        "softmax at once": """\
dp = G @ np.swapaxes(v, 1, 2)
ds = p * (dp - (p * dp).sum(2, keepdims=True))
dq = ds @ k / 2
dk = np.swapaxes(ds, 1, 2) @ q / 2
dv = np.swapaxes(p, 1, 2) @ G
""",
        "head by head": """\
dv = np.zeros_like(v)
dp = np.zeros_like(p)
for head in range(2):
    dv[head] = p[head].T @ G[head]
    dp[head] = G[head] @ v[head].T
""",
        "the mask forgotten where p is zero anyway": """\
ds = p * (dp - np.sum(p * dp, axis=-1, keepdims=True)) * mask
dqk = 0.5 * ds
""",
    },
    "conv": {
        "a step function": """\
dz = np.where(z > 0, dr, 0)
db = dz.sum(2).sum(0)
""",
        "the mask from the output": """\
dr = np.broadcast_to(dpooled[:, :, None], r.shape) / r.shape[-1]
dz = dr * (r > 0)
db = np.einsum('bol->o', dz)
""",
        "as one product of matrices": """\
n = 6
columns = np.stack([x[:, :, 0:n], x[:, :, 1:n+1], x[:, :, 2:n+2]], axis=2)
dw = np.einsum('bol,bckl->ock', dz, columns)
""",
        "position by position": """\
dw = np.zeros_like(w)
dx = np.zeros_like(x)
db = np.zeros_like(b)
for l in range(6):
    dw += np.einsum('bo,bck->ock', dz[:, :, l], x[:, :, l:l+3])
    dx[:, :, l:l+3] += np.einsum('bo,ock->bck', dz[:, :, l], w)
    db += dz[:, :, l].sum(0)
""",
        "gather": """\
dx = np.zeros_like(x)
for i in range(8):
    for k in range(3):
        if 0 <= i - k:
            if i - k < 6:
                dx[:, :, i] += dz[:, :, i-k] @ w[:, :, k]
""",
    },
    "conv_stride": {
        "tap by tap": """\
dw = np.zeros_like(w)
dx = np.zeros_like(x)
for u in range(3):
    for v in range(2):
        dw[:, :, u, v] = np.einsum('boij,bcij->oc', dz, x[:, :, u:u+6:2, v:v+6:2])
        dx[:, :, u:u+6:2, v:v+6:2] += np.einsum('boij,oc->bcij', dz, w[:, :, u, v])
""",
        "loops as in a course": """\
stride = 2
N, F, H, W = z.shape
dx = np.zeros_like(x)
dw = np.zeros_like(w)
db = np.zeros_like(b)
for n in range(N):
    for f in range(F):
        db[f] += np.sum(dz[n, f])
        for i in range(H):
            for j in range(W):
                dw[f] += x[n, :, i*stride:i*stride+3, j*stride:j*stride+2] * dz[n, f, i, j]
                dx[n, :, i*stride:i*stride+3, j*stride:j*stride+2] += w[f] * dz[n, f, i, j]
""",
    },
}
"""The right derivations as text: by network, then by how they look."""

FAMILY = {right.network: right.family for right in RIGHT.values()}
ARRAYS = ("batchnorm", "layernorm", "softmax", "rnn", "lstm", "attention", "conv")
"""The networks whose gradients are given as arrays, too, and whose derivations are tried on a float32 trace."""


def gradients(network: str, dtype: type = np.float64) -> dict[str, Any]:
    """The recorded gradients of every parameter and input that bears a name."""
    trace = traced(network, dtype)
    return {
        trace.label(k): trace.gradient(k)
        for k in range(len(trace))
        if trace.op(k) is None and trace.names[k] and trace.gradient(k) is not None
    }


def variants() -> tuple[Variant, ...]:
    """All of them: as text, as arrays, and those that are broken elsewhere on float32 traces."""
    found = [
        Variant(FAMILY[network], network, name, text)
        for network, texts in TEXTS.items()
        for name, text in texts.items()
    ]
    for network in ARRAYS:
        found.append(Variant(FAMILY[network], network, "arrays", gradients(network)))
        low = gradients(network, np.float32)
        found.append(Variant(FAMILY[network], network, "float32 arrays", low, np.float32))
    found += [
        Variant(right.family, right.network, f"float32: {name}", right.text, np.float32)
        for name, right in RIGHT.items()
    ]
    found += [
        Variant(right.family, right.network, name, right.text) for name, right in RIGHT.items()
    ]
    return tuple(found)


def alarm(variant: Variant) -> str:
    """What is wrongly said against a right derivation; empty if it is found right."""
    try:
        report = tr.verify(variant.trace, variant.derivation)
    except DerivationError as error:
        return str(error)
    return "" if report.ok else str(report)


def alarms(tried: Iterable[Variant]) -> dict[str, list[bool]]:
    """Of every variant whether it was called wrong, by the row of the table."""
    raised: dict[str, list[bool]] = {}
    for variant in tried:
        raised.setdefault(variant.family, []).append(bool(alarm(variant)))
    return raised
