"""A step of micrograd's demo: an MLP 2-16-16-1 of single numbers on 100 points, about 65,000 nodes, max-margin loss.

With Python's garbage collector on, as a user runs it, and with it off, which leaves the cost of the graph alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import tracer as tr
from tests.bench.harness import Case, Row, absent, compared, interleave

PEER = "micrograd"
SIZES = (2, 16, 16, 1)
RATE = 0.01


@dataclass(frozen=True)
class Task:
    """Points (n, 2), labels of -1 or 1, and the first weights: per layer, per neuron, its weights and its bias."""

    points: list[list[float]]
    labels: list[float]
    layers: list[list[list[float]]]


def two_moons(count: int) -> Task:
    """Two interleaved half circles with noise, and uniform weights."""
    rng = np.random.default_rng(0)
    angle = np.linspace(0, np.pi, count // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.concatenate([upper, [1.0, 0.5] - upper]) + 0.1 * rng.normal(
        size=(2 * len(angle), 2)
    )
    labels = [-1.0] * len(angle) + [1.0] * len(angle)
    draw = random.Random(1)
    layers = [
        [[*(draw.uniform(-1, 1) for _ in range(inputs)), 0.0] for _ in range(outputs)]
        for inputs, outputs in pairwise(SIZES)
    ]
    return Task(points.tolist(), labels, layers)


def loss_of(
    task: Task,
    layers: list[list[list[Any]]],
    leaf: Callable[[float], Any],
    relu: Callable[[Any], Any],
) -> Any:
    """The program, written once for both: mean of relu(1 − y·score) plus 1e-4 · Σ w²."""
    margin: Any = 0.0
    for point, label in zip(task.points, task.labels, strict=True):
        activations = [leaf(number) for number in point]
        for depth, layer in enumerate(layers):
            outputs = []
            for *weights, bias in layer:
                total = bias
                for weight, activation in zip(weights, activations, strict=True):
                    total = total + weight * activation
                outputs.append(relu(total) if depth < len(layers) - 1 else total)
            activations = outputs
        margin = relu(activations[0] * -label + 1.0) + margin
    penalty: Any = 0.0
    for layer in layers:
        for neuron in layer:
            for weight in neuron:
                penalty = weight * weight + penalty
    return margin * (1.0 / len(task.points)) + penalty * 1e-4


def step(
    task: Task,
    weights: list[list[list[float]]],
    leaf: Callable[[float], Any],
    relu: Callable[[Any], Any],
) -> list[list[list[float]]]:
    """One optimiser step: build, forward, backward, and the weights after it."""
    layers = [[[leaf(number) for number in neuron] for neuron in layer] for layer in weights]
    loss_of(task, layers, leaf, relu).backward()
    return [
        [
            [number - RATE * parameter.grad for number, parameter in zip(old, neuron, strict=True)]
            for old, neuron in zip(before, layer, strict=True)
        ]
        for before, layer in zip(weights, layers, strict=True)
    ]


def rows(*, points: int = 100, rounds: int = 7, sample_seconds: float = 0.5) -> list[Row]:
    """Against micrograd with the collector on and off, all four in one interleaved run."""
    goals = {True: 1 / 2, False: 1 / 0.65}
    names = {on: f"scalar MLP step, collector {'on' if on else 'off'}" for on in goals}
    try:
        from micrograd.engine import Value
    except ImportError:
        return [absent(names[on], PEER, goal) for on, goal in goals.items()]
    task = two_moons(points)
    ours = partial(step, task, task.layers, tr.tensor, tr.relu)
    theirs = partial(step, task, task.layers, Value, Value.relu)
    for mine, other in zip(ours(), theirs(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)
    peers = {on: f"{PEER}, collector {'on' if on else 'off'}" for on in goals}
    cases = [Case(names[on], ours, collector=on) for on in goals]
    cases += [Case(peers[on], theirs, collector=on) for on in goals]
    seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
    return [compared(names[on], peers[on], seconds, goal=goal) for on, goal in goals.items()]
