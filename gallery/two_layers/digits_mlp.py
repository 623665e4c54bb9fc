"""A two-layer classifier of handwritten digits, trained on mini-batches that are shuffled anew for every epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from gallery.digits import digits
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.training import Moment, Training
from gallery.two_layers.training_xor import OPTIMISERS, optimiser_of

EVERY = 10
"""Optimiser steps from one measurement of the test accuracy to the next."""


class Weights(NamedTuple):
    """The parameters of the two layers."""

    W1: tr.Parameter
    b1: tr.Parameter
    W2: tr.Parameter
    b2: tr.Parameter


class Forward(NamedTuple):
    """What the network makes of a batch, and the loss."""

    loss: tr.Tensor
    h: tr.Tensor
    logits: tr.Tensor


def weights(hidden: int) -> Weights:
    """He's initial weights for the ReLU, those of the output as small as its inputs are many; random seed 0."""
    rng = np.random.default_rng(0)
    W1 = tr.parameter(rng.normal(size=(64, hidden)) * np.sqrt(2 / 64), name="W1")
    b1 = tr.parameter(np.zeros(hidden), name="b1")
    W2 = tr.parameter(rng.normal(size=(hidden, 10)) / np.sqrt(hidden), name="W2")
    b2 = tr.parameter(np.zeros(10), name="b2")
    return Weights(W1, b1, W2, b2)


def network(images: Any, digit: Any, given: Weights) -> Forward:
    """z1 = x W1 + b1, h = max(z1, 0), logits = h W2 + b2, and the cross-entropy. images: float (batch, 64)."""
    W1, b1, W2, b2 = given
    x = tr.constant(images)
    labels = tr.constant(digit)
    with tr.scope("hidden"):
        z1 = x @ W1 + b1
        h = tr.relu(z1)
    with tr.scope("output"):
        logits = h @ W2 + b2
    loss = tr.cross_entropy(logits, labels)
    return Forward(loss, h, logits)


def batches(size: int) -> Iterator[np.ndarray]:
    """The numbers of the images of each mini-batch, for ever: every image once an epoch, in a new order each time."""
    rng = np.random.default_rng(1)
    count = len(digits().train_labels)
    while True:
        order = rng.permutation(count)
        yield from (order[k : k + size] for k in range(0, count - size + 1, size))


def mlp_digits(*, batch: int = 32, hidden: int = 32) -> tr.Tensor:
    """The loss of the first mini-batch, before any update."""
    data, first = digits(), next(batches(batch))
    return network(data.train_images[first], data.train_labels[first], weights(hidden)).loss


def accuracy(logits: Any, labels: np.ndarray) -> float:
    """The share of images whose largest logit is that of the digit."""
    return float(np.mean(np.argmax(np.asarray(logits), axis=1) == labels))


def run(*, batch: int, hidden: int, lr: float, optimiser: str) -> Iterator[Moment]:
    """Mini-batches through the network; the accuracy on the held-back images every tenth step."""
    data, given = digits(), weights(hidden)
    steps = optimiser_of(optimiser, list(given), lr)
    for number, chosen in enumerate(batches(batch), 1):
        labels = data.train_labels[chosen]
        loss, h, logits = network(data.train_images[chosen], labels, given)
        loss.backward()
        steps.step()
        measures = {"accuracy of the batch": accuracy(logits, labels)}
        if number % EVERY == 0 or number == 1:
            with tr.no_grad():
                tested = network(data.test_images, data.test_labels, given).logits
            measures["test accuracy"] = accuracy(tested, data.test_labels)
        yield Moment(loss, measures, {"hidden": h, "output": logits})


DIGITS_MLP = Entry(
    name="mlp:digits",
    build=mlp_digits,
    caption="a hidden layer of ReLUs tells ten handwritten digits apart, and is trained on mini-batches",
    source="Bajwa, Review of Neural Networks (NUST 2023); Abbeel & Dragan, CS188 Deep Learning II (Berkeley); "
    "images: UCI optical recognition of handwritten digits (CC BY 4.0)",
    derivation="""\
# Softmax and cross-entropy, two linear layers with a ReLU between them: sums over the images of the batch.
m = len(x)
dL/dlogits = (softmax(logits, axis=1) - eye(10)[labels]) / m
dL/dW2     = h.T @ dL/dlogits
dL/db2     = sum(dL/dlogits, axis=0)
dL/dh      = dL/dlogits @ W2.T
dL/dz1     = dL/dh * (z1 > 0)
dL/dW1     = x.T @ dL/dz1
dL/db1     = sum(dL/dz1, axis=0)
""",
    knobs=(
        Knob("batch", 32, "images in a mini-batch", low=1, high=1437),
        Knob("hidden", 32, "hidden units", low=1, high=1000),
    ),
    orders=("continue", "view layers"),
    training=Training(
        run,
        steps=400,
        claim="shuffled mini-batches, of any size from 1 to k: with 32 images in each, about 98 of 100 test images are "
        "told apart after 400 steps",
        knobs=(
            Knob("lr", 0.1, "learning rate", low=0.0),
            Knob("optimiser", "momentum", "how the gradient is followed", choices=OPTIMISERS),
        ),
    ),
)
