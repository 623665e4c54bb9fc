"""Batch normalisation in small primitives, fused, and by hand; on four samples and on a batch of real digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.normalisation.identities import OF_SMALL_STEPS, as_in_small_steps

Normalise = Callable[[Any, Any, Any, float], tr.Tensor]
"""From x, gamma, beta and eps to y."""

EPS = 1e-5
BATCH = 64
DIGITS_FILE = Path(__file__).parents[1] / "data" / "digits.npz"


def small_steps(x: Any, gamma: Any, beta: Any, eps: float) -> tr.Tensor:
    """y = γ x̂ + β in the lines of the lecture. x: float (batch, features); gamma, beta: (features,)."""
    with tr.scope("batchnorm"):
        with tr.scope("statistics"):
            mu = tr.mean(x, axis=0)
            centred = x - mu
            var = tr.mean(tr.square(centred), axis=0)
        with tr.scope("normalise"):
            std = tr.sqrt(var + eps)
            xhat = centred / std
        with tr.scope("scale"):
            y = gamma * xhat + beta
    return y


def one_node(x: Any, gamma: Any, beta: Any, eps: float) -> tr.Tensor:
    """The same as one fused operation, whose rule is simplified on paper."""
    y = tr.batch_norm(x, gamma, beta, eps=eps)
    return y


def own_rule(x: Any, gamma: Any, beta: Any, eps: float) -> tr.Tensor:
    """The same as an operation that we declare ourselves, whose rule is the paper's six lines."""
    from gallery.normalisation.six_lines import batch_norm_by_hand

    y = batch_norm_by_hand(x, gamma, beta, eps=eps)
    return y


def four_samples(normalise: Normalise, eps: float = EPS) -> tr.Tensor:
    """Four samples of two features, a scale and shift for each, and a squared error to have a gradient."""
    x = tr.tensor([[1.2, -0.3], [0.4, 0.9], [-0.5, 0.2], [2.1, -1.4]])
    gamma = tr.parameter([1.5, 0.5])
    beta = tr.parameter([0.1, -0.2])
    target = tr.constant([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, -1.0]])
    y = normalise(x, gamma, beta, eps)
    loss = tr.mse_loss(y, target)
    return loss


def batchnorm(eps: float = EPS) -> tr.Tensor:
    """Small primitives on four samples: every line of the backward pass can be seen."""
    return four_samples(small_steps, eps)


def fused(eps: float = EPS) -> tr.Tensor:
    """One fused operation on the same samples; stepping into it shows its parts."""
    return four_samples(one_node, eps)


def by_hand(eps: float = EPS) -> tr.Tensor:
    """An operation with a derivative written by hand, on the same samples."""
    return four_samples(own_rule, eps)


def classifier(normalise: Normalise, eps: float = EPS, batch: int = BATCH) -> tr.Tensor:
    """A classifier of 8x8 digits with batch normalisation before its hidden sigmoid."""
    with np.load(DIGITS_FILE) as file:
        images, labels = file["images"][:batch], file["labels"][:batch]
    rng = np.random.default_rng(0)
    x = tr.constant(images.reshape(-1, 64) / 16)
    labels = tr.constant(labels.astype(int))
    W1 = tr.parameter(rng.normal(size=(64, 16)) / 8)
    gamma, beta = tr.parameter(np.ones(16)), tr.parameter(np.zeros(16))
    W2 = tr.parameter(rng.normal(size=(16, 10)) / 4)
    b2 = tr.parameter(np.zeros(10))
    z = x @ W1
    y = normalise(z, gamma, beta, eps)
    h = tr.sigmoid(y)
    logits = h @ W2 + b2
    loss = tr.cross_entropy(logits, labels)
    return loss


def digits(eps: float = EPS, batch: int = BATCH) -> tr.Tensor:
    """Small primitives again, inside a network and on real images."""
    return classifier(small_steps, eps, batch)


SOURCE = (
    "Ioffe & Szegedy 2015, section 3; Farrahi & Hare, BatchNorm and RNNs (Southampton 2019); "
    "Topics in Deep Learning: Batch Normalization (PES)"
)

DERIVATION = """\
# Ioffe & Szegedy 2015, section 3: the backward pass of batch normalisation in six lines.
m = len(x)
eps = std**2 - var
dL/dxhat  = dL/dy * gamma
dL/dvar   = sum(dL/dxhat * (x - mu), axis=0) * (-1/2) * (var + eps)**(-3/2)
dL/dmu    = sum(dL/dxhat * (-1 / sqrt(var + eps)), axis=0) + dL/dvar * sum(-2 * (x - mu), axis=0) / m
dL/dx     = dL/dxhat / sqrt(var + eps) + dL/dvar * 2 * (x - mu) / m + dL/dmu / m
dL/dgamma = sum(dL/dy * xhat, axis=0)
dL/dbeta  = sum(dL/dy, axis=0)
"""

