"""Tries small changes of the lines that feed a wrong claim, the likeliest first, until one makes it right."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from tracer.checking.diagnosis.causes import Cause
from tracer.checking.diagnosis.wrong import Array, Wrong, same

from .axes import bessel, lengths, reductions, summed, transposes, unnamed_lengths
from .derivatives import (
    forgotten_values,
    inserted_factors,
    matrix_factors,
    multiples,
    operators,
    other_derivatives,
)
from .edits import Edit, Words, leaves
from .every_step import every_step
from .factors import diagonals, dropped_factors, epsilons, incoming, inverted, scaled, twos
from .indices import shifts, steps
from .missing import missing_terms
from .patching import Written, written
from .swaps import exchanged, others, pairs, products_for, row_orders, unused
from .terms import accumulated, dropped_terms, inserted_terms
from .tokens import (
    comparisons,
    complements,
    cubed,
    doubled_numbers,
    exponents,
    functions,
    half_steps,
    other_numbers,
    raised,
    signs,
)
from .words import words_for

EXACT = 1e-9
"""Relative difference up to which a changed line is right."""
ELEMENT, ROUNDING = 1e-6, 1e-15
"""Relative difference of a single element at most, and what rounding leaves of elements beside the largest."""
CERTAIN = frozenset({"sign", "two", "size", "sum", "extra factor", "doubled path"})
"""Kinds that are believed of a single number too, which any product of others may come to by chance."""
MOST_TRIES = 6000
"""Changes that are tried, at most."""
MOST_NUMBERS = 40_000_000
"""Numbers that the changed lines come to in all, at most."""
MOST_ASSIGNMENTS = 60_000
"""Assignments that are done again, at most."""
MOST_LINES = 8
"""Helper lines that are changed, the nearest first."""

Family = Callable[[ast.expr, Words], Iterator[Edit]]
IN_PLACE: tuple[Family, ...] = (
    exponents,
    epsilons,
    bessel,
    reductions,
    comparisons,
    signs,
    row_orders,
    shifts,
    transposes,
    complements,
    functions,
    doubled_numbers,
    twos,
    lengths,
    incoming,
    inverted,
    raised,
    others,
    exchanged,
    diagonals,
    dropped_terms,
    dropped_factors,
)
"""Changes of what stands in a line, from those of a single sign on."""
NUMBERS: frozenset[Family] = frozenset({doubled_numbers, twos})
"""Those of them that change a constant factor, and that may by chance do what the length of an axis does."""
ADDED: tuple[Family, ...] = (
    summed,
    steps,
    unnamed_lengths,
    other_numbers,
    scaled,
    forgotten_values,
)
"""What was forgotten in a line, as far as that is simple."""
RARE: tuple[Family, ...] = (
    inserted_terms,
    unused,
    matrix_factors,
    cubed,
    half_steps,
    products_for,
    multiples,
    operators,
    pairs,
)
"""What is tried last."""


def mended(wrong: Wrong, known: str = "") -> Iterator[Cause]:
    """The first small change of a line that makes the claim right, as a cause.

    known: the kind of cause that the numbers have told already, if any.
    """
    repairs = wrong.repairs
    if repairs is None or not repairs.lines or not wrong.right.any():
        return
    last = len(repairs.lines) - 1
    size = max(wrong.right.size, wrong.claim.size)
    tries = min(MOST_TRIES, MOST_NUMBERS // size, MOST_ASSIGNMENTS // max(repairs.effort, 1))
    seen: set[tuple[int, str]] = set()
    for k, line, edit in _candidates(wrong, known):
        changed = line.with_part(edit.old, edit.new)
        key = (k, ast.dump(changed))
        if key in seen or key[1] == ast.dump(line.tree):
            continue
        if len(seen) >= tries:
            return
        seen.add(key)
        if is_right(wrong, repairs.again(k, changed)) and _holds(wrong, k, changed):
            cause = _cause(line, edit, helper=k < last)
            few = wrong.right.size < 2 and not wrong.elsewhere
            by_chance = few and cause.kind not in CERTAIN
            yield replace(cause, exact=False) if by_chance else cause
            return


def _candidates(wrong: Wrong, known: str) -> Iterator[tuple[int, Written, Edit]]:
    """All small changes, each with its line: the claim's own line before the helpers above it.

    A factor at a helper's name in a later line may as well have been forgotten in the helper's own line: that is
    believed first. Lines that only give a number come after the others. Where the flows of several steps are missing,
    nothing that is added to a single place helps.
    """
    repairs = wrong.repairs
    assert repairs is not None
    words = words_for(wrong)
    last = len(repairs.lines) - 1
    nearest = [(k, written(repairs.lines[k])) for k in range(last, -1, -1)]
    every = [(k, line) for k, line in nearest if line is not None]
    plain = [each for each in every if each[1].line.target in words.numbers]
    lines = [each for each in every if each not in plain][: MOST_LINES + 1]
    helpers = {line.line.target for k, line in lines if k != last}

    def all_of(families: Sequence[Family]) -> Iterator[tuple[int, Written, Edit]]:
        later = []
        for family in families:
            for k, line in lines:
                for edit in family(line.tree, words):
                    attached = family in ATTACHED or (
                        family is signs and isinstance(edit.old, ast.Name)
                    )
                    if attached and _is_of_helper(edit, helpers, words):
                        later.append((k, line, edit))
                    else:
                        yield k, line, edit
        yield from later

    def solved() -> Iterator[tuple[int, Written, Edit]]:
        worth, several = partial(repairs.again, last), known in LACKING
        error = wrong.right - wrong.claim if wrong.spreads else None
        for k, line in lines:
            if k == last and error is not None:
                for edit in missing_terms(line.tree, words, error, worth, several=several):
                    yield k, line, edit

    for k, line in lines:
        before = k == last and line.line.target in repairs.names
        for edit in accumulated(line.tree, line.line.target, before=before):
            yield k, line, edit
    if known in LACKING:
        yield from all_of((comparisons, every_step))
        yield from solved()
    if known == "size":  # with a batch of 4, a 2 changed to 0.5 would do by chance what 1/m does
        yield from all_of([family for family in IN_PLACE if family not in NUMBERS])
        yield from all_of((scaled, unnamed_lengths))
    few = wrong.right.size < 2  # for a single number, many other numbers would do
    if few:
        yield from all_of((exponents, signs, doubled_numbers, twos, dropped_factors))
    yield from all_of(IN_PLACE)
    if known == "truncated":
        return
    for family in (shifts, other_numbers):
        for k, line in plain[:MOST_LINES]:
            for edit in family(line.tree, words):
                yield k, line, replace(edit, kind="size" if edit.kind == "size" else "factor")
    yield from all_of([family for family in ADDED if family is not other_numbers or not few])
    yield from all_of((other_derivatives, inserted_factors))
    if known not in LACKING:
        yield from solved()
    yield from all_of((*RARE, other_numbers))


ATTACHED = frozenset(
    {twos, scaled, forgotten_values, inserted_factors, matrix_factors, multiples, raised}
)
"""Changes that put something to a part of a line."""


def _is_of_helper(edit: Edit, helpers: Collection[str], words: Words) -> bool:
    """Whether what is put to the name of a helper may as well belong into the helper's line: it keeps its shape."""
    if not isinstance(edit.old, ast.Name) or edit.old.id not in helpers:
        return False
    size = words.shapes.get(edit.old.id)
    known = [words.shapes.get(ast.unparse(leaf)) for leaf in leaves(edit.new)]
    try:
        return size is None or np.broadcast_shapes(size, *(k for k in known if k)) == size
    except ValueError:
        return True


