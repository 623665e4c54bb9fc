"""Mini-batches of size 1 to k: how noisy their gradients are, and what shuffling does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

import tracer as tr
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.training import Moment, Training
from tracer.plots import Array, Axis, Curve, Plot

ROWS = 64


def data() -> tuple[Array, Array]:
    """A line with noise, sorted by x, as files often are. Returns: x, y, float (64,)."""
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, ROWS)
    return x, 2 * x - 0.5 + 1.5 * x**2 + rng.normal(size=ROWS) * 0.5


def loss_of(W: tr.Parameter, b: tr.Parameter, rows: Array) -> tr.Tensor:  # noqa: N803
    """Mean squared error of yhat = W x + b on some rows."""
    x, y = (tr.constant(each[rows], name=name) for each, name in zip(data(), "xy", strict=True))
    yhat = W * x + b
    loss = tr.mse_loss(yhat, y)
    return loss


def batches(batch: int, shuffle: bool, seed: int) -> Iterator[Array]:
    """The rows of one batch after the other; every epoch uses each row once, in a new order if shuffled."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(ROWS) if shuffle else np.arange(ROWS)
        for first in range(0, ROWS, batch):
            yield order[first : first + batch]


def first_batch(batch: int = 8, shuffle: bool = True, lr: float = 0.1, seed: int = 0) -> tr.Tensor:
    """The loss of the first mini-batch. lr: the learning rate of the training."""
    W, b = tr.parameter(0.0), tr.parameter(0.0)
    return loss_of(W, b, next(batches(batch, shuffle, seed)))


def descent(
    batch: int = 8, shuffle: bool = True, lr: float = 0.1, seed: int = 0
) -> Iterator[Moment]:
    """A step for each mini-batch; measured is the loss over all rows."""
    W, b = tr.parameter(0.0, name="W"), tr.parameter(0.0, name="b")
    optimizer = tr.optim.SGD([W, b], lr)
    x, y = data()
    for rows in batches(batch, shuffle, seed):
        optimizer.zero_grad()
        loss = loss_of(W, b, rows)
        loss.backward()
        optimizer.step()
        with np.errstate(all="ignore"):  # a rate that is too large ends in infinity
            whole = float(np.mean((W.value * x + b.value - y) ** 2))
        yield Moment(loss, {"loss of all rows": whole})


def plots(batch: int = 8, shuffle: bool = True, lr: float = 0.1, seed: int = 0) -> tuple[Plot, ...]:
    """The loss of all rows by epoch for several sizes and orders; and how noisy the gradient is, by size."""
    curves = []
    for size, mixed in dict.fromkeys(
        [(1, True), (8, True), (8, False), (ROWS, True), (batch, shuffle)]
    ):
        moments = list(islice(descent(size, mixed, lr, seed), 4 * -(-ROWS // size)))
        losses = [each.measures["loss of all rows"] for each in moments]
        epochs = np.arange(1, len(losses) + 1) * size / ROWS
        label = f"{size} {'row' if size == 1 else 'rows'}{'' if mixed else ', not shuffled'}"
        curves.append(Curve(label, epochs, losses, dashed=not mixed))
    sizes = np.array([1, 2, 4, 8, 16, 32])
    measured = noise(sizes)
    left = np.sqrt((ROWS - sizes) / (ROWS - 1))
    return (
        Plot("loss of all rows by epoch", curves, Axis("epoch"), Axis(scale="log")),
        Plot(
            "standard deviation of a batch's gradient, by its size",
            [
                Curve("measured", sizes, measured),
                Curve("1/√k", sizes, measured[0] / np.sqrt(sizes), dashed=True),
                Curve(
                    "√((N − k)/(N − 1)) / √k",
                    sizes,
                    measured[0] * left / np.sqrt(sizes),
                    dashed=True,
                ),
            ],
            Axis("rows in a batch", scale="log"),
            Axis(scale="log"),
            note="no row comes twice in an epoch: the more of the N rows a batch holds, the less is left to chance",
        ),
    )


def noise(sizes: Array, epochs: int = 500) -> Array:
    """Standard deviation of dL/dW over the shuffled mini-batches of some epochs, W = b = 0, by their size."""
    x, y = data()
    each = -2 * x * y  # dL/dW of one row
    found = []
    for k in sizes:
        drawn = islice(batches(int(k), True, 0), epochs * (ROWS // int(k)))
        found.append(each[np.array(list(drawn))].mean(axis=1).std())
    return np.array(found)


MINIBATCHES = Entry(
    name="optimizers:minibatches",
    build=first_batch,
    caption="mini-batches of a regression: the noise of the gradient falls as 1/sqrt(k), and to zero for all 64 rows",
    source="Bajwa, NLP CS-472 (NUST 2023); Simion, Lecture 4 (Columbia 2023): SGD with mini-batches",
    derivation="""\
k = len(x)
dL/dyhat = 2 * (yhat - y) / k
dL/dW = sum(dL/dyhat * x)
dL/db = sum(dL/dyhat)
""",
    knobs=(
        Knob("batch", 8, "rows in a mini-batch", low=1, high=ROWS),
        Knob("shuffle", True, "a new order in every epoch; the rows are sorted"),
        Knob("lr", 0.1, "learning rate", low=0.0),
        Knob("seed", 0, "random seed of the order", low=0),
    ),
    note=(
        "small batches make many noisy steps; rows in sorted order pull to one side, then to the other: "
        "gradstep plot optimizers:minibatches"
    ),
    orders=("continue", "select yhat", "view tensor"),
    plots=plots,
    training=Training(
        descent,
        steps=80,
        keep=(1, 10, 80),
    ),
)
