"""The names that a derivation assigns to: whose gradients they mean, and complaints about those that mean nothing."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.names.spellings import PREFIXES, SURE
from tracer.checking.derivations.reading import Program, spoken
from tracer.checking.derivations.refusals import RefusedError
from tracer.checking.derivations.running.interpreter import Run
from tracer.errors import DerivationError

from .remarks import gathered


def _targets(program: Program) -> list[tuple[ast.stmt, str]]:
    """The names that the statements assign to, those in loops too."""
    found: list[tuple[ast.stmt, str]] = []
    for statement in program.statements():
        match statement:
            case ast.Assign(targets=targets):
                waiting = list(targets)
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                waiting = [target]
            case _:
                continue
        while waiting:
            match waiting.pop(0):
                case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
                    found.append((statement, name))
                case ast.Tuple(elts=parts) | ast.List(elts=parts):
                    waiting = [*parts, *waiting]
    return found


def claimed(names: Names, program: Program) -> frozenset[int]:
    """The nodes whose gradients the derivation gives somewhere. Raises `DerivationError` for a name of two readings."""
    found: set[int] = set()
    for statement, name in _targets(program):
        try:
            family, node = names.gradient_family(name), names.gradient(name)
        except RefusedError as refused:
            raise program.error(statement, refused.reason, refused.cure) from None
        found |= set(family.nodes) if family else {node} if node is not None else set()
    return frozenset(found)


def _used(program: Program) -> set[str]:
    """The names that are used for something other than for themselves."""
    used: set[str] = set()
    for statement in program.statements():
        own: set[str] = set()
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
                own = {name}
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
                own = {name}
        heads: list[ast.AST] = [statement]
        match statement:
            case ast.For(iter=head) | ast.While(test=head) | ast.If(test=head):
                heads = [head]
        read = {
            part.id
            for head in heads
            for part in ast.walk(head)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
        }
        used |= read - own
    return used


def misspelt(names: Names, program: Program) -> list[str]:
    """Complain about `dxaht = ...`, which no other line uses: a gradient of nothing, not a helper.

    One that resembles nothing recorded may be a helper that was forgotten: a note says so.
    """
    used, notes = _used(program), {}
    for statement, name in _targets(program):
        if name in used or names.value(name) is not None:
            continue
        if names.gradient(name) is not None or names.gradient_family(name) is not None:
            continue
        prefix = next((p for p in PREFIXES if name.startswith(p) and name != p), "")
        inner = spoken(name).removeprefix(prefix)
        sure = prefix in SURE[:5]
        if prefix and (sure or names.mistyped(inner)):
            refused = names.missing(inner)
            raise program.error(statement, refused.reason, refused.cure)
        if prefix:
            notes[name] = (
                f"line {statement.lineno}: {spoken(name)} is used nowhere, and no value {inner!r} was recorded"
            )
    return list(notes.values())


def nothing_claimed(names: Names, program: Program, run: Run) -> DerivationError:
    """The complaint about a derivation that gives no gradient."""
    lists = gathered(names, run.done, {})
    for statement, name in _targets(program):
        if statement.lineno in lists:
            cure = f"{spoken(name)} = np.array(...), of one shape with its value"
            return program.error(statement, lists[statement.lineno], cure)
        if name.startswith("d") and len(name) > 1 and names.gradient(name) is None:
            refused = names.missing(spoken(name).removeprefix("d"))
            return program.error(statement, refused.reason, refused.cure)
    return DerivationError(
        "no line of the derivation gives the gradient of a recorded value\n"
        f"  try: d{next(iter(names.nodes), 'x')} = ..., or another of {names.listed}"
    )


def refuse_unordered(program: Program, run: Run, final: Mapping[int, int]) -> None:
    """Complain about a gradient that is used as recorded although a line below gives it."""
    for number, statement, node, name in run.assignments.taken:
        if final.get(node, -1) >= number:
            raise program.error(
                statement,
                f"it uses {spoken(name)} before the line that gives it",
                "the lines in the order of the backward pass",
            )
