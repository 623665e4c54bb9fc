"""Signs that are pasted from slides, as TeX: `∂` is `\\partial`, `x̂ᵢ` is `\\hat{x}_{i}`, `σ²` is `\\sigma^{2}`."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
).split()
LETTERS: Mapping[str, str] = (
    dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", GREEK, strict=True))
    | {"ϵ": "epsilon", "ϕ": "phi", "ϑ": "theta", "ς": "sigma", "µ": "mu", "ℓ": "ell", "ℒ": "L"}
)  # fmt: skip
"""Letters to their names."""
SIGNS: Mapping[str, str] = {
    "∂": r"\partial ", "∇": r"\nabla ", "∑": r"\sum ", "Σ": r"\sum ", "∏": r"\prod ", "√": r"\sqrt ",
    "·": r"\cdot ", "⋅": r"\cdot ", "•": r"\cdot ", "×": r"\times ", "⊙": r"\odot ", "∘": r"\circ ", "∗": r"\ast ",
    "−": "-", "–": "-", "÷": "/", "∕": "/", "⁄": "/", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ",
    "∝": r"\propto ", "≡": "=", "≔": "=", "⊤": r"\top ", "′": "'", "″": "''", "‖": r"\|", "∥": r"\|",
    "⟨": r"\langle ", "⟩": r"\rangle ", "…": r"\dots ", "⋯": r"\dots ", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}",
    "𝟙": r"\indicator ", "𝟏": r"\indicator ", "∈": r"\in ", "∀": r"\forall ",
    "\N{NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ", "\N{ZERO WIDTH SPACE}": " ",
}  # fmt: skip
RAISED: Mapping[str, str] = (
    dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵗᵏˡᵐ", "0123456789+-()nitklm", strict=True)) | {"ᵀ": r"\top ", "ᐟ": "/"}
)  # fmt: skip
LOWERED: Mapping[str, str] = dict(
    zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-()aehijklmnoprstuvx", strict=True)
)
ACCENTS: Mapping[str, str] = {
    "\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde", "\u0307": "dot", "\u030c": "check",
}  # fmt: skip
"""Marks that follow a letter, and the commands that put them over it."""


def plain(sign: str) -> str:
    """A sign of mathematics as TeX; itself, if it is none of the known ones.

    >>> plain("∂"), plain("γ"), plain("𝑥"), plain("ŷ"), plain("a")
    ('\\\\partial ', '\\\\gamma ', 'x', '\\\\hat{y}', 'a')
    """
    if sign.isascii():
        return sign
    if sign in SIGNS:
        return SIGNS[sign]
    if sign in LETTERS:
        return f"\\{LETTERS[sign]} "
    if "\U0001d400" <= sign <= "\U0001d7ff":
        return plain(unicodedata.normalize("NFKC", sign))
    letter, *marks = list(unicodedata.normalize("NFD", sign))
    if len(marks) == 1 and marks[0] in ACCENTS and letter.isascii():
        return f"\\{ACCENTS[marks[0]]}{{{letter}}}"
    return sign
