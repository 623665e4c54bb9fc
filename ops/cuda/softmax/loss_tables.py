"""The kernels of losses of classifiers as entries of the table, with the trials that hold them to numpy."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ops.cuda.kernel import Trial
from ops.cuda.softmax.classes import (
    build_class_flow,
    build_gather,
    build_gather_parts,
    build_pick,
)
from ops.cuda.softmax.rows import build_cross_entropy
from ops.cuda.softmax.tables import entry, shares_of, some_logits

Array = Any
IGNORED = -100


def _targets(rng: np.random.Generator, classes: int, *shape: int) -> Array:
    """Class numbers of which one in three is ignored."""
    target = rng.integers(0, classes, size=shape)
    target.reshape(-1)[1::3] = IGNORED
    return target


def _entropies(x: Array, target: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Of x (outer, classes, inner): top, sum, shares − onehot, losses, and which samples count, as numbers."""
    top, total, slope = shares_of(x)
    counts = target != IGNORED
    place = np.where(counts, target, 0)[:, None]
    picked = np.take_along_axis(x.astype(np.float64) - top - np.log(total), place, 1)[:, 0]
    losses = np.where(counts, -picked, 0)
    slope = slope.copy()
    onehot = np.take_along_axis(slope, place, 1)[:, 0] - counts
    np.put_along_axis(slope, place, onehot[:, None], 1)
    return top[:, 0], total[:, 0], slope, losses, counts.astype(np.float64)


