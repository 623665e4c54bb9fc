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
