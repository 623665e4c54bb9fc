"""Which launch of a kernel is recorded: its trial, threads and blocks, and the barrier that is taken away."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch, Trial
from tui.scripts import UsageError
from tui.stepper.layouts import first_of_each
from tui.stepper.walk import WARP, Walk

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun
    from tui.stepper.foreign import Foreign

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
    barrier: int | None = None
    """The number of that barrier."""
    own: Foreign | None = None
    """Of a kernel of the user's: how it was written down."""
    others: tuple[tuple[Launch, Trial], ...] = ()
    """What else may be launched to show what the barrier is there for."""

    @property
    def types(self) -> str:
        """The dtype in which the kernel is built; of one that says its types itself, those of its arrays."""
        if self.own is None or not self.own.fixed:
            return self.dtype
        arrays = [x for x in self.trial.arguments if isinstance(x, np.ndarray)]
        return ", ".join(dict.fromkeys(x.dtype.name for x in arrays))

    @property
    def typing(self) -> dict[str, Any]:
        """What the interpreter is told of a kernel as it is written for Numba: its types, and its shared memory."""
        if self.own is None or not self.own.fixed or self.own.example is None:
            return {}
        return {"typing": "numba", "shared_bytes": self.own.example.shared_bytes}

    @property
    def what(self) -> str:
        """Which trial, and which barrier is missing."""
        gone = "" if self.barrier is None else f"without barrier {self.barrier}"
        return ", ".join(filter(None, (self.trial.what, gone)))


def trials_of(kernel: Kernel, dtype: str) -> list[Trial]:
    """The trials of a kernel, the same each time."""
    return list(kernel.trials(np.random.default_rng(0), np.dtype(dtype).type))


def launched(kernel: Kernel, options: argparse.Namespace, own: Foreign | None = None) -> Launched:
    """The launch that the options ask for. Raises `UsageError` for what cannot be launched."""
    dtype = options.dtype or (own.dtype if own is not None else "") or DTYPES[0]
    if options.dtype and own is not None and own.fixed:
        raise UsageError(
            f"{kernel.name} is of the types of its arguments, so no dtype can be chosen\n"
            f"  try: without --dtype, and arrays of {options.dtype} in its example"
        )
    if dtype not in DTYPES:
        raise UsageError(f"no kernel is built for {dtype}\n  try: --dtype {' or '.join(DTYPES)}")
    trials = trials_of(kernel, dtype)
    trial = chosen(kernel, trials, options.trial)
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
    found = Launched(kernel, dtype, Launch(blocks, threads), trial, own=own)
    if options.without_barrier is None:
        return found
    launches = [found.launch]
    if not (options.threads or options.blocks):
        launches += [each for each in kernel.launches if each != found.launch]
    likely = [trial] if options.trial is not None else sorted(trials, key=rank)
    pairs = tuple((launch, each) for launch in launches for each in likely)
    return replace(_without(found, options.without_barrier), others=pairs)


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
    return min(trials, key=rank)


def rank(trial: Trial) -> tuple[bool, bool, int]:
    """How much there is to see in a trial: the least has most."""
    size = size_of(trial)
    return size <= TELLING, size % WARP == 0, size if size > TELLING else -size


def _without(found: Launched, number: str) -> Launched:
    from ops.interpreter.barriers import without_barrier

    there = barriers_of(found)
    if not number.isdigit() or int(number) >= len(there):
        known = f"barriers 0 to {len(there) - 1}" if there else "no barriers"
        cure = f"{found.kernel.name} --without-barrier" if there else "without --without-barrier"
        raise UsageError(f"{found.kernel.name} has {known}\n  try: gradstep kernel {cure}")
    return replace(
        found,
        kernel=without_barrier(found.kernel, int(number)),
        removed=there[int(number)].line,
        barrier=int(number),
    )


