"""Layers that multiply by a weight: Linear, Embedding, and Highway, which gates its product."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import ops
from tracer import init
from tracer.nn.module import Module, name_of
from tracer.parameters import parameter


class Linear(Module):
    """An affine map, y = x Wᵀ + b.

    weight: (out_features, in_features), bias: (out_features,), both uniform between ±1/√in_features.
    x: float (..., in_features).  Returns: float (..., out_features).

    >>> import tracer as tr
    >>> layer = tr.nn.Linear(3, 2, rng=0)
    >>> layer(np.ones((4, 3))).shape, layer
    ((4, 2), Linear(in_features=3, out_features=2, bias=True))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.in_features, self.out_features = in_features, out_features
        rng, bound = init.generator(rng), bound_of(in_features)
        shape = (out_features, in_features)
        self.weight = parameter(init.uniform(shape, low=-bound, high=bound, rng=rng, dtype=dtype))
        self.bias = bias_of(out_features, in_features, rng, dtype) if bias else None

    def forward(self, x: Any) -> Any:
        """y = x Wᵀ + b."""
        return ops.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """Vectors for whole numbers, such as word numbers: the rows of a weight.

    weight: (num_embeddings, embedding_dim), normal; the row `padding_idx`, if given, is zero and stays so.
    x: int (...).  Returns: float (..., embedding_dim).

    >>> import tracer as tr
    >>> tr.nn.Embedding(10, 3)([[1, 2], [3, 4]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx
        rows = init.normal((num_embeddings, embedding_dim), rng=rng, dtype=dtype)
        if padding_idx is not None:
            rows[padding_idx] = 0
        self.weight = parameter(rows)

    def forward(self, x: Any) -> Any:
        """The rows of the weight that x names."""
        return ops.embedding(x, self.weight, padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Highway(Module):
    """A layer with a gate that lets its input pass (Srivastava et al. 2015, as in the lecture).

    p = x Wᵀ, s = p + b, y = σ(p) f(s) + (1 − σ(p)) p, with f the sigmoid unless another activation is given.

    The path through (1 − σ(p)) p survives where f saturates.
    weight: (out_features, in_features), bias: (out_features,).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        activation: Callable[[Any], Any] = ops.sigmoid,
        *,
        rng: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.in_features, self.out_features, self.activation = in_features, out_features, activation
        rng, bound = init.generator(rng), bound_of(in_features)
        shape = (out_features, in_features)
        self.weight = parameter(init.uniform(shape, low=-bound, high=bound, rng=rng, dtype=dtype))
        self.bias = bias_of(out_features, in_features, rng, dtype)

    def forward(self, x: Any) -> Any:
        """y = σ(p) f(s) + (1 − σ(p)) p."""
        p = ops.linear(x, self.weight)
        gate = ops.sigmoid(p)
        return gate * self.activation(p + self.bias) + (1 - gate) * p

    def extra_repr(self) -> str:
        """The sizes and the activation."""
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, activation={name_of(self.activation)}"


def bound_of(fan_in: int) -> float:
    """1/√fan_in: the bound of PyTorch's default for weights and biases; 0 where nothing is read."""
    return 1 / math.sqrt(fan_in) if fan_in else 0.0


def bias_of(size: int, fan_in: int, rng: Any, dtype: Any) -> Any:
    """A bias, uniform between ±1/√fan_in."""
    bound = bound_of(fan_in)
    return parameter(init.uniform(size, low=-bound, high=bound, rng=rng, dtype=dtype))
