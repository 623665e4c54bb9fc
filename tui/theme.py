"""The themes: values green, gradients red as on a circuit diagram, or blue and orange, or the colours of the terminal.

Every state also has a glyph or a frame. Text stands out from every ground by 4.5 to 1, frames and wires by 3 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from tracer.cells.meanings import Kind, Look
from tui.heatmap import CURSOR, MINUS_INF, NAN, OUTSIDE, PLUS_INF, palette
from tui.ink import Heat, Ink

PREFIX = "gradstep-"
"""Before the names of our themes, where they stand among those of Textual."""


def _theme(name: str, colours: Mapping[str, str], *, dark: bool) -> Theme:
    """A theme from our names of colours."""
    return Theme(
        name=PREFIX + name,
        primary=colours["border"],
        secondary=colours["quiet"],
        accent=colours["key"],
        foreground=colours["text"],
        background=colours["ground"],
        surface=colours["ground"],
        panel=colours["panel"],
        success=colours["value"],
        error=colours["gradient"],
        warning=colours["warning"],
        dark=dark,
        ansi=colours["ground"].startswith("ansi_"),
        variables={
            **colours,
            "footer-background": colours["panel"],
            "input-selection-background": colours["current"],
            "block-cursor-background": colours["current"],
            "block-cursor-foreground": colours["text"],
            "ansi-background": colours["ground"],
            "ansi-foreground": colours["text"],
        },
    )


_DARK = {
    "ground": "#10141a",
    "panel": "#1b2430",
    "current": "#17304e",
    "operand": "#332b0f",
    "reached": "#1a2420",
    "text": "#d7dee8",
    "quiet": "#9fb2c9",
    "faint": "#93a3b6",
    "value": "#5fdc7c",
    "gradient": "#ff8585",
    "key": "#ffb454",
    "warning": "#e8c15a",
    "border": "#5aabff",
    "frame": "#8696ab",
    "frame-quiet": "#617082",
    "wire": "#7686a0",
}
_LIGHT = {
    "ground": "#fbfbf9",
    "panel": "#e8ecf1",
    "current": "#d6e7fb",
    "operand": "#fdf0c8",
    "reached": "#eef5ee",
    "text": "#1c2430",
    "quiet": "#4a5b70",
    "faint": "#566477",
    "value": "#086c33",
    "gradient": "#b8231a",
    "key": "#8a5000",
    "warning": "#7d5900",
    "border": "#0b5cb8",
    "frame": "#4a5b70",
    "frame-quiet": "#78859a",
    "wire": "#6f7d8f",
}
_BLUE_ORANGE = {"value": "#74c2ff", "gradient": "#ffa24d", "key": "#f3e37c", "border": "#c5d2e0"}
_BLUE_ORANGE_LIGHT = {
    "value": "#0a58a8",
    "gradient": "#9a4700",
    "key": "#5f4a9e",
    "border": "#3a4756",
}
_ANSI = {
    **dict.fromkeys(_DARK, "ansi_default"),
    "value": "ansi_green",
    "gradient": "ansi_red",
    "key": "ansi_yellow",
    "warning": "ansi_yellow",
}

_DARK_256 = {
    "ground": "#121212",
    "panel": "#262626",
    "current": "#00005f",
    "operand": "#303030",
    "reached": "#1c1c1c",
    "frame-quiet": "#767676",
}
_LIGHT_256 = {
    "ground": "#ffffff",
    "panel": "#e7e7e7",
    "current": "#d7d7ff",
    "operand": "#ffffd7",
    "reached": "#eeeeee",
    "text": "#1c1c1c",
    "faint": "#4e4e4e",
    "frame-quiet": "#6c6c6c",
    "value": "#005f00",
    "gradient": "#af0000",
    "key": "#5f5f00",
    "warning": "#5f5f00",
}
_BLUE_ORANGE_LIGHT_256 = {"value": "#005faf", "gradient": "#5f5f00", "key": "#5f00af"}
"""Colours that a terminal of 256 has as they are: it would turn our grounds into glaring ones."""


def _themes(
    dark: Mapping[str, str], light: Mapping[str, str], blue_orange_light: Mapping[str, str]
) -> tuple[Theme, ...]:
    return (
        _theme("dark", dark, dark=True),
        _theme("light", light, dark=False),
        _theme("blue-orange", {**dark, **_BLUE_ORANGE}, dark=True),
        _theme("blue-orange-light", {**light, **blue_orange_light}, dark=False),
        _theme("ansi", _ANSI, dark=True),
    )


THEMES = _themes(_DARK, _LIGHT, _BLUE_ORANGE_LIGHT)
THEMES_256 = _themes(
    {**_DARK, **_DARK_256},
    {**_LIGHT, **_LIGHT_256},
    {**_BLUE_ORANGE_LIGHT, **_BLUE_ORANGE_LIGHT_256},
)
"""The same for a terminal of 256 colours."""
NAMES = tuple(theme.name.removeprefix(PREFIX) for theme in THEMES)
"""What a user calls them."""

_WORDS: Mapping[Kind, str] = {
    Kind.BLANK: "$foreground",
    Kind.WIRE: "$wire",
    Kind.TIP: "$wire",
    Kind.FRAME: "$frame",
    Kind.NAME: "bold $foreground",
    Kind.OP: "$secondary",
    Kind.VALUE: "$value",
    Kind.GRADIENT: "$gradient",
    Kind.FAINT: "$faint",
    Kind.MARK: "bold $gradient",
    Kind.FORWARD: "bold $value",
    Kind.BACKWARD: "bold $gradient",
    Kind.WARN: "bold reverse $warning",
    Kind.TEXT: "$foreground",
    Kind.KEY: "bold $key",
    Kind.FORWARD_TAG: "bold reverse $value",
    Kind.BACKWARD_TAG: "bold reverse $gradient",
    Kind.UNDERLINE: "bold underline $foreground",
    Kind.CODE: "$secondary",
}
_GROUNDS: Mapping[Look, str] = {
    Look.CURRENT: "on $current",
    Look.OPERAND: "on $operand",
    Look.REACHED: "on $reached",
    Look.SELECTED: "on $panel",
}
_QUIET = {Kind.FRAME: "$frame-quiet", Kind.NAME: "$faint", Kind.OP: "$faint"}
"""What is drawn more quietly in a box that has not run yet."""


class Inks:
    """The style of every ink in one theme; styles are made once."""

    def __init__(self, variables: Mapping[str, str], *, dark: bool) -> None:
        self._variables = variables
        self._heat = palette(dark=dark)
        self._ansi = Color.parse(variables["background"]).ansi is not None
        self._special = {
            NAN: (255, 0, 255) if dark else (200, 0, 200),
            PLUS_INF: (255, 220, 0) if dark else (150, 110, 0),
            MINUS_INF: (0, 230, 230) if dark else (0, 120, 130),
            CURSOR: (255, 255, 255) if dark else (0, 0, 0),
        }
        self._known: dict[Ink | Heat, Style] = {}
        self._colours: dict[int, RichColor] = {}

    def __call__(self, ink: Ink | Heat) -> Style:
        """The style of an ink; an ink without a ground leaves the ground as it is."""
        found = self._known.get(ink)
        if found is None:
            found = self._known[ink] = self._words(ink) if isinstance(ink, Ink) else self._cell(ink)
        return found

    def _words(self, ink: Ink) -> Style:
        text = _WORDS[ink.kind]
        if ink.look == Look.AHEAD:
            text = _QUIET.get(ink.kind, text)
        if ink.look == Look.CURRENT and ink.kind in (Kind.FRAME, Kind.NAME):
            text = "bold $primary" if ink.kind == Kind.FRAME else "bold $foreground"
        if "reverse" not in text and ink.look in _GROUNDS:
            text += " " + _GROUNDS[ink.look]
        return Style.parse(" ".join(map(self._resolve, text.split())))

    def _resolve(self, word: str) -> str:
        if not word.startswith("$"):
            return word
        return Color.parse(self._variables[word[1:]]).rich_color.name

    def _cell(self, heat: Heat) -> Style:
        if self._ansi:  # sixteen colours make no scale: the signs are written
            return Style(bold=heat.ink == CURSOR, reverse=heat.ink == CURSOR)
        ink, paper = self._level(heat.ink), self._level(heat.paper)
        if (
            heat.ink == OUTSIDE and heat.paper != OUTSIDE
        ):  # written numbers: black or white, which reads better
            red, green, blue = self._rgb(heat.paper)
            light = 0.3 * red + 0.59 * green + 0.11 * blue > 125
            ink = RichColor.from_rgb(*((16, 20, 26) if light else (245, 247, 250)))
        bold = heat.ink == CURSOR
        return Style(color=ink, bgcolor=paper, bold=bold, reverse=bold and heat.paper != OUTSIDE)

    def _rgb(self, level: int) -> tuple[int, int, int]:
        return self._special[level] if level < 0 else self._heat[level]

    def _level(self, level: int) -> RichColor | None:
        if level == OUTSIDE:
            return None
        found = self._colours.get(level)
        if found is None:
            found = self._colours[level] = RichColor.from_rgb(*self._rgb(level))
        return found


def first_theme(environment: Mapping[str, str]) -> str:
    """The theme to start with, where the user has chosen none.

    That of the terminal where it has no more than 16 colours or shall have none, light where it says that its ground is
    light, else dark.

    >>> first_theme({"TERM": "linux"}), first_theme({"TERM": "xterm-256color", "COLORFGBG": "0;15"})
    ('ansi', 'light')
    """
    if "NO_COLOR" in environment or colours_of(environment) < 256:
        return "ansi"
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if ground in ("7", "15") else "dark"


def themes_for(environment: Mapping[str, str]) -> tuple[Theme, ...]:
    """The themes in colours that the terminal has."""
    return THEMES_256 if colours_of(environment) == 256 else THEMES


def colours_of(environment: Mapping[str, str]) -> int:
    """How many colours the terminal has, as Rich tells it.

    >>> colours_of({"TERM": "xterm-256color"}), colours_of({"TERM": "xterm", "COLORTERM": "truecolor"})
    (256, 16777216)
    """
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 2**24
    terminal = environment.get("TERM", "").lower()
    return 256 if terminal.endswith(("-256color", "kitty")) or "WT_SESSION" in environment else 16
