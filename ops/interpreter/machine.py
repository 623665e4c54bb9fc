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
from ops.interpreter.clock import Clock
from ops.interpreter.faults import Found, Index3, KernelFault
from ops.interpreter.memory import Tracked
from ops.interpreter.namespace import Cuda, Request, Three, answers
from ops.interpreter.rounding import rounding
from ops.interpreter.sources import waits
from ops.interpreter.story import copied, explained

BLOCK_WIDE = ("syncthreads_count", "syncthreads_and", "syncthreads_or")


def run(
    kernel: Kernel,
    dtype: Any,
    launch: Launch,
    arguments: Sequence[Any],
    options: Mapping[str, Any] = NOTHING,
) -> None:
    """Run a kernel on numpy arrays, in place, and Python numbers. Raises `KernelFault` where it does wrong."""
    before = copied(arguments)
    machine = Machine(kernel, dtype, launch, arguments, options)
    try:
        machine.run()
    except Found as found:
        fault = explained(lambda: Machine(kernel, dtype, launch, copied(before), options), found)
        raise KernelFault(fault) from None


class Thread:
    """A thread of a block that may wait."""

    def __init__(self, block: Three, number: int, index: Three, greenlet: Any) -> None:
        self.block, self.number, self.index, self.greenlet = block, number, index, greenlet
        self.stamp = self.warp_start = 0
        self.fences: tuple[tuple[int, int, int], ...] = ()
        self.waiting: Any = None
        """The place of the barrier where it stands, a `Request`, or None if it has ended."""
        self.answer: Any = None


class Crew:
    """The threads of a block, in warps, and their shared memory."""

    def __init__(self, block: Three, threads: list[Thread]) -> None:
        self.block, self.threads = block, threads
        self.warps = [threads[i : i + 32] for i in range(0, len(threads), 32)]
        self.shared: dict[Any, Any] = {}
        self.started = False


class Machine:
    """One run of one launch."""

    def __init__(
        self,
        kernel: Kernel,
        dtype: Any,
        launch: Launch,
        arguments: Sequence[Any],
        options: Mapping[str, Any] = NOTHING,
    ) -> None:
        self.kernel, self.clock = kernel, Clock()
        blocks, threads = _three(launch.blocks), _three(launch.threads)
        self.threads, self.blocks = threads, blocks
        self.indices = [Three(x, y, z) for z, y, x in product(*map(range, reversed([*threads])))]
        """Of the threads of a block, in the order of their numbers."""
        self.cuda = Cuda(blocks, threads, self.clock)
        scalar = np.dtype(dtype).type
        with np.errstate(all="ignore"):  # a constant or an argument too large for the dtype is inf
            self.function = kernel.built(self.cuda, rounding(scalar), scalar, threads.x, **options)
            code = self.function.__code__
            self.arguments = taken(kernel, code, scalar, arguments, self.clock)
        self.clock.file = code.co_filename
        self.stretches: list[tuple[Index3, int]] = []
        """By stamp // 32: the block, and the number of the first thread of the warp."""
        self.standing: Sequence[Thread] = ()
        """The threads that wait for each other, if some wait for ever."""

    def run(self) -> None:
        """Run all blocks. Raises `Found`."""
        with np.errstate(all="ignore"):
            waiting = waits(self.function)
            if not waiting:
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
                array = getattr(x, "array", x)  # a recorded argument holds that which remembers
                if isinstance(array, Tracked):
                    array.forget()

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
            if clock.late:
                raise Found("uninitialised", "")
            self.standing = crew.threads
            first = crew.threads[0].waiting
            if all(t.waiting == first for t in crew.threads) and type(first) is not Request:
                if first is None:
                    return True
            elif type(first) is Request and all(
                type(t.waiting) is Request and t.waiting[:2] == first[:2] for t in crew.threads
            ):
                if first.kind == "grid":
                    return False
                self._vote(crew.threads, first.kind)
            else:
                raise Found(
                    "divergent barrier", "a barrier that not all threads of the block reach"
                )

    def _vote(self, threads: Sequence[Thread], kind: str) -> None:
        yes = sum(bool(t.waiting.value) for t in threads)
        every = int(yes == len(threads))
        answer = {"syncthreads_count": yes, "syncthreads_and": every}.get(kind, int(yes > 0))
        for t in threads:
            t.answer = answer

    def _run_warp(self, warp: Sequence[Thread], place: Index3, started: bool) -> None:
        """Run the lanes of a warp until each has ended or waits for the block."""
        cuda, clock = self.cuda, self.clock
        base = 32 * len(self.stretches)
        self.stretches.append((place, warp[0].number))
        for lane, t in enumerate(warp):
            t.stamp, t.warp_start, t.fences = base + lane, base, ()
        running = warp
        while running:
            for t in running:
                cuda.threadIdx = t.index
                clock.stamp, clock.fences = t.stamp, t.fences
                if started:
                    t.waiting = t.greenlet.switch(t.answer)
                else:
                    t.waiting = t.greenlet.switch(*self.arguments)
            started = True
            running = self._exchange(warp, place)

    def _exchange(self, warp: Sequence[Thread], place: Index3) -> list[Thread]:
        """Answer the lanes that wait for each other, as far as all who are named have come."""
        groups: dict[int, list[Thread]] = {}
        self.standing = warp
        for t in warp:
            if type(t.waiting) is Request and t.waiting.kind not in (*BLOCK_WIDE, "grid"):
                groups.setdefault(t.waiting.mask & 0xFFFFFFFF, []).append(t)
        ready = []
        for mask, group in groups.items():
            first = group[0].number - group[0].number % 32
            named = [t for t in warp if mask >> (t.number - first) & 1 and t.waiting is not None]
            if named != group or len({t.waiting.kind for t in group}) > 1:
                continue
            requests = {t.number % 32: t.waiting for t in group}
            try:
                given = answers(requests)
            except KeyError as lane:
                raise Found(
                    "stray shuffle", f"takes the number of lane {lane}, which takes no part"
                ) from None
            for t in group:
                t.answer = given[t.number % 32]
            if group[0].waiting.kind == "syncwarp":
                self._fence(warp, group, mask, place)
            ready += group
        if groups and not ready:
            raise Found(
                "stray shuffle",
                "lanes of a warp wait for others that their mask names and that do not come",
            )
        return ready

    def _fence(self, warp: Sequence[Thread], group: list[Thread], mask: int, place: Index3) -> None:
        base = 32 * len(self.stretches)
        self.stretches.append((place, warp[0].number))
        for t in group:
            t.stamp = base + t.number % 32
            t.fences = (*t.fences, (t.warp_start, base, mask))


def _three(sizes: int | tuple[int, ...]) -> Three:
    return Three(sizes) if isinstance(sizes, int | np.integer) else Three(*sizes)
