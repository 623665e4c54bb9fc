"""The two themes: dark and light. Values are green and gradients red as on a circuit diagram.

Every state also has a glyph or a frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from tui.heatmap import CURSOR, MINUS_INF, NAN, OUTSIDE, PLUS_INF, palette
from tui.ink import Heat, Ink, Kind, Look

DARK = Theme(
    name="gradstep-dark",
    primary="#4aa3ff",
    secondary="#8fa3bd",
    accent="#ffb454",
    foreground="#d7dee8",
    background="#10141a",
    surface="#10141a",
    panel="#1b2430",
    success="#4fd36a",
    error="#ff6b6b",
    warning="#e8c15a",
    dark=True,
    variables={
        "value": "#5fdc7c",
        "gradient": "#ff7b7b",
        "faint": "#77879b",
        "wire": "#64748b",
        "frame": "#8696ab",
        "frame-quiet": "#33404f",
        "current": "#1d3a5f",
        "operand": "#3d3413",
        "reached": "#1a2420",
        "key": "#ffb454",
        "border": "#4aa3ff",
        "footer-background": "#1b2430",
        "input-selection-background": "#4aa3ff 35%",
    },
)

LIGHT = Theme(
    name="gradstep-light",
    primary="#0b62c4",
    secondary="#4a5b70",
    accent="#9a5b00",
    foreground="#1c2430",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#e8ecf1",
    success="#0b7a3b",
    error="#c2261d",
    warning="#8a6200",
    dark=False,
    variables={
        "value": "#0b7a3b",
        "gradient": "#c2261d",
        "faint": "#66758a",
        "wire": "#7c8a9c",
        "frame": "#4a5b70",
        "frame-quiet": "#c3cbd6",
        "current": "#cfe3fb",
        "operand": "#fdf0c8",
        "reached": "#eef5ee",
        "key": "#9a5b00",
        "border": "#0b62c4",
        "footer-background": "#e8ecf1",
        "input-selection-background": "#0b62c4 25%",
    },
)

THEMES = (DARK, LIGHT)


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
    Kind.WARN: "bold $background on $warning",
    Kind.TEXT: "$foreground",
    Kind.KEY: "bold $key",
    Kind.FORWARD_TAG: "bold $background on $value",
    Kind.BACKWARD_TAG: "bold $background on $gradient",
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
        self._special = {
            NAN: (255, 0, 255) if dark else (200, 0, 200),
            PLUS_INF: (255, 220, 0) if dark else (150, 110, 0),
            MINUS_INF: (0, 230, 230) if dark else (0, 120, 130),
            CURSOR: (255, 255, 255) if dark else (0, 0, 0),
        }
        self._known: dict[Ink | Heat, Style] = {}

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
        if " on " not in text and ink.look in _GROUNDS:
            text += " " + _GROUNDS[ink.look]
        return Style.parse(" ".join(map(self._resolve, text.split())))

    def _resolve(self, word: str) -> str:
        if not word.startswith("$"):
            return word
        return Color.parse(self._variables[word[1:]]).rich_color.name

    def _cell(self, heat: Heat) -> Style:
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
        return None if level == OUTSIDE else RichColor.from_rgb(*self._rgb(level))


def first_theme(environment: Mapping[str, str]) -> str:
    """The theme to start with.

    GRADSTEP_THEME if set, light where the terminal says that its ground is light, else dark.

    >>> first_theme({"GRADSTEP_THEME": "light"}), first_theme({"COLORFGBG": "15;0"}), first_theme({"COLORFGBG": "0;15"})
    ('gradstep-light', 'gradstep-dark', 'gradstep-light')
    """
    wanted = f"gradstep-{environment.get('GRADSTEP_THEME', '')}"
    if wanted in (theme.name for theme in THEMES):
        return wanted
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT.name if ground in ("7", "15") else DARK.name
