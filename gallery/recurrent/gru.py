"""A gated recurrent unit in small steps and as one fused layer: its update gate keeps state and gradient."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import TORCH, Entry
from gallery.knobs import Knob
from gallery.recurrent.carousel import FIRST, STEPS, TARGET, carousel, x_at
from tracer.plots import Plot

# Normal numbers (random seed 2014), scaled and rounded: two units, two inputs; the columns of a before those of x.
WR = [[-0.47, 0.91, 0.12, -0.24], [0.60, -0.84, 0.32, -0.09]]
WZ = [[0.48, 0.25, 0.48, 1.12], [-1.68, 1.69, 0.48, 1.27]]
WNA = [[0.96, -0.42], [0.97, -0.71]]
WNX = [[0.35, -0.46], [-0.07, 0.59]]
BR, BN = [-0.08, -0.07], [0.14, -0.35]


def gru(length: int = 3, update: float = 1.0) -> tr.Tensor:
    """r, z = σ(W [a⟨t−1⟩, x⟨t⟩] + b), n = tanh(wnx x⟨t⟩ + bn + r (wna a⟨t−1⟩)), a⟨t⟩ = (1 − z) n + z a⟨t−1⟩.

    The loss is the squared error of the last a. update: the bias of the update gate, of both units.
    """
    Wr, br = tr.parameter(WR), tr.parameter(BR)
    Wz, bz = tr.parameter(WZ), tr.parameter([update, update])
    wna, wnx, bn = tr.parameter(WNA), tr.parameter(WNX), tr.parameter(BN)
    a = tr.tensor(FIRST, name="a0")
    for t in range(1, length + 1):
        with tr.scope("gru", t=t):
            x = tr.constant(x_at(t))
            ax = tr.concatenate([a, x])
            with tr.scope("reset"):
                r = tr.sigmoid(Wr @ ax + br)
            with tr.scope("update"):
                z = tr.sigmoid(Wz @ ax + bz)
            with tr.scope("candidate"):
                offer = wna @ a
                given = wnx @ x + bn
                n = tr.tanh(given + r * offer)
            a = (1 - z) * n + z * a
    loss = tr.sum(tr.square(a - TARGET))
    return loss


def fused(length: int = 3, update: float = 1.0) -> tr.Tensor:
    """The same as one node: the gates' weights lie below each other, in the order r, z, n (torch.nn.GRU)."""
    w_hh = tr.parameter(np.concatenate([np.array(WR)[:, :2], np.array(WZ)[:, :2], WNA]))
    w_ih = tr.parameter(np.concatenate([np.array(WR)[:, 2:], np.array(WZ)[:, 2:], WNX]))
    b = tr.parameter([*BR, update, update, *BN])
    a0 = tr.tensor(FIRST)
    x = tr.constant([x_at(t) for t in range(1, length + 1)])
    a = tr.gru_layer(x, a0, w_ih, w_hh, b)
    last = a[-1]
    loss = tr.sum(tr.square(last - TARGET))
    return loss


def reach(length: int = 3, update: float = 1.0) -> tuple[Plot, ...]:
    """dL/da⟨t⟩ over thirty steps for several biases of the update gate, beside the network without gates."""
    gated = {f"update bias {b:g}": gru(STEPS, b) for b in sorted({0.0, 2.0, 5.0, update})}
    note = "dL/da<t> = z<t+1> dL/da<t+1> + ...: where z is nearly 1, the state is kept, and so is its gradient."
    return (carousel(gated, "a", np.concatenate([WNA, WNX], axis=1), BN, note),)


SOURCE = (
    "Cho et al. (2014), in PyTorch's form and "
    "the notation of Farrahi & Hare, BatchNorm and RNNs (Southampton 2019)"
)

