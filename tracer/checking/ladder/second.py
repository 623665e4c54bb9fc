"""Second order: the gradient is a function too, and is checked like one; and the rule that is at fault is named.

A rule that computes the right flows may still be wrong to differentiate: it uses a number where it should use a
recorded value. So every rule is also differentiated by itself, against its own flows at moved inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ops.primitive import NUMBERS
from tracer.checking.certified.search import ENOUGH
from tracer.checking.judge import DISAGREE
from tracer.checking.report import Element, Row, Rung
from tracer.errors import GradstepError
from tracer.recording import switched
from tracer.sweep import grad
from tracer.tensors import Tensor, constant, tensor
from tracer.traces import Trace

from .local import Node, nodes_of, nudged, signed
from .operations import DIRECTIONS, reaching
from .probes import Bundle, certified_bundles

Array = Any
"""A numpy array or numpy scalar."""

NAME = "second order, rules"


def gradient_function(
    fn: Callable[..., Tensor], cotangent: Array, checked: Sequence[int], weights: Sequence[Array]
) -> Callable[..., Any]:
    """The gradient of ⟨cotangent, fn⟩ by some arguments, projected on a weight for each: one number, recorded."""

    def slope(*args: Any) -> Any:
        with switched(enabled=True):
            given = list(args)
            for k in checked:
                x = given[k]
                given[k] = x if isinstance(x, Tensor) and x.tracked else tensor(_value(x))
            leaves = [given[k] for k in checked]
            total = _total([fn(*given)], [cotangent])
            if not total.tracked:
                return total * 0.0
            firsts = grad(total, leaves, create_graph=True, allow_unused=True)
            there = [(g, w) for g, w in zip(firsts, weights, strict=True) if g is not None]
            return _total([g for g, _ in there], [w for _, w in there])

    return slope


def _value(x: Any) -> Array:
    return x.value if isinstance(x, Tensor) else x


def _total(values: Sequence[Any], weights: Sequence[Array]) -> Any:
    """Σ ⟨weight, value⟩; what is not finite, and has weight 0, stays out."""
    total: Any = constant(0.0)
    for value, weight in zip(values, weights, strict=True):
        if not np.all(weight):
            from ops import PRIMITIVES

            value = PRIMITIVES["where"](np.asarray(weight != 0), value, 0.0)
        total = total + (value * weight).sum()
    return total


def second_rung(
    trace: Trace, rng: np.random.Generator, told: Callable[[int], None] | None = None
) -> tuple[Rung, tuple[Row, ...]]:
    """Every rule of a trace differentiated by the inputs of its node, against its own flows at moved inputs."""
    tests = [(node, _again(node, rng)) for node in nodes_of(trace, rng)]
    made = [(node, bundle) for node, bundle in tests if bundle is not None]
    findings = certified_bundles([bundle for _, bundle in made], told)
    faults = []
    for (node, _), found in zip(made, findings, strict=True):
        if any(finding.verdict == DISAGREE for finding in found):
            elements = tuple(
                Element(("direction", k), math.nan, f.claim, f.slope, f.verdict, f.reason)
                for k, f in enumerate(found)
            )
            faults.append(Row(node.label, node.out.shape, elements, node=node.index))
    if not faults:
        return Rung(NAME, len(made)), ()
    first = faults[0]
    said = f"rule of {trace[first.node].op_name}, differentiated again"
    return Rung(NAME, len(made), len(faults), said, first.node, first.name), tuple(faults)


def _again(node: Node, rng: np.random.Generator) -> Bundle | None:
    """Probes t -> Σ ⟨weight, flow at x + t d⟩ of the rules of one node; None where there is nothing to move."""
    moving = [
        k for k in node.arguments if type(node.values[k]) not in NUMBERS and node.flows[k].size
    ]
    if not moving:
        return None
    weights = {k: signed(np.shape(node.values[k]), rng) for k in moving}
    directions = [{k: reaching(node.values[k], rng) for k in moving} for _ in range(DIRECTIONS)]
    seconds = _recorded(node, node.values, moving, weights)
    wanted = [k in weights for k in range(len(node.values))]

    def values(which: Array, at: Array) -> Array:
        return np.array(
            [along(directions[k], t) for k, t in zip(which.tolist(), at.tolist(), strict=True)]
        )

    def along(direction: dict[int, Array], t: float) -> float:
        moved = node.moved(direction, t)
        try:
            with np.errstate(all="ignore"):
                out, saved = node.op.run(moved, node.params)
                flows = node.op.pull_back(node.g, out, moved, wanted, node.params, saved)
                return float(
                    sum(np.sum(w * (flows[k] - node.flows[k])) for k, w in weights.items())
                )
        except (GradstepError, ArithmeticError, ValueError):
            return math.nan

    def rounding(which: int) -> float:
        draw, moves = np.random.default_rng(0), []
        claim = _claim(seconds, directions[which])
        for _ in range(3):
            near = [nudged(x, draw) for x in node.values]
            moves.append(
                abs(_claim(_recorded(node, near, moving, weights), directions[which]) - claim)
            )
        return 8 * max((move for move in moves if math.isfinite(move)), default=0.0)

    total = sum(float(np.sum(abs(w * node.flows[k]))) for k, w in weights.items())
    return Bundle(
        points=np.zeros(DIRECTIONS),
        claims=np.array([_claim(seconds, d) for d in directions]),
        sizes=np.array([_size(seconds, d) for d in directions]),
        floors=np.full(DIRECTIONS, ENOUGH * total),
        values=values,
        rounding=rounding,
    )


def _recorded(
    node: Node, values: Sequence[Any], moving: Sequence[int], weights: dict[int, Array]
) -> dict[int, Array]:
    """The derivative of Σ ⟨weight, flow⟩ by each moving input, from the rules run on Tensors and swept."""
    with switched(enabled=True, kept=None, scope=()), np.errstate(all="ignore"):
        xs = [
            tensor(x) if k in moving else x if type(x) in NUMBERS else constant(x)
            for k, x in enumerate(values)
        ]
        leaves = [xs[k] for k in moving]
        total = _total([node.op(*xs, **node.params)], [node.g])
        firsts = grad(total, leaves, create_graph=True, allow_unused=True)
        there = [(g, weights[k]) for g, k in zip(firsts, moving, strict=True) if g is not None]
        slope = _total([g for g, _ in there], [w for _, w in there])
        if not slope.tracked:
            return {}
        found = grad(slope, leaves, allow_unused=True)
    return {k: flow for k, flow in zip(moving, found, strict=True) if flow is not None}


def _claim(seconds: dict[int, Array], direction: dict[int, Array]) -> float:
    with np.errstate(all="ignore"):
        return float(sum(np.sum(flow * direction[k]) for k, flow in seconds.items()))


def _size(seconds: dict[int, Array], direction: dict[int, Array]) -> float:
    with np.errstate(all="ignore"):
        squares = [np.sum((flow * direction[k]) ** 2) for k, flow in seconds.items()]
    return float(np.sqrt(np.nansum(squares)))


def rebuilt(trace: Trace, leaves: Sequence[int]) -> Callable[..., Any]:
    """A trace as a function of some of its leaves, to be recorded again: what was done in the order in which it was.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> rebuilt(tr.trace(x * x), [0])(tr.tensor(4.0)).item()
    16.0
    """

    def run(*given: Any) -> Any:
        values: dict[int, Any] = dict(zip(leaves, given, strict=True))
        for k in np.flatnonzero(trace.reaches_loss).tolist():
            op = trace.op(k)
            if k in values:
                continue
            if op is None:
                values[k] = constant(trace.value(k))
                continue
            args = [trace.literals[-1 - i] if i < 0 else values[i] for i in trace.inputs_of(k)]
            values[k] = op(*args, **trace.params[trace.params_of[k]])
        return values[trace.loss]

    return run
