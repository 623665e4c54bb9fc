"""What the symbols of a formula come to: arrays with the names of their axes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tracer.checking.derivations.refusals import RefusedError

from .arrays import (
    Term,
    called,
    unnamed,
)
from .lexicon import LOSSES, Lexicon, Meaning, MissingError, OutsideError
from .tokens import UnreadableError
from .tree import (
    Gradient,
    Node,
    Sum,
    Symbol,
    index_of,
    parts,
)


@dataclass(frozen=True)
class Reading:
    """How to read what has several readings: which axis a lone index counts, and what stands side by side.

    axis: `first` or `last`. product: `matrix` wherever shapes allow; `tables` only of two tables; `each` never.
    """

    axis: str = "first"
    product: str = "matrix"


READINGS = tuple(
    Reading(axis, product) for axis in ("first", "last") for product in ("matrix", "tables", "each")
)
"""In the order in which they are tried; the first that gives the shape of the left side is taken."""


@dataclass(frozen=True)
class Place:
    """Where in an equation a part stands: the time steps of letters, and the letters that are bound."""

    steps: Mapping[str, int]
    bound: frozenset[str]


Spans = Mapping[str, tuple[int, int]]
"""The letters that count time steps, and the first and last step of each."""


class Naming:
    """Looks up symbols under one reading.

    order: the indices of the left side. spans: the letters of time. lengths: how far indices run, as far as that is
    known from arrays all of whose axes are named; guessed: as far as it can be supposed.
    """

    def __init__(
        self, lexicon: Lexicon, reading: Reading, order: tuple[str, ...], spans: Spans
    ) -> None:
        self.lexicon, self.reading, self.order, self.spans = lexicon, reading, order, spans
        self.timed = frozenset(spans)
        self.lengths: dict[str, int] = {}
        self.guessed: dict[str, int] = {}

    def measure(self, node: Node, place: Place) -> None:
        """Find how far the indices run, from symbols that name all of their axes and from limits that are known."""
        sure: dict[str, int] = {}
        guessed: dict[str, int] = {}
        sums: list[Sum] = []
        for part in parts(node):
            if isinstance(part, (Symbol, Gradient)):
                symbol = part if isinstance(part, Symbol) else part.of
                steps = {letter: last for letter, (_, last) in self.spans.items()} | dict(
                    place.steps
                )
                try:
                    meaning = self.lexicon.meaning(symbol, steps, place.bound | set(self.timed))
                except (RefusedError, OutsideError):
                    continue
                whole = len(meaning.rest) == len(meaning.shape)
                lacking = len(meaning.shape) - len(meaning.rest)
                first = self.reading.axis == "first" or lacking < 0
                names = [i.name for i in meaning.rest] if lacking >= 0 else []
                for name, length in zip(
                    names, meaning.shape if first else meaning.shape[lacking:], strict=False
                ):
                    if whole:
                        sure[name] = max(length, sure.get(name, 1))
                    else:
                        guessed[name] = max(length, guessed.get(name, 1))
            elif (
                isinstance(part, Sum)
                and len(part.letters) == 1
                and part.letters[0] not in self.timed
            ):
                end = index_of(part.upper)
                known = None if end is None else self.lexicon.sizes.get(end.name)
                if end is not None and end.name.isdecimal() and len(end.name) < 9:
                    known = int(end.name)
                if known is not None and end is not None and not end.shift:
                    guessed[part.letters[0]] = int(known)
                sums.append(part)
        self.lengths |= {
            name: length for name, length in sure.items() if length > 1 or name not in self.lengths
        }
        for part in sums:
            far = sure.get(part.letters[0], guessed.get(part.letters[0]))
            if far is not None:
                self.bind(part, far)
        self.guessed |= guessed

    def bind(self, node: Sum, length: int) -> None:
        """Let the upper limit of a sum be the name of a length, if it is no name so far."""
        end, start = index_of(node.upper), index_of(node.lower)
        if (
            end is None
            or end.name.isdecimal()
            or end.shift
            or (start is not None and start.name == "0")
        ):
            return
        free = end.name not in self.lexicon.sizes and (end.name, None) not in self.lexicon.defined
        if free and self.lexicon.recorded(end.name) is None:
            self.lexicon.sizes[end.name] = length

    def symbol(self, node: Symbol, place: Place) -> Term:
        """A recorded value, a name of the derivation, a size, or Kronecker's delta."""
        letters = [index.name for index in node.indices]
        try:
            meaning = self.lexicon.meaning(node, place.steps, place.bound)
        except MissingError:
            signal = self.signal(node, place)
            if signal is not None:
                return self.picked(signal, replace(node), place, gradient=True)
            if node.base == "delta" and len(letters) == 2 and not node.label:
                return self.kronecker(node, letters[0], letters[1])
            raise
        if meaning.node is None:
            self.lexicon.use(meaning.name, node.at)
        return self.picked(meaning, node, place)

    def signal(self, node: Symbol, place: Place) -> Meaning | None:
        """The pre-activation z whose gradient an error signal δ is, where nothing is called δ."""
        if node.base != "delta" or (len(node.indices) == 2 and not node.label):
            return None
        try:
            meaning = self.lexicon.meaning(replace(node, base="z"), place.steps, place.bound)
        except MissingError:
            return None
        except OutsideError as error:
            error.vanishes = True
            raise
        return meaning if meaning.node is not None else None

    def gradient(self, node: Gradient, place: Place) -> Term:
        """The gradient of a value, recorded or by a line of the derivation."""
        self.refuse_local(node)
        try:
            meaning = self.lexicon.meaning(node.of, place.steps, place.bound)
        except OutsideError as error:
            error.vanishes = True
            raise
        except MissingError:
            helper = replace(node.of, base="grad " + node.of.base)
            try:
                return self.picked(
                    self.lexicon.meaning(helper, place.steps, place.bound), node.of, place
                )
            except MissingError:
                raise self.lexicon.missing(node.of) from None
        if meaning.node is None:
            raise UnreadableError(
                f"the gradient of {node.of.written}, which is not recorded",
                "a name for it in the network",
                node.at,
            )
        return self.picked(meaning, node.of, place, gradient=True)

    def refuse_local(self, node: Gradient) -> None:
        """Complain about ∂y/∂x, which is not the gradient of the loss."""
        loss = node.loss
        if loss is None or (loss.base in LOSSES and not loss.indices):
            return
        trace = self.lexicon.names.trace
        if loss.base == trace.names[trace.loss] and not loss.indices:
            return
        raise UnreadableError(
            f"∂{loss.written}/∂{node.of.written} is not a gradient of the loss",
            rf"\frac{{\partial L}}{{\partial {node.of.base}}}, and local derivatives written out",
            node.at,
        )

    def picked(
        self, meaning: Meaning, node: Symbol, place: Place, *, gradient: bool = False
    ) -> Term:
        """An array with its axes named by the indices."""
        code: ast.expr = ast.Name(f"dL_d{meaning.name}" if gradient else meaning.name)
        shape, rest = meaning.shape, meaning.rest
        step = self.lexicon.step(rest[0], place.steps) if rest else None
        if step is not None and shape and rest[0].name in self.timed:
            place_in = step - self.spans[rest[0].name][0]
            if not 0 <= place_in < shape[0]:
                raise self.lexicon.outside(node)
            code = ast.Subscript(code, ast.Constant(place_in))
            shape, rest = shape[1:], rest[1:]
        if self.reading.axis == "last" and not rest and len(shape) > 1 and shape[-1] == 1:
            code = ast.Subscript(
                code, ast.Tuple([*[ast.Slice()] * (len(shape) - 1), ast.Constant(0)])
            )
            shape = shape[:-1]  # a statistic of each row, kept as a column
        if len(rest) > len(shape):
            raise UnreadableError(
                f"{node.written} has {len(rest)} indices, {meaning.name} has {len(shape)} axes",
                "an index for each axis" if shape else f"{node.base} without an index",
                node.at,
            )
        for index in rest:
            if index.shift or index.name.isdecimal():
                raise UnreadableError(
                    f"{node.written}: a single element cannot be taken",
                    "letters as indices; time steps need tr.scope(..., t=t) in the network",
                    node.at,
                )
        names = [index.name for index in rest if index.name != ":"]
        if len(set(names)) < len(names):
            raise UnreadableError(
                f"{node.written} has an index twice", r"\operatorname{diag}", node.at
            )
        return Term(code, self.axes(rest, shape), shape)

    def axes(self, rest: tuple[object, ...], shape: tuple[int, ...]) -> tuple[str, ...]:
        """The names of the axes of an array that some indices stand below."""
        names = [getattr(index, "name", "") for index in rest]
        lacking = len(shape) - len(names)
        if not lacking or not names:
            free = iter(unnamed(names.count(":") + lacking))
            return tuple(next(free) if name == ":" else name for name in [*names, *[":"] * lacking])
        first, last = (
            [self.lengths.get(n, m) == m or m == 1 for n, m in zip(names, size, strict=False)]
            for size in (shape, shape[lacking:])
        )
        at_first = all(first) and (not all(last) or self.reading.axis == "first")
        free = iter(unnamed(names.count(":") + lacking))
        padded = [*names, *[":"] * lacking] if at_first else [*[":"] * lacking, *names]
        return tuple(next(free) if name == ":" else name for name in padded)

    def kronecker(self, node: Symbol, a: str, b: str) -> Term:
        """δ_ij, 1 where the indices are equal."""
        far = self.guessed | self.lengths
        m, n = far.get(a), far.get(b)
        if m is None or n is None:
            raise UnreadableError(
                f"{node.written} is nothing recorded, and how far {a} and {b} run, for Kronecker's delta, is not known",
                f"a line that defines it, or an array with the index {b if n is None else a} on each axis",
                node.at,
            )
        sizes = [ast.Constant(m)] if m == n else [ast.Constant(m), ast.Constant(n)]
        return Term(called("np.eye", *sizes), (a, b), (m, n))
