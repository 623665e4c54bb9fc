"""The first circuit of every lecture on backpropagation: an add gate feeds a multiply gate."""

from __future__ import annotations

from typing import Any

import tracer as tr
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.knobs import Knob


def circuit(x: Any = -2.0, y: Any = 5.0, z: Any = -4.0) -> tr.Tensor:
    """f = (x + y) z at x = -2, y = 5, z = -4."""
    x = tr.tensor(x)
    y = tr.tensor(y)
    z = tr.tensor(z)
    q = x + y
    f = q * z
    return f


def numerical(trace: tr.Trace) -> list[float]:
    """df/dx, df/dy and df/dz from runs with the input moved, certified, beside the backward pass's exact ones."""
    return [float(tr.certify(trace, by=name).values) for name in ("x", "y", "z")]


CIRCUIT = Entry(
    name="circuit",
    build=circuit,
    caption="f = (x + y) z: an add gate distributes the gradient, a multiply gate exchanges it",
    source="Abbeel & Dragan, CS188 Deep Learning II (Berkeley)",
    origin=PUBLISHED,
    values={"q": "3", "f": "-12"},
    gradients={"f": "1", "z": "3", "q": "-4", "x": "-4", "y": "-4"},
    facts=(
        Fact(
            "gradient check: df/dx, df/dy, df/dz numerically", "-4.0000 -4.0000 3.0000", numerical
        ),
    ),
    derivation="dL/dq = z\ndL/dz = q\ndL/dx = dL/dq\ndL/dy = dL/dq\n",
    style="circuit",
    note="gates run forward in topological order and backward in reverse; "
    "the multiply gate keeps its inputs, which are its local gradients. The decks name as systems of this kind "
    "PyTorch, which records as here, TensorFlow, Theano, Torch, Caffe and the Computation Graph Toolkit (CGT), and "
    "the TensorFlow playground to try networks in",
    knobs=(
        Knob("x", -2.0, "the first summand"),
        Knob("y", 5.0, "the second summand"),
        Knob("z", -4.0, "the factor"),
    ),
    orders=("run z", "verify"),
)
