"""What it is to train an entry: a function that yields after every optimiser step, and the record that is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from gallery.history import History as History
from gallery.history import Record, curves, is_loss
from gallery.knobs import Knob
from tracer.kinds import KINDS
from tracer.plots import Plot


class Moment(NamedTuple):
    """One optimiser step, as a training function yields it: after `backward()` and the update."""

    loss: tr.Tensor
    """The recorded loss of this step; its graph holds the values before the update."""
    measures: Mapping[str, float] = {}
    """Further curves, by name: accuracy, a percentile, a norm. One that is not measured at this step is left out."""
    layers: Mapping[str, tr.Tensor] = {}
    """Nodes of the graph whose statistics are shown: the output of each layer, by its name."""


@dataclass(frozen=True)
class Training:
    """How an entry trains.

    run: takes the settings of the knobs, the entry's and those below, as keywords and yields a `Moment` after every
    optimiser step, without an end of its own. steps: how many are made unless asked otherwise. keep: the steps whose
    traces are kept. plots: the pictures of a finished or half-finished training beside the loss by step, from its
    `History` and with the settings as keywords; without it, the measures by step.
    """

    run: Callable[..., Iterator[Moment]]
    steps: int = 100
    keep: tuple[int, ...] = (1, 10, 100)
    plots: Callable[..., tuple[Plot, ...]] | None = None
    claim: str = ""
    """What is to be expected, to be read beside the curves."""
    knobs: tuple[Knob, ...] = ()
    """What can be turned of the training alone, such as the learning rate of a network whose graph has none."""
    drawn: tuple[str, ...] = ()
    """Measures that are for plots and not to be read as numbers, such as percentiles."""


class Run:
    """A training that goes on: each `step()` makes an optimiser step and writes it down.

    keep: the steps whose traces are frozen; of the others nothing is left but numbers. One whose loss is no number is
    kept as well, and is the last.
    """

    def __init__(
        self, training: Training, settings: Mapping[str, Any], *, keep: Container[int] | None = None
    ) -> None:
        self.training, self.settings = training, settings
        self._keep = training.keep if keep is None else keep
        self._record = Record()
        self._failed = False
        self._before: tr.Tensor | None = None
        self._now: tr.Tensor | None = None
        """The losses of the last two steps: no other graph is held."""
        self._seen: tuple[int, tr.Trace] | None = None
        """The step at which somebody last asked for updates."""
        tr.manual_seed(0)  # the same masks of dropout every time
        self._moments = training.run(**settings)

    @property
    def history(self) -> History:
        """What there is by now."""
        return History(self._record, len(self._record.losses))

    def step(self) -> bool:
        """Make one optimiser step; False, and nothing is done, where the training has come to its end."""
        if self._failed:
            return False
        self._before = self._now
        moment = next(self._moments, None)
        if moment is None:
            self._before = None
            return False
        self._now = moment.loss
        loss = float(moment.loss.value)
        step = self._record.add(loss, moment.measures, moment.layers)
        self._failed = not math.isfinite(loss)
        if self._failed or step in self._keep:
            self.freeze()
        return True

    def freeze(self) -> int:
        """Keep the trace of the latest step, and say which one that is; 0 before the first."""
        step = len(self._record.losses)
        if self._now is not None and step not in self._record.traces:
            self._record.traces[step] = tr.trace(self._now)
        return step

    def updates(self) -> dict[str, float]:
        """How far the step before the latest moved each parameter; too dear to be asked at every step."""
        if self._before is None or self._now is None:
            return {}
        seen = tr.trace(self._now)
        self._seen = len(self._record.losses), seen
        return updates(tr.trace(self._before), seen)

    def seen(self, history: History) -> History:
        """A history with the step of the latest `updates()` beside those that are kept: for plots as it goes on."""
        return history if self._seen is None else history.beside(*self._seen)


def updates(before: tr.Trace, after: tr.Trace) -> dict[str, float]:
    """‖Δw‖ / ‖w‖ of every parameter from one optimiser step to the next, by its name; inf where it left zero."""
    parameter = KINDS.index("parameter")
    found = {}
    for node in np.flatnonzero(before.kind_of == parameter).tolist():
        name = before.label(node)
        if name in after.labels:
            old, new = before.value(name), after.value(name)
            with np.errstate(all="ignore"):
                moved, size = np.linalg.norm(np.ravel(new - old)), np.linalg.norm(np.ravel(old))
                found[name] = float(moved / size) if size else (math.inf if moved else 0.0)
    return found


def train(
    training: Training,
    settings: Mapping[str, Any],
    *,
    steps: int | None = None,
    keep: Container[int] | None = None,
) -> Iterator[History]:
    """Train, and yield what there is after every optimiser step; the last one is the whole history.

    It ends after so many steps, or at a loss that is no number.
    """
    run = Run(training, settings, keep=keep)
    for _ in range(training.steps if steps is None else steps):
        if not run.step():
            return
        yield run.history


def pictures(training: Training, history: History, settings: Mapping[str, Any]) -> tuple[Plot, ...]:
    """The plots of a training so far: the loss by step first, then its own, or else its measures."""
    loss, *measures = curves(history)
    if training.plots is None or not history.count:
        return (loss, *measures)
    own = training.plots(history, **settings)
    return (loss, *(plot for plot in own if not is_loss(plot, history)))
