"""The kernels of losses of classifiers as entries of the table, with the trials that hold them to numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Trial
from ops.cuda.softmax.classes import build_class_flow, build_count, build_pick
from ops.cuda.softmax.rows import build_cross_entropy
from ops.cuda.softmax.tables import entry, shares_of, some_logits

Array = Any
IGNORED = -100


def _targets(rng: np.random.Generator, classes: int, *shape: int) -> Array:
    """Class numbers of which one in three is ignored."""
    target = rng.integers(0, classes, size=shape)
    target.reshape(-1)[1::3] = IGNORED
    return target


def _entropies(
    x: Array, target: Array, mean: bool
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Of x (outer, classes, inner): top, sum, shares − onehot, losses, weights, and the counts."""
    top, total, slope = shares_of(x)
    counts = target != IGNORED
    number = int(counts.sum())
    weights = counts / number if mean else counts.astype(np.float64)
    place = np.where(counts, target, 0)[:, None]
    picked = np.take_along_axis(x.astype(np.float64) - top - np.log(total), place, 1)[:, 0]
    losses = np.where(counts, -picked, 0) * weights
    slope = slope.copy()
    onehot = np.take_along_axis(slope, place, 1)[:, 0] - counts
    np.put_along_axis(slope, place, onehot[:, None], 1)
    return top[:, 0], total[:, 0], slope, losses, weights, np.array([number, 0])


def _cross_entropy_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, classes, mean, loss, pull, each_g in (
        (0, 4, False, True, True, False),
        (3, 1, True, True, False, False),
        (5, 31, True, True, True, False),
        (4, 33, True, False, True, True),
        (3, 100, False, True, True, False),
        (1, 4000 // np.dtype(T).itemsize, True, False, True, False),
    ):
        x = some_logits(rng, T, rows, classes)
        target = _targets(rng, classes, rows)
        if rows:
            wide = _entropies(x[..., None], target[:, None], mean)
            slope, losses, weights = wide[2][..., 0], wide[3][:, 0], wide[4][:, 0]
        else:
            slope, losses, weights = x, x[:, 0], x[:, 0]
        g = rng.normal(size=rows if each_g else 1).astype(T)
        arguments = (
            x,
            target,
            IGNORED,
            np.array([(target != IGNORED).sum(), 0]),
            g,
            int(each_g),
            np.full(rows, np.nan, T),
            np.full(rows, np.nan, T) if loss else weights.astype(T),
            np.full(x.shape, np.nan, T),
        )
        expected = {6: losses, 7: weights} if loss else {}
        if pull:
            expected[8] = slope * (weights * g)[:, None]
        options = {"each": -(-classes // 32), "mean": mean, "loss": loss, "pull": pull}
        yield Trial(arguments, expected, options, f"{x.shape}")


def _count_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for samples in (0, 1, 33, 200):
        target = rng.integers(-1, 5, size=samples)
        target[samples // 2 :: 5] = IGNORED
        wrong = (target != IGNORED) & ((target < 0) | (target >= 4))
        expected = np.array([(target != IGNORED).sum(), wrong.sum()])
        yield Trial((target, 4, IGNORED, np.full(2, -1)), {3: expected}, what=f"{samples}")


def _pick_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for shape, softmax, mean in (
        ((5, 1, 1), True, True),
        ((33, 4, 1), True, False),
        ((2, 3, 31), True, True),
        ((3, 5, 2), False, True),
    ):
        x = some_logits(rng, T, *shape)
        target = _targets(rng, shape[1], shape[0], shape[2])
        top, total, _, losses, weights, counts = _entropies(x, target, mean)
        if not softmax:
            place = np.where(target == IGNORED, 0, target)[:, None]
            losses = -np.take_along_axis(x.astype(np.float64), place, 1)[:, 0] * weights
        empty = np.full(target.shape, np.nan, T)
        arguments = (
            x,
            top.astype(T),
            total.astype(T),
            target,
            IGNORED,
            counts,
            empty,
            empty.copy(),
        )
        options = {"softmax": softmax, "mean": mean}
        yield Trial(arguments, {6: losses, 7: weights}, options, f"{shape}")


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
        top, total, slope, _, weights, _ = _entropies(x, target, False)
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
    "T[:,:] i8[:] i8 i8[:] T[:] i8 T[:] T[:] T[:,:]",
    _cross_entropy_trials,
    {"each": 1, "mean": True, "loss": True, "pull": False},
    "Cross-entropy of short rows against class numbers, what it sends back, or both at once.",
)
COUNT = entry(
    "count_targets",
    build_count,
    "i8[:] i8 i8 i8[:]",
    _count_trials,
    {},
    "How many class numbers count, and how many of them are no class.",
)
PICK = entry(
    "pick_classes",
    build_pick,
    "T[:,:,:] T[:,:] T[:,:] i8[:,:] i8 i8[:] T[:,:] T[:,:]",
    _pick_trials,
    {"softmax": True, "mean": True},
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
ENTRIES = (CROSS_ENTROPY, COUNT, PICK, CLASS_FLOW)
