"""The first circuit of every lecture on backpropagation: an add gate feeds a multiply gate."""

from __future__ import annotations

import tracer as tr
from gallery.entry import Entry


def circuit() -> tr.Tensor:
    """f = (x + y) z at x = -2, y = 5, z = -4."""
    x = tr.tensor(-2.0)
    y = tr.tensor(5.0)
    z = tr.tensor(-4.0)
    q = x + y
    f = q * z
    return f


CIRCUIT = Entry(
    name="circuit",
    build=circuit,
    caption="f = (x + y) z: an add gate distributes the gradient, a multiply gate exchanges it",
    source="Abbeel & Dragan, CS188 Deep Learning II (Berkeley)",
    values={"q": "3", "f": "-12"},
    gradients={"f": "1", "z": "3", "q": "-4", "x": "-4", "y": "-4"},
    derivation="dL/dq = z\ndL/dz = q\ndL/dx = dL/dq\ndL/dy = dL/dq\n",
    style="circuit",
)
