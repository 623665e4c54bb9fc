"""What a formula is made of, once it is read: small records, each with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from .tokens import Token


@dataclass(frozen=True)
class Node:
    """A part of a formula. at: the token at which it begins."""

    at: Token


@dataclass(frozen=True)
class Number(Node):
    """A number as it was written."""

    value: int | float


@dataclass(frozen=True)
class Index:
    """One index of a symbol: a letter, a word or a number, and what is added to it: `t-1` is t and -1."""

    name: str
    shift: int = 0


@dataclass(frozen=True)
class Symbol(Node):
    """A letter or word with its indices. label: what stands above in brackets, as the 1 of `W^{(1)}`."""

    base: str
    indices: tuple[Index, ...] = ()
    label: str = ""

    @property
    def written(self) -> str:
        """The symbol as messages show it."""
        above = f"^({self.label})" if self.label else ""
        below = ",".join(f"{i.name}{i.shift:+d}" if i.shift else i.name for i in self.indices)
        return self.base + above + (f"_{below}" if below else "")


@dataclass(frozen=True)
class Gradient(Node):
    """The gradient of the loss with respect to a symbol; the loss as it was written."""

    of: Symbol
    loss: Symbol | None = None


@dataclass(frozen=True)
class Terms(Node):
    """A sum of terms, each with its sign, +1 or -1."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Product(Node):
    """Factors, each with what stands before it: `` (nothing), `dot`, `times`, `each` (elementwise) or `/`."""

    factors: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Power(Node):
    """A base and its exponent."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Transposed(Node):
    """A transpose."""

    inner: Node


@dataclass(frozen=True)
class Call(Node):
    """A function of some arguments; primes: how often it is differentiated."""

    name: str
    arguments: tuple[Node, ...]
    primes: int = 0


@dataclass(frozen=True)
class Sum(Node):
    """A sum over indices. lower, upper: its limits, where given; without: the `j, i` of `j \\ne i`."""

    letters: tuple[str, ...]
    lower: Node | None
    upper: Node | None
    body: Node
    without: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Relation(Node):
    """A comparison in brackets: 1 where it holds, else 0."""

    left: Node
    sign: str
    right: Node


@dataclass(frozen=True)
class Cases(Node):
    """Values and the conditions under which they hold; None holds otherwise."""

    rows: tuple[tuple[Node, Relation | None], ...]


@dataclass(frozen=True)
class Ones(Node):
    """A vector of ones."""


def parts(node: Node) -> Iterator[Node]:
    """The node and everything in it.

    >>> at = Token("letter", "x", 1, 0, 1)
    >>> [type(part).__name__ for part in parts(Transposed(at, Symbol(at, "x")))]
    ['Transposed', 'Symbol']
    """
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        for field in fields(node):
            value = getattr(node, field.name)
            nested = (
                [value] if isinstance(value, (Node, tuple)) and not isinstance(value, Token) else []
            )
            while nested:
                inner = nested.pop()
                if isinstance(inner, Node):
                    waiting.append(inner)
                elif isinstance(inner, tuple) and not isinstance(inner, Token):
                    nested += inner


def index_of(node: Node | None) -> Index | None:
    """The index that a formula such as `t - 1` or `3` is; None if it is none."""
    match node:
        case Symbol(base=base, indices=(), label=""):
            return Index(base)
        case Number(value=int() as value):
            return Index(str(value))
        case Terms(
            terms=((1, Symbol(base=base, indices=())), (sign, Number(value=int() as value)))
        ):
            return Index(base, sign * value)
    return None
