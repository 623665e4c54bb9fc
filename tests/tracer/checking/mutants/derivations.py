"""The right derivations, as a student or lecturer would write them: those that are broken to make mutants."""

from __future__ import annotations

from typing import NamedTuple


class Derivation(NamedTuple):
    """A right derivation: the row of the table it counts for, the network, its lines."""

    family: str
    network: str
    text: str


SIX_LINES = """\
m = x.shape[0]
eps = 1e-5
dy = 2 * (y - target) / y.size
dxhat = dy * gamma
dvar = np.sum(dxhat * (x - mu), axis=0) * (-1/2) * (var + eps)**(-3/2)
dmu = np.sum(dxhat * (-1 / np.sqrt(var + eps)), axis=0) + dvar * np.sum(-2 * (x - mu), axis=0) / m
dx = dxhat / np.sqrt(var + eps) + dvar * 2 * (x - mu) / m + dmu / m
dgamma = np.sum(dy * xhat, axis=0)
dbeta = np.sum(dy, axis=0)
"""

STAGED = """\
N = x.shape[0]
eps = 1e-5
dy = 2 * (y - target) / y.size
dbeta = np.sum(dy, axis=0)
dgammax = dy
dgamma = np.sum(dgammax * xhat, axis=0)
dxhat = dgammax * gamma
divar = np.sum(dxhat * xmu, axis=0)
dxmu1 = dxhat * ivar
dsqrtvar = -1 / sqrtvar**2 * divar
dvar = 0.5 / np.sqrt(var + eps) * dsqrtvar
dsq = np.ones_like(x) / N * dvar
dxmu2 = 2 * xmu * dsq
dxmu = dxmu1 + dxmu2
dmu = -np.sum(dxmu, axis=0)
dx2 = np.ones_like(x) / N * dmu
dx = dxmu + dx2
"""

LAYERNORM = """\
n = x.shape[1]
eps = 1e-5
dy = 2 * (y - target) / y.size
dgamma = (dy * xhat).sum(axis=0)
dbeta = dy.sum(axis=0)
dxhat = dy * gamma
drstd = (dxhat * xc).sum(axis=1, keepdims=True)
dvar = drstd * -0.5 * (var + eps)**-1.5
dxc = dxhat * rstd + dvar * 2 * xc / n
dmu = -dxc.sum(axis=1, keepdims=True)
dx = dxc + dmu / n
"""

LAYERNORM_COMPACT = """\
dy = 2 * (y - target) / y.size
g = dy * gamma
mean_g = g.mean(axis=1, keepdims=True)
mean_gx = (g * xhat).mean(axis=1, keepdims=True)
dx = (g - mean_g - xhat * mean_gx) / np.sqrt(var + 1e-5)
"""

SOFTMAX = """\
m = x.shape[0]
dz = (p - Y) / m
dW2 = h.T @ dz
db2 = dz.sum(axis=0)
dh = dz @ W2.T
da = dh * (1 - h**2)
dW1 = x.T @ da
db1 = da.sum(axis=0)
dx = da @ W1.T
"""

SOFTMAX_STEPS = """\
m = x.shape[0]
dlogp = -Y / m
dp = dlogp / p
ds = -np.sum(dp * e / s**2, axis=1, keepdims=True)
de = dp / s + ds
dz = de * e
dW2 = h.T @ dz
db2 = dz.sum(axis=0)
"""

SOFTMAX_JACOBIAN = """\
m = x.shape[0]
dp = -Y / p / m
dz = p * (dp - np.sum(dp * p, axis=1, keepdims=True))
dW2 = h.T @ dz
"""

THROUGH_TIME = """\
T = 4
n = 3
dWxh = np.zeros_like(Wxh)
dWhh = np.zeros_like(Whh)
dWhy = np.zeros_like(Why)
db = np.zeros_like(b)
dby = np.zeros_like(by)
dhnext = np.zeros_like(h[0])
for t in reversed(range(1, T + 1)):
    dy = 2 * (y[t] - target[t]) / n
    dWhy += h[t].T @ dy
    dby += dy.sum(axis=0)
    dh = dy @ Why.T + dhnext
    da = dh * (1 - h[t]**2)
    db += da.sum(axis=0)
    dWxh += x[t].T @ da
    dWhh += h[t-1].T @ da
    dhnext = da @ Whh.T
"""

THROUGH_TIME_INDEXED = """\
T, n = 4, 3
for t in reversed(range(1, T + 1)):
    dy[t] = 2 * (y[t] - target[t]) / n
    dh[t] = dy[t] @ Why.T
    if t < T:
        dh[t] += da[t+1] @ Whh.T
    da[t] = (1 - h[t]**2) * dh[t]
dWhy = np.zeros_like(Why)
dWxh = np.zeros_like(Wxh)
dWhh = np.zeros_like(Whh)
for t in range(1, T + 1):
    dWhy += h[t].T @ dy[t]
    dWxh += x[t].T @ da[t]
    dWhh += h[t-1].T @ da[t]
"""

