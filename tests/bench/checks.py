"""A check of a network of 4,096 parameters: the ladder against PyTorch's gradcheck in slow mode, speed and mutants.

Both check the gradient of one loss by all parameters, in the same run. The mutants change one rule of the network each,
in both libraries alike; everything that slow mode catches must be caught here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from ops import Primitive
from tests.bench.harness import Case, Row, absent, compared, interleave

PEER = "torch gradcheck, slow mode"
GOAL = 1 / 20
SIZES = (94, 32, 32)
"""Inputs, hidden units and outputs of the perceptron: 94·32 + 32 + 32·32 + 32 = 4,096 parameters."""
BATCH = 16

Array = Any
Change = Callable[[Array, Array], Array]
"""The right flow and the cotangent to a wrong flow."""


class Mutant(NamedTuple):
    """A wrong rule: of which operation, by which argument, and how it is wrong."""

    name: str
    op: str
    argument: int
    change: Change


def _flipped(flow: Array, g: Array) -> Array:
    wrong = flow.copy()
    wrong.reshape(-1)[7 % wrong.size] *= -1
    return wrong


def _halved_row(flow: Array, g: Array) -> Array:
    wrong = flow.copy()
    wrong[0] *= 0.5
    return wrong


MUTANTS = (
    Mutant("w: scaled by 1.01", "matmul", 1, lambda flow, g: 1.01 * flow),
    Mutant("w: sign", "matmul", 1, lambda flow, g: -flow),
    Mutant("w: zero", "matmul", 1, lambda flow, g: 0 * flow),
    Mutant("w: doubled", "matmul", 1, lambda flow, g: 2 * flow),
    Mutant("w: one element", "matmul", 1, _flipped),
    Mutant("w: a row halved", "matmul", 1, _halved_row),
    Mutant("w: reversed", "matmul", 1, lambda flow, g: flow[::-1]),
    Mutant("w: shifted", "matmul", 1, lambda flow, g: np.roll(flow, 1, axis=1)),
    Mutant("x: scaled by 1.01", "matmul", 0, lambda flow, g: 1.01 * flow),
    Mutant("x: mean of rows", "matmul", 0, lambda flow, g: flow * 0 + flow.mean(axis=0)),
    Mutant("b: mean, not sum", "bias", 1, lambda flow, g: flow / len(g)),
    Mutant("b: first row only", "bias", 1, lambda flow, g: g[0]),
    Mutant("b: one element", "bias", 1, _flipped),
    Mutant("tanh: 1 − tanh² forgotten", "tanh_of", 0, lambda flow, g: g),
    Mutant("tanh: scaled by 0.99", "tanh_of", 0, lambda flow, g: 0.99 * flow),
    Mutant("tanh: one element", "tanh_of", 0, _flipped),
    Mutant("square: 2 forgotten", "square_of", 0, lambda flow, g: flow / 2),
    Mutant("mean: sum", "mean_of", 0, lambda flow, g: flow * flow.size),
    Mutant("every rule right but 0.09 %", "tanh_of", 0, lambda flow, g: 1.0009 * flow),
    Mutant("tiny: 1e-6 off", "matmul", 1, lambda flow, g: flow + 1e-6),
)

RULES: Mapping[str, tuple[Callable[..., Array], ...]] = {
    "matmul": (lambda g, out, x, w: g @ w.T, lambda g, out, x, w: x.T @ g),
    "bias": (lambda g, out, x, b: g, lambda g, out, x, b: g.sum(0)),
    "tanh_of": (lambda g, out, x: g * (1 - out * out),),
    "square_of": (lambda g, out, x: 2 * g * x,),
    "mean_of": (lambda g, out, x: (x * 0 + 1) * g / (x.shape[0] * x.shape[1]),),
}
"""The right rules, in operators that arrays and PyTorch's tensors share."""
FORWARD: Mapping[str, Callable[..., Array]] = {
    "matmul": lambda x, w: x @ w,
    "bias": lambda x, b: x + b,
    "square_of": lambda x: x * x,
    "mean_of": lambda x: x.mean(),
}


def data(sizes: tuple[int, int, int] = SIZES) -> tuple[list[Array], Array, Array]:
    """The parameters, the inputs and the targets."""
    rng = np.random.default_rng(0)
    rows, hidden, outputs = sizes
    shapes = ((rows, hidden), (hidden,), (hidden, outputs), (outputs,))
    scales = (rows**-0.5, 0.1, hidden**-0.5, 0.1)
    params = [s * rng.normal(size=shape) for s, shape in zip(scales, shapes, strict=True)]
    return params, rng.normal(size=(BATCH, rows)), rng.normal(size=(BATCH, outputs))


