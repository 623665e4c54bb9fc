"""What a line of the prompt may become: names of orders, then their arguments, and a word about what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui.orders import ORDERS, find
from tui.orders.order import starting

if TYPE_CHECKING:
    from tui.session import Session

MOST = 500
"""More completions than this are of no use."""


@dataclass(frozen=True)
class Offer:
    """What a line may become.

    lines: whole lines, the likeliest first; words: what of each is shown; usage: what the order takes and does; wrong:
    why the line is none.
    """

    lines: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    usage: str = ""
    wrong: str = ""


def offer(session: Session, line: str) -> Offer:
    """What may become of a line as it has been typed so far."""
    word, blank, text = line.lstrip().partition(" ")
    return _argument(session, word, text.lstrip()) if blank and word else _name(word)


def _name(word: str) -> Offer:
    found = {order.name: order for order in ORDERS}
    names = starting(found, word) if word else list(found)
    lines = tuple(name + " " * bool(found[name].argument) for name in names)
    if lines == (word,):
        lines, names = (), []
    try:
        order = find(word) if word and not word.isdecimal() else None
    except GradstepError as error:
        return Offer(
            wrong="" if lines else str(error).splitlines()[0], lines=lines, words=(*names,)
        )
    exact = order is not None and word in (order.name, *order.aliases)
    return Offer(
        lines, (*names,), _usage(order.name, order.argument, order.help) if exact and order else ""
    )


def _argument(session: Session, word: str, text: str) -> Offer:
    try:
        order = find(word)
    except GradstepError as error:
        return Offer(wrong=str(error).splitlines()[0])
    usage = _usage(order.name, order.argument, order.help)
    if order.complete is None:
        return Offer(usage=usage)
    try:
        words = tuple(islice(order.complete(session, text), MOST))
    except GradstepError as error:
        return Offer(usage=usage, wrong=str(error).splitlines()[0])
    if words == (text,):
        words = ()
    return Offer(tuple(f"{word} {each}" for each in words), words, usage)


def _usage(*parts: str) -> str:
    return "  ".join(filter(None, (" ".join(filter(None, parts[:2])), parts[2])))


def recalled(history: Sequence[str], begun: str) -> list[str]:
    """The lines of the history that begin with a text, the latest first, each once.

    >>> recalled(["goto 3", "next", "goto 4", "goto 3"], "go")
    ['goto 3', 'goto 4']
    """
    return [
        line
        for line in dict.fromkeys(reversed(history))
        if line.startswith(begun) and line != begun
    ]
