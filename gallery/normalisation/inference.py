"""Batch normalisation in use: running averages stand where the statistics of the batch stood."""

from __future__ import annotations

from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from gallery.normalisation.batchnorm import EPS, EPS_KNOB, SOURCE, four_samples
from gallery.normalisation.identities import routes_to_x, sum_over_batch
from tracer.plots import Array

ALPHA, BATCHES = 0.1, 50
"""How far one batch moves the running averages, and how many batches have been seen in training."""
MEAN, STD = (0.8, -0.15), (1.0, 0.85)
"""What the batches of the training were drawn from."""


def running_averages(alpha: float) -> tuple[Array, Array]:
    """Mean and variance, each r <- alpha * batch + (1 - alpha) * r, over batches of four; from 0 and 1 at first.

    Returns: two float (2,).
    """
    rng = np.random.default_rng(2015)
    mean, var = np.zeros(2), np.ones(2)
    for _ in range(BATCHES):
        batch = rng.normal(MEAN, STD, size=(4, 2))
        mean = alpha * batch.mean(axis=0) + (1 - alpha) * mean
        var = alpha * batch.var(axis=0) + (1 - alpha) * var
    return mean, var


def inference(eps: float = EPS, alpha: float = ALPHA) -> tr.Tensor:
    """The four samples of `batchnorm`, each normalised by what training has left, not by its neighbours."""

    def fixed(x: Any, gamma: Any, beta: Any, eps: float) -> tr.Tensor:
        running_mean, running_var = running_averages(alpha)
        mu = tr.constant(running_mean)
        var = tr.constant(running_var)
        with tr.scope("batchnorm"):
            with tr.scope("normalise"):
                std = tr.sqrt(var + eps)
                xhat = (x - mu) / std
            with tr.scope("scale"):
                y = gamma * xhat + beta
        return y

    return four_samples(fixed, eps)


INFERENCE = Entry(
    name="batchnorm:inference",
    build=inference,
    caption="at inference running averages replace the batch's statistics: of four routes to x one is left",
    source=SOURCE,
    facts=(
        Fact("routes from the loss to x (in training: 4)", "1", routes_to_x),
        Fact("sum of dL/dx over the batch (in training: 0)", "0.4712 -0.1584", sum_over_batch),
    ),
    values={"mu": "0.5021 -0.0675", "var": "0.5117 0.6320"},
    derivation="""\
# mu and var are constants now: the lines of dL/dvar and dL/dmu are gone, and two of the three terms of dL/dx with them.
dL/dy     = 2 * (y - target) / y.size
dL/dxhat  = dL/dy * gamma
dL/dx     = dL/dxhat / std
dL/dgamma = sum(dL/dy * xhat, axis=0)
dL/dbeta  = sum(dL/dy, axis=0)
""",
    note="the running averages are those of fifty batches of four: mean <- alpha * batch mean + (1 - alpha) * mean",
    knobs=(
        EPS_KNOB,
        Knob("alpha", ALPHA, "how far one batch moves the running averages", 0.0, 1.0),
    ),
    orders=("run loss", "run x"),
)
