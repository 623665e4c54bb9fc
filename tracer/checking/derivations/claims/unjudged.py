"""Lines that cannot be judged: they cannot be computed, need one of those, or give a gradient of nothing recorded."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.names.recorded import UPSTREAM
from tracer.checking.derivations.names.spellings import SURE, inner_of
from tracer.checking.derivations.reading import Program, spoken
from tracer.checking.derivations.refusals import MisfitError, RefusedError
from tracer.checking.derivations.running.interpreter import Run, UncomputableError
from tracer.checking.derivations.running.tape import Done
from tracer.errors import DerivationError

from .remarks import gathered, helpers
from .targets import family_or_node

MOST_BROKEN = 20
"""So many lines that cannot be computed are passed over; with more, the derivation is refused."""
SEEDS = UPSTREAM | {"dloss", "dLoss", "dJ", "dE", "dL_dL", "dL_dloss"}
"""Names that a derivation often begins with, and need not use."""
_SHORT = re.compile(r"[A-Z]\w*|[^\W\d_]{1,2}_?\d*|\w+_\w+")
"""What looks like the name of a value behind a d, and not like the rest of a word: `W1`, `wq`, `x_hat`."""


@dataclass(frozen=True)
class Unjudged:
    """A line that was not judged: why, what may have been meant, and whether it is wrong in any case.

    node: whose gradient it was to give, −1 if none. unknown: a name in it, or in that of its gradient, that nothing
    bears. near: what that may have meant, the closest first.
    """

    line: int
    name: str
    text: str
    reason: str
    wrong: bool = False
    node: int = -1
    unknown: str = ""
    near: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Broken:
    """The lines that cannot be computed, and the derivation without them."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.rows: list[Unjudged] = []
        self.first: UncomputableError | None = None
        self.nodes: set[int] = set()
        """Values whose gradient such a line was to complete: what the lines above it gave is not the whole."""
        self._lost: dict[str, int] = {}
        """Names that nothing gives a value to any more, and the line that was to do so."""

    def without(self, program: Program, error: UncomputableError) -> Program:
        """The derivation without a line that cannot be computed: what the line gives is then as recorded.

        Raises the error where a line cannot be left out: a loop, an element of an array, one of too many.
        """
        self.first = self.first or error
        statement = error.statement
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
                pass
            case _:
                raise DerivationError(str(self.first)) from None
        if len(self.rows) == MOST_BROKEN:
            raise DerivationError(str(self.first)) from None
        node = self._node(name)
        uses = [n for n in _words(statement) if n in self._lost and n != name]
        text = program.text(statement)
        line = statement.lineno
        if uses:
            said = ", ".join(f"{spoken(n)} (line {self._lost[n]})" for n in uses)
            reason = f"not judged: it uses {said}, which cannot be computed"
            self.rows.append(Unjudged(line, spoken(name), text, reason, node=node))
        else:
            self.rows.append(
                Unjudged(
                    line,
                    spoken(name),
                    text,
                    error.reason.partition(": did you mean")[0],
                    wrong=True,
                    node=node,
                    unknown=error.unknown,
                    near=tuple(self.names.near(error.unknown)) if error.unknown else (),
                )
            )
        adds = isinstance(statement, ast.AugAssign)
        if adds and node >= 0 and self.names.gradient_family(name) is None:
            self.nodes.add(node)
        if node < 0 and self.names.value(name) is None:
            self._lost.setdefault(name, line)
        return _without(program, statement, name)

    def _node(self, name: str) -> int:
        try:
            found = family_or_node(self.names, name)
        except RefusedError:
            return -1
        return max(found, default=-1)

    def notes(self, run: Run) -> list[str]:
        """What was used as recorded because its own line cannot be computed."""
        taken = {node for _, _, node, _ in run.assignments.taken}
        return [
            f"line {row.line} cannot be computed: the lines below were judged on the recorded "
            f"dL/d{self.names.trace.label(row.node)}"
            for row in self.rows
            if row.node in taken
        ]


def refuse_misfits(program: Program) -> None:
    """Complain about a formula in which shapes do not fit, as was seen when it was read."""
    for statement in program.statements():
        line = program.lines.get(id(statement))
        if line is not None and line.misfit and not isinstance(statement, ast.Delete):
            cure = "a transpose, or an index for each axis"
            said = str(program.error(statement, line.misfit, cure))
            raise UncomputableError(said, statement, MisfitError(line.misfit, cure))


