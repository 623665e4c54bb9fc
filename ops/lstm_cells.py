"""The long short-term memory (Hochreiter & Schmidhuber 1997, with forget gate): a cell, and one layer over time.

A node has one output, so the primitives pack state and cell as (2, ...); the functions that users call take them apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.activations import sigmoid, tanh
from ops.declaring import primitive
from ops.elementwise import detach
from ops.formula import Formula
from ops.primitive import NUMBERS, Array, Saved, sample
from ops.recurrence import back_through_time
from ops.shape import concatenate, getitem, stack, transpose
from ops.timesteps import (
    affine_flows,
    at_step,
    block,
    cell_flows,
    check_layer,
    check_sequence,
    earlier,
    gate_sums,
    gates_size,
    initial_state,
    input_sums,
    is_cut,
    order,
    sigmoid_in_place,
    state_weight_flow,
)

_BIASES = {"b_ih": 0.0, "b_hh": 0.0}


def _gates(x: Any, h: Any, u: Any, v: Any, b_ih: Any, b_hh: Any) -> tuple[Any, Any, Any, Any]:
    """i, f, g, o: the input, forget, cell and output gate."""
    sums = gate_sums(x, h, u, v, b_ih, b_hh)
    size = sums.shape[-1] // 4
    i, f, o = (sigmoid(block(sums, number, size)) for number in (0, 1, 3))
    return i, f, tanh(block(sums, 2, size)), o


def _step_in_parts(x: Any, h: Any, c: Any, u: Any, v: Any, b_ih: Any, b_hh: Any) -> tuple[Any, Any]:
    i, f, new, o = _gates(x, h, u, v, b_ih, b_hh)
    cell = i * new if type(c) in NUMBERS else f * c + i * new
    return o * tanh(cell), cell


def _slopes(i: Any, f: Any, new: Any, o: Any, c: Any, squashed: Any) -> Any:
    """∂c' by the sums in front of i, f and g, and ∂h' by that of o, side by side.

    c: the cell before. squashed: tanh of the cell after.
    """
    by_i, by_f = new * (i * (1.0 - i)), c * (f * (1.0 - f))
    by_new, by_o = i * (1.0 - new * new), squashed * (o * (1.0 - o))
    return concatenate(by_i, by_f, by_new, by_o, axis=-1)


# ----- the cell


def lstm_cell_parts(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any = 0.0, b_hh: Any = 0.0
) -> Any:
    """Both products, the four gates, the new cell, and the state that the output gate lets out."""
    lead = x.shape[:-1]
    check_layer(4, x, {"h": (h, lead), "c": (c, lead)}, w_ih, w_hh, b_ih, b_hh)
    return stack(*_step_in_parts(x, h, c, transpose(w_ih), transpose(w_hh), b_ih, b_hh))


def lstm_cell_gates(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """i, f, g, o, side by side."""
    gates = _gates(x, h, transpose(w_ih), transpose(w_hh), b_ih, b_hh)
    return concatenate(list(gates), axis=-1)


def lstm_cell_rule(
    g: Any,
    out: Any,
    x: Any,
    h: Any,
    c: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    gates: Any,
) -> dict[str, Any]:
    """The cotangents of the cell and of the sums before the gates, and what their products send on."""
    size = w_hh.shape[1]
    i, f, new, o = (block(gates, number, size) for number in range(4))
    squashed = tanh(getitem(out, 1))
    slopes = _slopes(i, f, new, o, c, squashed)
    dh = getitem(g, 0)
    dc = getitem(g, 1) + dh * o * (1.0 - squashed * squashed)
    delta = concatenate(dc, dc, dc, dh, axis=-1) * slopes
    flows = affine_flows(delta, delta, x, w_ih, (b_ih, b_hh)) | cell_flows(delta, h, w_hh)
    if type(c) not in NUMBERS:
        flows["c"] = dc * f
    return flows


def _cells(rng: np.random.Generator) -> list[Any]:
    def draw(*shape: int) -> Array:
        return rng.normal(size=shape)

    return [
        (draw(1, 2), draw(1, 1), draw(1, 1), draw(4, 2), draw(4, 1), draw(4), draw(4)),
        (draw(2, 3), draw(2, 2), draw(2, 2), draw(8, 3), draw(8, 2), draw(8), draw(8)),
        (draw(2), draw(1), draw(1), draw(4, 2), draw(4, 1), draw(4)),
        (draw(2, 1), draw(2, 2), 0.0, draw(8, 1), draw(8, 2)),
    ]


@primitive(
    joint=(lstm_cell_rule, ("x", "h", "c", "w_ih", "w_hh", "b_ih", "b_hh")),
    saves=(Saved("gates", "gates", r"\mathrm{gates}", lstm_cell_gates),),
    optional=_BIASES,
    formula=Formula(
        "lstm_cell({x}, {h}, {c})",
        r"\operatorname{{LSTM}}\left({x}, {h}, {c}\right)",
        symbol="LSTM",
    ),
    samples=_cells,
    parts=lstm_cell_parts,
    size=gates_size,
    parts_ulps=16,
    hint="x is (B, I), h and c are (B, H), w_ih is (4·H, I), w_hh is (4·H, H)",
    name="lstm_cell",
)
def _lstm_cell(
    x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array
) -> tuple[Array, dict[str, Array]]:
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997; torch.nn.LSTMCell).

    i, f, o = σ(W x + b + W' h + b'),  g = tanh(W x + b + W' h + b'), each with its own block of the weights
    c' = f · c + i · g,  h' = o · tanh(c')

    x: float (..., I). h, c: (..., H), or 0.0 for zeros. w_ih: (4·H, I), w_hh: (4·H, H), b_ih, b_hh: (4·H,), the blocks
    in the order i, f, g, o.  Returns: h' and c', packed as (2, ..., H).
    """
    lead = x.shape[:-1]
    check_layer(4, x, {"h": (h, lead), "c": (c, lead)}, w_ih, w_hh, b_ih, b_hh)
    gates = _gates(x, h, w_ih.T, w_hh.T, b_ih, b_hh)
    i, f, new, o = gates
    cell = f * c + i * new
    return np.stack([o * np.tanh(cell), cell]), {"gates": np.concatenate(gates, axis=-1)}


