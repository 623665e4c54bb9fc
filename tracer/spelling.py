"""Names of nodes that Python would not read as names: `h#3`, `mul@7`, `@17`, `layers.0.weight`."""

from __future__ import annotations

import re

_NAMES = re.compile(
    r"""("[^"]*"|'[^']*')|(?<![\w.)\]@])@\d+|[^\W\d]\w*(?:[#@.]\d+|\.[^\W\d]\w*)*"""
)
_LETTERS = {"#": "ǂ", "@": "ǁ", ".": "ǃ"}
"""Letters of rare alphabets that stand in names while Python reads the text; each as long as the sign itself."""


def spelled(text: str) -> str:
    """The text with names such as `h#3`, `mul@7`, `@17` and `layers.0.weight` as Python reads names.

    >>> spelled("h#3 + 2 * mul@7 - x @ layers.0.weight")
    'hǂ3 + 2 * mulǁ7 - x @ layersǃ0.weight'
    """

    def letters(found: re.Match[str]) -> str:
        if found[1]:
            return found[0]
        name = re.sub(r"\.(?=\d)", _LETTERS["."], found[0])
        return name.replace("#", _LETTERS["#"]).replace("@", _LETTERS["@"])

    return _NAMES.sub(letters, text)


def unspelled(name: str) -> str:
    """A name as the user wrote it."""
    for sign, letter in _LETTERS.items():
        name = name.replace(letter, sign)
    return name