def of_nothing(
    names: Names, program: Program, run: Run, judged: Collection[int]
) -> tuple[tuple[Unjudged, ...], list[str]]:
    """The lines that look like gradients of something, of which nothing was recorded, and that no judged line uses.

    Beside them notes on helpers that no judged line uses, and whose names begin as that of a gradient by chance.
    judged: the assignments that are judged, by number.
    """
    used = {run.done[number].name for number in _reached(run.done, judged)} | _in_heads(program)
    made_of_gradients = helpers(names, run.done)
    found: dict[str, Unjudged] = {}
    footnotes: dict[str, str] = {}
    for each in run.done:
        name = each.name
        if each.node >= 0 or name in used | SEEDS:
            continue
        made = (each.line.number, each.line.target) in made_of_gradients
        inner = inner_of(name)
        if not inner or _is_recorded(names, name):
            continue
        if not _is_meant(names, each, inner, made=made):
            footnotes[name] = f"line {each.line.number}: {spoken(name)} is used nowhere"
            continue
        notes = [f"recorded are {names.listed}"]
        near = tuple(names.near(spoken(inner)))
        if not near:
            made_there = f"{spoken(inner)} = tr.parameter(..., name={spoken(inner)!r})"
            notes.append(f"a value gets its name where it is made, as in {made_there}")
        found[name] = Unjudged(
            each.line.number,
            spoken(name),
            each.line.text,
            f"not judged: no value {spoken(inner)!r} was recorded, and no judged line uses {spoken(name)}",
            unknown=spoken(inner),
            near=near,
            notes=() if found else tuple(notes),
        )
    for line, said in gathered(names, run.done, {run.done[k].node: k for k in judged}).items():
        each = next(done for done in run.done if done.line.number == line)
        found.setdefault(
            each.name, Unjudged(line, spoken(each.name), each.line.text, f"not judged: {said}")
        )
    return tuple(found.values()), list(footnotes.values())


def _is_meant(names: Names, done: Done, inner: str, *, made: bool) -> bool:
    """Whether a name is that of a gradient, and not a word that begins with a d, or a length such as d_k."""
    if done.name.startswith(SURE) or done.name.endswith("_grad"):
        return True
    if isinstance(done.result, (int, np.integer, list, tuple, dict)):
        return bool(names.mistyped(inner))
    if made or names.mistyped(inner):
        return True
    return bool(np.ndim(done.result)) and bool(_SHORT.fullmatch(spoken(inner)))


def _is_recorded(names: Names, name: str) -> bool:
    try:
        return names.value(name) is not None or bool(family_or_node(names, name))
    except RefusedError:
        return True


def _reached(done: Sequence[Done], judged: Collection[int]) -> set[int]:
    """The assignments that judged ones are made of, and they themselves."""
    waiting, seen = list(judged), set(judged)
    while waiting:
        for number in done[waiting.pop()].reads - seen:
            seen.add(number)
            waiting.append(number)
    return seen


def _in_heads(program: Program) -> set[str]:
    """The names on which loops and conditions depend."""
    heads = [
        head
        for each in program.statements()
        for head in (getattr(each, "iter", None), getattr(each, "test", None))
        if isinstance(head, ast.expr)
    ]
    return {name for head in heads for name in _words(head)}


def _words(tree: ast.AST) -> list[str]:
    """The names that are read in a part of a program, each once."""
    parts = (part for part in ast.walk(tree) if isinstance(part, ast.Name))
    return list(dict.fromkeys(part.id for part in parts if isinstance(part.ctx, ast.Load)))


def _without(program: Program, statement: ast.stmt, name: str) -> Program:
    """The program with a `del` of a name in the place of a statement: from there on it means what was recorded."""
    instead = ast.Delete([ast.Name(name, ast.Del())])
    instead.lineno = instead.end_lineno = statement.lineno
    instead.col_offset = instead.end_col_offset = 0
    for parent in program.statements():
        for body in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            if isinstance(body, list):
                body[:] = [instead if each is statement else each for each in body]
    body = tuple(instead if each is statement else each for each in program.body)
    lines = dict(program.lines)
    if id(statement) in lines:
        lines[id(instead)] = lines[id(statement)]
    return replace(program, body=body, lines=lines)
