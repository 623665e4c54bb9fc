"""The orders of the debugger: `goto 12`, `break op:exp if inf(value)`, `zoom`. One table, and the reading of a line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui.orders import (
    changing,
    copying,
    episodes,
    graph,
    keeping,
    knobs,
    layers,
    looking,
    moving,
    screen,
    stopping,
    telling,
    tensor,
    verifying,
)
from tui.orders.order import COUNT as COUNT
from tui.orders.order import Order as Order
from tui.orders.order import Page as Page
from tui.orders.order import takes_none

if TYPE_CHECKING:
    from tui.session import Session

ORDERS: tuple[Order, ...] = (
    *moving.ORDERS,
    *stopping.ORDERS,
    *telling.ORDERS,
    *looking.ORDERS,
    *graph.ORDERS,
    *tensor.ORDERS,
    *copying.ORDERS,
    *layers.ORDERS,
    *verifying.ORDERS,
    *keeping.ORDERS,
    *changing.ORDERS,
    *knobs.ORDERS,
    *episodes.ORDERS,
    *screen.ORDERS,
)
_BY_WORD = {word: order for order in ORDERS for word in (order.name, *order.aliases)}


class OrderError(GradstepError):
    """A line that is no order."""


def named(word: str) -> Order | None:
    """The order of that name or alias, with or without its colon; None for another word."""
    return _BY_WORD.get(word.strip().removeprefix(":"))


def find(word: str) -> Order:
    """The order of a name or alias; a name may be shortened to what begins it, the first of the table wins.

    Raises `OrderError` with the closest name.
    """
    found = named(word) or next((o for o in ORDERS if o.name.startswith(word)), None)
    if found is None:
        close = difflib.get_close_matches(word, _BY_WORD, n=1)
        hint = f"did you mean {close[0]}?" if close else "help lists them"
        raise OrderError(f"there is no order {word!r}: {hint}")
    return found


def read(line: str) -> tuple[Order, str] | None:
    """The order of a line and the text after its name; None for an empty line or a comment.

    A number alone is a position: `65` is `goto 65`. A colon before the order, as one types it at the screen, is no part
    of it. Raises `OrderError`.
    """
    word, _, text = line.strip().removeprefix(":").lstrip().partition(" ")
    if not word or word.startswith("#"):
        return None
    if word.isdecimal():
        word, text = "goto", line
    order, text = find(word), text.strip()
    if takes_none(order, text):
        raise OrderError(f"{order.name} takes nothing after it, not {text!r}: try {order.name}")
    return order, text


def with_count(line: str, digits: str) -> str:
    """A key's line with the digits typed before the key as its argument, where it takes a count.

    >>> with_count("next", "10"), with_count("slice -", "3"), with_count("zoom", "3")
    ('next 10', 'slice -3', 'zoom')
    """
    if not digits:
        return line
    word, _, text = line.partition(" ")
    takes = word in _BY_WORD and "N]" in _BY_WORD[word].argument and text in ("", "-", "+")
    return f"{word} {text}{digits}" if takes else line


def obey(session: Session, line: str) -> Page | None:
    """Carry out a line without a screen; returns what it has to show at length, if anything.

    Raises `GradstepError` where it cannot be done.
    """
    found = read(line)
    if found is None:
        return None
    order, text = found
    if order.run is None:
        raise OrderError(f"{order.name} needs a screen")
    return order.run(session, text)
