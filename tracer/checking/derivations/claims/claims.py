"""Works through a derivation on the numbers of a trace, twice: on the user's own earlier results, and on recorded ones.

The second reading judges each line by itself: a line that is right, given right gradients above it, is not blamed for
an earlier mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tracer.checking.derivations.depth import is_too_deep, printed
from tracer.checking.derivations.latex import is_latex, read_latex
from tracer.checking.derivations.names import Names, node_of
from tracer.checking.derivations.reading import Program, of_lines, read, spoken
from tracer.checking.derivations.running.carrying import carried
from tracer.checking.derivations.running.interpreter import Run, UncomputableError
from tracer.checking.derivations.running.setting import Setting
from tracer.errors import DerivationError, DTypeError
from tracer.values import as_value

from .counting import first_step, own_run
from .forward import Recast, recast
from .heads import Heads
from .needless import needless
from .remarks import assumed, endless, helpers, left_out
from .repairs import Repairs
from .reused import gone_on, overwritten
from .targets import claimed, nothing_claimed, refuse_unordered
from .unjudged import Broken, Unjudged, of_nothing, refuse_misfits

Array = Any
"""A numpy array or numpy scalar."""


@dataclass(frozen=True, eq=False)
class Claim:
    """A gradient by hand: of which node, what it comes to, and what it comes to if all earlier gradients were right.

    step: the time step, as the derivation counts it; None where the name means one value. repairs: the lines that gave
    it, None for an array. unjudged: the helpers it uses that hold gradients of nothing recorded: `dz3 (line 9)`.
    """

    node: int
    name: str
    own: Array
    alone: Array
    line: int = 0
    text: str = ""
    step: int | None = None
    repairs: Repairs | None = None
    unjudged: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Derived:
    """What a derivation gives: its claims in the order of their lines, and notes on how it was read.

    recast: the run with the user's own forward lines, where those change a gradient. heads: its loops and conditions,
    to be written otherwise. unjudged: lines that were to give a gradient, or cannot be computed, and were not judged.
    """

    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = ()
    recast: Recast | None = None
    heads: Heads | None = None
    unjudged: tuple[Unjudged, ...] = ()


def claims_of_text(names: Names, text: str) -> Derived:
    """The gradients that the lines of a derivation give, in order, and notes on how names were read.

    A line that cannot be computed is left out, and listed among those that were not judged. Raises `DerivationError`
    with the line's number for what cannot be read, and where nothing is left to be judged.
    """
    program = program_of(names, printed(text))
    names.outside = program.outside
    broken = Broken(names)
    while True:
        names.instead = {}
        try:
            return _derived(names, program, broken)
        except UncomputableError as error:
            program = broken.without(program, error)


def _derived(names: Names, program: Program, broken: Broken) -> Derived:
    """What the lines give that can be computed. Raises `UncomputableError` for the first that cannot."""
    refuse_misfits(program)
    setting = Setting(names, carried(program), first_step(names), claimed(names, program))
    own, gone = gone_on(names, program, own_run(program, setting))
    setting = own.setting
    final = {done.node: done.number for done in own.done if done.node >= 0}
    if not final.keys() - broken.nodes and broken.first is not None:
        raise DerivationError(str(broken.first))
    if not final:
        raise nothing_claimed(names, program, own)
    refuse_unordered(program, own, final)
    used, lost = overwritten(own.done, final)
    judged = {number: node for node, number in final.items()} | used
    setting = replace(setting, right=judged, meant=own.assignments.meant)
    alone, again, said = _alone(names, program, setting, own)
    notes = [
        *program.notes,
        *said,
        *own.notes,
        *broken.notes(own),
        *gone,
        *lost,
        *assumed(names, own, final),
    ]
    if _path(alone) != _path(own):
        notes.append(
            "a condition depends on a gradient: the lines are judged on the user's own numbers only"
        )
        alone = own
    notes += [
        *needless(names, own.done, final),
        *endless(own.done),
        *left_out(names, {*final, *(row.node for row in broken.rows)}),
    ]
    every_claim = _claims(names, own, alone, judged)
    claims = tuple(claim for claim in every_claim if claim.node not in broken.nodes)
    idle, said = of_nothing(names, program, own, judged)
    every = tuple(dict.fromkeys([*notes, *said]))
    return Derived(claims, every, again, Heads(program, own), (*broken.rows, *idle))


def _alone(
    names: Names, program: Program, setting: Setting, own: Run
) -> tuple[Run, Recast | None, list[str]]:
    """The run in which all earlier gradients were right: as recorded, or by the user's own forward lines."""
    final = {node: number for number, node in sorted(setting.right.items())}
    again, said = recast(names, own.done, final)
    alone = Run(program, setting)
    try:
        alone.all()
    except DerivationError:
        setting = replace(setting, turned=True)
        alone = Run(program, setting)
        alone.all()
    if again is None:
        return alone, None, said
    names.instead = {node: again.gradient(node) for node in again.other}
    other = Run(program, setting)
    other.all()
    recorded = _off(Names(names.trace), alone, final)
    if recorded and _off(names, other, final) <= recorded:
        said.append("these are judged by the derivation's own forward lines")
        return other, again, said
    names.instead = {}
    said.append("the gradients are judged by the recorded forward pass, with which they agree")
    return alone, None, said


