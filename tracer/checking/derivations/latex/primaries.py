"""The single factors of a formula: numbers, symbols, and what stands above and below them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .compounds import Compounds
from .pieces import (
    ACCENTS,
    BARS,
    BRACKETS,
    FUNCTIONS,
    LETTERS,
    STAND_INS,
    TRANSPOSES,
    indices,
    spelled,
)
from .tokens import Token, UnreadableError
from .tree import Call, Node, Number, Power, Symbol, Transposed

_FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac", "\\cfrac", "\\nicefrac", "\\sfrac")
_BEGINNING = (
    *_FRACTIONS, "\\sum", "\\partial", "\\nabla", "\\indicator", "\\underbrace", "\\overbrace", "\\lvert",
    "\\lVert", "(", "[", "\\{", "{", "\\pi",
)  # fmt: skip
"""What a factor can begin with, beside letters, digits, accents and functions."""

MOST_MARKS = 6
"""Indices, powers and labels at one symbol."""


class Primaries(Compounds):
    """Reads one factor at a time."""

    sum_over: Callable[[Token], Node]

    bars: tuple[str, ...] = ()
    """The bars of absolute values that are open."""
    bare_call = False
    """Whether the last factor is a function without brackets."""

    def begins(self, token: Token) -> bool:
        """Whether a factor can begin with a token."""
        if token.kind in ("letter", "digit", "word"):
            return True
        if token.kind == "begin":
            return token.text == "cases"
        said = spelled(token)
        if said in ("|", "\\|", "\\Vert", "\\vert"):
            return said not in self.bars
        named = token.text in LETTERS.keys() | ACCENTS.keys() | FUNCTIONS.keys()
        return (token.kind == "command" and named) or said in _BEGINNING

    def factor(self) -> Node:
        """One factor with its indices, powers and primes."""
        first = self.need("a factor")
        self.bare_call = False
        with self.deeper(first):
            found = self.after(self.primary(first))
        self.bare_call = self.called_bare
        self.called_bare = False
        return found

    def primary(self, token: Token) -> Node:
        """One factor without what stands above and below it."""
        if token.kind == "digit" or (
            token.is_(".") and (n := self.peek(1)) is not None and n.kind == "digit"
        ):
            return self.number(token)
        if token.kind == "letter":
            return self.letters(token)
        self.place += 1
        said = spelled(token)
        if token.kind == "begin" and token.text == "cases":
            return self.cases(token)
        if said in BRACKETS:
            return self.bracketed(said)
        if said in BARS:
            self.bars = (*self.bars, BARS[said])
            found = self.expression()
            self.expect(BARS[said])
            self.bars = self.bars[:-1]
            return Call(token, "norm" if said in ("\\|", "\\lVert", "\\Vert") else "abs", (found,))
        if said in _FRACTIONS:
            return self.fraction(token)
        if said == "\\sqrt":
            return self.root(token)
        if said == "\\sum":
            return self.sum_over(token)
        if said == "\\partial":
            return self.slashed(token, self.symbol())
        if said == "\\nabla":
            return self.nabla(token)
        if said == "\\indicator":
            return self.indicator(token)
        if said in ("\\underbrace", "\\overbrace"):
            found = self.inner(self.argument())
            if (after := self.peek()) is not None and after.is_("_", "^"):
                self.place += 1
                self.argument()
            return found
        if token.kind == "command" and token.text in ACCENTS:
            inner = self.symbol_in(self.inner(self.argument()))
            return replace(inner, at=token, base=inner.base + ACCENTS[token.text])
        if (
            (token.kind == "word" or token.kind == "command")
            and token.text in FUNCTIONS
            and not self.known(token.text)
        ):
            return self.call(token, FUNCTIONS[token.text])
        if token.kind == "word" and token.text == "d" and not self.known("d"):
            return self.slashed(token, self.symbol())
        if token.kind == "command" and token.text in LETTERS:
            return self.named(token, LETTERS[token.text])
        if token.kind == "word":
            return Symbol(token, token.text)
        raise self.unexpected(token)

    def number(self, first: Token) -> Node:
        """A number: digits that touch, and a point."""
        said = ""
        while (token := self.peek()) is not None and (
            token.kind == "digit" or (token.is_(".") and "." not in said)
        ):
            if said and not token.tight:
                break
            said += token.text
            self.place += 1
        said = said.rstrip(".") if said.endswith(".") else said
        if len(said) > 30:
            raise UnreadableError("the number is too long", "at most 30 digits", first)
        return Number(first, float(said) if "." in said else int(said))

    def letters(self, first: Token) -> Node:
        """A letter, or letters that touch and are together the name of something."""
        run = [first]
        while (
            (token := self.peek(len(run))) is not None
            and token.kind == "letter"
            and token.tight
            and len(run) < 20
        ):
            run.append(token)
        for length in range(len(run), 1, -1):
            word = "".join(token.text for token in run[:length])
            if self.known(word):
                if all(self.known(letter) for letter in word):
                    raise UnreadableError(
                        f"{word} could be the recorded {word}, or a product of {', '.join(word)}",
                        f"\\text{{{word}}}, or spaces between the letters",
                        first,
                    )
                self.place += length
                return Symbol(first, word)
        self.place += 1
        after = self.peek()
        differential = (
            first.text == "d" and not self.known("d") and after is not None and after.tight
        )
        if (
            differential
            and after is not None
            and (
                after.kind == "letter"
                or (after.kind == "command" and after.text in LETTERS.keys() | ACCENTS.keys())
            )
        ):
            return self.slashed(first, self.symbol())
        if first.text == "e" and after is not None and after.is_("^") and self.is_base():
            self.place += 1
            return Call(first, "exp", (self.inner(self.argument()),))
        return self.named(first, first.text)

    def is_base(self) -> bool:
        """Whether an e before a power is the number: unless an e was recorded and the exponent is a number."""
        exponent = self.peek(1)
        if exponent is not None and exponent.is_("{"):
            exponent = self.peek(2)
        return not self.known("e") or (exponent is not None and exponent.kind != "digit")

    def named(self, token: Token, name: str) -> Node:
        """A letter; a function if it is one of those that stand for functions and a bracket follows."""
        after, primes = self.peek(), 0
        while after is not None and after.is_("'"):
            primes += 1
            after = self.peek(primes)
        bracket = after is not None and after.is_("(")
        if name in STAND_INS and bracket:
            if self.known(name) and not primes:
                raise UnreadableError(
                    f"{name}(...) could be the recorded {name} times a bracket, or a function",
                    rf"\{name} \cdot (...), or \operatorname{{sigmoid}}(...) for the function",
                    token,
                )
            self.place += primes
            return self.call(token, "sigmoid" if name == "sigma" else name, primes)
        if name == "pi" and not self.known("pi"):
            return Number(token, 3.141592653589793)
        return Symbol(token, name)

    def after(self, node: Node) -> Node:
        """A factor with what stands above and below it."""
        marks = 0
        while (token := self.peek()) is not None and token.is_("_", "^", "'"):
            marks += 1
            if marks > MOST_MARKS:
                raise UnreadableError("too much stands above and below", "brackets", token)
            self.place += 1
            if token.is_("'"):
                raise UnreadableError(
                    "a prime without a function", "f'(z), for a function that is known", token
                )
            given = self.argument()
            node = (
                self.lowered(node, given, token)
                if token.is_("_")
                else self.raised(node, given, token)
            )
        return node

    def lowered(self, node: Node, given: tuple[Token, ...], at: Token) -> Node:
        """A symbol with indices below."""
        match node:
            case Symbol():
                return replace(node, indices=(*node.indices, *indices(given)))
            case Power(base=Symbol() as base):
                return replace(node, base=replace(base, indices=(*base.indices, *indices(given))))
            case Transposed(inner=Symbol() as inner):
                return replace(
                    node, inner=replace(inner, indices=(*inner.indices, *indices(given)))
                )
            case Call(name="norm" | "abs"):
                return node  # the 2 of a norm
        raise UnreadableError("an index at brackets", "the index at each symbol within", at)

    def raised(self, node: Node, given: tuple[Token, ...], at: Token) -> Node:
        """A factor with a power, a transpose, or a label or index above it."""
        if not given:
            return node
        last = given[-1]
        if (
            len(given) == 1
            and (last.text in TRANSPOSES)
            and last.kind in ("letter", "word", "command")
        ):
            return Transposed(node.at, node)
        if isinstance(node, Symbol) and given[0].is_("(", "[", "\\langle", "<"):
            closing = {"(": ")", "[": "]", "\\langle": "\\rangle", "<": ">"}[spelled(given[0])]
            close = next((k for k, t in enumerate(given) if spelled(t) == closing), None)
            within = given[1:close]
            if close is not None and within and _labels(within):
                if all(t.kind == "digit" for t in within):
                    labelled: Node = replace(node, label="".join(t.text for t in within))
                else:
                    labelled = replace(node, indices=(*indices(within), *node.indices))
                rest = given[close + 1 :]
                return self.raised(labelled, rest, at)
        if len(given) > 1 and (last.text in TRANSPOSES) and given[-2].is_(")", "]"):
            return Transposed(node.at, self.raised(node, given[:-1], at))
        return Power(node.at, node, self.inner(given))


def _labels(tokens: tuple[Token, ...]) -> bool:
    """Whether what stands in brackets above a symbol is a label or an index: `2`, `l+1`, `t`."""
    if all(token.kind == "digit" for token in tokens):
        return True
    first, rest = tokens[0], tokens[1:]
    lettered = first.kind == "letter" or (first.kind == "command" and first.text in LETTERS)
    return lettered and (
        not rest or (rest[0].is_("+", "-") and all(t.kind == "digit" for t in rest[1:]))
    )
