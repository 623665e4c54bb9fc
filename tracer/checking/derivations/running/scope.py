"""What names mean at one moment of a derivation: by the lines above, else as recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.checking.derivations.names import Family, Names
from tracer.checking.derivations.names.recorded import UPSTREAM
from tracer.checking.derivations.names.spellings import plain
from tracer.checking.derivations.reading import spoken
from tracer.checking.derivations.refusals import RefusedError

Key = str | int
"""A name, or the node of a gradient that a line gave."""


@dataclass(frozen=True, eq=False)
class Bound:
    """A value that a name has, and which assignment gave it; −1 if none that is to be taken apart."""

    value: Any
    source: int = -1


@dataclass(frozen=True, eq=False)
class Turn:
    """A turn of a loop: the whole numbers it runs over, by name, and the one of this turn."""

    spans: Mapping[str, tuple[int, ...]]
    at: int
    """Which turn it is, counted from 0."""
    count: int
    backwards: bool
    """Whether it goes through lists from the end, where it has no number."""


def step_of(
    family: Family, turns: tuple[Turn, ...], base: int, *, ahead: int = 0
) -> tuple[int, int] | None:
    """The step at which the innermost loop over time stands, or will some turns ahead; None without such a loop.

    It is counted from 0, and beside it as the loop counts.
    """
    length = len(family)
    named = [(turn, name) for turn in reversed(turns) for name in turn.spans]
    named.sort(key=lambda each: each[1] not in ("t", "time", "step"))
    for turn, name in named:
        span, at = turn.spans[name], turn.at + ahead
        if at >= len(span):
            return None
        number = span[at]
        whole = len(span) == length and max(span) - min(span) == length - 1
        step = number - (min(span) if whole else base)
        if -1 <= step < length:
            return step, number
    for turn in reversed(turns):
        if not turn.spans and turn.count == length:
            at = turn.at + ahead
            step = length - 1 - at if turn.backwards else at
            return step, step + base
    return None


@dataclass
class Scope:
    """The meanings of names at one moment; see `calculator.Meanings`.

    bound: what the lines above gave. base: the number of the first time step. claimed: the gradients that the
    derivation gives somewhere. instead: other values of assignments, in a repair.
    """

    names: Names
    base: int = 0
    claimed: Collection[int] = ()
    bound: dict[Key, Bound] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    instead: Mapping[int, Any] = field(default_factory=dict)
    reads: set[int] = field(default_factory=set)
    """The assignments whose values were used since this was emptied."""
    words: set[str] = field(default_factory=set)
    """The names that were used since this was emptied."""
    taken: dict[int, str] = field(default_factory=dict)
    """The gradients that were used as recorded since this was emptied, and under which name."""
    notes: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The value of a name: by the lines above, else as recorded."""
        self.words.add(name)
        if name in self.bound:
            return self._of(self.bound[name])
        self.names.refuse_outside(name)
        family = self.names.gradient_family(name)
        node = self._now(family, name) if family is not None else self.names.gradient(name)
        if node is not None:
            return self.gradient(node, name)
        family = self.names.family(name)
        node = self._now(family, name) if family is not None else self.names.value(name)
        if node is not None:
            if family is None and spoken(name) in self.names.repeated:
                self.say_latest(name, node)
            return self.names.trace.value(node)
        return self._inferred(name)

    def steps(self, name: str) -> _Steps | None:
        """The values at each step that a name means, None for any other."""
        family = self.names.gradient_family(name)
        if family is not None and (name not in self.bound or self._kept_by_step(name, family)):
            return _Steps(self, name, family, gradients=True)
        if name in self.bound:
            return None
        self.names.refuse_outside(name)
        family = self.names.family(name)
        if family is None:
            return None
        if name not in self.names.families:
            self.notes[name] = (
                f"{name}[t] was read as {family.name}[t], the recorded value of step t"
            )
        return _Steps(self, name, family, gradients=False)

    def forget(self, name: str) -> None:
        """Let a name mean what was recorded again, and the gradient that it means too."""
        self.bound.pop(name, None)
        family = self.names.gradient_family(name)
        node = self._now(family, name) if family is not None else self.names.gradient(name)
        if node is not None:
            self.bound.pop(node, None)

    def tick(self) -> None:
        """Told of a turn of a comprehension; a run counts it, and so does a search for a repair."""

    def spend(self, work: int) -> None:
        """Told of work that was done, as `tick` of turns."""

    def gradient(self, node: int, name: str) -> Any:
        """The gradient of a node: by the lines above, else as recorded."""
        if node in self.bound:
            return self._of(self.bound[node])
        self.taken[node] = name
        return self.names.recorded_gradient(node, name)

    def _of(self, bound: Bound) -> Any:
        if bound.source >= 0:
            self.reads.add(bound.source)
            if bound.source in self.instead:
                return self.instead[bound.source]
        return bound.value

    def _kept_by_step(self, name: str, family: Family) -> bool:
        """Whether a name holds one gradient for each step, and not one gradient."""
        held = self.bound[name].value
        if isinstance(held, (list, dict)):
            return True
        return bool(np.shape(held) != np.shape(self.names.trace.value(family.nodes[-1])))

    def _now(self, family: Family, name: str) -> int | None:
        """The node of a family that its bare name means: of this step in a loop over time, else the latest."""
        found = step_of(family, self.turns, self.base)
        if found is not None:
            try:
                return family.node(found[0])
            except IndexError:
                pass
        self.names.refuse_stem(name, family)
        self.say_latest(name, family.nodes[-1])
        return family.nodes[-1]

    def say_latest(self, name: str, node: int) -> None:
        """A note that a name of many values means the latest of them."""
        trace = self.names.trace
        many = self.names.repeated.get(trace.names[node], 0)
        if many and trace.label(node) != spoken(name):
            shown = trace.names[node]
            self.notes[shown] = (
                f"{shown} was recorded {many} times: it means the latest, {trace.label(node)}"
            )

    def _inferred(self, name: str) -> Any:
        """What a name stands for that nobody defined: a parameter, a length, the gradient of the output."""
        names = self.names
        known = name if name in names.constants else plain(name)
        if known in names.constants:
            value = names.constants[known]
            self.notes[name] = f"{name} is defined nowhere: it was read as the recorded {value:g}"
            return value
        found = names.length(name)
        if found is not None:
            self.notes[name] = f"{name} is defined nowhere: it was read as {found[0]}, {found[1]}"
            return found[0]
        if name in UPSTREAM:
            node = names.output(self.claimed)
            if node is not None:
                self.notes[name] = f"{name} was read as dL/d{names.trace.label(node)}"
                return self.gradient(node, name)
        raise names.unknown(name)


