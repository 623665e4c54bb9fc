"""Probabilities from scores: two classes by softmax and by a sigmoid, three classes, and a network before them."""

from __future__ import annotations

from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob

# The lecture gives no numbers: these features, labels and weights are ours.
FEATURES = [[1.0, 0.5], [0.2, 1.0], [-0.8, 0.4], [-0.3, -1.2]]
SIGNS = [1.0, 1.0, -1.0, -1.0]
"""The class of each sample, + or -."""
ONE_HOT = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
"""The class of each sample, A, B or C: 1 in its column."""
WEIGHTS = [0.8, 0.6]
CLASS_WEIGHTS = [[0.5, -0.6, 0.1], [0.3, 0.4, -0.9], [-0.8, 0.7, 0.2], [0.1, 0.2, -0.5]]
"""From four hidden units to the scores of A, B and C."""


def softmax(scale: float = 1.0) -> tr.Tensor:
    """The score of + is w·f(x) and that of - is -w·f(x); softmax makes probabilities of them.

    The loss is minus the log-likelihood of the labels, ll = Σᵢ log p(yᵢ | f(xᵢ); w); y is one-hot.
    """
    f = tr.constant(FEATURES)
    y = tr.constant([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    w = tr.parameter([scale * number for number in WEIGHTS])
    z = f @ w
    scores = tr.stack([z, -z], axis=1)
    e = tr.exp(scores)
    p = e / tr.sum(e, axis=1, keepdims=True)
    with tr.scope("likelihood"):
        ll = tr.sum(y * tr.log(p))
    loss = -ll
    return loss


def sigmoid(scale: float = 1.0) -> tr.Tensor:
    """The same probabilities from one sigmoid: p(y | f(x); w) = σ(2 y w·f(x)), with y = 1 or -1."""
    f = tr.constant(FEATURES)
    y = tr.constant(SIGNS)
    w = tr.parameter([scale * number for number in WEIGHTS])
    with tr.scope("scores"):
        z = f @ w
        margin = y * z
    p = tr.sigmoid(2 * margin)
    with tr.scope("likelihood"):
        ll = tr.sum(tr.log(p))
    loss = -ll
    return loss


def three(scale: float = 1.0) -> tr.Tensor:
    """A weight vector for each class: p(A | f(x)) = exp(wA·f(x)) / Σ exp(w·f(x))."""
    f = tr.constant(FEATURES)
    y = tr.constant(ONE_HOT)
    wA = tr.parameter([scale * 0.8, scale * 0.6])
    wB = tr.parameter([scale * -0.5, scale * 0.3])
    wC = tr.parameter([scale * 0.1, scale * -0.9])
    with tr.scope("scores"):
        zA = f @ wA
        zB = f @ wB
        zC = f @ wC
        scores = tr.stack([zA, zB, zC], axis=1)
    p = tr.softmax(scores, axis=1)
    with tr.scope("likelihood"):
        ll = tr.sum(y * tr.log(p))
    loss = -ll
    return loss


def two_layers(scale: float = 1.0) -> tr.Tensor:
    """The features themselves are learned: h = tanh(x W1 + b1), scores = h W2 + b2, then softmax as before."""
    x = tr.constant(FEATURES)
    y = tr.constant(ONE_HOT)
    W1 = tr.parameter([[0.7, 0.2, -0.6, 0.3], [-0.4, 0.9, 0.5, 0.8]])
    b1 = tr.parameter([0.1, 0.0, -0.1, 0.2])
    W2 = tr.parameter(scale * np.array(CLASS_WEIGHTS))
    b2 = tr.parameter([0.0, 0.0, 0.0])
    with tr.scope("hidden"):
        z1 = x @ W1 + b1
        h = tr.tanh(z1)
    with tr.scope("output"):
        scores = h @ W2 + b2
    p = tr.softmax(scores, axis=1)
    with tr.scope("likelihood"):
        ll = tr.sum(y * tr.log(p))
    loss = -ll
    return loss


def from_sigmoid(trace: tr.Trace) -> Any:
    """How far p(+) and σ(2 w·f(x)) are apart at most."""
    one = 1 / (1 + np.exp(-2 * trace.value("z")))
    return np.max(np.abs(trace.value("p")[:, 0] - one))


CS188 = "Abbeel & Dragan, CS188 Deep Learning II (Berkeley)"
BAJWA = "Bajwa, NLP CS-472: Review of Neural Networks (NUST 2023)"
OURS = "the lecture gives the formulas; features, labels and weights are ours"
SCALE = Knob(
    "scale",
    1.0,
    "a factor of the weights: large ones make a probability nearly 0 or 1",
    low=0.0,
    high=100.0,
)

SOFTMAX = Entry(
    name="softmax",
    build=softmax,
    caption="scores w·f(x) and -w·f(x) become probabilities: softmax in its steps, and the log-likelihood",
    source=f"{CS188}; {BAJWA}",
    facts=(Fact("largest |p(+) - σ(2 w·f(x))|", "0.000000", from_sigmoid),),
    derivation="""\
dL/dscores = p - y                          # softmax and the logarithm together
dL/dz      = dL/dscores[:, 0] - dL/dscores[:, 1]
dL/dw      = f.T @ dL/dz
""",
    note=OURS + "; two scores z and -z are z apart from 0 on both sides, so p = σ(2z)",
    knobs=(SCALE,),
    orders=("run w", "verify"),
)

SIGMOID = Entry(
    name="softmax:sigmoid",
    build=sigmoid,
    caption="the same probabilities from one sigmoid of the difference of the scores, 2 w·f(x)",
    source=f"{CS188}; {BAJWA}",
    derivation="""\
dL/dp = -1 / p
dL/dmargin = dL/dp * p * (1 - p) * 2  # = -2 (1 - p): large where the label is unlikely
dL/dz = dL/dmargin * y
dL/dw = f.T @ dL/dz
""",
    note=OURS,
    knobs=(SCALE,),
    orders=("run w", "verify"),
)

THREE = Entry(
    name="softmax:three",
    build=three,
    caption="three classes with weight vectors A, B, C: each gets its probability minus one if it is the label",
    source=CS188,
    derivation="""\
dL/dscores = p - y
dL/dzA = dL/dscores[:, 0]
dL/dzB = dL/dscores[:, 1]
dL/dzC = dL/dscores[:, 2]
dL/dwA = f.T @ dL/dzA
dL/dwB = f.T @ dL/dzB
dL/dwC = f.T @ dL/dzC
""",
    note=OURS,
    knobs=(SCALE,),
    orders=("run scores", "run scores", "select scores", "view tensor"),
)

TWO_LAYERS = Entry(
    name="softmax:two_layers",
    build=two_layers,
    caption="a multi-class network of two layers: the features are learned with the weights of the classes",
    source=f"{CS188}; {BAJWA}",
    derivation="""\
dL/dscores = p - y
dL/dW2 = h.T @ dL/dscores
dL/db2 = sum(dL/dscores, axis=0)
dL/dh  = dL/dscores @ W2.T
dL/dz1 = dL/dh * (1 - h**2)
dL/dW1 = x.T @ dL/dz1
dL/db1 = sum(dL/dz1, axis=0)
""",
    note=OURS,
    knobs=(SCALE,),
    orders=("run W1", "verify"),
)
