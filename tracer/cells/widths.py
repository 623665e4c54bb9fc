"""Text for cells: what a terminal would obey is made visible, and every character takes one cell.

Terminals differ over the width of wide letters, emoji and accents; a drawing that uses none of them is straight on all.
"""

from __future__ import annotations

import unicodedata

_MARKS = ("Mn", "Mc", "Me")
_NO_CELL = ((0x1160, 0x11FF), (0xD7B0, 0xD7FB), (0xFFA0, 0xFFA0))
"""Korean vowels and final consonants: they join the letter before them."""
_WIDE_LATELY = ((0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D376))
"""Wide since Unicode 16, whatever table this Python has."""


def visible(text: str) -> str:
    r"""The text with a sign in place of each control or direction character: names come from anywhere.

    >>> visible("tab\there\u202e")
    'tab␉here�'
    """
    signs = []
    for c in text:
        if ord(c) < 32:
            signs.append(chr(0x2400 + ord(c)))
        else:
            signs.append(c if c.isprintable() or unicodedata.category(c) == "Zs" else "�")
    return "".join(signs)


def one_cell_each(text: str) -> str:
    r"""The text with every character one cell wide: accents are composed or left out, wide characters become a dot.

    >>> one_cell_each("e\u0302 x\u0302 \u7db2 σ")
    'ê x · σ'
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", visible(text))
    return "".join(
        c if _takes_one_cell(c) else "·" for c in composed if unicodedata.category(c) not in _MARKS
    )


def _takes_one_cell(c: str) -> bool:
    if unicodedata.east_asian_width(c) in "WF":
        return False
    return not any(low <= ord(c) <= high for low, high in (*_NO_CELL, *_WIDE_LATELY))


def cut(text: str, width: int) -> str:
    """Text of one cell a character, cut to a width with a sign that it was cut.

    >>> cut("embedding_weight", 8)
    'embeddi…'
    """
    if len(text) <= width:
        return text
    return text[: width - 1] + "…" if width > 0 else ""


def width(text: str) -> int:
    """How many cells of a terminal a text takes: accents take none, wide letters two."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def fit(text: str, limit: int) -> str:
    """The text, cut to a number of cells.

    >>> fit("batch_norm(x, gamma, beta)", 12)
    'batch_norm(…'
    """
    text = " ".join(text.split()) if "\n" in text else text
    if width(text) <= limit:
        return text
    while width(text) > limit - 1:
        text = text[:-1]
    return text + "…"
