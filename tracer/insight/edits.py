"""How an edit is written, and what it means in a trace.

x = 3                     all of a value: a number, a list of the right shape, an expression
w1[0, 2] = 0.5            one element;  w1[:, 0] *= 2  a slice, counted on from what it is
xhat.eps = 1e-3           a parameter of an operation
h.y = 0.5                 a Python number that an operation reads, by the name of the argument
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import NUMBERS, Array
from tracer.errors import EditError, GradstepError, UnknownNameError
from tracer.traces import Trace
from tracer.values import as_value
from tracer.watches import evaluated

ASSIGNMENT = re.compile(r"\s*(\*\*|[-+*/])?(?<![=<>!])=(?!=)\s*")
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
LONGEST = 10_000
"""Characters in an edit: a matrix may be written out."""


@dataclass(frozen=True, eq=False)
class Edit:
    """One thing that the user set.

    text: as it was written. node: whose value, parameter or argument it is. value: the whole new value, or the new
    parameter or number. before, after: what was edited, and what it became: an element, a slice, or everything.
    """

    text: str
    node: int
    value: Any
    before: Any
    after: Any
    parameter: str = ""
    argument: int = -1

    @property
    def is_value(self) -> bool:
        """Whether it is the value of a node that was edited."""
        return not self.parameter and self.argument < 0


class Subject(NamedTuple):
    """What stands to the left of `=`: a node, and an index into its value, a parameter or an argument of it."""

    node: int
    index: Any = ()
    parameter: str = ""
    argument: int = -1


def read_edit(trace: Trace, text: str) -> Edit:
    """Read an edit. Raises `EditError` or `UnknownNameError` for what cannot be read or is not there.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 2.0], name="x")
    >>> edit = read_edit(tr.trace((x * x).sum()), "x[1] *= 2")
    >>> edit.value, edit.before, edit.after
    (array([1., 4.]), np.float64(2.0), np.float64(4.0))
    """
    clean = " ".join(text.split())
    found = ASSIGNMENT.search(clean)
    if len(clean) > LONGEST:
        raise EditError(f"an edit of {len(clean)} characters; at most {LONGEST} are read")
    if found is None or not clean[: found.start()] or not clean[found.end() :]:
        raise EditError(f"an edit is NODE = VALUE, not {clean!r:.60}: try {example(trace)}")
    subject = subject_of(trace, clean[: found.start()])
    words, sign = clean[found.end() :], found.group(1)
    if subject.parameter:
        return _edited_parameter(trace, clean, subject, words, sign)
    if subject.argument >= 0:
        return _edited_number(trace, clean, subject, words, sign)
    return _edited_value(trace, clean, subject, words, sign)


def example(trace: Trace) -> str:
    """An edit that this trace would take."""
    leaf = next((k for k in range(len(trace)) if trace.op_of[k] < 0), 0)
    return edit_of(trace, leaf, (0,) * trace.storage.held(leaf).ndim) if len(trace) else "x = 3"


def edit_of(trace: Trace, node: int, element: tuple[int, ...]) -> str:
    """The edit that would leave an element as it is: what somebody starts from who wants to change it.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 0.25], name="x")
    >>> edit_of(tr.trace(x.sum()), 0, (1,))
    'x[1] = 0.25'
    """
    value = trace.seen(node)
    where = f"[{', '.join(map(str, element))}]" if value.ndim else ""
    number = str(value[element]) if value.size else ""
    return f"{trace.label(node)}{where} = {number}"


def subject_of(trace: Trace, text: str) -> Subject:
    """What an edit is about. A name may itself hold brackets and points, so the longest that is a node counts."""
    whole = _node(trace, text)
    if whole is not None:
        return Subject(whole)
    for bracket in [k for k, c in enumerate(text) if c == "["][::-1]:
        node = _node(trace, text[:bracket].strip())
        if node is not None and text.endswith("]"):
            return Subject(node, _index(trace, node, text[bracket:]))
    head, point, name = text.rpartition(".")
    node = _node(trace, head.strip()) if point else None
    if node is not None:
        return _part_of(trace, node, name.strip())
    trace.node_index(text)  # raises, and lists the names there are
    raise AssertionError(text)


def _node(trace: Trace, text: str) -> int | None:
    try:
        return trace.node_index(text)
    except UnknownNameError:
        return None


def adjustable(trace: Trace, node: int) -> list[str]:
    """What can be edited of the operation of a node: its parameters, and the arguments that are Python numbers."""
    op = trace.op(node)
    return [] if op is None else [*op.defaults, *_numbers(trace, node)]


def _numbers(trace: Trace, node: int) -> dict[str, int]:
    """The arguments of a node that are Python numbers, by name."""
    named = zip(trace[node].argument_names, trace.inputs_of(node), strict=True)
    return {name: k for k, (name, i) in enumerate(named) if i < 0}


def _part_of(trace: Trace, node: int, name: str) -> Subject:
    """A parameter of the operation of a node, or an argument of it that is a Python number."""
    view, numbers = trace[node], _numbers(trace, node)
    if view.op is not None and name in view.op.defaults:
        return Subject(node, parameter=name)
    if name in numbers:
        return Subject(node, argument=numbers[name])
    there = adjustable(trace, node)
    if name in view.argument_names:
        read = trace.label(trace.inputs_of(node)[view.argument_names.index(name)])
        cure = f"that is the node {read}: try {read} = 1"
    else:
        cure = f"it has {', '.join(there)}" if there else f"it has none: try {view.label} = 1"
    raise EditError(f"{view.label} ({view.op_name}) has no parameter {name!r}; {cure}")


def _index(trace: Trace, node: int, brackets: str) -> Any:
    """Integers and slices, as numpy takes them, that fit the value of a node."""
    shape = tuple(trace.storage.held(node).shape)
    try:
        tree = ast.parse(f"_{brackets}", mode="eval").body
        assert isinstance(tree, ast.Subscript)
        parts = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
        index = tuple(_slice(part) for part in parts)
        assert np.broadcast_to(0.0, shape)[index] is not None
    except (SyntaxError, ValueError, AssertionError, MemoryError, RecursionError):
        raise EditError(
            f"{brackets} is no index: try {trace.label(node)}[0] or {trace.label(node)}[:, 1:3]"
        ) from None
    except IndexError:
        sizes = "×".join(map(str, shape)) or "a single number"
        raise EditError(
            f"{trace.label(node)} is {sizes}, so there is no {brackets} in it"
        ) from None
    return index


def _slice(part: ast.expr) -> Any:
    if isinstance(part, ast.Slice):
        ends = (part.lower, part.upper, part.step)
        return slice(*(None if end is None else _integer(end) for end in ends))
    return ... if isinstance(part, ast.Constant) and part.value is ... else _integer(part)


def _integer(part: ast.expr) -> int:
    found = ast.literal_eval(part)
    if type(found) is not int:
        raise ValueError(found)
    return found


# ----- what stands to the right of `=`


def _edited_value(trace: Trace, text: str, subject: Subject, words: str, sign: str | None) -> Edit:
    node, index = subject.node, subject.index
    old = np.asarray(trace.storage.value(node))
    given = _computed(trace, node, words)
    with np.errstate(all="ignore"):
        part = given if sign is None else _combined(sign, old[index], given, words)
    new = np.array(old, dtype=np.result_type(old, part) if old.dtype.kind != "f" else old.dtype)
    try:
        new[index] = part
    except (ValueError, TypeError):
        raise EditError(
            f"{words!r:.60} has shape {np.shape(part)}, what it is put into {old[index].shape}: try one number"
        ) from None
    return Edit(text, node, new[()], old[index], new[index])


def _combined(sign: str, old: Any, given: Any, words: str) -> Any:
    try:
        return SIGNS[sign](old, given)
    except (ValueError, TypeError):
        raise EditError(
            f"{words!r:.60} has shape {np.shape(given)}, what it changes {np.shape(old)}: try one number"
        ) from None


def _computed(trace: Trace, node: int, words: str) -> Array:
    """A number, a list of numbers, or an expression."""
    try:
        return as_value(
            float(words) if words.lower().lstrip("+-") in ("nan", "inf") else _literal(words)
        )
    except (GradstepError, ValueError):
        pass
    found, _ = evaluated(trace, trace.timeline.last, node, words)
    if isinstance(found, str):
        raise EditError(f"{words!r:.60} cannot be told: {found}")
    return as_value(found)


def _literal(words: str) -> Any:
    """A number, a word in quotes, None, or a tuple or list of them, as Python writes them. Raises `ValueError`."""
    try:
        return ast.literal_eval(words)
    except (SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(words) from None


def _edited_parameter(
    trace: Trace, text: str, subject: Subject, words: str, sign: str | None
) -> Edit:
    node, name = subject.node, subject.parameter
    op = trace.op(node)
    assert op is not None
    old = {**op.defaults, **trace.params[trace.params_of[node]]}[name]
    new = _plain(words, sign, old)
    if not isinstance(new, _kinds(old)):
        raise EditError(f"{name} of {trace.label(node)} is {old!r}, which {words} cannot stand for")
    return Edit(text, node, new, old, new, parameter=name)


def _kinds(old: Any) -> tuple[type, ...]:
    """The types of Python that may stand where another value stood."""
    if isinstance(old, bool):
        return (bool,)
    if isinstance(old, (int, float)):
        return (int, float, tuple) if isinstance(old, int) else (int, float)
    if isinstance(old, str):
        return (str,)
    return (int, float, tuple, str, type(None))


def _edited_number(trace: Trace, text: str, subject: Subject, words: str, sign: str | None) -> Edit:
    old = trace.literals[-1 - trace.inputs_of(subject.node)[subject.argument]]
    new = _plain(words, sign, old)
    if type(new) not in NUMBERS:
        raise EditError(f"{trace.label(subject.node)} reads a number here, not {words}: try 2.0")
    return Edit(text, subject.node, new, old, new, argument=subject.argument)


def _plain(words: str, sign: str | None, old: Any) -> Any:
    """A value of Python's own, written out."""
    try:
        given = float(words) if words.lower().lstrip("+-") in ("nan", "inf") else _literal(words)
        new = given if sign is None else SIGNS[sign](old, given)
    except (ValueError, TypeError, ArithmeticError):
        raise EditError(f"{words!r:.60} is not a number written out: try {old!r}") from None
    return tuple(new) if isinstance(new, list) else new
