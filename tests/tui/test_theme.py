"""Every ink can be read on every ground, in every theme."""

from __future__ import annotations

import pytest
from rich.color import ColorSystem
from textual.color import Color

from tracer.cells.meanings import Kind, Look
from tui.ink import Ink
from tui.theme import NAMES, THEMES, THEMES_256, Inks, first_theme

DRAWN = {Kind.WIRE, Kind.TIP, Kind.FRAME}
"""What is no text: frames and wires."""
TEXT_RATIO, DRAWN_RATIO = 4.5, 3.0
"""WCAG 2.2, level AA."""
OWN = [
    pytest.param(theme, colours, id=f"{theme.name}-{colours}")
    for themes, colours in ((THEMES, 2**24), (THEMES_256, 256))
    for theme in themes
    if not theme.ansi
]


def lightness(colour):
    def linear(level):
        return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(level / 255) for level in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((lightness(one), lightness(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def seen(colour, colours):
    """A colour as a terminal of so many shows it."""
    return (
        colour.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
        if colours == 256
        else colour.triplet
    )


def inks_of(theme):
    return Inks({**theme.to_color_system().generate(), **theme.variables}, dark=theme.dark)


@pytest.mark.parametrize(("theme", "colours"), OWN)
@pytest.mark.parametrize("look", Look)
def test_every_ink_stands_out_from_its_ground(theme, colours, look):
    inks = inks_of(theme)
    for ground in (theme.background, theme.panel):
        for kind in set(Kind) - {Kind.BLANK}:
            style = inks(Ink(kind, look))
            paper = style.bgcolor or Color.parse(ground).rich_color
            least = DRAWN_RATIO if kind in DRAWN else TEXT_RATIO
            ratio = contrast(seen(style.color, colours), seen(paper, colours))
            assert ratio >= least, (kind, ground, ratio)


@pytest.mark.parametrize(("theme", "colours"), OWN)
@pytest.mark.parametrize(
    ("name", "ground", "least"),
    [
        ("frame-quiet", "background", DRAWN_RATIO),
        ("border", "background", DRAWN_RATIO),
        ("faint", "panel", TEXT_RATIO),
        ("key", "panel", TEXT_RATIO),
        ("secondary", "panel", TEXT_RATIO),
        ("foreground", "block-cursor-background", TEXT_RATIO),
    ],
)
def test_what_the_stylesheet_colours_stands_out_too(theme, colours, name, ground, least):
    words = {**theme.to_color_system().generate(), **theme.variables}
    paper, ink = (Color.parse(words[each]).rich_color for each in (ground, name))
    assert contrast(seen(ink, colours), seen(paper, colours)) >= least


def test_a_terminal_of_256_colours_shows_our_grounds_nearly_as_they_are():
    for theme in THEMES_256:
        if not theme.ansi:
            for name in ("background", "panel", "current", "operand", "reached"):
                colours = {**theme.to_color_system().generate(), **theme.variables}
                ground = Color.parse(colours[name]).rich_color
                assert contrast(seen(ground, 256), ground.triplet) < 1.1, (theme.name, name)


def test_the_theme_of_the_terminal_names_no_colour_of_ours():
    inks = inks_of(next(theme for theme in THEMES if theme.ansi))
    for kind in Kind:
        for look in Look:
            style = inks(Ink(kind, look))
            for colour in (style.color, style.bgcolor):
                assert colour is None or colour.is_default or colour.number < 16, (kind, look)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"TERM": "xterm-256color"}, "dark"),
        ({"TERM": "tmux-256color", "COLORFGBG": "0;default;15"}, "light"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "dark"),
        ({"TERM": "xterm"}, "ansi"),
        ({"TERM": "vt100"}, "ansi"),
        ({}, "ansi"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "ansi"),
    ],
)
def test_the_first_theme_suits_the_terminal(environment, name):
    assert first_theme(environment) == name
    assert name in NAMES
