"""How a block stands at one moment: the registers of its threads, its arrays, and who wrote each element when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ops.interpreter.record import Event
    from ops.interpreter.schedule import Step

NOBODY = -1
"""Who has written an element that no thread of the block has written."""


@dataclass
class Memory:
    """An array as it stands: its numbers, and of each element the thread that wrote it last, and at which step."""

    space: str
    name: str
    values: NDArray[Any]
    writer: NDArray[np.int64]
    when: NDArray[np.int64]

    def copy(self) -> Memory:
        """The same, to be changed."""
        return Memory(
            self.space, self.name, self.values.copy(), self.writer.copy(), self.when.copy()
        )

    def known(self, index: tuple[int, ...]) -> bool:
        """Whether there is a number: shared memory holds nothing that can be relied on until somebody writes."""
        return self.space != "shared" or self.writer[index] != NOBODY


@dataclass
class Moment:
    """How the block stands at a position. To be read only."""

    position: int
    done: list[int]
    """Of each thread: how many of its events have happened."""
    registers: list[dict[str, Any]]
    """Of each thread: its local numbers; elements of local arrays as `name[index]`."""
    memory: dict[str, Memory]

    def copy(self) -> Moment:
        """The same, to be changed."""
        memory = {name: each.copy() for name, each in self.memory.items()}
        return Moment(self.position, self.done[:], self.registers[:], memory)

    def advance(self, step: Step, events: Mapping[int, Event], home: Callable[[str], str]) -> None:
        """Let one more step happen. `home` gives the name under which an array is known."""
        self.position += 1
        for thread, event in events.items():
            self.done[thread] = step.events[thread] + 1
            changed = changed_by(event)
            known = _alive(self.registers[thread], event)
            if changed or known is not self.registers[thread]:
                self.registers[thread] = {**known, **changed}
            for access in event.accesses:
                memory = self.memory.get(home(access.array))
                if memory is None or access.space == "local":
                    continue
                if not _inside(access.index, memory.values.shape):
                    continue  # the fault that ended the run
                if access.write:
                    memory.values[access.index] = access.value
                    memory.writer[access.index] = thread
                    memory.when[access.index] = self.position
                elif access.space == "global":  # another block may have written it
                    memory.values[access.index] = access.value


def begun(space: str, name: str, values: NDArray[Any]) -> Memory:
    """An array that no thread of the block has written yet."""
    nobody = np.full(values.shape, NOBODY, np.int64)
    return Memory(space, name, values, nobody, nobody.copy())


def _alive(registers: dict[str, Any], event: Event) -> dict[str, Any]:
    """Registers without those of device functions in which an event does not happen."""
    inside = {call.name for call in event.within}
    gone = [name for name in registers if "." in name and name.partition(".")[0] not in inside]
    return {name: x for name, x in registers.items() if name not in gone} if gone else registers


def _inside(index: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(index) == len(shape) and all(0 <= i < n for i, n in zip(index, shape, strict=True))


def changed_by(event: Event) -> Mapping[str, Any]:
    """The local numbers that an event changes, elements of local arrays as `name[index]` among them."""
    local = {
        f"{access.array}[{','.join(map(str, access.index))}]": access.value
        for access in event.accesses
        if access.space == "local" and access.write
    }
    return {**event.registers, **local} if local else event.registers
