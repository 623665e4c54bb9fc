"""The generated check has teeth: whatever is wrong with a rule, it says so; and what is right, it lets pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops import PRIMITIVES, Primitive
from ops.elementwise import exp, where
from ops.reduce import mean, spread
from ops.reduce import sum as total
from ops.shape import filled, transpose
from tests.ops.cases import cases_of, disagreements

Change = Callable[[Any], Any]

DIFFERENTIABLE = [op for op in PRIMITIVES.values() if op.home.startswith("ops.") and any(op.rules)]


def with_rule(op: Primitive, name: str, rule: Any) -> Primitive:
    """The primitive with another rule for one input."""
    return op.replaced(vjps={**op.vjps, name: rule})


def changed(op: Primitive, name: str, change: Change) -> Primitive:
    """The primitive whose rule for one input has its result changed."""
    if op.joint is not None:
        joint = op.joint

        def bent(*args: Any, **params: Any) -> Any:
            flows = joint(*args, **params)
            flow = flows[name]
            repeated = op.variadic and name == op.inputs[-1]
            return {**flows, name: [change(x) for x in flow] if repeated else change(flow)}

        return op.replaced(joint=bent)
    kept = op.vjps[name]
    return with_rule(op, name, lambda *args, **params: change(kept(*args, **params)))


def flagged(op: Primitive) -> bool:
    """Whether the check objects to at least one sample, or the rule breaks down."""
    for case in cases_of(op):
        try:
            if disagreements(case):
                return True
        except (ValueError, TypeError, IndexError):
            return True
    return False


def one_element(flow: Any) -> Any:
    """The last element off by a thousandth; nothing where there is none."""
    bent = np.array(flow)
    if bent.size:
        bent.reshape(-1)[-1] *= 1.001
    return bent[()]


CHANGES: dict[str, Change] = {
    "sign": lambda flow: -flow,
    "a ten-thousandth too large": lambda flow: flow * (1 + 1e-4),
    "one element": one_element,
    "an offset": lambda flow: flow + 1e-3,
}


STEPS = ("sign", "floor", "ceil", "trunc", "round")
"""Piecewise constant: a rule that is 0 everywhere is not changed by a factor."""


@pytest.mark.slow  # a seeded fifty of their like are not: test_mutation_run.py
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("op", "name"),
    [
        pytest.param(op, name, id=f"{op.name}-{name}")
        for op in DIFFERENTIABLE
        for name in op.vjps
        if op.name not in STEPS
    ],
)
def test_a_rule_that_is_a_little_wrong_is_flagged(op: Primitive, name: str, change: str):
    assert flagged(changed(op, name, CHANGES[change]))


def batch_norm(**left_out: Any) -> Any:
    """The joint rule, with some of its terms replaced by 0."""

    def rule(g: Any, out: Any, x: Any, gamma: Any, beta: Any, **given: Any) -> Any:
        axis, inv_std = given["axis"], given["inv_std"]
        x_hat = (x - given["mean"]) * inv_std
        g_hat = g * (1 if "gamma" in left_out else gamma)
        g_mean = 0 if "mean" in left_out else mean(g_hat, axis=axis, keepdims=True)
        g_slope = 0 if "variance" in left_out else mean(g_hat * x_hat, axis=axis, keepdims=True)
        scale = 1 if "scale" in left_out else inv_std
        return (g_hat - g_mean - x_hat * g_slope) * scale + 0 * x

    return rule


def overwritten(g: Any, out: Any, x: Any, *indices: Any, index: Any) -> Any:
    found = np.zeros(x.shape)
    found[filled(index, indices)] = g
    return found


BLUNDERS: dict[str, tuple[str, str, Any]] = {
    "div: minus forgotten": ("div", "y", lambda g, out, x, y: g * out / y),
    "div: not squared": ("div", "y", lambda g, out, x, y: -g * x / y),
    "sub: both plus": ("sub", "y", lambda g, out, x, y: g),
    "mul: by itself": ("mul", "x", lambda g, out, x, y: g * x),
    "pow: exponent kept": ("pow", "x", lambda g, out, x, y: g * y * x**y),
    "sigmoid: of x": ("sigmoid", "x", lambda g, out, x: g * x * (1 - x)),
    "tanh: not squared": ("tanh", "x", lambda g, out, x: g * (1 - out)),
    "log1p: plain log": ("log1p", "x", lambda g, out, x: g / x),
    "relu: more than the slopes at the kink": (
        "relu",
        "x",
        lambda g, out, x: where(x > 0, g, where(x == 0, 1.7 * g, 0)),
    ),
    "relu: wrong side": ("relu", "x", lambda g, out, x: where(x < 0, g, 0)),
    "where: branches exchanged": (
        "where",
        "x",
        lambda g, out, condition, x, y: where(condition, 0, g),
    ),
    "maximum: a tie pays twice": ("maximum", "x", lambda g, out, x, y: where(x >= y, g, 0)),
    "max: ties pay all": (
        "max",
        "x",
        lambda g, out, x, *, axis, keepdims: where(
            x == spread(out, x, axis), spread(g, x, axis), 0
        ),
    ),
    "mean: not divided": (
        "mean",
        "x",
        lambda g, out, x, *, axis, keepdims: spread(g, x, axis),
    ),
    "mean: divided by everything": (
        "mean",
        "x",
        lambda g, out, x, *, axis, keepdims: spread(g / max(x.size, 1), x, axis),
    ),
    "softmax: sum dropped": ("softmax", "x", lambda g, out, x, *, axis: out * g),
    "softmax: sum over another axis": (
        "softmax",
        "x",
        lambda g, out, x, *, axis: out * (g - total(g * out, axis=0, keepdims=True)),
    ),
    "log_softmax: exp dropped": (
        "log_softmax",
        "x",
        lambda g, out, x, *, axis: g - out * total(g, axis=axis, keepdims=True),
    ),
    "cross_entropy: not divided by N": (
        "cross_entropy",
        "logits",
        lambda g, out, logits, target, weight, **given: (
            g * (exp(PRIMITIVES["log_softmax"](logits)) - np.eye(logits.shape[-1])[target])
        ),
    ),
    "mse_loss: factor 2 forgotten": (
        "mse_loss",
        "prediction",
        lambda g, out, p, t, **given: g * (p - t) / np.size(p - t),
    ),
    "matmul: transposed": ("matmul", "x", lambda g, out, x, y: (g @ y.T).T),
    "matmul: order exchanged": ("matmul", "y", lambda g, out, x, y: g.T @ x),
    "transpose: not inverted": (
        "transpose",
        "x",
        lambda g, out, x, *, axes: transpose(g, axes=axes),
    ),
    "getitem: overwritten where an index repeats": ("getitem", "x", overwritten),
    "stack: always the first": (
        "stack",
        "arrays",
        lambda g, out, *arrays, axis: [np.take(g, 0, axis)] * len(arrays),
    ),
    "batch_norm: mean path forgotten": ("batch_norm", "x", batch_norm(mean=0)),
    "batch_norm: variance path forgotten": ("batch_norm", "x", batch_norm(variance=0)),
    "batch_norm: gamma forgotten": ("batch_norm", "x", batch_norm(gamma=0)),
    "batch_norm: 1/std forgotten": ("batch_norm", "x", batch_norm(scale=0)),
}


@pytest.mark.parametrize("blunder", BLUNDERS)
def test_a_blunder_is_flagged(blunder: str):
    name, argument, rule = BLUNDERS[blunder]
    op = PRIMITIVES[name]
    if op.joint is None:
        assert flagged(with_rule(op, argument, rule))
    else:
        joint = op.joint

        def bent(*args: Any, **params: Any) -> Any:
            return {**joint(*args, **params), argument: rule(*args, **params)}

        assert flagged(op.replaced(joint=bent))


RIGHT: dict[str, tuple[str, str, Any]] = {
    "relu: 1 at the kink": ("relu", "x", lambda g, out, x: where(x >= 0, g, 0)),
    "abs: 1 at the kink": ("abs", "x", lambda g, out, x: where(x >= 0, g, -g)),
    "tanh: by factors": ("tanh", "x", lambda g, out, x: g * (1 - out) * (1 + out)),
    "div: by the inputs": ("div", "y", lambda g, out, x, y: -g * x / (y * y)),
    "batch_norm: nothing left out": ("batch_norm", "x", batch_norm()),
}


@pytest.mark.parametrize("way", RIGHT)
def test_another_right_rule_is_not_flagged(way: str):
    name, argument, rule = RIGHT[way]
    op = PRIMITIVES[name]
    if op.joint is None:
        assert not flagged(with_rule(op, argument, rule))
    else:
        joint = op.joint

        def same(*args: Any, **params: Any) -> Any:
            return {**joint(*args, **params), argument: rule(*args, **params)}

        assert not flagged(op.replaced(joint=same))
