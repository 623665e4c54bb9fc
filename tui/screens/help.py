"""Pages over the panes: the help, made from the tables of keys and orders, and the list of breakpoints and watches."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tracer.timeline import GLYPHS
from tui.ink import Ink, Kind, visible
from tui.keys import help_groups
from tui.orders import ORDERS, Page
from tui.theme import Inks


class PageScreen(ModalScreen[None]):
    """A page in a frame that scrolls; it is closed by escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "close", show=False),
        Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False),
    ]
    heading = ""

    def __init__(self, inks: Inks) -> None:
        super().__init__()
        self.inks = inks

    def compose(self) -> ComposeResult:
        """One page that scrolls."""
        page = VerticalScroll(Static(self.text()), id="page")
        page.border_title = self.heading
        page.border_subtitle = "esc closes"
        yield page

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def text(self) -> Text:
        """The page."""
        raise NotImplementedError


class ListScreen(PageScreen):
    """What an order has to say at length."""

    def __init__(self, inks: Inks, page: Page) -> None:
        super().__init__(inks)
        self.page = page
        self.heading = page.heading

    def text(self) -> Text:
        """Line by line."""
        text = Text()
        for line in self.page.lines:
            for piece in line:
                text.append(visible(piece.text), self.inks(piece.ink))
            text.append("\n")
        return text


class HelpScreen(PageScreen):
    """Every key, every order, and what the signs mean."""

    heading = "help"

    def text(self) -> Text:
        """The page."""
        page = Text()
        key, faint = self.inks(Ink(Kind.KEY)), self.inks(Ink(Kind.FAINT))
        name = self.inks(Ink(Kind.NAME))
        for heading, rows in help_groups():
            page.append(f"{heading}\n", name)
            for keys, words in rows:
                page.append(f"  {keys:<8}", key).append(f"{words}\n")
        page.append("after :\n", name)
        for order in ORDERS:
            page.append(f"  {order.name} {order.argument}".ljust(24), key).append(f"{order.help}\n")
        page.append("a gradient that is not there is never drawn as 0\n", name)
        for state, glyph in GLYPHS.items():
            page.append(f"  {glyph:<8}", key).append(f"{state}\n")
        page.append("frames\n", name)
        for frame, words in FRAME_WORDS:
            page.append(f"  {frame:<8}", key).append(f"{words}\n")
        page.append(
            "numbers in a box: value above, gradient (∂) below; rms is the root mean square", faint
        )
        return page


FRAME_WORDS = (
    ("╔══╗", "the current node"),
    ("┏━━┓", "what it has just read, or sent a flow to; the wire between them is heavy"),
    ("╭──╮", "a node that has run"),
    ("╭┄┄╮", "a node that has not run yet"),
    ("[name]", "the selected node, where that is not the current one"),
    ("● ◇", "in a border or before a row: a breakpoint, one with a condition"),
    ("1/2", "in a lower border: one of two flows has arrived"),
)
