"""`tr.compare`: two traces of one network, node by node, and where they first go apart, forward and backward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.cells.notebook import of_text
from tracer.errors import CheckError
from tracer.format import number
from tracer.traces import Trace

ULPS = {"float32": 1e3, "float64": 1e6}
"""So far apart may the same computations in another order lie: 10⁻⁴ and 2·10⁻¹⁰ of the largest element."""
SHOWN = 12


class Apart(NamedTuple):
    """How far two arrays lie apart, and where most."""

    ulps: float
    """In ulps of the largest element; inf where one is NaN and the other is not, or shapes differ."""
    share: float
    """The same as a share of the largest element."""
    dtype: str
    """The coarser of the two dtypes, whose ulps they are."""
    at: tuple[int, ...]
    first: Any
    second: Any

    def diverges(self, ulps: float | None = None) -> bool:
        """Whether it is further than so many ulps, by default those of `ULPS`."""
        return self.ulps > (ULPS.get(self.dtype, 0.0) if ulps is None else ulps)

    @property
    def size(self) -> str:
        """How far, in words: ulps while they are few, else a share of the largest element."""
        if not np.isfinite(self.ulps):
            if self.dtype:
                return "NaN or inf in one alone"
            return "in one alone" if None in (self.first, self.second) else "of different shapes"
        if self.ulps > 1e4:
            return f"{number(100 * self.share, 3)} % apart"
        return f"{number(self.ulps, 3)} ulp{'s' * (self.ulps != 1)} apart"

    def __str__(self) -> str:
        if not np.isfinite(self.share) and not self.at:
            return f"{_shape(self.first)} against {_shape(self.second)}"
        where = f"[{','.join(map(str, self.at))}] " if self.at else ""
        for digits in (6, 17):  # as many as it takes to tell them apart
            first, second = number(self.first, digits), number(self.second, digits)
            if first != second:
                break
        return f"{where}{first} against {second}"


class Pair(NamedTuple):
    """A node of both traces."""

    label: str
    nodes: tuple[int, int]
    kernels: tuple[str, str]
    value: Apart
    gradient: Apart | None
    """None where neither has one."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two traces side by side: `ok`, `rows`, the first nodes to diverge, and a table when printed."""

    rows: tuple[Pair, ...]
    alone: tuple[tuple[str, ...], tuple[str, ...]]
    """The labels of the nodes that only one of them has."""
    ulps: float | None = None

    @property
    def ok(self) -> bool:
        """Whether both have the same nodes, and no value or gradient lies further apart than allowed."""
        return not (any(self.alone) or self.forward or self.backward)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def forward(self) -> Pair | None:
        """The first node, in the order of the forward pass, whose values diverge."""
        return next((row for row in self.rows if row.value.diverges(self.ulps)), None)

    @property
    def backward(self) -> Pair | None:
        """The first node, in the order of the backward pass, whose gradients diverge."""
        return next(
            (r for r in reversed(self.rows) if r.gradient and r.gradient.diverges(self.ulps)), None
        )

    def __str__(self) -> str:
        lines = [self.summary]
        for labels, word in zip(self.alone, ("first", "second"), strict=True):
            if labels:
                more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
                lines.append(f"only the {word} has {', '.join(labels[:SHOWN])}{more}")
        for way, row in (("forward", self.forward), ("backward", self.backward)):
            if row is not None:
                apart = row.value if way == "forward" else row.gradient
                assert apart is not None
                lines.append(f"first to diverge {way}: {row.label}, {apart.size}: {apart}")
        return "\n".join(lines)

    @property
    def summary(self) -> str:
        """How many nodes were compared, and how far values and gradients lie apart at most, in one line."""
        said = []
        for word, parts in (
            ("values", [(row.value, row) for row in self.rows]),
            ("gradients", [(row.gradient, row) for row in self.rows if row.gradient]),
        ):
            worst, row = max(parts, key=lambda part: part[0].ulps, default=(None, None))
            if worst is None or row is None:
                continue
            if worst.ulps == 0:
                said.append(f"{word} the same bit for bit")
            else:
                at_most = "at most " if np.isfinite(worst.ulps) else ""
                said.append(f"{word} {at_most}{worst.size} ({row.label})")
        nodes = f"{len(self.rows)} node{'s' * (len(self.rows) != 1)}"
        return f"{nodes} compared: {', '.join(said) or 'nothing in common'}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return of_text(str(self))


