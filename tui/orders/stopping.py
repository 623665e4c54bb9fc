"""Orders about breakpoints: where the debugger stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tracer.selections import select
from tui.orders.order import STOP, Order, Page, node_names, node_of, starting, whole

if TYPE_CHECKING:
    from tui.session import Session

MANY = 20_000
"""In a trace of more nodes than this, breakpoints are set on another thread."""
LAST = "last"
"""Stands for the number of what was made last."""


def _break(temporary: bool) -> Callable[[Session, str], Page | None]:
    def run(session: Session, text: str) -> None:
        debugger = session.debugger
        wanted = select(session.trace, text or str(session.selected))
        for each in debugger.breakpoints:
            same = each.selection.trace is wanted.trace and each.temporary == temporary
            if same and each.text == wanted.text:
                debugger.enable(each.number)
                session.say(f"breakpoint {each.number} is there already: {each.text}")
                return
        made = debugger.add_breakpoint(text or str(session.selected), temporary=temporary)
        word = "temporary breakpoint" if temporary else "breakpoint"
        session.say(f"{word} {made.number}: {made.text}")

    return run


def _toggle(session: Session, text: str) -> None:
    node = node_of(session, text)
    made = session.debugger.toggle(node)
    label = session.trace.label(node)
    session.say(
        f"breakpoint {made.number} at {label}" if made else f"no breakpoint at {label} any more"
    )


def numbered(what: str, text: str, there: tuple[int, ...], example: str) -> int:
    """The number that a text says, or that of the last one made. Raises `GradstepError` for what is no number."""
    if text == LAST and there:
        return there[-1]
    number = whole(text)
    if number is None:
        numbers = ", ".join(map(str, there)) or "none"
        raise GradstepError(
            f"this takes the number of a {what} ({numbers}), not {text[:40]!r}: try {example}"
        )
    return number


def _number(session: Session, text: str, example: str) -> int:
    there = tuple(each.number for each in session.debugger.breakpoints)
    return numbered("breakpoint", text, there, example)


def _several(
    session: Session, text: str, example: str, work: Callable[[int], object], done: str
) -> None:
    """Do something with a breakpoint, or, where none or `all` is said, with each."""
    if text in ("", "all"):
        numbers = [each.number for each in session.debugger.breakpoints]
        if not numbers:  # no error: a command file may begin with it
            session.say("there are no breakpoints")
            return
        for number in numbers:
            work(number)
        said = f"{done} all {len(numbers)} breakpoints" if len(numbers) != 1 else ""
        session.say(said or f"{done} breakpoint {numbers[0]}")
        return
    for word in text.split():
        number = _number(session, word, example)
        work(number)
        session.say(f"{done} breakpoint {number}")


def _delete(session: Session, text: str) -> None:
    _several(session, text, "delete 1", session.debugger.delete, "deleted")


def _enable(on: bool) -> Callable[[Session, str], Page | None]:
    word = "enable" if on else "disable"

    def run(session: Session, text: str) -> None:
        switch = lambda number: session.debugger.enable(number, on)  # noqa: E731
        _several(session, text, f"{word} 1", switch, f"{word}d")

    return run


def _switch(session: Session, text: str) -> None:
    number = _number(session, text, "switch 1")
    on = next(
        (each.enabled for each in session.debugger.breakpoints if each.number == number), True
    )
    session.debugger.enable(number, not on)
    session.say(f"breakpoint {number} is {'off' if on else 'on'}")


def _ignore(session: Session, text: str) -> None:
    word, _, times = text.partition(" ")
    number, count = _number(session, word, "ignore 1 3"), whole(times.strip())
    if count is None:
        raise GradstepError(
            f"ignore takes a breakpoint and how often to pass over it, not {text[:40]!r}: try ignore {number} 3"
        )
    session.debugger.ignore(number, count)
    said = {0: "stops the next time", 1: "is passed over once"}.get(
        count, f"is passed over {count} times"
    )
    session.say(f"breakpoint {number} {said}")


def _condition(session: Session, text: str) -> None:
    word, _, condition = text.partition(" ")
    number = _number(session, word, "condition 1 nan(value)")
    changed = session.debugger.condition(number, condition)
    session.say(f"breakpoint {number}: {changed.text}")


def _visit(session: Session, text: str) -> None:
    number = _number(session, text, "visit 1")
    there = session.debugger.coming(number)
    if there is None:
        raise GradstepError(f"breakpoint {number} stops nowhere in this trace")
    position, node = there
    session.select(node)
    session.say(f"breakpoint {number} stops here at step {position}")


def _numbers(session: Session, text: str) -> list[str]:
    return starting((str(each.number) for each in session.debugger.breakpoints), text)


def _tests(session: Session, text: str) -> bool:
    return any(each.selection.condition for each in session.debugger.breakpoints)


def _long(session: Session, text: str) -> bool:
    return len(session.trace) > MANY


ORDERS: tuple[Order, ...] = (
    Order("break", "[TEXT]", "stop at: xhat, op:mul except h, scope:rnn*, op:exp if inf(value), nan, norm(w.grad) > 9",
          _break(False), STOP, ("b",), complete=node_names, long=_long),
    Order("tbreak", "[TEXT]", "stop there once", _break(True), STOP, ("tb",), complete=node_names, long=_long),
    Order("toggle", "[NODE]", "set or delete a breakpoint at a node (the selected one)", _toggle, STOP),
    Order("delete", "[N]", "delete breakpoint N, or all", _delete, STOP, ("d",), complete=_numbers),
    Order("enable", "[N|all]", "switch breakpoint N on, or all", _enable(True), STOP, complete=_numbers),
    Order("disable", "[N|all]", "switch breakpoint N off, or all", _enable(False), STOP, complete=_numbers),
    Order("switch", "N", "switch breakpoint N off, or on again", _switch, STOP, complete=_numbers),
    Order("ignore", "N COUNT", "pass over breakpoint N the next COUNT times", _ignore, STOP, complete=_numbers),
    Order("condition", "N [EXPR]", "stop at breakpoint N only if this holds; without, always", _condition, STOP,
          complete=_numbers),
    Order("visit", "N", "select the node where breakpoint N stops next", _visit, STOP, complete=_numbers, long=_tests),
)  # fmt: skip
