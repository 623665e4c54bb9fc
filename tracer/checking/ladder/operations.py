"""The rules of any operation against its own forward, along random signed directions, and bisected to elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.checking.certified.search import ENOUGH
from tracer.checking.judge import EXACT
from tracer.checking.rounding import throughput_inside
from tracer.errors import GradstepError

from .local import LocalTest, Node, nudged, signed
from .probes import Bundle

Array = Any
"""A numpy array or numpy scalar."""

DIRECTIONS = 2
"""Random signed directions for each input; the second is walked where the first one does not agree. A wrong element
shows in every one of them, unless errors of several cancel by chance, to the last digits."""
GRAIN = 2.0**-42
"""A slope that changes the result by less than a few units in the last place over the steps taken cannot be seen."""


def operation_test(node: Node, arguments: tuple[int, ...], rng: np.random.Generator) -> LocalTest:
    """The test of some arguments of a node, moved together, along a random signed direction.

    Where it does not agree, `bisected` walks along another one.
    """
    direction = {k: reaching(node.values[k], rng) for k in arguments}
    return LocalTest(lines(node, [direction]), (node,), np.zeros(1, np.intp), arguments, None)


def element_test(node: Node, argument: int, direction: Array, groups: Sequence[Array]) -> Bundle:
    """Probes along a direction restricted to groups of elements, by their flat numbers, of one argument."""
    return lines(node, [{argument: masked(direction, group)} for group in groups])


def is_blurred(node: Node, argument: int) -> bool:
    """Whether there is nothing to compare a flow with: the value moved is not finite, or no result is, or results that
    are not finite, and were left out, made a flow that is not finite either."""
    if not np.isfinite(node.values[argument]).all() or not node.g.any():
        return True
    return not np.isfinite(node.flows[argument]).all() and not np.isfinite(node.out).all()


def reaching(x: Array, rng: np.random.Generator) -> Array:
    """A random signed direction in which every element moves by about its own size."""
    return signed(np.shape(x), rng) * np.maximum(abs(x), 0.25)


def masked(direction: Array, group: Array) -> Array:
    """The direction with 0 outside of a group of elements."""
    kept = np.zeros(np.size(direction))
    kept[group] = np.reshape(direction, -1)[group]
    return kept.reshape(np.shape(direction))[()]


def lines(node: Node, directions: Sequence[dict[int, Array]]) -> Bundle:
    """Probes t -> ⟨g, f(x + t d)⟩ of one node along several directions of its inputs."""
    here, g, live = node.out, node.g, node.g != 0
    whole = bool(np.all(live))

    def values(which: Array, at: Array) -> Array:
        return np.array(
            [along(directions[k], t) for k, t in zip(which.tolist(), at.tolist(), strict=True)]
        )

    def along(direction: dict[int, Array], t: float) -> float:
        moved = node.moved(direction, t)
        try:
            out = node.held(moved)
        except (GradstepError, ArithmeticError, ValueError):
            return math.nan
        if out.shape != here.shape:
            return math.nan
        # the difference keeps the noise of elements that do not move out of the sum
        off = out - here
        return float(np.vdot(g, off) if whole else np.sum(g * off, where=live))

    def rounding(which: int) -> float:
        return _rounding(node, directions[which])

    weights = [_weight(node.flows, direction) for direction in directions]
    with np.errstate(all="ignore"):
        through = float(np.sum(abs(g * here), where=live))
        inside = throughput_inside(node.trace, node.index, g)
    count = len(directions)
    return Bundle(
        points=np.zeros(count),
        claims=np.array([claim for claim, _ in weights]),
        sizes=np.array([size for _, size in weights]),
        floors=np.full(count, ENOUGH * through),
        values=values,
        rounding=rounding,
        slack=GRAIN * max(through, inside),
        noises=EXACT * max(through, inside),
        joint=np.array(
            [sum(map(np.count_nonzero, direction.values())) > 1 for direction in directions]
        ),
    )


def _weight(flows: Any, direction: dict[int, Array]) -> tuple[float, float]:
    """The claimed slope along a direction, Σ flow · d, and the size of what adds up to it."""
    with np.errstate(all="ignore"):
        terms = np.concatenate([np.ravel(flows[k] * d) for k, d in direction.items()])
        return float(np.sum(terms)), float(np.sqrt(np.nansum(terms**2)))


def _rounding(node: Node, direction: dict[int, Array]) -> float:
    """How far the claim moves when every input moves by a unit in the last place."""
    draw, moves = np.random.default_rng(0), [0.0]
    claim, _ = _weight(node.flows, direction)
    wanted = [k in direction for k in range(len(node.values))]
    for _ in range(3):
        values = [nudged(x, draw) for x in node.values]
        with np.errstate(all="ignore"):
            out, saved = node.op.run(values, node.params)
            flows = node.op.pull_back(node.g, out, values, wanted, node.params, saved)
        moves.append(abs(_weight(flows, direction)[0] - claim))
    return 8 * max(move for move in moves if math.isfinite(move))
