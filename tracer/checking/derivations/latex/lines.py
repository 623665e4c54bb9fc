"""Formulas as lines of the calculator: which name each gives a value to, and the expression."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tracer.checking.derivations.reading import REPEAT, Line
from tracer.checking.derivations.refusals import RefusedError
from tracer.errors import DerivationError

from .arrays import Term, finished, fits, settled
from .items import Item, claims, complaint_of, key_of, target_of
from .lexicon import Lexicon, Meaning, MissingError, OutsideError, canonical
from .naming import READINGS, Place, Reading
from .ordering import ordered_lines
from .tokens import MisshapenError, TwoReadingsError, UnreadableError
from .translate import Translator
from .tree import Gradient, Number, Sum, parts

MOST_ROUNDS = 8
"""How often lines are tried again that use what lines below define."""


def lines_of(text: str, items: Sequence[Item], lexicon: Lexicon) -> tuple[Line, ...]:
    """The lines of all equations; those that use what a line below defines are tried again."""
    done: dict[int, list[Line]] = {}
    waiting = list(enumerate(items))
    single = {
        (key_of(item), index.name)
        for item in items
        if not item.steps
        for index in target_of(item).indices[:1]
    }
    for attempt in range(MOST_ROUNDS):
        later: list[tuple[int, Item]] = []
        complaint: DerivationError | None = None
        for k, item in waiting:
            if item.steps and _given_alone(item, single, lexicon):
                done[k] = []
                continue
            try:
                done[k] = _translated(item, lexicon)
            except MissingError as refused:
                complaint = complaint or complaint_of(text, refused, item.equation)
                later.append((k, item))
            except OutsideError as refused:
                if not item.steps:
                    raise complaint_of(text, refused, item.equation) from None
                done[k] = []
            except RefusedError as refused:
                raise complaint_of(text, refused, item.equation) from None
        if not later:
            break
        if len(later) == len(waiting) or attempt == MOST_ROUNDS - 1:
            if complaint is not None and any(
                not item.equation.inline or claims(item.equation) for _, item in later
            ):
                raise complaint
            break
        waiting = later
    constants = [
        Line(line, f"{name} = {lexicon.sizes[name]:g}", name, ast.Constant(lexicon.sizes[name]))
        for name, line in lexicon.used.items()
        if name in lexicon.sizes and (name, None) not in lexicon.defined
    ]
    return ordered_lines([*constants, *(line for k in sorted(done) for line in done[k])])


def _given_alone(item: Item, single: set[tuple[str, str]], lexicon: Lexicon) -> bool:
    """Whether a line of its own gives this step, as that for T beside that for t."""
    index = target_of(item).indices[0]
    step = lexicon.step(index, item.steps)
    names = {str(step - lexicon.offset)} if step is not None else set()
    if index.name in item.spans and step == item.spans[index.name][1]:
        names |= {"T", "L"}
    return any((key_of(item), name) in single for name in names)


def _chosen(item: Item, lexicon: Lexicon, meaning: Meaning) -> Term:
    """What an equation comes to under the reading that gives the shape of the left side.

    Raises `TwoReadingsError` where a lone index could count the first axis or the last, and it makes a difference.
    """
    sums = [part for part in parts(item.right) if isinstance(part, Sum)]
    letters = {i.name for i in meaning.rest} | {letter for each in sums for letter in each.letters}
    hints = {
        lexicon.hints[letter] for letter in letters - set(item.spans) if letter in lexicon.hints
    }
    readings = sorted(READINGS, key=lambda reading: hints == {"last"} and reading.axis == "first")
    sure = len(hints) == 1 or not letters or meaning.node is None
    before = dict(lexicon.sizes), dict(lexicon.used)
    found: dict[str, tuple[Term, dict[str, float], dict[str, int]]] = {}
    other: tuple[Term, dict[str, float], dict[str, int]] | None = None
    refused: RefusedError | None = None
    for reading in readings:
        if reading.axis in found or (sure and found):
            continue
        lexicon.sizes, lexicon.used = dict(before[0]), dict(before[1])
        try:
            term = _under(reading, item, lexicon, meaning)
        except (MissingError, OutsideError, TwoReadingsError):
            raise
        except RefusedError as error:
            refused = refused or error
            continue
        if meaning.node is None or fits(term.shape, meaning.shape):
            found[reading.axis] = term, lexicon.sizes, lexicon.used
        other = other or (term, lexicon.sizes, lexicon.used)
    best = next(iter(found.values()), other)
    if best is None:
        assert refused is not None
        raise refused
    if len({ast.unparse(finished(term.code)) for term, _, _ in found.values()}) > 1:
        letter = sorted(letters - set(item.spans))[0]
        raise TwoReadingsError(
            f"{letter} could count the first axis or the last",
            rf"an index for each axis, as in x_{{n{letter}}}; or a limit, \sum_{{{letter}=1}}^{{m}} for the batch",
            item.right.at,
        )
    term, lexicon.sizes, lexicon.used = best
    return term


def _under(reading: Reading, item: Item, lexicon: Lexicon, meaning: Meaning) -> Term:
    """What an equation comes to under one reading."""
    symbol, rest = target_of(item), meaning.rest
    place = Place(item.steps, frozenset(index.name for index in rest))
    order = tuple(index.name for index in rest)
    translator = Translator(lexicon, reading, order, item.spans)
    for side in (item.left, item.right):
        translator.measure(side, place)
    if len(rest) > len(meaning.shape) and meaning.node is not None:
        raise UnreadableError(
            f"{symbol.written} has {len(rest)} indices, {meaning.name} has {len(meaning.shape)} axes",
            "an index for each axis",
            symbol.at,
        )
    axes = translator.axes(rest, meaning.shape) if meaning.node is not None else order
    term = translator.value(item.right, place)
    loose = [axis for axis in term.named if axis not in axes]
    if loose:
        raise UnreadableError(
            f"the index {loose[0]} stands on the right, but neither on the left nor under a sum",
            rf"\sum_{loose[0]} (...) around what bears it, or {loose[0]} on the left",
            item.right.at,
        )
    return settled(term, axes, meaning.shape if meaning.node is not None else (), _like(meaning))


def _translated(item: Item, lexicon: Lexicon) -> list[Line]:
    """The lines of an equation, or of one time step of it."""
    equation = item.equation
    is_gradient = isinstance(item.left, Gradient)
    name, meaning, step = _named(item, lexicon)
    try:
        term = _chosen(item, lexicon, meaning)
    except MisshapenError as refused:
        if meaning.node is None or not is_gradient or item.steps:
            raise
        nothing = ast.Constant(0.0)
        return [Line(equation.number, equation.text, name, nothing, True, misfit=refused.reason)]
    if isinstance(term.code, ast.Name) and term.code.id == name:
        return []
    if meaning.node is None:
        lexicon.defined[key_of(item), step] = Meaning(name, term.shape)
        if isinstance(item.right, Number) and not is_gradient:
            lexicon.sizes[key_of(item)] = item.right.value
    judged = name == f"dL_d{meaning.name}"
    shown, at = _row(item, lexicon, meaning) if judged else ("", None)
    # an equation is no assignment: each is judged, also where another gives the same gradient
    return [Line(equation.number, equation.text, name, finished(term.code), judged, at, shown)]


def _row(item: Item, lexicon: Lexicon, meaning: Meaning) -> tuple[str, int | None]:
    """What the row of a gradient at one of many time steps is called, and the step as the text counts it."""
    index = target_of(item).indices[:1]
    step = lexicon.step(index[0], item.steps) if index and item.steps else None
    if step is None or REPEAT not in meaning.name:
        return "", None
    return f"dL_d{meaning.name.partition(REPEAT)[0]}", step - lexicon.offset


def _like(meaning: Meaning) -> ast.expr | None:
    return None if meaning.node is None else ast.Name(meaning.name)


def _named(item: Item, lexicon: Lexicon) -> tuple[str, Meaning, int | None]:
    """The name that a line gives a value to, what it means, and its time step if it is a name of our own."""
    symbol = target_of(item)
    step = lexicon.step(symbol.indices[0], item.steps) if symbol.indices and item.spans else None
    place = Place(item.steps, frozenset(item.spans))
    defined, lexicon.defined = lexicon.defined, {}
    try:
        meaning = lexicon.meaning(symbol, item.steps, place.bound)
        if meaning.node is None:
            raise lexicon.missing(symbol)
    except MissingError:
        meaning = Meaning("", ())
    finally:
        lexicon.defined = defined
    if isinstance(item.left, Gradient):
        Translator(lexicon, READINGS[0], (), item.spans).refuse_local(item.left)
        if meaning.node is not None:
            return f"dL_d{meaning.name}", meaning, None
    elif meaning.node is not None:
        return meaning.name, meaning, None
    signal = None
    if not isinstance(item.left, Gradient) and symbol.base == "delta":
        signal = Translator(lexicon, READINGS[0], (), item.spans).signal(symbol, place)
    rest = symbol.indices[1:] if step is not None else symbol.indices
    if signal is not None:
        return f"dL_d{signal.name}", signal, None
    word = {"delta": "δ"}.get(symbol.base, canonical(symbol.base)) + canonical(symbol.label)
    name = ("d" if isinstance(item.left, Gradient) else "") + word.replace("^", "")
    if name in lexicon.names.nodes:
        name += "_own"
    return (
        name + (f"{REPEAT}{step}" if step is not None else ""),
        Meaning(name, (), None, rest),
        step,
    )
