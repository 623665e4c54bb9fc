"""Orders that change the trace: edits, their undoing, the program run again; and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.cells.meanings import Kind
from tracer.insight.edits import adjustable
from tui import changing
from tui.ink import span
from tui.orders.order import CHANGE, Order, Page, node_names, page
from tui.views.changes import apart

if TYPE_CHECKING:
    from tui.session import Session

MANY = 1_000
"""In a trace of more nodes than this, an edit happens on another thread."""
HEAVY = 1 << 18
"""So does one in a trace that holds an array of more elements than this."""


def _edit(session: Session, text: str) -> None:
    changing.edit(session, text)


def _undo(session: Session, text: str) -> None:
    changing.undo(session)


def _redo(session: Session, text: str) -> None:
    changing.redo(session)


def _revert(session: Session, text: str) -> None:
    changing.revert(session)


def _edits(session: Session, text: str) -> Page | None:
    changes = session.changes
    if changes is None or not (changes.edits or changes.undone):
        session.say("nothing is edited: x edits the selected node")
        return None
    rows = [(each.text, apart(each.before, each.after)) for each in changes.edits]
    rows += [(each.text, "undone; redo makes it again") for each in reversed(changes.undone)]
    return page("edits", rows)


def _rerun(session: Session, text: str) -> Page | None:
    if changing.rerun(session):
        return None
    printed = _printed(session)
    return replace(printed, again="rerun") if printed is not None else None


def _output(session: Session, text: str) -> Page | None:
    if not session.output:
        session.say("nothing has been printed since the debugger opened")
    return _printed(session)


def _printed(session: Session) -> Page | None:
    lines = session.output
    return Page("output", tuple((span(line, Kind.TEXT),) for line in lines)) if lines else None


def _takes_long(session: Session, text: str) -> bool:
    trace = session.base
    value = trace.storage.value
    return len(trace) > MANY or any(value(node).size > HEAVY for node in range(len(trace)))


def _offers(session: Session, text: str) -> Iterable[str]:
    """Nodes; behind a point the parameters and numbers of the node."""
    head, point, _ = text.rpartition(".")
    if "=" in text or not point or head not in session.trace.labels:
        return [] if "=" in text else node_names(session, text)
    named = (f"{head}.{name}" for name in adjustable(session.trace, session.trace.node_index(head)))
    return [each for each in named if each.startswith(text)]


def _always(session: Session, text: str) -> bool:
    return True


ORDERS: tuple[Order, ...] = (
    Order("edit", "NODE = VALUE", "what if: x = 3, w[0, 2] = 0.5, w[:, 0] *= 2, xhat.eps = 1e-3", _edit, CHANGE,
          ("set",), complete=_offers, long=_takes_long),
    Order("undo", "", "take back the last edit", _undo, CHANGE, long=_takes_long),
    Order("redo", "", "make the edit again that was taken back last", _redo, CHANGE, long=_takes_long),
    Order("edits", "", "list the edits", _edits, CHANGE),
    Order("revert", "", "take back all edits", _revert, CHANGE, long=_takes_long),
    Order("rerun", "", "run the program again, as it is now, and stay at this step", _rerun, CHANGE, ("r",),
          long=_always),
    Order("output", "", "what the program printed when it ran again", _output, CHANGE),
    Order("editor", "", "the source line of the selected node in $EDITOR", None, CHANGE),
)  # fmt: skip
