"""The pieces of a LaTeX text: commands, letters, digits and signs, with the places they stand at.

Commands that only change the look (`\\left`, `\\mathbf`, `\\,`) are gone; signs of Unicode have become TeX.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tracer.checking.derivations.refusals import RefusedError

from .signs import ACCENTS, LOWERED, RAISED, plain

MOST_TOKENS = 40_000


class Token(NamedTuple):
    """One piece: its kind (`command`, `letter`, `digit`, `sign`, `word`, `begin`, `end`), and where it stands.

    text: the command without its backslash, the sign, or the words in `\\text{...}`. tight: nothing stands before it.
    """

    kind: str
    text: str
    line: int
    start: int
    end: int
    tight: bool = False

    def is_(self, *texts: str) -> bool:
        """Whether it is one of these commands (`\\sum`) or signs (`+`)."""
        return (f"\\{self.text}" if self.kind == "command" else self.text) in texts and (
            self.kind in ("command", "sign")
        )


class UnreadableError(RefusedError):
    """A piece of LaTeX that cannot be read: the reason, one thing to try, and where it stands."""

    def __init__(self, reason: str, cure: str, at: Token | None = None) -> None:
        super().__init__(reason, cure)
        self.at = at


class MisshapenError(UnreadableError):
    """A piece of LaTeX whose arrays do not fit: the other lines can be read without it."""


class TwoReadingsError(UnreadableError):
    """A piece of LaTeX that can be read in two ways, whatever fits: said with both."""


_LOOKS = frozenset(
    """left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle displaystyle textstyle
    scriptstyle limits nolimits nonumber notag mathbf boldsymbol bm pmb mathsf mathit mathtt mathcal mathscr mathfrak
    vec boxed mathop mathbin mathrel mathord mathstrut ensuremath bf rm it cal centering noindent small
    allowbreak text textrm textbf mathrm mathnormal operatorname mbox""".split()
)
_SPACES = frozenset(", ; : ! > ~ /".split()) | {" ", "\n", "\t"}
_FONTS = frozenset("mathbf boldsymbol bm pmb mathsf mathit mathcal mathscr vec boxed".split())
_SIZES = frozenset("left right middle".split())
_WORDS = re.compile(
    r"\\(text|textrm|textit|textbf|texttt|textsf|mathrm|mathit|mathsf|mathtt|mathnormal|operatorname\*?|mbox)"
    r"(?![A-Za-z])\s*(?:\{([^{}$\\#]*(?:\\_[^{}$\\#]*)*)\}|([A-Za-z0-9]))"
)
_ONES = re.compile(
    r"\\(?:mathbb|mathbf|boldsymbol|bm|mathbbm|mathds)\s*(?:\{\s*1\s*\}|1)|\\mathbb\s*(?:\{I\}|I(?![A-Za-z]))"
)
_IGNORED = re.compile(
    r"\\(?:label|tag\*?|hspace\*?|vspace\*?|phantom|hphantom|vphantom|color|textcolor|cite|ref|eqref|intertext|shortintertext)"
    r"\s*\{[^{}]*\}"
)
_SECRET = re.compile(
    r"\\begin\s*\{(verbatim|lstlisting|comment|minted)\*?\}.*?(?:\\end\s*\{\1\*?\}|\Z)", re.S
)
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{\s*([A-Za-z]+\*?)\s*\}")
_COMMAND = re.compile(r"\\([A-Za-z]+|.|\Z)", re.S)
_BAR = re.compile(r"\s*(?:\||\\vert(?![A-Za-z]))")
_DOUBLE_BAR = re.compile(r"\s*\\(?:\||Vert(?![A-Za-z]))")
_BREAK = re.compile(r"\\\\\*?(?:\s*\[[^\[\]\n]*\])?")


def tokenize(text: str) -> tuple[Token, ...]:
    """The pieces of a text, comments left out. Raises `UnreadableError` where there are too many.

    >>> [token.text for token in tokenize(r"\\frac{\\partial L}{\\partial x} % slope")]
    ['frac', '{', 'partial', 'L', '}', '{', 'partial', 'x', '}']
    >>> [token.text for token in tokenize("x̂ᵢ²")]
    ['hat', '{', 'x', '}', '_', '{', 'i', '}', '^', '{', '2', '}']
    """
    found: list[Token] = []
    place, line, tight, begun = 0, 1, False, -1
    while place < len(text):
        sign = text[place]
        pieces: list[tuple[str, str]] = []
        end, looks = place + 1, False
        if sign == "%":
            newline = text.find("\n", place)
            end = len(text) if newline < 0 else newline
        elif sign == "\\":
            end, pieces, looks = _command(text, place)
        elif text.startswith("$$", place):
            end, pieces = place + 2, [("sign", "$$")]
        elif sign in RAISED or sign in LOWERED:
            table, opened = (RAISED, "^{") if sign in RAISED else (LOWERED, "_{")
            while end < len(text) and text[end] in table:
                end += 1
            pieces = _pieces(f"{opened}{''.join(table[c] for c in text[place:end])}}}")
        elif not sign.isspace():
            spelled = plain(sign)
            if end < len(text) and text[end] in ACCENTS:
                spelled = f"\\{ACCENTS[text[end]]}{{{spelled}}}"
                end += 1
            pieces = _pieces(spelled)
        start = place if begun < 0 or not pieces else begun
        for kind, piece in pieces:
            found.append(Token(kind, piece, line, start, end, tight))
            tight = True
        begun = (place if begun < 0 else begun) if looks else -1 if pieces else begun
        if not pieces:
            tight = False if not looks else tight
        if len(found) > MOST_TOKENS:
            raise UnreadableError(
                "the text is too long", f"at most {MOST_TOKENS} commands and letters"
            )
        line += text.count("\n", place, end)
        place = end
    return tuple(found)


def _command(text: str, place: int) -> tuple[int, list[tuple[str, str]], bool]:
    """Where a command ends, the pieces it gives, and whether it is only a font that belongs to what follows."""
    for pattern in (_SECRET, _IGNORED):
        if found := pattern.match(text, place):
            return found.end(), [], False
    if found := _ENVIRONMENT.match(text, place):
        return found.end(), [(found[1], found[2])], False
    if found := _ONES.match(text, place):
        return found.end(), [("command", "indicator")], False
    if found := _WORDS.match(text, place):
        words = (found[2] if found[2] is not None else found[3]).replace("\\_", "_").strip()
        return found.end(), [("word", words)] if words else [], False
    if found := _BREAK.match(text, place):
        return found.end(), [("command", "\\")], False
    found = _COMMAND.match(text, place)
    name = found[1] if found else ""
    end = found.end() if found else place + 1
    if name in _SIZES and text[end : end + 1] == ".":
        return end + 1, [], False
    if name in _SIZES:
        for pattern, sides in ((_BAR, ("lvert", "rvert")), (_DOUBLE_BAR, ("lVert", "rVert"))):
            if bar := pattern.match(text, end):
                return bar.end(), [("command", sides[name == "right"])], False
    if name in _LOOKS:
        return end, [], name in _FONTS
    if name in _SPACES or not name:
        return end, [], False
    return end, [("command", name)], False


def _pieces(spelled: str) -> list[tuple[str, str]]:
    """The kinds and texts of a few signs that are plain TeX."""
    found, place = [], 0
    while place < len(spelled):
        sign = spelled[place]
        if sign == "\\":
            match = _COMMAND.match(spelled, place)
            assert match is not None
            found.append(("command", match[1]))
            place = match.end()
            continue
        if not sign.isspace():
            kind = "letter" if sign.isalpha() else "digit" if sign.isdecimal() else "sign"
            found.append((kind, sign))
        place += 1
    return found
