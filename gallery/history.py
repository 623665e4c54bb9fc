"""What a training leaves: its curves, the statistics of its layers, and a frozen trace of every step that was kept."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from tracer.plots import Array, Axis, Curve, Plot

RECENT, GROWN = 5, 10.0
"""A training diverges where the mean loss of the last few steps is so many times the first one."""
NOTHING = 1e-9
"""A loss of so small a part of the first one has no gradient because there is nothing left to learn."""


class Statistics(NamedTuple):
    """A layer at one optimiser step."""

    mean: float
    std: float
    gradient: float
    """The root mean square of the gradient; NaN where there is none."""
    zeros: float
    """The share of elements that are exactly 0: of a ReLU those that pass no gradient on."""


def statistics(node: tr.Tensor) -> Statistics:
    """The statistics of one layer: moments of its value, the rms of its gradient, the share of zeros.

    >>> x = tr.tensor([-1.0, 2.0])
    >>> h = tr.relu(x)
    >>> tr.sum(h).backward()
    >>> statistics(h)
    Statistics(mean=1.0, std=1.0, gradient=1.0, zeros=0.5)
    """
    value = np.asarray(node.value).reshape(-1)
    size = value.size or 1
    mean = float(value.sum()) / size
    centred = value - mean
    gradient = math.nan
    if node.gradient is not None:
        flat = np.asarray(node.gradient).reshape(-1)
        gradient = math.sqrt(flat.dot(flat) / size)
    zeros = 1 - int(np.count_nonzero(value)) / size
    return Statistics(mean, math.sqrt(centred.dot(centred) / size), gradient, zeros)


@dataclass(eq=False)
class Record:
    """What a training writes down as it goes on. It only grows, so that a `History` is a length and a way to read."""

    losses: list[float] = field(default_factory=list)
    measures: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)
    layers: dict[str, tuple[list[int], list[Statistics]]] = field(default_factory=dict)
    traces: dict[int, tr.Trace] = field(default_factory=dict)

    def add(
        self, loss: float, measures: Mapping[str, float], layers: Mapping[str, tr.Tensor]
    ) -> int:
        """Write down an optimiser step; returns its number, from 1."""
        step = len(self.losses) + 1
        for name, number in measures.items():
            at, numbers = self.measures.setdefault(name, ([], []))
            numbers.append(float(number))
            at.append(step)
        with np.errstate(all="ignore"):  # what overflows is a fact that is shown
            for name, node in layers.items():
                at, each = self.layers.setdefault(name, ([], []))
                each.append(statistics(node))
                at.append(step)
        self.losses.append(loss)
        return step


@dataclass(frozen=True, eq=False)
class History:
    """What a training has left after so many optimiser steps: the curves, the layers, the traces that were kept.

    It costs nothing until it is read, and stays as it is while the training goes on.
    """

    record: Record
    count: int
    """How many optimiser steps were made."""

    @cached_property
    def steps(self) -> Array:
        """int (steps,): the numbers of the optimiser steps, from 1."""
        return np.arange(1, self.count + 1)

    @cached_property
    def losses(self) -> Array:
        """float (steps,)."""
        return np.array(self.record.losses[: self.count])

    @cached_property
    def measures(self) -> Mapping[str, tuple[Array, Array]]:
        """By name: the steps at which it was measured, and the numbers."""
        return {
            name: (np.array(at, int), np.array(numbers, float))
            for name, (at, numbers) in self._until_now(self.record.measures)
        }

    @cached_property
    def layers(self) -> Mapping[str, tuple[Statistics, ...]]:
        """By name: the statistics of each step."""
        return {name: tuple(each) for name, (_, each) in self._until_now(self.record.layers)}

    @cached_property
    def traces(self) -> Mapping[int, tr.Trace]:
        """The trace of each step that was kept, by its number."""
        there = list(self.record.traces.items())
        return {step: trace for step, trace in sorted(there) if step <= self.count}

    def beside(self, step: int, trace: tr.Trace) -> History:
        """This history with the trace of one more step, which is not kept by that."""
        record = replace(self.record, traces={**self.record.traces, step: trace})
        return History(record, self.count)

    @property
    def failed(self) -> bool:
        """Whether the last loss is no number."""
        return self.count > 0 and not math.isfinite(self.record.losses[self.count - 1])

    @property
    def diverges(self) -> bool:
        """Whether the loss, a number still, has become ten times what it was."""
        if self.failed or self.count <= RECENT:
            return False
        first, last = self._ends
        return last > GROWN * max(abs(first), 1e-12)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The first loss, and the mean of the last few."""
        return self.record.losses[0], float(np.mean(self.losses[-RECENT:]))

    @property
    def trouble(self) -> str:
        """In words: that the loss is no number, is ten times what it was, or that a layer is dead; else empty."""
        if self.failed:
            last = self.record.losses[self.count - 1]
            what = "NaN" if math.isnan(last) else "infinite"
            return f"the loss is {what} at step {self.count}"
        if self.count > RECENT:
            first, last = self._ends
            if self.diverges:
                return f"the loss has grown from {first:.4g} to {last:.4g}: it diverges"
            if last > NOTHING * abs(first):
                return self._dead_layer
        return ""

    @property
    def _dead_layer(self) -> str:
        """In words: a layer that was alive at first and in the last few steps is exactly 0, or gets no gradient."""
        for name, (_, every) in list(self.record.layers.items()):
            start, latest = every[0], every[max(0, self.count - RECENT) : self.count]
            if start.zeros < 1 and all(step.zeros == 1 for step in latest):
                return f"{name} is 0 for every input by now: no gradient passes"
            if start.gradient != 0 and all(step.gradient == 0 for step in latest):
                return f"no gradient reaches {name} any more"
        return ""

    def _until_now(self, table: Mapping[str, tuple[list[int], list[Any]]]) -> Iterator[Any]:
        for name, (at, numbers) in list(table.items()):
            there = bisect_right(at, self.count)
            if there:
                yield name, (at[:there], numbers[:there])


def curves(history: History) -> tuple[Plot, ...]:
    """The loss by optimiser step, and the measures: those between 0 and 1, such as shares, in one picture."""
    step = Axis("optimiser step")
    found = [Plot("loss", [Curve("loss", history.steps, history.losses)], x=step)]
    shares: list[Curve] = []
    others: list[Curve] = []
    for name, (at, numbers) in history.measures.items():
        inside = bool(np.all((numbers >= 0) & (numbers <= 1)))
        (shares if inside else others).append(Curve(name, at, numbers))
    if shares:
        title = ", ".join(curve.label for curve in shares)
        found.append(Plot(title, shares, x=step, y=Axis(low=0.0, high=1.0)))
    found += [Plot(curve.label, [curve], x=step) for curve in others]
    return tuple(found)


def is_loss(plot: Plot, history: History) -> bool:
    """Whether a plot shows the loss by step and nothing else."""
    marks = plot.marks
    return (
        len(marks) == 1
        and isinstance(marks[0], Curve)
        and np.array_equal(np.asarray(marks[0].y), history.losses)
    )
