"""Pages over the panes: the help, and what an order has to say at length."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tracer.cells.widths import visible
from tui.ink import Line, span, width_of
from tui.keys import Key
from tui.orders import Page
from tui.theme import Inks
from tui.views.help import help_lines
from tui.widgets.pane import Ordered

LEAST_WORDS = 10
"""Words are not set in fewer columns than this."""


def inked(lines: Iterable[Line], inks: Inks) -> Text:
    """Lines in the colours of a theme."""
    text = Text()
    for line in lines:
        for piece in line:
            text.append(visible(piece.text), inks(piece.ink))
        text.append("\n")
    return text


def hanging(line: Line, width: int) -> list[Line]:
    """A line whose last piece goes on below its own beginning where it is too long.

    >>> ["".join(piece.text for piece in part) for part in hanging((span("k  "), span("keeps the next step")), 14)]
    ['k  keeps the', '   next step']
    """
    *front, last = line if line else (span(""),)
    margin = width_of(tuple(front))
    if width_of(line) <= width or not front or width - margin < LEAST_WORDS:
        return [line]
    first, *more = textwrap.wrap(last.text, width - margin) or [""]
    begun = (*front, last._replace(text=first))
    return [begun, *((span(" " * margin), last._replace(text=text)) for text in more)]


class PageScreen(ModalScreen[None]):
    """A page in a frame that scrolls; it is closed by escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "leave", "close", show=False),
        Binding("j,down", "scroll(1)", "down", show=False),
        Binding("k,up", "scroll(-1)", "up", show=False),
        Binding("space,pagedown,ctrl+d", "scroll_page(1)", "a page down", show=False),
        Binding("pageup,ctrl+u", "scroll_page(-1)", "a page up", show=False),
    ]
    heading = ""
    hint = "j k space scroll · esc closes"

    def __init__(self, inks: Inks) -> None:
        super().__init__()
        self.inks = inks

    def compose(self) -> ComposeResult:
        """One page that scrolls."""
        page = VerticalScroll(Static(id="text"), id="page")
        page.border_title, page.border_subtitle = self.heading, self.hint
        yield page

    def on_resize(self, event: events.Resize) -> None:
        """Fit the page to another width."""
        self.call_after_refresh(self.write)

    def write(self) -> None:
        """Write the page, in the width that it has."""
        width = self.query_one("#page").scrollable_content_region.width
        self.query_one("#text", Static).update(self.text(max(20, width)))

    def text(self, width: int) -> Text:
        """The page."""
        raise NotImplementedError

    def inked(self, lines: Iterable[Line]) -> Text:
        """Lines in the colours of the theme."""
        return inked(lines, self.inks)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let no key do anything before the page is there."""
        return self._is_mounted and super().check_action(action, parameters)

    def action_leave(self) -> None:
        """Close the page."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, pages: int) -> None:
        """Scroll by screenfuls."""
        page = self.query_one(VerticalScroll)
        page.scroll_relative(y=pages * max(1, page.content_size.height - 1), animate=False)


class ListScreen(PageScreen):
    """What an order has to say at length; of a program that failed, r runs it again."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "again", "again", show=False)]

    def __init__(self, inks: Inks, page: Page) -> None:
        super().__init__(inks)
        self.page = page
        self.heading = page.heading
        self.hint = "r re-runs · " * bool(page.again) + self.hint

    def text(self, width: int) -> Text:
        """Line by line; the words beside a key go on below themselves."""
        return self.inked(part for line in self.page.lines for part in hanging(line, width))

    def action_again(self) -> None:
        """Close the page, and give its order again."""
        if self.page.again:
            self.dismiss()
            self.app.post_message(Ordered(self.page.again))


class HelpScreen(PageScreen):
    """Every key, every order, and what the signs mean; / keeps only what holds a text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "find", show=False, priority=True)
    ]
    heading = "help"
    hint = "j k space scroll · / finds · esc closes"

    def __init__(self, inks: Inks, keys: tuple[Key, ...], wanted: str = "") -> None:
        super().__init__(inks)
        self.keys, self.wanted = keys, wanted

    def compose(self) -> ComposeResult:
        """The page, and below it a line to type in, hidden until it is asked for."""
        yield from super().compose()
        wanted = Input(
            self.wanted, id="wanted", compact=True, placeholder="what to find in the help"
        )
        wanted.display = bool(self.wanted)
        yield wanted

    def text(self, width: int) -> Text:
        """The page."""
        return self.inked(help_lines(self.keys, width, self.query_one(Input).value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let / be typed into what is to be found."""
        typing = action == "find" and any(wanted.has_focus for wanted in self.query(Input))
        return not typing and super().check_action(action, parameters)

    def action_find(self) -> None:
        """Ask what to find."""
        wanted = self.query_one(Input)
        wanted.display = True
        self.set_focus(wanted)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep only what holds the text."""
        self.write()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Let the keys scroll again."""
        self.query_one(VerticalScroll).focus()

    def action_leave(self) -> None:
        """Show all again; if all is shown, close the page."""
        wanted = self.query_one(Input)
        if wanted.display:
            wanted.value, wanted.display = "", False
            self.query_one(VerticalScroll).focus()
        else:
            self.dismiss()
