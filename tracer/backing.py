"""Where the numbers of a trace lie: in memory as they were recorded, in a mapped file, or laid over another storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ops.primitive import Array


class Storage(Protocol):
    """Where the numbers of a trace lie: in memory, in a mapped file, or laid over another storage."""

    @property
    def has_gradients(self) -> bool:
        """Whether final gradients are kept here, so that no sweep is needed."""

    def value(self, node: int) -> Array:
        """The forward value of a node."""

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules."""

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
        """The forward value of a node."""
        return self.values[node]

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules."""
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
        """The forward value of a node."""
        found = self.values.get(node)
        return self.under.value(node) if found is None else found

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules."""
        return self.kept[node] if node in self.values else self.under.saved(node)

    def gradient(self, node: int) -> Array | None:
        """None: the trace runs its own sweep."""
        return None

    def is_proven(self, node: int) -> bool:
        """Whether it ran here, or was proven below."""
        return node in self.values or self.under.is_proven(node)

    def prove(self, node: int) -> None:
        """Noted below, so that every replay of the same numbers knows."""
        self.under.prove(node)
