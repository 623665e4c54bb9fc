"""What the symbols of a formula mean: recorded values at time steps, own definitions, sizes such as m, constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from tracer.checking.derivations.names import Family, Names
from tracer.checking.derivations.names.spellings import plain
from tracer.checking.derivations.reading import REPEAT
from tracer.checking.derivations.refusals import RefusedError

from .arrays import shape_of
from .tokens import Token, UnreadableError
from .tree import Index, Symbol

LOSSES = frozenset("L l ell J E C loss Loss cost Cost".split())
"""What the loss is called above the line of ∂L/∂x."""
ENDS = ("T", "L")
"""Letters of the last time step and the last layer."""
BATCH = frozenset(("B", "batch"))
"""What stands below a statistic to say that it is the batch's."""
ROWS, COLUMNS = frozenset("mnNMB"), frozenset("KCDHdk")
"""Limits of sums over a batch, and over classes or features."""
SIZES = frozenset("m n N M B T K D H d".split())
"""Letters that often stand for a length."""

Steps = Mapping[str, int]
"""The time step that each letter stands for at the moment, counted as the network counts."""


class MissingError(UnreadableError):
    """A symbol that nothing defines so far; a line below may."""


class OutsideError(UnreadableError):
    """A time step that was not recorded. Beyond the last step gradients are zero, so a term with one adds nothing."""

    vanishes = False


@dataclass(frozen=True)
class Meaning:
    """What a symbol stands for: the name in the calculator, its shape, the node if it is recorded, the indices left."""

    name: str
    shape: tuple[int, ...]
    node: int | None = None
    rest: tuple[Index, ...] = ()


def canonical(name: str) -> str:
    """A name without its spelling: `x_hat`, `xhat` and `x̂` are one.

    >>> canonical("x_hat") == canonical("x̂"), canonical("W_hh"), canonical("sigma^2") == canonical("var")
    (True, 'Whh', True)
    """
    return plain(name.replace("^", ""))


