"""What an order is: a line of text that changes what the debugger shows, whoever gives it.

A key, the mouse, the prompt, the palette, a command file, a saved breakpoint and a recorded session all give orders;
the help page, the completion and the palette are made from their table.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.cells.meanings import Kind
from tracer.errors import GradstepError
from tracer.names import DIGITS
from tui.ink import Line, span

if TYPE_CHECKING:
    from tui.session import Session

COUNT = "[N]"
"""The argument of an order that takes a count: the digits typed before its key."""
STEP, RUN, STOP, LOOK, CHANGE, KEEP, SCREEN = (
    "step", "run", "stop and watch", "look", "change and re-run", "keep", "screen",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What an order has to show at length: the screen opens it in a frame, batch mode prints it."""

    heading: str
    lines: tuple[Line, ...]
    again: str = ""
    """The order that r gives from there."""


def page(heading: str, rows: Iterable[tuple[str, str]]) -> Page:
    """A page of two columns: what it is, what is said about it."""
    rows = list(rows)
    wide = max((len(name) for name, _ in rows), default=0) + 2
    return Page(
        heading,
        tuple((span(name.ljust(wide), Kind.KEY), span(words)) for name, words in rows),
    )


Run = Callable[["Session", str], Page | None]
Complete = Callable[["Session", str], Iterable[str]]
TakesLong = Callable[["Session", str], bool]


@dataclass(frozen=True)
class Order:
    """One order: its name, what stands after it, what it does, and the function that does it.

    run gets the session and the text after the name; it raises `GradstepError` where that cannot be done. None: only a
    screen can carry it out. complete gives the whole arguments that a text may become; long says whether it may take
    so long that it is done on another thread.
    """

    name: str
    argument: str
    help: str
    run: Run | None
    group: str = LOOK
    aliases: tuple[str, ...] = ()
    complete: Complete | None = None
    long: TakesLong | None = None


def takes_none(order: Order, text: str) -> bool:
    """Whether a text stands after an order that takes nothing."""
    return bool(text) and not order.argument


def starting(words: Iterable[str], text: str) -> list[str]:
    """The words that begin with a text, for completion; those that only contain it come after.

    >>> starting(["xhat", "x", "max"], "x")
    ['x', 'xhat', 'max']
    """
    begin = sorted({word for word in words if word.startswith(text)}, key=lambda w: (len(w), w))
    return begin + sorted({word for word in words if text and text in word} - set(begin))


def node_of(session: Session, text: str) -> int:
    """The node of a name, label or number; without a text the selected one. Raises `UnknownNameError`."""
    return session.trace.node_index(text) if text else session.selected


def whole(text: str) -> int | None:
    """The number that a text is; None for what is none, or has more digits than anything that is counted here.

    >>> whole("12"), whole("-3"), whole("9" * 5000)
    (12, None, None)
    """
    return int(text) if text.isdecimal() and len(text) <= DIGITS else None


def path_of(text: str) -> Path:
    """The path that a text is. Raises `GradstepError` for what can be none."""
    try:
        path = Path(text).expanduser()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.stat()  # raises for a name that is too long, or in a folder that may not be looked into
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GradstepError(f"{text[:60]!r} is no path here: {reason}: try another name") from None
    return path


def node_names(session: Session, text: str) -> list[str]:
    """The labels of nodes that a text may become."""
    trace = session.trace
    names = [trace.label(node) for node in range(min(len(trace), MOST_NAMES))]
    return starting(names, text)


MOST_NAMES = 20_000
"""Of a longer trace only so many labels are offered: completion must not hold up typing."""
