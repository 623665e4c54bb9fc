"""Reads the tokens of one side of an equation as a formula: `Node`s of tree.py. Knows no names and no shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .pieces import (
    BRACKETS,
    ELEMENTWISE,
    JOINING,
    LETTERS,
    RELATIONS,
    spelled,
)
from .primaries import Primaries
from .tokens import Token, UnreadableError
from .tree import Gradient, Node, Number, Power, Product, Relation, Sum, Terms, Transposed

MOST_PARTS = 100
"""Terms of a sum, or factors of a product."""
Known = Callable[[str], bool]
"""Whether something has a name; asked about words such as `xhat` that could also be a product of letters."""


def parse(tokens: Sequence[Token], known: Known) -> Node:
    """The formula that some tokens make. Raises `UnreadableError` at the token that cannot be read.

    >>> from .tokens import tokenize
    >>> parse(tokenize(r"2 x^2"), lambda name: False).factors[1][1].exponent.value
    2
    """
    return Parser(tuple(tokens), known).whole()


class Parser(Primaries):
    """Sums, products and sums over indices; single factors are read by `Primaries`."""

    def whole(self) -> Node:
        """All of the tokens as one formula."""
        found = self.expression()
        if (token := self.peek()) is not None:
            raise self.unexpected(token)
        return found

    def expression(self) -> Node:
        """Terms with signs between them."""
        first = self.need("a formula")
        terms: list[tuple[int, Node]] = []
        with self.deeper(first):
            sign = self.signs()
            terms.append((sign, self.product()))
            while (token := self.peek()) is not None and token.is_("+", "-"):
                if len(terms) >= MOST_PARTS:
                    raise UnreadableError(f"more than {MOST_PARTS} terms", "several lines", token)
                sign = self.signs()
                terms.append((sign, self.product()))
        return terms[0][1] if len(terms) == 1 and terms[0][0] > 0 else Terms(first, tuple(terms))

    def signs(self) -> int:
        """The sign of a term: of `+ -` it is a minus."""
        sign = 1
        while (token := self.peek()) is not None and token.is_("+", "-"):
            sign = -sign if token.text == "-" else sign
            self.place += 1
        return sign

    def product(self) -> Node:
        """Factors; what stands side by side binds tighter than an elementwise product."""
        first = self.need("a factor")
        found = [("", self.side_by_side())]
        while (token := self.peek()) is not None and token.is_(*ELEMENTWISE):
            if token.is_("\\otimes", "\\star", "\\bullet"):
                raise UnreadableError(
                    f"{spelled(token)} has several meanings",
                    r"\odot elementwise, a b^\top for an outer product",
                    token,
                )
            self.place += 1
            found.append(("each", self.side_by_side()))
        return found[0][1] if len(found) == 1 else Product(first, tuple(found))

    def side_by_side(self) -> Node:
        """Factors with nothing, a dot, a cross or a slash between them."""
        first = self.need("a factor")
        found = [("", self.signed())]
        while (token := self.peek()) is not None:
            if len(found) >= MOST_PARTS:
                raise UnreadableError(f"more than {MOST_PARTS} factors", "several lines", token)
            joined = JOINING.get(spelled(token)) if token.kind in ("sign", "command") else None
            if joined is not None:
                self.place += 1
                found.append((joined, self.signed()))
            elif self.begins(token):
                self.refuse_unclear(found, token)
                found.append(("", self.factor()))
            else:
                break
        return found[0][1] if len(found) == 1 else Product(first, tuple(found))

    def signed(self) -> Node:
        """A factor that may have a sign of its own, as in `a \\cdot -b`."""
        token = self.need("a factor")
        sign = self.signs() if token.is_("+", "-") else 1
        found = self.factor()
        return found if sign > 0 else Terms(token, ((-1, found),))

    def refuse_unclear(self, found: Sequence[tuple[str, Node]], token: Token) -> None:
        """Complain about `1/2σ` and `\\log x y`, which people read in two ways."""
        joined, last = found[-1]
        plain = isinstance(last, (Power, Number)) or type(last).__name__ == "Symbol"
        if (
            joined == "/"
            and plain
            and not isinstance(last, Number)
            and token.tight
            and token.kind != "sign"
            and not token.is_("\\sum", "\\frac")
        ):
            raise UnreadableError(
                f"a/b {spelled(token)} could be (a/b) {spelled(token)} or a/(b {spelled(token)})",
                r"\frac{a}{b} c, or brackets",
                token,
            )
        if self.bare_call and not token.is_("\\sum"):
            raise UnreadableError(
                f"does {spelled(token)} belong to what the function before it is applied to?",
                r"brackets: \log(x) y or \log(x y)",
                token,
            )

    def sum_over(self, at: Token) -> Node:
        """A sum over indices, and the product that it goes over."""
        lower: tuple[Token, ...] = ()
        upper: tuple[Token, ...] = ()
        while (token := self.peek()) is not None and token.is_("_", "^"):
            self.place += 1
            if token.text == "_":
                lower = self.argument()
            else:
                upper = self.argument()
        letters, start, without = self.limits(at, lower)
        with self.deeper(at):
            sign = self.signs()
            body = self.product()
        if sign < 0:
            body = Terms(body.at, ((-1, body),))
        end = self.inner(upper) if upper else None
        return Sum(at, letters, start, end, body, without)

    def limits(
        self, at: Token, lower: tuple[Token, ...]
    ) -> tuple[tuple[str, ...], Node | None, tuple[tuple[str, str], ...]]:
        """The indices of a sum, where it begins, and which pairs of indices are left out."""
        if not lower:
            raise UnreadableError(
                "over which index does this sum go?", r"\sum_{i=1}^{m} or \sum_i", at
            )
        names = [LETTERS.get(t.text, t.text) for t in lower]
        signs = [
            k for k, t in enumerate(lower) if t.is_("=", "\\in", "\\ne", "\\neq", ":", *RELATIONS)
        ]
        if not signs:
            letters = tuple(
                n for n, t in zip(names, lower, strict=True) if t.kind in ("letter", "command")
            )
            if letters and all(t.kind in ("letter", "command") or t.is_(",") for t in lower):
                return letters, None, ()
        elif signs == [1] and lower[1].is_("="):
            return (names[0],), self.inner(lower[2:]), ()
        elif signs == [1] and lower[1].is_("\\in"):
            return (names[0],), None, ()
        elif signs == [1] and lower[1].is_("\\ne", "\\neq") and len(lower) == 3:
            return (names[0],), None, ((names[0], names[2]),)
        raise UnreadableError(
            "the index of this sum cannot be read",
            r"\sum_{i=1}^{m}, \sum_i, \sum_{i,j} or \sum_{j \ne i}",
            at,
        )

    def relation(self, until: str) -> Node:
        """A comparison, up to a closing sign."""
        left = self.expression()
        token = self.need("a comparison")
        sign = RELATIONS.get(spelled(token))
        if sign is None:
            raise self.unexpected(token)
        self.place += 1
        right = self.expression()
        if until:
            self.expect(until)
        return Relation(left.at, left, sign, right)

    def bracketed(self, opening: str) -> Node:
        """What stands in brackets; square ones may hold a comparison, which is 1 or 0."""
        start = self.place
        closing = BRACKETS[opening]
        if opening == "[" and self.compares(closing):
            return self.relation(closing)
        self.place = start
        found = self.expression()
        self.expect(closing)
        return found

    def gradient_of(self, at: Token, loss: Node | None, of: Node) -> Node:
        """The gradient with respect to a symbol; of a transposed symbol it is transposed."""
        if isinstance(of, Transposed):
            return Transposed(at, self.gradient_of(at, loss, of.inner))
        return Gradient(at, self.symbol_in(of), None if loss is None else self.symbol_in(loss))