def _cross_entropy_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, classes, makes, several, parts in (
        (0, 4, "flow", False, 1),
        (3, 1, "losses", False, 1),
        (5, 31, "losses", False, 1),
        (5, 31, "flow", False, 1),
        (4, 33, "flow", True, 1),
        (3, 100, "losses", False, 1),
        (1, 4000 // np.dtype(T).itemsize, "flow", False, 1),
        (5, 33, "both", False, 2),
        (4, 31, "both", False, 0),
        (1, 4000 // np.dtype(T).itemsize, "both", False, 34),
    ):
        x = some_logits(rng, T, rows, classes)
        target = _targets(rng, classes, rows)
        slope, losses, weights = x, x[:, 0], x[:, 0]
        if rows:
            wide = _entropies(x[..., None], target[:, None])
            slope, losses, weights = wide[2][..., 0], wide[3][:, 0], wide[4][:, 0]
        g = rng.normal(size=rows if several else 1).astype(T)
        counts = np.stack([3 + np.arange(parts), np.zeros(parts, int)], axis=1)
        numbers, by = np.full(rows, np.nan, T), weights * g
        if makes == "flow":
            numbers, by = (weights / 3).astype(T), by / 3
        elif makes == "both":  # without parts it is no mean
            by = weights / (counts[:, 0].sum() or 1)
        arguments = (x, target, IGNORED, counts, g, int(several), numbers, np.full_like(x, np.nan))
        found = {6: losses, 7: slope * by[:, None]}
        if makes != "both":
            found.pop(6 if makes == "flow" else 7)
        options = {"each": -(-classes // 32), "makes": makes, "mean": parts > 0}
        yield Trial(arguments, found, options, f"{makes} {x.shape}")


def _gather_parts_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for samples, parts, lanes, adds in (
        (1, 1, 256, True),
        (33, 2, 32, True),
        (64, 3, 64, True),
        (600, 4, 64, True),
        (300, 2, 64, False),
    ):
        losses = rng.normal(size=samples).astype(T)
        target = rng.integers(-1, 5, size=samples)
        target[samples // 2 :: 5] = IGNORED
        counts = target != IGNORED
        wrong = counts & ((target < 0) | (target >= 4))
        ends = [samples * part // parts for part in range(parts + 1)]
        cut = [slice(low, high) for low, high in pairwise(ends)]
        sums = np.array([losses[s].astype(np.float64).sum() for s in cut])
        numbers = np.array([[counts[s].sum(), wrong[s].sum()] for s in cut])
        arguments = (losses, target, 4, IGNORED, np.full(parts, np.nan, T), np.full((parts, 2), -1))
        found = {4: sums, 5: numbers} if adds else {5: numbers}
        yield Trial(arguments, found, {"lanes": lanes, "adds": adds}, f"{samples} in {parts}")


def _gather_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for samples, parts, mean in ((1, 1, True), (33, 2, False), (31, 1, True), (300, 40, True)):
        sums = rng.normal(size=parts).astype(T)
        target = _targets(rng, 5, samples)
        counts = np.stack([np.full(parts, 7), np.arange(parts)], axis=1)
        number = 7 * parts if mean else 1
        weights = (target != IGNORED) / number
        unset = np.full(samples, np.nan, T), np.full(1, np.nan, T), np.full(1, -1)
        arguments = (sums, counts, target, IGNORED, *unset)
        total = sums.astype(np.float64).sum(keepdims=True) / number
        expected = {4: weights, 5: total, 6: counts[:, 1].sum(keepdims=True)}
        yield Trial(arguments, expected, {"mean": mean}, f"{samples} in {parts}")


def _pick_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for shape, softmax in (
        ((5, 1, 1), True),
        ((33, 4, 1), True),
        ((2, 3, 31), True),
        ((3, 5, 2), False),
    ):
        x = some_logits(rng, T, *shape)
        target = _targets(rng, shape[1], shape[0], shape[2])
        top, total, _, losses, counts = _entropies(x, target)
        if not softmax:
            place = np.where(target == IGNORED, 0, target)[:, None]
            losses = -np.take_along_axis(x.astype(np.float64), place, 1)[:, 0] * counts
        unset = np.full(target.shape, np.nan, T)
        arguments = (x, top.astype(T), total.astype(T), target, IGNORED, unset)
        yield Trial(arguments, {5: losses}, {"softmax": softmax}, f"{shape}")


def _class_flow_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for shape, softmax, along, width, depth, step in (
        ((3, 1, 1), True, True, 1, 32, 0),
        ((2, 33, 1), True, True, 4, 8, 1),
        ((5, 31, 1), False, True, 8, 4, 0),
        ((2, 5, 33), True, False, 32, 1, 1),
        ((1, 40, 3), True, False, 4, 8, 0),
        ((2, 3, 2), False, False, 2, 16, 1),
    ):
        x = some_logits(rng, T, *shape)
        target = _targets(rng, shape[1], shape[0], shape[2])
        top, total, slope, _, weights = _entropies(x, target)
        g = rng.normal(size=target.size if step else 1).astype(T)
        if not softmax:
            slope = np.where(np.arange(shape[1])[:, None] == target[:, None], -1.0, 0.0)
        each = np.broadcast_to(g.reshape(target.shape) if step else g[0], target.shape)
        expected = slope * (weights * each)[:, None]
        arguments = (
            x,
            top.astype(T),
            total.astype(T),
            target,
            IGNORED,
            g,
            step,
            weights.astype(T),
            np.full(shape, np.nan, T),
        )
        options = {"softmax": softmax, "along": along, "width": width, "depth": depth}
        yield Trial(arguments, {8: expected}, options, f"{shape}")


CROSS_ENTROPY = entry(
    "cross_entropy_rows",
    build_cross_entropy,
    "T[:,:] i8[:] i8 i8[:,:] T[:] i8 T[:] T[:,:]",
    _cross_entropy_trials,
    {"each": 1, "makes": "losses", "mean": True},
    "Cross-entropy of short rows against class numbers, what it sends back, or both.",
)
GATHER_PARTS = entry(
    "gather_loss_parts",
    build_gather_parts,
    "T[:] i8[:] i8 i8 T[:] i8[:,:]",
    _gather_parts_trials,
    {"lanes": 256, "adds": True},
    "Of each part of the samples the sum of the losses, how many count, and how many are no class.",
)
GATHER = entry(
    "gather_losses",
    build_gather,
    "T[:] i8[:,:] i8[:] i8 T[:] T[:] i8[:]",
    _gather_trials,
    {"mean": True},
    "The sum or mean of the losses of all parts, and what each sample weighs.",
)
PICK = entry(
    "pick_classes",
    build_pick,
    "T[:,:,:] T[:,:] T[:,:] i8[:,:] i8 T[:,:]",
    _pick_trials,
    {"softmax": True},
    "The loss of each sample: what stands at its class.",
)
CLASS_FLOW = entry(
    "class_flow",
    build_class_flow,
    "T[:,:,:] T[:,:] T[:,:] i8[:,:] i8 T[:] i8 T[:,:] T[:,:,:]",
    _class_flow_trials,
    {"softmax": True, "along": False, "width": 32, "depth": 8},
    "What the loss of each sample sends to its logits, of rows of any length and of columns.",
)
ENTRIES = (CROSS_ENTROPY, GATHER_PARTS, GATHER, PICK, CLASS_FLOW)
