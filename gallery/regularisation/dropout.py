"""Dropout in a classifier of digits: a random half of the hidden units in training, all of them scaled in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tracer as tr
from gallery.digits import digits
from tracer.plots import Array

P, LR, BATCH, HIDDEN, NOISE = 0.5, 0.3, 50, 80, 0.2
IMAGES = 300
"""So few images that a network of eighty hidden units can learn all of them by heart."""
STACK = 60
"""Test images that are multiplied at a time: with more, BLAS starts threads, which lose time on a busy machine."""

HELD_BACK = 360
"""As many more of the training images are held back: early stopping chooses by their loss, and never sees the test."""

Drop = Callable[[tr.Tensor], Any]
"""From the activations of the hidden layer to what the next one reads."""


class Classifier:
    """64 grey levels, a layer of ReLUs with dropout, ten classes. Equal seeds give equal weights."""

    def __init__(self, *, hidden: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        with tr.scope("hidden"):
            self.W1 = tr.parameter(np.sqrt(2 / 64) * rng.normal(size=(64, hidden)), name="W1")
            self.b1 = tr.parameter(np.zeros(hidden), name="b1")
        with tr.scope("output"):
            self.W2 = tr.parameter(np.sqrt(2 / hidden) * rng.normal(size=(hidden, 10)), name="W2")
            self.b2 = tr.parameter(np.zeros(10), name="b2")

    def parameters(self) -> list[tr.Parameter]:
        """What is trained."""
        return [self.W1, self.b1, self.W2, self.b2]

    def loss(
        self, images: Array, digit: Array, drop: Drop
    ) -> tuple[tr.Tensor, dict[str, tr.Tensor]]:
        """The cross-entropy of a batch, and the output of every layer by its name."""
        x = tr.constant(images)
        labels = tr.constant(digit)
        with tr.scope("hidden"):
            z = x @ self.W1 + self.b1
            a = tr.relu(z)
        atilde = drop(a)
        with tr.scope("output"):
            logits = atilde @ self.W2 + self.b2
        loss = tr.cross_entropy(logits, labels)
        return loss, {"hidden": a, "dropout": atilde, "logits": logits}

    def at_test(self, images: Array, p: float) -> Array:
        """The logits without dropout, the activations scaled by p.  images: float (n, 64), n a multiple of 60."""
        stacks = images.reshape(-1, STACK, 64)
        with np.errstate(all="ignore"):  # a training that goes astray is seen in its loss
            a = np.maximum(stacks @ self.W1.value + self.b1.value, 0)
            logits: Array = p * a @ self.W2.value + self.b2.value
        return logits.reshape(-1, 10)


def lecture_form(p: float, training: bool, rng: np.random.Generator) -> Drop:
    """r a, where r ~ Bernoulli(p) in training, and its expectation p in the test.  p: the probability to stay."""

    def drop(a: tr.Tensor) -> tr.Tensor:
        with tr.scope("dropout"):
            mask = rng.random(a.shape) < p
            r = tr.constant(mask.astype(float) if training else p)
            atilde = r * a
        return atilde

    return drop


def first_batch(noise: float, seed: int) -> tuple[Array, Array]:
    """The first images of the training set, and their labels, a share of which is wrong."""
    images, labels = training_set(noise, seed)
    return images[:BATCH], labels[:BATCH]


def validation_set() -> tuple[Array, Array]:
    """Images held back from the training, and their labels, all right: those behind the ones that are trained on."""
    data, held = digits(), slice(IMAGES, IMAGES + HELD_BACK)
    return data.train_images[held], data.train_labels[held]


def training_set(noise: float, seed: int) -> tuple[Array, Array]:
    """A few hundred images; every label is drawn anew with the probability `noise`, so that some of them are wrong."""
    rng = np.random.default_rng(seed)
    data = digits()
    labels = data.train_labels[:IMAGES]
    drawn = rng.integers(0, 10, IMAGES)
    return data.train_images[:IMAGES], np.where(rng.random(IMAGES) < noise, drawn, labels)


def dropout(
    p: float = P, training: bool = True, lr: float = LR, hidden: int = HIDDEN,
    noise: float = NOISE, seed: int = 0,
) -> tr.Tensor:  # fmt: skip
    """The first step of the training; or, with training=False, the same network in use."""
    drop = lecture_form(p, training, np.random.default_rng(seed))
    loss, _ = Classifier(hidden=hidden, seed=seed).loss(*first_batch(noise, seed), drop)
    return loss


def inverted(
    p: float = P, training: bool = True, hidden: int = HIDDEN, noise: float = NOISE, seed: int = 0
) -> tr.Tensor:
    """PyTorch's form, one operation: p is the share that is dropped, and what stays is divided by 1 - p in training."""

    def drop(a: tr.Tensor) -> Any:
        atilde = tr.dropout(a, p, training=training, seed=seed)
        return atilde

    loss, _ = Classifier(hidden=hidden, seed=seed).loss(*first_batch(noise, seed), drop)
    return loss
