"""Kernels to step through, small enough to know every step, and what records them."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch, Trial
from tui.stepper.stand import Stand, begin
from tui.stepper.trials import launched, recorded, walk_of


def _block_sum(cuda, math, T, threads):
    zero = T(0)

    def kernel(x, out):
        part = cuda.shared.array(threads, T)
        t = cuda.threadIdx.x
        total = zero
        for i in range(t, x.size, threads):
            total += x[i]
        part[t] = total
        cuda.syncthreads()
        half = threads // 2
        while half > 0:
            if t < half:
                part[t] += part[t + half]
            cuda.syncthreads()
            half //= 2
        if t == 0:
            out[cuda.blockIdx.x] = part[0]

    return kernel


def _sides(cuda, math, T, threads):
    def kernel(x, out):
        i = cuda.grid(1)
        if i % 2 == 0:
            out[i] = x[i]
        else:
            out[i] = x[2 * i]

    return kernel


def _columns(cuda, math, T, threads):
    def kernel(x, out):
        tile = cuda.shared.array((32, 32), T)
        t = cuda.threadIdx.x
        for row in range(x.shape[0]):
            tile[row, t] = x[row, t]
        cuda.syncthreads()
        out[t] = tile[t, 0]

    return kernel


def _hasty(cuda, math, T, threads):
    def kernel(x, out):
        t = cuda.threadIdx.x
        if t == 0:
            for k in range(4):
                out[k] = x[k]
        if t == 1:
            x[1] = T(0)

    return kernel


def _sum_trials(rng, T):
    for n in (1, 40, 150):
        x = rng.normal(size=n).astype(T)
        out = np.full(2, np.nan, T)
        yield Trial((x, out), {}, what=f"n = {n}")


def _side_trials(rng, T):
    yield Trial((np.arange(130, dtype=T), np.full(64, np.nan, T)), {}, what="both sides")


def _column_trials(rng, T):
    yield Trial((np.zeros((32, 32), T), np.full(32, np.nan, T)), {}, what="a tile")


HASTY = Kernel("hasty", "moving", _hasty, "T[:] T[:]", _side_trials, launches=(Launch(1, 32),))
BLOCK_SUM = Kernel(
    "block_sum", "reductions", _block_sum, "T[:] T[:]", _sum_trials, doc="The sum of a vector."
)
SIDES = Kernel("sides", "moving", _sides, "T[:] T[:]", _side_trials, launches=(Launch(1, 64),))
COLUMNS = Kernel(
    "columns", "moving", _columns, "T[:,:] T[:]", _column_trials, launches=(Launch(1, 32),)
)


def asked(**given: Any) -> argparse.Namespace:
    """The options of the command, those that are given and the usual ones."""
    names = ("dtype", "trial", "threads", "blocks", "without_barrier", "step", "block")
    return argparse.Namespace(**{**dict.fromkeys(names), "text": False, "json": False, **given})


def stand_of(kernel: Kernel = BLOCK_SUM, **given: Any) -> Stand:
    """Where one begins in the first block of a kernel; a barrier may be taken away."""
    found = launched(kernel, asked(**{"blocks": 1, **given}))
    return begin(walk_of(recorded(found), 0), found.removed)
