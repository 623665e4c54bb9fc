"""Random against grid search: nine trials of two settings, of which only one matters."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import Entry
from gallery.knobs import Knob
from tracer.plots import Array, Axis, Contours, Plot, Points

TRIALS = 9
BEST = (0.7, 0.4)


def trials(how: str, seed: int) -> Array:
    """Nine points of the unit square: three by three, or anywhere. Returns: float (9, 2)."""
    if how == "random":
        return np.random.default_rng(seed).uniform(size=(TRIALS, 2))
    ticks = np.array([1 / 6, 1 / 2, 5 / 6])
    return np.array([(x, y) for x in ticks for y in ticks])


def search(how: str = "random", seed: int = 0) -> tr.Tensor:
    """The best of nine trials: of all, only that one receives a gradient."""
    points = tr.tensor(trials(how, seed))
    important, unimportant = points[:, 0], points[:, 1]
    score = 4 * (important - BEST[0]) ** 2 + 0.05 * (unimportant - BEST[1]) ** 2
    loss = tr.min(score)
    return loss


def plots(how: str = "random", seed: int = 0) -> tuple[Plot, ...]:
    """The trials of both ways over the surface."""
    x, y = np.linspace(0, 1, 41), np.linspace(0, 1, 31)
    z = 4 * (x[None, :] - BEST[0]) ** 2 + 0.05 * (y[:, None] - BEST[1]) ** 2
    levels = (0.02, 0.1, 0.25, 0.5, 1.0)
    pictures = []
    for each in ("grid", "random"):
        at = trials(each, seed)
        best = float(np.min(4 * (at[:, 0] - BEST[0]) ** 2 + 0.05 * (at[:, 1] - BEST[1]) ** 2))
        tried = len(np.unique(at[:, 0]))
        pictures.append(
            Plot(
                f"{each} search: {tried} values of the setting that matters, best loss {best:.4f}",
                [Contours(x, y, z, levels, "loss"), Points("trials", at[:, 0], at[:, 1])],
                Axis("setting that matters", low=0.0, high=1.0),
                Axis("the other", low=0.0, high=1.0),
            )
        )
    return tuple(pictures)


SEARCH = Entry(
    name="optimizers:search",
    build=search,
    caption="random against grid search: nine trials try nine values of the setting that matters, or only three",
    source="Bajwa, NLP CS-472 (NUST 2023): random against grid search; Bergstra & Bengio (2012), figure 1",
    derivation="""\
# The minimum sends its gradient to the best trial alone.
best = (score == loss)
dL/dscore       = best
dL/dimportant   = best * 8 * (important - 0.7)
dL/dunimportant = best * 0.1 * (unimportant - 0.4)
dL/dpoints      = stack([dL/dimportant, dL/dunimportant], axis=1)
""",
    knobs=(
        Knob("how", "random", "how the trials are chosen", choices=("random", "grid")),
        Knob("seed", 0, "random seed of the trials", low=0),
    ),
    note="the trials over the two settings: gradstep plot optimizers:search",
    orders=("continue", "select important", "view tensor"),
    plots=plots,
)