DIGITS_DERIVATION = """\
# Softmax and cross-entropy, a linear layer, a sigmoid; the six lines with z for x; a linear layer.
m = len(x)
eps = std**2 - var
dL/dlogits = (softmax(logits, axis=1) - eye(10)[labels]) / m
dL/dW2     = h.T @ dL/dlogits
dL/db2     = sum(dL/dlogits, axis=0)
dL/dh      = dL/dlogits @ W2.T
dL/dy      = dL/dh * h * (1 - h)
dL/dxhat   = dL/dy * gamma
dL/dvar    = sum(dL/dxhat * (z - mu), axis=0) * (-1/2) * (var + eps)**(-3/2)
dL/dmu     = sum(dL/dxhat * (-1 / sqrt(var + eps)), axis=0) + dL/dvar * sum(-2 * (z - mu), axis=0) / m
dL/dz      = dL/dxhat / sqrt(var + eps) + dL/dvar * 2 * (z - mu) / m + dL/dmu / m
dL/dgamma  = sum(dL/dy * xhat, axis=0)
dL/dbeta   = sum(dL/dy, axis=0)
dL/dW1     = x.T @ dL/dz
"""

COMPACT_DERIVATION = """\
# The six lines put into each other: what is left once the terms are gathered.
m = len(x)
mu = mean(x, axis=0)
var = mean((x - mu)**2, axis=0)
xhat = (x - mu) / sqrt(var + eps)
dL/dy     = 2 * (y - target) / y.size
dL/dgamma = sum(dL/dy * xhat, axis=0)
dL/dbeta  = sum(dL/dy, axis=0)
dL/dx     = gamma / (m * sqrt(var + eps)) * (m * dL/dy - dL/dbeta - xhat * dL/dgamma)
"""

SIX_LINES_ALONE = """\
# One node hides mu, var and xhat: they are computed again, then the six lines follow.
m = len(x)
mu = mean(x, axis=0)
var = mean((x - mu)**2, axis=0)
xhat = (x - mu) / sqrt(var + eps)
dL/dy     = 2 * (y - target) / y.size
dxhat     = dL/dy * gamma
dvar      = sum(dxhat * (x - mu), axis=0) * (-1/2) * (var + eps)**(-3/2)
dmu       = sum(dxhat * (-1 / sqrt(var + eps)), axis=0) + dvar * sum(-2 * (x - mu), axis=0) / m
dL/dx     = dxhat / sqrt(var + eps) + dvar * 2 * (x - mu) / m + dmu / m
dL/dgamma = sum(dL/dy * xhat, axis=0)
dL/dbeta  = sum(dL/dy, axis=0)
"""

EPS_KNOB = Knob("eps", EPS, "keeps the root away from zero: std = sqrt(var + eps)", 0.0, 10.0)

BATCHNORM = Entry(
    name="batchnorm",
    build=batchnorm,
    caption="batch normalisation in small primitives: the variance and the mean are routes of their own",
    source=SOURCE,
    facts=OF_SMALL_STEPS,
    derivation=DERIVATION,
    knobs=(EPS_KNOB,),
    orders=("run loss", "run centred"),
)

FUSED = Entry(
    name="batchnorm:fused",
    build=fused,
    caption="the same as one fused operation, which opens into its parts",
    source=SOURCE,
    facts=as_in_small_steps(batchnorm),
    derivation=COMPACT_DERIVATION,
    knobs=(EPS_KNOB,),
    orders=("run loss", "run y"),
)

BY_HAND = Entry(
    name="batchnorm:by_hand",
    build=by_hand,
    caption="the same as an operation of our own, whose rule is the paper's six lines",
    source=SOURCE,
    facts=as_in_small_steps(batchnorm),
    derivation=SIX_LINES_ALONE,
    knobs=(EPS_KNOB,),
    orders=("run loss", "run x"),
)

DIGITS = Entry(
    name="batchnorm:digits",
    build=digits,
    caption="batch normalisation inside a classifier of handwritten digits, on a batch of 64 images",
    source=SOURCE + "; images: UCI optical recognition of handwritten digits (CC BY 4.0)",
    derivation=DIGITS_DERIVATION,
    knobs=(
        EPS_KNOB,
        Knob("batch", BATCH, "how many images are normalised together", 2, BATCH),
    ),
    orders=("run loss", "run xhat"),
)
