"""The rules of elementwise operations against their own forward: every element by itself, all of them at once.

Elements are independent, so the nodes of one operation, whatever their shapes, are laid end to end and evaluated in
one call. What broadcasting adds, the sum over the broadcast axes, is tested for each node in its own shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ops.primitive import NUMBERS, Primitive, fitted
from tracer.checking.judge import EXACT
from tracer.errors import GradstepError

from .local import LocalTest, Node, nudged
from .probes import STRICT, Bundle, good_enough

Array = Any
"""A numpy array or numpy scalar."""

WHOLE = 256
"""Arrays of no more elements are certified whole."""
SUSPECTS = 64
"""Of a larger array so many elements are certified, those whose claims lie furthest from a plain central difference."""
SAMPLE = 32
"""And so many others, drawn at random."""
PLAIN_STEP = 2.0**-17
"""The step of that difference, relative to the element."""


def elementwise_tests(
    nodes: Sequence[Node], rng: np.random.Generator
) -> tuple[list[LocalTest], list[tuple[Node, int]]]:
    """A test for each group of nodes that run alike, and the (node, argument) that are no matter of elements after all.

    Operations that do not give the recorded numbers when they run on flat arrays, or whose rules do not, are handed
    back, to be tested as any other operation.
    """
    groups: dict[Any, list[Node]] = {}
    for node in nodes:
        for argument in node.arguments:
            groups.setdefault((argument, *_alike(node)), []).append(node)
    tests, rest = [], []
    for (argument, *_), members in groups.items():
        test, others = _group(members, argument, rng)
        tests += test
        rest += [(node, argument) for node in others]
    return tests, rest


def _alike(node: Node) -> tuple[Any, ...]:
    """What nodes have in common that can be evaluated together: operation, parameters, Python numbers, kinds."""
    kinds = tuple(
        (type(x), x) if type(x) in NUMBERS else np.asarray(x).dtype.kind for x in node.values
    )
    return (node.trace.op_of[node.index], node.trace.params_of[node.index], kinds)


def _group(
    members: Sequence[Node], argument: int, rng: np.random.Generator
) -> tuple[list[LocalTest], list[Node]]:
    """The test of one argument of nodes that run alike, and the members that do not fit in."""
    fitting: list[Node] = []
    others: list[Node] = []
    for node in members:
        (fitting if _is_flat(node, argument) else others).append(node)
    if not fitting:
        return [], others
    chosen = [_chosen(node, argument, rng) for node in fitting]
    op, params = fitting[0].op, fitting[0].params
    args = [
        x
        if type(x) in NUMBERS
        else np.concatenate([_flat(node, k)[at] for node, at in zip(fitting, chosen, strict=True)])
        for k, x in enumerate(fitting[0].values)
    ]
    g = np.concatenate([np.ravel(n.g)[at] for n, at in zip(fitting, chosen, strict=True)])
    out = np.concatenate([np.ravel(n.out)[at] for n, at in zip(fitting, chosen, strict=True)])
    claims = np.concatenate(
        [np.ravel(_spread(node, argument))[at] for node, at in zip(fitting, chosen, strict=True)]
    )
    points = args[argument]
    live = g != 0
    claims = np.where(live, claims, 0.0)

    def values(which: Array, at: Array) -> Array:
        moved = [x if type(x) in NUMBERS else x[which] for x in args]
        moved[argument] = at
        with np.errstate(all="ignore"):
            return np.where(live[which], g[which] * op.run(moved, params)[0], 0.0)

    owners = np.repeat(np.arange(len(fitting)), [at.size for at in chosen])
    elements = np.concatenate(chosen)
    moves: dict[int, Array] = {}

    def rounding(k: int) -> float:
        owner = int(owners[k])
        if owner not in moves:
            moves[owner] = _moves(fitting[owner], argument)
        return 8 * float(moves[owner][elements[k]])

    bundle = Bundle(
        points=points,
        claims=claims,
        sizes=np.nan_to_num(abs(claims), posinf=0.0),
        floors=good_enough(g * np.where(live, out, 0.0), points),
        values=values,
        rounding=rounding,
        units=np.maximum(abs(points), 0.25),
    )
    return [LocalTest(bundle, tuple(fitting), owners, (argument,), elements)], others


def _flat(node: Node, k: int) -> Array:
    return np.ravel(np.broadcast_to(node.values[k], node.out.shape))


def _is_flat(node: Node, argument: int) -> bool:
    """Whether operation and rule give, on flat arrays, what they gave in the shapes recorded."""
    args = [x if type(x) in NUMBERS else _flat(node, k) for k, x in enumerate(node.values)]
    try:
        out, _ = node.op.run(args, node.params)
    except (GradstepError, ArithmeticError, ValueError, TypeError, IndexError):
        return False
    if out.shape != (node.out.size,) or not _close(out, np.ravel(node.out)):
        return False
    x = node.values[argument]
    if x.shape == node.out.shape:
        return True
    flow = _pulled(node.op, node.params, args, np.ravel(node.g), argument)
    if flow is None:
        return False
    size = fitted(abs(flow.reshape(node.out.shape)), x)
    total = fitted(flow.reshape(node.out.shape), x)
    off = abs(total - node.flows[argument])
    return bool(np.all((off <= STRICT * size) | ~np.isfinite(size)))


def _spread(node: Node, argument: int) -> Array:
    """What the rule says of every element of the result, before broadcasting is summed away."""
    x = node.values[argument]
    if x.shape == node.out.shape:
        return node.flows[argument]
    args = [y if type(y) in NUMBERS else _flat(node, k) for k, y in enumerate(node.values)]
    return _pulled(node.op, node.params, args, np.ravel(node.g), argument)


def _moves(node: Node, argument: int) -> Array:
    """How far the flow to each element moves when the inputs move by a unit in the last place, flat."""
    draw, most = np.random.default_rng(node.index), np.zeros(node.out.size)
    claims = np.ravel(_spread(node, argument))
    for _ in range(3):
        values = [nudged(x, draw) for x in node.values]
        with np.errstate(all="ignore"):
            out, saved = node.op.run(values, node.params)
            near = replace(node, values=values, out=out, flows={})
            if values[argument].shape == out.shape:
                wanted = [k == argument for k in range(len(values))]
                flow = node.op.pull_back(node.g, out, values, wanted, node.params, saved)[argument]
            else:
                flow = _spread(near, argument)
            most = np.fmax(most, np.nan_to_num(abs(np.ravel(flow) - claims), posinf=0.0))
    return most


def _pulled(op: Primitive, params: Any, args: list[Any], g: Array, argument: int) -> Any:
    """The flow of one argument on flat arrays; None where the rule does not run on them."""
    wanted = [k == argument for k in range(len(args))]
    try:
        with np.errstate(all="ignore"):
            out, saved = op.run(args, params)
            return op.pull_back(g, out, args, wanted, params, saved)[argument]
    except (GradstepError, ArithmeticError, ValueError, TypeError, IndexError):
        return None


def _chosen(node: Node, argument: int, rng: np.random.Generator) -> Array:
    """The elements to certify: all, or of a large array a sample, and those that look wrong."""
    size = node.out.size
    if size <= WHOLE:
        return np.arange(size)
    suspicion = _suspicion(node, argument)
    return np.union1d(
        np.argpartition(suspicion, -SUSPECTS)[-SUSPECTS:], rng.choice(size, SAMPLE, replace=False)
    )


def _suspicion(node: Node, argument: int) -> Array:
    """How far each claim lies from a plain central difference, in units of what that itself may be off by.

    Its rounding, and what another step changes, are what it may be off by: where a function is flat or bent, as far out
    in a tanh, thousands of right elements lie further off, relative to their size, than a wrong one elsewhere.
    """
    x, g, claims = _flat(node, argument), np.ravel(node.g), np.ravel(_spread(node, argument))
    args = [y if type(y) in NUMBERS else _flat(node, k) for k, y in enumerate(node.values)]
    slopes, size = [], np.zeros(x.size)
    step = PLAIN_STEP * np.maximum(abs(x), 0.25)
    with np.errstate(all="ignore"):
        for wide in (step, 2 * step):
            sides = []
            for moved in (x + wide, x - wide):
                args[argument] = moved
                sides.append(node.op.run(args, node.params)[0])
                size = np.fmax(size, abs(sides[-1]))
            slopes.append(g * (sides[0] - sides[1]) / (2 * wide))
        rounding = 4 * EXACT * abs(g) * size / step
        doubt = rounding + abs(slopes[0] - slopes[1]) + STRICT * abs(claims)
        off = abs(slopes[0] - claims)
        # a claim that is not finite is as suspicious as can be, unless the function is not finite either
        lost = np.isfinite(slopes[0]) & ~np.isfinite(claims)
        return np.where(lost, np.inf, np.nan_to_num(off / doubt, posinf=0.0))


def _close(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, rtol=STRICT, atol=0.0, equal_nan=True))
