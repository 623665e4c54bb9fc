"""Patterns in the backward flow: what add, max and multiply gates do to a gradient, and what a branch does."""

from __future__ import annotations

from typing import Any

import tracer as tr
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.knobs import Knob


def gates(x: Any = 3.0, y: Any = -4.0, z: Any = 2.0, w: Any = -1.0) -> tr.Tensor:
    """f = 2 (x y + max(z, w)): one gate of each kind."""
    x, y = tr.tensor(x), tr.tensor(y)
    z, w = tr.tensor(z), tr.tensor(w)
    p = x * y
    m = tr.maximum(z, w)
    s = p + m
    f = s * 2
    return f


def branch(x: Any = 3.0, y: Any = -4.0, z: Any = 2.0) -> tr.Tensor:
    """f = (x y) (x + z): the value x goes two ways, and its gradient comes back on both."""
    x = tr.tensor(x)
    y = tr.tensor(y)
    z = tr.tensor(z)
    p = x * y
    s = x + z
    f = p * s
    return f


def sent_by(gate: str) -> Any:
    """What a gate sends to its inputs, in their order."""
    return lambda trace: [float(flow.cotangent) for flow in trace.flows_from(gate)]


def on_branches(trace: tr.Trace) -> list[float]:
    """What comes back to x: from the multiply gate, from the add gate, and together."""
    sent = {trace.label(flow.consumer): float(flow.cotangent) for flow in trace.flows_into("x")}
    return [sent["p"], sent["s"], float(trace.gradient("x"))]  # type: ignore[arg-type]


SOURCE = "Abbeel & Dragan, CS188 Deep Learning II (Berkeley)"

GATES = Entry(
    name="gates",
    build=gates,
    caption="patterns in the backward flow: add distributes, max routes, multiply exchanges",
    source=SOURCE + "; the circuit and its numbers: Karpathy, CS231n (Stanford)",
    origin=PUBLISHED,
    values={"p": "-12", "m": "2", "s": "-10", "f": "-20"},
    gradients={"f": "1", "s": "2", "p": "2", "m": "2", "x": "-8", "y": "6", "z": "2", "w": "0"},
    facts=(
        Fact("add distributes: the same to both", "2 2", sent_by("s"), origin=PUBLISHED),
        Fact("max routes: all to the larger one", "2 0", sent_by("m"), origin=PUBLISHED),
        Fact("multiply exchanges: 2 y and 2 x", "-8 6", sent_by("p"), origin=PUBLISHED),
    ),
    derivation="""\
dL/ds = 2
dL/dp = dL/ds                # an add gate distributes
dL/dm = dL/ds
dL/dx = dL/dp * y            # a multiply gate exchanges
dL/dy = dL/dp * x
dL/dz = where(z > w, dL/dm, 0)  # a max gate routes
dL/dw = where(w > z, dL/dm, 0)
""",
    style="circuit",
    note="where z = w the max gate has no one gradient; ours gives half to each",
    knobs=(
        Knob("x", 3.0, "the first factor"),
        Knob("y", -4.0, "the second factor"),
        Knob("z", 2.0, "one input of the max gate"),
        Knob("w", -1.0, "the other input of the max gate"),
    ),
    orders=("run w", "verify"),
)

BRANCH = Entry(
    name="gates:branch",
    build=branch,
    caption="a value that branches: the gradients that come back on both ways add",
    source=SOURCE,
    facts=(Fact("from multiply, from add, their sum at x", "-20 -12 -32", on_branches),),
    derivation="""\
dL/dp = s
dL/ds = p
dL/dz = dL/ds
dL/dy = dL/dp * x
dL/dx = dL/dp * y + dL/ds  # one term for each way
""",
    style="circuit",
    note="the lecture gives the rule; the numbers follow from x = 3, y = -4, z = 2",
    knobs=(
        Knob("x", 3.0, "the input that branches"),
        Knob("y", -4.0, "the factor of x"),
        Knob("z", 2.0, "the summand of x"),
    ),
    orders=("run x", "reverse-step", "select x", "verify"),
)