DERIVATION = """\
# From the last step to the first; at_r is what the sum before the reset gate receives, and so on.
T = len(x)
dL/dWr  = zeros_like(Wr)
dL/dWz  = zeros_like(Wz)
dL/dwna = zeros_like(wna)
dL/dwnx = zeros_like(wnx)
dL/dbr  = zeros_like(br)
dL/dbz  = zeros_like(bz)
dL/dbn  = zeros_like(bn)
dL/da[T] = 2 * (a[T] - TARGET)
for t in reversed(range(1, T + 1)):
    dL/dz[t] = dL/da[t] * (a[t-1] - n[t])
    dL/dn[t] = dL/da[t] * (1 - z[t])
    dL/dgiven[t] = dL/dn[t] * (1 - n[t]**2)
    dL/dr[t] = dL/dgiven[t] * offer[t]
    dL/doffer[t] = dL/dgiven[t] * r[t]
    at_r = dL/dr[t] * r[t] * (1 - r[t])
    at_z = dL/dz[t] * z[t] * (1 - z[t])
    dL/dWr  += outer(at_r, ax[t])
    dL/dWz  += outer(at_z, ax[t])
    dL/dwna += outer(dL/doffer[t], a[t-1])
    dL/dwnx += outer(dL/dgiven[t], x[t])
    dL/dbr  += at_r
    dL/dbz  += at_z
    dL/dbn  += dL/dgiven[t]
    dL/dax[t] = Wr.T @ at_r + Wz.T @ at_z
    # Four ways back: straight, times z; through what r lets by; and through both gates.
    dL/da[t-1] = dL/da[t] * z[t] + wna.T @ dL/doffer[t] + dL/dax[t][:2]
"""

DERIVATION_OF_FUSED = """\
# All gates of all steps at once, from the states that were recorded; then backwards, gates in the order r, z, n.
H = 2
before = vstack([a0, a[:-1]])
given  = x @ w_ih.T + b
offer  = before @ w_hh.T
r = 1 / (1 + exp(-(given + offer)[:, :H]))
z = 1 / (1 + exp(-(given + offer)[:, H:2*H]))
n = tanh(given[:, 2*H:] + r * offer[:, 2*H:])
dL/dlast = 2 * (last - TARGET)
dL/dw_ih = zeros_like(w_ih)
dL/dw_hh = zeros_like(w_hh)
dL/db    = zeros_like(b)
back = dL/dlast
for t in reversed(range(len(x))):
    at_n = back * (1 - z[t]) * (1 - n[t]**2)
    at_r = at_n * offer[t, 2*H:] * r[t] * (1 - r[t])
    at_z = back * (before[t] - n[t]) * z[t] * (1 - z[t])
    for_x = concatenate([at_r, at_z, at_n])
    for_a = concatenate([at_r, at_z, at_n * r[t]])
    dL/dw_ih += outer(for_x, x[t])
    dL/dw_hh += outer(for_a, before[t])
    dL/db    += for_x
    back = back * z[t] + w_hh.T @ for_a
dL/da0 = back
"""

KNOBS = (
    Knob("length", 3, "time steps", low=2, high=100),
    Knob("update", 1.0, "bias of the update gate: 5 keeps nearly all", low=-10.0, high=10.0),
)

GRU = Entry(
    name="gru",
    build=gru,
    caption="a gated recurrent unit: four ways back from a<t> to a<t-1>, the straight one times the update gate",
    source=SOURCE,
    origin=TORCH,
    values={
        "a#1": "0.3128 -0.2395",
        "a#2": "0.2433 -0.0663",
        "a#3": "0.2668 -0.0954",
        "loss": "0.1219",
    },
    gradients={
        "br": "-0.0176 0.0093",
        "bz": "0.0182 -0.0091",
        "bn": "-0.2519 0.1119",
        "wna": "-0.0263 0.0125 0.0163 -0.0077",
        "wnx": "-0.0965 -0.0404 0.0351 0.0269",
        "a0": "-0.3499 0.0511",
    },
    derivation=DERIVATION,
    note="numbers of PyTorch 2.13 for the weights in gallery/recurrent/gru.py, which has one bias for each gate",
    knobs=KNOBS,
    orders=("break a#2", "continue", "continue", "select a#2"),
    plots=reach,
)

FUSED = Entry(
    name="gru:fused",
    build=fused,
    caption="the same as one fused layer over all time steps, which opens into its parts",
    source=SOURCE,
    origin=TORCH,
    values={"last": "0.2668 -0.0954", "loss": "0.1219"},
    gradients={
        "b": "-0.0176 0.0093 0.0182 -0.0091 -0.2519 0.1119",
        "a0": "-0.3499 0.0511",
    },
    derivation=DERIVATION_OF_FUSED,
    note="numbers of PyTorch 2.13 for the weights in gallery/recurrent/gru.py, which has one bias for each gate",
    knobs=KNOBS,
    orders=("break op:gru_layer", "continue"),
    plots=reach,
)
