"""A recurrent network of scalars: every factor of backpropagation through time can be read and multiplied by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import TORCH, Entry, Fact
from gallery.knobs import Knob
from gallery.recurrent.terms import terms
from tracer.plots import Axis, Curve, Plot

# The lecture gives no numbers. Unlike its first state, ours is not zero, so that no term of the sum is.
INPUTS = [1.0, -0.5, 0.8, -1.2, 0.3, 1.1, -0.7, 0.4]
FIRST, TARGET = 0.5, 1.0
BA, WYA, BY = 0.1, 1.5, -0.2
LONGEST = len(INPUTS)
SMALL = 0.001
"""Inputs so much smaller leave tanh nearly the identity for eight steps."""
PRODUCT, STEPS, SIZE = (
    "da<8>/da<8-k>, a product of k factors",
    Axis("steps back"),
    Axis("size", "log"),
)


def rnn_scalar(waa: Any = 0.9, wax: Any = 0.7, length: int = 3, size: float = 1.0) -> tr.Tensor:
    """a⟨t⟩ = tanh(waa a⟨t−1⟩ + wax x⟨t⟩ + ba), ŷ = σ(wya a⟨T⟩ + by); L is the cross-entropy of the last step alone.

    waa, wax: float (), the weights of the state and of the input. length: T. size: what inputs, first state and ba
    are multiplied by; where they are small, tanh is nearly the identity and every factor nearly waa.
    """
    waa, wax, ba = tr.parameter(waa), tr.parameter(wax), tr.parameter(size * BA)
    wya, by = tr.parameter(WYA), tr.parameter(BY)
    a = tr.tensor(size * FIRST, name="a0")
    for t in range(1, length + 1):
        with tr.scope("rnn", t=t):
            x = tr.constant(size * INPUTS[t - 1])
            z = waa * a + wax * x + ba
            a = tr.tanh(z)
    with tr.scope("rnn", t=length):
        yhat = tr.sigmoid(wya * a + by)
        L = tr.binary_cross_entropy(yhat, TARGET)
    return L


def local(trace: tr.Trace, t: int) -> float:
    """∂a⟨t⟩/∂a⟨t−1⟩ = (1 − a⟨t⟩²) waa."""
    return float((1 - trace.value(f"a#{t}") ** 2) * trace.value("waa"))


def products(
    waa: float = 0.9,
    wax: float = 0.7,
    length: int = 3,
    size: float = 1.0,
) -> tuple[Plot, ...]:
    """The product of ∂a⟨t⟩/∂a⟨t−1⟩ by how many steps back it reaches, and what each step adds to dL/dwaa.

    With small inputs first, where a large waa explodes; then with those of the knob, where it may saturate.
    """
    of_small, _ = curves_by_weight(waa, wax, SMALL)
    reached, added = curves_by_weight(waa, wax, size)
    return (
        Plot(
            f"{PRODUCT}, inputs times {SMALL:g}",
            of_small,
            STEPS,
            SIZE,
            "Small states leave every factor nearly waa: below 1 the product vanishes, above 1 it explodes.",
        ),
        Plot(
            f"{PRODUCT}, inputs times {size:g}",
            reached,
            STEPS,
            SIZE,
            "Each factor is waa (1 - a^2): where a large waa drives a towards 1, the factor vanishes.",
        ),
        Plot("what the use k steps back adds to dL<8>/dwaa", added, STEPS, SIZE),
    )


def curves_by_weight(waa: float, wax: float, size: float) -> tuple[list[Curve], list[Curve]]:
    """For several waa the product of the factors and the terms of dL⟨8⟩/dwaa, by how many steps back they reach."""
    reached, added = [], []
    for each in sorted({0.5, 0.9, 1.2, 2.0, waa}):
        trace = tr.trace(rnn_scalar(each, wax, LONGEST, size))
        factors = [local(trace, t) for t in range(LONGEST, 1, -1)]
        back = np.arange(LONGEST)
        each_term = [abs(float(term)) for term in terms(trace, "waa").values()]
        label, dashed = f"waa = {each:g}", each != waa
        reached.append(Curve(label, back, np.abs(np.cumprod([1.0, *factors])), dashed))
        added.append(Curve(label, back, each_term, dashed))
    return reached, added


DERIVATION = """\
# From the last step to the first: the factor dL/dz[t] picks up waa (1 - a[t-1]**2) with every step back.
T = len(x)
dL/dyhat = -1 / yhat
ds       = dL/dyhat * yhat * (1 - yhat)
dL/dwya  = ds * a[T]
dL/dby   = ds
dL/da[T] = ds * wya
dL/dwaa  = 0
dL/dwax  = 0
dL/dba   = 0
for t in reversed(range(1, T + 1)):
    dL/dz[t]   = dL/da[t] * (1 - a[t]**2)
    dL/dwaa   += dL/dz[t] * a[t-1]
    dL/dwax   += dL/dz[t] * x[t]
    dL/dba    += dL/dz[t]
    dL/da[t-1] = dL/dz[t] * waa
"""

RNN_SCALAR = Entry(
    name="rnn_scalar",
    build=rnn_scalar,
    caption="backpropagation through time in scalars: dL<3>/dwaa term by term, each a product of factors",
    source="Farrahi & Hare, BatchNorm and RNNs (Southampton 2019)",
    origin=TORCH,
    values={"a#1": "0.8483", "a#2": "0.4726", "a#3": "0.7952", "yhat": "0.7296", "L": "0.3152"},
    gradients={
        "waa": "-0.1720",
        "wax": "-0.0935",
        "ba": "-0.2796",
        "wya": "-0.2150",
        "by": "-0.2704",
    },
    facts=(
        Fact(
            "da<3>/da<2>, waa (1 - a<3>^2)", "0.3309", lambda trace: local(trace, 3), origin=TORCH
        ),
        Fact("da<2>/da<1>", "0.6990", lambda trace: local(trace, 2), origin=TORCH),
        Fact(
            "their product, da<3>/da<1>",
            "0.2313",
            lambda trace: local(trace, 3) * local(trace, 2),
            origin=TORCH,
        ),
        Fact(
            "dL<3>/dwaa term by term: the use at t = 3, at 2, at 1",
            "-0.0705 -0.0884 -0.0132",
            lambda trace: [*terms(trace, "waa").values()],
            origin=TORCH,
        ),
    ),
    derivation=DERIVATION,
    note="the lecture gives no numbers: ours stand in gallery/recurrent/rnn_scalar.py, the results are PyTorch's; "
    "with length=8 size=0.001 the gradient explodes for waa above 1, at full size tanh saturates and it vanishes",
    knobs=(
        Knob("waa", 0.9, "weight from one state to the next", low=-5.0, high=5.0),
        Knob("wax", 0.7, "weight of the input", low=-5.0, high=5.0),
        Knob("length", 3, "time steps", low=3, high=LONGEST),
        Knob("size", 1.0, "what inputs, first state and ba are multiplied by", low=0.0, high=10.0),
    ),
    orders=("break waa", "continue", "select waa"),
    plots=products,
)
