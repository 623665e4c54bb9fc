"""A sigmoid neuron, gate by gate, and the same neuron with the sigmoid as one gate."""

from __future__ import annotations

from typing import Any

import tracer as tr
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.knobs import Knob


def weighted_sum(w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> tr.Tensor:
    """t = w0 x0 + w1 x1 + w2, in two multiply gates and two add gates."""
    w0, x0 = tr.parameter(w0), tr.tensor(x0)
    w1, x1 = tr.parameter(w1), tr.tensor(x1)
    w2 = tr.parameter(w2)
    p0 = w0 * x0
    p1 = w1 * x1
    s = p0 + p1
    t = s + w2
    return t


def sigmoid_neuron(
    w0: float = 2.0, x0: float = -1.0, w1: float = -3.0, x1: float = -2.0, w2: float = -3.0
) -> tr.Tensor:
    """f = 1 / (1 + exp(-t)) in four gates: times -1, exp, plus 1, one over."""
    t = weighted_sum(w0, x0, w1, x1, w2)
    with tr.scope("sigmoid"):
        minus = t * -1
        e = tr.exp(minus)
        d = e + 1
        f = 1 / d
    return f


def one_gate(
    w0: float = 2.0, x0: float = -1.0, w1: float = -3.0, x1: float = -2.0, w2: float = -3.0
) -> tr.Tensor:
    """f = σ(t): one gate whose local gradient is (1 - f) f."""
    t = weighted_sum(w0, x0, w1, x1, w2)
    f = tr.sigmoid(t)
    return f


def sent_to(name: str) -> Any:
    """What the gate that uses a value sends back to it: its local gradient times the gradient of its output."""

    def sent(trace: tr.Trace) -> float:
        (flow,) = trace.flows_into(name)
        return float(flow.cotangent)

    return sent


def local_gradient(trace: tr.Trace) -> float:
    """(1 - σ) σ at the output of the sigmoid."""
    f = trace.value("f")
    return float((1 - f) * f)


def numerical(trace: tr.Trace) -> list[float]:
    """The gradients of weights and inputs from runs with one of them moved: slow, approximate, and easy to write."""
    return [float(tr.certify(trace, by=name).values) for name in ("w0", "x0", "w1", "x1", "w2")]


SOURCE = "Abbeel & Dragan, CS188 Deep Learning II (Berkeley)"

SUM_VALUES = {"p0": "-2", "p1": "6", "s": "4", "t": "1"}
SUM_GRADIENTS = {
    "t": "0.20", "s": "0.20", "p0": "0.20", "p1": "0.20",
    "w0": "-0.20", "x0": "0.39", "w1": "-0.39", "x1": "-0.59", "w2": "0.20",
}  # fmt: skip
NUMERICAL = Fact(
    "gradient check: w0, x0, w1, x1, w2", "-0.20 0.39 -0.39 -0.59 0.20", numerical, origin=PUBLISHED
)
LOCAL = Fact("local gradient of the sigmoid, (1 - σ) σ", "0.20", local_gradient, origin=PUBLISHED)

KNOBS = (
    Knob("w0", 2.0, "the weight of the first input"),
    Knob("x0", -1.0, "the first input"),
    Knob("w1", -3.0, "the weight of the second input"),
    Knob("x1", -2.0, "the second input"),
    Knob("w2", -3.0, "the bias"),
)

SIGMOID_NEURON = Entry(
    name="sigmoid_neuron",
    build=sigmoid_neuron,
    caption="1 / (1 + exp(-(w0 x0 + w1 x1 + w2))) in primitive gates",
    source=SOURCE,
    origin=PUBLISHED,
    values={**SUM_VALUES, "minus": "-1", "e": "0.37", "d": "1.37", "f": "0.73"},
    gradients={**SUM_GRADIENTS, "f": "1", "d": "-0.53", "e": "-0.53", "minus": "-0.20"},
    facts=(
        Fact("one over: (-1/1.37²)(1)", "-0.53", sent_to("d"), origin=PUBLISHED),
        Fact("plus 1: (1)(-0.53)", "-0.53", sent_to("e"), origin=PUBLISHED),
        Fact("exp: (0.37)(-0.53)", "-0.20", sent_to("minus"), origin=PUBLISHED),
        Fact("times -1: (-1)(-0.20)", "0.20", sent_to("t"), origin=PUBLISHED),
        LOCAL,
        NUMERICAL,
    ),
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
    note="turn w2 to -1000 and exp overflows: infinity times 0 comes back as NaN; one sigmoid gate stays exact",
    knobs=KNOBS,
    orders=("run t", "run t", "verify"),
)

ONE_GATE = Entry(
    name="sigmoid_neuron:one_gate",
    build=one_gate,
    caption="the same neuron with one sigmoid gate: its local gradient is (1 - f) f = 0.20",
    source=SOURCE,
    origin=PUBLISHED,
    values={**SUM_VALUES, "f": "0.73"},
    gradients={**SUM_GRADIENTS, "f": "1"},
    facts=(LOCAL, NUMERICAL),
    derivation="""\
dL/dt  = (1 - f) * f        # the local gradient of the sigmoid
dL/dw0 = dL/dt * x0
dL/dx0 = dL/dt * w0
dL/dw1 = dL/dt * x1
dL/dx1 = dL/dt * w1
dL/dw2 = dL/dt
""",
    style="circuit",
    knobs=KNOBS,
    orders=("run t", "run t", "verify"),
)
