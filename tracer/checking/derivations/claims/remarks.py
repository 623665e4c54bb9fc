"""Notes on a derivation that are no verdicts: numbers that are not finite, gradients that no line gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import spoken
from tracer.checking.derivations.refusals import RefusedError
from tracer.checking.derivations.running.interpreter import Run
from tracer.checking.derivations.running.tape import Done
from tracer.kinds import KINDS

MOST_SAID = 4
"""Notes of one kind, at most."""


def helpers(names: Names, done: list[Done]) -> dict[tuple[int, str], str]:
    """The lines that give something made of gradients which is no gradient of anything recorded, by line and name."""
    found: dict[tuple[int, str], str] = {}
    about: set[str] = set()
    for each in done:
        if each.node >= 0:
            continue
        if any(word in about or _is_gradient(names, word) for word in each.words):
            about.add(each.name)
            said = f"{spoken(each.name)} (line {each.line.number})"
            found[each.line.number, each.line.target] = said
    return found


def assumed(names: Names, run: Run, final: Mapping[int, int]) -> list[str]:
    """Notes on gradients of time steps that are used as recorded, although lines give those of other steps."""
    given = [
        set(family.nodes) for family in names.families.values() if final.keys() & set(family.nodes)
    ]
    found: dict[str, int] = {}
    for _, statement, node, _ in run.assignments.taken:
        if any(node in nodes for nodes in given) and node not in final:
            found.setdefault(names.trace.label(node), statement.lineno)
    return [
        f"line {line}: no line gives dL/d{label}: it was used as recorded"
        for label, line in found.items()
    ][:MOST_SAID]


def gathered(names: Names, done: list[Done], final: Mapping[int, int]) -> dict[int, str]:
    """By line, a word on gradients that were gathered in a list or dictionary, and never became an array."""
    used = {word for each in done for word in each.words if word != each.name}
    found: dict[str, tuple[int, str]] = {}
    for each in done:
        kept = isinstance(each.result, (list, tuple, dict)) and _is_gradient(names, each.name)
        if each.node >= 0 or not kept or each.name in used:
            continue
        if names.gradient_family(each.name) is None and names.gradient(each.name) not in final:
            kind = type(each.result).__name__
            said = f"{spoken(each.name)} is a {'dictionary' if kind == 'dict' else kind}, no array"
            found.setdefault(each.name, (each.line.number, said))
    return dict(found.values())


def _is_gradient(names: Names, word: str) -> bool:
    try:
        return names.gradient(word) is not None
    except RefusedError:
        return False


def endless(done: list[Done]) -> list[str]:
    """A note on the first line whose numbers are not finite."""
    for each in done:
        if each.node < 0 and isinstance(each.result, (float, np.ndarray, np.floating)):
            bad = np.argwhere(~np.isfinite(np.asarray(each.result, np.float64)))
            if len(bad):
                value = np.asarray(each.result)[tuple(bad[0])]
                at = f" at [{', '.join(map(str, bad[0].tolist()))}]" if len(bad[0]) else ""
                return [f"line {each.line.number}: {spoken(each.name)} comes to {value}{at}"]
    return []


def left_out(names: Names, final: Collection[int]) -> list[str]:
    """A note on inputs and parameters whose gradients no line gives."""
    trace = names.trace
    kinds = {KINDS.index("input"), KINDS.index("parameter")}
    initial = {family.initial for family in names.families.values()}
    lost = [
        f"dL/d{trace.label(k)}"
        for k in np.flatnonzero(np.isin(trace.kind_of, list(kinds))).tolist()
        if trace.names[k] and trace.receives[k] and k not in final and k not in initial
    ]
    if not lost:
        return []
    shown = ", ".join(lost[:6]) + (f" and {len(lost) - 6} more" if len(lost) > 6 else "")
    return [f"no line gives {shown}"]
