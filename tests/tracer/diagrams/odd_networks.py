"""Networks at the edge of what can be drawn: nothing to draw, absurd numbers, crowds, long chains of sums."""

from __future__ import annotations

import numpy as np

import tracer as tr


def single_leaf() -> tr.Trace:
    """A loss that is itself a leaf."""
    return tr.trace(tr.tensor(2.5, name="x"))


def without_edges() -> tr.Trace:
    """Leaves beside a loss that none of them leads to."""
    with tr.record() as recorded:
        for number in range(3):
            tr.parameter(float(number), name=f"w{number}")
        return tr.trace(tr.tensor(1.0, name="loss"), recorded=recorded)


def no_gradients() -> tr.Trace:
    """A loss that does not depend on the network beside it: no gradient is ever computed there."""
    with tr.record() as recorded:
        w, x = tr.parameter(2.0, name="w"), tr.tensor(-1.5, name="x")
        tr.tanh(w * x)
        return tr.trace(tr.tensor(3.0, name="loss"), recorded=recorded)


def every_state() -> tr.Trace:
    """On its way through the timeline every state of a gradient occurs: blocked, disconnected, partial and zero too."""
    with tr.record() as recorded:
        w, x = tr.parameter(2.0, name="w"), tr.tensor(0.75, name="x")
        held = tr.detach(w * 1.5)
        spare = tr.tanh(w)
        tr.log(spare)
        dead = tr.tensor(-4.0, name="dead")
        y = held * x + x * x + tr.relu(dead)
        return tr.trace(y * tr.constant(0.5, name="half"), recorded=recorded)


def every_state_of_arrays() -> tr.Trace:
    """The same with arrays, an index among them."""
    with tr.record() as recorded:
        w = tr.parameter([2.0, -1.0, 0.5], name="w")
        x = tr.tensor([0.75, 0.25, -3.0], name="x")
        held = tr.detach(w * 1.5)
        spare = tr.tanh(w)
        tr.exp(spare)
        dead = tr.tensor([-4.0, -1.0, -2.0], name="dead")
        y = held * x + x * x + tr.relu(dead)
        best = tr.argmax(x)
        mask = x > 0.5
        z = tr.where(mask, y, y * 2.0)
        return tr.trace(tr.sum(z) + tr.getitem(y, best), recorded=recorded)


def absurd_scalars() -> tr.Trace:
    """NaN, infinities, a negative zero, 1e-300 and 1e300 among scalars, and sums of them."""
    numbers = (float("nan"), float("inf"), -float("inf"), -0.0, 1e-300, 1e300, 5e-324, -0.0004)
    total = tr.tensor(0.0, name="zero")
    for number in numbers:
        total = total + tr.tensor(number) * 0.5
    return tr.trace(total)


def absurd_arrays() -> tr.Trace:
    """The same as arrays: NaN behind the numbers that are shown, an integer array, booleans, and an empty array."""
    x = tr.tensor([0.5, 0.25, float("nan"), float("inf"), -float("inf"), 1.0], name="x")
    tiny = tr.tensor([1e-300, -1e-300, 1.0, 1.0, 1.0, 5e-324], name="tiny")
    huge = tr.tensor([1e300, -1e300, 0.0, -0.0, 1.0, 1.0], name="huge")
    index = tr.constant(np.array([3, 1, 4, 1, 5, 9]), name="index")
    mask = tr.constant(np.array([True, False, True, True, False, True]), name="mask")
    empty = tr.tensor(np.empty((0, 3)), name="empty")
    column = tr.tensor(np.zeros((6, 1)), name="column")
    y = tr.where(mask, x * tiny, x + huge) + index
    return tr.trace(tr.sum(y) + tr.sum(empty) + tr.sum(column))


def twelve_inputs() -> tr.Trace:
    """One operation that reads twelve values."""
    parts = [tr.tensor(0.25 * number - 1, name=f"x{number}") for number in range(12)]
    stacked = tr.stack(parts)
    return tr.trace(tr.sum(stacked * stacked))


def forty_uses() -> tr.Trace:
    """One value that forty operations read."""
    x = tr.tensor(0.5, name="x")
    total = x * 1.0
    for number in range(1, 40):
        total = total + x * float(number)
    return tr.trace(total)


def doublings() -> tr.Trace:
    """y = y + y sixty times: 2^60 routes."""
    y = tr.tensor(1.0, name="y")
    for _ in range(60):
        y = y + y
    return tr.trace(y)


def whole_numbers() -> tr.Trace:
    """Integers as floats, some of them large."""
    a, b = tr.tensor(123456.0, name="a"), tr.tensor(-7.0, name="b")
    c = a * b
    return tr.trace(c + a)


ODD = (
    single_leaf,
    without_edges,
    no_gradients,
    every_state,
    every_state_of_arrays,
    absurd_scalars,
    absurd_arrays,
    twelve_inputs,
    forty_uses,
    doublings,
    whole_numbers,
)
