"""Dropout on a device: element k stays by the same 64 random bits as on the CPU: a function of the seed and k."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from ops.cuda.moving.copies import HELD, unwritten
from ops.cuda.moving.launches import launched
from ops.cuda.moving.picks import FLOATS
from ops.cuda.native import Native
from ops.devices.arrays import DeviceArray, empty
from ops.random import FIRST, SECOND, STEP, _check, dropout_mask, limit_of, mix64, scale_of

u8 = np.uint64


def build_dropout(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """mask[k] = hash64(seed, k) >> 11 < limit, out[k] = x[k] mask[k] scale; of mix64(seed) both halves are given."""
    zero, one = T(0), T(1)
    # by halves: numba-cuda-mlir 0.6 takes no constant of 64 bits that has the highest set
    (step_high, step_low), (first_high, first_low), (second_high, second_low) = (
        map(u8, halves(number)) for number in (STEP, FIRST, SECOND)
    )
    held = HELD
    by32, by30, by27, by31, by11 = u8(32), u8(30), u8(27), u8(31), u8(11)

    def kernel(x, out, mask, count, high, low, limit, scale):  # type: ignore[no-untyped-def]
        values = cuda.local.array(held, T)
        step = step_high << by32 | step_low
        first = first_high << by32 | first_low
        second = second_high << by32 | second_low
        mixed = u8(high) << by32 | u8(low)
        size = cuda.gridsize(1)
        at = cuda.grid(1)
        while at < count:
            for k in range(held):
                if at + k * size < count:
                    values[k] = x[at + k * size]
            for k in range(held):
                if at + k * size < count:
                    z = mixed + u8(at + k * size + 1) * step
                    z = (z ^ z >> by30) * first
                    z = (z ^ z >> by27) * second
                    z = z ^ z >> by31
                    stays = z >> by11 < u8(limit)
                    mask[at + k * size] = stays
                    out[at + k * size] = values[k] * (one if stays else zero) * scale
            at += held * size

    return kernel


def build_dropped(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """out[k] = g[k] mask[k] scale."""
    zero, one = T(0), T(1)
    held = HELD

    def kernel(g, mask, out, count, scale):  # type: ignore[no-untyped-def]
        values = cuda.local.array(held, T)
        size = cuda.gridsize(1)
        at = cuda.grid(1)
        while at < count:
            for k in range(held):
                if at + k * size < count:
                    values[k] = g[at + k * size] * (one if mask[at + k * size] else zero)
            for k in range(held):
                if at + k * size < count:
                    out[at + k * size] = values[k] * scale
            at += held * size

    return kernel


def halves(number: int) -> tuple[int, int]:
    """The upper and the lower 32 bits: each fits the whole numbers of a kernel.

    >>> halves(0x123456789ABCDEF0) == (0x12345678, 0x9ABCDEF0)
    True
    """
    return number >> 32, number & 0xFFFFFFFF


def dropout_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Shares, forms and seeds; NaN and inf times 0 are NaN."""
    for size, p, form, seed in (
        (1, 0.5, "inverted", 1),
        (31, 0.2, "lecture", -3),
        (33, 0.8, "inverted", 2**63),
        (300, 0.3, "inverted", 7),
        (32, 1.0, "inverted", 8),
    ):
        x = rng.normal(size=size).astype(T)
        x[0] = np.inf
        mask = dropout_mask(x, p=p, form=form, seed=seed)
        scale = scale_of(p, form)
        with np.errstate(invalid="ignore"):
            expected = x * mask * scale
        arguments = (x, unwritten(size, T), np.zeros(size, np.bool_), size)
        drawn = (*halves(mix64(seed)), limit_of(p, form), scale)
        yield Trial((*arguments, *drawn), {1: expected, 2: mask}, what=f"{size} {form} p={p}")


def dropped_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Sizes about a warp."""
    for size in (1, 31, 32, 33, 150):
        g = rng.normal(size=size).astype(T)
        mask = rng.random(size) < 0.5
        arguments = (g, mask, unwritten(size, T), size, 1.25)
        yield Trial(arguments, {2: g * mask * 1.25}, what=str(size))


DROPOUT = Kernel(
    "dropout",
    "moving",
    build_dropout,
    "T[:] T[:] b1[:] i8 i8 i8 i8 T",
    dropout_trials,
    ulps=0,
    doc="Drops elements by random bits that depend on the seed and their number alone.",
)
DROPPED = Kernel(
    "dropped",
    "moving",
    build_dropped,
    "T[:] b1[:] T[:] i8 T",
    dropped_trials,
    ulps=0,
    doc="Sends cotangents through the mask of a dropout.",
)


def dropout_value(
    x: Any, *, p: float, form: str, seed: int
) -> tuple[DeviceArray, dict[str, DeviceArray]] | None:
    """The kept elements and their mask. Raises `ValueError` for a p or a form that there is not."""
    _check(p, form)
    if type(x) is not DeviceArray or x.dtype not in FLOATS:
        return None
    out, mask = empty(x.device, x.shape, x.dtype), empty(x.device, x.shape, np.bool_)
    drawn = (*halves(mix64(seed)), limit_of(p, form), scale_of(p, form))
    launched(DROPOUT, x.dtype, -(-x.size // HELD), x, out, mask, x.size, *drawn)
    return out, {"mask": mask}


def dropout_pull(
    g: DeviceArray,
    out: DeviceArray,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The cotangents of what stayed."""
    if g.dtype not in FLOATS:
        return None
    flow = empty(g.device, g.shape, g.dtype)
    scale = scale_of(params["p"], params["form"])
    launched(DROPPED, g.dtype, -(-g.size // HELD), g, saved["mask"], flow, g.size, scale)
    return [flow]


NATIVE = {"dropout": Native(dropout_value, dropout_pull)}