@dataclass(frozen=True, eq=False)
class _Steps:
    """The values, or gradients, of a family as an expression reaches them; see `calculator.Steps`."""

    scope: Scope
    name: str
    family: Family
    gradients: bool

    def at(self, index: int, *, written: bool) -> Any:
        """The value at a time step, as the derivation counts them."""
        scope = self.scope
        step = len(self.family) + index if written and index < 0 else index - scope.base
        scope.words.add(self.name)
        try:
            node = self.family.node(step)
        except IndexError:
            held = self._held()
            if held is not None:
                return _entry(held, index, self.name)
            first = scope.base
            raise BeyondError(
                f"there is no {spoken(self.name)}[{index}]: its time steps are {first} to "
                f"{first + len(self.family) - 1}",
                "the steps that were recorded; a condition such as  if t < T:  at the ends",
            ) from None
        if not self.gradients:
            return scope.names.trace.value(node)
        held = self._held()
        if node not in scope.bound and held is not None:
            return _entry(held, index, self.name)
        return scope.gradient(node, self.name)

    def all(self) -> list[Any]:
        """The values at all steps."""
        held = self._held()
        if isinstance(held, (list, np.ndarray)):
            return list(held)
        scope = self.scope
        if self.gradients:
            return [scope.gradient(node, self.name) for node in self.family.nodes]
        return [scope.names.trace.value(node) for node in self.family.nodes]

    def _held(self) -> Any:
        """The list or array that the derivation made for the gradients of all steps, None if it made none."""
        bound = self.scope.bound.get(self.name)
        return None if bound is None else self.scope._of(bound)


class BeyondError(RefusedError):
    """A time step that was not recorded: perhaps the derivation counts from another number."""


def _entry(held: Any, index: int, name: str) -> Any:
    try:
        return held[index]
    except (IndexError, KeyError):
        raise BeyondError(
            f"there is no {spoken(name)}[{index}]", "the entries that it has"
        ) from None
