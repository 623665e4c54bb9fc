"""What the text of a breakpoint selects.

xhat                             a node, by name, label or number
op:mul  name:h*  scope:rnn*      nodes by operation, name or scope; `*` and `?` stand for any letters
state:blocked                    nodes whose gradient is blocked, or disconnected
nan(value)                       every node of which a condition holds
nan   inf                        every number in which there is one, as soon as it is there: `nan(it)`, `inf(it)`
op:exp if inf(value)             both
norm(w1.grad) > 10 * norm(w1)    the node whose number comes last of those that a condition names
op:mul except xhat, name:tmp*    all but some; `any` is every node: `any except scope:rnn* if nan(value)`
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import numpy as np

from ops import PRIMITIVES
from ops.primitive import Array
from tracer.conditions import Condition
from tracer.errors import ConditionError, UnknownNameError
from tracer.expressions import node_of
from tracer.format import shape
from tracer.kinds import KINDS
from tracer.recording import Scope
from tracer.traces import Trace

Kind = Literal["node", "op", "name", "scope", "state", "any"]
PATTERNS = ("op", "name", "scope", "state")
STATES = ("blocked", "disconnected")
"""The states of a gradient that a selection knows: those in which nothing ever arrives."""
ANYWHERE = {"nan": "nan(it)", "inf": "inf(it)"}
Matcher = Callable[[str], bool]


@dataclass(frozen=True)
class Selection:
    """The nodes that a text is about, and the condition that must hold there.

    pattern: what stands after the colon, or the label of the node. node: its number, which counts in `trace` only; the
    other kinds also select in the parts of a fused node. without: what is left out.
    """

    kind: Kind
    pattern: str = ""
    condition: Condition | None = None
    node: int = -1
    trace: Trace | None = field(default=None, repr=False)
    without: tuple[Selection, ...] = ()

    @property
    def where(self) -> str:
        """The part of the text before the condition; empty for every node."""
        where = {"node": self.pattern, "any": ""}.get(self.kind, f"{self.kind}:{self.pattern}")
        if not self.without:
            return where
        return f"{where or 'any'} except {', '.join(each.where for each in self.without)}"

    @property
    def text(self) -> str:
        """The selection as a user would write it."""
        where = self.where
        if self.condition is None:
            return where or "any"
        return f"{where} if {self.condition.text}" if where else self.condition.text

    def moved(self, old: Trace, new: Trace, where: Callable[[int], int | None]) -> Selection | None:
        """The same selection in another run; None if its node is gone. What is left out and gone is left out no more.

        where: the number of a node in the new trace, None if it is not there.
        """
        there = [each.moved(old, new, where) for each in self.without]
        without = tuple(each for each in there if each is not None)
        chosen = self if without == self.without else replace(self, without=without)
        if self.kind != "node" or self.trace is not old:
            return chosen
        node = where(self.node)
        if node is None:
            return None
        return replace(chosen, pattern=new.label(node), node=node, trace=new)

    def mask(self, trace: Trace) -> Array:
        """bool (nodes,): the nodes of a trace that are selected, whatever the condition says."""
        chosen = np.zeros(len(trace), dtype=bool)
        matches = _matcher(self.pattern)
        match self.kind:
            case "node":
                if trace is self.trace:
                    chosen[self.node] = True
            case "any":
                chosen[:] = True
            case "op":
                kinds = np.array([matches(kind) for kind in KINDS])[trace.kind_of]
                ops = np.array([*(matches(op.name) for op in trace.ops), False])[trace.op_of]
                chosen[:] = np.where(trace.op_of < 0, kinds, ops)
            case "name":
                pairs = zip(trace.names, trace.labels, strict=True)
                chosen[:] = [
                    bool(name) and (matches(name) or matches(label)) for name, label in pairs
                ]
            case "scope":
                chosen[:] = np.array([_within(each, matches) for each in trace.scopes])[
                    trace.scope_of
                ]
            case "state":
                silent = ~trace.receives
                reaches = trace.reaches_loss
                named = (reaches & matches("blocked")) | (~reaches & matches("disconnected"))
                chosen[:] = silent & named & (trace.op_of >= 0)  # a leaf has no step to stop at
        for each in self.without:
            chosen &= ~each.mask(trace)
        return chosen


def select(trace: Trace, text: str) -> Selection:
    """Read the text of a breakpoint.

    Raises `UnknownNameError` for a node, operation, name or scope that the trace does not have, `ConditionError` for a
    condition that cannot be read.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> trace = tr.trace(x * x)
    >>> [select(trace, text).kind for text in ("x", "op:mul", "op:mul if nan(value)", "nan(value)")]
    ['node', 'op', 'op', 'any']
    """
    where, condition = _split(" ".join(text.split()))
    where, found, left_out = f"{where} ".partition(" except ")
    where = where.strip()
    try:
        chosen = _plain(trace, where)
    except UnknownNameError:
        if found or condition is not None or not re.search(r"[()<>=!]", where):
            raise
        chosen, condition = Selection("any"), Condition(where)
    if found:
        items = [each.strip() for each in left_out.split(",")]
        without = tuple(_plain(trace, each) for each in items if each)
        chosen = replace(chosen, without=without)
        if not without or not chosen.mask(trace).any():
            raise ConditionError(
                f"breakpoint {text!r}: {'nothing is left' if without else 'nothing stands after except'}\n"
                f"  try: op:mul except xhat, name:tmp*"
            )
    if condition is not None and chosen.condition is not None:  # nan if norm(value) > 1
        condition = Condition(f"{chosen.condition.text} and ({condition.text})")
    return with_condition(trace, chosen, condition or chosen.condition)


def with_condition(trace: Trace, chosen: Selection, condition: Condition | None) -> Selection:
    """The same nodes under another condition, or under none.

    Raises `ConditionError` for a condition that does not fit the trace, or that could never hold there.
    """
    if condition is None:
        return replace(chosen, condition=None)
    condition.expression.fit(trace)
    if chosen.kind == "any" and not chosen.without and not condition.own:
        node = _last_of(trace, condition)
        chosen = Selection("node", trace.label(node), None, node, trace)
    late = condition.reads_grad or condition.reads_it
    if chosen.kind == "node" and not late and trace.op_of[chosen.node] < 0:
        label = chosen.pattern
        raise ConditionError(
            f"breakpoint {condition.text!r}: {label} is a leaf, and has its value before the first step\n"
            f"  try: a condition on grad, or the value of a node that reads {label}"
        )
    return replace(chosen, condition=condition)


def _last_of(trace: Trace, condition: Condition) -> int:
    """Of the nodes that a condition names the one whose number comes last: there it can be told."""
    timeline, last = trace.timeline, (-1, -1)
    for name, quantity in sorted(condition.expression.uses):
        node = node_of(trace, name)
        when = timeline.when_final(node) if quantity == "grad" else timeline.after_forward(node)
        if when is None:
            status = timeline.status(timeline.last, node)
            raise ConditionError(
                f"condition {condition.text!r}: the gradient of {name} never comes: {status}\n"
                f"  try: the gradient of another node"
            )
        last = max(last, (when, node))
    return last[1]


def _plain(trace: Trace, where: str) -> Selection:
    """A text without a condition: a node, a pattern, `any`, or `nan` and `inf` anywhere."""
    kind, colon, pattern = where.partition(":")
    if colon and kind in PATTERNS:
        chosen = Selection(cast(Kind, kind), pattern.strip())
        if not chosen.mask(trace).any() and not (kind == "op" and _declared(chosen.pattern)):
            raise _nothing_matches(trace, chosen)
        return chosen
    if not where:
        return Selection("any")
    try:
        node = trace.node_index(where)
    except UnknownNameError:
        if where in ANYWHERE:
            return Selection("any", "", Condition(ANYWHERE[where]))
        if where == "any":
            return Selection("any")
        for kind, words in (("op", "an operation"), ("scope", "a scope")):
            if Selection(cast(Kind, kind), where).mask(trace).any():
                raise UnknownNameError(
                    f"there is no node {where!r}, it is {words}\n  try: {kind}:{where}"
                ) from None
        raise
    return Selection("node", trace.label(node), None, node, trace)


def search_texts(trace: Trace) -> list[str]:
    """For each node its label, operation, scope and shape (`4×2`, `4x2`, `(4, 2)`), in small letters."""
    scopes = [".".join(map(str, scope)) for scope in trace.scopes]
    texts = []
    for node, which in zip(trace, trace.scope_of.tolist(), strict=True):
        sizes = node.shape
        forms = shape(sizes), "x".join(map(str, sizes)), str(sizes)
        texts.append("\n".join((node.label, node.op_name, scopes[which], *forms)).casefold())
    return texts


def _split(text: str) -> tuple[str, Condition | None]:
    """What stands before `if`, and the condition after it. Conditions know no `if`, so the last one counts."""
    if not text:
        raise ConditionError(
            "an empty breakpoint\n  try: xhat, op:mul, name:h*, scope:rnn*, or nan(value)"
        )
    if f" {text}".endswith(" if"):
        raise ConditionError(
            f"breakpoint {text!r}: no condition after 'if'\n  try: {text} nan(value)"
        )
    where, found, condition = f" {text}".rpartition(" if ")
    return (where.strip(), Condition(condition)) if found else (text, None)


def _matcher(pattern: str) -> Matcher:
    """Whether a text matches a pattern; only `*` and `?` are special, so that `rnn[t=3]` stands for itself."""
    wild = re.escape(re.sub(r"\*+", "*", pattern)).replace(r"\*", ".*").replace(r"\?", ".")
    found = re.compile(wild, re.DOTALL).fullmatch
    return lambda text: found(text) is not None


def _within(scope: Scope, matches: Matcher) -> bool:
    """Whether a scope or one around it matches, with its index or without: `rnn` selects all inside `rnn[t=3].cell`."""
    for depth in range(1, len(scope) + 1):
        around = scope[:depth]
        if matches(".".join(map(str, around))) or matches(".".join(entry.name for entry in around)):
            return True
    return False


def _declared(pattern: str) -> bool:
    """Whether an operation of that name exists; it may stand in the parts of a fused node."""
    return any(map(_matcher(pattern), PRIMITIVES))


def _nothing_matches(trace: Trace, chosen: Selection) -> UnknownNameError:
    match chosen.kind:
        case "state":
            there = list(STATES)
        case "op":
            there = sorted({op.name for op in trace.ops})
        case "name":
            there = list(dict.fromkeys(name for name in trace.names if name))
        case _:
            there = sorted(
                {".".join(entry.name for entry in scope) for scope in trace.scopes if scope}
            )
    if chosen.kind == "state" and chosen.pattern in STATES:
        return UnknownNameError(
            f"breakpoint {chosen.text!r}: of no node that runs here the gradient is {chosen.pattern}\n"
            f"  try: state:{STATES[chosen.pattern == STATES[0]]}, or norm(grad) == 0"
        )
    shown = ", ".join(there[:12]) + (", …" if len(there) > 12 else "")
    return UnknownNameError(
        f"breakpoint {chosen.text!r}: no {chosen.kind} of this trace matches {chosen.pattern!r}\n"
        f"  there are: {shown or 'none'}\n"
        f"  try: one of these, or {chosen.kind}:{chosen.pattern}*"
    )