UNROLLED = """\
n = 3
dy#4 = 2 * (y#4 - target#4) / n
dh#4 = dy#4 @ Why.T
da#4 = dh#4 * (1 - h#4**2)
dy#3 = 2 * (y#3 - target#3) / n
dh#3 = dy#3 @ Why.T + da#4 @ Whh.T
da#3 = dh#3 * (1 - h#3**2)
dy#2 = 2 * (y#2 - target#2) / n
dh#2 = dy#2 @ Why.T + da#3 @ Whh.T
da#2 = dh#2 * (1 - h#2**2)
dy#1 = 2 * (y#1 - target#1) / n
dh#1 = dy#1 @ Why.T + da#2 @ Whh.T
da#1 = dh#1 * (1 - h#1**2)
dWhy = h#1.T @ dy#1 + h#2.T @ dy#2 + h#3.T @ dy#3 + h#4.T @ dy#4
dby = (dy#1 + dy#2 + dy#3 + dy#4).sum(axis=0)
dWxh = x#1.T @ da#1 + x#2.T @ da#2 + x#3.T @ da#3 + x#4.T @ da#4
dWhh = h0.T @ da#1 + h#1.T @ da#2 + h#2.T @ da#3 + h#3.T @ da#4
db = (da#1 + da#2 + da#3 + da#4).sum(axis=0)
dh0 = da#1 @ Whh.T
"""

LSTM = """\
dh = H
do = dh * np.tanh(c)
dc = C + dh * o * (1 - np.tanh(c)**2)
df = dc * cprev
dcprev = dc * f
di = dc * g
dg = dc * i
dai = di * i * (1 - i)
daf = df * f * (1 - f)
dao = do * o * (1 - o)
dag = dg * (1 - g**2)
da = np.concatenate([dai, daf, dao, dag], axis=1)
dWx = x.T @ da
dWh = hprev.T @ da
db = da.sum(axis=0)
dx = da @ Wx.T
dhprev = da @ Wh.T
"""

LSTM_GATES = """\
n = hprev.shape[1]
dh = h - target
do = dh * tc
dtc = dh * o
dc = dtc * (1 - tc**2)
df = dc * cprev
dcprev = dc * f
di = dc * g
dg = dc * i
dzi = di * i * (1 - i)
dzf = df * f * (1 - f)
dzo = do * o * (1 - o)
dzg = dg * (1 - g**2)
dWi = xh.T @ dzi
dWf = xh.T @ dzf
dWo = xh.T @ dzo
dWg = xh.T @ dzg
dbi = dzi.sum(axis=0)
dbf = dzf.sum(axis=0)
dxh = dzi @ Wi.T + dzf @ Wf.T + dzo @ Wo.T + dzg @ Wg.T
dhprev = dxh[:, :n]
dx = dxh[:, n:]
"""

ATTENTION = """\
d = q.shape[1]
dy = 2 * (y - target) / y.size
dWo = o.T @ dy
do = dy @ Wo.T
dv = p.T @ do
dp = do @ v.T
ds = p * (dp - np.sum(dp * p, axis=1, keepdims=True))
dq = ds @ k / np.sqrt(d)
dk = ds.T @ q / np.sqrt(d)
dWq = x.T @ dq
dWk = x.T @ dk
dWv = x.T @ dv
dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
"""

ATTENTION_HEADS = """\
d = q.shape[-1]
do = G
dv = np.einsum('hij,hie->hje', p, do)
dp = np.einsum('hie,hje->hij', do, v)
dZ = -(dp * e / Z**2).sum(axis=2, keepdims=True)
de = dp / Z + dZ
ds = de * e * mask
dqk = ds / np.sqrt(d)
dq = np.einsum('hij,hjd->hid', dqk, k)
dk = np.einsum('hij,hid->hjd', dqk, q)
"""

CONV = """\
n = z.shape[2]
dy = 2 * (y - target) / y.size
dV = pooled.T @ dy
dc = dy.sum(axis=0)
dpooled = dy @ V.T
dr = dpooled[:, :, None] * np.ones_like(r) / n
dz = dr * (z > 0)
db = dz.sum(axis=(0, 2))
dw0 = np.einsum('bol,bcl->oc', dz, x[:, :, 0:n])
dw1 = np.einsum('bol,bcl->oc', dz, x[:, :, 1:n+1])
dw2 = np.einsum('bol,bcl->oc', dz, x[:, :, 2:n+2])
dw = np.stack([dw0, dw1, dw2], axis=2)
edge = np.zeros((2, 4, 2))
wide = np.concatenate([edge, dz, edge], axis=2)
dx0 = np.einsum('bol,oc->bcl', wide[:, :, 2:], w[:, :, 0])
dx1 = np.einsum('bol,oc->bcl', wide[:, :, 1:-1], w[:, :, 1])
dx2 = np.einsum('bol,oc->bcl', wide[:, :, :-2], w[:, :, 2])
dx = dx0 + dx1 + dx2
"""