def _claims(names: Names, own: Run, alone: Run, judged: Collection[int]) -> tuple[Claim, ...]:
    """The gradients that are judged, in the order of their lines, of one line the latest time step first."""
    of_nothing = helpers(names, alone.done)
    claims = []
    for mine, done in zip(own.done, alone.done, strict=True):
        line = done.line
        if mine.node < 0 or (mine.number not in judged and not line.judged):
            continue
        repairs = Repairs(names, own.setting.base, alone.done, done)
        made_of = [(each.number, each.target) for each in repairs.lines]
        claims.append(
            Claim(
                node=mine.node,
                name=line.name or spoken(done.name),
                own=mine.result,
                alone=done.result,
                line=line.number,
                text=line.text,
                step=mine.step if line.step is None else line.step,
                repairs=repairs,
                unjudged=tuple(of_nothing[each] for each in made_of if each in of_nothing),
            )
        )
    return tuple(
        sorted(claims, key=lambda claim: (claim.line, claim.step is None, -(claim.step or 0)))
    )


def program_of(names: Names, text: str) -> Program:
    """The statements of a derivation in LaTeX or Python. Raises `DerivationError`, for lines nested too deep too."""
    try:
        program = of_lines(read_latex(text, names)) if is_latex(text) else read(text)
    except (RecursionError, MemoryError):
        raise DerivationError(
            "the derivation is nested too deep to be read\n  try: several shorter lines"
        ) from None
    for statement in program.statements():
        if is_too_deep(statement):
            raise program.error(statement, "it is nested too deep", "several shorter lines")
    return program


def claims_of_mapping(names: Names, derivation: Mapping[str, Any]) -> Derived:
    """The gradients given as `{name: array}`. Raises `UnknownNameError`, or `DerivationError` for what is no array."""
    claims = []
    for key, value in derivation.items():
        node = node_of(names, key)
        try:
            array = as_value(value)
        except DTypeError as error:
            raise DerivationError(f"{key}: {error}") from None
        claims.append(Claim(node, key, array, array))
    if not claims:
        raise DerivationError(
            "the derivation is empty\n  try: {'x': dx}, or lines such as  dw = dy * x"
        )
    return Derived(tuple(claims))


def _path(run: Run) -> list[tuple[int, int]]:
    """Which lines a run went through, and whose gradients they gave."""
    return [(done.line.number, done.node) for done in run.done]


def _off(names: Names, run: Run, final: Mapping[int, int]) -> int:
    """How many gradients are not those that they should be, each by itself."""
    count = 0
    for node, number in final.items():
        right, found = names.right(node), run.done[number].result
        if right is not None:
            size = float(np.max(np.abs(right), initial=0.0))
            fits = np.size(found) in (1, np.size(right))
            shaped = (
                np.reshape(found, np.shape(right)) if np.size(found) == np.size(right) else found
            )
            count += not (fits and np.max(np.abs(shaped - right), initial=0.0) <= 1e-6 * size)
    return count
