"""Orders about the drawing of the graph: along its wires, opening and folding, what it says, which way it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.cells.drawing import Drawing, draw
from tracer.errors import GradstepError
from tracer.folding.folds import LEAST_DETAIL, MOST_DETAIL
from tracer.folding.scopes import scopes_of
from tracer.recording import Scope
from tui.orders.order import LOOK, Order, starting

if TYPE_CHECKING:
    from tui.session import Session

DIRECTIONS = ("left", "right", "up", "down")
TURNED = {"up": "left", "down": "right", "left": "up", "right": "down"}
"""What a direction of the screen means in a drawing from top to bottom, where inputs stand above."""
NOWHERE = {"left": "reads nothing", "right": "is read by nothing"}


def drawing_of(session: Session) -> Drawing:
    """The drawing that shows what a session looks at."""
    current = session.debugger.timeline.step(session.debugger.position).node
    return draw(session.trace, session.graph, session.selected, current)


def _go(session: Session, text: str) -> None:
    if text not in DIRECTIONS:
        raise GradstepError(f"go takes left, right, up or down, not {text!r}: try go left")
    direction = TURNED[text] if session.graph.down else text
    here = session.selected
    found = drawing_of(session).neighbour(here, direction)
    if found is None:
        words = NOWHERE.get(direction, f"has no box {text} of it")
        raise GradstepError(f"{session.trace.label(here)} {words}" if len(session.trace) else "")
    session.select(found[0])
    session.graph = replace(session.graph, trail=found[1])


def _open(session: Session, text: str) -> None:
    look = session.graph
    if text and text in session.trace.labels:
        session.select(session.trace.node_index(text))
    elif text:
        found = _called(session, text)
        session.graph = look.open(*found)
        session.say(f"open: {_several(found)}")
        return
    drawing = drawing_of(session)
    place = drawing.place(session.selected)
    folded = drawing.folded
    box = drawing.boxes[place] if place is not None else -1
    if box < 0 or not folded.is_folded(box):
        if text:
            session.say(f"{text} is no folded box: it is shown")
        else:
            _fold_around(session)
    elif folded.until[box] >= 0:
        _time(session, False)
    else:
        scope = folded.scopes.paths[folded.group[box]]
        session.graph = look.open(scope)
        session.say(f"open: {_words(scope)}")


def _fold(session: Session, text: str) -> None:
    if not text:
        _fold_around(session)
    elif text == "time":
        _time(session, True)
    elif text == "all":
        session.graph = session.graph.all(False)
        session.say("every scope is folded")
    elif text == "auto":
        session.graph = replace(session.graph.all(False), everything=None)
        session.say("scopes are open as far as the drawing stays readable")
    else:
        found = _called(session, text)
        for scope in found:
            session.graph = session.graph.close(scope)
        session.say(f"folded: {_several(found)}")


def _fold_around(session: Session) -> None:
    scopes = scopes_of(session.trace)
    around = scopes.around(session.selected) if len(session.trace) else []
    if not around:
        raise GradstepError("the selected node lies in no scope: tr.scope(...) makes one to fold")
    drawing = drawing_of(session)
    place = drawing.place(session.selected)
    group = -1 if place is None else int(drawing.folded.group[drawing.boxes[place]])
    if group in around:  # it is folded already: fold the scope around that
        around = around[around.index(group) + 1 :]
        if not around:
            raise GradstepError("no scope lies around this box: i opens it")
    scope = scopes.paths[around[0]]
    session.graph = session.graph.close(scope)
    session.say(f"folded: {_words(scope)}")


def _unfold(session: Session, text: str) -> None:
    if text == "time":
        _time(session, False)
    elif text == "all" or (not text and drawing_of(session).folded.any_folded):
        session.graph = session.graph.all(True)
        session.say("every scope is open")
    elif not text:
        _fold(session, "all")
    else:
        raise GradstepError(f"unfold takes all or time, not {text!r}: try open {text}")


def _time(session: Session, is_folded: bool) -> None:
    if not scopes_of(session.trace).families:
        raise GradstepError('there are no time steps: with tr.scope("rnn", t=3) makes one')
    session.graph = replace(session.graph, time=is_folded)
    session.say(f"the time steps in the middle are {'folded' if is_folded else 'shown'}")


def _called(session: Session, text: str) -> list[Scope]:
    """The scopes that a text means: the one written so in full, else all whose innermost part is called so."""
    paths = scopes_of(session.trace).paths[1:]
    found = [path for path in paths if _words(path) == text]
    found = found or [path for path in paths if text in (str(path[-1]), path[-1].name)]
    if not found:
        names = [_words(path) for path in paths[:8]]
        there = f"the scopes are {', '.join(names)}{' …' if len(paths) > 8 else ''}"
        raise GradstepError(f"there is no scope {text!r}: {there if names else 'there are none'}")
    return found


def _several(scopes: list[Scope]) -> str:
    """The scope in words, of several the first and the last.

    >>> from tracer.recording import ScopeEntry
    >>> _several([(ScopeEntry("rnn", "t", 1),), (ScopeEntry("rnn", "t", 8),)])
    'rnn[t=1] … rnn[t=8] (2 scopes)'
    """
    first, last = _words(scopes[0]), _words(scopes[-1])
    return first if len(scopes) == 1 else f"{first} … {last} ({len(scopes)} scopes)"


def _words(scope: Scope) -> str:
    return ".".join(map(str, scope))


def _detail(session: Session, text: str) -> None:
    try:
        number = int(text + "1" if text in ("+", "-") else text)
    except ValueError:
        raise GradstepError(f"detail takes + or - or 0 to 3, not {text!r}: try detail +") from None
    if text[0] in "+-":
        number += session.graph.detail
    detail = max(LEAST_DETAIL, min(MOST_DETAIL, number))
    session.graph = replace(session.graph, detail=detail)
    session.say(f"detail: {('dots', 'names', 'numbers', 'statistics')[detail]}")


def _orientation(session: Session, text: str) -> None:
    ways = {"lr": False, "td": True, "": not session.graph.down}
    if text not in ways:
        raise GradstepError(f"orientation takes lr or td, not {text!r}: try orientation td")
    session.graph = replace(session.graph, down=ways[text])
    session.say(f"the graph runs {'down' if session.graph.down else 'to the right'}")


MOST_NAMES = 2000
"""Of more scopes than this, only so many are offered."""


def _scopes(*words: str) -> Callable[[Session, str], Iterable[str]]:
    def complete(session: Session, text: str) -> Iterable[str]:
        paths = scopes_of(session.trace).paths[1:][:MOST_NAMES]
        return starting((*words, *map(_words, paths)), text)

    return complete


def _among(*words: str) -> Callable[[Session, str], Iterable[str]]:
    return lambda session, text: starting(words, text)


ORDERS: tuple[Order, ...] = (
    Order("go", "left|right|up|down", "select along a wire: to an input, a consumer, or the box beside", _go, LOOK,
          complete=_among(*DIRECTIONS)),
    Order("open", "[NODE|SCOPE]", "open a folded box or scope; alone: open or fold the box of the selected node",
          _open, LOOK, complete=_scopes()),
    Order("fold", "[SCOPE|time|all|auto]", "fold a scope into one box; alone: the scope around the selected node",
          _fold, LOOK, complete=_scopes("time", "all", "auto")),
    Order("unfold", "[all|time]", "show all that is folded; alone: unfold all, or fold all again", _unfold, LOOK,
          complete=_among("all", "time")),
    Order("detail", "[+|-|N]", "how much a box says: 0 a dot, 1 its name, 2 numbers, 3 statistics", _detail, LOOK,
          complete=_among("+", "-", "0", "1", "2", "3")),
    Order("orientation", "[lr|td]", "draw the graph from left to right, or from top to bottom", _orientation, LOOK,
          complete=_among("lr", "td")),
)  # fmt: skip
