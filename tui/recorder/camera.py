"""Takes the picture of a running screen. The one place that knows how Textual keeps its cells."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual._context import visible_screen_stack
from textual.app import App
from textual.color import Color
from textual.constants import DIM_FACTOR
from textual.strip import Strip

from tui.recorder.picture import Pen, Picture, Stretch


def strips(app: App[Any]) -> list[Strip]:
    """The lines on the screen now, of the pages that lie open on it too."""
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips(app.size)


def screen_text(app: App[Any]) -> str:
    """The characters on the screen, line by line, without blanks at the ends."""
    return "\n".join(strip.text.rstrip() for strip in strips(app))


def picture_of(app: App[Any]) -> Picture:
    """The screen as it is now, with its colours."""
    ground = Color.parse(app.theme_variables["background"]).rich_color
    front = Color.parse(app.theme_variables["foreground"]).rich_color
    pens = Pens(front, ground, app.ansi_theme)
    stretches = []
    for y, strip in enumerate(strips(app)):
        x = 0
        cells = ((pens(style), text) for text, style, _ in strip)
        for pen, run in groupby(cells, key=lambda cell: cell[0]):
            text = "".join(text for _, text in run)
            stretches.append(Stretch(x, y, text, pen))
            x += cell_len(text)
    width, height = app.size
    dark = app.current_theme.dark
    return Picture(width, height, tuple(stretches), pens.hex(ground), dark)


class Pens:
    """The pen of each style, made once: no colour is left to the terminal, reverse and dim are worked out."""

    def __init__(self, ink: RichColor, paper: RichColor, theme: TerminalTheme) -> None:
        self._ink, self._paper, self._theme = ink, paper, theme
        self._known: dict[Style | None, Pen] = {}

    def __call__(self, style: Style | None) -> Pen:
        """The pen for a style."""
        found = self._known.get(style)
        if found is None:
            found = self._known[style] = self._pen(style or Style.null())
        return found

    def hex(self, color: RichColor) -> str:
        """A colour as `#rrggbb`."""
        return "#{:02x}{:02x}{:02x}".format(*color.get_truecolor(self._theme))

    def _pen(self, style: Style) -> Pen:
        ink = self._ink if style.color is None or style.color.is_default else style.color
        paper = self._paper if style.bgcolor is None or style.bgcolor.is_default else style.bgcolor
        if style.reverse:
            ink, paper = paper, ink
        if style.dim:
            front, back = (Color(*color.get_truecolor(self._theme)) for color in (ink, paper))
            ink = back.blend(front, DIM_FACTOR).rich_color
        letters = (bool(style.bold), bool(style.italic), bool(style.underline))
        return Pen(self.hex(ink), self.hex(paper), *letters)
