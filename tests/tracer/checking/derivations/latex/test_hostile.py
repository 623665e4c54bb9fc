"""Text from strangers: nothing but a `DerivationError` comes of it, soon, whatever it holds."""

from __future__ import annotations

import random
import re

import pytest

from tests.patience import ends
from tests.tracer.checking.derivations.latex import lectures
from tracer.checking.derivations.latex import read_latex
from tracer.checking.derivations.names import Names
from tracer.errors import DerivationError

NAMES = Names(lectures.batch_norm())
LEFT = r"\frac{\partial L}{\partial x} = "


def complaint(text: str) -> str:
    """What is said against a text; empty if it can be read."""
    try:
        read_latex(text, NAMES)
    except DerivationError as error:
        return str(error)
    return ""


HOSTILE = [
    pytest.param(LEFT + "(" * 5_000 + "x" + ")" * 5_000, id="brackets"),
    pytest.param(LEFT + "{" * 5_000 + "x" + "}" * 5_000, id="braces"),
    pytest.param(LEFT + r"\frac{" * 5_000 + "x", id="fractions"),
    pytest.param(LEFT + r"\sqrt{" * 39 + "x" + "}" * 39, id="roots"),
    pytest.param(LEFT + r"\sigma'(" * 30 + "x" + ")" * 30, id="derivatives of derivatives"),
    pytest.param(LEFT + "x" + "^x" * 5_000, id="powers"),
    pytest.param(LEFT + "x" + "_i" * 5_000, id="indices"),
    pytest.param(LEFT + "x" + "'" * 5_000, id="primes"),
    pytest.param(LEFT + "+".join(["x"] * 10_000), id="terms"),
    pytest.param(LEFT + "- " * 10_000 + "x", id="signs"),
    pytest.param(LEFT + r"\sum_i " * 35 + "x_i", id="sums"),
    pytest.param(LEFT + "(" + r"\sum_i (x_i " * 18 + ")" * 19, id="sums of products"),
    pytest.param(LEFT + "9" * 5_000, id="digits"),
    pytest.param(LEFT + "x^{" + "9" * 25 + "}", id="exponent"),
    pytest.param(LEFT + "x_{t-" + "9" * 5_000 + "}", id="shift"),
    pytest.param("\n".join(f"a_{{{k}}} = b_{{{k + 1}}}" for k in range(3_000)), id="equations"),
    pytest.param("".join(rf"$$ \alpha\beta^{{{k}}} = x $$" for k in range(400)), id="displays"),
    pytest.param(r"\[ a = b " * 3_000, id="open displays"),
    pytest.param("$" * 5_001, id="dollars"),
    pytest.param(r"\begin{align}" * 3_000, id="environments"),
    pytest.param(LEFT + r"\begin{cases}" * 1_000, id="cases"),
    pytest.param(LEFT + r"\text{" * 3_000, id="text"),
    pytest.param(r"\newcommand{\a}{\a\a}" + LEFT + r"\a", id="a command that stands for itself"),
    pytest.param(
        "".join(rf"\newcommand{{\{chr(97 + k)}}}{{\{chr(98 + k)}\{chr(98 + k)}}}" for k in range(25)) + LEFT + r"\a",
        id="commands that double",
    ),
    pytest.param(r"\newcommand" * 2_000, id="nothing but definitions"),
    pytest.param(r"\def\a#1{" + LEFT + r"\a", id="an open definition"),
    pytest.param("\0\ud800\ufffe" + LEFT + "x", id="odd signs"),
    pytest.param("\\" * 9_999, id="backslashes"),
    pytest.param("%" * 9_999 + "\n" + LEFT + "x", id="comments"),
    pytest.param("x" * 200_000, id="long"),
    pytest.param("ᵢ²" * 5_000 + "=", id="small signs"),
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_refused_or_read(text):
    with ends():
        said = complaint(text)
    assert not said or "\n  try: " in said


def test_the_paper_with_slips_of_the_pen_never_ends_in_a_traceback():
    """A few hundred texts with pieces exchanged, left out and put in twice."""
    rng = random.Random(0)
    pieces = re.findall(r"\\[A-Za-z]+|.", lectures.SIX_LINES + lectures.PASTED, re.DOTALL)
    read = 0
    for _ in range(150):
        text = list(rng.choice((lectures.SIX_LINES, lectures.PASTED, lectures.THROUGH_TIME)))
        for _ in range(rng.choice((1, 1, 2, 5))):
            k = rng.randrange(len(text))
            text[k : k + rng.choice((0, 1))] = rng.choice(
                ([], [rng.choice(pieces)], text[k : k + 20])
            )
        said = complaint("".join(text))
        read += not said
        assert not said or re.match(r"line \d+: .*\n  .*\n  try: ", said)
    assert read > 2
