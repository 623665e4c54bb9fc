"""A machine whose kernel tells what it does: one `Event` per statement, thread and time that it runs.

The syntax tree of the kernel gets a call after every statement, and around every condition; so no tracing of Python is
needed, and the numbers are those of a plain run to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch
from ops.interpreter.calling import Calls, Told
from ops.interpreter.faults import Index3, short
from ops.interpreter.indexed import Indexed, View, plain
from ops.interpreter.machine import OURS, Machine
from ops.interpreter.record import Access, BlockRun, Event
from ops.interpreter.seen import Seen, SeenLocal, SeenShared
from ops.interpreter.sources import Source, source_of
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
        self.calls = Calls()
        told: dict[str, Callable[..., Any]] = {
            "left_": self.left,
            "test_": self.test,
            "each_": self.each,
            "before_": self.before,
            "returned_": self.returned,
        }
        telling = Told(self.original, told, self.entered, self.came_back)
        self.function = telling(self.original)
        self.loops, self.functions = tuple(telling.loops), tuple(telling.functions)
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
            if isinstance(value, Seen) and not isinstance(each, View) and value.nameless:
                within = self.calls.of(self.cuda.threadIdx)[-1].within
                value.name = f"{within[-1].name}.{name}" if within else name
                if value.space == "shared":
                    b = self.cuda.blockIdx
                    kept = self.shared.setdefault((b.x, b.y, b.z), {})
                    kept[value.name] = (value.shape, np.dtype(value.dtype).name)
        self.keep(line, kind, numbers_of(registers))

    def entered(self, name: str, line: int, called_at: int, given: dict[str, Any]) -> None:
        """A thread comes into a device function."""
        self.calls.enter(self.cuda.threadIdx, name, called_at)
        self.keep(line, "line", numbers_of(given))

    def returned(self, line: int, kind: str, value: Any) -> Any:
        """What a device function gives back is known."""
        self.keep(line, kind, numbers_of({"return": value}))
        return value

    def came_back(self) -> None:
        """A device function has ended."""
        self.calls.leave(self.cuda.threadIdx)

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
        within = self.calls.within(self.cuda.threadIdx)
        if within and registers:
            registers = {f"{within[-1].name}.{name}": x for name, x in registers.items()}
        stream = self.stream()
        if stream is None:
            self.passed += 1
            if self.passed > UNKEPT * self.limit:
                self.stop(line, f"blocks that are not kept ran {self.passed:,} lines")
            return
        if not self.left_over:
            again = sum(event.line == line for event in stream)
            times = f" for the {again + 1}th time" if again > MANY else ""
            self.stop(line, f"only the first {self.limit:,} lines of the threads were kept", times)
        self.left_over -= 1
        if self.tell is not None and not self.left_over % OFTEN:
            count = self.limit - self.left_over
            if self.tell(count):
                self.stop(line, f"stopped after {count:,} lines")
        stream.append(Event(line, kind, registers, accesses, within))

    def stop(self, line: int, why: str, times: str = "") -> None:
        """End the run with a word."""
        b, t = self.cuda.blockIdx, self.cuda.threadIdx
        who = f"thread {short((t.x, t.y, t.z))} of block {short((b.x, b.y, b.z))}"
        cure = (
            "a condition that ends its loop, or fewer turns"
            if times
            else "fewer blocks or threads, or smaller arrays"
        )
        rest = "what comes after was not run, and its faults are not seen"
        self.stopped = f"{why}: there {who} came to line {line}{times}; {rest}\n  try: {cure}"
        raise Enough

    def access(self, access: Access) -> None:
        """The statement that runs has read or written an element."""
        self.pending.setdefault(self.cuda.threadIdx, []).append(access)

    def break_off(self, found: Exception) -> None:
        """The statement that ended in a fault, as far as it came."""
        tb, lines = found.__traceback__, list[int]()
        while tb is not None:
            if tb.tb_frame.f_code.co_filename == self.source.file:
                lines.append(tb.tb_lineno)
            tb = tb.tb_next
        if lines and self.left_over:  # else threads wait for ever, each with its event
            depth = len(self.calls.of(self.cuda.threadIdx))
            self.keep(lines[:depth][-1], "line", {})

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
