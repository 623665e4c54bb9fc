"""A drawing in the characters of ASCII, for terminals and e-mails that know no others."""

from __future__ import annotations

import unicodedata

_SIGNS = {
    "+": "╭╮╰╯├┤┬┴┼",
    "-": "─−–╶╴",
    "|": "│",
    "=": "━",
    "!": "┃",
    "*": "┏┓┗┛┣┫┳┻╋●",
    "#": "╔═╗║╚╝╠╦",
    ":": "┆",
    ">": "▶→",
    ")": "▷",
    "<": "◀",
    "v": "▼",
    "u": "▽",
    "^": "▲",
    "d": "∂",
    "x": "×",
    "~": "…",
    ".": "┄·",
    "o": "○",
    "c": "◐",
    "/": "⊘",
    "n": "∅",
}
_TABLE = {ord(sign): plain for plain, signs in _SIGNS.items() for sign in signs}


def in_ascii(text: str) -> str:
    """The text with one ASCII character for every other one: a sign that resembles it, the letter below an accent.

    A Greek letter becomes the first letter of its name; what resembles nothing becomes a question mark.

    >>> in_ascii("│ ∂     −4 ├─▶ σ é 網")
    '| d     -4 +-> s e ?'
    """
    if text.isascii():
        return text
    return "".join(c if c.isascii() else _in_ascii(c) for c in text.translate(_TABLE))


def _in_ascii(c: str) -> str:
    base = unicodedata.normalize("NFKD", c)[0]
    if base.isascii() and base.isprintable():
        return base
    words = unicodedata.name(c, "").split(" LETTER ")
    if len(words) < 2 or not words[0].startswith("GREEK"):
        return "?"
    return words[1][0].lower() if "SMALL" in words[0] else words[1][0]
