"""The entries of dropout: the lecture's form, which trains, and PyTorch's."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from gallery.regularisation.dropout import BATCH, HIDDEN, LR, NOISE, P, dropout, inverted
from gallery.regularisation.overfitting import plots, run
from gallery.training import Training

SOURCE = (
    "Bajwa, NLP CS-472: Review of Neural Networks (NUST 2023); Abbeel & Dragan, CS188 Deep Learning II (Berkeley); "
    "Srivastava et al. 2014"
)


def received_by_dropped(trace: tr.Trace) -> float:
    """The largest gradient of an activation that was dropped."""
    gradient = trace.gradient("a")
    assert gradient is not None
    return float(np.abs(gradient[trace.value("r") == 0]).max())


def of_those_that_stay(trace: tr.Trace) -> float:
    """By what PyTorch's form multiplies the activations that stay."""
    a, atilde = trace.value("a"), trace.value("atilde")
    ratios = atilde[atilde > 0] / a[atilde > 0]
    return float(ratios.mean())


KNOBS = (
    Knob("training", True, "whether units are dropped, or all of them are used"),
    Knob("hidden", HIDDEN, "units of the hidden layer", 1, 2000),
    Knob("noise", NOISE, "share of the training images whose label is drawn at random", 0.0, 1.0),
    Knob("seed", 0, "random seed of weights, masks and wrong labels", 0),
)

BACKWARD = """\
m = len(x)
dL/dlogits = (softmax(logits, axis=1) - eye(10)[labels]) / m
dL/dW2     = atilde.T @ dL/dlogits
dL/db2     = sum(dL/dlogits, axis=0)
dL/datilde = dL/dlogits @ W2.T
{through}
dL/dW1     = x.T @ dL/dz
dL/db1     = sum(dL/dz, axis=0)
"""

DROPOUT = Entry(
    name="dropout",
    build=dropout,
    caption="training drops each hidden unit with probability 1 - p, and with it its gradient; the test scales by p",
    source=SOURCE,
    facts=(
        Fact(
            "share of the activations that stay",
            "0.5",
            lambda trace: float(trace.value("r").mean()),
            lambda: (P, np.sqrt(P * (1 - P) / (BATCH * HIDDEN))),
        ),
        Fact("largest gradient of an activation that was dropped", "0.0", received_by_dropped),
    ),
    derivation="# atilde = r * a: what is dropped sends nothing on, and receives nothing.\n"
    + BACKWARD.format(through="dL/da      = dL/datilde * r\ndL/dz      = dL/da * (z > 0)"),
    knobs=(
        Knob("p", P, "the probability of a unit to stay", 0.0, 1.0),
        Knob("lr", LR, "learning rate", 0.0, 100.0),
        *KNOBS,
    ),
    orders=("run loss", "run a"),
    training=Training(
        run,
        steps=2000,
        keep=(1, 10, 100, 1000),
        plots=plots,
        claim="dropout keeps a network from learning its training set by heart: less accuracy there, more in the test; "
        "early stopping goes back to where the loss on a third set of images, held back from both, was least",
    ),
)

INVERTED = Entry(
    name="dropout:inverted",
    build=inverted,
    caption="PyTorch's form: drop with probability p, divide by 1 - p in training, and leave the test alone",
    source=SOURCE,
    facts=(Fact("what stays is multiplied by 1 / (1 - p)", "2.0000", of_those_that_stay),),
    derivation="# atilde = a / (1 - p) where it is not zero: there a unit was active and stayed.\n"
    + BACKWARD.format(through="dL/dz      = dL/datilde * (atilde > 0) / (1 - p)"),
    knobs=(Knob("p", P, "the probability of a unit to be dropped", 0.0, 0.99), *KNOBS),
    orders=("run loss", "run a"),
)
