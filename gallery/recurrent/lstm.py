"""A long short-term memory in small steps and as one fused layer: its cell passes the gradient on."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import TORCH, Entry
from gallery.knobs import Knob
from gallery.recurrent.carousel import FIRST, STEPS, TARGET, carousel, x_at
from tracer.plots import Plot

# Normal numbers (random seed 1997), scaled and rounded: two units, two inputs; the columns of a before those of x.
WF = [[0.55, -0.11, -0.06, 0.28], [0.99, 0.52, -0.27, 0.69]]
WI = [[-0.45, 0.17, -0.99, 1.10], [1.91, 0.32, -0.12, 1.10]]
WG = [[0.03, 0.47, -0.43, 0.83], [0.82, 0.28, -0.23, 1.21]]
WO = [[-0.76, -0.21, -0.13, -1.21], [0.00, 0.19, 0.59, 0.44]]
BI, BG, BO = [-0.12, -0.30], [0.14, -0.45], [0.0, -0.40]
FIRST_CELL = [0.5, -0.3]


def lstm(length: int = 3, forget: float = 1.0) -> tr.Tensor:
    """f, i, o = σ(W [a⟨t−1⟩, x⟨t⟩] + b), g = tanh(W …), c⟨t⟩ = f c⟨t−1⟩ + i g, a⟨t⟩ = o tanh(c⟨t⟩).

    The loss is the squared error of the last a. forget: the bias of the forget gate, of both units.
    """
    Wf, bf = tr.parameter(WF), tr.parameter([forget, forget])
    Wi, bi = tr.parameter(WI), tr.parameter(BI)
    Wg, bg = tr.parameter(WG), tr.parameter(BG)
    Wo, bo = tr.parameter(WO), tr.parameter(BO)
    a, c = tr.tensor(FIRST, name="a0"), tr.tensor(FIRST_CELL, name="c0")
    for t in range(1, length + 1):
        with tr.scope("lstm", t=t):
            x = tr.constant(x_at(t))
            ax = tr.concatenate([a, x])
            with tr.scope("forget"):
                f = tr.sigmoid(Wf @ ax + bf)
            with tr.scope("input"):
                i = tr.sigmoid(Wi @ ax + bi)
            with tr.scope("candidate"):
                g = tr.tanh(Wg @ ax + bg)
            with tr.scope("output"):
                o = tr.sigmoid(Wo @ ax + bo)
            c = f * c + i * g
            a = o * tr.tanh(c)
    loss = tr.sum(tr.square(a - TARGET))
    return loss


def fused(length: int = 3, forget: float = 1.0) -> tr.Tensor:
    """The same as one node: the gates' weights lie below each other, in the order i, f, g, o (torch.nn.LSTM)."""
    gates = np.concatenate([WI, WF, WG, WO])
    w_hh, w_ih = tr.parameter(gates[:, :2]), tr.parameter(gates[:, 2:])
    b = tr.parameter([*BI, forget, forget, *BG, *BO])
    a0, c0 = tr.tensor(FIRST), tr.tensor(FIRST_CELL)
    x = tr.constant([x_at(t) for t in range(1, length + 1)])
    a, _ = tr.lstm_layer(x, a0, c0, w_ih, w_hh, b)
    last = a[-1]
    loss = tr.sum(tr.square(last - TARGET))
    return loss


def reach(length: int = 3, forget: float = 1.0) -> tuple[Plot, ...]:
    """dL/dc⟨t⟩ over thirty steps for several biases of the forget gate, beside the network without gates."""
    gated = {f"forget bias {b:g}": lstm(STEPS, b) for b in sorted({0.0, 2.0, 5.0, forget})}
    note = "dL/dc<t> = f<t+1> dL/dc<t+1> + ...: where f is nearly 1, the cell hands on nearly all of it."
    return (carousel(gated, "c", np.array(WG), BG, note),)


SOURCE = (
    "Hochreiter & Schmidhuber (1997), Gers, Schmidhuber & Cummins (2000), "
    "in the notation of Farrahi & Hare, BatchNorm and RNNs (Southampton 2019)"
)