def network(op: Mapping[str, Callable[..., Any]], x: Any, t: Any) -> Callable[..., Any]:
    """The loss of the perceptron as a function of its four parameters, written in those operations."""

    def loss(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        h = op["tanh_of"](op["bias"](op["matmul"](x, w1), b1))
        z = op["bias"](op["matmul"](h, w2), b2)
        return op["mean_of"](op["square_of"](z - t))

    return loss


# ----- the two libraries


def ours(mutant: Mutant | None = None) -> dict[str, Callable[..., Any]]:
    """The operations as primitives of tracer, one of them with a wrong rule."""
    found: dict[str, Callable[..., Any]] = {}
    for name, rules in RULES.items():
        inputs = ("x", "y")[: len(rules)]
        vjps = {
            given: _changed(rule, mutant if mutant and mutant[1:3] == (name, k) else None)
            for k, (given, rule) in enumerate(zip(inputs, rules, strict=True))
        }
        kernel = np.tanh if name == "tanh_of" else FORWARD[name]
        found[name] = Primitive(name, inputs, kernel, vjps=vjps)
    return found


def _changed(rule: Callable[..., Array], mutant: Mutant | None) -> Callable[..., Array]:
    if mutant is None:
        return rule
    return lambda g, out, *inputs: np.asarray(mutant.change(rule(g, out, *inputs), g))


def check(mutant: Mutant | None = None, sizes: tuple[int, int, int] = SIZES) -> bool:
    """The verdict of the ladder."""
    params, x, t = data(sizes)
    return tr.check(network(ours(mutant), x, t), params).ok


def in_torch(mutant: Mutant | None = None) -> dict[str, Callable[..., Any]]:
    """The same operations as functions of PyTorch."""
    import torch

    def made(name: str, rules: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
        class Operation(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *inputs: Any) -> Any:
                out = torch.tanh(*inputs) if name == "tanh_of" else FORWARD[name](*inputs)
                ctx.save_for_backward(out, *inputs)
                return out

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                out, *inputs = ctx.saved_tensors
                flows = []
                for k, rule in enumerate(rules):
                    flow = rule(g, out, *inputs) if ctx.needs_input_grad[k] else None
                    if flow is not None and mutant and mutant[1:3] == (name, k):
                        wrong = mutant.change(flow.numpy(), g.numpy())
                        flow = torch.from_numpy(np.array(np.broadcast_to(wrong, flow.shape)))
                    flows.append(flow)
                return tuple(flows)

        return Operation.apply

    return {name: made(name, rules) for name, rules in RULES.items()}


def gradcheck(mutant: Mutant | None = None, sizes: tuple[int, int, int] = SIZES) -> bool:
    """The verdict of PyTorch's gradcheck in slow mode."""
    import torch

    torch.set_num_threads(1)
    params, x, t = data(sizes)
    leaves = [torch.from_numpy(p).requires_grad_() for p in params]
    loss = network(in_torch(mutant), torch.from_numpy(x), torch.from_numpy(t))
    return bool(torch.autograd.gradcheck(loss, leaves, raise_exception=False))


# ----- the rows


def caught(verdict: Callable[..., bool], sizes: tuple[int, int, int]) -> set[str]:
    """The names of the mutants that do not pass."""
    return {mutant.name for mutant in MUTANTS if not verdict(mutant, sizes)}


def rows(
    sizes: tuple[int, int, int] = SIZES, rounds: int = 5, sample_seconds: float = 0.0
) -> list[Row]:
    """CPU time of one check of the right network, and the mutants that slow mode catches and the ladder does not."""
    inputs, hidden, outputs = sizes
    count = inputs * hidden + hidden + hidden * outputs + outputs
    case = f"check of {count:,} parameters"
    mine = caught(check, sizes)
    missing = f"mutants that it catches, missed: of {len(MUTANTS)}"
    try:
        import torch  # noqa: F401
    except ImportError:
        return [absent(case, PEER, GOAL), absent(missing, PEER, 0.0)]
    assert check(None, sizes), "the right network does not pass"
    assert gradcheck(None, sizes), "the right network does not pass in PyTorch"
    seconds = interleave(
        [Case(case, lambda: check(None, sizes)), Case(PEER, lambda: gradcheck(None, sizes))],
        rounds=rounds,
        sample_seconds=sample_seconds,
    )
    theirs = caught(gradcheck, sizes)
    note = f"caught {len(mine)} and {len(theirs)}"
    return [
        compared(case, PEER, seconds, goal=GOAL),
        Row(missing, PEER, float(len(theirs - mine)), 0.0, None, note),
    ]
