"""What recording costs: a step through Tensors, against the same kernels and rules run from a list, nothing recorded.

The list is what a compiler would be left with: operations, where their inputs lie, parameters. Running it makes no
Tensor, looks up no scope, finds no line of the user's, and drops every value and gradient when nobody needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tracer as tr
from tests.bench.digits_mlp import leaves, loss_of
from tests.bench.harness import Case, Row, compared, interleave

Program = Callable[..., Any]


def unrecorded(program: Program, arrays: list[np.ndarray]) -> Callable[[], list[np.ndarray]]:
    """The forward and backward pass of a program as a list of calls: a function that returns the leaves' gradients."""
    trace = tr.trace(program(*(tr.tensor(array) for array in arrays)))
    leaf_nodes = [k for k in range(len(trace)) if trace.op_of[k] < 0]
    first = [trace.value(k) for k in leaf_nodes]
    calls = [
        (k, trace.op(k), trace.inputs_of(k), trace.params[trace.params_of[k]])
        for k in range(len(trace))
        if trace.op_of[k] >= 0
    ]
    flowing = trace.edge_flows
    wanted = {
        k: [bool(flowing[e]) for e in range(trace.input_start[k], trace.input_start[k + 1])]
        for k, *_ in calls
    }
    literals, seed, loss = trace.literals, trace.seed, trace.loss
    targets = [k for k in leaf_nodes if trace.tracked[k]]
    one = np.asarray(seed)[()]

    def run() -> list[np.ndarray]:
        values: dict[int, Any] = dict(zip(leaf_nodes, first, strict=True))
        saves = {}
        for k, op, inputs, params in calls:
            args = [values[i] if i >= 0 else literals[-1 - i] for i in inputs]
            values[k], saves[k] = op.run(args, params)
        gradients: dict[int, Any] = {loss: one}
        with np.errstate(all="ignore"):
            for k, op, inputs, params in reversed(calls):
                args = [values[i] if i >= 0 else literals[-1 - i] for i in inputs]
                g = gradients.pop(k)
                flows = op.pull_back(g, values.pop(k), args, wanted[k], params, saves.pop(k))
                for i, flow in zip(inputs, flows, strict=True):
                    if flow is not None:
                        before = gradients.get(i)
                        gradients[i] = flow if before is None else before + flow
        return [gradients[k] for k in targets]

    return run


def recorded(program: Program, arrays: list[np.ndarray]) -> Callable[[], list[np.ndarray]]:
    """The same through Tensors."""

    def run() -> list[np.ndarray]:
        tensors = [tr.tensor(array) for array in arrays]
        program(*tensors).backward()
        return [x.grad for x in tensors]

    return run


def mlp(batch: int) -> tuple[Program, list[np.ndarray]]:
    """The digit classifier with BatchNorm."""
    data, labels, arrays = leaves(batch, normalised=True)
    x, target = tr.constant(data), tr.constant(labels)

    def program(*parameters: Any) -> Any:
        return loss_of(x, target, parameters, tr.relu, tr.cross_entropy, tr.batch_norm)

    return program, arrays


def rnn(steps: int, batch: int = 32, hidden: int = 64) -> tuple[Program, list[np.ndarray]]:
    """A tanh RNN, unrolled by the user: five operations a step, the time step as scope."""
    rng = np.random.default_rng(0)
    xs = [tr.constant(each) for each in rng.normal(size=(steps, batch, hidden)).astype(np.float32)]
    start = tr.constant(np.zeros((batch, hidden), np.float32))
    arrays = [(rng.normal(size=(hidden, hidden)) / np.sqrt(hidden)) for _ in range(2)]
    arrays.append(np.zeros(hidden))

    def program(w_x: Any, w_h: Any, b: Any) -> Any:
        h = start
        for t, x in enumerate(xs):
            with tr.scope("rnn", t=t):
                h = tr.tanh(x @ w_x + h @ w_h + b)
        return tr.sum(h * h) * 0.5

    return program, [array.astype(np.float32) for array in arrays]


def rows(
    *, batch: int = 128, steps: int = 100, rounds: int = 15, sample_seconds: float = 0.05
) -> list[Row]:
    """Recording on against off, for a network of large operations and for one of many small ones."""
    found = []
    for name, (program, arrays) in {
        "MLP with BatchNorm": mlp(batch),
        "RNN unrolled by hand": rnn(steps),
    }.items():
        on, off = f"{name}, recorded", f"{name}, not recorded"
        cases = [Case(on, recorded(program, arrays)), Case(off, unrecorded(program, arrays))]
        for mine, other in zip(cases[0].run(), cases[1].run(), strict=True):
            np.testing.assert_array_equal(mine, other)
        seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
        found.append(compared(on, off, seconds, goal=1.15))
    return found
