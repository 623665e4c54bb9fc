"""A letter on every pane and on every view of the deck; the letter goes there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset, Region
from textual.screen import ModalScreen
from textual.widgets import Static

from tracer.cells.meanings import Kind
from tui.ink import Ink
from tui.theme import Inks

PANES = ("graph", "tape", "node")


@dataclass(frozen=True)
class Target:
    """Where a letter stands, and where it goes: the order that it gives."""

    letter: str
    name: str
    at: Offset

    @property
    def order(self) -> str:
        """The order of the letter."""
        return f"focus {self.name}"


def letters(names: Iterable[str]) -> dict[str, str]:
    """A letter for each name: the first of its own that is free.

    >>> letters(["graph", "tape", "node", "tensor", "stops"])
    {'graph': 'g', 'tape': 't', 'node': 'n', 'tensor': 'e', 'stops': 's'}
    """
    found: dict[str, str] = {}
    for name in names:
        spare = (c for c in name + "abcdefghijklmnopqrstuvwxyz" if c not in found.values())
        found[name] = next(spare)
    return found


def targets(places: dict[str, Region], views: Iterable[str]) -> tuple[Target, ...]:
    """A target for each pane in sight and for each view; those of the views stand below each other in the deck."""
    views = tuple(views)
    letter = letters((*PANES, *views))
    found = [
        Target(letter[name], name, places[name].offset + Offset(2, 1))
        for name in PANES
        if name in places
    ]
    deck = next((places[view] for view in views if view in places), None)
    if deck is not None:
        corner = deck.offset
        found += [Target(letter[v], v, corner + Offset(2, 1 + row)) for row, v in enumerate(views)]
    return tuple(found)


class JumpScreen(ModalScreen[str]):
    """The letters, over the panes; dismissed with the order of the letter that is pressed, or with none."""

    def __init__(self, targets: tuple[Target, ...], inks: Inks) -> None:
        super().__init__()
        self.targets, self.inks = targets, inks

    def compose(self) -> ComposeResult:
        """A label for each target."""
        for target in self.targets:
            text = Text().append(f" {target.letter} ", self.inks(Ink(Kind.WARN)))
            text.append(f" {target.name} ", self.inks(Ink(Kind.NAME)))
            label = Static(text, classes="letter")
            label.styles.offset = target.at
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go where the letter says; any other key leaves."""
        event.stop()
        self._leave(next((t.order for t in self.targets if t.letter == event.key), ""))

    def on_click(self, event: events.Click) -> None:
        """Leave."""
        self._leave("")

    def _leave(self, order: str) -> None:
        """Go, once: a second key may be on its way while the letters are taken away."""
        if self.is_current:
            self.dismiss(order)