def compare(first: Trace, second: Trace, *, ulps: float | None = None) -> Comparison:
    """Two traces of one network, node by node: which values and gradients differ, and where that begins.

    Traces of the same operations in the same order are compared by number, others by label. ulps: how far a value or
    gradient may lie apart, in units in the last place of its largest element, before it counts as diverging (by default
    10³ in float32, 10⁶ in float64). They may lie on different devices. Raises `CheckError` for what is no trace.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> trace = tr.trace(tr.exp(x) * x)
    >>> print(compare(trace, trace.replay({"x": 4.0})))
    3 nodes compared: values at most 72.4 % apart (mul@2), gradients at most 70.6 % apart (x)
    first to diverge forward: x, 25 % apart: 3 against 4
    first to diverge backward: exp@1, 25 % apart: 3 against 4
    """
    for which in (first, second):
        if not isinstance(which, Trace):
            raise CheckError(
                f"compare: {type(which).__name__} is no trace\n  try: tr.compare(tr.trace(a), tr.trace(b))"
            )
    if ulps is not None and not 0 <= ulps < np.inf:
        raise CheckError(f"compare: ulps is {ulps}\n  try: a number from 0, such as ulps=1000")
    pairs = _pairs(first, second)
    sizes = _sent(first)
    rows = []
    for label, a, b in pairs:
        gradients = first.gradient(a), second.gradient(b)
        rows.append(
            Pair(
                label,
                (a, b),
                (first[a].kernels, second[b].kernels),
                apart(first.storage.value(a), second.storage.value(b), _made_of(first, a)),
                None
                if gradients[0] is None and gradients[1] is None
                else apart(*gradients, sizes[a]),
            )
        )
    seen = [{pair[k] for pair in pairs} for k in (1, 2)]
    alone = [
        tuple(trace.label(k) for k in _kept(trace) if k not in paired)
        for trace, paired in zip((first, second), seen, strict=True)
    ]
    return Comparison(tuple(rows), (alone[0], alone[1]), ulps)


def _kept(trace: Trace) -> list[int]:
    """The nodes to compare: a move to another device is none, its value is that of its input."""
    return [k for k in range(len(trace)) if trace[k].op_name != "to"]


def _pairs(first: Trace, second: Trace) -> Sequence[tuple[str, int, int]]:
    """The nodes that both have: label, number in the one, number in the other."""
    kept = [_kept(trace) for trace in (first, second)]
    if _structure(first, kept[0]) == _structure(second, kept[1]):
        return [(first.label(a), a, b) for a, b in zip(*kept, strict=True)]
    there = {second.label(k): k for k in kept[1]}
    labels = ((first.label(k), k) for k in kept[0])
    return [(label, k, there[label]) for label, k in labels if label in there]


def _structure(trace: Trace, kept: Sequence[int]) -> list[tuple[Any, ...]]:
    """What each node does and what it reads, with moves to another device left out."""
    place: dict[int, int] = {}
    found: list[tuple[Any, ...]] = []
    for k in range(len(trace)):
        inputs = trace.inputs_of(k)
        if trace[k].op_name == "to":
            place[k] = place[inputs[0]]
            continue
        place[k] = len(found)
        found.append((trace[k].op_name, *(place[i] if i >= 0 else i for i in inputs)))
    assert len(found) == len(kept)
    return found


