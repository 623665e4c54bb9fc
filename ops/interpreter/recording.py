"""A launch with everything that its threads do kept: one `Event` per statement, thread and time that it runs.

The syntax tree of the kernel gets a call after every statement, and around every condition; so no tracing of Python is
needed, and the numbers are those of a plain run to the bit.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.interpreter.faults import Found, Index3
from ops.interpreter.machine import Machine
from ops.interpreter.record import Access, BlockRun, Event, KernelRun
from ops.interpreter.seen import Seen, SeenLocal, SeenShared
from ops.interpreter.sources import TREE, Source, rebuilt, source_of
from ops.interpreter.story import copied, explained, premature
from ops.interpreter.telling import Telling

LIMIT = 400_000
"""How many events are kept: some hundred megabytes."""


def record(
    kernel: Kernel,
    dtype: Any,
    launch: Launch,
    arguments: Sequence[Any],
    options: Mapping[str, Any] = NOTHING,
    blocks: Collection[Index3] | None = None,
    limit: int = LIMIT,
) -> KernelRun:
    """Run a kernel on copies of its arguments and keep what its threads do, in all blocks or in those named.

    Never raises for a fault: it stands in the record, with all that happened before it.
    """

    def begun(awaiting: bool) -> RecordingMachine:
        made = RecordingMachine(kernel, dtype, launch, copied(arguments), options, blocks, limit)
        made.clock.awaiting = awaiting
        return made

    machine = begun(False)
    fault = None
    found = machine.watched()
    if found is not None:
        fault = explained(lambda: Machine(kernel, dtype, launch, copied(arguments), options), found)
        if premature(found) and fault.kind == "race":  # on to the thread that writes too late
            machine = begun(True)
            machine.watched()
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
            n: x.copy() if isinstance(x, np.ndarray) else x
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
    ) -> None:
        super().__init__(kernel, dtype, launch, arguments, options)
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
        self.pending: dict[int, list[Access]] = {}
        self.arguments = [
            Seen(x, self.access, x.name) if hasattr(x, "space") else x for x in self.arguments
        ]
        self.cuda.shared = SeenShared(self.clock, self.access)
        self.cuda.local = SeenLocal(self.access)
        self.wanted = None if blocks is None else set(blocks)
        self.events: dict[Index3, dict[int, list[Event]]] = {}
        self.shared: dict[Index3, dict[str, tuple[tuple[int, ...], str]]] = {}
        self.left_over = limit
        self.limit = limit
        self.stopped = ""

    def watched(self) -> Found | None:
        """Run to the end, which is None, or to a fault."""
        try:
            self.run()
        except Found as found:
            self.break_off(found)
            return found
        return None

    # what the kernel tells

    def left(self, line: int, kind: str, registers: dict[str, Any]) -> None:
        """A statement has run."""
        for name, value in registers.items():
            if isinstance(value, Seen):
                value.name = name
                if value.space == "shared":
                    b = self.cuda.blockIdx
                    kept = self.shared.setdefault((b.x, b.y, b.z), {})
                    kept[name] = (value.shape, np.dtype(value.dtype).name)
        numbers = {n: x for n, x in registers.items() if isinstance(x, int | float | np.generic)}
        self.keep(line, kind, numbers)

    def test(self, line: int, value: Any) -> Any:
        """The condition of an `if` or a `while` is known."""
        self.keep(line, "line", {})
        return value

    def each(self, line: int, names: tuple[str, ...], values: Iterable[Any]) -> Iterator[Any]:
        """The head of a `for`: once for every turn, and once when there is none left."""
        for value in values:
            self.keep(
                line, "line", dict(zip(names, value if len(names) > 1 else (value,), strict=True))
            )
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
        accesses = tuple(self.pending.pop(self.clock.stamp, ()))
        stream = self.stream()
        if stream is None or self.stopped:
            return
        if not self.left_over:
            self.stopped = f"only the first {self.limit} lines were kept\n  try: fewer blocks, or smaller arrays"
            return
        self.left_over -= 1
        stream.append(Event(line, kind, registers, accesses))

    def access(self, access: Access) -> None:
        """The statement that runs has read or written an element."""
        self.pending.setdefault(self.clock.stamp, []).append(access)

    def break_off(self, found: Found) -> None:
        """The statement that ended in a fault, as far as it came."""
        tb, line = found.__traceback__, 0
        while tb is not None:
            if tb.tb_frame.f_code.co_filename == self.source.file:
                line = tb.tb_lineno
            tb = tb.tb_next
        if line:  # else threads wait for ever, each with its event
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