CONV_LOOP = """\
n = z.shape[2]
dy = 2 * (y - target) / y.size
dpooled = dy @ V.T
dr = np.ones_like(r) * dpooled[:, :, None] / n
dz = dr * (z > 0)
db = dz.sum(axis=(0, 2))
dw = np.zeros_like(w)
dx = np.zeros_like(x)
for k in range(3):
    dw[:, :, k] = np.einsum('bol,bcl->oc', dz, x[:, :, k:k+n])
    dx[:, :, k:k+n] += np.einsum('bol,oc->bcl', dz, w[:, :, k])
"""

CONV_STRIDE = """\
stride = 2
dy = G
dz = dy * y * (1 - y)
db = dz.sum(axis=(0, 2, 3))
dw = np.zeros_like(w)
dx = np.zeros_like(x)
for i in range(z.shape[2]):
    for j in range(z.shape[3]):
        r, c = i * stride, j * stride
        window = x[:, :, r:r+3, c:c+2]
        dw += np.einsum('bo,bcuv->ocuv', dz[:, :, i, j], window)
        dx[:, :, r:r+3, c:c+2] += np.einsum('bo,ocuv->bcuv', dz[:, :, i, j], w)
"""

SIX_LINES_IN_LATEX = r"""\frac{\partial L}{\partial \hat{x}_i} = \frac{\partial L}{\partial y_i} \cdot \gamma
\frac{\partial L}{\partial \sigma^2} = \sum_i \frac{\partial L}{\partial \hat{x}_i} (x_i - \mu) \cdot \frac{-1}{2} (\sigma^2 + \epsilon)^{-3/2}
\frac{\partial L}{\partial \mu} = \sum_i \frac{\partial L}{\partial \hat{x}_i} \cdot \frac{-1}{\sqrt{\sigma^2 + \epsilon}}
\frac{\partial L}{\partial x_i} = \frac{\partial L}{\partial \hat{x}_i} \frac{1}{\sqrt{\sigma^2 + \epsilon}} + \frac{\partial L}{\partial \sigma^2} \frac{2(x_i - \mu)}{m} + \frac{\partial L}{\partial \mu} \frac{1}{m}
\frac{\partial L}{\partial \gamma} = \sum_i \frac{\partial L}{\partial y_i} \cdot \hat{x}_i
\frac{\partial L}{\partial \beta} = \sum_i \frac{\partial L}{\partial y_i}
"""  # noqa: E501  (a line is a line, for the mutants name it)

BATCHNORM, LAYER_NORM, CROSS_ENTROPY = "BatchNorm", "LayerNorm", "softmax cross-entropy"
RECURRENT, LONG_SHORT = "BPTT of the vanilla RNN", "LSTM cell"

RIGHT = {
    "batchnorm": Derivation(BATCHNORM, "batchnorm", SIX_LINES),
    "batchnorm staged": Derivation(BATCHNORM, "batchnorm_staged", STAGED),
    "batchnorm latex": Derivation(BATCHNORM, "batchnorm", SIX_LINES_IN_LATEX),
    "layernorm": Derivation(LAYER_NORM, "layernorm", LAYERNORM),
    "layernorm compact": Derivation(LAYER_NORM, "layernorm", LAYERNORM_COMPACT),
    "softmax": Derivation(CROSS_ENTROPY, "softmax", SOFTMAX),
    "softmax steps": Derivation(CROSS_ENTROPY, "softmax", SOFTMAX_STEPS),
    "softmax jacobian": Derivation(CROSS_ENTROPY, "softmax", SOFTMAX_JACOBIAN),
    "rnn": Derivation(RECURRENT, "rnn_from_step_0", THROUGH_TIME),
    "rnn indexed": Derivation(RECURRENT, "rnn_from_step_0", THROUGH_TIME_INDEXED),
    "rnn unrolled": Derivation(RECURRENT, "rnn", UNROLLED),
    "lstm": Derivation(LONG_SHORT, "lstm", LSTM),
    "lstm gates": Derivation(LONG_SHORT, "lstm_gates", LSTM_GATES),
    "attention": Derivation("attention", "attention", ATTENTION),
    "attention heads": Derivation("attention", "attention_heads", ATTENTION_HEADS),
    "conv": Derivation("conv", "conv", CONV),
    "conv loop": Derivation("conv", "conv", CONV_LOOP),
    "conv stride": Derivation("conv", "conv_stride", CONV_STRIDE),
}
"""The right derivations by name."""
FAMILIES = tuple(dict.fromkeys(one.family for one in RIGHT.values()))
"""The rows of the table."""
