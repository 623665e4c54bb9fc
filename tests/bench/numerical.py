"""Certified numbers: how exact they are on the published set beside other ways, and what lanes save on a network.

Accuracy rows compare the median relative error, ours over the peer's; the truth comes from mpmath at 50 digits. A bound
that misses the truth is counted, ours and the estimates of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from tests.bench.harness import Case, Row, absent, compared, interleave
from tests.tracer.checking.certified.published import FUNCTIONS, Function
from tests.tracer.checking.certified.test_published import drawn, traced
from tracer.checking.certified.certify import certify, certify_elements
from tracer.checking.certified.complex_step import sharpened
from tracer.checking.numerical import loss_by

Method = Callable[[Function, float], tuple[float, float]]
"""A function and a point to a derivative and how far it may be off, NaN if the method does not say."""


class Accuracy(NamedTuple):
    """What a method reached on all points."""

    error: float
    """Median relative error."""
    worst: float
    """Relative error at the hundredth worst of a hundred points."""
    missed: int
    """Points at which the truth lies outside the bound."""
    points: int
    bounded: bool

    @property
    def said(self) -> str:
        """`13.9 digits (1 % below 5.6), bound misses 0 of 1750`."""
        digits, least = (-math.log10(max(e, 1e-17)) for e in (self.error, self.worst))
        bound = f"misses {self.missed} of {self.points}" if self.bounded else "none"
        return f"{digits:.1f} digits (1 % below {least:.1f}), bound {bound}"


def differences(function: Function, x: float) -> tuple[float, float]:
    """Ours, by differences alone."""
    slope = certify(function.numeric, x)
    return slope.value, slope.bound


def complex_steps(function: Function, x: float) -> tuple[float, float]:
    """Ours on a recorded graph, with a complex step where it is analytic; differences where we lack the operation."""
    trace = traced(function, x)
    if trace is None:
        return differences(function, x)
    loss = loss_by(trace, trace.node_index("x"))
    (slope,) = sharpened(loss, np.asarray(x), np.array([0]), certify_elements(loss, np.float64(x)))
    return slope.value, slope.bound


def forward(step: float) -> Method:
    """(f(x + h) − f(x)) / h."""
    return lambda function, x: ((function.numeric(x + step) - function.numeric(x)) / step, math.nan)


def central(step: float) -> Method:
    """(f(x + h) − f(x − h)) / 2h."""

    def run(function: Function, x: float) -> tuple[float, float]:
        f = function.numeric
        return (f(x + step) - f(x - step)) / (2 * step), math.nan

    return run


def ridders(function: Function, x: float) -> tuple[float, float]:
    """Ridders 1982, as usually coded: steps from 0.1 by 1.4, and the error of the entry that differs least."""
    f, shrink, step = function.numeric, 1.4, 0.1
    row = [central(step)(function, x)[0]]
    best, error = row[0], math.inf
    for _ in range(9):
        step /= shrink
        new = [(f(x + step) - f(x - step)) / (2 * step)]
        for k, before in enumerate(row):
            factor = shrink ** (2 * (k + 1))
            new.append((new[k] * factor - before) / (factor - 1))
            off = max(abs(new[k + 1] - new[k]), abs(new[k + 1] - before))
            if off <= error:
                best, error = new[k + 1], off
        if abs(new[-1] - row[-1]) >= 2 * error:
            break
        row = new
    return best, error


def numdifftools(function: Function, x: float) -> tuple[float, float]:
    """numdifftools.Derivative with its own settings."""
    import numdifftools as peer

    found, info = peer.Derivative(function.numeric, full_output=True)(x)
    return float(np.ravel(found)[0]), float(np.ravel(info.error_estimate)[0])


PEERS: dict[str, Method] = {
    "forward 1e-7": forward(1e-7),
    "forward 1.5e-8": forward(1.49e-8),
    "central 1e-6": central(1e-6),
    "central 1e-5": central(1e-5),
    "central 1e-4": central(1e-4),
    "Ridders": ridders,
    "numdifftools": numdifftools,
}


def measured(method: Method, points: int, truths: dict[tuple[str, float], Any]) -> Accuracy:
    """One method on every function at so many points."""
    errors, missed, bounded = [], 0, False
    for function in FUNCTIONS:
        for x in drawn(function, seed=1, points=points):
            truth = truths[function.name, x]
            try:
                value, bound = method(function, x)
            except (ArithmeticError, ValueError):
                value, bound = math.nan, math.nan
            off = abs(value - truth) if math.isfinite(value) else abs(truth)
            errors.append(float(off / abs(truth)))
            bounded = bounded or not math.isnan(bound)
            missed += not off <= (bound if bound == bound else 0) + 2.0**-53 * abs(truth)
    worst = float(np.quantile(errors, 0.99))
    return Accuracy(float(np.median(errors)), worst, missed, len(errors), bounded)


def accuracy(points: int) -> list[Row]:
    """A row for each method: the median relative error of ours over its own."""
    truths = {
        (function.name, x): function.slope(x)
        for function in FUNCTIONS
        for x in drawn(function, seed=1, points=points)
    }
    ours = measured(differences, points, truths)
    sharp = measured(complex_steps, points, truths)
    rows = [
        Row(
            "certified, by differences",
            "truth outside the bound",
            ours.missed,
            0.0,
            None,
            ours.said,
        ),
        Row(
            "certified, complex step",
            "truth outside the bound",
            sharp.missed,
            0.0,
            None,
            sharp.said,
        ),
    ]
    for name, method in PEERS.items():
        try:
            theirs = measured(method, points, truths)
        except ImportError:
            rows.append(absent("certified, by differences", name, goal=1.5))
            continue
        ratio = ours.error / theirs.error
        rows.append(Row("certified, by differences", name, ratio, 1.5, None, theirs.said))
    return rows


def weights(size: int) -> tuple[tr.Trace, int]:
    """An MLP size-size-10 on a batch of 16, and the node of its first weights."""
    rng = np.random.default_rng(0)
    x = tr.constant(rng.normal(size=(16, size)))
    w = tr.parameter(rng.normal(size=(size, size)) / np.sqrt(size), name="w")
    v = tr.parameter(rng.normal(size=(size, 10)) / np.sqrt(size), name="v")
    trace = tr.trace(tr.cross_entropy(tr.tanh(x @ w) @ v, rng.integers(0, 10, 16)))
    return trace, trace.node_index("w")


def rows(*, points: int = 25, size: int = 64, elements: int = 512, rounds: int = 5) -> list[Row]:
    """Accuracy on the published set; then weights of a network certified as lanes, against one value at a time."""
    trace, node = weights(size)
    loss, value = loss_by(trace, node), trace.value(node)
    some = np.linspace(0, value.size - 1, min(elements, value.size)).astype(int)
    lanes = f"{some.size} weights of {value.size}, as lanes"
    cases = [
        Case(lanes, lambda: certify_elements(loss, value, some)),
        Case("one value at a time", lambda: certify_elements(lambda one: loss(one), value, some)),
    ]
    seconds = interleave(cases, rounds=rounds)
    return [*accuracy(points), compared(lanes, "one value at a time", seconds, goal=0.35)]
