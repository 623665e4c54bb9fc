"""Orders that move in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracer.debugger import Stop
from tracer.errors import GradstepError
from tui.orders.order import COUNT, RUN, STEP, Order, Page, node_names, node_of, whole

if TYPE_CHECKING:
    from tui.session import Session

LARGEST_COUNT = 10**7


def count_of(text: str, order: str) -> int:
    """The count that stands after an order, 1 without. Raises `GradstepError` for what is no count from 1."""
    if not text:
        return 1
    count = whole(text)
    if not count or count >= LARGEST_COUNT:
        raise GradstepError(f"{order} takes a count from 1, not {text[:40]!r}: try {order} 3")
    return count


def _counted(name: str, order: str) -> Callable[[Session, str], Page | None]:
    def run(session: Session, text: str) -> None:
        count = count_of(text, order)
        session.arrive(lambda: getattr(session.debugger, name)(count))

    return run


def _once(name: str) -> Callable[[Session, str], Page | None]:
    def run(session: Session, text: str) -> None:
        session.arrive(getattr(session.debugger, name))

    return run


def _goto(session: Session, text: str) -> None:
    position = whole(text)
    if position is None:
        way = (
            f"run {text}"
            if text in session.trace.labels
            else f"goto {session.debugger.timeline.last}"
        )
        raise GradstepError(f"goto takes a position, not {text[:40]!r}: try {way}")
    session.goto(position)


def _start(session: Session, text: str) -> None:
    session.goto(0)


def _end(session: Session, text: str) -> None:
    session.goto(count_of(text, "end") if text else session.debugger.timeline.last)


def _run(session: Session, text: str) -> None:
    if text:
        session.select(node_of(session, text))
    session.arrive(lambda: run_towards_selected(session), keep=True)


def run_towards_selected(session: Session) -> Stop:
    """On until the selected node has its number, or, if that lies behind, back to it."""
    stop = session.debugger.run_to(session.selected)
    if stop.position == session.debugger.position and stop.reason.endswith("run back to it"):
        stop = session.debugger.run_back_to(session.selected)
    return stop


def may_test_conditions(session: Session, text: str) -> bool:
    """Whether a move may test conditions at many nodes."""
    return any(each.selection.condition is not None for each in session.debugger.breakpoints)


def _nan(session: Session, text: str) -> None:
    if not session.look_for_bad_numbers() or session.bad is None:
        raise GradstepError("no value and no gradient of this run is NaN or infinite")
    node, position = session.bad
    session.goto(position)
    session.select(node)
    session.say(f"here {session.trace.label(node)} has the first NaN or infinity of the run")


ORDERS: tuple[Order, ...] = (
    Order("next", COUNT, "N nodes on", _counted("next", "next"), STEP, ("n",)),
    Order("back", COUNT, "N nodes back", _counted("previous", "back"), STEP, ("N", "previous", "reverse-next")),
    Order("step", COUNT, "N single flows on, or into the parts of a node", _counted("into", "step"), STEP,
          ("s", "into")),
    Order("reverse-step", COUNT, "N single flows back, and out of parts", _counted("out_of", "reverse-step"), STEP,
          ("S",)),
    Order("finish", "", "to the end of the scope or of the pass; close opened parts", _once("finish"), STEP,
          ("f",), long=may_test_conditions),
    Order("reverse-finish", "", "back to where the scope or the pass began", _once("reverse_finish"), STEP,
          ("F",), long=may_test_conditions),
    Order("continue", "", "to the next breakpoint, or to the end", _once("resume"), RUN, ("c",),
          long=may_test_conditions),
    Order("reverse-continue", "", "to the breakpoint before, or to the start", _once("reverse_resume"), RUN,
          ("C", "rc"), long=may_test_conditions),
    Order("run", "[NODE]", "until a node (the selected one) has its value or its gradient", _run, RUN,
          ("t", "until", "advance"), complete=node_names, long=may_test_conditions),
    Order("twin", "", "to the step of the same node in the other pass", _once("twin"), RUN, ("%",)),
    Order("nan", "", "to the step at which the first NaN or infinity of the run appears", _nan, RUN,
          long=lambda session, text: True),
    Order("start", "", "to the start of the timeline", _start, RUN, ("g",)),
    Order("end", COUNT, "to the end of the timeline, or to position N", _end, RUN, ("G",)),
    Order("goto", "N", "to position N of the timeline", _goto, RUN),
)  # fmt: skip
