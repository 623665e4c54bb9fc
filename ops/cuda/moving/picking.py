"""Kernels that pick elements by whole numbers, check the numbers, and make one-hot rows of them.

An array is seen as (outer, height, width): numbers pick along the middle axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from ops.cuda.moving.copies import HELD, unwritten

i8 = np.int64


def build_outside(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """Each of `lanes` lanes looks through its share of the numbers for the first outside [low, high); −1 if none is."""

    held = HELD

    def kernel(numbers, found, count, lanes, low, high, ignored):  # type: ignore[no-untyped-def]
        ready = cuda.local.array(held, i8)
        lane = cuda.grid(1)
        while lane < lanes:
            first = -1
            at = lane
            while at < count:
                for k in range(held):
                    if at + k * lanes < count:
                        ready[k] = numbers[at + k * lanes]
                for k in range(held):
                    if at + k * lanes < count and first < 0:
                        number = ready[k]
                        if number != ignored and (number < low or number >= high):
                            first = at + k * lanes
                at += held * lanes
            found[lane] = first
            lane += cuda.gridsize(1)

    return kernel


def build_add_places(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """places[k] += number[k] · stride, where negative numbers count from the end of an axis of that size."""

    def kernel(numbers, places, count, size, stride):  # type: ignore[no-untyped-def]
        at = cuda.grid(1)
        while at < count:
            number = numbers[at]
            if number < 0:
                number += size
            places[at] = places[at] + number * stride
            at += cuda.gridsize(1)

    return kernel


def build_pick(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """out[o, k, i] = x[o, numbers[o r0 + k r1 + i r2], i]; negative numbers count from the end."""
    held = HELD

    def kernel(numbers, x, out, count, picked, height, width, r0, r1, r2):  # type: ignore[no-untyped-def]
        ready = cuda.local.array(held, i8)
        places = cuda.local.array(held, i8)
        values = cuda.local.array(held, T)
        step = cuda.gridsize(1)
        at = cuda.grid(1)
        i = at % width
        k = at // width % picked
        o = at // (width * picked)
        right = step % width
        down = step // width % picked
        beyond = step // (width * picked)
        while at < count:
            for turn in range(held):
                if at + turn * step < count:
                    ready[turn] = numbers[o * r0 + k * r1 + i * r2]
                    places[turn] = o * height * width + i
                    i += right
                    if i >= width:
                        i -= width
                        k += 1
                    k += down
                    if k >= picked:
                        k -= picked
                        o += 1
                    o += beyond
            for turn in range(held):
                if at + turn * step < count:
                    number = ready[turn]
                    if number < 0:
                        number += height
                    values[turn] = x[places[turn] + number * width]
            for turn in range(held):
                if at + turn * step < count:
                    out[at + turn * step] = values[turn]
            at += held * step

    return kernel


def build_one_hot(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """out[o, c, i]: whether numbers[o, i] is c, and not the one to ignore."""

    def kernel(numbers, out, count, classes, width, ignored):  # type: ignore[no-untyped-def]
        step = cuda.gridsize(1)
        at = cuda.grid(1)
        i = at % width
        c = at // width % classes
        o = at // (width * classes)
        right = step % width
        down = step // width % classes
        beyond = step // (width * classes)
        while at < count:
            number = numbers[o * width + i]
            out[at] = number == c and number != ignored
            at += step
            i += right
            if i >= width:
                i -= width
                c += 1
            c += down
            if c >= classes:
                c -= classes
                o += 1
            o += beyond

    return kernel


# ----- trials


def outside_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Lists without a bad number, with one, with several; and one that is ignored."""
    for size, lanes, bad, ignored in ((1, 1, (), 0), (33, 33, (5,), 0), (70, 32, (40, 8, 9), -7)):
        numbers = rng.integers(0, 5, size)
        numbers[list(bad)] = 5
        numbers[list(bad[1:])] = -7
        wrong = ((numbers < 0) | (numbers >= 5)) & (numbers != ignored)
        expected = [
            next((k for k in range(lane, size, lanes) if wrong[k]), -1) for lane in range(lanes)
        ]
        found = np.full(lanes, -9)
        arguments = (numbers, found, size, lanes, 0, 5, ignored)
        yield Trial(arguments, {1: np.array(expected)}, what=f"{len(bad)} of {size} on {lanes}")


def add_places_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Numbers of either sign on top of places that are there."""
    for size in (1, 31, 32, 33, 150):
        numbers = rng.integers(-4, 4, size)
        places = rng.integers(0, 100, size)
        expected = places + numbers % 4 * 7
        yield Trial((numbers, places, size, 4, 7), {1: expected}, what=str(size))


def pick_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """A list of numbers for all, and a number for each place."""
    for outer, picked, height, width in ((1, 1, 1, 1), (1, 6, 5, 33), (3, 31, 4, 1), (2, 5, 3, 7)):
        x = rng.normal(size=(outer, height, width)).astype(T)
        rows = rng.integers(-height, height, picked)
        each = rng.integers(-height, height, (outer, picked, width))
        for numbers, strides, expected in (
            (rows, (0, 1, 0), x[:, rows]),
            (each, (picked * width, width, 1), np.take_along_axis(x, each % height, axis=1)),
        ):
            out = unwritten(expected.size, T)
            sizes = (expected.size, picked, height, width)
            yield Trial(
                (numbers.reshape(-1), x.reshape(-1), out, *sizes, *strides),
                {2: expected.reshape(-1)},
                what=f"{numbers.shape} of {x.shape}",
            )


def one_hot_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """The axis of classes last and in the middle; a number that is ignored."""
    for outer, classes, width in ((1, 1, 1), (33, 3, 1), (4, 5, 8)):
        numbers = rng.integers(0, classes, (outer, width))
        numbers[0, 0] = -100
        expected = numbers[:, None] == np.arange(classes)[None, :, None]
        out = np.ones(expected.size, np.bool_)
        arguments = (numbers.reshape(-1), out, expected.size, classes, width, -100)
        yield Trial(arguments, {1: expected.reshape(-1)}, what=str(expected.shape))


OUTSIDE = Kernel(
    "outside",
    "moving",
    build_outside,
    "i8[:] i8[:] i8 i8 i8 i8 i8",
    outside_trials,
    ulps=0,
    doc="Looks for whole numbers outside a range.",
)
ADD_PLACES = Kernel(
    "add_places",
    "moving",
    build_add_places,
    "i8[:] i8[:] i8 i8 i8",
    add_places_trials,
    ulps=0,
    doc="Adds the steps along one axis to the places that an index names.",
)
PICK = Kernel(
    "pick",
    "moving",
    build_pick,
    "i8[:] T[:] T[:]" + " i8" * 7,
    pick_trials,
    ulps=0,
    doc="Picks elements along an axis by whole numbers.",
)
ONE_HOT = Kernel(
    "one_hot",
    "moving",
    build_one_hot,
    "i8[:] b1[:] i8 i8 i8 i8",
    one_hot_trials,
    ulps=0,
    doc="Says of each class whether it is the one.",
)
