"""Sums over indices: along axes, by einsum, or over time steps one by one."""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import pairwise

from .arrays import (
    Term,
    called,
    combined,
    contracted,
    number,
    summed,
)
from .functions import Functions
from .lexicon import SIZES, OutsideError
from .naming import Place
from .tokens import Token, UnreadableError
from .tree import (
    Node,
    Product,
    Sum,
    Terms,
    index_of,
)


class Sums(Functions):
    """Translates sums."""

    def sum(self, node: Sum, place: Place) -> Term:
        """A sum over indices: over axes, or over time steps one by one."""
        if len(node.letters) == 1 and node.letters[0] in self.timed:
            return self.over_time(node, place)
        inner = Place(place.steps, place.bound | set(node.letters))
        body, sign = node.body, 1
        if isinstance(body, Terms) and len(body.terms) == 1:
            sign, body = body.terms[0]
        found = (
            self.einsum(body, node, inner)
            if isinstance(body, Product) and not node.without
            else None
        )
        if found is None:
            term = self.value(body, inner)
            for a, b in node.without:
                length = {
                    axis: term.length(axis) if axis in term.axes else self.lengths.get(axis)
                    for axis in (a, b)
                }
                if None in length.values():
                    raise UnreadableError(
                        f"how far does {b} run?", "a sum over all, less the one term", node.at
                    )
                rest = ast.BinOp(
                    ast.Constant(1),
                    ast.Sub(),
                    called("np.eye", *(ast.Constant(length[x]) for x in (a, b))),
                )
                term = combined(
                    "*",
                    term,
                    Term(rest, (a, b), tuple(int(length[x] or 0) for x in (a, b))),
                    self.order,
                )
            found = self.along(node, term)
        return found if sign > 0 else self.negative(found)

    def along(self, node: Sum, term: Term) -> Term:
        """The sum of a term along the axes that the letters name."""
        for letter in node.letters:
            if letter in term.axes:
                self.limit(node, letter, term.length(letter))
                continue
            length = self.lengths.get(letter, self.guessed.get(letter))
            if length is None:
                raise UnreadableError(
                    f"nothing under the sum bears the index {letter}",
                    f"the index {letter} at what is summed",
                    node.at,
                )
            term = combined("*", number(length), term, self.order)
        axes = [letter for letter in node.letters if letter in term.axes]
        return summed(term, axes) if axes else term

    def limit(self, node: Sum, letter: str, length: int) -> None:
        """Compare the limits of a sum with the axis; the upper one may give a name to its length."""
        start, end = index_of(node.lower), index_of(node.upper)
        if node.lower is not None and (start is None or start.name not in ("0", "1")):
            raise UnreadableError(
                f"a sum over a part of the axis {letter}", "a sum from 1, over all", node.at
            )
        if end is None or (start is not None and start.name == "0"):
            return
        known = (
            int(end.name)
            if end.name.isdecimal() and len(end.name) < 9
            else self.lexicon.sizes.get(end.name)
        )
        if known is None:
            self.bind(node, length)
        elif known is not None and known + end.shift != length:
            raise UnreadableError(
                f"the sum goes to {end.name} = {known:g}, but {letter} runs over {length}",
                "another letter for this limit",
                node.at,
            )

    def einsum(self, body: Product, node: Sum, place: Place) -> Term | None:
        """A sum of a product in which no factor has all the indices, without the large array between."""
        if any(joined == "/" for joined, _ in body.factors):
            return None
        terms = [self.value(part, place) for _, part in body.factors]
        arrays = [term for term in terms if term.axes]
        every = {axis for term in arrays for axis in term.axes}
        lengths = {axis: {t.length(axis) for t in arrays if axis in t.axes} for axis in every}
        if (
            len(arrays) < 2
            or any(term.free or term.ones for term in terms)
            or any(set(term.axes) == every for term in arrays)
            or any(len(sizes) > 1 for sizes in lengths.values())
            or not set(node.letters) <= every
        ):
            return None
        for letter in node.letters:
            self.limit(node, letter, next(iter(lengths[letter])))
        found = contracted(arrays, node.letters, self.order)
        for scalar in (term for term in terms if not term.axes):
            found = combined("*", scalar, found)
        return found

    def over_time(self, node: Sum, place: Place) -> Term:
        """A sum over time steps, written out; steps beyond the last add nothing."""
        (letter,) = node.letters
        earliest, latest = first, last = self.spans[letter]
        if node.lower is not None:
            first = self.time_of(node.lower, place, node.at, earliest)
        if node.upper is not None:
            last = self.time_of(node.upper, place, node.at, latest)
        terms: list[Term] = []
        for step in range(max(first, earliest), min(last, latest) + 1):
            inner = Place({**place.steps, letter: step}, place.bound | {letter})
            try:
                terms.append(self.value(node.body, inner))
            except OutsideError as error:
                if not error.vanishes:
                    raise
        if not terms:
            return number(0.0)
        while len(terms) > 1:  # a tree of sums is less deep than a chain
            odd = terms[-1:] if len(terms) % 2 else []
            terms = [combined("+", a, b, self.order) for a, b in list(pairwise(terms))[::2]] + odd
        return terms[0]

    def time_of(self, node: Node, place: Place, at: Token, otherwise: int) -> int:
        """The time step that a limit of a sum means; a letter that means nothing else stands for the end."""
        index = index_of(node)
        step = None if index is None else self.lexicon.step(index, place.steps)
        if step is not None:
            return step
        if index is not None and index.name in SIZES and not index.shift:
            return otherwise
        raise UnreadableError(
            "the limit of this sum over time cannot be read", r"\sum_{t=1}^{T}", at
        )

    @staticmethod
    def negative(term: Term) -> Term:
        """The term with a minus."""
        return replace(term, code=ast.UnaryOp(ast.USub(), term.code), ones=False)
