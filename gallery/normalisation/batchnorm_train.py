"""Training on digits with and without batch normalisation: both halves of figure 1 of Ioffe & Szegedy 2015."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

import tracer as tr
from gallery.digits import digits
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.normalisation.batchnorm import EPS, EPS_KNOB
from gallery.normalisation.sigmoids import INITIAL, Sigmoids
from gallery.training import History, Moment, Training
from tracer.plots import Array, Axis, Band, Curve, Plot

LR, BATCH, HIDDEN = 0.5, 60, 60
STACK = 60
"""Test images that are multiplied at a time: with more, BLAS starts threads, which lose time on a busy machine."""
EVERY = 10
"""At every such step the networks are measured on the test images."""
PERCENTILES = (15, 50, 85)
UNIT = 0
"""The sigmoid of the last hidden layer whose input is followed: the first one, not one that was picked."""
NETWORKS = ("with BN", "without BN")
DRAWN = tuple(f"{percent} % {name}" for percent in PERCENTILES for name in NETWORKS)
"""The measures that are for the plot."""


def batchnorm_train(
    bn: bool = True, lr: float = LR, batch: int = BATCH, hidden: int = HIDDEN, eps: float = EPS,
    seed: int = 0,
) -> tr.Tensor:  # fmt: skip
    """The first step of the training: the loss of the first batch."""
    network = Sigmoids(bn=bn, hidden=hidden, eps=eps, seed=seed)
    loss, _ = network.loss(*next(batches(batch, seed)))
    return loss


def batches(batch: int, seed: int) -> Iterator[tuple[Array, Array]]:
    """Images and labels of one batch after the other; all images once, in a new order, then again."""
    data = digits()
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(data.train_labels))
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            yield data.train_images[chosen], data.train_labels[chosen]


def run(
    bn: bool = True, lr: float = LR, batch: int = BATCH, hidden: int = HIDDEN, eps: float = EPS,
    seed: int = 0,
) -> Iterator[Moment]:  # fmt: skip
    """Train both networks side by side, from equal weights and on equal batches; `bn` says whose loss is shown."""
    networks = [Sigmoids(bn=each, hidden=hidden, eps=eps, seed=seed) for each in (True, False)]
    optimisers = [tr.optim.SGD(each.parameters(), lr=lr) for each in networks]
    for step, (images, labels) in enumerate(batches(batch, seed), 1):
        recorded = []
        for network, optimiser in zip(networks, optimisers, strict=True):
            recorded.append(network.loss(images, labels))
            optimiser.zero_grad()
            recorded[-1][0].backward()
            optimiser.step()
        loss, layers = recorded[0 if bn else 1]
        measured = measures(networks) if step == 1 or step % EVERY == 0 else {}
        yield Moment(loss, measured, layers)


def measures(networks: list[Sigmoids]) -> Mapping[str, float]:
    """Test accuracy of both networks, and the percentiles of what one sigmoid of the last layer receives."""
    data, found = digits(), {}
    images = data.test_images.reshape(-1, STACK, 64)
    for name, network in zip(NETWORKS, networks, strict=True):
        logits, inputs = network.at_inference(images)
        found[f"accuracy {name}"] = float(
            np.mean(logits.argmax(axis=-1).ravel() == data.test_labels)
        )
        for percent, number in zip(
            PERCENTILES, np.percentile(inputs[..., UNIT], PERCENTILES), strict=True
        ):
            found[f"{percent} % {name}"] = float(number)
    return found


def plots(history: History, **settings: object) -> tuple[Plot, ...]:
    """Figure 1 of the paper: a, test accuracy by step; b and c, the input of a sigmoid without BN and with it."""
    accuracies = [
        Curve(name, *history.measures[f"accuracy {name}"], dashed=name == "without BN")
        for name in NETWORKS
    ]
    drawn = [
        Plot(
            "test accuracy",
            accuracies,
            Axis("optimiser step"),
            Axis("accuracy", low=0.0, high=1.0),
            "With batch normalisation fewer steps lead to the same accuracy.",
        )
    ]
    inputs = {
        name: [history.measures[f"{percent} % {name}"] for percent in PERCENTILES]
        for name in NETWORKS
    }
    ends = [numbers for each in inputs.values() for _, numbers in each]
    low, high = float(np.floor(np.min(ends))), float(np.ceil(np.max(ends)))
    for name in reversed(NETWORKS):
        (steps, lower), (_, middle), (_, upper) = inputs[name]
        drawn.append(
            Plot(
                f"input of a sigmoid, {name}",
                (
                    Band(f"{PERCENTILES[0]} to {PERCENTILES[-1]} %", steps, lower, upper),
                    Curve("median", steps, middle),
                ),
                Axis("optimiser step"),
                Axis("input", low=low, high=high),
                "Percentiles over the test images, of the first sigmoid of the last hidden layer.",
            )
        )
    return tuple(drawn)


CLAIM = (
    "Ioffe & Szegedy 2015, figure 1: (a) the test accuracy of the network trained with and without batch "
    "normalisation, which helps to train faster and to a higher accuracy; (b, c) the input of a typical sigmoid as "
    "{15, 50, 85}th percentiles, which batch normalisation makes more stable"
)

DERIVATION = """\
# With bn=yes: softmax and cross-entropy, a product, a sigmoid; then the third batch normalisation, in compact form.
m = len(x)
dL/dlogits = (softmax(logits, axis=1) - eye(10)[labels]) / m
dL/db4     = sum(dL/dlogits, axis=0)
dL/dW4     = h[3].T @ dL/dlogits
dL/dh[3]   = dL/dlogits @ W4.T
dL/dy[3]   = dL/dh[3] * h[3] * (1 - h[3])
mu, var    = mean(z[3], axis=0), var(z[3], axis=0)
xhat       = (z[3] - mu) / sqrt(var + eps)
dL/dbeta3  = sum(dL/dy[3], axis=0)
dL/dgamma3 = sum(dL/dy[3] * xhat, axis=0)
dL/dz[3]   = gamma3 / (m * sqrt(var + eps)) * (m * dL/dy[3] - dL/dbeta3 - xhat * dL/dgamma3)
dL/dW3     = h[2].T @ dL/dz[3]
"""

BATCHNORM_TRAIN = Entry(
    name="batchnorm_train",
    build=batchnorm_train,
    caption="three layers of sigmoids on digits: with batch normalisation 90 % are right in a fifth of the steps",
    source="Ioffe & Szegedy 2015, figure 1; Farrahi & Hare, BatchNorm and RNNs (Southampton 2019); "
    "Simion, Lecture 4: Neural networks (Columbia 2023)",
    derivation=DERIVATION,
    knobs=(
        Knob("bn", True, "whether the network that is shown is normalised; both are trained"),
        Knob("lr", LR, "learning rate", 0.0, 100.0),
        Knob("batch", BATCH, "images in a batch", 2, 1437),
        Knob("hidden", HIDDEN, "sigmoids in each of the three layers", 1, 1000),
        EPS_KNOB,
        Knob("seed", 0, "random seed of the weights and of the order of the images", 0),
    ),
    note="what opens is the first step of one of two networks: gradstep train batchnorm_train trains both and draws "
    "the figure. Where the paper has 28x28 binary images, layers of 100 sigmoids and small weights, ours are 8x8 grey "
    f"levels, {HIDDEN} sigmoids and weights of standard deviation {INITIAL:g}",
    orders=("end", "view layers"),
    training=Training(
        run, steps=1000, keep=(1, 10, 100, 1000), plots=plots, claim=CLAIM, drawn=DRAWN
    ),
)
