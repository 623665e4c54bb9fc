"""Accuracy as an objective: plateaus whose gradient is zero; and the log-likelihood, which is smooth, beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from tracer.plots import Axis, Curve, Plot, Points

# The lecture gives no numbers: features and labels are ours. No weights classify all of them.
FEATURES = [
    [1.0, 0.3], [0.7, 1.2], [0.2, 0.9], [-0.6, 1.4],
    [-1.0, 0.1], [-0.4, -0.8], [0.5, -1.1], [0.9, 0.6],
]  # fmt: skip
LABELS = [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0]


def accuracy(w1: float = 0.4, w2: float = -0.3) -> tr.Tensor:
    """The loss 1 - accuracy: a sample is right if the sign of its score w·f(x) is its label y, 1 or -1."""
    f = tr.constant(FEATURES)
    y = tr.constant(LABELS)
    w = tr.parameter([w1, w2])
    z = f @ w
    predicted = tr.sign(z)
    right = (1 + y * predicted) / 2
    accuracy = tr.mean(right)
    loss = 1 - accuracy
    return loss


def log_likelihood(w1: float = 0.4, w2: float = -0.3) -> tr.Tensor:
    """Minus the mean log-likelihood log p(y | f(x); w), with p = σ(2 y w·f(x)) as in `softmax:sigmoid`."""
    f = tr.constant(FEATURES)
    y = tr.constant(LABELS)
    w = tr.parameter([w1, w2])
    z = f @ w
    margin = y * z
    p = tr.sigmoid(2 * margin)
    ll = tr.mean(tr.log(p))
    loss = -ll
    return loss


def along_one_weight(w1: float, w2: float) -> tuple[Plot, ...]:
    """Accuracy and log-likelihood along the second weight: steps, and a hill."""
    grid = np.linspace(w2 - 3.0, w2 + 3.0, 241)
    scores = np.asarray(FEATURES) @ np.stack([np.full_like(grid, w1), grid])
    margins = np.asarray(LABELS)[:, None] * scores
    right = np.mean((1 + np.sign(margins)) / 2, axis=0)
    likelihood = np.mean(-np.logaddexp(0, -2 * margins), axis=0)
    middle = len(grid) // 2
    return (
        Plot(
            "accuracy along one weight",
            [Curve("accuracy", grid, right), Points("here", [w2], [right[middle]])],
            Axis("w2"),
            Axis("accuracy", low=0.0, high=1.0),
            "plateaus: the gradient is zero almost everywhere and says nothing about the way up",
        ),
        Plot(
            "log-likelihood along the same weight",
            [Curve("log-likelihood", grid, likelihood), Points("here", [w2], [likelihood[middle]])],
            Axis("w2"),
            Axis("mean log p"),
            "smooth: the gradient says everywhere which way is up",
        ),
    )


def largest_gradient(trace: tr.Trace) -> Any:
    """The largest magnitude in the gradient of the weights."""
    return np.max(np.abs(np.asarray(trace.gradient("w"))))


SOURCE = "Abbeel & Dragan, CS188 Deep Learning II (Berkeley)"
KNOBS = (
    Knob("w1", 0.4, "the weight of the first feature", low=-100.0, high=100.0),
    Knob("w2", -0.3, "the weight of the second feature", low=-100.0, high=100.0),
)

PERCEPTRON = Entry(
    name="perceptron",
    build=accuracy,
    caption="accuracy as an objective: plateaus, and a gradient that is zero almost everywhere",
    source=SOURCE,
    facts=(Fact("largest |dL/dw| on a plateau", "0", largest_gradient),),
    derivation="""\
dL/daccuracy  = -1
dL/dright     = -ones_like(z) / len(z)
dL/dpredicted = dL/dright * y / 2
dL/dz         = zeros_like(z)  # a sign does not change when its score is moved a little
dL/dw         = f.T @ dL/dz
""",
    note="the lecture gives no numbers: features, labels and weights are ours",
    knobs=KNOBS,
    orders=("run z", "run z", "select z", "verify"),
    plots=along_one_weight,
)

LOG_LIKELIHOOD = Entry(
    name="perceptron:log_likelihood",
    build=log_likelihood,
    caption="the same samples and weights with the log-likelihood: a gradient that shows the way",
    source=SOURCE,
    derivation="""\
dL/dp = -1 / p / len(p)
dL/dmargin = dL/dp * p * (1 - p) * 2
dL/dz = dL/dmargin * y
dL/dw = f.T @ dL/dz
""",
    note="the lecture gives no numbers: features, labels and weights are ours",
    knobs=KNOBS,
    orders=("run w", "verify"),
    plots=along_one_weight,
)
