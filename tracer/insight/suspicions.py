"""What is seldom meant: a value that was detached, two vectors that broadcast to a matrix, no gradient at all.

None of these is wrong in itself, so none changes a verdict; each is a sentence that names nodes and lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tracer.kinds import KINDS
from tracer.names import detached_from
from tracer.stats import all_zero

if TYPE_CHECKING:
    from tracer.traces import Trace

MOST = 3
"""So many of a kind are told one by one."""


def suspicions(trace: Trace) -> tuple[str, ...]:
    """Sentences about what in a trace is seldom meant; none for most traces.

    >>> import numpy as np
    >>> import tracer as tr
    >>> y, t = tr.tensor(np.ones((8, 1)), name="y"), tr.constant(np.zeros(8), name="t")
    >>> print(*suspicions(tr.trace(tr.mean((y - t) ** 2))))
    sub@2 is 8×8, of y 8×1 and t 8: each element meets every other; y.reshape(8) meets one
    """
    found = (_detached(trace), _stretched(trace), _still(trace))
    return tuple(sentence for sentences in found for sentence in _shortened(tuple(sentences)))


def _shortened(sentences: tuple[str, ...]) -> tuple[str, ...]:
    if len(sentences) <= MOST:
        return sentences
    return (*sentences[: MOST - 1], f"… and {len(sentences) - MOST + 1} more of this kind")


def _detached(trace: Trace) -> Iterator[str]:
    """Constants that `detach` made, where nothing of their source was kept."""
    for node in np.flatnonzero(trace.kind_of == KINDS.index("constant")).tolist():
        source = detached_from(trace, node)
        if source is not None and trace.reaches_loss[node]:
            label = trace.label(node)
            what = f"{source} detached" if source else "a value that was detached"
            yield f"{label} is {what}: no gradient flows from it to {source or 'that'}"


def _stretched(trace: Trace) -> Iterator[str]:
    """Operations of a column and a row of one length, one of them with an axis less: (n, 1) and (n,) make (n, n).

    Not where it is meant: of `x[:, None]`, of the weights of a layer from 1 number to n, of masks and classes.
    """
    for node in np.flatnonzero(trace.op_of >= 0).tolist():
        op, made = trace.ops[trace.op_of[node]], trace[node].shape
        if not op.elementwise:
            continue
        inputs = [k for k in trace.inputs_of(node) if k >= 0 and trace[k].shape]
        shapes = [trace[k].shape for k in inputs]
        if len(inputs) != 2 or len(shapes[0]) == len(shapes[1]):
            continue
        column, row = sorted(range(2), key=lambda k: -len(shapes[k]))
        if _squeezed(shapes[column]) != _squeezed(shapes[row]) or math.prod(shapes[row]) < 2:
            continue
        if math.prod(made) <= math.prod(shapes[row]) or trace[node].dtype.kind == "b":
            continue
        if KINDS[trace.kind_of[inputs[row]]] == "parameter" or _is_turned(trace, inputs[column]):
            continue
        labels = [trace.label(k) for k in inputs]
        told = " and ".join(
            f"{label} {_size(shape)}" for label, shape in zip(labels, shapes, strict=True)
        )
        wanted = ", ".join(map(str, shapes[row]))
        yield (
            f"{trace.label(node)} is {_size(made)}, of {told}: "
            f"each element meets every other; {labels[column]}.reshape({wanted}) meets one"
        )


def _is_turned(trace: Trace, node: int) -> bool:
    """Whether a value is another one that was given an axis."""
    op = trace.op(node)
    if op is None or op.name not in ("getitem", "reshape"):
        return False
    return len(trace[trace.inputs_of(node)[0]].shape) < len(trace[node].shape)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _still(trace: Trace) -> Iterator[str]:
    """A trace in which no parameter gets anything but 0."""
    trained = np.flatnonzero(trace.kind_of == KINDS.index("parameter")).tolist()
    reached = [k for k in trained if trace.receives[k]]
    if reached and all(all_zero(trace.seen_gradient(k)) for k in reached):
        yield f"the gradient of every parameter is exactly 0 ({len(reached)} of them)"
