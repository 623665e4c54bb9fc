"""Recurrent networks of several layers and one or two directions, put together from one-layer sequences.

Weights come as a list of tuples `(w_ih, w_hh, b_ih, b_hh)`, one for each layer and direction, directions fastest, as in
the parameter list of torch.nn.RNN; the biases may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ops.gru_cells import gru_layer
from ops.lstm_cells import lstm_layer
from ops.primitive import NUMBERS
from ops.recurrent import rnn_layer
from ops.shape import concatenate, getitem, stack

Weights = Sequence[Any]
"""(w_ih, w_hh), with b_ih and b_hh after them if there are biases."""


def rnn(
    x: Any,
    h0: Any,
    layers: Sequence[Weights],
    *,
    nonlinearity: str = "tanh",
    bidirectional: bool = False,
    truncate: int | None = None,
) -> tuple[Any, Any]:
    """A plain recurrent network over time: the output of the last layer, and the last state of every layer.

    hₜ = tanh(xₜ w_ihᵀ + b_ih + hₜ₋₁ w_hhᵀ + b_hh), each layer reading the states of the one below (torch.nn.RNN)

    x: float (T, B, I), or (T, I) without a batch. h0: (layers · directions, B, H), None or 0.0 for zeros. layers: the
    weights of each layer and direction, directions fastest. truncate: see `rnn_layer`.
    Returns: the output (T, B, directions · H), and h_n of the shape of h0.
    Raises `ValueError` for weights or states whose number does not fit.
    """

    def run(below: Any, number: int, reverse: bool) -> tuple[Any, ...]:
        return (
            rnn_layer(
                below,
                _state(h0, "h0", number, len(layers)),
                *layers[number],
                nonlinearity=nonlinearity,
                reverse=reverse,
                truncate=truncate,
            ),
        )

    output, (h_n,) = _stacked(x, layers, bidirectional, run)
    return output, h_n


def gru(
    x: Any,
    h0: Any,
    layers: Sequence[Weights],
    *,
    bidirectional: bool = False,
    truncate: int | None = None,
) -> tuple[Any, Any]:
    """Gated recurrent units over time: the output of the last layer, and the last state of every layer (torch.nn.GRU).

    Arguments and results as in `rnn`; the blocks of the weights lie in the order r, z, n.
    """

    def run(below: Any, number: int, reverse: bool) -> tuple[Any, ...]:
        h = _state(h0, "h0", number, len(layers))
        return (gru_layer(below, h, *layers[number], reverse=reverse, truncate=truncate),)

    output, (h_n,) = _stacked(x, layers, bidirectional, run)
    return output, h_n


def lstm(
    x: Any,
    state: Any,
    layers: Sequence[Weights],
    *,
    bidirectional: bool = False,
    truncate: int | None = None,
) -> tuple[Any, tuple[Any, Any]]:
    """Long short-term memory over time: the output of the last layer, and the last states and cells (torch.nn.LSTM).

    state: a pair (h0, c0), each as h0 of `rnn`, or None for zeros. The blocks of the weights lie in the order i, f, g,
    o, the rest is as in `rnn`. Returns: the output (T, B, directions · H), and the pair (h_n, c_n).
    """
    if state is not None and (not isinstance(state, (tuple, list)) or len(state) != 2):
        raise ValueError(
            "lstm: the state is a pair (h0, c0), or None\n  try: lstm(x, (h0, c0), layers)"
        )
    h0, c0 = (None, None) if state is None else state

    def run(below: Any, number: int, reverse: bool) -> tuple[Any, ...]:
        h, c = (_state(s, name, number, len(layers)) for s, name in ((h0, "h0"), (c0, "c0")))
        return lstm_layer(below, h, c, *layers[number], reverse=reverse, truncate=truncate)

    output, (h_n, c_n) = _stacked(x, layers, bidirectional, run)
    return output, (h_n, c_n)


def _state(state: Any, name: str, number: int, count: int) -> Any:
    """The initial state of one layer and direction; 0.0 for one that is left out."""
    if state is None:
        return 0.0
    if type(state) in NUMBERS:
        return state
    if len(state) != count:
        raise ValueError(
            f"{name} holds {len(state)} states, but there are {count} layers and directions\n"
            f"  try: {name} of shape ({count}, B, H)"
        )
    return getitem(state, number)


def _stacked(
    x: Any,
    layers: Sequence[Weights],
    bidirectional: bool,
    run: Callable[[Any, int, bool], tuple[Any, ...]],
) -> tuple[Any, list[Any]]:
    """The output of the top layer, and the last state, and cell if there is one, of all.

    run: a layer from what lies below, its number, and whether it runs backwards, to its states (and cells).
    """
    directions = 1 + bidirectional
    if not layers or len(layers) % directions:
        raise ValueError(
            f"{len(layers)} tuples of weights for {directions} direction{'s' * bidirectional}\n"
            f"  try: one tuple (w_ih, w_hh, b_ih, b_hh) for each layer and direction"
        )
    last: list[list[Any]] = []
    for first in range(0, len(layers), directions):
        ran = [run(x, first + k, bool(k)) for k in range(directions)]
        last += [[getitem(each, 0 if k else -1) for each in ran[k]] for k in range(directions)]
        x = concatenate([states[0] for states in ran], axis=-1) if bidirectional else ran[0][0]
    return x, [stack(list(each)) for each in zip(*last, strict=True)]