_SUMS = frozenset({"add", "sub", "sum", "mean", "sum_to"})
_PRODUCTS = frozenset({"mul", "div", "matmul", "linear", "dot", "outer", "einsum", "tensordot"})


def _made_of(trace: Trace, node: int) -> float:
    """The largest number that a value was added up from: its rounding is of that size, however much of it cancels."""
    op = trace.op(node)
    if op is None or op.name not in _SUMS | _PRODUCTS - {"mul", "div"}:
        return 0.0
    sizes = [_largest(np.asarray(x)) for x in trace.input_values(node)]
    return max(sizes) if op.name in _SUMS else math.prod(sizes[:2])


def _sent(trace: Trace) -> list[float]:
    """The same of every gradient: how large the flows into it are before they are summed and cancel.

    Where nothing but rounding is left of a gradient, such as that of a bias before a batch_norm, what follows from it
    is rounding of that size too.
    """
    sizes = [0.0] * len(trace)
    passed_on = [0.0] * len(trace)
    for node in range(len(trace) - 1, -1, -1):
        gradient = trace.gradient(node)
        if gradient is None:
            continue
        own = _largest(gradient)
        uses = [edge for edge in trace.uses_of(node) if trace.edge_flows[edge]]
        sizes[node] = max([own, *(_flow_size(trace, edge, passed_on) for edge in uses)])
        rounding = ULPS.get(gradient.dtype.name, 0.0) * np.finfo(gradient.dtype).eps
        passed_on[node] = sizes[node] if own < rounding * sizes[node] else own
    return sizes


def _flow_size(trace: Trace, edge: int, sizes: Sequence[float]) -> float:
    """How large a flow is before it is summed, by the size of the cotangent that it was made of."""
    consumer, argument = int(trace.edge_consumer[edge]), trace.edge_argument[edge]
    op = trace.op(consumer)
    assert op is not None
    inputs = trace.input_values(consumer)
    if op.name in _PRODUCTS:
        others = [_largest(np.asarray(x)) for k, x in enumerate(inputs[:2]) if k != argument]
        return sizes[consumer] * math.prod(others) if op.name != "div" else 0.0
    spread = trace.storage.saved(consumer).get("inv_std")
    return sizes[consumer] * (1.0 if spread is None else _largest(spread))


def _largest(x: Array) -> float:
    return float(np.max(np.abs(x), where=np.isfinite(x), initial=0.0))


def apart(first: Array | None, second: Array | None, least: float = 0.0) -> Apart:
    """How far two arrays lie apart; None stands for one that is not there. least: the size of what they were made of.

    >>> apart(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 2**-51])).ulps
    1.0
    """
    if first is None or second is None or first.shape != second.shape:
        shapes = [None if x is None else x.shape for x in (first, second)]
        return Apart(np.inf, np.inf, "", (), *shapes)
    if not first.size:
        return Apart(0.0, 0.0, "", (), 0.0, 0.0)
    a, b = np.asarray(first), np.asarray(second)
    size = max(least, _largest(a), _largest(b))
    dtype = min(a.dtype, b.dtype, key=lambda dtype: dtype.itemsize)
    unit = float(np.spacing(dtype.type(size))) if dtype.kind == "f" else 1.0
    with np.errstate(all="ignore"):
        far = np.abs(a.astype(np.float64) - b.astype(np.float64)) / unit
    same = (a == b) | ((a != a) & (b != b))
    if dtype.kind != "f":  # whole numbers beyond 2⁵³ differ where their floats do not
        far = np.where(same, 0.0, np.maximum(far, 1.0))
    far = np.where(same, 0.0, np.where(np.isnan(far), np.inf, far))
    place = int(far.argmax())
    at = tuple(map(int, np.unravel_index(place, a.shape)))
    most = float(far.max())
    share = most * unit / size if size else 0.0
    return Apart(most, share, dtype.name, at, a[at].item(), b[at].item())


def _shape(x: Any) -> str:
    return "nothing" if x is None else f"shape {x}"
