"""A training step of a digit classifier, MLP 784-256-128-10 on batches of 128: plain, and with BatchNorm.

Forward, backward and the optimiser step, every value and gradient kept, in float32; the data are constants, as in
PyTorch, which keeps no inner gradient. And what recording costs: the same step, against the forward pass alone under
`no_grad` and the same gradients written by hand with the same kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import tracer as tr
from tests.bench.harness import Case, Row, absent, compared, interleave

SIZES = (784, 256, 128, 10)
RATE = np.float32(1e-6)


def leaves(batch: int, *, normalised: bool) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Data (batch, 784), labels (batch,), and per layer weight and bias, then scale and shift of the hidden ones."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, SIZES[0])).astype(np.float32)
    labels = rng.integers(0, SIZES[-1], batch)
    parameters = []
    for fan_in, fan_out in pairwise(SIZES):
        weight = rng.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in)
        parameters += [weight.astype(np.float32), np.zeros(fan_out, np.float32)]
    for size in SIZES[1:-1] if normalised else ():
        parameters += [np.ones(size, np.float32), np.zeros(size, np.float32)]
    return x, labels, parameters


def loss_of(
    x: Any,
    labels: Any,
    parameters: Sequence[Any],
    relu: Callable[[Any], Any],
    cross_entropy: Callable[[Any, Any], Any],
    batch_norm: Callable[[Any, Any, Any], Any],
) -> Any:
    """The program, written once for both: affine, BatchNorm if there are scales, relu; at the end cross-entropy."""
    normalised = len(parameters) > 6
    for layer in range(3):
        x = x @ parameters[2 * layer] + parameters[2 * layer + 1]
        if layer < 2:
            if normalised:
                x = batch_norm(x, parameters[6 + 2 * layer], parameters[7 + 2 * layer])
            x = relu(x)
    return cross_entropy(x, labels)


def recorded(batch: int, *, normalised: bool) -> Callable[[], list[np.ndarray]]:
    """Gradstep: a step that refills the parameters and returns the gradients."""
    data, labels, arrays = leaves(batch, normalised=normalised)
    x, target = tr.constant(data), tr.constant(labels)
    parameters = [tr.parameter(array) for array in arrays]

    def run() -> list[np.ndarray]:
        for parameter in parameters:
            parameter.zero_grad()
        loss_of(x, target, parameters, tr.relu, tr.cross_entropy, tr.batch_norm).backward()
        gradients = [parameter.grad for parameter in parameters]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.set(parameter.value - RATE * gradient)
        return gradients

    return run


def in_torch(batch: int, *, normalised: bool) -> Callable[[], list[np.ndarray]]:
    """PyTorch on one thread, with its own SGD."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    data, labels, arrays = leaves(batch, normalised=normalised)
    x, target = torch.tensor(data), torch.tensor(labels)
    parameters = [torch.tensor(array, requires_grad=True) for array in arrays]
    optimiser = torch.optim.SGD(parameters, lr=float(RATE))

    def batch_norm(x: Any, gamma: Any, beta: Any) -> Any:
        return functional.batch_norm(x, None, None, gamma, beta, training=True)

    def run() -> list[np.ndarray]:
        optimiser.zero_grad()
        loss_of(x, target, parameters, torch.relu, functional.cross_entropy, batch_norm).backward()
        optimiser.step()
        return [parameter.grad.numpy() for parameter in parameters]

    return run


def rows(*, batch: int = 128, rounds: int = 15, sample_seconds: float = 0.05) -> list[Row]:
    """Both networks against PyTorch, each pair in one interleaved run."""
    found = []
    for normalised, goal in ((False, 1.0), (True, 0.95)):
        name = "MLP 784-256-128-10" + (" with BatchNorm" if normalised else "")
        peer = "torch, " + ("with" if normalised else "without") + " BatchNorm"
        ours = recorded(batch, normalised=normalised)
        try:
            theirs = in_torch(batch, normalised=normalised)
        except ImportError:
            found.append(absent(name, peer, goal))
            continue
        for mine, other in zip(ours(), theirs(), strict=True):
            np.testing.assert_allclose(mine, other, rtol=2e-2, atol=2e-6)
        cases = [Case(name, ours), Case(peer, theirs)]
        seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
        found.append(compared(name, peer, seconds, goal=goal))
    return found
