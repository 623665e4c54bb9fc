"""The names of keys: as people write them, as Textual calls them, as the help shows them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from tracer.errors import GradstepError

MODIFIERS = ("ctrl", "alt", "shift")
SIGNS: Mapping[str, str] = {
    " ": "space", "!": "exclamation_mark", '"': "quotation_mark", "#": "number_sign", "$": "dollar_sign",
    "%": "percent_sign", "&": "ampersand", "'": "apostrophe", "(": "left_parenthesis", ")": "right_parenthesis",
    "*": "asterisk", "+": "plus", ",": "comma", "-": "minus", ".": "full_stop", "/": "slash", ":": "colon",
    ";": "semicolon", "<": "less_than_sign", "=": "equals_sign", ">": "greater_than_sign", "?": "question_mark",
    "@": "at", "[": "left_square_bracket", "\\": "backslash", "]": "right_square_bracket", "^": "circumflex_accent",
    "_": "underscore", "`": "grave_accent", "{": "left_curly_bracket", "|": "vertical_line",
    "}": "right_curly_bracket", "~": "tilde",
}  # fmt: skip
"""What Textual calls the keys of signs."""
NAMED = frozenset(
    {
        *"space enter escape tab backspace delete insert home end pageup pagedown up down left right".split(),
        *(f"f{number}" for number in range(1, 25)),
        *SIGNS.values(),
    }
)
_SHOWN: Mapping[str, str] = {
    **{name: sign for sign, name in SIGNS.items() if sign != " "},
    **dict(zip("left right up down enter escape".split(), "← → ↑ ↓ ⏎ esc".split(), strict=True)),
    "pageup": "pgup",
    "pagedown": "pgdn",
}


class KeyNameError(GradstepError):
    """What is no key."""


def shown(key: str) -> str:
    """How a key of Textual's name is printed.

    >>> shown("question_mark"), shown("ctrl+left"), shown("G")
    ('?', 'ctrl+←', 'G')
    """
    held, plus, name = key.rpartition("+")
    return held + plus + _SHOWN.get(name, name)


def key_named(written: str) -> str:
    """Textual's name of a key as people write it. Raises `KeyNameError` for what is no key.

    >>> key_named("?"), key_named("Ctrl+B"), key_named("F5"), key_named("G")
    ('question_mark', 'ctrl+b', 'f5', 'G')
    """
    held, _, name = written.rpartition("+") if written != "+" else ("", "", "+")
    if not name and held.endswith("+"):  # ctrl++
        held, name = held.removesuffix("+"), "+"
    parts = [part.strip().lower() for part in held.split("+")] if held else []
    name = SIGNS.get(name, name if len(name) == 1 and not parts else name.lower())
    if not all(part in MODIFIERS for part in parts) or not (
        name in NAMED or (len(name) == 1 and name.isprintable())
    ):
        close = difflib.get_close_matches(name, sorted(NAMED), n=1)
        hint = f"did you mean {close[0]}?" if close else "try ctrl+b, f5 or ?"
        raise KeyNameError(f"there is no key {written}: {hint}")
    return "+".join([*sorted(parts), name])
