"""Recurrent layers whose loop over time is compiled.

What has no order in time stays in one BLAS product: the input sums, and the gradients of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.kernels import time_loops as loops
from ops.kernels.acceleration import Acceleration
from ops.primitive import NUMBERS
from ops.recurrent import check_nonlinearity
from ops.timesteps import (
    bias_flows,
    check_layer,
    check_sequence,
    initial_state,
    input_sums,
    rows,
    state_weight_flow,
)

Array = Any


def _steady(x: Array) -> Array:
    """The array contiguous and read-only, so that Numba compiles for one kind of array and not for several."""
    view = np.ascontiguousarray(x).view()
    view.flags.writeable = False
    return view


def _initial(state: Array, sums: Array, w_hh: Array) -> Array:
    return _steady(initial_state(state, sums, w_hh))


def _flows(
    names: Sequence[str],
    wanted: Sequence[bool],
    inputs: Sequence[Any],
    cotangents: tuple[Array, Array],
    states: Array,
    initial: Mapping[str, Array],
    time: Mapping[str, Any],
) -> list[Any]:
    """The cotangent of every wanted input, from those of the two sums before the gates.

    initial: the cotangents of the initial states by name.
    """
    for_input, for_state = cotangents
    given = dict(zip(names, inputs, strict=True))
    asked = {name for name, wants in zip(names, wanted, strict=True) if wants}
    biases = (given["b_ih"], given["b_hh"])
    flows: dict[str, Any] = {**initial}
    if "x" in asked:
        flows["x"] = (rows(for_input) @ given["w_ih"]).reshape(given["x"].shape)
    if "w_ih" in asked:
        flows["w_ih"] = rows(for_input).T @ rows(given["x"])
    if "w_hh" in asked:
        flows["w_hh"] = state_weight_flow(for_state, states, given["h0"], given["w_hh"], **time)
    if asked & {"b_ih", "b_hh"}:
        flows |= bias_flows(for_input, for_state, biases)
    return [flows[name] if name in asked else None for name in names]


_LARGEST = 2048
"""The most numbers in the states of one time step (batch · H) for which the loops here are as fast as BLAS.

