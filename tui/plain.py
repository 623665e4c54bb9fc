"""Output that cannot write every sign: a stand-in for each, so that no sign of a number is ever lost.

Nothing here needs numpy or Textual.
"""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Mapping

ERRORS = "gradstep"
"""The name of the error handler, for `reconfigure(errors=...)`."""

STAND_INS: Mapping[str, str] = {
    **dict(zip("−–—·•×÷∂∇√∞…≈", ("-", "-", "-", "*", "*", "x", "/", "d", "D", "sqrt", "inf", "...", "~"), strict=True)),
    **dict(zip("→←↔⇄↦≤≥≠", ("->", "<-", "<->", "<->", "|->", "<=", ">=", "!="), strict=True)),
    "±": "+/-",
    "\u0302": "hat",
    **dict(zip("∑∏∈⊙⊤✓✗⚠", ("sum", "prod", "in", "*", "T", "ok", "wrong", "!"), strict=True)),
    **dict(zip("○◐●⊘∅", "opfbd", strict=True)),
    **dict.fromkeys("─━═┄┅┈╌", "-"),
    **dict.fromkeys("│┃║┆┊╎", "|"),
    **dict(zip("‘’“”▲▼▶◀▸◇↑↓›⟨⟩ǀ⋅", "''\"\"^v><>c^v><>|*", strict=True)),
    **dict(zip("′″‖∧∨⊻¬∛⊗∫", ("'", '"', "||", "and", "or", "xor", "not ", "cbrt", "x", "integral "), strict=True)),
    **dict(zip("⌊⌋⌈⌉", ("floor(", ")", "ceil(", ")"), strict=True)),
}  # fmt: skip
"""What is written instead of a sign; the states of a gradient are letters: o not reached, p partial, f final, ..."""


def stand_in(sign: str) -> str:
    """ASCII for one sign: of the table, a Greek letter by its name, another letter without its accent.

    >>> stand_in("−"), stand_in("σ"), stand_in("é"), stand_in("ₜ")
    ('-', 'sigma', 'e', 't')
    """
    if sign in STAND_INS or sign.isascii():
        return STAND_INS.get(sign, sign)
    words = unicodedata.name(sign, "").split()
    if words[:2] == ["BOX", "DRAWINGS"]:
        return "+"
    if words[:1] == ["GREEK"] and words[2:3] == ["LETTER"]:
        return words[3].lower() if words[1] == "SMALL" else words[3].capitalize()
    parts = unicodedata.normalize("NFKD", sign)
    if parts == sign:
        return "?"
    return "".join(stand_in(part) for part in parts if not unicodedata.combining(part)) or "?"


def stand_ins(text: str) -> str:
    """ASCII for a text; raised signs follow one caret.

    >>> stand_ins("e⁻ˣ·x²")
    'e^-x*x^2'
    """
    found, above = "", False
    for sign in text:
        raised = unicodedata.decomposition(sign).startswith("<super>")
        found += ("^" if raised and not above else "") + stand_in(sign)
        above = raised
    return found


def in_signs_at_hand(error: UnicodeError) -> tuple[str, int]:
    """The error handler: stand-ins for what cannot be written."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return stand_ins(error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, in_signs_at_hand)


def write_what_can_be_written() -> None:
    """From now on, stdout and stderr write stand-ins for what their encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ERRORS)


def why_not_drawn() -> str:
    """Why the debugger cannot be drawn, and which variable to set; empty where it can. Textual draws on stderr."""
    encodings = {_encoding(stream) for stream in (sys.__stdout__, sys.__stderr__)}
    poor = sorted(encodings - {"utf-8"})
    if not poor:
        return ""
    if os.environ.get("PYTHONIOENCODING"):
        cure = "PYTHONIOENCODING=utf-8"
    else:
        stronger = [name for name in ("LC_ALL", "LC_CTYPE") if os.environ.get(name)]
        cure = f"{stronger[0] if stronger else 'LANG'}=C.UTF-8"
    return f"the debugger is drawn with signs that {poor[0]} does not have (set {cure})"


def _encoding(stream: object) -> str:
    name = getattr(stream, "encoding", None) or "utf-8"
    return codecs.lookup(name).name
