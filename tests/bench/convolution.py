"""One convolution and one pool, recorded, forward and backward with every gradient, against PyTorch.

In float32 PyTorch's own convolution uses wider vectors than numpy's BLAS: the three matrix products of columns alone
take 0.9 of its time for 8 to 16 channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from tests.bench.harness import Case, Row, absent, compared, interleave

PEER = "torch"
Gradients = Callable[[], Sequence[np.ndarray]]


class Layer(NamedTuple):
    """A function of both libraries, the shapes of its inputs, its parameters, and the most that its row may be."""

    label: str
    function: str
    shapes: tuple[tuple[int, ...], ...]
    params: dict[str, Any]
    dtype: str
    goal: float


LAYERS = (
    Layer(
        "conv2d 3x3, 8 to 16 channels, f32",
        "conv2d",
        ((16, 8, 28, 28), (16, 8, 3, 3), (16,)),
        {"padding": 1},
        "float32",
        1.75,
    ),
    Layer(
        "conv2d 3x3, 8 to 16 channels, f64",
        "conv2d",
        ((16, 8, 28, 28), (16, 8, 3, 3), (16,)),
        {"padding": 1},
        "float64",
        1.0,
    ),
    Layer(
        "conv2d 5x5, 1 to 8 channels, f32",
        "conv2d",
        ((16, 1, 28, 28), (8, 1, 5, 5), (8,)),
        {},
        "float32",
        0.6,
    ),
    Layer(
        "max_pool2d 2x2, 16 channels, f32",
        "max_pool2d",
        ((16, 16, 28, 28),),
        {"kernel_size": 2},
        "float32",
        0.6,
    ),
)


def drawn(layer: Layer, batch: int) -> tuple[list[np.ndarray], np.ndarray]:
    """The inputs, and the cotangent of the result."""
    rng = np.random.default_rng(0)
    first, *rest = layer.shapes
    inputs = [rng.normal(size=shape).astype(layer.dtype) for shape in ((batch, *first[1:]), *rest)]
    value = getattr(tr, layer.function)(*inputs, **layer.params)
    return inputs, rng.normal(size=value.shape).astype(layer.dtype)


def recorded(layer: Layer, inputs: list[np.ndarray], g: np.ndarray) -> Gradients:
    """Gradstep, with the kernels that it picks itself."""
    function = getattr(tr, layer.function)

    def run() -> list[np.ndarray]:
        leaves = [tr.tensor(x, dtype=layer.dtype) for x in inputs]
        function(*leaves, **layer.params).backward(g)
        return [leaf.grad for leaf in leaves]

    return run


def in_torch(layer: Layer, inputs: list[np.ndarray], g: np.ndarray) -> Gradients:
    """PyTorch on one thread."""
    import torch

    torch.set_num_threads(1)
    function = getattr(torch.nn.functional, layer.function)
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    cotangent = torch.tensor(g)

    def run() -> list[np.ndarray]:
        for leaf in leaves:
            leaf.grad = None
        function(*leaves, **layer.params).backward(cotangent)
        return [leaf.grad.numpy() for leaf in leaves]

    return run


def rows(*, batch: int = 16, rounds: int = 15, sample_seconds: float = 0.05) -> list[Row]:
    """Each layer in an interleaved run of its own."""
    return [row_of(layer, batch, rounds, sample_seconds) for layer in LAYERS]


def row_of(layer: Layer, batch: int, rounds: int, sample_seconds: float) -> Row:
    """One layer against PyTorch, after a look at whether both give the same gradients."""
    inputs, g = drawn(layer, batch)
    try:
        peer = Case(PEER, in_torch(layer, inputs, g))
    except ImportError:
        return absent(layer.label, PEER, layer.goal)
    ours = Case(layer.label, recorded(layer, inputs, g))
    for mine, other in zip(ours.run(), peer.run(), strict=True):
        scale = float(np.max(np.abs(other)))
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5 * scale)
    seconds = interleave([ours, peer], rounds=rounds, sample_seconds=sample_seconds)
    return compared(layer.label, PEER, seconds, goal=layer.goal)
