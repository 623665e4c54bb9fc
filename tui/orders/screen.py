"""Orders that only a screen can carry out; the screen has a method for each, see `tui.actions`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.orders.order import RUN, SCREEN, Order, starting

if TYPE_CHECKING:
    from tui.session import Session


def _themes(session: Session, text: str) -> Iterable[str]:
    from tui.theme import NAMES

    return starting(NAMES, text)


def _orders(session: Session, text: str) -> Iterable[str]:
    from tui.orders import ORDERS as EVERY

    return starting([order.name for order in EVERY], text)


ORDERS: tuple[Order, ...] = (
    Order("play", "", "step by itself, and stop again", None, RUN),
    Order("slower", "", "play more slowly", None, RUN),
    Order("faster", "", "play faster", None, RUN),
    Order("ask", "[ORDER ...]", "open the prompt, with an order begun", None, SCREEN),
    Order("focus", "PANE", "give a pane the keys: graph, tape, node, deck; next, previous", None, SCREEN,
          complete=lambda s, t: starting(("graph", "tape", "node", "deck", "next", "previous"), t)),
    Order("zoom", "", "give the pane the whole screen, and back", None, SCREEN),
    Order("escape", "", "stop what goes on; drop the count; show all panes", None, SCREEN),
    Order("theme", "NAME", "the colours of the screen", None, SCREEN, complete=_themes),
    Order("palette", "", "every order, by a few letters of it", None, SCREEN),
    Order("jump", "", "to a pane or a view, by one letter", None, SCREEN),
    Order("redraw", "", "paint the screen anew", None, SCREEN),
    Order("suspend", "", "back to the shell for a while; fg returns", None, SCREEN),
    Order("help", "[ORDER]", "the keys and these orders; what one does: help knob", None, SCREEN, ("?",),
          complete=_orders),
    Order("quit", "", "leave", None, SCREEN, ("q", "exit")),
)  # fmt: skip
