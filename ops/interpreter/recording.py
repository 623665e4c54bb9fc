"""A launch with everything that its threads do kept: one `Event` per statement, thread and time that it runs.

The syntax tree of the kernel gets a call after every statement, and around every condition; so no tracing of Python is
needed, and the numbers are those of a plain run to the bit.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.interpreter.faults import Found, Index3, short
from ops.interpreter.indexed import Indexed, plain
from ops.interpreter.machine import OURS, Machine
from ops.interpreter.record import Access, BlockRun, Event, KernelRun
from ops.interpreter.seen import Seen, SeenLocal, SeenShared
from ops.interpreter.sources import TREE, Source, rebuilt, source_of
from ops.interpreter.story import copied, explained, premature, raised_in
from ops.interpreter.telling import Telling
from ops.interpreter.widened import KEPT

LIMIT = 400_000
"""How many events are kept: some hundred megabytes."""

UNKEPT = 20
"""So many times the limit is run in blocks that are not kept."""
MANY = 1000
"""A line to which a thread came so often stands in a loop that perhaps does not end."""


OFTEN = 2000
"""Of so many lines that are kept, one is told of."""


class Enough(Exception):  # noqa: N818 - no error of ours
    """Ends a run of which enough is kept."""


def record(
    kernel: Kernel,
    dtype: Any,
    launch: Launch,
    arguments: Sequence[Any],
    options: Mapping[str, Any] = NOTHING,
    blocks: Collection[Index3] | None = None,
    limit: int = LIMIT,
    *,
    typing: str = OURS,
    shared_bytes: int = 0,
    tell: Callable[[int], bool] | None = None,
) -> KernelRun:
    """Run a kernel on copies of its arguments and keep what its threads do, in all blocks or in those named.

    Never raises for a fault: it stands in the record, with all that happened before it. The run ends when as many lines
    as the limit are kept: then `stopped` says which thread was where. `typing` and `shared_bytes` are those of
    `machine.run`. `tell` is told from time to time how many lines are kept; True from it ends the run there.
    """
    more: dict[str, Any] = {"typing": typing, "shared_bytes": shared_bytes}

    def begun(awaiting: bool) -> RecordingMachine:
        given = copied(arguments)
        made = RecordingMachine(kernel, dtype, launch, given, options, blocks, limit, **more)
        made.clock.awaiting = awaiting
        made.tell = tell
        return made

    machine = begun(False)
    fault = None
    found = machine.watched()
    if isinstance(found, Found):
        fault = explained(
            lambda: Machine(kernel, dtype, launch, copied(arguments), options, **more), found
        )
        if premature(found) and fault.kind == "race":  # on to the thread that writes too late
            machine = begun(True)
            machine.watched()
    elif found is not None:
        fault = raised_in(machine, found)
    code = machine.original.__code__
    names = code.co_varnames[: code.co_argcount]
    source = machine.source
    return KernelRun(
        kernel.name,
        source.lines,
        source.first_line,
        source.file,
        launch.blocks,
        launch.threads,
        np.dtype(dtype).name,
        {
            n: x.copy(order="K") if isinstance(x, np.ndarray) else x
            for n, x in zip(names, arguments, strict=True)
        },
        {n: x for n, x in zip(names, machine.given, strict=True) if isinstance(x, np.ndarray)},
        machine.recorded(),
        fault,
        machine.stopped,
    )


class RecordingMachine(Machine):
    """A machine whose kernel tells what it does."""

    def __init__(
        self,
        kernel: Kernel,
        dtype: Any,
        launch: Launch,
        arguments: Sequence[Any],
        options: Mapping[str, Any],
        blocks: Collection[Index3] | None,
        limit: int,
        *,
        typing: str = OURS,
        shared_bytes: int = 0,
    ) -> None:
        super().__init__(
            kernel, dtype, launch, arguments, options, typing=typing, shared_bytes=shared_bytes
        )
        self.given = arguments
        self.original = self.function
        source = source_of(self.original.__code__)
        if source is None:
            raise ValueError(
                f"the source of kernel {kernel.name} is not kept\n  try: put its lines into linecache.cache"
            )
        self.source: Source = source
        self.loops = tuple(
            (node.lineno, node.end_lineno or node.lineno)
            for node in ast.walk(source.tree)
            if isinstance(node, ast.While | ast.For)
        )
        tree = Telling().visit(deepcopy(getattr(self.original, TREE, source.tree)))
        self.function = rebuilt(
            self.original,
            tree,
            left_=self.left,
            test_=self.test,
            each_=self.each,
            before_=self.before,
        )
        self.pending: dict[Any, list[Access]] = {}
        """What the statement of each thread has read and written so far, by its `threadIdx`."""
        self.arguments = [self.seen(x) if hasattr(x, "space") else x for x in self.arguments]
        behind = Indexed if self.numba else None
        self.cuda.shared = SeenShared(self.clock, self.access, behind, shared_bytes)
        self.cuda.local = SeenLocal(self.access, behind)
        self.wanted = None if blocks is None else set(blocks)
        self.events: dict[Index3, dict[int, list[Event]]] = {}
        self.shared: dict[Index3, dict[str, tuple[tuple[int, ...], str]]] = {}
        self.left_over = limit
        self.limit, self.passed = limit, 0
        self.stopped = ""
        self.tell: Callable[[int], bool] | None = None

    def seen(self, x: Any) -> Any:
        """An argument that tells."""
        told = Seen(plain(x), self.access, x.name)
        return Indexed(told) if type(x) is Indexed else told

    def watched(self) -> Exception | None:
        """Run to the end or to the limit, which is None, or to a fault."""
        try:
            self.run()
        except Enough:
            return None
        except Exception as found:
            self.break_off(found)
            return found
        return None

    # what the kernel tells

    def left(self, line: int, kind: str, registers: dict[str, Any]) -> None:
        """A statement has run."""
        for name, each in registers.items():
            value = plain(each)
            if isinstance(value, Seen) and not getattr(each, "prefix", ()):
                value.name = name
                if value.space == "shared":
                    b = self.cuda.blockIdx
                    kept = self.shared.setdefault((b.x, b.y, b.z), {})
                    kept[name] = (value.shape, np.dtype(value.dtype).name)
        self.keep(line, kind, numbers_of(registers))

    def test(self, line: int, value: Any) -> Any:
        """The condition of an `if` or a `while` is known."""
        self.keep(line, "line", {})
        return value

    def each(self, line: int, names: tuple[str, ...], values: Iterable[Any]) -> Iterator[Any]:
        """The head of a `for`: once for every turn, and once when there is none left."""
        for value in values:
            each = value if len(names) > 1 else (value,)
            self.keep(line, "line", numbers_of(dict(zip(names, each, strict=True))))
            yield value
        self.keep(line, "line", {})

    def before(self, line: int, kind: str) -> None:
        """A thread comes to a barrier."""
        self.keep(line, kind, {})

    # keeping it

    def stream(self) -> list[Event] | None:
        """The events of the thread that runs, or None if its block is not wanted."""
        b, t, d = self.cuda.blockIdx, self.cuda.threadIdx, self.threads
        block = (b.x, b.y, b.z)
        if self.wanted is not None and block not in self.wanted:
            return None
        number = t.x + d.x * (t.y + d.y * t.z)
        return self.events.setdefault(block, {}).setdefault(number, [])

    def keep(self, line: int, kind: str, registers: Mapping[str, Any]) -> None:
        """Add an event to the thread that runs."""
        accesses = tuple(self.pending.pop(self.cuda.threadIdx, ()))
        stream = self.stream()
        if stream is None:
            self.passed += 1
            if self.passed > UNKEPT * self.limit:
                self.stop(line, f"blocks that are not kept ran {self.passed} lines")
            return
        if not self.left_over:
            again = sum(event.line == line for event in stream)
            times = f" for the {again + 1}th time" if again > MANY else ""
            self.stop(line, f"only the first {self.limit} lines were kept", times)
        self.left_over -= 1
        if self.tell is not None and not self.left_over % OFTEN:
            count = self.limit - self.left_over
            if self.tell(count):
                self.stop(line, f"stopped after {count} lines")
        stream.append(Event(line, kind, registers, accesses))

    def stop(self, line: int, why: str, times: str = "") -> None:
        """End the run with a word."""
        b, t = self.cuda.blockIdx, self.cuda.threadIdx
        who = f"thread {short((t.x, t.y, t.z))} of block {short((b.x, b.y, b.z))}"
        cure = (
            "a condition that ends its loop, or fewer turns"
            if times
            else "fewer blocks, or smaller arrays"
        )
        self.stopped = f"{why}: there {who} came to line {line}{times}\n  try: {cure}"
        raise Enough

    def access(self, access: Access) -> None:
        """The statement that runs has read or written an element."""
        self.pending.setdefault(self.cuda.threadIdx, []).append(access)

    def break_off(self, found: Exception) -> None:
        """The statement that ended in a fault, as far as it came."""
        tb, line = found.__traceback__, 0
        while tb is not None:
            if tb.tb_frame.f_code.co_filename == self.source.file:
                line = (
                    tb.tb_lineno
                )  # of the kernel itself, not of the device function that it called
                break
            tb = tb.tb_next
        if line and self.left_over:  # else threads wait for ever, each with its event
            self.keep(line, "line", {})

    def recorded(self) -> tuple[BlockRun, ...]:
        """The blocks, in the order in which they ran."""
        count = self.threads.x * self.threads.y * self.threads.z
        return tuple(
            BlockRun(
                block,
                tuple(tuple(streams.get(n, ())) for n in range(count)),
                self.shared.get(block, {}),
                self.loops,
            )
            for block, streams in self.events.items()
        )


def numbers_of(registers: Mapping[str, Any]) -> dict[str, Any]:
    """The names that hold numbers, without ours."""
    return {
        name: x
        for name, x in registers.items()
        if isinstance(x, int | float | np.generic) and name != KEPT
    }
