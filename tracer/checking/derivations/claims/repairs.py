"""The lines that feed a wrong gradient, and what it would come to if one of them were written otherwise."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tracer.checking.derivations.calculator import Known, evaluate
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import Line
from tracer.checking.derivations.refusals import RefusedError
from tracer.checking.derivations.running.scope import Scope
from tracer.checking.derivations.running.tape import Done
from tracer.checking.diagnosis.patience import TRY, Patience

Array = Any
"""A numpy array or numpy scalar."""

MOST_LINES = 64
"""Lines that feed a gradient, the nearest ones, at most."""


class Repairs:
    """See `diagnosis.wrong.Repairs`. It knows the run in which every earlier gradient was the recorded one.

    Only what depends on the line that changes is done again, so that thousands of ways to write it can be tried.
    """

    def __init__(
        self,
        names: Names,
        base: int,
        done: Sequence[Done],
        claim: Done,
        chosen: tuple[Line, ...] | None = None,
    ) -> None:
        self._names, self._base, self._done, self._claim = names, base, done, claim
        self._chosen = chosen
        self.patience = Patience()
        """What may still be spent on trying."""

    def only(self, chosen: tuple[Line, ...]) -> Repairs:
        """The same, where only these of its lines may be written otherwise."""
        found = Repairs(self._names, self._base, self._done, self._claim, chosen)
        found.patience = self.patience
        return found

    @cached_property
    def _feeding(self) -> list[Done]:
        """The assignments that the claim was made of, since the last gradients that were judged, in order."""
        found, waiting = {self._claim.number}, [self._claim]
        while waiting:
            for number in waiting.pop().reads:
                if number not in found:
                    found.add(number)
                    waiting.append(self._done[number])
        return [self._done[number] for number in sorted(found)]

    def _turns_of(self, line: Line) -> list[Done]:
        """What the claim was made of, and every other turn of a line: written otherwise, it may read the one before."""
        if line not in self._of_line:
            feeding = {done.number: done for done in self._feeding}
            last = self._claim.number
            feeding |= {d.number: d for d in self._done[:last] if d.line is line}
            self._of_line[line] = [feeding[number] for number in sorted(feeding)]
        return self._of_line[line]

    @cached_property
    def _known(self) -> dict[int, Known]:
        """Parts of lines that have been evaluated, by assignment."""
        return {}

    @cached_property
    def _of_line(self) -> dict[Line, list[Done]]:
        return {}

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines that the claim was made of, each once, its own last; or those of them that were chosen."""
        if self._chosen is not None:
            return self._chosen
        own = self._claim.line
        each = dict.fromkeys(done.line for done in reversed(self._feeding) if done.line is not own)
        return (*reversed([*each][: MOST_LINES - 1]), own)

    @cached_property
    def names(self) -> Mapping[str, Any]:
        """What the lines above define, with the values that the claim's line sees."""
        before = self._claim.before or {}
        kinds = (int, float, np.ndarray, np.generic)
        return {
            name: bound.value
            for name, bound in before.items()
            if isinstance(name, str) and isinstance(bound.value, kinds)
        }

    @cached_property
    def written(self) -> tuple[ast.expr, ...]:
        """What the lines of the derivation assign, each once."""
        return tuple(line.expression for line in dict.fromkeys(done.line for done in self._done))

    @property
    def effort(self) -> int:
        """How many assignments are done again, at most, to try one way to write a line."""
        return len(self._feeding)

    def matters(self, index: int) -> bool:
        """Whether the claim would be another one if the line of that index came to a quarter more."""
        line = self.lines[index]
        more = ast.BinOp(line.expression, ast.Mult(), ast.Constant(1.25))
        found = self.again(index, more)
        return found is not None and not np.allclose(found, self._claim.result, rtol=1e-6)

    def again(self, index: int, expression: ast.expr) -> Array | None:
        """What the claim comes to if the line of that index says `expression`; None if it cannot be computed."""
        self.patience.spend(TRY + 10 * int(np.size(self._claim.result)))
        line = self.lines[index]
        instead: dict[int, Any] = {}
        itself = any(isinstance(p, ast.Name) and p.id == line.target for p in ast.walk(expression))
        for done in self._turns_of(line) if itself else self._feeding:
            changed = done.line is line
            if not changed and not any(number in instead for number in done.reads):
                continue
            if done.before is None:
                return None
            scope = Scope(self._names, self._base, bound=dict(done.before), turns=done.turns)
            scope.instead = instead
            scope.spend = self.patience.spend  # type: ignore[method-assign]
            try:
                if not changed:
                    value = evaluate(done.line.expression, scope)
                elif instead:
                    value = evaluate(expression, scope)
                else:  # the first line that changes: what its names mean is the same each time
                    value = evaluate(
                        expression, scope, self._known.setdefault(done.number, Known())
                    )
                if done.put is not None:
                    value = done.put(scope.value(done.name), value)
            except (RefusedError, ValueError, TypeError, IndexError, KeyError):
                return None
            plain = isinstance(value, (int, float, np.ndarray, np.generic))
            if done is self._claim and not plain:
                return None
            instead[done.number] = value
        return instead.get(self._claim.number, self._claim.result)