def lstm_cell(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any = 0.0, b_hh: Any = 0.0
) -> tuple[Any, Any]:
    """One step of a long short-term memory: the new state and the new cell, as torch.nn.LSTMCell.

    x: float (..., I). h, c: (..., H), or 0.0 for zeros. w_ih: (4·H, I), w_hh: (4·H, H), b_ih, b_hh: (4·H,).
    """
    packed = _lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh)
    return getitem(packed, 0), getitem(packed, 1)


# ----- the layer


def lstm_layer_parts(
    x: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = 0.0,
    b_hh: Any = 0.0,
    *,
    reverse: bool = False,
    truncate: int | None = None,
) -> Any:
    """The cell at every time step, and the states and cells stacked."""
    u, v = transpose(w_ih), transpose(w_hh)
    h, c = h0, c0
    states, cells = {}, {}
    for number, t in enumerate(order(x.shape[0], reverse)):
        with at_step(x, "lstm", t):
            if is_cut(number, truncate):
                h, c = detach(h), detach(c)
            h, c = _step_in_parts(getitem(x, t), h, c, u, v, b_ih, b_hh)
        states[t], cells[t] = h, c
    steps = range(x.shape[0])
    return stack(stack([states[t] for t in steps]), stack([cells[t] for t in steps]))


def lstm_layer_gates(
    x: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    reverse: bool,
    truncate: int | None,
) -> Any:
    """i, f, g, o of all steps at once, from the state before each."""
    time: Any = {"reverse": reverse, "truncate": truncate}
    states = getitem(_lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh, **time), 0)
    return lstm_cell_gates(x, earlier(states, h0, **time), c0, w_ih, w_hh, b_ih, b_hh)


def lstm_layer_rule(
    g: Any,
    out: Any,
    x: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    reverse: bool,
    truncate: int | None,
    gates: Any,
) -> dict[str, Any]:
    """Backpropagation through time: the cotangents of all sums before the gates, then one product for each weight."""
    time: Any = {"reverse": reverse, "truncate": truncate}
    size = w_hh.shape[1]
    i, f, new, o = (block(gates, number, size) for number in range(4))
    cells = getitem(out, 1)
    c, squashed = earlier(cells, c0, **time), tanh(cells)
    slopes = _slopes(i, f, new, o, c, squashed)
    gain = o * (1.0 - squashed * squashed)
    dh, dc = getitem(g, 0), getitem(g, 1)
    carried = back_through_time(dh, dc, slopes, f, gain, w_hh, outer=True, **time)
    delta = getitem(carried, (Ellipsis, slice(0, 4 * size)))
    flows = affine_flows(delta, delta, x, w_ih, (b_ih, b_hh))
    flows["w_hh"] = state_weight_flow(delta, getitem(out, 0), h0, w_hh, **time)
    first = order(x.shape[0], reverse)[0]
    if type(h0) not in NUMBERS:
        flows["h0"] = getitem(delta, first) @ w_hh
    if type(c0) not in NUMBERS:
        flows["c0"] = getitem(block(carried, 4, size), first) * getitem(f, first)
    return flows


