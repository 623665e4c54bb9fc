"""Text for cells: nothing that a terminal would obey, and one cell a character, as Textual measures it."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len

from tracer.cells.ascii import in_ascii
from tracer.cells.canvas import DOTTED, HEAVY, JOINTS, LIGHT
from tracer.cells.meanings import Look
from tracer.cells.stamps import FRAMES
from tracer.cells.widths import cut, one_cell_each, visible
from tracer.timeline import GLYPHS


def sample():
    """Every character that was known long ago, and the emoji: the tables of younger ones differ."""
    for code in (*range(0x20000), *range(0xE0000, 0xE0200)):
        character = chr(code)
        if unicodedata.ucd_3_2_0.category(character) != "Cn" or 0x1F000 <= code < 0x1FB00:
            yield character


def test_textual_gives_one_cell_to_every_character_that_is_left():
    wrong = [
        f"{ord(character):x}"
        for character in sample()
        if any(cell_len(each) != 1 for each in one_cell_each(character))
    ]
    assert wrong == []


def test_what_textual_gives_one_cell_is_left_as_it_is():
    for text in ("x̄ = Σ xᵢ / n", "naïve ŷ → α", "אבג", "x₁² ≤ ½"):
        composed = unicodedata.normalize("NFC", text)
        assert one_cell_each(text) == "".join(c for c in composed if cell_len(c) == 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("h\x1b[2J", "h␛[2J"),
        ("a\nb\tc\0", "a␊b␉c␀"),
        ("\u202egnp.exe", "�gnp.exe"),
        ("half \ud800", "half �"),
        ("a\u2066b\u2069", "a�b�"),
        ("網路", "··"),
        ("😀👩\u200d👧", "··�·"),
        ("☺\ufe0f", "☺"),
        ("e\u0301 x\u0302", "é x"),
        ("\u1100\u1161", "·"),
    ],
)
def test_names_from_anywhere_obey(text, shown):
    assert one_cell_each(text) == shown


def test_control_and_direction_characters_are_made_visible():
    for character in sample():
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            (shown,) = visible(character)
            assert shown.isprintable()


def test_what_is_cut_says_so_and_keeps_its_width():
    assert [cut("weight", width) for width in (7, 6, 5, 1, 0)] == [
        "weight", "weight", "weig…", "…", "",
    ]  # fmt: skip


# ----- ASCII


SIGNS = {*JOINTS, *LIGHT, *HEAVY, *map(chr, DOTTED.values()), *"".join(FRAMES.values())}
SIGNS |= {*GLYPHS.values(), *"▶▷▼▽◀▲∂−×…→╶╴–μσ"}


def test_every_sign_of_a_drawing_has_one_in_ascii():
    for sign in SIGNS - {"?"}:
        plain = in_ascii(sign)
        assert plain.isascii()
        assert len(plain) == 1
        assert plain != "?", sign


def test_states_and_frames_stay_apart_in_ascii():
    assert len({in_ascii(glyph) for glyph in GLYPHS.values()}) == len(GLYPHS)
    frames = [Look.PLAIN, Look.AHEAD, Look.CURRENT, Look.OPERAND]
    assert len({in_ascii(FRAMES[look][:6]) for look in frames}) == len(frames)
    assert len({in_ascii(tip) for tip in "▶▷▼▽◀▲"}) == 6
    assert in_ascii("∅") not in "0123456789"  # a gradient that is not there is never drawn as 0
