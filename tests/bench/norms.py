"""Fused kernels: softmax cross-entropy, batch_norm and layer_norm, recorded, forward and backward, against PyTorch.

Leaves are made once and outputs in every run, by both; nothing but the leaves keeps a gradient in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from tests.bench.harness import Case, Row, absent, compared, interleave

PEER = "torch"


class Layer(NamedTuple):
    """A row: what is run, on which shape and dtype, and the most that it may take of PyTorch's time."""

    name: str
    shape: tuple[int, int]
    dtype: str
    goal: float

    @property
    def label(self) -> str:
        """What the row is called: `batch_norm (256, 512) float32`."""
        return f"{self.name} {self.shape} {self.dtype}"


LAYERS = (
    Layer("cross_entropy", (128, 10), "float32", 0.25),
    Layer("cross_entropy", (4096, 1000), "float32", 1.0),
    Layer("batch_norm", (256, 512), "float32", 0.40),
    Layer("batch_norm", (4096, 1024), "float32", 0.75),
    Layer("batch_norm", (256, 512), "float64", 0.55),
    Layer("batch_norm", (4096, 1024), "float64", 0.55),
    Layer("layer_norm", (4096, 1024), "float32", 1.1),
    Layer("rms_norm", (4096, 1024), "float32", 1.1),
)


def arrays_of(layer: Layer) -> tuple[list[np.ndarray], np.ndarray]:
    """The inputs that receive a gradient, and what else there is: the classes, or the cotangent of the result."""
    rng = np.random.default_rng(0)
    rows, size = layer.shape
    x = rng.normal(size=layer.shape).astype(layer.dtype)
    if layer.name == "cross_entropy":
        return [x], rng.integers(0, size, rows)
    affine = [rng.normal(size=size).astype(layer.dtype) for _ in range(2)]
    g = rng.normal(size=layer.shape).astype(layer.dtype)
    return [x, *affine[: 1 if layer.name == "rms_norm" else 2]], g


def recorded(layer: Layer) -> Callable[[], list[Any]]:
    """Gradstep: a function that records the layer, runs it backwards, and returns the gradients."""
    arrays, other = arrays_of(layer)
    leaves = [tr.tensor(array) for array in arrays]
    given = tr.constant(other)
    operation = getattr(tr, layer.name)
    is_loss = layer.name == "cross_entropy"

    def run() -> list[Any]:
        for leaf in leaves:
            leaf.zero_grad()
        if is_loss:
            operation(*leaves, given).backward()
        else:
            operation(*leaves).backward(given)
        return [leaf.grad for leaf in leaves]

    return run


def in_torch(layer: Layer) -> Callable[[], list[Any]]:
    """PyTorch on one thread: the same."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    arrays, other = arrays_of(layer)
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    given = torch.tensor(other)
    size = layer.shape[1:]
    forms: dict[str, Callable[..., Any]] = {
        "cross_entropy": lambda x: functional.cross_entropy(x, given),
        "batch_norm": lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True),
        "layer_norm": lambda x, w, b: functional.layer_norm(x, size, w, b),
        "rms_norm": lambda x, w: functional.rms_norm(x, size, w, eps=1e-6),
    }
    operation = forms[layer.name]
    seed = None if layer.name == "cross_entropy" else given

    def run() -> list[Any]:
        for leaf in leaves:
            leaf.grad = None
        operation(*leaves).backward(seed)
        return [np.asarray(leaf.grad) for leaf in leaves]

    return run


def row_of(layer: Layer, *, rounds: int, sample_seconds: float) -> Row:
    """One comparison, in one interleaved run, after both have been found to agree."""
    try:
        theirs = in_torch(layer)
    except ImportError:
        return absent(layer.label, PEER, goal=layer.goal)
    ours = recorded(layer)
    for one, other in zip(ours(), theirs(), strict=True):
        scale = float(np.max(np.abs(other)))
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * scale)
    cases = [Case(layer.label, ours), Case(PEER, theirs)]
    seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
    return compared(layer.label, PEER, seconds, goal=layer.goal)


def rows(*, rows: int = 0, rounds: int = 21, sample_seconds: float = 0.05) -> list[Row]:
    """Every layer; `rows` replaces the number of rows and of columns, for a run that takes no time."""
    small = [one._replace(shape=(rows, rows)) if rows else one for one in LAYERS]
    return [row_of(one, rounds=rounds, sample_seconds=sample_seconds) for one in small]
