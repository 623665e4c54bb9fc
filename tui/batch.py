"""Orders from files and options: before the debugger opens, or, with --batch, in its place.

Each order does what it does at the prompt; its effect is printed as plain text, as gdb does. The first order that fails
ends the rest. Textual is not needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tracer.errors import GradstepError, in_one_line
from tui.ink import Line, text_of
from tui.orders import Page, named, obey, read
from tui.orders.order import RUN, STEP, STOP
from tui.scripts import UsageError
from tui.session import Session
from tui.sessions import Deed, Recorded, parsed, read_session
from tui.views.whereabouts import step_line

FILE, ORDER = "file", "order"
PAPER = 100
"""So wide is the help where there is no screen."""


class Failure(NamedTuple):
    """An order that could not be carried out: where it was given, and why."""

    place: str
    error: str

    @property
    def line(self) -> str:
        """The failure in one line."""
        return f"{self.place}{in_one_line(self.error)}"


def deeds_of(given: Iterable[tuple[str, str]]) -> Recorded:
    """The orders of options, in the order of the options: `("file", path)`, where `-` is stdin, or `("order", line)`.

    The head of what is returned says what the heads of the files say. Raises `UsageError` for a file that cannot be
    read.
    """
    deeds: list[Deed] = []
    head: dict[str, str] = {}
    for kind, text in given:
        if kind == ORDER:
            found = Recorded((Deed(text, "-ex: "),))
        elif text == "-":
            found = parsed(sys.stdin.read(), "stdin")
        else:
            try:
                found = read_session(Path(text))
            except GradstepError as error:
                raise UsageError(f"{error}\n  try: check the path") from None
        deeds += found.deeds
        head |= found.head
    return Recorded(tuple(deeds), head)


def carry_out(
    session: Session,
    deeds: Sequence[Deed],
    *,
    tell: Callable[[Iterable[str]], None],
    for_screen: Callable[[str], None],
) -> Failure | None:
    """Obey orders one after the other, until one fails or says quit; returns the one that failed.

    tell: gets the lines of what came of each. for_screen: gets the orders that only a screen can carry out.
    """
    for deed in deeds:
        try:
            found = read(deed.order)
            if found is not None and found[0].name == "quit":
                return None
            if found is not None and found[0].run is None:
                for_screen(deed.order)
                continue
            tell(_effect(session, deed.order))
        except GradstepError as error:
            return Failure(deed.place, f"{deed.order}: {error}")
        session.log.append(deed.order)
        if session.trouble:
            return Failure(deed.place, f"{deed.order}: {session.message}")
    return None


def _effect(session: Session, order: str) -> list[str]:
    """Obey an order; the lines that say what came of it."""
    debugger = session.debugger
    before = session.trace, debugger.position
    session.say("")
    page = obey(session, order)
    said = [session.message] if session.message and not session.trouble else []
    if before != (session.trace, debugger.position):
        said.append(text_of(step_line(session.trace, debugger.position)))
        said += [f"  {text}  {now}" for text, now in debugger.watch_values()]
    if session.copied is not None:
        said.append(session.copied)
        session.copied = None
    return said + (page_text(page) if page is not None else [])


def page_text(page: Page) -> list[str]:
    """A page as lines of text.

    >>> page_text(Page("watches", ()))
    ['watches']
    """
    lines: tuple[Line, ...] = page.lines
    return [*([page.heading] if page.heading else []), *(text_of(line).rstrip() for line in lines)]


def run(session: Session, deeds: Sequence[Deed]) -> int:
    """Obey orders without a screen and print what comes of each; 0, or 1 if one fails, which is told on stderr."""

    def tell(lines: Iterable[str]) -> None:
        for line in lines:
            print(line)
        sys.stdout.flush()

    failed = carry_out(session, deeds, tell=tell, for_screen=lambda order: tell(_on_paper(order)))
    if failed is None:
        return 0
    print(f"gradstep: {failed.place}{failed.error}", file=sys.stderr)
    return 1


def _on_paper(line: str) -> list[str]:
    """What there is to print of an order that only a screen can carry out: the help; of any other nothing."""
    found = read(line)
    if found is None or found[0].name != "help":
        return []
    from tui.keys import KEYS
    from tui.views.help import help_lines

    about = named(found[1])
    wanted = f":{about.name}" if about is not None else found[1]
    return [text_of(line).rstrip() for line in help_lines(KEYS, PAPER, wanted)]


def led(session: Session, lead: Sequence[Deed]) -> list[str]:
    """Obey what an entry of the gallery wants to be seen first; returns what the screen has to carry out.

    Where the user has breakpoints or watches of the last time, nothing runs or stops for the entry: only views and the
    like are obeyed.
    """
    if not lead:
        return []
    said, start = session.message, session.debugger.position
    if session.debugger.breakpoints or session.debugger.watches:
        lead = [deed for deed in lead if not _moves(deed.order)]
    later = before_screen(session, lead)
    if session.debugger.position != start and not (said or session.trouble):
        at = f"step {session.debugger.position} of {session.debugger.timeline.last}"
        session.say(f"opened at its point of interest, {at}; g goes to the start")
    elif said and not session.trouble:
        session.say(said)
    return later


def _moves(line: str) -> bool:
    """Whether an order steps, runs, stops or watches."""
    found = read(line)
    return found is not None and found[0].group in (STEP, RUN, STOP)


def before_screen(session: Session, deeds: Sequence[Deed]) -> list[str]:
    """Obey orders before the screen opens; returns those that it has to carry out then. A failure is its message."""
    later: list[str] = []
    failed = carry_out(session, deeds, tell=lambda lines: None, for_screen=later.append)
    if failed is not None:
        session.complain(failed.line)
    return later
