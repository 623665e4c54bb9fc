"""Weights that start alike: all units of a layer stay alike, whatever training does to them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.initialisation.tables import SOURCE
from gallery.knobs import Knob
from gallery.training import Moment, Training
from tracer.plots import Array

SAMPLES, INPUTS, UNITS = 8, 3, 4


def parameters(start: float) -> dict[str, tr.Parameter]:
    """Two hidden layers of four units and an output, every weight the same number."""
    shapes = {"W1": (INPUTS, UNITS), "W2": (UNITS, UNITS), "W3": (UNITS,)}
    return {name: tr.parameter(np.full(shape, start), name=name) for name, shape in shapes.items()}


def loss_of(weights: dict[str, tr.Parameter]) -> tr.Tensor:
    """h1 = tanh(x W1), h2 = tanh(h1 W2), y = h2 W3, and the mean squared error of eight samples."""
    rng = np.random.default_rng(0)
    x = tr.constant(rng.normal(size=(SAMPLES, INPUTS)).round(1))
    target = tr.constant(rng.normal(size=SAMPLES).round(1))
    with tr.scope("layer", l=1):
        h1 = tr.tanh(x @ weights["W1"])
    with tr.scope("layer", l=2):
        h2 = tr.tanh(h1 @ weights["W2"])
    y = h2 @ weights["W3"]
    loss = tr.mse_loss(y, target)
    return loss


def alike(start: float = 0.0) -> tr.Tensor:
    """The loss before training."""
    return loss_of(parameters(start))


def different(rows: Array) -> int:
    """How many different columns there are."""
    return len(np.unique(rows, axis=1).T)


def units(trace: tr.Trace) -> list[int]:
    """How many different units each hidden layer has, of its four."""
    return [different(trace.value(name)) for name in ("h1", "h2")]


def largest(trace: tr.Trace) -> float:
    """The largest size of any entry of a weight's gradient."""
    gradients = (np.asarray(trace.gradient(name)) for name in ("W1", "W2", "W3"))
    return max(float(np.abs(gradient).max()) for gradient in gradients)


def steps_alike(start: float = 0.0, lr: float = 0.1) -> Iterator[Moment]:
    """Gradient descent, and how many different units each layer has after every step."""
    weights = parameters(start)
    optimiser = tr.optim.SGD(weights.values(), lr=lr)
    while True:
        optimiser.zero_grad()
        loss = loss_of(weights)
        loss.backward()
        optimiser.step()
        columns = {name: different(weights[name].value) for name in ("W1", "W2")}
        length = np.linalg.norm(weights["W1"].value)
        yield Moment(
            loss,
            {"different units in layer 1": columns["W1"], "length of W1": float(length)},
        )


ALIKE = Entry(
    name="initialization:zero",
    build=alike,
    caption="weights that all start from one number: the units of a layer stay alike; from zero, nothing moves at all",
    source=SOURCE.replace("ten layers of 500 units", "zero initialisation"),
    facts=(
        Fact("different units in each hidden layer, of four", "1 1", units),
        Fact("largest gradient of any weight", "0", largest),
    ),
    derivation="""\
# Every column of a gradient is the same, since every column of the weights is.
dL/dy  = 2 * (y - target) / y.size
dL/dW3 = h2.T @ dL/dy
dL/dh2 = outer(dL/dy, W3)
dz2    = dL/dh2 * (1 - h2**2)
dL/dW2 = h1.T @ dz2
dL/dh1 = dz2 @ W2.T
dz1    = dL/dh1 * (1 - h1**2)
dL/dW1 = x.T @ dz1
""",
    knobs=(Knob("start", 0.0, "the number from which every weight starts"),),
    orders=("continue", "select W1", "view tensor"),
    training=Training(
        steps_alike,
        knobs=(Knob("lr", 0.1, "learning rate", low=0.0),),
        claim="units of a layer stay alike: from 0 no weight moves; from 0.5 they move, all in the same way",
    ),
    note="with start=0.5 the weights do train, but four units do no more than one",
)
