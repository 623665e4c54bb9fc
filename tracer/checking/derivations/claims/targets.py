"""The names that a derivation assigns to: whose gradients they mean, and complaints about those that mean nothing."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.names.spellings import inner_of
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
            found |= family_or_node(names, name)
        except RefusedError as refused:
            raise program.error(statement, refused.reason, refused.cure) from None
    return frozenset(found)


def family_or_node(names: Names, name: str) -> set[int]:
    """The nodes whose gradients a name means: of all time steps, of one value, or none."""
    family, node = names.gradient_family(name), names.gradient(name)
    return set(family.nodes) if family else {node} if node is not None else set()


def nothing_claimed(names: Names, program: Program, run: Run) -> DerivationError:
    """The complaint about a derivation that gives no gradient."""
    lists = gathered(names, run.done, {})
    for statement, name in _targets(program):
        if statement.lineno in lists:
            cure = f"{spoken(name)} = np.array(...), of one shape with its value"
            return program.error(statement, lists[statement.lineno], cure)
        if inner_of(name) and names.gradient(name) is None:
            refused = names.missing(spoken(inner_of(name)))
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
