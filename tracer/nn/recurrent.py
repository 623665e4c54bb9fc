"""Recurrent layers over time: RNN, LSTM and GRU, several on top of each other, in one direction or both."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import ops
from ops.sequences import gru, lstm, rnn
from ops.shape import shaped
from tracer import init
from tracer.nn.module import Module
from tracer.parameters import Parameter, parameter


class _Recurrent(Module):
    """What the three share: parameters by PyTorch's names, the order of axes, and dropout between layers.

    For layer k: weight_ih_lk (gates · H, input), weight_hh_lk (gates · H, H), bias_ih_lk and bias_hh_lk (gates · H,),
    the same with `_reverse` for the other direction; uniform between ±1/√H.
    """

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        truncate: int | None = None,
        rng: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.truncate = bidirectional, truncate
        self.directions = 2 if bidirectional else 1
        rng, rows = init.generator(rng), self.gates * hidden_size
        bound = 1 / math.sqrt(hidden_size) if hidden_size else 0.0
        for layer in range(num_layers):
            into = input_size if layer == 0 else hidden_size * self.directions
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, into),
                "weight_hh": (rows, hidden_size),
            }
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            for ending in self._endings(layer):
                for name, shape in shapes.items():
                    value = init.uniform(shape, low=-bound, high=bound, rng=rng, dtype=dtype)
                    setattr(self, f"{name}_{ending}", parameter(value))

    def _endings(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: self.directions]

    def weights(self, layer: int) -> list[tuple[Parameter | float, ...]]:
        """The weights of a layer, one tuple for each direction: w_ih, w_hh, b_ih, b_hh (0.0 for no bias)."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [
            tuple(getattr(self, f"{name}_{ending}", 0.0) for name in names)
            for ending in self._endings(layer)
        ]

    def forward(self, x: Any, initial: Any = None) -> tuple[Any, Any]:
        """The outputs of the last layer at every step, and the last states of all layers."""
        x = self._time_first(shaped(x))
        starts = self._starts(initial)
        if self.dropout and self.training and self.num_layers > 1:
            outputs, last = self._with_dropout(x, starts)
        else:
            layers = [w for layer in range(self.num_layers) for w in self.weights(layer)]
            outputs, last = self._run(x, starts, layers)
        return self._time_first(outputs), last

    def _time_first(self, x: Any) -> Any:
        """Axes (batch, time, features) as (time, batch, features), or back, if the batch comes first."""
        return ops.transpose(x, axes=(1, 0, 2)) if self.batch_first and x.ndim == 3 else x

    def _starts(self, initial: Any) -> tuple[Any, ...]:
        """The initial states, one for each kind; 0.0 stands for zeros."""
        if initial is None:
            return (0.0,) * self.states
        return (initial,) if self.states == 1 else tuple(initial)

    def _with_dropout(self, x: Any, starts: tuple[Any, ...]) -> tuple[Any, Any]:
        """Layer by layer, with dropout on what each but the last hands up."""
        lasts: list[Any] = []
        for layer in range(self.num_layers):
            here = slice(layer * self.directions, (layer + 1) * self.directions)
            own = tuple(state if type(state) is float else state[here] for state in starts)
            x, last = self._run(x, own, self.weights(layer))
            lasts.append(last)
            if layer < self.num_layers - 1:
                x = ops.dropout(x, self.dropout)
        if self.states == 1:
            return x, ops.concatenate(lasts, axis=0)
        return x, tuple(ops.concatenate(list(each), axis=0) for each in zip(*lasts, strict=True))

    def _run(self, x: Any, starts: tuple[Any, ...], layers: list[Any]) -> tuple[Any, Any]:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """The sizes, and the options that are not PyTorch's defaults."""
        plain = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
            "truncate": None,
        }
        said = [
            f"{name}={getattr(self, name)!r}"
            for name, usual in plain.items()
            if getattr(self, name) != usual
        ]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *said])


class RNN(_Recurrent):
    """The Elman network: h⟨t⟩ = tanh(W_ih x⟨t⟩ + b_ih + W_hh h⟨t−1⟩ + b_hh), or relu.

    x: float (T, N, input_size), (N, T, input_size) if batch_first, or (T, input_size). initial: h, float
    (layers · directions, N, H), zeros if not given; layer by layer, and in each forwards, then backwards.
    truncate: backpropagation through time is cut before every step whose number is a multiple of it.
    Returns: the outputs, (T, N, directions · H) or batch first, and the last states, (layers · directions, N, H).

    >>> import tracer as tr
    >>> rnn = tr.nn.RNN(3, 4, num_layers=2, bidirectional=True)
    >>> outputs, h = rnn(np.ones((5, 2, 3)))
    >>> outputs.shape, h.shape
    ((5, 2, 8), (4, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, **options)
        self.nonlinearity = nonlinearity

    def _run(self, x: Any, starts: tuple[Any, ...], layers: list[Any]) -> tuple[Any, Any]:
        both, cut = self.bidirectional, self.truncate
        kind = self.nonlinearity
        return rnn(x, starts[0], layers, nonlinearity=kind, bidirectional=both, truncate=cut)


class GRU(_Recurrent):
    """The gated recurrent unit (Cho et al. 2014), in PyTorch's form, gates in the order r, z, n: `tr.gru`.

    Arguments, inputs and results as those of `RNN`; weights of three gates, one below the other.
    """

    gates = 3

    def _run(self, x: Any, starts: tuple[Any, ...], layers: list[Any]) -> tuple[Any, Any]:
        both, cut = self.bidirectional, self.truncate
        return gru(x, starts[0], layers, bidirectional=both, truncate=cut)


class LSTM(_Recurrent):
    """The long short-term memory (Hochreiter & Schmidhuber 1997), gates in the order i, f, g, o: `tr.lstm`.

    Arguments and inputs as those of `RNN`, but for the states, which are pairs: `initial` is (h, c), and what returns
    is the outputs and (h, c). Weights of four gates, one below the other.
    """

    gates, states = 4, 2

    def _run(self, x: Any, starts: tuple[Any, ...], layers: list[Any]) -> tuple[Any, Any]:
        both, cut = self.bidirectional, self.truncate
        return lstm(x, starts, layers, bidirectional=both, truncate=cut)
