"""A neuron with and without a path around its sigmoid: the gradient is the sum over the paths."""

from __future__ import annotations

from collections.abc import Callable

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from gallery.residual.forms import (
    BIAS,
    SCALE,
    squared_error,
    with_scaled_skip,
    with_skip,
    without_skip,
)
from gallery.residual.paths import left_over, paths
from gallery.residual.saturation import saturation


def plain(b: float = BIAS) -> tr.Tensor:
    """One path to W2: where σ is flat, nothing comes through."""
    return squared_error(without_skip, b)


def residual(b: float = BIAS) -> tr.Tensor:
    """Two paths to W2: through the sigmoid, and past it."""
    return squared_error(with_skip, b)


def scaled(b: float = BIAS, scale: float = SCALE) -> tr.Tensor:
    """Two paths again, the second times W, which is learned too."""
    return squared_error(lambda p, b: with_scaled_skip(p, b, scale), b)


SOURCE = "Simion, Lecture 4: Neural networks (Columbia 2023); numbers of Koehn, Neural Machine Translation, figure 6.1"
NOTE = (
    "h is Koehn's hidden layer, unrounded, so that s = 1.0593; the book has 1.060, from h in three decimals; "
    "push b far to either side, and only a path past the sigmoid is left"
)
BIAS_KNOB = Knob(
    "b", BIAS, "the bias: s = p + b, and far from 0 the sigmoid is flat", -1000.0, 1000.0
)


def of_path(number: int, name: str = "W2") -> Callable[[tr.Trace], object]:
    """What one path brings to a node, the paths counted from 0."""
    return lambda trace: paths(trace, name)[number]


SUM_OF_PATHS = Fact(
    "the sum of the paths less de/dW2",
    "0.0000000000 0.0000000000",
    lambda trace: left_over(trace, "W2"),
)

PLAIN = Entry(
    name="residual:plain",
    build=plain,
    caption="the same neuron without a path around its sigmoid: de/dW2 vanishes where it is flat",
    source=SOURCE,
    values={"p": "3.0593", "s": "1.0593", "y": "0.743"},
    gradients={"W2": "-0.0360 -0.0059"},
    facts=(Fact("paths to W2", "1", lambda trace: len(paths(trace, "W2"))),),
    derivation="""\
# e = (t - y)**2 / 2 with y = σ(s): one path, e -> y -> s -> p -> W2.
dL/dy  = y - t
dL/ds  = dL/dy * y * (1 - y)
dL/db  = dL/ds
dL/dp  = dL/ds
dL/dh  = dL/dp * W2
dL/dW2 = (y - t) * sigmoid(s) * (1 - sigmoid(s)) * h
""",
    note=NOTE,
    plots=saturation,
    knobs=(BIAS_KNOB,),
    orders=("run e", "run p"),
)

RESIDUAL = Entry(
    name="residual",
    build=residual,
    caption="y = σ(s) + p: the gradient comes by two paths, and the one past the sigmoid survives saturation",
    source=SOURCE,
    values={"p": "3.0593", "s": "1.0593", "a": "0.743", "y": "3.802"},
    gradients={"W2": "2.440 0.398", "p": "3.337"},
    facts=(
        Fact("through the sigmoid: e -> y -> s -> p -> W2", "0.392 0.064", of_path(0)),
        Fact("past it: e -> y -> p -> W2", "2.048 0.334", of_path(1)),
        SUM_OF_PATHS,
    ),
    derivation="""\
# e = (t - y)**2 / 2 with y = σ(s) + p: two paths to p, and so to W2.
dL/dy  = y - t
dL/ds  = dL/dy * a * (1 - a)
dL/db  = dL/ds
through = (y - t) * sigmoid(s) * (1 - sigmoid(s)) * h   # e -> y -> s -> p -> W2
past    = (y - t) * h                                   # e -> y -> p -> W2
dL/dp  = dL/ds + dL/dy
dL/dh  = dL/dp * W2
dL/dW2 = through + past
""",
    style="paths",
    note=NOTE,
    plots=saturation,
    knobs=(BIAS_KNOB,),
    orders=("run e", "run p"),
)

SCALED = Entry(
    name="residual:scaled",
    build=scaled,
    caption="y = σ(s) + W s: the path past the sigmoid goes through a weight",
    source=SOURCE,
    values={"s": "1.0593", "a": "0.743", "scaled": "0.530", "y": "1.272"},
    gradients={"W": "0.288", "s": "0.188"},
    facts=(
        Fact("through the sigmoid: e -> y -> s -> p -> W2", "0.0380 0.0062", of_path(0)),
        Fact("past it, times W", "0.0995 0.0162", of_path(1)),
        SUM_OF_PATHS,
    ),
    derivation="""\
# e = (t - y)**2 / 2 with y = σ(s) + W s, as the deck writes it.
dL/dy  = y - t
dL/dW  = dL/dy * s
through = dL/dy * a * (1 - a)   # e -> y -> s
past    = dL/dy * W             # the same ends, times W
dL/ds  = through + past
dL/db  = dL/ds
dL/dp  = dL/ds
dL/dh  = dL/dp * W2
dL/dW2 = dL/dp * h
""",
    style="paths",
    note=NOTE,
    plots=saturation,
    knobs=(BIAS_KNOB, Knob("scale", SCALE, "W, the weight of the path past the sigmoid")),
    orders=("run e", "run s"),
)
