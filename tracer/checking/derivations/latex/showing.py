"""An equation as people read it in a terminal: its own LaTeX where that is short, else in the signs of mathematics."""

from __future__ import annotations

from collections.abc import Sequence

from .signs import ACCENTS, LETTERS, LOWERED, RAISED, SIGNS
from .tokens import Token

WIDEST = 100
"""Characters of an equation that is shown as it was written."""
_LETTERS = {name: sign for sign, name in LETTERS.items() if sign not in "ϕϵϑςµℒ"} | {
    "varepsilon": "ε", "varphi": "φ", "vartheta": "θ",
}  # fmt: skip
_SIGNS = {tex.strip(): sign for sign, tex in reversed(list(SIGNS.items())) if tex.startswith("\\")} | {
    "\\cdot": "·", "\\sum": "Σ", "\\leq": "≤", "\\geq": "≥", "\\neq": "≠", "\\{": "{", "\\}": "}", "\\indicator": "𝟙",
    "\\lvert": "|", "\\rvert": "|", "\\lVert": "‖", "\\rVert": "‖", "\\ldots": "…", "\\ast": "∗", "\\quad": " ",
    "\\qquad": " ",
}  # fmt: skip
_MARKS = {name: mark for mark, name in ACCENTS.items()} | {
    "widehat": "\u0302",
    "overline": "\u0304",
    "widetilde": "\u0303",
}
_RAISED = {plain: sign for sign, plain in RAISED.items() if len(plain) == 1}
_LOWERED = {plain: sign for sign, plain in LOWERED.items()}


def written(tokens: Sequence[Token], text: str) -> str:
    """The source of some tokens, without alignment, sizes of brackets and spacing.

    >>> from .tokens import tokenize
    >>> source = r"\\left( a  &+ \\, b \\right)"
    >>> written(tokenize(source), source)
    '(a + b)'
    """
    said, last = "", -1
    for token in tokens:
        if token.start < last or token.is_("&", "\\\\"):
            continue
        gap = last >= 0 and token.start > last and not said.endswith("(") and not token.is_(")")
        said += (" " if gap else "") + " ".join(text[token.start : token.end].split())
        last = token.end
    return said


def equation(left: Sequence[Token], right: Sequence[Token], text: str) -> str:
    """An equation as it was written, or in signs if it is long.

    >>> from .tokens import tokenize
    >>> source = r"\\frac{\\partial L}{\\partial \\hat{x}_i}"
    >>> in_signs(tokenize(source))
    '∂L/∂x̂ᵢ'
    """
    said = f"{written(left, text)} = {written(right, text)}"
    return said if len(said) <= WIDEST else f"{in_signs(left)} = {in_signs(right)}"


def in_signs(tokens: Sequence[Token]) -> str:
    """Tokens in the signs of mathematics."""
    return _Writer([t for t in tokens if not t.is_("&", "\\\\")]).all()


class _Writer:
    """Writes tokens in signs, group by group; never fails, whatever stands there."""

    def __init__(self, tokens: list[Token], depth: int = 0) -> None:
        self.tokens, self.place, self.depth = tokens, 0, depth

    def all(self) -> str:
        """All of the tokens."""
        said = ""
        while self.place < len(self.tokens):
            said += self.one()
        return " ".join(said.split())

    def group(self) -> str:
        """The next group or token."""
        if self.place >= len(self.tokens):
            return ""
        if not self.tokens[self.place].is_("{"):
            return self.one()
        start, depth = self.place + 1, 0
        while self.place < len(self.tokens):
            token = self.tokens[self.place]
            depth += int(token.is_("{")) - int(token.is_("}"))
            self.place += 1
            if not depth:
                break
        inner = self.tokens[start : self.place - 1]
        return "…" if self.depth > 20 else _Writer(inner, self.depth + 1).all()

    def one(self) -> str:
        """One token and what belongs to it."""
        token = self.tokens[self.place]
        if token.is_("{"):
            return self.group()
        self.place += 1
        if token.is_("\\frac", "\\dfrac", "\\tfrac"):
            above, below = self.group(), self.group()
            return f"{_bracketed(above)}/{_bracketed(below)}"
        if token.is_("\\sum"):
            return self.sum()
        if token.is_("\\sqrt"):
            return f"√({self.group()})"
        if token.kind == "command" and token.text in _MARKS:
            return self.group() + _MARKS[token.text]
        if token.is_("^", "_"):
            inner = self.group()
            if token.text == "^" and inner in ("⊤", "T"):
                return "ᵀ"
            table = _RAISED if token.text == "^" else _LOWERED
            if inner and all(sign in table for sign in inner):
                return "".join(table[sign] for sign in inner)
            enclosed = len(inner) == 1 or inner[:1] in ("(", "[", "⟨")
            return f"{token.text}{inner}" if enclosed else f"{token.text}({inner})"
        if token.is_("=", "+", "-"):
            sign = "−" if token.text == "-" else token.text
            tight = self.place == 1 or self.tokens[self.place - 2].is_("(", "{", "=", "\\sum")
            return sign if tight and token.text == "-" else f" {sign} "
        if token.kind == "command":
            said = f"\\{token.text}"
            known = _LETTERS.get(token.text) or _SIGNS.get(said)
            if known is None:
                known = f" {token.text} "
            return f" {known} " if said in ("\\odot", "\\circ", "\\times") else f"{known}"
        return token.text

    def sum(self) -> str:
        """A sum with its index below, and without its limits."""
        said = "Σ"
        while self.place < len(self.tokens) and self.tokens[self.place].is_("_", "^"):
            sign = self.tokens[self.place].text
            self.place += 1
            inner = self.group().partition("=")[0].strip()
            if sign == "_":
                plain = all(each in _LOWERED for each in inner)
                said += "".join(_LOWERED[each] for each in inner) if plain else f"_({inner})"
        return f" {said} "


def _bracketed(text: str) -> str:
    """Text in brackets, if it would fall apart beside a slash."""
    root = text.startswith("√(") and text.find(")") == len(text) - 1
    return f"({text})" if not root and any(sign in text for sign in " +−/·") else text
