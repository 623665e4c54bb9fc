r"""Any text as TeX that plain pdflatex sets: signs become commands, and what no font has a visible box.

The result is plain ASCII, and nothing in it can be read as a command that a name has brought along.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType

UNKNOWN = r"$\square$"
"""What stands for a character that standard fonts lack."""

_GREEK = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
).split()
_MATHS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", (f"\\{word}" for word in _GREEK), strict=True)) | {
    "µ": r"\mu", "ϵ": r"\epsilon", "ϕ": r"\phi", "ς": r"\varsigma", "∂": r"\partial", "∇": r"\nabla",
    "∑": r"\textstyle\sum", "∏": r"\textstyle\prod", "∫": r"\textstyle\int", "√": r"\surd", "∛": r"\sqrt[3]{\ }",
    "·": r"\cdot", "⋅": r"\cdot", "∗": r"\ast", "±": r"\pm", "∓": r"\mp",
    "⊗": r"\otimes", "⊕": r"\oplus", "⊙": r"\odot", "⊘": r"\oslash", "⊖": r"\ominus", "∘": r"\circ",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "∝": r"\propto",
    "→": r"\to", "←": r"\leftarrow", "↔": r"\leftrightarrow", "↦": r"\mapsto", "⇒": r"\Rightarrow",
    "↑": r"\uparrow", "↓": r"\downarrow", "∞": r"\infty", "∅": r"\varnothing", "∈": r"\in", "∉": r"\notin",
    "∀": r"\forall", "∃": r"\exists", "¬": r"\lnot", "∧": r"\land", "∨": r"\lor", "⊻": r"\veebar",
    "∩": r"\cap", "∪": r"\cup", "⊂": r"\subset", "⊆": r"\subseteq", "‖": r"\|", "│": r"|",
    "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "⟨": r"\langle", "⟩": r"\rangle",
    "○": r"\circ", "●": r"\bullet", "•": r"\bullet", "◐": r"\circledcirc", "▶": r"\blacktriangleright",
    "▷": r"\triangleright", "▽": r"\triangledown", "△": r"\vartriangle", "■": r"\blacksquare", "□": r"\square",
    "★": r"\bigstar", "✓": r"\checkmark", "′": r"'", "°": r"{}^{\circ}", "½": r"\tfrac{1}{2}",
    "⋯": r"\cdots", "⋮": r"\vdots", "ℓ": r"\ell",
    "◀": r"\blacktriangleleft", "▲": r"\blacktriangle", "▼": r"\blacktriangledown", "◇": r"\diamond",
}  # fmt: skip
"""Signs as they are written in maths."""

_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱᵀᵏˣʸʲʳᶻ", "0123456789+-niTkxyjrz", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙᵢₜⱼₖ", "0123456789+-nitjk", strict=True))

_TEXT = {
    "\\": r"\textbackslash", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "<": r"\textless", ">": r"\textgreater", "|": r"\textbar", "^": r"\^{}", "~": r"\~{}",
    '"': r"\char34", "`": r"\`{}", " ": " ",
    "−": r"\textminus", "×": r"\texttimes", "÷": r"\textdiv", "–": r"\textendash", "—": r"\textemdash", "…": r"\dots",
    "‘": r"\textquoteleft", "’": r"\textquoteright", "“": r"\textquotedblleft", "”": r"\textquotedblright",
    "ß": r"\ss", "æ": r"\ae", "Æ": r"\AE", "œ": r"\oe", "Œ": r"\OE", "ø": r"\o", "Ø": r"\O", "ł": r"\l", "Ł": r"\L",
    "ı": r"\i", "§": r"\S", "©": r"\copyright", "£": r"\pounds", "¿": r"\textquestiondown",
    "¡": r"\textexclamdown",
}  # fmt: skip
"""Signs as they are written in text."""

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d", "\u0327": "c", "\u0331": "b",
}  # fmt: skip
_OVER_MATHS = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0307": r"\dot"}

SIGNS: Mapping[str, str] = MappingProxyType(
    {char: f"${tex}$" for char, tex in _MATHS.items()}
    | dict(
        zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True)
    )  # Greek letters that look like Latin ones
    | {char: f"$^{{{plain}}}$" for char, plain in _RAISED.items()}
    | {char: f"$_{{{plain}}}$" for char, plain in _LOWERED.items()}
    | _TEXT
)
"""Every character beyond letters and digits that has a form of its own."""


def tex_text(text: str, signs: Mapping[str, str] = SIGNS) -> str:
    r"""Characters as TeX text; blanks and line breaks of all kinds become blanks.

    >>> print(tex_text("50% of w_0"), tex_text("−0.20"), tex_text("naïve ŷ"), tex_text("∂L/∂γ"), tex_text("你"))
    50\% of w\_0 \textminus0.20 na\"{\i}ve \^{y} $\partial$L/$\partial$$\gamma$ $\square$
    """
    pieces = [_piece(base, marks, signs) for base, marks in _letters(text, signs)]
    written = [""]
    for number, piece in enumerate(pieces):
        before = written[-1]
        command = _ENDS_IN_WORD.search(before) is not None
        if piece == " ":
            inside = 0 < number < len(pieces) - 1 and not before.endswith(" ")
            piece = " " if inside and not command else r"\ "
        elif (command and piece[:1].isalpha()) or (piece in _JOINED and before.endswith(piece)):
            piece = (
                "{}" + piece
            )  # or the letter would belong to the command, or two hyphens be a dash
        written.append(piece)
    return "".join(written)


_ENDS_IN_WORD = re.compile(r"\\[A-Za-z]+\Z")
_JOINED = ("-", "'", ",", r"\textless", r"\textgreater")


def _letters(text: str, signs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Characters with the accents that stand on each; what prints nothing is left out."""
    found: list[tuple[str, str]] = []
    apart = (c if c in signs else unicodedata.normalize("NFD", c) for c in text)  # ≠ is one sign
    for char in chain.from_iterable(apart):
        category = unicodedata.category(char)
        if char in _ACCENTS and found:
            base, marks = found[-1]
            found[-1] = (base, marks + char)
        elif char.isspace():
            found.append((" ", ""))
        elif category not in ("Mn", "Me", "Cf"):
            found.append((char, ""))
    return found


def _piece(base: str, marks: str, signs: Mapping[str, str]) -> str:
    piece = base if base.isascii() and base.isalnum() else signs.get(base)
    if piece is None:
        known = base.isascii() and base.isprintable()
        return base if known else UNKNOWN
    for mark in marks:
        if piece.startswith("$"):
            over = _OVER_MATHS.get(mark)
            piece = f"${over}{{{piece[1:-1]}}}$" if over else piece
        elif piece.isalnum():
            dotless = f"\\{piece}" if piece in ("i", "j") and _ACCENTS[mark] not in "dcb" else piece
            piece = f"\\{_ACCENTS[mark]}{{{dotless}}}"
    return piece
