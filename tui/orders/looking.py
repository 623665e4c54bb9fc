"""Orders that change what is looked at, and leave the position as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui.orders.order import LOOK, Order, Page, node_names, node_of, starting

if TYPE_CHECKING:
    from tui.session import Session

MANY = 20_000
"""A search through more nodes than this happens on another thread."""
MANY_TESTED = 1_000
"""So does a search that may test a condition, such as `grad > 1e3`, at more nodes than this."""


def _search(session: Session, text: str) -> None:
    if not text:
        raise GradstepError("search takes what to look for: try search mul, or search grad > 1e3")
    session.search(text)
    if not session.found:
        raise GradstepError(f"nothing matches {text!r}")


def searches_long(session: Session, text: str) -> bool:
    """Whether a search may take so long that it happens on another thread."""
    return len(session.trace) > (MANY_TESTED if set("()<>=!") & set(text) else MANY)


def _again(direction: int) -> Callable[[Session, str], Page | None]:
    def run(session: Session, text: str) -> None:
        session.search_again(direction)

    return run


def _select(session: Session, text: str) -> None:
    if not text:
        raise GradstepError(f"select takes a node: try select {session.trace.label(0)}")
    session.select(node_of(session, text))


def _row(session: Session, text: str) -> None:
    try:
        rows = int({"": "1", "+": "1", "-": "-1"}.get(text, text))
    except ValueError:
        raise GradstepError(f"row takes a number of rows, not {text!r}: try row -1") from None
    session.select(max(0, min(len(session.trace) - 1, session.selected + rows)))


def _scope(session: Session, text: str) -> None:
    ways = {"up": -1, "down": 1}
    if text not in ways:
        raise GradstepError(f"scope takes up or down, not {text!r}: try scope up")
    session.scope(ways[text])


def _view(session: Session, text: str) -> None:
    views = session.views
    at = views.index(session.view)
    if text in ("next", "previous"):
        session.view = views[(at + (1 if text == "next" else -1)) % len(views)]
    elif text in views:
        session.view = text
    else:
        raise GradstepError(f"there is no view {text!r}: the views are {', '.join(views)}")


ORDERS: tuple[Order, ...] = (
    Order("search", "TEXT", "select a node by name, op, scope, shape or condition: grad > 1e3", _search, LOOK,
          ("/", "find"), complete=node_names, long=searches_long),
    Order("hit", "", "to the next hit of the search", _again(1), LOOK, (".",)),
    Order("hit-before", "", "to the hit before", _again(-1), LOOK, (",",)),
    Order("select", "NODE", "select a node by name or number", _select, LOOK, complete=node_names),
    Order("row", "[±N]", "select the node so many rows further in the tape", _row, LOOK),
    Order("scope", "up|down", "look at the scope around, or further inside", _scope, LOOK,
          complete=lambda session, text: starting(("up", "down"), text)),
    Order("view", "NAME", "what the deck shows: tensor, layers, verify, stops, changes; next, previous", _view, LOOK,
          complete=lambda session, text: starting((*session.views, "next", "previous"), text)),
)  # fmt: skip
