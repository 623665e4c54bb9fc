"""The cost of recording: a chain of small operations, forward and backward, every value and gradient kept.

x + b, x * c, tanh(x), x @ w, over and over, on 8x8 float64. Gradstep records scope and source place of each; PyTorch
runs without keeping any inner gradient; the loop by hand keeps the same numbers as Gradstep and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tracer as tr
from tests.bench.harness import Case, Row, absent, compared, interleave

OURS, PEER, BY_HAND = "recorded chain", "torch, not recording", "numpy by hand"


def leaves() -> tuple[np.ndarray, ...]:
    """x, b, c, w: each float64 (8, 8), of a size at which the chain neither dies nor explodes."""
    rng = np.random.default_rng(0)
    x, b, c, w = rng.normal(size=(4, 8, 8))
    return x, 0.1 * b, 1 + 0.5 * c, w / np.sqrt(8)


def chain(x: Any, b: Any, c: Any, w: Any, tanh: Callable[[Any], Any], operations: int) -> Any:
    """The program, written once for every library."""
    for _ in range(operations // 4):
        x = x + b
        x = x * c
        x = tanh(x)
        x = x @ w
    return x


def recorded(arrays: tuple[np.ndarray, ...], operations: int) -> list[np.ndarray]:
    """Gradstep: the gradients of the four leaves; those of all inner nodes are kept on the way."""
    x, b, c, w = (tr.tensor(value) for value in arrays)
    with tr.scope("chain"):
        loss = tr.sum(chain(x, b, c, w, tr.tanh, operations))
    loss.backward()
    return [leaf.grad for leaf in (x, b, c, w)]


def by_hand(arrays: tuple[np.ndarray, ...], operations: int) -> list[np.ndarray]:
    """The least that numpy can do: all values and all gradients are kept in two lists."""
    x, b, c, w = arrays
    values = [x]
    for _ in range(operations // 4):
        x = x + b
        values.append(x)
        x = x * c
        values.append(x)
        x = np.tanh(x)
        values.append(x)
        x = x @ w
        values.append(x)
    g = np.ones_like(x)
    gradients = [g]
    g_b, g_c, g_w = np.zeros((3, *x.shape))
    w_transposed = w.T
    for k in range(len(values) - 1, 0, -4):
        active, added = values[k - 1], values[k - 3]
        g_w = g_w + active.T @ g
        g = g @ w_transposed
        gradients.append(g)
        g = g * (1 - active * active)
        gradients.append(g)
        g_c = g_c + g * added
        g = g * c
        gradients.append(g)
        g_b = g_b + g
        gradients.append(g)
    return [g, g_b, g_c, g_w]


def in_torch(arrays: tuple[np.ndarray, ...], operations: int) -> Callable[[], list[np.ndarray]]:
    """PyTorch on one thread: a function that runs the chain and returns the gradients of the leaves."""
    import torch

    torch.set_num_threads(1)
    parameters = [torch.tensor(value, requires_grad=True) for value in arrays]

    def run() -> list[np.ndarray]:
        for parameter in parameters:
            parameter.grad = None
        chain(*parameters, torch.tanh, operations).sum().backward()
        return [parameter.grad.numpy() for parameter in parameters]

    return run


def rows(*, operations: int = 1000, rounds: int = 21) -> list[Row]:
    """Against PyTorch without recording, and against the loop by hand, in one interleaved run."""
    arrays = leaves()
    cases = [
        Case(OURS, lambda: recorded(arrays, operations)),
        Case(BY_HAND, lambda: by_hand(arrays, operations)),
    ]
    try:
        cases.append(Case(PEER, in_torch(arrays, operations)))
    except ImportError:
        against_torch = absent(OURS, PEER, goal=0.75, stretch=0.6)
    for case in cases[1:]:
        np.testing.assert_allclose(cases[0].run(), case.run(), rtol=1e-9, atol=1e-12)
    seconds = interleave(cases, rounds=rounds)
    if PEER in seconds:
        against_torch = compared(OURS, PEER, seconds, goal=0.75, stretch=0.6)
    return [against_torch, compared(OURS, BY_HAND, seconds, goal=2.6)]
