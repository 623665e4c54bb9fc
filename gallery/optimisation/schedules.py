"""Learning rates that fall: five ways, on the ravine with a gradient that is noisy, as that of a mini-batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.optimisation.surfaces import SURFACES, loss_at
from gallery.training import Moment, Training
from tracer.plots import Array, Axis, Curve, Plot

EPOCHS, PER_EPOCH = 40, 5
NOISE = 1.0
"""Standard deviation of what is added to each element of the gradient."""
BY_HAND = {10: 0.5, 20: 0.1, 30: 0.01}
"""From which epoch which share of the first rate, as somebody who watches the loss might set it."""

SCHEDULES: dict[str, Callable[[tr.optim.Optimizer], Any] | None] = {
    "constant": None,
    "manual": None,
    "staircase": lambda optimizer: tr.optim.StepLR(optimizer, 5, 0.5),
    "inverse": lambda optimizer: tr.optim.InverseTimeLR(optimizer, 0.1),
    "exponential": lambda optimizer: tr.optim.ExponentialLR(optimizer, float(np.exp(-0.1))),
    "conditional": lambda optimizer: tr.optim.ReduceLROnPlateau(optimizer, "min", 0.5, 2),
}
"""Halved every 5 epochs; a0 / (1 + 0.1 epoch); a0 exp(-0.1 epoch); halved after 3 epochs without a better loss."""


def start(schedule: str = "inverse", lr: float = 0.05, seed: int = 0) -> tr.Tensor:
    """The loss at the point where the descent starts."""
    w = tr.parameter(SURFACES["ravine"].start)
    return loss_at(w, "ravine")


def descent(schedule: str = "inverse", lr: float = 0.05, seed: int = 0) -> Iterator[Moment]:
    """Noisy gradient descent, five steps an epoch; the schedule sets the rate after each."""
    rng = np.random.default_rng(seed)
    w = tr.parameter(SURFACES["ravine"].start)
    optimizer = tr.optim.SGD([w], lr)
    make = SCHEDULES[schedule]
    rates = make(optimizer) if make else None
    seen: list[float] = []
    while True:
        optimizer.zero_grad()
        loss = loss_at(w, "ravine")
        loss.backward()
        w.grad = np.asarray(w.grad) + NOISE * rng.normal(size=2)
        rate = optimizer.lr
        optimizer.step()
        seen.append(float(loss.value))
        epoch, rest = divmod(len(seen), PER_EPOCH)
        if not rest:
            if schedule == "manual" and epoch in BY_HAND:
                optimizer.lr = lr * BY_HAND[epoch]
            elif isinstance(rates, tr.optim.ReduceLROnPlateau):
                rates.step(float(np.mean(seen[-PER_EPOCH:])))
            elif rates:
                rates.step()
        yield Moment(loss, {"learning rate": rate})


def run(schedule: str, lr: float, seed: int) -> tuple[Array, Array]:
    """Learning rate and mean loss of each epoch. Returns: float (40,) and (40,)."""
    moments = list(islice(descent(schedule, lr, seed), EPOCHS * PER_EPOCH))
    rates = [each.measures["learning rate"] for each in moments[::PER_EPOCH]]
    losses = np.array([float(each.loss.value) for each in moments]).reshape(EPOCHS, PER_EPOCH)
    return np.array(rates), losses.mean(axis=1)


def plots(schedule: str = "inverse", lr: float = 0.05, seed: int = 0) -> tuple[Plot, ...]:
    """Learning rate and loss by epoch, for all schedules."""
    with np.errstate(over="ignore", invalid="ignore"):
        runs = {name: run(name, lr, seed) for name in SCHEDULES}
    epochs = np.arange(EPOCHS)
    rates, losses = (
        [Curve(name, epochs, each[k], dashed=name != schedule) for name, each in runs.items()]
        for k in (0, 1)
    )
    return (
        Plot("learning rate by epoch", rates, Axis("epoch"), Axis("rate")),
        Plot("loss by epoch, with a noisy gradient", losses, Axis("epoch"), Axis(scale="log")),
    )


SCHEDULED = Entry(
    name="optimizers:schedules",
    build=start,
    caption="learning rates that fall: by hand, as a staircase, as a0/(1 + k epoch), exponentially, on a condition",
    source="Bajwa, NLP CS-472 (NUST 2023): learning-rate decay",
    gradients={"x": "-2.0", "y": "16.0", "w": "-2.0 16.0"},
    derivation="""\
dL/dx = x
dL/dy = 20 * y
dL/dw = stack([dL/dx, dL/dy])
""",
    knobs=(
        Knob("schedule", "inverse", "how the rate falls", choices=tuple(SCHEDULES)),
        Knob("lr", 0.05, "learning rate of the first epoch", low=0.0),
        Knob("seed", 0, "random seed of the noise", low=0),
    ),
    note=(
        "with a constant rate the loss stays at the height of the noise; as the rate falls, so does the loss: "
        "gradstep plot optimizers:schedules"
    ),
    orders=("continue", "select w", "view tensor"),
    plots=plots,
    training=Training(
        descent,
        steps=EPOCHS * PER_EPOCH,
        keep=(1, 10, 100),
    ),
)
