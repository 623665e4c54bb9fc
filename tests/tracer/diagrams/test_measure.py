"""The widths that figures reckon with are those with which Graphviz and browsers draw."""

from __future__ import annotations

import html
import json

import pytest

from tests.tracer.diagrams.browser import Browser
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tracer.diagrams.advances import ADVANCES
from tracer.diagrams.layout.rendering import rendered
from tracer.diagrams.measure import letters_reach, letters_width, room_for, text_width
from tracer.diagrams.picture import Run
from tracer.diagrams.writers.svg import FACES
from tracer.timeline import GLYPHS

TEXTS = (
    "0.73", "−0.20", "−12", "1.2e−5", "nan", "W1 @ x + b1", "iiiiiii", "0.76 −0.52 …", "rms 0.0123",
    "∂ 0.76 −0.52", "exactly zero", " ◐ 1/2", "● 3/3", "BatchNorm", "f64[8×3]", "σ", "Σ", "×−1", "γ β μ",
    "mean(xc², axis=0)", "√(var + 1e-5)", "rnn[t=3]", "tanh",
)  # fmt: skip
SIZES = (7.2, 8.5, 10, 11, 12, 13, 14, 20)
LETTERS = [
    (letter, bold, (regular, heavy)[bold])
    for regular, heavy, letters in ADVANCES
    for letter in letters
    for bold in (False, True)
    if letter.strip()
]


def test_no_letter_is_listed_twice():
    letters = "".join(letters for _, _, letters in ADVANCES)
    assert len(set(letters)) == len(letters)


def test_every_sign_of_a_figure_is_in_the_table():
    letters = "".join(letters for _, _, letters in ADVANCES)
    assert set("".join(GLYPHS.values()) + "−×·∂Σ√…σγ→0123456789.,()[]=+e²ᵀ₀⟨⟩") <= set(letters)


def test_what_is_not_in_the_table_is_wide_enough():
    assert letters_width("網", 10) >= 10
    assert letters_width("😀", 10) >= 12
    assert letters_width("é\u0301", 10) == letters_width("é", 10)


def test_a_room_holds_its_text_and_no_less_than_it_is_told():
    for text in TEXTS:
        for bold in (False, True):
            line = (Run(text, size=13, bold=bold),)
            assert text_width(line) <= room_for(line) == int(room_for(line))
    assert room_for((), least=46) == 46
    assert letters_reach("x", 10) < letters_reach("X", 10)


def widths_in_graphviz(runs: list[Run]) -> list[float]:
    lines = []
    for k, run in enumerate(runs):
        words = html.escape(run.text)
        words = f"<B>{words}</B>" if run.bold else words
        lines.append(f'n{k} [label=<<FONT POINT-SIZE="{run.size}">{words}</FONT>>]')
    dot = f'graph {{ node [shape=plain fontname="Arial"] {" ".join(lines)} }}'
    graph = json.loads(rendered(dot, "dot", "json"))
    found = {each["name"]: each["_ldraw_"][-1]["width"] for each in graph["objects"]}
    return [found[f"n{k}"] for k in range(len(runs))]


@needs_graphviz
def test_the_room_for_a_number_is_at_least_what_graphviz_takes():
    runs = [
        Run(text, size=size, bold=bold)
        for text in TEXTS
        for size in SIZES
        for bold in (False, True)
    ]
    found = widths_in_graphviz([*runs, Run("WWWWWiiiii", size=20)])
    if abs(found.pop() / letters_width("WWWWWiiiii", 20) - 1) > 0.08:
        pytest.skip("no font with the widths of Arial here")
    tight = [
        (run.text, run.size, run.bold, width, room_for((run,)))
        for run, width in zip(runs, found, strict=True)
        if width > room_for((run,)) + max(2, 0.08 * width)  # newer versions snap to wider pixels
    ]
    assert not tight


def test_letters_are_as_wide_as_a_browser_draws_them(browser: Browser):
    """Every letter of the table by itself: exact where Arial has it, no wider where a fallback font steps in."""
    draw = """((letters, faces) => {
      const pen = document.createElement("canvas").getContext("2d");
      return letters.map(([letter, bold]) => {
        pen.font = `${bold ? "bold " : ""}1000px ${faces}`;
        return pen.measureText(letter).width;
      });
    })"""
    given = [[letter, bold] for letter, bold, _ in [*LETTERS, ("W", False, 944)]]
    with browser.tab() as tab:
        found = tab.evaluate(f"{draw}({json.dumps(given)}, {json.dumps(FACES)})")
    if abs(found.pop() - 944) > 3:
        pytest.skip("no font with the widths of Arial here")
    latin = [
        (letter, bold, ours, drawn)
        for (letter, bold, ours), drawn in zip(LETTERS, found, strict=True)
        if ord(letter) < 0x180 and abs(ours - drawn) > 3 and letter != "·"
    ]
    assert not latin
    near = [abs(ours - drawn) <= 4 for (_, _, ours), drawn in zip(LETTERS, found, strict=True)]
    assert sum(near) > 0.85 * len(near)
