"""A sigmoid neuron, gate by gate, and the same neuron with the sigmoid as one gate."""

from __future__ import annotations

import tracer as tr
from gallery.entry import Entry


def weighted_sum() -> tr.Tensor:
    """t = w0 x0 + w1 x1 + w2, with the numbers of the lecture."""
    w0, x0 = tr.parameter(2.0), tr.tensor(-1.0)
    w1, x1 = tr.parameter(-3.0), tr.tensor(-2.0)
    w2 = tr.parameter(-3.0)
    p0 = w0 * x0
    p1 = w1 * x1
    s = p0 + p1
    t = s + w2
    return t


def sigmoid_neuron() -> tr.Tensor:
    """f = 1 / (1 + exp(-t)) in four gates: times -1, exp, plus 1, one over."""
    t = weighted_sum()
    with tr.scope("sigmoid"):
        minus = t * -1
        e = tr.exp(minus)
        d = e + 1
        f = 1 / d
    return f


def one_gate() -> tr.Tensor:
    """f = σ(t): one gate whose local gradient is (1 - f) f."""
    t = weighted_sum()
    f = tr.sigmoid(t)
    return f


SOURCE = "Abbeel & Dragan, CS188 Deep Learning II (Berkeley)"

SUM_VALUES = {"p0": "-2", "p1": "6", "s": "4", "t": "1"}
SUM_GRADIENTS = {
    "t": "0.20", "s": "0.20", "p0": "0.20", "p1": "0.20",
    "w0": "-0.20", "x0": "0.39", "w1": "-0.39", "x1": "-0.59", "w2": "0.20",
}  # fmt: skip

SIGMOID_NEURON = Entry(
    name="sigmoid_neuron",
    build=sigmoid_neuron,
    caption="1 / (1 + exp(-(w0 x0 + w1 x1 + w2))) in primitive gates",
    source=SOURCE,
    values={**SUM_VALUES, "minus": "-1", "e": "0.37", "d": "1.37", "f": "0.73"},
    gradients={**SUM_GRADIENTS, "f": "1", "d": "-0.53", "e": "-0.53", "minus": "-0.20"},
    derivation="""\
dL/dd     = -1 / d**2       # one over
dL/de     = dL/dd           # plus 1
dL/dminus = dL/de * e       # exp: its own derivative
dL/dt     = -1 * dL/dminus  # times -1
dL/ds     = dL/dt           # an add gate distributes
dL/dw2    = dL/dt
dL/dp0    = dL/ds
dL/dp1    = dL/ds
dL/dw0    = dL/dp0 * x0     # a multiply gate exchanges
dL/dx0    = dL/dp0 * w0
dL/dw1    = dL/dp1 * x1
dL/dx1    = dL/dp1 * w1
""",
    style="circuit",
)

ONE_GATE = Entry(
    name="sigmoid_neuron:one_gate",
    build=one_gate,
    caption="the same neuron with one sigmoid gate: its local gradient is (1 - f) f = 0.20",
    source=SOURCE,
    values={**SUM_VALUES, "f": "0.73"},
    gradients={**SUM_GRADIENTS, "f": "1"},
    derivation="""\
dL/dt  = (1 - f) * f        # the local gradient of the sigmoid
dL/dw0 = dL/dt * x0
dL/dx0 = dL/dt * w0
dL/dw1 = dL/dt * x1
dL/dx1 = dL/dt * w1
dL/dw2 = dL/dt
""",
    style="circuit",
)
