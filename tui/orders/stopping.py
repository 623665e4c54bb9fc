"""Orders that set breakpoints and watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui.orders.order import STOP, Order, Page, node_names, page

if TYPE_CHECKING:
    from tui.session import Session

MANY = 20_000
"""In a trace of more nodes than this, breakpoints are set on another thread."""


def _toggle(session: Session, text: str) -> None:
    node = session.trace.node_index(text) if text else session.selected
    made = session.debugger.toggle(node)
    label = session.trace.label(node)
    session.say(
        f"breakpoint {made.number} at {label}" if made else f"no breakpoint at {label} any more"
    )


def _break(session: Session, text: str) -> None:
    made = session.debugger.add_breakpoint(text)
    session.say(f"breakpoint {made.number}: {made.text}")


def _watch(session: Session, text: str) -> None:
    made = session.debugger.watch(text)
    session.say(f"watch {made.number}: {made.text}")


def _numbered(
    work: Callable[[Session, int], object], done: str
) -> Callable[[Session, str], Page | None]:
    def run(session: Session, text: str) -> None:
        if not text.isdecimal():
            raise GradstepError(f"this takes a number, not {text!r}")
        work(session, int(text))
        session.say(f"{done} {text}")

    return run


def _info(session: Session, text: str) -> Page | None:
    debugger = session.debugger
    rows = [
        (f"breakpoint {each.number}", each.text + ("" if each.enabled else " (off)"))
        for each in debugger.breakpoints
    ]
    shown = zip(debugger.watches, debugger.watch_values(), strict=True)
    rows += [(f"watch {each.number}", f"{text}  {now}") for each, (text, now) in shown]
    if not rows:
        session.say("no breakpoints and no watches")
        return None
    return page("breakpoints and watches", rows)


ORDERS: tuple[Order, ...] = (
    Order("break", "TEXT", "stop at: xhat, op:mul, name:h*, scope:rnn*, op:exp if inf(value)", _break, STOP, ("b",),
          complete=node_names, long=lambda session, text: len(session.trace) > MANY),
    Order("toggle", "[NODE]", "set or delete a breakpoint at a node (the selected one)", _toggle, STOP),
    Order("delete", "N", "delete breakpoint N",
          _numbered(lambda s, n: s.debugger.delete(n), "deleted breakpoint"), STOP),
    Order("enable", "N", "switch breakpoint N on",
          _numbered(lambda s, n: s.debugger.enable(n), "enabled breakpoint"), STOP),
    Order("disable", "N", "switch breakpoint N off",
          _numbered(lambda s, n: s.debugger.enable(n, False), "disabled breakpoint"), STOP),
    Order("watch", "TEXT", "show: xhat, norm(grad), rms(grad) of xhat", _watch, STOP, complete=node_names),
    Order("unwatch", "N", "stop showing watch N",
          _numbered(lambda s, n: s.debugger.unwatch(n), "no longer watching"), STOP),
    Order("info", "", "list breakpoints and watches", _info, STOP),
)  # fmt: skip
