"""A small change of a line, and the words out of which changes are made."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tracer.checking.derivations.reading import spoken

from .multipliers import Multiplier
from .places import number_of, places


@dataclass(frozen=True, eq=False)
class Edit:
    """One small change: the kind of mistake that it mends, in words, the part that changes, and what it becomes."""

    kind: str
    text: str
    old: ast.expr
    new: ast.expr


@dataclass(frozen=True, eq=False)
class Words:
    """What can be put into a line, as code. See `words.words_for`.

    values: recorded values and helpers, those in the lines first. unnamed: what recorded values without a name compute.
    near: gradients that the derivation itself gives. far: other recorded gradients. lengths: of axes. literals: numbers
    that operations of the trace read. shapes: of words, where they are known. masks: the values that are 0 or one other
    number. shares: the values that are positive and add up to 1. epsilons: small numbers.
    """

    values: tuple[ast.expr, ...] = ()
    unnamed: tuple[ast.expr, ...] = ()
    near: tuple[ast.expr, ...] = ()
    far: tuple[ast.expr, ...] = ()
    lengths: tuple[tuple[int, ast.expr], ...] = ()
    literals: tuple[float, ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    masks: frozenset[str] = frozenset()
    shares: frozenset[str] = frozenset()
    epsilons: tuple[ast.expr, ...] = ()
    indices: tuple[ast.expr, ...] = ()
    """Steps in time and the like: `t`, `t - 1`, `k`."""
    numbers: frozenset[str] = frozenset()
    """The names of plain numbers."""
    made: tuple[ast.expr, ...] = ()
    """The arrays that lines above give and nothing recorded is called."""
    helpers: tuple[ast.expr, ...] = ()
    """Those of them that are no gradients."""
    only_recorded: frozenset[str] = frozenset()
    """The values and gradients that no line of the derivation names or gives."""
    one_sided: frozenset[str] = frozenset()
    """The values that are positive everywhere, or nowhere: a mask made of one does nothing."""
    multipliers: Mapping[str, tuple[Multiplier, ...]] = field(default_factory=dict)
    """The constants by which a gradient, by name, comes down to the value in question."""

    def is_gradient(self, part: ast.expr) -> bool:
        """Whether a name in a line stands for a gradient."""
        text = ast.unparse(part)
        return any(text == ast.unparse(word) for word in (*self.near, *self.far))

    def is_helper(self, part: ast.expr) -> bool:
        """Whether a name is one that a line above made."""
        return any(ast.unparse(part) == ast.unparse(word) for word in self.made)

    def alike(self, a: ast.expr, b: ast.expr) -> bool:
        """Whether one word can stand for another, as far as their shapes are known."""
        one, other = self.shapes.get(ast.unparse(a)), self.shapes.get(ast.unparse(b))
        return one is None or other is None or one == other

    def is_length(self, part: ast.expr) -> bool:
        """Whether a part of a line stands for the length of an axis."""
        text = ast.unparse(part)
        if ".shape" in text or ".size" in text or "len(" in text:
            return True
        return any(text == ast.unparse(code) for _, code in self.lengths)


def said(part: ast.expr) -> str:
    """A part of a line as its author would write it, shortened; `-3/2` without spaces."""
    text = spoken(ast.unparse(part))
    if number_of(part) is not None:
        text = text.translate(str.maketrans("", "", " ()"))
    return text if len(text) <= 48 else text[:47] + "…"


def leaves(tree: ast.expr) -> list[ast.expr]:
    """The names of a line, and elements of them such as `h[t]`, from left to right."""
    found = [
        place.part
        for place in places(tree)
        if isinstance(place.part, ast.Subscript)
        or (isinstance(place.part, ast.Name) and not isinstance(place.around, ast.Subscript))
    ]
    order = {id(part): k for k, part in enumerate(_written(tree))}
    return sorted(found, key=lambda part: order[id(part)])


def _written(tree: ast.AST) -> Iterator[ast.AST]:
    """All parts of an expression, from left to right."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(list(ast.iter_child_nodes(part)))


def base_of(part: ast.expr) -> str:
    """The name of a word without its step: `h` of `h[t]` and of `h#3`."""
    return spoken(ast.unparse(part)).split("[")[0].split("#")[0]