DERIVATION = """\
# From the last step to the first; at_f is what the sum before the forget gate receives, and so on.
# `ahead`: a cell hands back to the one before what it has received, times its forget gate.
T = len(x)
dL/dWf = zeros_like(Wf)
dL/dWi = zeros_like(Wi)
dL/dWg = zeros_like(Wg)
dL/dWo = zeros_like(Wo)
dL/dbf = zeros_like(bf)
dL/dbi = zeros_like(bi)
dL/dbg = zeros_like(bg)
dL/dbo = zeros_like(bo)
dL/da[T] = 2 * (a[T] - TARGET)
ahead = zeros(2)
for t in reversed(range(1, T + 1)):
    dL/dc[t] = dL/da[t] * o[t] * (1 - tanh(c[t])**2) + ahead
    dL/do[t] = dL/da[t] * tanh(c[t])
    dL/df[t] = dL/dc[t] * c[t-1]
    dL/di[t] = dL/dc[t] * g[t]
    dL/dg[t] = dL/dc[t] * i[t]
    at_f = dL/df[t] * f[t] * (1 - f[t])
    at_i = dL/di[t] * i[t] * (1 - i[t])
    at_g = dL/dg[t] * (1 - g[t]**2)
    at_o = dL/do[t] * o[t] * (1 - o[t])
    dL/dWf += outer(at_f, ax[t])
    dL/dWi += outer(at_i, ax[t])
    dL/dWg += outer(at_g, ax[t])
    dL/dWo += outer(at_o, ax[t])
    dL/dbf += at_f
    dL/dbi += at_i
    dL/dbg += at_g
    dL/dbo += at_o
    dL/dax[t] = Wf.T @ at_f + Wi.T @ at_i + Wg.T @ at_g + Wo.T @ at_o
    dL/da[t-1] = dL/dax[t][:2]
    ahead = dL/dc[t] * f[t]
"""

DERIVATION_OF_FUSED = """\
# The layer forwards once more, for its gates; then backwards, gates in the order i, f, g, o.
T, H = len(x), 2
h = zeros((T + 1, H))
c = zeros((T + 1, H))
gates = zeros((T, 4 * H))
h[0] = a0
c[0] = c0
for t in range(T):
    s = w_ih @ x[t] + w_hh @ h[t] + b
    gates[t] = 1 / (1 + exp(-s))
    gates[t, 2*H:3*H] = tanh(s[2*H:3*H])
    c[t+1] = gates[t, H:2*H] * c[t] + gates[t, :H] * gates[t, 2*H:3*H]
    h[t+1] = gates[t, 3*H:] * tanh(c[t+1])
dL/dlast = 2 * (last - TARGET)
dL/dw_ih = zeros_like(w_ih)
dL/dw_hh = zeros_like(w_hh)
dL/db    = zeros_like(b)
to_h = dL/dlast
to_c = zeros(H)
for t in reversed(range(T)):
    i = gates[t, :H]
    f = gates[t, H:2*H]
    g = gates[t, 2*H:3*H]
    o = gates[t, 3*H:]
    to_c = to_c + to_h * o * (1 - tanh(c[t+1])**2)
    at_i = to_c * g * i * (1 - i)
    at_f = to_c * c[t] * f * (1 - f)
    at_g = to_c * i * (1 - g**2)
    at_o = to_h * tanh(c[t+1]) * o * (1 - o)
    at = concatenate([at_i, at_f, at_g, at_o])
    dL/dw_ih += outer(at, x[t])
    dL/dw_hh += outer(at, h[t])
    dL/db    += at
    to_h = w_hh.T @ at
    to_c = to_c * f
dL/da0 = to_h
dL/dc0 = to_c
"""

KNOBS = (
    Knob("length", 3, "time steps", low=2, high=100),
    Knob("forget", 1.0, "bias of the forget gate: 5 keeps nearly all", low=-10.0, high=10.0),
)

LSTM = Entry(
    name="lstm",
    build=lstm,
    caption="a long short-term memory: from cell to cell the gradient meets one factor, the forget gate",
    source=SOURCE,
    origin=TORCH,
    values={
        "a#1": "0.1448 -0.2176",
        "a#2": "0.1640 -0.0053",
        "a#3": "0.2055 -0.0790",
        "c#3": "0.5302 -0.1645",
        "loss": "0.1703",
    },
    gradients={
        "bf": "-0.0535 -0.0095",
        "bi": "-0.0156 -0.0092",
        "bg": "-0.1744 0.1009",
        "bo": "-0.0816 -0.0069",
        "a0": "-0.0297 -0.0067",
        "c0": "-0.0858 0.0380",
    },
    derivation=DERIVATION,
    note="numbers of PyTorch 2.13 for the weights in gallery/recurrent/lstm.py, which has one bias for each gate",
    knobs=KNOBS,
    orders=("break c#2", "continue", "continue", "select c#2"),
    plots=reach,
)

FUSED = Entry(
    name="lstm:fused",
    build=fused,
    caption="the same as one fused layer over all time steps, which opens into its parts",
    source=SOURCE,
    origin=TORCH,
    values={"last": "0.2055 -0.0790", "loss": "0.1703"},
    gradients={
        "b": "-0.0156 -0.0092 -0.0535 -0.0095 -0.1744 0.1009 -0.0816 -0.0069",
        "a0": "-0.0297 -0.0067",
        "c0": "-0.0858 0.0380",
    },
    derivation=DERIVATION_OF_FUSED,
    note="numbers of PyTorch 2.13 for the weights in gallery/recurrent/lstm.py, which has one bias for each gate",
    knobs=KNOBS,
    orders=("break op:lstm_layer", "continue"),
    plots=reach,
)
