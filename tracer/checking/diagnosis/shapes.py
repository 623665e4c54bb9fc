"""Gradients whose axes are wrong: not summed, in another order, backwards, or off by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from tracer.format import shape

from .causes import Cause
from .wrong import Wrong, same

MOST_NAMED = 8
"""Entries that are named one by one, at most."""
MOST_AXES = 6
"""Arrays with more axes are not summed or turned in search of a cause."""


def sums(wrong: Wrong) -> Iterator[Cause]:
    """A sum over axes that broadcasting had repeated."""
    claim, right = wrong.claim, wrong.right
    if claim.size <= right.size or claim.ndim > MOST_AXES:
        return
    for count in range(1, claim.ndim + 1):
        for axes in combinations(range(claim.ndim), count):
            for kept in (False, True):
                total = claim.sum(axes, keepdims=kept)
                if total.shape == right.shape and same(total, right):
                    where = f"axis {axes[0]}" if count == 1 else f"axes {', '.join(map(str, axes))}"
                    text = (
                        f"the sum over {where} is missing: "
                        f"{wrong.name}, {shape(right.shape)}, was broadcast to {shape(claim.shape)}"
                    )
                    yield Cause("sum", text)
                    return


def oversummed(wrong: Wrong) -> Iterator[Cause]:
    """A sum too many."""
    claim, right = wrong.claim, wrong.right
    if claim.size >= right.size or right.ndim > MOST_AXES:
        return
    for count in range(1, right.ndim + 1):
        for axes in combinations(range(right.ndim), count):
            for kept in (False, True):
                if same(right.sum(axes, keepdims=kept), claim):
                    where = f"axis {axes[0]}" if count == 1 else f"axes {', '.join(map(str, axes))}"
                    text = f"it is summed over {where}, and should be {shape(right.shape)}"
                    if not claim.size or right.ndim == count == 1:
                        text = f"it is one number, and should be {shape(right.shape)}: not all axes are summed"
                    yield Cause("sum", text)
                    return


def transposed(wrong: Wrong) -> Iterator[Cause]:
    """Axes in the wrong order."""
    claim, right = wrong.claim, wrong.right
    if claim.ndim != right.ndim or not 1 < claim.ndim <= MOST_AXES:
        return
    for order in permutations(range(claim.ndim)):
        if order != tuple(range(claim.ndim)) and same(claim.transpose(order), right):
            text = (
                "it is transposed"
                if claim.ndim == 2
                else f"its axes should be in the order {order}"
            )
            yield Cause("transposed", text)
            return


def turned(wrong: Wrong) -> Iterator[Cause]:
    """An axis that runs backwards."""
    if not wrong.fits:
        return
    axes = [axis for axis in range(wrong.claim.ndim) if wrong.claim.shape[axis] > 1]
    for count in (1, 2):
        for some in combinations(axes, count):
            if same(np.flip(wrong.claim, some), wrong.right):
                where = f"axis {some[0]}" if count == 1 else f"axes {some[0]} and {some[1]}"
                yield Cause("reversed", f"it runs backwards along {where}", f"[{_flips(some)}]")
                return


def _flips(axes: tuple[int, ...]) -> str:
    return ", ".join("::-1" if axis in axes else ":" for axis in range(max(axes) + 1))


def shifted(wrong: Wrong) -> Iterator[Cause]:
    """Off by one or two steps along an axis, whatever stands at the ends."""
    if not wrong.fits:
        return
    for axis in range(wrong.claim.ndim):
        length = wrong.claim.shape[axis]
        for step in (1, -1, 2, -2):
            if length < abs(step) + 2:
                continue
            late = np.moveaxis(wrong.claim, axis, 0)[max(step, 0) : length + min(step, 0)]
            there = np.moveaxis(wrong.right, axis, 0)[max(-step, 0) : length + min(-step, 0)]
            if there.any() and same(late, there):
                by = "one step" if abs(step) == 1 else "two steps"
                where = "too late" if step > 0 else "too early"
                yield Cause("shift", f"it stands {by} {where} along axis {axis}")
                return


def permuted(wrong: Wrong) -> Iterator[Cause]:
    """The right numbers, rows or columns in another order."""
    if not wrong.fits or wrong.right.size > 1_000_000:
        return
    for axis in range(wrong.claim.ndim):
        rows = np.moveaxis(wrong.claim, axis, 0).reshape(wrong.claim.shape[axis], -1)
        there = np.moveaxis(wrong.right, axis, 0).reshape(rows.shape)
        if not 1 < len(rows) <= 64 or (rows.shape[1] < 2 and rows.size > 2):
            continue
        order = [next((k for k, row in enumerate(there) if same(row, mine)), -1) for mine in rows]
        if sorted(order) == list(range(len(rows))) != order:
            yield Cause("wrong factor", f"along axis {axis} {_order(order)}")
            return


def _order(order: list[int]) -> str:
    """Entries that stand in another order, in words: two runs of them that are swapped, or all one by one."""
    moved = [k for k, at in enumerate(order) if k != at]
    first = moved[: len(moved) // 2]
    other = [order[k] for k in first]
    swapped = [order[k] for k in other] == first and other == moved[len(first) :]
    if swapped and all(np.diff(first) == 1) and all(np.diff(other) == 1):
        a, b = (f"{r[0]}:{r[-1] + 1}" if len(r) > 1 else r[0] for r in (first, other))
        return f"the entries {a} and {b} are swapped"
    many = len(order) > MOST_NAMED
    said = ", ".join(map(str, order[:MOST_NAMED])) + (", …" if many else "")
    return f"its entries stand in the order {said}"