def telltale(found: Launched) -> Launched:
    """The launch without a barrier with the first trial that goes wrong without it; as it is where none does."""
    if len(found.others) < 2:
        return found
    from ops.interpreter.faults import KernelFault
    from ops.interpreter.machine import run
    from ops.interpreter.story import copied

    for launch, trial in found.others:
        try:
            given = copied(trial.arguments)
            run(found.kernel, found.dtype, launch, given, trial.options, **found.typing)
        except KernelFault:
            return replace(found, launch=launch, trial=trial)
    return found


def untold(found: Launched, run: KernelRun) -> str:
    """That nothing shows what a barrier that was taken away is there for; empty where something does."""
    if found.barrier is None or run.fault is not None:
        return ""
    count = len(found.others)
    whose = "this launch does not show" if count == 1 else f"no trial of {count} shows"
    return f"{whose} what barrier {found.barrier} is there for"


def barriers_of(found: Launched) -> tuple[Any, ...]:
    """The barriers of a kernel: number, line and text."""
    from ops.interpreter.barriers import barriers

    return barriers(found.kernel, found.dtype, {**found.kernel.options, **found.trial.options})


def recorded(
    found: Launched,
    tell: Callable[[int], bool] | None = None,
    block: int | None = None,
) -> KernelRun:
    """The launch, recorded. `tell` is told how many lines are kept, and answers whether to stop there.

    block: the number of one block of the grid that is to be kept, even if the others fill the record.
    """
    from ops.interpreter.recording import record

    trial = found.trial
    given = found.kernel, found.dtype, found.launch, trial.arguments, trial.options
    made = record(*given, tell=tell, **found.typing)
    wanted = None if block is None else place_of(found, block)
    if made.stopped and wanted is not None and all(each.block != wanted for each in made.runs):
        made = record(*given, [wanted], tell=tell, **found.typing)
    if made.stopped and made.fault is None and len(made.runs) < blocks_of(found.launch):
        made = made._replace(
            stopped=f"{made.stopped}; --block {len(made.runs)} keeps that block alone"
        )
    return made._replace(dtype=found.types)


def blocks_of(launch: Launch) -> int:
    """How many blocks a launch has."""
    return launch.blocks if isinstance(launch.blocks, int) else prod(launch.blocks)


def place_of(found: Launched, block: int) -> tuple[int, int, int] | None:
    """The index of a block, by its number in the grid; None for one that it has not."""
    if not 0 <= block < blocks_of(found.launch):
        return None
    sizes = found.launch.blocks
    wide, high = (sizes, 1) if isinstance(sizes, int) else (*sizes, 1, 1)[:2]
    return block % wide, block // wide % high, block // (wide * high)


def walk_of(run: KernelRun, number: int, found: Launched | None = None) -> Walk:
    """One of the recorded blocks, in the order of a GPU."""
    from ops.interpreter.schedule import schedule

    block = run.runs[number]
    names = [*run.arguments]
    given = found.trial.arguments if found is not None else ()
    same = {names[k]: names[first] for k, first in enumerate(first_of_each(given)) if first != k}
    example = found.own.example if found is not None and found.own is not None else None
    layouts = zip(names, example.layouts if example is not None else (), strict=False)
    known = {name: layout for name, layout in layouts if layout is not None}
    return Walk(run, block, schedule(block), known, same)


def launch_text(launch: Launch) -> str:
    """The launch in words.

    >>> launch_text(Launch(2, 64)), launch_text(Launch((2, 3), 32))
    ('2 blocks of 64 threads', '2×3 blocks of 32 threads')
    """
    blocks, threads = (
        n if isinstance(n, int) else "×".join(map(str, n)) for n in (launch.blocks, launch.threads)
    )
    count = blocks_of(launch)
    each = launch.threads if isinstance(launch.threads, int) else prod(launch.threads)
    return f"{blocks} block{'s' * (count != 1)} of {threads} thread{'s' * (each != 1)}"