Measured for all three layers, both dtypes, T from 10 to 1000, forward and backward: up to twelve times faster at 1 · 4,
1.3 to 3 times at 32 · 16, as fast or 1.3 times faster at 32 · 64. At 32 · 128 and 256 · 64 numpy's loop over time,
whose products BLAS computes, is up to 1.2 times faster and runs instead.
"""


def _fits(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
    """A batch of sequences, small enough at each step, nothing empty, everything in one float type."""
    x, w_hh = inputs[0], inputs[-3]
    if type(x) is not np.ndarray or x.ndim != 3 or not x.size or x.dtype.kind != "f":
        return False
    if not all(type(y) in NUMBERS or (y.dtype == x.dtype and y.size) for y in inputs):
        return False
    return np.ndim(w_hh) == 2 and int(x.shape[1] * w_hh.shape[1]) <= _LARGEST


# ----- the plain layer

_RNN = ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh")


def rnn_layer(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    *,
    nonlinearity: str,
    reverse: bool,
    truncate: int | None,
) -> Array:
    """The states after each step, (T, B, H)."""
    check_nonlinearity(nonlinearity)
    check_sequence(x, truncate)
    check_layer(1, x, {"h0": (h0, x.shape[1:-1])}, w_ih, w_hh, b_ih, b_hh)
    states = input_sums(x, w_ih, b_ih, b_hh)
    h = _initial(h0, states, w_hh)
    loops.rnn_forward(states, h, _steady(w_hh.T), nonlinearity == "relu", reverse)
    return states


def pull_rnn_layer(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """The cotangents of all wanted inputs."""
    w_hh = inputs[3]
    reverse, truncate = params["reverse"], params["truncate"]
    time = {"reverse": reverse, "truncate": truncate}
    delta = np.empty(out.shape, out.dtype)
    relu = params["nonlinearity"] == "relu"
    loops.rnn_backward(_steady(g), _steady(out), _steady(w_hh), truncate or 0, relu, reverse, delta)
    initial = {"h0": delta[-1 if reverse else 0] @ w_hh} if wanted[1] else {}
    return _flows(_RNN, wanted, inputs, (delta, delta), out, initial, time)


# ----- gated recurrent units


def gru_layer(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    *,
    reverse: bool,
    truncate: int | None,
) -> tuple[Array, dict[str, Array]]:
    """The states after each step, (T, B, H), and the gates."""
    check_sequence(x, truncate)
    check_layer(3, x, {"h0": (h0, x.shape[1:-1])}, w_ih, w_hh, b_ih, b_hh)
    sums = input_sums(x, w_ih, b_ih, 0.0)
    size = w_hh.shape[1]
    states = np.empty((*x.shape[:-1], size), x.dtype)
    gates = np.empty((*x.shape[:-1], 4 * size), x.dtype)
    bias = np.zeros(3 * size, x.dtype) if type(b_hh) in NUMBERS else b_hh
    h = _initial(h0, sums, w_hh)
    loops.gru_forward(sums, h, _steady(w_hh.T), _steady(bias), reverse, states, gates)
    return states, {"gates": gates}


def pull_gru_layer(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """The cotangents of all wanted inputs."""
    h0, w_hh = inputs[1], inputs[3]
    reverse, truncate = params["reverse"], params["truncate"]
    for_input, for_state = np.empty((2, *out.shape[:-1], len(w_hh)), out.dtype)
    carried = np.empty(out.shape[1:], out.dtype)
    loops.gru_backward(
        _steady(g),
        _steady(out),
        _initial(h0, out, w_hh),
        _steady(saved["gates"]),
        _steady(w_hh),
        truncate or 0,
        reverse,
        for_input,
        for_state,
        carried,
    )
    time = {"reverse": reverse, "truncate": truncate}
    return _flows(_RNN, wanted, inputs, (for_input, for_state), out, {"h0": carried}, time)


# ----- long short-term memory

_LSTM = ("x", "h0", "c0", "w_ih", "w_hh", "b_ih", "b_hh")


def lstm_layer(
    x: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    *,
    reverse: bool,
    truncate: int | None,
) -> tuple[Array, dict[str, Array]]:
    """The states and the cells after each step, packed as (2, T, B, H), and the gates."""
    lead = x.shape[1:-1]
    check_sequence(x, truncate)
    check_layer(4, x, {"h0": (h0, lead), "c0": (c0, lead)}, w_ih, w_hh, b_ih, b_hh)
    gates = input_sums(x, w_ih, b_ih, b_hh)
    out = np.empty((2, *x.shape[:-1], w_hh.shape[1]), x.dtype)
    h, c = _initial(h0, gates, w_hh), _initial(c0, gates, w_hh)
    loops.lstm_forward(gates, h, c, _steady(w_hh.T), reverse, out[0], out[1])
    return out, {"gates": gates}


def pull_lstm_layer(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """The cotangents of all wanted inputs."""
    c0, w_hh = inputs[2], inputs[4]
    reverse, truncate = params["reverse"], params["truncate"]
    gates = _steady(saved["gates"])
    delta = np.empty(gates.shape, out.dtype)
    carried, carried_cell = np.empty((2, *out.shape[2:]), out.dtype)
    loops.lstm_backward(
        _steady(g[0]),
        _steady(g[1]),
        _steady(out[1]),
        _initial(c0, out[0], w_hh),
        gates,
        _steady(w_hh),
        truncate or 0,
        reverse,
        delta,
        carried,
        carried_cell,
    )
    time = {"reverse": reverse, "truncate": truncate}
    initial = {"h0": carried, "c0": carried_cell}
    return _flows(_LSTM, wanted, inputs, (delta, delta), out[0], initial, time)


ACCELERATIONS: dict[str, Acceleration] = {
    "rnn_layer": Acceleration(_fits, rnn_layer, pull_rnn_layer, 64),
    "gru_layer": Acceleration(_fits, gru_layer, pull_gru_layer, 64),
    "lstm_layer": Acceleration(_fits, lstm_layer, pull_lstm_layer, 64),
}
