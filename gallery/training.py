"""What it is to train an entry: a function that yields after every optimiser step, and the record that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

import tracer as tr
from tracer.plots import Array, Plot


class Moment(NamedTuple):
    """One optimiser step, as a training function yields it: after `backward()` and the update."""

    loss: tr.Tensor
    """The recorded loss of this step; its graph holds the values before the update."""
    measures: Mapping[str, float] = {}
    """Further curves, by name: accuracy, a percentile, a norm. One that is not measured at this step is left out."""
    layers: Mapping[str, tr.Tensor] = {}
    """Nodes of the graph whose statistics are shown: the output of each layer, by its name."""


@dataclass(frozen=True)
class Statistics:
    """A layer at one optimiser step: mean and standard deviation of its value, and the rms of its gradient."""

    mean: float
    std: float
    gradient: float


@dataclass(frozen=True, eq=False)
class History:
    """What a training has left: the curves, the layers, and a frozen trace of every step that was kept."""

    steps: Array
    """int (steps,): the numbers of the optimiser steps, from 1."""
    losses: Array
    measures: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    """By name: the steps at which it was measured, and the numbers."""
    layers: Mapping[str, Sequence[Statistics]] = field(default_factory=dict)
    """By name: one for every step."""
    traces: Mapping[int, tr.Trace] = field(default_factory=dict)
    """The trace of each step that was kept, by its number."""


@dataclass(frozen=True)
class Training:
    """How an entry trains.

    run: takes the settings of the entry's knobs as keywords and yields a `Moment` after every optimiser step, without
    an end of its own. steps: how many are made unless asked otherwise. keep: the steps whose traces are kept.
    plots: the pictures of a finished or half-finished training, with the settings as keywords; the loss by step
    without one.
    """

    run: Callable[..., Iterator[Moment]]
    steps: int = 100
    keep: tuple[int, ...] = (1, 10, 100)
    plots: Callable[..., tuple[Plot, ...]] | None = None
    claim: str = ""
    """What the source says about it, to be read beside the curves."""


def train(
    training: Training,
    settings: Mapping[str, object],
    *,
    steps: int | None = None,
    keep: Sequence[int] | None = None,
) -> Iterator[History]:
    """Train, and yield what there is after every optimiser step; the last one is the whole history."""
    losses: list[float] = []
    measures: dict[str, tuple[list[int], list[float]]] = {}
    layers: dict[str, list[Statistics]] = {}
    traces: dict[int, tr.Trace] = {}
    kept = training.keep if keep is None else keep
    for step, moment in zip(
        range(1, (steps or training.steps) + 1), training.run(**settings), strict=False
    ):
        losses.append(float(moment.loss.value))
        for name, number in moment.measures.items():
            at, numbers = measures.setdefault(name, ([], []))
            at.append(step)
            numbers.append(float(number))
        for name, node in moment.layers.items():
            layers.setdefault(name, []).append(statistics(node))
        if step in kept:
            traces[step] = tr.trace(moment.loss)
        yield History(
            np.arange(1, step + 1),
            np.array(losses),
            {name: (np.array(at), np.array(numbers)) for name, (at, numbers) in measures.items()},
            {name: tuple(each) for name, each in layers.items()},
            dict(traces),
        )


def statistics(node: tr.Tensor) -> Statistics:
    """Mean and standard deviation of a value, and the rms of its gradient, NaN without one."""
    value = np.asarray(node.value)
    rms = np.nan if node.grad is None else float(np.sqrt(np.mean(np.square(node.grad))))
    return Statistics(float(value.mean()), float(value.std()), rms)
