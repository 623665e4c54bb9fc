"""A network with two inputs, three hidden units and one output, and the way back to a single weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

import tracer as tr
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.training import Moment, Training
from tracer.plots import Axis, Curve, Plot, Points

# The lecture gives no weights: normal numbers (random seed 2023), rounded to one decimal.
W1_ROWS = [[0.6, 1.0], [-1.1, -0.4], [0.6, -0.5]]
B1 = [0.1, -0.2, 0.0]
W2_ROW = [1.2, -0.7, 0.4]
B2 = 0.1
INPUT, TARGET = [0.5, -1.0], 1.0


class Forward(NamedTuple):
    """The loss, and the activations of both layers."""

    L: tr.Tensor
    a1: tr.Tensor
    a2: tr.Tensor


def forward(parameters: Sequence[tr.Parameter]) -> Forward:
    """z1 = W1 x + b1, a1 = σ(z1), z2 = W2 a1 + b2, a2 = σ(z2), and the cross-entropy of a2 with the target y."""
    W1, b1, W2, b2 = parameters
    x = tr.constant(INPUT)
    y = tr.constant(TARGET)
    with tr.scope("hidden"):
        z1 = W1 @ x + b1
        a1 = tr.sigmoid(z1)
    with tr.scope("output"):
        z2 = W2 @ a1 + b2
        a2 = tr.sigmoid(z2)
    L = tr.binary_cross_entropy(a2, y)
    return Forward(L, a1, a2)


def parameters_with(w: float) -> list[tr.Parameter]:
    """W1, b1, W2 and b2 before any step; w is the first weight of the first unit."""
    W1 = tr.parameter([[w, W1_ROWS[0][1]], *W1_ROWS[1:]])
    b1 = tr.parameter(B1)
    W2 = tr.parameter(W2_ROW)
    b2 = tr.parameter(B2)
    return [W1, b1, W2, b2]


def mlp(w: float = 0.6, lr: float = 1.0, steps: int = 0) -> tr.Tensor:
    """The loss L of one sample after some steps of gradient descent; w is the first weight of the first unit."""
    parameters = parameters_with(w)
    descent = tr.optim.SGD(parameters, lr=lr)
    for _ in range(steps):
        forward(parameters).L.backward()
        descent.step()
    return forward(parameters).L


def run(w: float = 0.6, lr: float = 1.0, steps: int = 0) -> Iterator[Moment]:
    """Gradient descent on the one sample, shown from the step after those that were made before."""
    parameters = parameters_with(w)
    descent = tr.optim.SGD(parameters, lr=lr)
    made = 0
    while True:
        L, a1, a2 = forward(parameters)
        first = float(parameters[0].value[0, 0])
        L.backward()
        descent.step()
        made += 1
        if made > steps:
            measures = {"output a2": float(a2.value), "W1[0, 0]": first}
            yield Moment(L, measures, {"hidden": a1, "output": a2})


def along_the_weight(w: float, lr: float, steps: int) -> tuple[Plot, ...]:
    """The loss along that one weight, where it is, and where one more step against its gradient takes it."""
    trace = tr.trace(mlp(w, lr, steps))
    weights = trace.value("W1")
    here = float(weights[0, 0])
    slope = float(np.asarray(trace.gradient("W1"))[0, 0])
    there = here - lr * slope

    def loss(number: float) -> float:
        moved = weights.copy()
        moved[0, 0] = number
        return float(trace.replay({"W1": moved}).value("L"))

    reach = max(4.0, 1.5 * abs(there - here))
    grid = np.linspace(here - reach, here + reach, 61)
    near = np.array([here - reach / 2, here + reach / 2])
    marks = (
        Curve("loss", grid, [loss(number) for number in grid]),
        Curve("slope: the gradient", near, loss(here) + slope * (near - here), dashed=True),
        Points("here", [here], [loss(here)]),
        Points("after a step", [there], [loss(there)]),
    )
    return (Plot("the loss along one weight", marks, Axis("W1[0, 0]"), Axis("L")),)


MLP = Entry(
    name="mlp",
    build=mlp,
    caption="two inputs, three hidden units, one output: the chain of local gradients back to one weight",
    source="Bajwa, NLP CS-472: Review of Neural Networks (NUST 2023)",
    derivation="""\
dL/da2 = -y / a2 + (1 - y) / (1 - a2)
dL/dz2 = dL/da2 * a2 * (1 - a2)  # = a2 - y
dL/dW2 = dL/dz2 * a1
dL/db2 = dL/dz2
dL/da1 = W2 * dL/dz2
dL/dz1 = dL/da1 * a1 * (1 - a1)
dL/db1 = dL/dz1
# To a weight of the hidden layer there is one way: five local gradients, multiplied.
dL/dW1 = zeros_like(W1)
for j in range(3):
    for i in range(2):
        dL/dW1[j, i] = dL/da2 * (a2 * (1 - a2)) * W2[j] * (a1[j] * (1 - a1[j])) * x[i]
""",
    note="the lecture gives neither weights nor numbers: ours stand in gallery/two_layers/mlp.py",
    knobs=(
        Knob(
            "w",
            0.6,
            "the weight from the first input to the first hidden unit",
            low=-100.0,
            high=100.0,
        ),
        Knob("lr", 1.0, "the learning rate of the steps made before", low=0.0, high=1000.0),
        Knob("steps", 0, "steps of gradient descent made before", low=0, high=1000),
    ),
    orders=("run W1", "verify"),
    plots=along_the_weight,
    training=Training(
        run,
        claim="the output goes to the target 1, ever more slowly: as a2 - y shrinks, so does every gradient",
    ),
)