LACKING = ("missing path", "truncated")
"""Kinds after which the missing term is solved for first."""


def _cause(line: Written, edit: Edit, *, helper: bool) -> Cause:
    """The cause that a change mends, with the line as it should be."""
    where = f"line {line.line.number} ({line.line.target}): " if helper else ""
    number = line.line.number if helper else 0
    return Cause(edit.kind, where + edit.text, line.text_with(edit.old, edit.new), line=number)


def _holds(wrong: Wrong, index: int, changed: ast.expr) -> bool:
    """Whether a changed line is right on runs with other numbers too, and not by coincidence of these."""
    return all(
        each.repairs is not None and is_right(each, each.repairs.again(index, changed))
        for each in wrong.elsewhere
    )


def is_right(wrong: Wrong, claim: Array | None) -> bool:
    """Whether what a changed line comes to is right, to the last digits."""
    if claim is None:
        return False
    right, found = wrong.right, np.asarray(claim)
    if found.dtype.kind not in "fiub" or found.size != right.size:
        return False
    if [n for n in found.shape if n != 1] != [n for n in right.shape if n != 1]:
        return False
    found = found.astype(np.float64).reshape(right.shape)
    if not (np.isfinite(found).all() and same(found, right, EXACT)):
        return False
    size = float(np.max(abs(right)))
    return bool((abs(found - right) <= ELEMENT * abs(right) + ROUNDING * size).all())
