"""A tanh RNN over time, forward and backward with all weight gradients, float32, against PyTorch unrolled by hand.

xₜ W + hₜ₋₁ U + b and tanh at every step, the loss 0.5 · Σ h². Once as one recorded operation (`tr.rnn_layer`), once as
the user's own loop, in which every node of every step is recorded under the scope of its time step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

import tracer as tr
from tests.bench.harness import Case, Row, absent, compared, interleave

PEER = "torch, unrolled"
Gradients = Callable[[], list[np.ndarray]]


class Size(NamedTuple):
    """Time steps, state, batch; the input is as wide as the state."""

    steps: int
    state: int
    batch: int

    def __str__(self) -> str:
        return f"T={self.steps} H={self.state} B={self.batch}"


class Network(NamedTuple):
    """x (T, B, H), the weights w and u (H, H) as factors from the right, the bias (H,): all float32."""

    x: np.ndarray
    w: np.ndarray
    u: np.ndarray
    b: np.ndarray


GOALS = {Size(100, 64, 32): (0.5, 0.85), Size(1000, 16, 32): (0.3, 0.85)}
"""The most that the fused layer and the recorded loop may take, over PyTorch's time."""


def network(size: Size) -> Network:
    """Normal data, and weights under which states neither die nor explode."""
    rng = np.random.default_rng(0)
    w, u = rng.normal(size=(2, size.state, size.state)) / np.sqrt(size.state)
    arrays = rng.normal(size=(size.steps, size.batch, size.state)), w, u, np.zeros(size.state)
    return Network(*(array.astype(np.float32) for array in arrays))


def fused(net: Network) -> list[np.ndarray]:
    """One node for the whole layer, whose weights lie as PyTorch's, transposed."""
    w, u, b = (tr.tensor(value, dtype="float32") for value in (net.w.T, net.u.T, net.b))
    h = tr.rnn_layer(net.x, 0.0, w, u, b)[-1]
    (0.5 * (h * h).sum()).backward()
    return [w.grad.T, u.grad.T, b.grad]


def unrolled(net: Network) -> list[np.ndarray]:
    """Five nodes a step, each with scope, source place, value and gradient."""
    w, u, b = (tr.tensor(value, dtype="float32") for value in (net.w, net.u, net.b))
    x, h = tr.constant(net.x), tr.constant(np.zeros_like(net.x[0]))
    for t in range(len(net.x)):
        with tr.scope("rnn", t=t):
            p = x[t] @ w
            q = h @ u
            a = p + q
            z = a + b
            h = tr.tanh(z)
    (0.5 * (h * h).sum()).backward()
    return [w.grad, u.grad, b.grad]


def in_torch(net: Network) -> Gradients:
    """PyTorch on one thread, the same loop without keeping any inner gradient."""
    import torch

    torch.set_num_threads(1)
    x = torch.tensor(net.x)
    start = torch.zeros_like(x[0])
    w, u, b = parameters = [torch.tensor(value, requires_grad=True) for value in net[1:]]

    def run() -> list[np.ndarray]:
        for parameter in parameters:
            parameter.grad = None
        h = start
        for t in range(len(x)):
            p = x[t] @ w
            q = h @ u
            a = p + q
            z = a + b
            h = torch.tanh(z)
        (0.5 * (h * h).sum()).backward()
        return [parameter.grad.numpy() for parameter in parameters]

    return run


def rows(*, steps: int | None = None, rounds: int = 11, sample_seconds: float = 0.1) -> list[Row]:
    """Both sizes, each in one interleaved run. steps: another number of time steps, for a run that takes no time."""
    _settle_allocator()
    found = []
    for size, goals in GOALS.items():
        run = size._replace(steps=steps) if steps else size
        found += _compared(run, goals, rounds, sample_seconds)
    return found


def _settle_allocator() -> None:
    """Free one large array, as every program that loads data has.

    Until then the C library hands freed memory back to the system and has it cleared again in every run, which takes up
    to a fifth of the time of either contender, by chance more of the one or of the other.
    """
    np.ones(1 << 21)


def _compared(
    size: Size, goals: tuple[float, float], rounds: int, sample_seconds: float
) -> list[Row]:
    net = network(size)
    ours = {f"RNN as one layer, {size}": fused, f"RNN in a loop, {size}": unrolled}
    cases = [Case(name, partial(run, net)) for name, run in ours.items()]
    try:
        cases.append(Case(PEER, in_torch(net)))
    except ImportError:
        return [absent(name, PEER, goal) for name, goal in zip(ours, goals, strict=True)]
    wanted = cases[-1].run()
    for case in cases[:-1]:
        for mine, theirs in zip(case.run(), wanted, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-3 * np.abs(theirs).max())
    seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
    return [
        compared(name, PEER, seconds, goal=goal) for name, goal in zip(ours, goals, strict=True)
    ]
