"""Runs a kernel on numpy arrays: blocks one after another, their threads in a fixed order, each up to its next barrier.

Every run of the same launch does the same, to the bit. A kernel whose threads wait for nobody is called once per
thread; else each thread is a greenlet, and what it asks of others (a barrier, a shuffle) ends in a switch to here.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.interpreter.arguments import taken
from ops.interpreter.faults import Found, KernelFault
from ops.interpreter.indexed import Indexed
from ops.interpreter.memory import Checked
from ops.interpreter.namespace import Cuda, Request, Three
from ops.interpreter.passing import returns_before
from ops.interpreter.rounding import rounding
from ops.interpreter.sources import FENCES, source_of, waits
from ops.interpreter.standing import Crew, Thread
from ops.interpreter.story import copied, explained, raised_in
from ops.interpreter.warps import Warps
from ops.interpreter.widened import widened
from ops.interpreter.widening import mathematics

OURS, NUMBA = "ours", "numba"
"""The typings: every number as numpy has it, which for kernels with T(...) around all constants is that of a GPU; and
Numba's own."""


def run(
    kernel: Kernel,
    dtype: Any,
    launch: Launch,
    arguments: Sequence[Any],
    options: Mapping[str, Any] = NOTHING,
    *,
    typing: str = OURS,
    shared_bytes: int = 0,
) -> None:
    """Run a kernel on numpy arrays, in place, and Python numbers. Raises `KernelFault` where it does wrong.

    A kernel that is written for Numba asks for `typing="numba"`: its arithmetic widens as Numba's does, an index of -1
    is the last element, x[i] of a table is its row, and a barrier waits for no thread that has returned.
    `shared_bytes` is the size of `cuda.shared.array(0, dtype)`.
    """
    before = copied(arguments)
    more: dict[str, Any] = {"typing": typing, "shared_bytes": shared_bytes}
    machine = Machine(kernel, dtype, launch, arguments, options, **more)
    try:
        machine.run()
    except Found as found:
        fault = explained(
            lambda: Machine(kernel, dtype, launch, copied(before), options, **more), found
        )
        raise KernelFault(fault) from None
    except Exception as error:
        raise KernelFault(raised_in(machine, error)) from error


