"""Worksheets of every network of the gallery, and their keys; LaTeX that LaTeX takes."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from tests.patience import PATIENCE
from tests.tracer.quizzing.networks import question, subject
from tracer.quizzing.judging import RIGHT, judge
from tracer.quizzing.keyboard import typed
from tracer.quizzing.making import draw
from tracer.quizzing.wording import numbers, plain
from tracer.quizzing.worksheets import Worksheet, key, worksheet

HEAVY = ("initialization", "batchnorm_train", "convnet")
"""Networks whose arrays are large."""
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name.startswith(HEAVY) else name
    for name in GALLERY
]


def sheet_of(name, count=8, seed=0):
    return Worksheet(name, GALLERY[name].caption, draw(subject(name).trace, count, seed=seed))


@pytest.mark.parametrize("name", NAMES)
def test_every_network_gives_a_worksheet_whose_key_is_right(name):
    sheet = sheet_of(name, count=5)
    for tex in (False, True):
        questions, answers = worksheet(sheet, tex=tex), key(sheet, tex=tex)
        assert questions.count("\\item" if tex else "?\n") == len(sheet.questions)
        assert (questions + answers).isascii() or not tex
    for each in sheet.questions:
        if each.kind != "formula":
            assert judge(each, numbers(each.right()).text).verdict == RIGHT, plain(each.statement)


def test_the_same_seed_prints_the_same_worksheet():
    assert worksheet(sheet_of("rnn")) == worksheet(sheet_of("rnn"))
    assert worksheet(sheet_of("rnn")) != worksheet(sheet_of("rnn", seed=1))


def test_a_worksheet_has_the_network_its_inputs_and_room_but_no_answer():
    text = worksheet(sheet_of("circuit"))
    assert "q = x + y" in text
    assert "z = −4" in text
    assert "\\_\\_\\_" in text
    assert "f = −12" not in text


def test_a_key_has_every_step():
    text = key(sheet_of("circuit", count=20))
    assert "f = q · z\n   f = 3 · (−4)\n   f = −12" in text


@pytest.mark.parametrize(
    ("name", "node", "text"),
    [
        ("xor", "W2", "h.T @ dL/dz2"),
        ("xor", "b1", "np.sum(dL/dz1, axis=0)"),
        ("xor:one_zero", "W1", "outer(dL/dz1, x)"),
        ("batchnorm", "xhat", "dL/dy * gamma"),
    ],
)
def test_a_key_says_how_a_formula_is_typed_and_that_is_right(name, node, text):
    one = question(name, "formula", node)
    assert typed(one) == text
    assert judge(one, text).verdict == RIGHT


def test_what_another_question_asks_for_is_not_given():
    questions = tuple(
        question("xor:one_zero", kind, node, sender=sender)
        for kind, node, sender in (
            ("value", "z2", ""), ("value", "y", ""), ("flow", "y", "e"), ("flow", "z2", "y")
        )
    )  # fmt: skip
    text = worksheet(Worksheet("xor", "", questions))
    assert "z2 = from your answer to 1" in text
    assert "y = from your answer to 2" in text
    assert "∂L/∂y = from your answer to 3" in text
    assert "1.0593" not in text
    assert "0.74255" not in text
    assert "1.0593" in key(Worksheet("xor", "", questions))


def test_one_element_that_another_question_asks_for_is_left_blank():
    questions = (
        question("xor:one_zero", "value", "h", at=(1,)),
        question("xor:one_zero", "value", "z2"),
    )
    text = worksheet(Worksheet("xor", "", questions))
    assert "h = [0.73106, ?], with your answer to 1" in text
    assert "?" in worksheet(Worksheet("xor", "", questions), tex=True)


def test_a_sheet_in_latex_does_not_show_itself_as_its_figure():
    """`circuit.tex` makes `circuit.pdf`: read again, that would be its own output."""
    text = worksheet(sheet_of("circuit"), tex=True)
    assert r"\includegraphics[width=0.9\linewidth]{circuit-figure.pdf}" in text
    assert "circuit.pdf" not in text


def test_a_factor_of_one_is_not_written():
    sheet = Worksheet("xor", "", (question("xor:one_zero", "formula", "W2"),))
    assert "∂L/∂W2 = h · ∂L/∂z2\n" in key(sheet)
    assert "· 1" not in "".join(key(sheet_of(name, 12)) for name in ("koehn", "rnn:third"))


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs LaTeX")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["circuit", "xor", "batchnorm", "rnn", "layernorm"])
def test_latex_takes_worksheet_and_key(name, tmp_path):
    sheet = sheet_of(name, count=10)
    for stem, write in (("sheet", worksheet), ("key", key)):
        file = tmp_path / f"{stem}.tex"
        file.write_text(write(sheet, tex=True))
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", file.name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-2000:]


def test_hostile_names_command_neither_markdown_nor_latex():
    x = tr.tensor(np.float64(2.0), name="x_`$\\input{a}*")
    y = x * 3.0
    sheet = Worksheet("a$b_`c\n# d", "100% \\input{/etc/passwd}", draw(tr.trace(y * y), 5))
    tex = worksheet(sheet, tex=True)
    assert "\\input" not in tex
    assert "\\textbackslash" in tex
    assert "\n# d" not in worksheet(sheet)
