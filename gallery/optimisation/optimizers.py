"""Optimisers on two surfaces: seven ways to walk down, on the same ground and with the same learning rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.optimisation.surfaces import SURFACES, contours, loss_at
from gallery.training import History, Moment, Training
from tracer.plots import Array, Axis, Curve, Mark, Plot, Trajectory

MOMENTUM = 0.9

OPTIMISERS: dict[str, Callable[[list[tr.Parameter], float], tr.optim.Optimizer]] = {
    "sgd": lambda w, lr: tr.optim.SGD(w, lr),
    "velocity": lambda w, lr: tr.optim.SGD(w, lr, MOMENTUM, form="velocity"),
    "average": lambda w, lr: tr.optim.SGD(w, lr, MOMENTUM, form="average"),
    "nesterov": lambda w, lr: tr.optim.SGD(w, lr, MOMENTUM, nesterov=True, form="velocity"),
    "steepest": lambda w, lr: tr.optim.SGD(w, lr),
    "fixed": lambda w, lr: tr.optim.FixedStep(w, lr),
    "adam": lambda w, lr: tr.optim.Adam(w, lr),
}
"""Gradient descent; momentum as v <- mu v - lr g; w <- w + v, and as m <- mu m + (1 - mu) g; w <- w - lr m; Nesterov's;
the normalised gradient g / |g|; g / (sqrt(g^2) + eps) for each weight; Adam with bias correction."""


def start(surface: str = "ravine", optimiser: str = "velocity", lr: float = 0.04) -> tr.Tensor:
    """The loss at the point where all optimisers start; the training walks from there."""
    w = tr.parameter(SURFACES[surface].start)
    return loss_at(w, surface)


def walk(
    surface: str = "ravine", optimiser: str = "velocity", lr: float = 0.04
) -> Iterator[Moment]:
    """One optimiser step after the other. `x` and `y` are the weights before the step, as in the graph."""
    w = tr.parameter(SURFACES[surface].start)
    optimizer = OPTIMISERS[optimiser]([w], lr)
    while True:
        optimizer.zero_grad()
        loss = loss_at(w, surface)
        loss.backward()
        x, y = w.value
        if optimiser == "steepest":
            w.grad = _direction(w.grad)
        optimizer.step()
        yield Moment(loss, {"x": float(x), "y": float(y)})


def _direction(gradient: Any) -> Array:
    """The gradient with length 1, or as it is where it is zero."""
    length = np.linalg.norm(gradient)
    return np.asarray(gradient / length if length else gradient)


def path(surface: str, optimiser: str, lr: float, steps: int = 60) -> tuple[Array, Array]:
    """The points that a walk visits, and the losses there. Returns: float (steps + 1, 2) and (steps + 1,)."""
    moments = list(islice(walk(surface, optimiser, lr), steps + 1))
    points = np.array([[each.measures["x"], each.measures["y"]] for each in moments])
    return points, np.array([float(each.loss.value) for each in moments])


# ----- pictures


def plots(
    surface: str = "ravine", optimiser: str = "velocity", lr: float = 0.04
) -> tuple[Plot, ...]:
    """The path of the chosen optimiser over the contours, all paths together, and all losses by step."""
    with np.errstate(over="ignore", invalid="ignore"):
        walks = {name: path(surface, name, lr) for name in OPTIMISERS}
    steps = np.arange(61)
    floor = min(0.0, *(float(losses.min()) for _, losses in walks.values()))
    return (
        _over(
            surface,
            f"{optimiser} on the surface {surface}, lr {lr:g}",
            {optimiser: walks[optimiser]},
        ),
        _over(surface, f"seven optimisers on the surface {surface}, lr {lr:g}, 60 steps", walks),
        Plot(
            "loss above the lowest one found, by step",
            [
                Curve(name, steps, np.maximum(losses - floor, 1e-6), dashed=name != optimiser)
                for name, (_, losses) in walks.items()
            ],
            Axis("step"),
            Axis(scale="log"),
        ),
    )


def _over(surface: str, title: str, walks: dict[str, tuple[Array, Array]]) -> Plot:
    ground = SURFACES[surface]
    marks: list[Mark] = [
        contours(surface),
        *(_drawn(name, points) for name, (points, _) in walks.items()),
    ]
    return Plot(
        title,
        marks,
        Axis("x", low=ground.x[0], high=ground.x[1]),
        Axis("y", low=ground.y[0], high=ground.y[1]),
    )


def _drawn(name: str, points: Array) -> Trajectory:
    """A path as long as its numbers can be drawn: one that diverges ends there."""
    far = np.flatnonzero(~(np.abs(points) < 1e6).all(axis=1))
    points = points[: far[0]] if len(far) else points
    return Trajectory(name, points[:, 0], points[:, 1])


def trained(history: History, surface: str, optimiser: str, lr: float) -> tuple[Plot, ...]:
    """The path so far over the contours."""
    points = np.column_stack([history.measures["x"][1], history.measures["y"][1]])
    return (
        _over(
            surface,
            f"{optimiser}, lr {lr:g}: {len(points)} steps",
            {optimiser: (points, history.losses)},
        ),
    )


OPTIMIZERS = Entry(
    name="optimizers",
    build=start,
    caption="seven optimisers on two surfaces: one steep and one flat direction, or two valleys",
    source="Abbeel & Dragan, CS188 Deep Learning II (Berkeley); Bajwa, NLP CS-472 (NUST 2023): optimisation",
    gradients={"x": "-2.0", "y": "16.0", "w": "-2.0 16.0"},
    derivation="""\
# The slope is twenty times as steep along y as along x.
dL/dx = x
dL/dy = 20 * y
dL/dw = stack([dL/dx, dL/dy])
""",
    note="the paths: gradstep plot optimizers; the deck gives forms, not numbers: the start (-2, 0.8) is ours",
    knobs=(
        Knob("surface", "ravine", "what it walks on", choices=tuple(SURFACES)),
        Knob(
            "optimiser",
            "velocity",
            "who walks: velocity and average are momentum's forms",
            choices=tuple(OPTIMISERS),
        ),
        Knob("lr", 0.04, "learning rate", low=0.0),
    ),
    orders=("continue", "select w", "view tensor"),
    plots=plots,
    training=Training(
        walk,
        steps=60,
        keep=(1, 10, 60),
        plots=trained,
        claim=(
            "momentum rolls through the flat direction; with --set optimiser=fixed it bounces around the minimum, "
            "and with --set optimiser=sgd it creeps"
        ),
    ),
)
