"""The deck: one place on the screen that shows one of several views of the session."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.pane import LinePane
from tui.widgets.tensor import TensorPane


@dataclass(frozen=True)
class View:
    """A view of the deck: its name, its pane, and whether it takes a wide column of the whole height."""

    name: str
    pane: type[LinePane]
    wide: bool = True


DECK: tuple[View, ...] = (View("tensor", TensorPane, wide=False),)
