"""The command line of the debugger, `:goto 12`, `:break op:exp if inf(value)`.

A table of orders, and the reading of one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from tui.session import LARGEST_COUNT, Session


@dataclass(frozen=True)
class Order:
    """One order: its name, what stands after it, what it does, and the function that does it.

    The function gets the session and the text after the name, and returns what the screen has left to do, such as
    "quit".
    """

    name: str
    argument: str
    help: str
    run: Callable[[Session, str], str]


def _order(work: Callable[[Session, str], None]) -> Callable[[Session, str], str]:
    def run(session: Session, text: str) -> str:
        work(session, text)
        return ""

    return run


def _goto(session: Session, text: str) -> None:
    if not text.isdecimal():
        session.complain(
            f"goto takes a position, not {text!r}: try goto {session.debugger.timeline.last}"
        )
        return
    session.goto(int(text))


def _numbered(session: Session, text: str, work: Callable[[int], object], done: str) -> None:
    if not text.isdecimal():
        session.complain(f"this takes a number, not {text!r}")
        return
    work(int(text))
    session.say(f"{done} {text}")


def _delete(session: Session, text: str) -> None:
    _numbered(session, text, session.debugger.delete, "deleted breakpoint")


def _unwatch(session: Session, text: str) -> None:
    _numbered(session, text, session.debugger.unwatch, "no longer watching")


def _enable(session: Session, text: str) -> None:
    _numbered(session, text, session.debugger.enable, "enabled breakpoint")


def _disable(session: Session, text: str) -> None:
    _numbered(session, text, lambda n: session.debugger.enable(n, False), "disabled breakpoint")


def _info(session: Session, text: str) -> str:
    if session.listed():
        return "info"
    session.say("no breakpoints and no watches")
    return ""


def _select(session: Session, text: str) -> None:
    session.select(session.trace.node_index(int(text) if text.isdecimal() else text))


def _run(session: Session, text: str) -> None:
    _select(session, text)
    session.run_to_selected()


def _move(name: str) -> Callable[[Session, str], None]:
    def work(session: Session, text: str) -> None:
        if text and not (text.isdecimal() and 0 < int(text) < LARGEST_COUNT):
            session.complain(f"this takes a count from 1, not {text!r}: try 3")
            return
        session.digits = text
        session.move(name)

    return work


ORDERS: tuple[Order, ...] = (
    Order("goto", "N", "to position N of the timeline", _order(_goto)),
    Order("break", "TEXT", "stop at: xhat, op:mul, name:h*, scope:rnn*, op:exp if inf(value)",
          _order(lambda s, t: s.add_breakpoint(t))),
    Order("delete", "N", "delete breakpoint N", _order(_delete)),
    Order("enable", "N", "switch breakpoint N on", _order(_enable)),
    Order("disable", "N", "switch breakpoint N off", _order(_disable)),
    Order("watch", "TEXT", "show: xhat, norm(grad), rms(grad) of xhat", _order(lambda s, t: s.watch(t))),
    Order("unwatch", "N", "stop showing watch N", _order(_unwatch)),
    Order("info", "", "list breakpoints and watches", _info),
    Order("search", "TEXT", "select a node by name, op, scope or shape", _order(lambda s, t: s.search(t))),
    Order("select", "NODE", "select a node by name or number", _order(_select)),
    Order("run", "NODE", "run to a node", _order(_run)),
    Order("next", "[N]", "N nodes on", _order(_move("next"))),
    Order("back", "[N]", "N nodes back", _order(_move("previous"))),
    Order("continue", "", "to the next breakpoint", _order(_move("resume"))),
    Order("theme", "dark|light", "the colours of the screen", lambda s, t: f"theme {t}"),
    Order("help", "", "the keys and these orders", lambda s, t: "help"),
    Order("quit", "", "leave", lambda s, t: "quit"),
)  # fmt: skip


def obey(session: Session, line: str) -> str:
    """Carry out a line; returns what the screen has left to do: "", "help", "info", "quit" or "theme NAME".

    A name may be shortened as long as it begins only one order, or is the first of those that it begins.
    """
    name, _, text = line.strip().partition(" ")
    if not name:
        return ""
    if name.isdecimal():
        name, text = "goto", name
    order = next((each for each in ORDERS if each.name.startswith(name)), None)
    if order is None:
        close = difflib.get_close_matches(name, [each.name for each in ORDERS], n=1)
        session.complain(
            f"there is no order {name!r}: "
            + (f"did you mean {close[0]}?" if close else "help lists them")
        )
        return ""
    text = text.strip()
    if text and not order.argument:
        session.complain(f"{order.name} takes nothing after it, not {text!r}: try {order.name}")
        return ""
    left: list[str] = [""]

    def work() -> None:
        left[0] = order.run(session, text)

    session.attempt(work)
    return left[0]
