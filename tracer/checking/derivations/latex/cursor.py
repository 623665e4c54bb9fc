"""A place in some tokens: looking ahead, moving on, going into groups, and the complaints on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .pieces import RELATIONS, spelled
from .tokens import Token, UnreadableError
from .tree import Node

if TYPE_CHECKING:
    from .parser import Parser

DEEPEST = 40
"""Brackets, fractions and sums within each other."""
_NOTHING = Token("sign", "", 0, 0, 0)


class Cursor:
    """Some tokens and a place in them.

    known: whether a word is the name of something. depth: how deep the tokens stand in brackets. end: where a
    complaint points to that something is missing.
    """

    expression: Callable[[], Node]
    factor: Callable[[], Node]
    bracketed: Callable[[str], Node]

    def __init__(
        self,
        tokens: tuple[Token, ...],
        known: Callable[[str], bool],
        depth: int = 0,
        end: Token = _NOTHING,
    ) -> None:
        self.tokens, self.known, self.depth = tokens, known, depth
        self.place = 0
        self.end = tokens[-1] if tokens else end
        self.bare_call = False

    def peek(self, ahead: int = 0) -> Token | None:
        """The token at the place, or some further on; None at the end."""
        k = self.place + ahead
        return self.tokens[k] if k < len(self.tokens) else None

    def need(self, what: str) -> Token:
        """The token at the place; a complaint if there is none."""
        token = self.peek()
        if token is None:
            raise UnreadableError(f"{what} is missing at the end", "complete the line", self.end)
        return token

    def expect(self, sign: str) -> None:
        """Go past a sign that must stand here."""
        token = self.peek()
        if token is None or spelled(token) != sign:
            raise UnreadableError(
                f"a closing {sign} is missing", "count the brackets", token or self.end
            )
        self.place += 1

    def unexpected(self, token: Token) -> UnreadableError:
        """The complaint about a token that nothing here can begin or go on with."""
        if token.kind in ("begin", "end"):
            said = f"\\{token.kind}{{{token.text}}}"
            return UnreadableError(
                f"{said} is not read here", "plain formulas, one for each gradient", token
            )
        if token.is_("}", ")", "]"):
            return UnreadableError(f"a {token.text} too many", "count the brackets", token)
        if token.is_(*RELATIONS):
            return UnreadableError(
                f"{spelled(token)} stands outside of brackets", "[a > b], which is 1 or 0", token
            )
        if token.is_("@", "#", '"', "**"):
            cure = "a derivation all in LaTeX, or all in Python"
            return UnreadableError(f"{spelled(token)} is not LaTeX", cure, token)
        if token.is_("\\pm", "\\mp"):
            return UnreadableError("± is two signs", "one of them", token)
        cure = r"\frac, \sum, \sqrt, \odot, ^\top, functions such as \tanh; \text{name} for a name of several letters"
        return UnreadableError(f"{spelled(token)} cannot be read here", cure, token)

    @contextmanager
    def deeper(self, at: Token) -> Iterator[None]:
        """One level of nesting more; too many are refused."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableError("it is nested too deep", "several shorter lines", at)
        bare, self.bare_call = self.bare_call, False
        yield
        self.depth -= 1
        self.bare_call = bare

    def argument(self) -> tuple[Token, ...]:
        """The tokens of the next group, or the one token that stands for it."""
        first = self.need("an argument")
        self.place += 1
        if first.is_("(") and self.place > 1 and self.tokens[self.place - 2].is_("^"):
            start = self.place - 1  # x^(-1/2), as one writes it without TeX
            self.bracketed("(")
            return self.tokens[start : self.place]
        if not first.is_("{"):
            if first.is_("}") or first.is_("^", "_"):
                raise self.unexpected(first)
            return (first,)
        start, depth = self.place, 1
        while (token := self.peek()) is not None:
            depth += int(token.is_("{")) - int(token.is_("}"))
            self.place += 1
            if not depth:
                return self.tokens[start : self.place - 1]
        raise UnreadableError("a closing } is missing", "count the brackets", first)

    def inner(self, tokens: tuple[Token, ...]) -> Node:
        """Some tokens as a formula of their own."""
        return self.parser(tokens).whole()

    def parser(self, tokens: tuple[Token, ...]) -> Parser:
        """A parser of some of the tokens, one level deeper."""
        from .parser import Parser

        if self.depth >= DEEPEST:
            raise UnreadableError("it is nested too deep", "several shorter lines", self.end)
        return Parser(tokens, self.known, self.depth + 1, self.end)

    def compares(self, closing: str, ahead: int = 0) -> bool:
        """Whether a comparison stands before the closing bracket."""
        depth, k = 0, ahead
        while (token := self.peek(k)) is not None:
            if spelled(token) == closing and not depth:
                return False
            if token.is_(*RELATIONS) and not depth:
                return True
            depth += int(token.is_("(", "[", "{")) - int(token.is_(")", "]", "}"))
            k += 1
        return False
