"""A formula with indices as one numpy expression on whole arrays."""

from __future__ import annotations

import ast
from dataclasses import replace

from tracer.checking.derivations.refusals import MisfitError, RefusedError

from .arrays import (
    Term,
    combined,
    number,
)
from .lexicon import MissingError, OutsideError
from .linear import matrix_product, transposed
from .naming import Place
from .summing import Sums
from .tokens import MisshapenError, Token, TwoReadingsError, UnreadableError
from .tree import (
    Call,
    Cases,
    Gradient,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Relation,
    Sum,
    Symbol,
    Terms,
    Transposed,
    index_of,
)

MOST_PARTS = 200_000
"""Parts of the expressions that one derivation makes: sums over time steps are written out."""


class Translator(Sums):
    """Translates the formulas of one equation, under one reading."""

    def value(self, node: Node, place: Place) -> Term:
        """The expression of a formula. Raises `RefusedError`, with the place in the text where that is known."""
        self.lexicon.made += 1
        if self.lexicon.made > MOST_PARTS:
            raise UnreadableError("it comes to too many terms", "fewer time steps", node.at)
        try:
            return self._value(node, place)
        except UnreadableError:
            raise
        except MisfitError as refused:
            raise MisshapenError(refused.reason, refused.cure, node.at) from None
        except RefusedError as refused:
            raise UnreadableError(refused.reason, refused.cure, node.at) from None

    def _value(self, node: Node, place: Place) -> Term:
        match node:
            case Number(value=value):
                return number(value)
            case Symbol():
                return self.symbol(node, place)
            case Gradient():
                return self.gradient(node, place)
            case Terms():
                return self.terms(node, place)
            case Product():
                return self.product(node, place)
            case Power():
                return self.power(node, place)
            case Transposed(inner=inner):
                return transposed(self.value(inner, place))
            case Call():
                return self.call(node, place)
            case Sum():
                return self.sum(node, place)
            case Relation():
                return self.relation(node, place)
            case Cases():
                return self.cases(node, place)
            case Ones():
                return Term(ast.Constant(1.0), ones=True)
        raise UnreadableError("this cannot be read", "plain formulas", node.at)

    def terms(self, node: Terms, place: Place) -> Term:
        """A sum of terms; one that reaches beyond the last time step adds nothing."""
        found: Term | None = None
        outside: OutsideError | None = None
        for sign, part in node.terms:
            try:
                term = self.value(part, place)
            except OutsideError as error:
                if not error.vanishes:
                    raise
                outside = error
                continue
            if found is None:
                found = term if sign > 0 else self.negative(term)
            else:
                found = combined("+" if sign > 0 else "-", found, term, self.order)
        if found is None:
            raise outside or UnreadableError("an empty sum", "a term", node.at)
        return found

    def product(self, node: Product, place: Place) -> Term:
        """Factors from left to right."""
        outside: OutsideError | None = None
        terms = []
        for joined, part in node.factors:
            try:
                terms.append((joined, self.value(part, place)))
            except OutsideError as error:
                outside = error if outside is None or error.vanishes else outside
        if outside is not None:
            raise outside
        found = terms[0][1]
        for joined, term in terms[1:]:
            found = self.times(joined, found, term, node.at)
        return found

    def times(self, joined: str, a: Term, b: Term, at: Token) -> Term:
        """Two factors: a product of matrices where they stand side by side and fit, else of elements."""
        if joined == "/":
            return combined("/", a, b, self.order)
        tables = len(a.free) == 2 == len(b.free) or a.row or b.row or a.ones or b.ones
        wanted = self.reading.product == "matrix" or (self.reading.product == "tables" and tables)
        if joined != "each" and wanted:
            if (
                joined == "dot"
                and len(a.free) == 2
                and a.shape == b.shape
                and a.shape[-1] == a.shape[-2]
            ):
                raise TwoReadingsError(
                    "a dot between two square tables could be elementwise or the product of matrices",
                    r"\odot for elementwise, nothing between for the product of matrices",
                    at,
                )
            found = matrix_product(a, b)
            if found is not None:
                return found
        return combined("*", a, b, self.order)

    def power(self, node: Power, place: Place) -> Term:
        """A power; that of σ, or of a letter that is no name, may be a name itself: σ² is the variance."""
        if isinstance(node.base, Symbol) and isinstance(node.exponent, Number):
            squared = replace(node.base, base=f"{node.base.base}^{node.exponent.value}")
            for symbol in (
                (squared, node.base) if node.base.base == "sigma" else (node.base, squared)
            ):
                try:
                    self.lexicon.meaning(symbol, place.steps, place.bound)
                except MissingError:
                    continue
                return (
                    self.plain_power(node, place)
                    if symbol is node.base
                    else self.symbol(symbol, place)
                )
        return self.plain_power(node, place)

    def plain_power(self, node: Power, place: Place) -> Term:
        """A power of elements."""
        letter = index_of(node.exponent)
        if letter is not None and letter.name in self.timed:
            raise UnreadableError(
                "is this a power, or a time step?", f"h_{{{letter.name}}} for a step", node.at
            )
        base, exponent = self.value(node.base, place), self.value(node.exponent, place)
        inverse = isinstance(exponent.code, ast.UnaryOp) and len(base.free) == 2
        if inverse and base.shape[-1] == base.shape[-2] and not base.named:
            raise TwoReadingsError(
                "is this the inverse of a matrix, or of each element?",
                r"\frac{1}{...} for elements",
                node.at,
            )
        return combined("**", base, exponent, self.order)
