"""The loops over time of recurrent layers, compiled: one row of the batch at a time, its state in the nearest cache.

They take sequences (T, B, ...), weights of the state as they are read row by row, and `truncate` 0 for none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.kernels.compiling import jit
from ops.kernels.exponential import sigmoid, tanh, typed

Array = Any


def _add_product(row: Array, w: Array, total: Array) -> None:
    """total += row w. row: (K,). w: (K, H). total: (H,)."""
    last = w.shape[0] - w.shape[0] % 4
    for k in range(0, last, 4):
        a, b, c, d = row[k], row[k + 1], row[k + 2], row[k + 3]
        for j in range(w.shape[1]):
            total[j] += (a * w[k, j] + b * w[k + 1, j]) + (c * w[k + 2, j] + d * w[k + 3, j])
    for k in range(last, w.shape[0]):
        a = row[k]
        for j in range(w.shape[1]):
            total[j] += a * w[k, j]


add_product = jit(_add_product, contract=True)


def _is_cut(number: int, truncate: int) -> bool:
    """Whether the step that runs as that number sends nothing back."""
    return truncate > 0 and number > 0 and number % truncate == 0


is_cut = jit(_is_cut)


def _rnn_forward(states: Array, h0: Array, v: Array, relu: bool, reverse: bool) -> None:
    """states (T, B, H): the input sums, overwritten with the states. h0: (B, H). v: w_hhᵀ, (H, H)."""
    count, batch, size = states.shape
    for number in range(count):
        t, before = number, number - 1
        if reverse:
            t, before = count - 1 - number, count - number
        for b in range(batch):
            add_product(states[before, b] if number else h0[b], v, states[t, b])
        h = states[t].reshape(batch * size)  # one long loop, which fills vector registers
        for j in range(batch * size):
            if not relu:
                h[j] = tanh(h[j])
            elif h[j] <= 0:  # NaN stays
                h[j] = 0


rnn_forward = jit(_rnn_forward, contract=True)


def _rnn_backward(
    g: Array, states: Array, w: Array, truncate: int, relu: bool, reverse: bool, delta: Array
) -> None:
    """delta (T, B, H): overwritten with the cotangents of the sums. g, states: (T, B, H). w: w_hh, (H, H)."""
    count, batch, size = states.shape
    carried = np.zeros((batch, size), w.dtype)
    for number in range(count - 1, -1, -1):
        t = count - 1 - number if reverse else number
        for b in range(batch):
            back, dz = carried[b], delta[t, b]
            for j in range(size):
                h = states[t, b, j]
                dh = g[t, b, j] + back[j]
                if relu:
                    dz[j] = typed(0.0, h) if h <= 0 else dh
                else:
                    dz[j] = dh * (typed(1.0, h) - h * h)
                back[j] = 0
            if not is_cut(number, truncate):
                add_product(dz, w, back)


rnn_backward = jit(_rnn_backward, contract=True)


def _gru_forward(
    sums: Array, h0: Array, v: Array, b_hh: Array, reverse: bool, states: Array, gates: Array
) -> None:
    """states (T, B, H) and gates (T, B, 4·H): overwritten. sums: (T, B, 3·H). v: w_hhᵀ, (H, 3·H). b_hh: (3·H,)."""
    count, batch, size = states.shape
    one = typed(1.0, v[0, 0])
    offered = np.empty(3 * size, v.dtype)
    for number in range(count):
        t, before = number, number - 1
        if reverse:
            t, before = count - 1 - number, count - number
        for b in range(batch):
            h, given, now = states[before, b] if number else h0[b], sums[t, b], gates[t, b]
            for j in range(3 * size):
                offered[j] = b_hh[j]
            add_product(h, v, offered)
            for j in range(2 * size):
                now[j] = sigmoid(given[j] + offered[j])
            for j in range(size):
                now[3 * size + j] = offered[2 * size + j]
                now[2 * size + j] = tanh(given[2 * size + j] + now[j] * offered[2 * size + j])
            for j in range(size):
                z = now[size + j]
                states[t, b, j] = (one - z) * now[2 * size + j] + z * h[j]


gru_forward = jit(_gru_forward, contract=True)


def _gru_backward(
    g: Array,
    states: Array,
    h0: Array,
    gates: Array,
    w: Array,
    truncate: int,
    reverse: bool,
    for_input: Array,
    for_state: Array,
    carried: Array,
) -> None:
    """for_input and for_state (T, B, 3·H): overwritten with the cotangents of both sums; carried: with that of h0."""
    count, batch, size = states.shape
    one = typed(1.0, w[0, 0])
    carried[:] = 0
    for number in range(count - 1, -1, -1):
        t, before = number, number - 1
        if reverse:
            t, before = count - 1 - number, count - number
        for b in range(batch):
            h, now, back = states[before, b] if number else h0[b], gates[t, b], carried[b]
            by_input, by_state = for_input[t, b], for_state[t, b]
            for j in range(size):
                r, z, n = now[j], now[size + j], now[2 * size + j]
                dh = g[t, b, j] + back[j]
                dn = dh * ((one - z) * (one - n * n))
                by_state[j] = dn * now[3 * size + j] * (r * (one - r))
                by_state[size + j] = dh * (h[j] - n) * (z * (one - z))
                by_state[2 * size + j] = dn * r
                by_input[2 * size + j] = dn
                back[j] = dh * z
            for j in range(2 * size):
                by_input[j] = by_state[j]
            if is_cut(number, truncate):
                for j in range(size):
                    back[j] = 0
            else:
                add_product(by_state, w, back)


gru_backward = jit(_gru_backward, contract=True)


def _lstm_forward(
    gates: Array, h0: Array, c0: Array, v: Array, reverse: bool, states: Array, cells: Array
) -> None:
    """gates (T, B, 4·H): the input sums, overwritten with i, f, g, o. states, cells (T, B, H): overwritten."""
    count, batch, size = states.shape
    for number in range(count):
        t, before = number, number - 1
        if reverse:
            t, before = count - 1 - number, count - number
        for b in range(batch):
            now, h, c = gates[t, b], states[t, b], cells[t, b]
            c_before = cells[before, b] if number else c0[b]
            add_product(states[before, b] if number else h0[b], v, now)
            for j in range(2 * size):
                now[j] = sigmoid(now[j])
            for j in range(2 * size, 3 * size):
                now[j] = tanh(now[j])
            for j in range(3 * size, 4 * size):
                now[j] = sigmoid(now[j])
            for j in range(size):
                c[j] = now[size + j] * c_before[j] + now[j] * now[2 * size + j]
                h[j] = now[3 * size + j] * tanh(c[j])


lstm_forward = jit(_lstm_forward, contract=True)


def _lstm_backward(
    g: Array,
    g_cell: Array,
    cells: Array,
    c0: Array,
    gates: Array,
    w: Array,
    truncate: int,
    reverse: bool,
    delta: Array,
    carried: Array,
    carried_cell: Array,
) -> None:
    """delta (T, B, 4·H): overwritten with the cotangents of the sums; carried and carried_cell: of h0 and c0."""
    count, batch, size = cells.shape
    one = typed(1.0, w[0, 0])
    carried[:] = 0
    carried_cell[:] = 0
    for number in range(count - 1, -1, -1):
        t, before = number, number - 1
        if reverse:
            t, before = count - 1 - number, count - number
        for b in range(batch):
            now, dz, back, back_cell = gates[t, b], delta[t, b], carried[b], carried_cell[b]
            c = cells[before, b] if number else c0[b]
            for j in range(size):
                i, f, n, o = now[j], now[size + j], now[2 * size + j], now[3 * size + j]
                squashed = tanh(cells[t, b, j])
                dh = g[t, b, j] + back[j]
                dc = g_cell[t, b, j] + back_cell[j] + dh * (o * (one - squashed * squashed))
                dz[j] = dc * (n * (i * (one - i)))
                dz[size + j] = dc * (c[j] * (f * (one - f)))
                dz[2 * size + j] = dc * (i * (one - n * n))
                dz[3 * size + j] = dh * (squashed * (o * (one - o)))
                back_cell[j] = dc * f
                back[j] = 0
            if is_cut(number, truncate):
                for j in range(size):
                    back_cell[j] = 0
            else:
                add_product(dz, w, back)


lstm_backward = jit(_lstm_backward, contract=True)
