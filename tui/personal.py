"""What is the user's own on the screen: keys, theme, speed, layout, and the lines typed before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tracer.folding.folds import LEAST_DETAIL, MOST_DETAIL
from tui.actions import PACES, Actions
from tui.completion import Offer, offer
from tui.keys import EVERYWHERE, binding_of, rebound
from tui.memory import Memory
from tui.session import Session
from tui.settings import Settings
from tui.theme import NAMES, PREFIX, first_theme, themes_for


def starting_theme(settings: Settings, memory: Memory, environment: Mapping[str, str]) -> str:
    """The theme to start with: that of the settings; else the only one the terminal can show; else the last one.

    >>> starting_theme(Settings(), Memory(theme="light"), {"TERM": "xterm-256color"})
    'light'
    >>> starting_theme(Settings(), Memory(theme="light"), {"TERM": "vt100"})
    'ansi'
    """
    first = first_theme(environment)
    known = memory.theme if memory.theme in NAMES and first != "ansi" else None
    return settings.theme or known or first


def pace_of(speed: float) -> int:
    """The entry of PACES that comes nearest to so many steps a second."""
    return min(range(len(PACES)), key=lambda pace: abs(1 / PACES[pace] - speed))


ALL_COLOURS = {"COLORTERM": "truecolor"}
"""What a terminal of all colours says of itself."""


class Personal(Actions):
    """A screen with the keys, colours and layout of its user."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        memory: Memory,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(session)
        self.settings, self.memory = settings, memory
        self.keys = rebound(settings.keys)
        for theme in themes_for(environment):
            self.register_theme(theme)
        self.theme = PREFIX + starting_theme(settings, memory, environment)
        speed = settings.speed or memory.speed
        self.pace = pace_of(speed) if speed else self.pace
        self._bind_keys()

    def _bind_keys(self) -> None:
        """Give the keys of the settings their orders, in place of what they did."""
        table = self._bindings.key_to_bindings
        for name in self.settings.keys:
            table.pop(name, None)
        for key in self.keys:
            if key.place == EVERYWHERE:
                for name in key.keys.split(","):
                    if name in self.settings.keys:
                        table[name] = [binding_of(name, key)]

    def on_mount(self) -> None:
        """Draw boxes as they were drawn last, and say what is wrong in the settings."""
        memory = self.memory
        if memory.detail is not None and LEAST_DETAIL <= memory.detail <= MOST_DETAIL:
            self.session.graph = replace(self.session.graph, detail=memory.detail)
        if memory.orientation in ("lr", "td"):
            self.session.graph = replace(self.session.graph, down=memory.orientation == "td")
        for pane in self.query(".pane"):
            for name in self.settings.keys:
                pane._bindings.key_to_bindings.pop(name, None)
        if self.settings.complaint:
            self.session.complain(self.settings.complaint)

    def on_unmount(self) -> None:
        """Remember how boxes are drawn and what was typed: the views and panes belong to what is looked at."""
        self.memory.speed = 1 / PACES[self.pace]
        self.memory.detail = self.session.graph.detail
        self.memory.orientation = "td" if self.session.graph.down else "lr"
        self.memory.save()

    def offer(self, line: str) -> Offer:
        """What a line of the prompt may become."""
        return offer(self.session, line)

    def order_theme(self, text: str) -> None:
        """Other colours, from now on."""
        super().order_theme(text)
        if self.theme == PREFIX + text:
            self.memory.theme = text

    def keep_line(self, line: str) -> None:
        """Remember a line of the prompt."""
        self.memory.add(line)
