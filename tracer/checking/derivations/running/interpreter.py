"""Carries out the statements of a derivation on the numbers of a trace: loops and conditions, within limits of time."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Sequence

import numpy as np

from tracer.checking.derivations.calculator import evaluate, turns, unpacked
from tracer.checking.derivations.calculator.limits import STEP
from tracer.checking.derivations.reading import Program
from tracer.checking.derivations.refusals import MisfitError, RefusedError
from tracer.errors import DerivationError

from .assignments import Assignments
from .scope import BeyondError, Bound, Scope, Turn
from .setting import Setting
from .spans import Spans, backwards
from .storing import frozen, is_whole_number

SECONDS = 10.0
"""How long a derivation may run."""
MOST_STATEMENTS = 100_000
"""Statements that a derivation may carry out."""


class BeyondStepsError(Exception):
    """A time step was asked for that was not recorded: the complaint, in case no other reading fits."""

    def __init__(self, complaint: DerivationError) -> None:
        super().__init__(str(complaint))
        self.complaint = complaint


class UncomputableError(DerivationError):
    """One line alone cannot be computed: which, why, and the name in it that is not there, if that is why."""

    def __init__(self, said: str, statement: ast.stmt, refused: MisfitError) -> None:
        super().__init__(said)
        self.statement, self.reason, self.unknown = statement, refused.reason, refused.unknown


class Run:
    """One run of a derivation: `done` lists its assignments."""

    def __init__(
        self,
        program: Program,
        setting: Setting,
        most: int | None = None,
        most_work: int | None = None,
    ) -> None:
        self.program, self.setting = program, setting
        self.most = MOST_STATEMENTS if most is None else most
        """Statements that it may carry out."""
        self.work, self.most_work = 0, most_work
        """The work that was done, in billionths of a second as far as it is known, and the most there may be of it."""
        self.scope = Scope(setting.names, setting.base, setting.claimed)
        self.scope.tick, self.scope.spend = self.tick, self.spend  # type: ignore[method-assign]
        self.spans = Spans(setting.names, setting.base)
        self.assignments = Assignments(program, setting, self.scope)
        self.done = self.assignments.done
        self.statement: ast.stmt | None = None
        self.statements = 0
        """Statements that were carried out."""
        self.truths: dict[int, list[bool]] = {}
        """What the conditions came to, by line."""
        self._until = time.monotonic() + SECONDS

    @property
    def notes(self) -> list[str]:
        """What there is to say about how names were read."""
        return [*self.assignments.sharing.notes.values(), *self.scope.notes.values()]

    def all(self) -> None:
        """Carry out the whole derivation. Raises `DerivationError` with line and reason."""
        with np.errstate(all="ignore"):
            try:
                self._run(self.program.body)
            except BeyondError as refused:
                raise BeyondStepsError(self._error(refused)) from None
            except MisfitError as refused:
                assert self.statement is not None
                raise UncomputableError(
                    str(self._error(refused)), self.statement, refused
                ) from None
            except RefusedError as refused:
                raise self._error(refused) from None
            except DerivationError:
                raise
            except RecursionError:
                why = RefusedError("it is nested too deep", "fewer loops within loops")
                raise self._error(why) from None
            except MemoryError:
                why = RefusedError("it takes more memory than there is", "smaller arrays")
                raise self._error(why) from None
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                why = RefusedError(f"it cannot be computed: {error}", "another way to write it")
                raise self._error(why) from None

    def tick(self) -> None:
        """Complain if too many statements have run, or for too long."""
        self.statements += 1
        if self.statements > self.most:
            raise RefusedError(
                f"{self.most} statements have run",
                "a loop that ends, or array operations in its place",
            )
        self.spend(STEP)

    def spend(self, work: int) -> None:
        """Complain if it has run for too long."""
        self.work += work
        if self.most_work is not None and self.work > self.most_work:
            raise RefusedError("it does too much work", "fewer turns")
        if time.monotonic() > self._until:
            raise RefusedError(f"it has run for {SECONDS:g} s", "a loop that ends, or fewer turns")

    def _error(self, refused: RefusedError) -> DerivationError:
        assert self.statement is not None
        return self.program.error(self.statement, refused.reason, refused.cure)

    def _run(self, body: Sequence[ast.stmt]) -> str:
        """Carry out statements; how they ended: by themselves, or by `break`, `continue` or `return`."""
        for statement in body:
            self.statement = statement
            self.tick()
            match statement:
                case ast.For() | ast.While():
                    ended = self._loop(statement)
                case ast.If(test=test, body=then, orelse=other):
                    holds = self._truth(test)
                    self.truths.setdefault(statement.lineno, []).append(holds)
                    ended = self._run(then if holds else other)
                case ast.Break():
                    return "break"
                case ast.Continue():
                    return "continue"
                case ast.Return(value=value):
                    self.assignments.returned(statement, value)
                    return "return"
                case ast.Delete(targets=[ast.Name(id=name)]):  # a line that was left out
                    ended = ""
                    self.scope.forget(name)
                case _:
                    ended = ""
                    self.assignments.carry_out(statement)
            if ended:
                return ended
        return ""

    def _loop(self, loop: ast.For | ast.While) -> str:
        """A loop: its turns, until one ends it."""
        outside = self.scope.turns
        try:
            for turn in self._for(loop) if isinstance(loop, ast.For) else self._while(loop):
                self.scope.turns = (*outside, turn)
                ended = self._run(loop.body)
                if ended == "break":
                    break
                if ended == "return":
                    return ended
        finally:
            self.scope.turns = outside
        return ""

    def _for(self, loop: ast.For) -> Iterator[Turn]:
        """The turns of a `for` loop, which give its variables values."""
        items = list(turns(loop.iter, self.scope))
        self.assignments.take(loop)
        from_end = backwards(loop.iter)
        given = [unpacked(loop.target, item) for item in items]
        spans = {
            name: tuple(int(each[name]) for each in given)
            for name in (given[0] if given else ())
            if all(is_whole_number(each[name]) for each in given)
        }
        match loop.iter:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]) if backwards(inner):
                spans = {}  # it counts turns from the end, not time steps
        self.spans.look(loop, spans)
        for k, each in enumerate(given):
            self.statement = loop
            self.tick()
            self.scope.bound |= {name: Bound(frozen(value)) for name, value in each.items()}
            yield Turn(spans, k, len(given), from_end)

    def _while(self, loop: ast.While) -> Iterator[Turn]:
        """The turns of a `while` loop; whole numbers that its body changes are taken for the steps it goes through."""
        changed = {
            part.id
            for part in ast.walk(loop)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        while self._truth(loop.test, loop):
            held = {
                name: self.scope.bound[name].value
                for name in sorted(changed & self.scope.bound.keys())
            }
            spans = {name: (int(n),) for name, n in held.items() if is_whole_number(n)}
            yield Turn(spans, 0, 1, False)

    def _truth(self, test: ast.expr, loop: ast.stmt | None = None) -> bool:
        if loop is not None:
            self.statement = loop
            self.tick()
        wrapped = ast.IfExp(test, ast.Constant(True), ast.Constant(False))
        return bool(evaluate(wrapped, self.scope))
