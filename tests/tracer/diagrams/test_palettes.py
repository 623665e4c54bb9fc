"""Colours that can be read: contrast on every ground, without colour, and with only two kinds of cones."""

from __future__ import annotations

import itertools
from dataclasses import fields

import numpy as np
import pytest

from tests.tracer.diagrams.networks import FIGURES
from tracer.diagrams import STYLES, diagram
from tracer.diagrams.palettes import THEMES, Palette
from tracer.diagrams.picture import Card, Run, Shape, Wire
from tracer.errors import DiagramError

TEXTS = ("ink", "quiet", "value", "gradient", "parameter", "route0", "route1", "route2", "route3")
LINES = ("wire", "ahead", "gate_edge", "cluster_edge", "quiet", "gradient", *TEXTS[-4:])
GROUNDS = ("paper", "gate", "cluster", "current")
BELOW_LINES = ("paper", "cluster")

SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""What remains of linear RGB: Machado, Oliveira & Fernandes, A physiologically-based model for simulation of color
vision deficiency (IEEE TVCG 15(6), 2009), severity 1.0."""
APART = 25.0
"""The least distance of two colours in CIE 1976 L*a*b*; 2.3 can just be noticed side by side."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
D65 = TO_XYZ.sum(axis=1)


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2: the ratio of relative luminances, each plus 0.05."""
    low, high = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    t = TO_XYZ @ np.clip(rgb, 0, 1) / D65
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, sight: str) -> float:
    left, right = (lab(np.asarray(SIGHTS[sight]) @ linear(colour)) for colour in (one, other))
    return float(np.linalg.norm(left - right))


def test_the_measures_agree_with_published_ones():
    """WCAG's own example: #777777 on white is 4.48 to 1; pure green in L*a*b* is 87.7, −86.2, 83.2 (Lindbloom)."""
    assert round(contrast("#777777", "#FFFFFF"), 2) == 4.48
    assert np.allclose(lab(linear("#00FF00")), [87.73, -86.18, 83.18], atol=0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_lines_stand_out_from_what_they_lie_on(theme):
    palette = THEMES[theme]
    wanted = [(role, ground, 4.5) for role in TEXTS for ground in GROUNDS]
    wanted += [(role, ground, 3.0) for role in LINES for ground in BELOW_LINES]
    poor = [
        (role, ground, round(contrast(palette.of(role), palette.of(ground)), 2))
        for role, ground, least in wanted
        if contrast(palette.of(role), palette.of(ground)) < least
    ]
    assert not poor


def test_every_role_is_held_to_a_contrast():
    assert {field.name for field in fields(Palette)} == {*TEXTS, *LINES, *GROUNDS}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize(
    "roles", [("value", "gradient", "parameter", "ink"), TEXTS[-4:]], ids=["numbers", "routes"]
)
def test_the_safe_palette_is_told_apart_with_two_kinds_of_cones(roles, sight):
    palette = THEMES["safe"]
    least = APART if "ink" not in roles else 20.0
    near = {
        pair: distance(palette.of(pair[0]), palette.of(pair[1]), sight)
        for pair in itertools.combinations(roles, 2)
    }
    assert min(near.values()) >= least, near


def test_the_print_palette_has_no_colour():
    for field in fields(Palette):
        red, green, blue = linear(THEMES["print"].of(field.name))
        assert red == green == blue, field.name


def test_an_unknown_theme_is_refused_with_the_choices():
    with pytest.raises(DiagramError, match=r"print.*safe.*auto"):
        diagram(FIGURES["circuit"](), theme="sepia")


# ----- without colour


def dresses(runs: tuple[Run, ...], role: str) -> set[tuple[bool, bool, str]]:
    """Weight, slant and leading mark of the numbers that are written in a role."""
    words = "".join(run.text for run in runs if run.role == role).lstrip()
    mark = "∂" if words.startswith("∂") else ""
    return {
        (run.bold, run.italic, mark)
        for run in runs
        if run.role == role and any(letter.isdigit() for letter in run.text)
    }


def number_texts(shape: Shape) -> list[tuple[Run, ...]]:
    if isinstance(shape, Wire):
        return [shape.value, shape.gradient]
    return list(shape.rows) if isinstance(shape, Card) else []


@pytest.mark.parametrize("style", STYLES)
def test_value_and_gradient_of_a_shape_differ_in_weight_slant_or_mark(style):
    seen = 0
    for name in ("four_steps", "sentence", "batch_norm", "circuit"):
        try:
            picture = diagram(FIGURES[name](), style=style).picture
        except DiagramError:
            continue
        for shape in picture.every_shape():
            texts = number_texts(shape)
            value, gradient = (
                set().union(*(dresses(text, role) for text in texts))
                for role in ("value", "gradient")
            )
            assert not value & gradient, (style, name, shape)
            seen += bool(value and gradient)
    if style in ("circuit", "cards", "unrolled", "rolled"):
        assert seen


def test_routes_are_told_apart_by_their_dashes():
    found = {}
    for edge in diagram(FIGURES["highway"](), style="paths").layout.drawn.items:
        for stroke in edge.strokes:
            if edge.kind == "edge" and stroke.line.startswith("route") and hasattr(stroke, "dash"):
                found.setdefault(stroke.line, set()).add((stroke.dash, round(stroke.width, 1)))
    assert len(found) > 1
    for one, other in itertools.combinations(found, 2):
        assert found[one] != found[other]
