"""The deck: one place on the screen that shows one of several views of the session."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.changes import ChangesPane
from tui.widgets.layers import LayersPane
from tui.widgets.pane import LinePane
from tui.widgets.stops import StopsPane
from tui.widgets.tensor import TensorPane
from tui.widgets.verify import VerifyPane


@dataclass(frozen=True)
class View:
    """A view of the deck: its name, its pane, and whether it takes a wide column of the whole height."""

    name: str
    pane: type[LinePane]
    wide: bool = True


DECK: tuple[View, ...] = (
    View("tensor", TensorPane, wide=False),
    View("layers", LayersPane),
    View("verify", VerifyPane),
    View("stops", StopsPane),
    View("changes", ChangesPane),
)
