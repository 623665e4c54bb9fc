"""Works through a derivation on the numbers of a trace, twice: on the user's own earlier results, and on recorded ones.

The second reading judges each line by itself: a line that is right, given right gradients above it, is not blamed for
an earlier mistake.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.errors import DerivationError, DTypeError
from tracer.values import as_value

from .calculator import evaluate
from .names import PREFIXES, Names, node_of
from .reading import Line, read, spoken
from .sizes import LARGEST, RefusedError

Array = Any
"""A numpy array or numpy scalar."""


@dataclass(frozen=True, eq=False)
class Claim:
    """A gradient by hand: of which node, what it comes to, and what it comes to if all earlier gradients were right."""

    node: int
    name: str
    own: Array
    alone: Array
    line: int = 0
    text: str = ""
    unjudged: tuple[str, ...] = ()
    """The helpers it uses that hold gradients of nothing recorded: `dz3 (line 9)`."""


@dataclass
class _Reading:
    """The values that names have while a derivation is worked through."""

    names: Names
    variables: dict[str, Any] = field(default_factory=dict)
    gradients: dict[int, Any] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """How many numbers the names hold."""
        return sum(int(np.size(v)) for v in (*self.variables.values(), *self.gradients.values()))

    def lookup(self, name: str) -> Any:
        """The value of a name: by the lines above, else as recorded."""
        if name in self.variables:
            return self.variables[name]
        node = self.names.gradient(name)
        if node is not None and node in self.gradients:
            return self.gradients[node]
        return self.names.recorded(name)


def claims_of_text(names: Names, text: str) -> tuple[list[Claim], list[str]]:
    """The gradients that the lines of a derivation give, in order, and notes on how names were read.

    Raises `DerivationError` with the line's number for what cannot be read or computed.
    """
    lines = read(text)
    targets = [_gradient(names, line) for line in lines]
    final = {node: k for k, node in enumerate(targets) if node is not None}
    _refuse_misspelt(names, lines, targets)
    own, alone = _Reading(names), _Reading(names)
    claims, notes = [], _repeats(names, lines)
    unjudged: dict[str, str] = {}
    for k, (line, node) in enumerate(zip(lines, targets, strict=True)):
        mine, by_itself = (_evaluated(line, reading, final) for reading in (own, alone))
        if own.held + alone.held > LARGEST:
            raise line.error("the names hold too many numbers", f"at most {LARGEST} in all")
        read_here = _reads(line)
        helpers = tuple(said for name, said in unjudged.items() if name in read_here)
        if node is None:
            if helpers or any(names.gradient(name) is not None for name in read_here):
                unjudged[line.target] = f"{spoken(line.target)} (line {line.number})"
            own.variables[line.target], alone.variables[line.target] = mine, by_itself
            notes += _redefined(names, line, mine)
            continue
        if not isinstance(mine, (int, float, np.ndarray, np.generic)):
            raise line.error("it comes to no number and no array", "an expression in numbers")
        own.gradients[node], alone.gradients[node] = mine, by_itself
        if final[node] == k:
            recorded = names.trace.gradient(node)
            alone.gradients[node] = by_itself if recorded is None else recorded
            about = (line.number, line.text, helpers)
            claims.append(Claim(node, spoken(line.target), mine, by_itself, *about))
    if not claims:
        raise DerivationError(
            "no line of the derivation gives the gradient of a recorded value\n"
            f"  try: d{next(iter(names.nodes), 'x')} = ..., or another of {names.listed}"
        )
    return claims, notes


def claims_of_mapping(names: Names, derivation: Mapping[str, Any]) -> list[Claim]:
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
    return claims


def _gradient(names: Names, line: Line) -> int | None:
    """The node whose gradient the line gives, None if it defines something else."""
    try:
        node = names.gradient(line.target)
    except RefusedError as refused:
        raise line.error(refused.reason, refused.cure) from None
    if node is not None and names.trace.value(node).dtype.kind != "f":
        what = spoken(line.target)
        raise line.error(
            f"{what} is a gradient of whole numbers, which does not exist", "a float value"
        )
    return node


def _evaluated(line: Line, reading: _Reading, due: Collection[int]) -> Any:
    """What the line comes to; recorded gradients that are due in this line or below are out of its reach."""

    def lookup(name: str) -> Any:
        meant = None if name in reading.variables else reading.names.gradient(name)
        if meant in due and meant not in reading.gradients:
            reason = f"it uses {spoken(name)} before the line that gives it"
            raise RefusedError(reason, "the lines in the order of the backward pass")
        return reading.lookup(name)

    try:
        value = evaluate(line.expression, lookup)
    except RefusedError as refused:
        raise line.error(refused.reason, refused.cure) from None
    if isinstance(value, np.ndarray):
        value = value.view()
        value.setflags(write=False)
    return value


def _reads(line: Line) -> tuple[str, ...]:
    """The names that the expression of a line uses, each once."""
    parts = ast.walk(line.expression)
    return tuple(dict.fromkeys(part.id for part in parts if isinstance(part, ast.Name)))


def _refuse_misspelt(names: Names, lines: Sequence[Line], targets: Sequence[int | None]) -> None:
    """Complain about `dxaht = ...`, which no later line uses: a gradient of nothing, not a helper."""
    used: set[str] = set()
    for line, node in zip(reversed(lines), reversed(targets), strict=True):
        written = line.target
        if node is None and written not in names.nodes:
            sure = written.startswith(PREFIXES[0])
            if sure or (written.startswith("d") and len(written) > 1 and written not in used):
                refused = names.missing(spoken(written).removeprefix(PREFIXES[0] if sure else "d"))
                raise line.error(refused.reason, refused.cure)
        used.update(_reads(line))


def _repeats(names: Names, lines: Sequence[Line]) -> list[str]:
    """Notes on bare names that several values bear."""
    notes, defined = {}, {line.target for line in lines}
    for line in lines:
        for part in (line.target, *_reads(line)):
            for prefix in ("", *PREFIXES):
                name = part.removeprefix(prefix) if part.startswith(prefix) else ""
                if name in names.repeated and name not in defined:
                    latest = names.trace.label(names.nodes[name])
                    notes[name] = (
                        f"{name} was recorded {names.repeated[name]} times: it means the latest, {latest}"
                    )
    return list(notes.values())


def _redefined(names: Names, line: Line, value: Any) -> list[str]:
    """A note if a line defines a recorded value anew, and differently."""
    node = names.value(line.target)
    if node is None:
        return []
    recorded = names.trace.value(node)
    with np.errstate(all="ignore"):
        same = np.shape(value) == np.shape(recorded) and np.allclose(value, recorded, rtol=1e-5)
    if same:
        return []
    return [
        f"line {line.number}: this {spoken(line.target)} is not the recorded one; the lines below use it"
    ]