@dataclass
class Lexicon:
    """The names of a trace and those that a derivation defines."""

    names: Names
    announced: frozenset[str] = frozenset()
    """What some line of the derivation defines."""
    defined: dict[tuple[str, int | None], Meaning] = field(default_factory=dict)
    """What the lines have defined so far, by name and time step."""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    """First and last step of what is defined for each step."""
    sizes: dict[str, float] = field(default_factory=dict)
    """Lengths and numbers that the text gives names to."""
    used: dict[str, int] = field(default_factory=dict)
    """Names of lengths, and the line of their first use."""
    hints: dict[str, str] = field(default_factory=dict)
    """Which axis a lone index counts, `first` or `last`, by the limits of the sums over it and by custom."""
    offset: int = 0
    """What is added to a time step as written to have it as the network counts."""
    made: int = 0
    """How many parts of formulas were translated so far."""

    def knows(self, word: str) -> bool:
        """Whether a word is the name of something; `d` only if it is recorded, for it also makes dx out of x."""
        if self.recorded(word) is not None:
            return True
        return word != "d" and canonical(word) in self.announced

    def recorded(self, name: str) -> int | None:
        """The node of a recorded value, however it is spelled; None if there is none."""
        return self.names.value(name.replace("^", "")) if name else None

    def family(self, name: str) -> Family | None:
        """The values of a name at each time step, if it was recorded at many."""
        return self._families.get(canonical(name))

    @cached_property
    def _families(self) -> dict[str, Family]:
        return {plain(name): family for name, family in self.names.families.items()}

    # ----- meanings

    def meaning(self, symbol: Symbol, steps: Steps, bound: frozenset[str]) -> Meaning:
        """What a symbol means. steps: the letters of time; bound: the letters that sums and left sides bind.

        Raises `MissingError` if nothing bears the name, `OutsideError` beyond the recorded steps, `UnreadableError`
        where two readings are possible.
        """
        try:
            for variant in self._variants(symbol, bound):
                found = self._found(variant, steps, bound)
                if found is not None:
                    return found
        except UnreadableError:
            raise
        except RefusedError as refused:
            raise UnreadableError(refused.reason, refused.cure, symbol.at) from None
        raise self.missing(symbol)

    def _variants(self, symbol: Symbol, bound: frozenset[str]) -> Iterator[Symbol]:
        """A symbol as written, and without the mark of the batch."""
        marks = [i for i in symbol.indices if i.name in BATCH and i.name not in bound]
        bare = replace(symbol, indices=tuple(i for i in symbol.indices if i not in marks))
        if marks:
            yield replace(
                bare, base=symbol.base + "".join(i.name for i in symbol.indices), indices=()
            )
        yield bare

    def _found(self, symbol: Symbol, steps: Steps, bound: frozenset[str]) -> Meaning | None:
        """What a symbol means with as many of its indices as possible read as a part of its name."""
        indices = symbol.indices
        for cut in range(len(indices), -1, -1):
            within, rest = indices[:cut], indices[cut:]
            timed = cut == 1 and within[0].name in steps
            if not timed and any(i.shift or i.name == ":" or i.name in bound for i in within):
                continue
            below = "".join(index.name for index in within)
            for key in dict.fromkeys(
                (symbol.base + symbol.label + below, symbol.base + below + symbol.label)
            ):
                # the t of x_t may be a part of the name, and the time step too
                found = self._at(key, symbol, indices if timed else rest, steps, whole=not timed)
                if found is not None:
                    self._refuse_two(found, symbol, () if timed else within)
                    return found
        return None

    def _at(
        self, key: str, symbol: Symbol, rest: tuple[Index, ...], steps: Steps, *, whole: bool
    ) -> Meaning | None:
        """What a name means at the time step that the indices give. whole: whether it may mean one value for all."""
        name = canonical(key)
        step = self.step(rest[0], steps) if rest else None
        if (name, None) in self.defined and whole:
            return replace(self.defined[name, None], rest=rest)
        if step is not None and name in self.spans:
            if (name, step) in self.defined:
                return replace(self.defined[name, step], rest=rest[1:])
            if step > self.spans[name][1]:
                beyond = self.outside(symbol)
                beyond.vanishes = True
                raise beyond
            if self.family(key) is None:
                raise self.missing(symbol)
        family = self.family(key)
        if family is not None and step is not None:
            return replace(self._timed(family, step, symbol), rest=rest[1:])
        if not whole:
            return None
        node = self.recorded(key)
        if node is not None:
            return replace(self._node(node), rest=rest)
        return self._constant(name) if not rest else None

    def _refuse_two(self, found: Meaning, symbol: Symbol, within: tuple[Index, ...]) -> None:
        """Complain about `x_i` where both `xi` and `x` were recorded."""
        if (
            not within
            or found.node is None
            or not all(len(i.name) == 1 and i.name.isalpha() for i in within)
        ):
            return
        other = self.recorded(symbol.base + symbol.label)
        if other is not None and other != found.node:
            base = self._node(other)
            if len(base.shape) >= len(within):
                raise UnreadableError(
                    f"{symbol.written} could be the recorded {found.name}, or {base.name} with an index",
                    f"\\text{{{found.name}}} for the first, other letters as indices for the second",
                    symbol.at,
                )

    def _node(self, node: int) -> Meaning:
        trace = self.names.trace
        return Meaning(trace.label(node).replace("#", REPEAT), shape_of(trace.value(node)), node)

    def _timed(self, family: Family, step: int, symbol: Symbol) -> Meaning:
        """A value at a recorded time step; before the first, the value that the recurrence starts from."""
        first, last = self.span(family)
        if step > last:
            raise self.outside(symbol)
        try:
            return self._node(family.node(step - first))
        except IndexError:
            raise UnreadableError(
                f"{symbol.written}: {family.name} was recorded at steps {first} to {last}, not at {step}",
                f"a name for the first value, such as {family.name}0 = tr.tensor(...)",
                symbol.at,
            ) from None

    def _constant(self, key: str) -> Meaning | None:
        """A size that the text names, or what names.py infers: epsilon, the length of the batch."""
        known = key in self.sizes or key in map(plain, self.names.constants)
        if known or (key in SIZES and self.names.length(key) is not None):
            return Meaning(key, ())
        return None

    def missing(self, symbol: Symbol) -> MissingError:
        """The complaint about a symbol that nothing bears."""
        key = symbol.base + symbol.label
        refused = self.names.unknown(key)
        cure = refused.cure
        if key in ("epsilon", "eps"):
            cure = r"a line such as  \epsilon = 10^{-5}"
        elif key in SIZES and not symbol.indices:
            cure = rf"{key} as the limit of a sum, \sum_{{i=1}}^{{{key}}}, or a line  {key} = ..."
        elif symbol.base.startswith("grad "):
            return MissingError(refused.reason, cure, symbol.at)
        return MissingError(
            f"{symbol.written} is neither defined in a line nor recorded", cure, symbol.at
        )

    def outside(self, symbol: Symbol) -> OutsideError:
        """The complaint about a step beyond the last; where a term may be left out, it is."""
        return OutsideError(
            f"{symbol.written} lies beyond the last step",
            "a line of its own for the last step",
            symbol.at,
        )

    # ----- time

    def span(self, family: Family) -> tuple[int, int]:
        """The first and the last step of a family, counted as the scopes or names say, else from 1."""
        first = 1 if family.first is None else family.first
        return first, first + len(family) - 1

    def step(self, index: Index, steps: Steps) -> int | None:
        """The recorded time step that an index stands for, None if it stands for none."""
        if index.name in steps:
            return steps[index.name] + index.shift
        if index.name.isdecimal() and self.names.families and len(index.name) < 9:
            return int(index.name) + self.offset
        if index.name in ENDS and self.names.families and self.recorded(index.name) is None:
            lasts = {self.span(family)[1] for family in self.names.families.values()}
            return lasts.pop() + index.shift if len(lasts) == 1 else None
        return None

    def families_under(self, symbol: Symbol) -> tuple[str, Family] | None:
        """The letter that counts the time steps of a symbol, and the values that it counts; None if none does."""
        if (
            not symbol.indices
            or symbol.indices[0].name in (*ENDS, ":")
            or symbol.indices[0].name.isdecimal()
        ):
            return None
        letter = symbol.indices[0].name
        if (
            self.recorded(symbol.base + symbol.label + "".join(i.name for i in symbol.indices))
            is not None
        ):
            family = self.family(symbol.base + symbol.label + letter)
        else:
            family = self.family(symbol.base + symbol.label) or self.family(
                symbol.base + symbol.label + letter
            )
        if family is not None and len(letter) == 1:
            return letter, family
        return None

    def use(self, name: str, at: Token) -> None:
        """Remember that a length was used by name."""
        if (name, None) not in self.defined:
            self.used.setdefault(name, at.line)
