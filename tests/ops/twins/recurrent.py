"""Recurrent cells and layers one sample and one step at a time, and the recurrences against time as matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def vector(state: Array, size: int) -> Array:
    return np.zeros(size) if type(state) is float else state


def rnn_step(x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, kind: str):
    z = w_ih @ x + b_ih + w_hh @ h + b_hh
    return np.tanh(z) if kind == "tanh" else np.where(z > 0, z, 0)


def gru_step(x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array):
    by_input, by_state = np.split(w_ih @ x + b_ih, 3), np.split(w_hh @ h + b_hh, 3)
    r, z = (sigmoid(by_input[k] + by_state[k]) for k in (0, 1))
    n = np.tanh(by_input[2] + r * by_state[2])
    return (1 - z) * n + z * h


def lstm_step(x: Array, hc: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array):
    h, c = hc
    i, f, g, o = np.split(w_ih @ x + b_ih + w_hh @ h + b_hh, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.stack([sigmoid(o) * np.tanh(c), c])


def over_samples(step: Any, x: Array, states: list[Array], size: int) -> Array:
    """The step of every sample by itself; results of an LSTM keep their first axis in front."""
    if x.ndim == 1:
        return step(x, *(vector(s, size) for s in states))
    single = [[0.0 if type(s) is float else s[b] for s in states] for b in range(len(x))]
    return np.stack([over_samples(step, x[b], single[b], size) for b in range(len(x))], axis=-2)


def rnn_cell(x, h, w_ih, w_hh, b_ih, b_hh, *, nonlinearity):
    def step(x, h):
        return rnn_step(x, h, w_ih, w_hh, b_ih, b_hh, nonlinearity)

    return over_samples(step, x, [h], w_hh.shape[1])


def gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    return over_samples(lambda x, h: gru_step(x, h, w_ih, w_hh, b_ih, b_hh), x, [h], w_hh.shape[1])


def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return over_samples(
        lambda x, h, c: lstm_step(x, (h, c), w_ih, w_hh, b_ih, b_hh), x, [h, c], w_hh.shape[1]
    )


def over_time(cell: Any, x: Array, states: Any, reverse: bool) -> Array:
    """The cell at every step; `states` feeds the first one, and each result the next."""
    found = []
    for one in x[::-1] if reverse else x:
        states = cell(one, *states)
        found.append(states)
        states = states if states.ndim > one.ndim else [states]
    return np.stack(found[::-1] if reverse else found, axis=-np.ndim(x[0]) - 1)


def rnn_layer(x, h0, *weights, reverse, truncate, nonlinearity):
    def cell(x, h):
        return rnn_cell(x, h, *weights, nonlinearity=nonlinearity)

    return over_time(cell, x, [h0], reverse)


def gru_layer(x, h0, *weights, reverse, truncate):
    return over_time(lambda x, h: gru_cell(x, h, *weights), x, [h0], reverse)


def lstm_layer(x, h0, c0, *weights, reverse, truncate):
    return over_time(lambda x, h, c: lstm_cell(x, h, c, *weights), x, [h0, c0], reverse)


def ahead_through_time(
    moving, moving_cell, slopes, keep, gain, weight, *, reverse, truncate, outer
):
    """Step by step, as the formulas in the help stand."""
    size = weight.shape[1]
    blocks = len(weight) // size
    plain = type(keep) is float
    e = c = np.zeros((*slopes.shape[1:-1], size))
    found = {}
    times = list(range(len(slopes)))
    for number, t in enumerate(times[::-1] if reverse else times):
        if truncate and number and number % truncate == 0:
            e, c = 0 * e, 0 * c
        products = np.split(slopes[t] * (moving[t] + e @ weight.T), blocks, axis=-1)
        inner = sum(products[: blocks - outer])
        if not plain:
            inner = inner + keep[t] * c
        if type(moving_cell) is not float:
            inner = inner + moving_cell[t]
        c = inner
        e = c * (gain if type(gain) is float else gain[t])
        if outer:
            e = e + products[-1]
        found[t] = e if plain else np.concatenate([e, c], axis=-1)
    return np.stack([found[t] for t in times])


def back_through_time(
    arriving, arriving_cell, slopes, keep, gain, weight, *, reverse, truncate, outer
):
    """The transpose of the recurrence ahead, as a matrix built column by column."""
    plain = type(keep) is float
    width = len(weight)
    behind = 0 if plain else weight.shape[1]
    shape = (*slopes.shape[:-1], width + behind)
    columns = []
    for unit in np.eye(int(np.prod(shape))):
        probe = unit.reshape(shape)
        cell = 0.0 if plain else probe[..., width:]
        options = {"reverse": reverse, "truncate": truncate, "outer": outer}
        moved = ahead_through_time(probe[..., :width], cell, slopes, keep, gain, weight, **options)
        columns.append(np.ravel(moved))
    if not plain and type(arriving_cell) is float:
        arriving_cell = np.zeros(arriving.shape)
    given = arriving if plain else np.concatenate([arriving, arriving_cell], axis=-1)
    return (np.stack(columns) @ np.ravel(given)).reshape(shape)


TWINS = {
    "rnn_cell": rnn_cell,
    "gru_cell": gru_cell,
    "lstm_cell": lstm_cell,
    "rnn_layer": rnn_layer,
    "gru_layer": gru_layer,
    "lstm_layer": lstm_layer,
    "ahead_through_time": ahead_through_time,
    "back_through_time": back_through_time,
}
