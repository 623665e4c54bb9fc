"""Three hidden layers of sigmoids over 8x8 digits, with batch normalisation before each of them or without."""

from __future__ import annotations

from typing import Any

import numpy as np

import tracer as tr
from tracer.plots import Array

LAYERS = 3
ALPHA = 0.1
"""How far one batch moves the running averages."""
INITIAL = 0.3
"""The standard deviation of the initial weights: with less, the network without normalisation does not start at all."""


class Sigmoids:
    """In the manner of Ioffe & Szegedy 2015, section 4.1: 64 grey levels, three layers of sigmoids, ten classes.

    Equal seeds give equal weights, with normalisation and without: gamma is then left out, and beta is the bias.
    """

    def __init__(self, *, bn: bool, hidden: int, eps: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.bn, self.eps = bn, eps
        self.W: list[tr.Parameter] = []
        self.gamma: list[tr.Parameter] = []
        self.beta: list[tr.Parameter] = []
        for k in range(1, LAYERS + 1):
            fan_in = 64 if k == 1 else hidden
            with tr.scope("layer", k=k):
                W = tr.parameter(INITIAL * rng.normal(size=(fan_in, hidden)), name=f"W{k}")
                self.W.append(W)
                self.gamma.append(tr.parameter(np.ones(hidden), name=f"gamma{k}"))
                self.beta.append(tr.parameter(np.zeros(hidden), name=f"beta{k}"))
        with tr.scope("output"):
            self.last = tr.parameter(INITIAL * rng.normal(size=(hidden, 10)), name="W4")
            self.bias = tr.parameter(np.zeros(10), name="b4")
        self.running: list[tuple[Array, Array]] = []

    def parameters(self) -> list[tr.Parameter]:
        """What is trained."""
        scales = self.gamma if self.bn else []
        return [*self.W, *scales, *self.beta, self.last, self.bias]

    def loss(self, images: Array, digits: Array) -> tuple[tr.Tensor, dict[str, tr.Tensor]]:
        """The cross-entropy of a batch, with statistics of the batch; and the output of every layer by its name."""
        x = tr.constant(images)
        labels = tr.constant(digits)
        h: Any = x
        layers, statistics = {}, []
        for k, (W, gamma, beta) in enumerate(zip(self.W, self.gamma, self.beta, strict=True), 1):
            with tr.scope("layer", k=k):
                z = h @ W
                h = tr.sigmoid(self._input(z, gamma, beta))
            layers[f"layer {k}"] = h
            statistics.append((z.value.mean(axis=0), z.value.var(axis=0)))
        with tr.scope("output"):
            logits = h @ self.last + self.bias
        layers["logits"] = logits
        loss = tr.cross_entropy(logits, labels)
        self._remember(statistics)
        return loss, layers

    def _input(self, z: tr.Tensor, gamma: tr.Parameter, beta: tr.Parameter) -> tr.Tensor:
        """What the sigmoids of a layer receive in training."""
        if self.bn:
            y = tr.batch_norm(z, gamma, beta, eps=self.eps)
            return y
        y = z + beta
        return y

    def _remember(self, batch: list[tuple[Array, Array]]) -> None:
        """Move the running averages, mean <- alpha * batch mean + (1 - alpha) * mean; the first batch starts them."""
        before = self.running or batch
        self.running = [
            (ALPHA * mean + (1 - ALPHA) * old_mean, ALPHA * var + (1 - ALPHA) * old_var)
            for (mean, var), (old_mean, old_var) in zip(batch, before, strict=True)
        ]

    def at_inference(self, images: Array) -> tuple[Array, Array]:
        """The logits, and the inputs of the last layer's sigmoids, with the running averages as statistics.

        images: float (..., n, 64).  Returns: float (..., n, 10) and float (..., n, hidden).
        """
        h: Any = images
        with np.errstate(all="ignore"):  # a training that goes astray is seen in its loss
            for W, gamma, beta, (mean, var) in zip(
                self.W, self.gamma, self.beta, self.running, strict=True
            ):
                z = h @ W.value
                if self.bn:
                    z = gamma.value * (z - mean) / np.sqrt(var + self.eps)
                y = z + beta.value
                h = tr.sigmoid(y)
            return h @ self.last.value + self.bias.value, y