def _layers(rng: np.random.Generator) -> list[Any]:
    def draw(*shape: int) -> Array:
        return rng.normal(size=shape)

    return [
        (draw(3, 1, 2), draw(1, 1), draw(1, 1), draw(4, 2), draw(4, 1), draw(4), draw(4)),
        (draw(2, 2, 2), draw(2, 2), draw(2, 2), draw(8, 2), draw(8, 2), draw(8), draw(8)),
        sample(draw(3, 2, 1), 0.0, 0.0, draw(4, 1), draw(4, 1), draw(4), 0.0, reverse=True),
        sample(draw(3, 2), draw(1), draw(1), draw(4, 2), draw(4, 1), truncate=3),
    ]


@primitive(
    joint=(lstm_layer_rule, ("x", "h0", "c0", "w_ih", "w_hh", "b_ih", "b_hh")),
    saves=(Saved("gates", "gates", r"\mathrm{gates}", lstm_layer_gates),),
    optional=_BIASES,
    formula=Formula(
        "lstm({x}, {h0}, {c0})",
        r"\operatorname{{LSTM}}\left({x}, {h0}, {c0}\right)",
        symbol="LSTM over t",
    ),
    samples=_layers,
    parts=lstm_layer_parts,
    size=gates_size,
    parts_ulps=64,
    hint="x is (T, B, I), h0 and c0 are (B, H), w_ih is (4·H, I), w_hh is (4·H, H)",
    name="lstm_layer",
)
def _lstm_layer(
    x: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    *,
    reverse: bool = False,
    truncate: int | None = None,
) -> tuple[Array, dict[str, Array]]:
    """A layer of long short-term memory over time: `lstm_cell` at every step, in one operation (torch.nn.LSTM).

    x: float (T, B, I) or (T, I). h0, c0: (B, H) or (H,), or 0.0 for zeros. w_ih: (4·H, I), w_hh: (4·H, H), b_ih, b_hh:
    (4·H,), the blocks in the order i, f, g, o. reverse: from the last time step to the first. truncate: no cotangent
    leaves a step whose number, counted from 0 in the order in which steps run, is a positive multiple of it.
    Returns: the states and the cells after each step, packed as (2, T, B, H).
    """
    lead = x.shape[1:-1]
    check_sequence(x, truncate)
    check_layer(4, x, {"h0": (h0, lead), "c0": (c0, lead)}, w_ih, w_hh, b_ih, b_hh)
    gates = input_sums(x, w_ih, b_ih, b_hh, w_hh, h0, c0)
    size = w_hh.shape[1]
    out = np.empty((2, *x.shape[:-1], size), dtype=gates.dtype)
    by_state = w_hh.T
    h, c = initial_state(h0, gates, w_hh), initial_state(c0, gates, w_hh)
    for t in order(len(x), reverse):
        now = gates[t]
        now += h.dot(by_state)
        new = np.tanh(now[..., 2 * size : 3 * size])
        sigmoid_in_place(now)
        now[..., 2 * size : 3 * size] = new
        new *= now[..., :size]
        cell, state = out[1, t], out[0, t]
        np.multiply(now[..., size : 2 * size], c, cell)
        cell += new
        np.tanh(cell, state)
        state *= now[..., 3 * size :]
        h, c = state, cell
    return out, {"gates": gates}


def lstm_layer(
    x: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = 0.0,
    b_hh: Any = 0.0,
    *,
    reverse: bool = False,
    truncate: int | None = None,
) -> tuple[Any, Any]:
    """A layer of long short-term memory over time: the states and the cells after each step, each (T, B, H).

    x: float (T, B, I) or (T, I). h0, c0: (B, H) or (H,), or 0.0 for zeros. w_ih: (4·H, I), w_hh: (4·H, H), b_ih, b_hh:
    (4·H,). reverse and truncate as in `rnn_layer`.
    """
    packed = _lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh, reverse=reverse, truncate=truncate)
    return getitem(packed, 0), getitem(packed, 1)
