"""Where the numbers of a trace lie: as they were recorded, in a mapped file, or laid over another storage.

What was recorded on a device stays there. Views ask for `value`, a copy on the host; the sweep and replays for `held`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ops.primitive import Array
from tracer.fetching import fetched, fetched_all

if TYPE_CHECKING:
    from tracer.traces import Trace


class Storage(Protocol):
    """Where the numbers of a trace lie: in memory, in a mapped file, or laid over another storage."""

    @property
    def has_gradients(self) -> bool:
        """Whether final gradients are kept here, so that no sweep is needed."""

    def value(self, node: int) -> Array:
        """The forward value of a node, on the host."""

    def held(self, node: int) -> Array:
        """The forward value of a node where it lies: opaque, if on a device."""

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules, on the host."""

    def held_saved(self, node: int) -> Mapping[str, Array]:
        """The same where it lies."""

    def gradient(self, node: int) -> Array | None:
        """The final gradient of a node, if this storage keeps gradients."""

    def is_proven(self, node: int) -> bool:
        """Whether the operation of a node is known to give numbers of these shapes: a file may claim others."""

    def prove(self, node: int) -> None:
        """Note that the operation of a node ran, and gave numbers of these shapes."""


@dataclass(frozen=True, eq=False)
class References:
    """Numbers held as they were recorded: nothing is copied."""

    values: Sequence[Array]
    kept: Sequence[Mapping[str, Array]]
    has_gradients: bool = False

    def value(self, node: int) -> Array:
        """The forward value of a node, on the host."""
        return fetched(self.values[node])

    def held(self, node: int) -> Array:
        """The forward value of a node where it lies."""
        return self.values[node]

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules, on the host."""
        return fetched_all(self.kept[node])

    def held_saved(self, node: int) -> Mapping[str, Array]:
        """The same where it lies."""
        return self.kept[node]

    def gradient(self, node: int) -> Array | None:
        """None: the trace runs its own sweep."""
        return None

    def is_proven(self, node: int) -> bool:
        """True: the operation ran here."""
        return True

    def prove(self, node: int) -> None:
        """Nothing to note."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """Some numbers laid over those of another storage: what a replay changed."""

    under: Storage
    values: Mapping[int, Array]
    kept: Mapping[int, Mapping[str, Array]]
    has_gradients: bool = False

    def value(self, node: int) -> Array:
        """The forward value of a node, on the host."""
        found = self.values.get(node)
        return self.under.value(node) if found is None else fetched(found)

    def held(self, node: int) -> Array:
        """The forward value of a node where it lies."""
        found = self.values.get(node)
        return self.under.held(node) if found is None else found

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules, on the host."""
        if node in self.values:
            return fetched_all(self.kept[node])
        return self.under.saved(node)

    def held_saved(self, node: int) -> Mapping[str, Array]:
        """The same where it lies."""
        return self.kept[node] if node in self.values else self.under.held_saved(node)

    def gradient(self, node: int) -> Array | None:
        """None: the trace runs its own sweep."""
        return None

    def is_proven(self, node: int) -> bool:
        """Whether it ran here, or was proven below."""
        return node in self.values or self.under.is_proven(node)

    def prove(self, node: int) -> None:
        """Noted below, so that every replay of the same numbers knows."""
        self.under.prove(node)


@dataclass(frozen=True, eq=False)
class OnHost:
    """The numbers that a trace holds on a device, gradients too, as copies on the host."""

    trace: Trace
    has_gradients: bool = True

    def value(self, node: int) -> Array:
        """The forward value of a node."""
        return self.trace.storage.value(node)

    held = value

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules."""
        return self.trace.storage.saved(node)

    held_saved = saved

    def gradient(self, node: int) -> Array | None:
        """The final gradient of a node, as the device brought it there."""
        return self.trace.gradient(node)

    def is_proven(self, node: int) -> bool:
        """Whether it ran over there."""
        return self.trace.storage.is_proven(node)

    def prove(self, node: int) -> None:
        """Noted there."""
        self.trace.storage.prove(node)
