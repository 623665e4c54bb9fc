"""What the text of a breakpoint selects.

xhat                             a node, by name, label or number
op:mul  name:h*  scope:rnn*      nodes by operation, name or scope; `*` and `?` stand for any letters
nan(value)                       every node of which a condition holds
op:exp if inf(value)             both
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np

from ops import PRIMITIVES
from ops.primitive import Array
from tracer.conditions import Condition
from tracer.errors import ConditionError, UnknownNameError
from tracer.format import shape
from tracer.kinds import KINDS
from tracer.recording import Scope
from tracer.traces import Trace

Kind = Literal["node", "op", "name", "scope", "any"]
Matcher = Callable[[str], bool]


@dataclass(frozen=True)
class Selection:
    """The nodes that a text is about, and the condition that must hold there.

    pattern: what stands after the colon, or the label of the node. node: its number, which counts in `trace` only; the
    other kinds also select in the parts of a fused node.
    """

    kind: Kind
    pattern: str = ""
    condition: Condition | None = None
    node: int = -1
    trace: Trace | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The selection as a user would write it."""
        where = {"node": self.pattern, "any": ""}.get(self.kind, f"{self.kind}:{self.pattern}")
        if self.condition is None:
            return where
        return f"{where} if {self.condition.text}" if where else self.condition.text

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
    kind, colon, pattern = where.partition(":")
    if colon and kind in ("op", "name", "scope"):
        chosen = Selection(cast(Kind, kind), pattern.strip(), condition)
        if not chosen.mask(trace).any() and not (kind == "op" and _declared(chosen.pattern)):
            raise _nothing_matches(trace, chosen)
        return chosen
    if not where:
        return Selection("any", "", condition)
    try:
        node = trace.node_index(int(where) if where.isdecimal() else where)
    except UnknownNameError:
        if condition is None and re.search(r"[()<>=!]", where):
            return Selection("any", "", Condition(where))
        raise
    label = trace.label(node)
    if condition is not None and not condition.reads_grad and trace.op_of[node] < 0:
        raise ConditionError(
            f"breakpoint {text!r}: {label} is a leaf, and has its value before the first step\n"
            f"  try: a condition on grad, or the value of a node that reads {label}"
        )
    return Selection("node", label, condition, node, trace)


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
        case "op":
            there = sorted({op.name for op in trace.ops})
        case "name":
            there = list(dict.fromkeys(name for name in trace.names if name))
        case _:
            there = sorted(
                {".".join(entry.name for entry in scope) for scope in trace.scopes if scope}
            )
    shown = ", ".join(there[:12]) + (", …" if len(there) > 12 else "")
    return UnknownNameError(
        f"breakpoint {chosen.text!r}: no {chosen.kind} of this trace matches {chosen.pattern!r}\n"
        f"  there are: {shown or 'none'}\n"
        f"  try: one of these, or {chosen.kind}:{chosen.pattern}*"
    )
