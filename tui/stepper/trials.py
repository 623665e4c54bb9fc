"""Which launch of a kernel is recorded: its trial, threads and blocks, and the barrier that is taken away."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch, Trial
from tui.scripts import UsageError
from tui.stepper.walk import WARP, Walk

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun

DTYPES = ("float32", "float64")
MOST_THREADS = 1024
"""The threads that a block can have."""
MOST_BLOCKS = 256
"""More blocks than these are not worth a person's time, nor the interpreter's."""
TELLING = 2 * WARP
"""A trial with an array of more elements than this keeps two warps busy, and the last one not wholly."""
LISTED = "list"
"""What stands for an option that is given without its number: it lists."""


@dataclass(frozen=True)
class Launched:
    """A kernel, and how it is launched."""

    kernel: Kernel
    dtype: str
    launch: Launch
    trial: Trial
    removed: int = 0
    """The line of the barrier that is taken away; 0: none."""


def trials_of(kernel: Kernel, dtype: str) -> list[Trial]:
    """The trials of a kernel, the same each time."""
    return list(kernel.trials(np.random.default_rng(0), np.dtype(dtype).type))


def launched(kernel: Kernel, options: argparse.Namespace, dtype: str = "") -> Launched:
    """The launch that the options ask for. Raises `UsageError` for what cannot be launched."""
    dtype = options.dtype or dtype or DTYPES[0]
    if dtype not in DTYPES:
        raise UsageError(f"no kernel is built for {dtype}\n  try: --dtype {' or '.join(DTYPES)}")
    trial = chosen(kernel, trials_of(kernel, dtype), options.trial)
    usual = next((one for one in kernel.launches if one.threads == 64), kernel.launches[-1])
    threads, blocks = options.threads or usual.threads, options.blocks or usual.blocks
    if isinstance(threads, int) and threads > MOST_THREADS:
        raise UsageError(
            f"a block has at most {MOST_THREADS} threads, not {threads}\n  try: --threads 64"
        )
    if isinstance(blocks, int) and blocks > MOST_BLOCKS:
        raise UsageError(
            f"{blocks} blocks are more than one can step through\n  try: --blocks 2, with a small trial"
        )
    found = Launched(kernel, dtype, Launch(blocks, threads), trial)
    return found if options.without_barrier is None else _without(found, options.without_barrier)


def chosen(kernel: Kernel, trials: Sequence[Trial], wanted: str | None) -> Trial:
    """The trial of a number or a name; without, a telling one. Raises `UsageError` where there is none."""
    if wanted is None:
        return telling(trials)
    if wanted.isdigit() and int(wanted) < len(trials):
        return trials[int(wanted)]
    named = [trial for trial in trials if wanted.casefold() in trial.what.casefold()]
    if not named:
        raise UsageError(
            f"{kernel.name} has trials 0 to {len(trials) - 1}, and none of them is {wanted!r}\n"
            f"  try: gradstep kernel {kernel.name} --trial"
        )
    return named[0]


def size_of(trial: Trial) -> int:
    """The elements of its largest array."""
    arrays = [x for x in trial.arguments if isinstance(x, np.ndarray)]
    return max((array.size for array in arrays), default=0)


def telling(trials: Sequence[Trial]) -> Trial:
    """A small trial on which there is much to see: more than one warp is busy, and its end is ragged."""

    def rank(trial: Trial) -> tuple[bool, bool, int]:
        size = size_of(trial)
        return size <= TELLING, size % WARP == 0, size if size > TELLING else -size

    return min(trials, key=rank)


def _without(found: Launched, number: str) -> Launched:
    from ops.interpreter.barriers import without_barrier

    there = barriers_of(found)
    if not number.isdigit() or int(number) >= len(there):
        known = f"barriers 0 to {len(there) - 1}" if there else "no barriers"
        cure = f"{found.kernel.name} --without-barrier" if there else "without --without-barrier"
        raise UsageError(f"{found.kernel.name} has {known}\n  try: gradstep kernel {cure}")
    return Launched(
        without_barrier(found.kernel, int(number)),
        found.dtype,
        found.launch,
        found.trial,
        there[int(number)].line,
    )


def barriers_of(found: Launched) -> tuple[Any, ...]:
    """The barriers of a kernel: number, line and text."""
    from ops.interpreter.barriers import barriers

    return barriers(found.kernel, found.dtype, {**found.kernel.options, **found.trial.options})


def recorded(found: Launched) -> KernelRun:
    """The launch, recorded."""
    from ops.interpreter.recording import record

    return record(
        found.kernel, found.dtype, found.launch, found.trial.arguments, found.trial.options
    )


def walk_of(run: KernelRun, number: int) -> Walk:
    """One of the recorded blocks, in the order of a GPU."""
    from ops.interpreter.schedule import schedule

    block = run.runs[number]
    return Walk(run, block, schedule(block))


def launch_text(launch: Launch) -> str:
    """The launch in words.

    >>> launch_text(Launch(2, 64)), launch_text(Launch((2, 3), 32))
    ('2 blocks of 64 threads', '2×3 blocks of 32 threads')
    """
    blocks, threads = (
        n if isinstance(n, int) else "×".join(map(str, n)) for n in (launch.blocks, launch.threads)
    )
    count = launch.blocks if isinstance(launch.blocks, int) else prod(launch.blocks)
    return f"{blocks} block{'s' * (count != 1)} of {threads} threads"
