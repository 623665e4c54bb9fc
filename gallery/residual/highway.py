"""A highway connection: a gate, itself learned, says how much goes through the sigmoid and how much past it."""

from __future__ import annotations

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.residual.forms import BIAS, gated, squared_error
from gallery.residual.residual import BIAS_KNOB, NOTE, SOURCE, SUM_OF_PATHS, of_path
from gallery.residual.saturation import saturation


def highway(b: float = BIAS) -> tr.Tensor:
    """Four paths to p: through the sigmoid, past it, and by the gate of each."""
    return squared_error(gated, b)


HIGHWAY = Entry(
    name="highway",
    build=highway,
    caption="y = σ(p) σ(s) + (1 - σ(p)) p: a gate shares between the sigmoid and the path past it",
    source=SOURCE,
    values={"p": "3.0593", "s": "1.0593", "g": "0.955", "a": "0.743", "y": "0.846"},
    gradients={"W2": "-0.01440 -0.00235", "p": "-0.01970"},
    facts=(
        Fact(
            "first term, σ(p) σ(s) (1 - σ(s)): through the sigmoid", "-0.02051 -0.00334", of_path(0)
        ),
        Fact(
            "second term, σ(p) (1 - σ(p)) σ(s): the gate lets more through",
            "-0.00357 -0.00058",
            of_path(1),
        ),
        Fact("second term, 1 - σ(p): past the sigmoid", "-0.00503 -0.00082", of_path(3)),
        Fact(
            "second term, -p σ(p) (1 - σ(p)): the gate lets less past",
            "0.01471 0.00240",
            of_path(2),
        ),
        SUM_OF_PATHS,
    ),
    derivation="""\
# e = (t - y)**2 / 2 with y = σ(p) σ(s) + (1 - σ(p)) p: four paths to p, and so to W2.
dL/dy  = y - t
dL/ds  = dL/dy * sigmoid(p) * sigmoid(s) * (1 - sigmoid(s))   # through the sigmoid
dL/db  = dL/ds
dL/dg  = dL/dy * (sigmoid(s) - p)     # the gate lets more through, and less past
dL/dp  = dL/ds + dL/dg * sigmoid(p) * (1 - sigmoid(p)) + dL/dy * (1 - sigmoid(p))   # the last one past the sigmoid
dL/dh  = dL/dp * W2
# The lecture's two terms.
dL/dW2 = ((y - t) * sigmoid(p) * sigmoid(s) * (1 - sigmoid(s)) * h
        + (y - t) * (sigmoid(p) * (1 - sigmoid(p)) * sigmoid(s)
                     + 1 - sigmoid(p) - p * sigmoid(p) * (1 - sigmoid(p))) * h)
""",
    style="paths",
    note=NOTE,
    plots=saturation,
    knobs=(BIAS_KNOB,),
    orders=("run e", "run p"),
)