class Machine(Warps):
    """One run of one launch."""

    def __init__(
        self,
        kernel: Kernel,
        dtype: Any,
        launch: Launch,
        arguments: Sequence[Any],
        options: Mapping[str, Any] = NOTHING,
        *,
        typing: str = OURS,
        shared_bytes: int = 0,
    ) -> None:
        if typing not in (OURS, NUMBA):
            raise ValueError(f"typing is {typing!r}\n  try: typing={OURS!r} or typing={NUMBA!r}")
        numba = typing == NUMBA
        super().__init__(numba=numba)
        self.kernel = kernel
        blocks, threads = _three(launch.blocks), _three(launch.threads)
        self.threads, self.blocks = threads, blocks
        self.indices = [Three(x, y, z) for z, y, x in product(*map(range, reversed([*threads])))]
        """Of the threads of a block, in the order of their numbers."""
        self.cuda = Cuda(blocks, threads, self.clock, Indexed if numba else None, shared_bytes)
        scalar = np.dtype(dtype).type
        self.math = math = mathematics() if numba else rounding(scalar)
        with np.errstate(all="ignore"):  # a constant or an argument too large for the dtype is inf
            self.function = kernel.built(self.cuda, math, scalar, threads.x, **options)
            code = self.function.__code__
            self.arguments = taken(kernel, code, scalar, arguments, self.clock, numba=numba)
        if numba:
            self.function = widened(self.function, self.arguments)
            self.arguments = [Indexed(x) if isinstance(x, Checked) else x for x in self.arguments]
        self.clock.file = code.co_filename

    def run(self) -> None:
        """Run all blocks. Raises `Found`."""
        with np.errstate(all="ignore"):
            waiting = waits(self.function)
            if not waiting.isdisjoint(FENCES):
                self.clock.split = self._split
            elif not waiting:
                for block in self._blocks():
                    self._alone(block)
                return
            crews = (self._crew(block) for block in self._blocks())
            if "cg" in waiting:
                self._together(list(crews))
                return
            for crew in crews:
                self._in_turn(crew)

    def _blocks(self) -> Iterator[Three]:
        for z, y, x in product(*map(range, reversed([*self.blocks]))):
            yield Three(x, y, z)

    def _alone(self, block: Three) -> None:
        """Threads that wait for nobody: one call after another."""
        cuda, clock, function, arguments = self.cuda, self.clock, self.function, self.arguments
        cuda.blockIdx, cuda.threadIdx = block, Three(0, 0, 0)
        cuda.shared.arrays = {}
        first = clock.block_start = clock.floor = 32 * len(self.stretches)
        place = (block.x, block.y, block.z)
        sizes = self.threads
        count = sizes.x * sizes.y * sizes.z
        self.stretches += [(place, warp) for warp in range(0, count, 32)]
        if sizes.y == sizes.z == 1:
            index = cuda.threadIdx
            for number in range(count):
                index.x = number
                clock.stamp = first + number
                function(*arguments)
        else:
            for number, index in enumerate(self.indices):
                cuda.threadIdx = index
                clock.stamp = first + number
                function(*arguments)
        if clock.late:
            raise Found("uninitialised", "")

    def _crew(self, block: Three) -> Crew:
        from greenlet import getcurrent, greenlet

        hub = getcurrent()
        self.cuda.asks(hub.switch)
        context = contextvars.copy_context()  # so that numpy is as quiet there as here
        threads = []
        for number, index in enumerate(self.indices):
            strand = greenlet(self.function, hub)
            strand.gr_context = context
            threads.append(Thread(block, number, index, strand))
        return Crew(block, threads)

    def _together(self, crews: list[Crew]) -> None:
        """All blocks up to each sync of the grid."""
        while True:
            ended = [self._in_turn(crew) for crew in crews]
            if all(ended):
                return
            if any(ended):
                self.standing = [t for crew in crews for t in crew.threads]
                raise Found("deadlock", "some blocks wait for the whole grid, others have ended")
            for x in self.arguments:
                while not isinstance(x, Checked) and hasattr(x, "array"):
                    x = x.array  # recorded, or behind Numba's indices
                if isinstance(x, Checked):
                    x.forget()

    def _in_turn(self, crew: Crew) -> bool:
        self.clock.block_start = 32 * len(self.stretches)
        return self._advance(crew)

    def _advance(self, crew: Crew) -> bool:
        """Run a block to its end, which is True, or to a sync of the grid."""
        cuda, clock = self.cuda, self.clock
        cuda.blockIdx, cuda.shared.arrays = crew.block, crew.shared
        place = (crew.block.x, crew.block.y, crew.block.z)
        while True:
            clock.floor = 32 * len(self.stretches)
            for warp in crew.warps:
                self._run_warp(warp, place, crew.started)
            crew.started = True
            if clock.split is not None:
                self._meet_in(crew)
            if clock.late:
                raise Found("uninitialised", "")
            self.standing = threads = crew.threads
            if self.numba:  # CUDA counts those that have not returned
                threads = [t for t in threads if t.waiting is not None] or threads
                if len(threads) < len(crew.threads) and not self._returned(threads[0]):
                    raise Found(
                        "divergent barrier", "a barrier around which other threads have gone"
                    )
            first = threads[0].waiting
            if all(t.waiting == first for t in threads) and type(first) is not Request:
                if first is None:
                    return True
            elif type(first) is Request and all(
                type(t.waiting) is Request and t.waiting[:2] == first[:2] for t in threads
            ):
                if first.kind == "grid":
                    if len(threads) < len(crew.threads):
                        raise Found(
                            "deadlock", "some threads wait for the whole grid, others have ended"
                        )
                    return False
                self._vote(threads, first.kind)
            else:
                raise Found(
                    "divergent barrier", "a barrier that not all threads of the block reach"
                )

    def _returned(self, waiting: Thread) -> bool:
        """Whether those that have ended may have returned before the place where a thread waits."""
        frame, code = waiting.greenlet.gr_frame, self.function.__code__
        while frame.f_code is not code:
            frame = frame.f_back
        source = source_of(code)
        return source is None or returns_before(source.tree, frame.f_lineno)

    def _vote(self, threads: Sequence[Thread], kind: str) -> None:
        yes = sum(bool(t.waiting.value) for t in threads)
        every = int(yes == len(threads))
        answer = {"syncthreads_count": yes, "syncthreads_and": every}.get(kind, int(yes > 0))
        for t in threads:
            t.answer = answer


def _three(sizes: int | tuple[int, ...]) -> Three:
    return Three(sizes) if isinstance(sizes, int | np.integer) else Three(*sizes)
