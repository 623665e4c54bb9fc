"""A pane that is painted line by line: a step sends only the lines that changed to the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget

from tracer.cells.meanings import Kind
from tracer.cells.widths import visible
from tui.ink import Heat, Ink, Line
from tui.theme import Inks
from tui.views.scene import Scene


@dataclass
class Ordered(Message):
    """Somebody used a pane in a way that means an order, such as `select 4` by a click."""

    line: str


class LinePane(Widget, can_focus=True):
    """A pane whose lines are a function of its scene. A subclass says what they are in `lines`."""

    scene: Reactive[Scene | None] = reactive(None, repaint=False, init=False)
    """The moment that is shown."""
    inks: Reactive[Inks | None] = reactive(None, repaint=False, init=False)
    """The colours of the theme."""

    _shown: list[Line] | None = None
    _ground: Style | None = None
    _titles = ("", "")
    _moment: tuple[object, ...] = ()

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._styles: dict[Ink | Heat, Style] = {}

    @property
    def room(self) -> Size:
        """The size of what is painted."""
        return self.size

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The lines to be shown in a pane of this size."""
        raise NotImplementedError

    def follow(self, scene: Scene) -> None:
        """Scroll to what matters in a new scene, before its lines are asked for."""

    def watch_scene(self, scene: Scene | None) -> None:
        """Show another moment; scroll only if the user has moved, not when a number has been worked out."""
        if scene is not None and self.size.width:
            moment = (
                scene.trace, scene.position, scene.selected, scene.element, scene.view, scene.graph,
            )  # fmt: skip
            if moment != self._moment:
                self._moment = moment
                self.follow(scene)
            self.update_lines()

    def watch_inks(self) -> None:
        """Take on other colours."""
        self._styles, self._ground = {}, None
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the lines to another size."""
        self._shown = None
        if self.scene is not None:
            self.follow(self.scene)
        self.refresh()

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Write into the upper and the lower border: plain text, never markup, and only if it differs."""
        if self._titles != (title, subtitle):
            self._titles = title, subtitle
            self.border_title, self.border_subtitle = Text(visible(title)), Text(visible(subtitle))

    def update_lines(self) -> None:
        """Work out the lines again and repaint those that differ."""
        before, self._shown = self._shown, self._lines()
        if before is None or len(before) != len(self._shown):
            self.refresh()
            return
        changed = [y for y, (a, b) in enumerate(zip(before, self._shown, strict=True)) if a != b]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _lines(self) -> list[Line]:
        if self.scene is None or not self.size.width:
            return []
        return self.lines(self.scene, *self.room)

    def render_line(self, y: int) -> Strip:
        """One line of the pane, as Textual asks for it."""
        if self._shown is None:
            self._shown = self._lines()
        return self.strip(self._shown[y] if y < len(self._shown) else ())

    def strip(self, line: Line) -> Strip:
        """A line in the colours of the theme, on the ground of the pane."""
        styles, segments, used = self._styles, [], 0
        for text, ink in line:
            style = styles.get(ink)
            if style is None:
                style = styles[ink] = self._style(ink)
            segments.append(Segment(text, style))
            used += cell_len(text)
        width = self.size.width
        if used < width:
            segments.append(Segment(" " * (width - used), self._style(Ink(Kind.BLANK))))
        strip = Strip(segments, max(used, width))
        return strip if used <= width else strip.crop(0, width)

    def _style(self, ink: Ink | Heat) -> Style:
        if self._ground is None:
            self._ground = self.rich_style
        return self._ground if self.inks is None else self._ground + self.inks(ink)


class DeckPane(LinePane):
    """A pane of the deck. In the border of a wide one stand the names of all views; a click on one shows it."""

    ROOM_FOR_TABS = 44

    def entitle(self, title: str, subtitle: str = "") -> None:
        """The names of the views in the upper border where there is room, the title in the lower one."""
        if self.scene is None or not self.has_tabs:
            super().entitle(title, subtitle)
        else:
            below = " · ".join(filter(None, (title, subtitle)))
            super().entitle(tabs(self.scene), below)

    @property
    def has_tabs(self) -> bool:
        """Whether the names of the views stand in the border."""
        return self.outer_size.width >= self.ROOM_FOR_TABS

    def on_click(self, event: events.Click) -> None:
        """Show the view whose name was clicked."""
        if event.y == 0 and self.scene is not None and self.has_tabs:
            name = tab_at(self.scene, event.x - TITLE_STARTS)
            if name:
                self.post_message(Ordered(f"focus {name}"))


TITLE_STARTS = 3
"""The column of a border at which its title begins."""


def tabs(scene: Scene) -> str:
    """The names of the views, that which is shown in angles."""
    return " ".join(map(_tab, scene.views, repeat(scene.view)))


def _tab(name: str, shown: str) -> str:
    return f"‹{name}›" if name == shown else name


def tab_at(scene: Scene, column: int) -> str:
    """The name of the view at a column of the tabs, "" between them."""
    start = 0
    for name in scene.views:
        width = len(_tab(name, scene.view))
        if start <= column < start + width:
            return name
        start += width + 1
    return ""
