"""The gated recurrent unit (Cho et al. 2014, in PyTorch's form): a cell, and one layer over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.activations import sigmoid, tanh
from ops.declaring import primitive
from ops.elementwise import detach, where
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
    gates_size,
    half_sum,
    initial_state,
    input_sums,
    is_cut,
    order,
    rows,
    sigmoid_in_place,
)

_BIASES = {"b_ih": 0.0, "b_hh": 0.0}


def _gates(x: Any, h: Any, u: Any, v: Any, b_ih: Any, b_hh: Any) -> tuple[Any, Any, Any, Any]:
    """r, z, n, and what the state offers to n before r lets it through."""
    by_input, by_state = half_sum(x, u, b_ih), half_sum(h, v, b_hh)
    if (
        type(h) in NUMBERS
    ):  # a bias alone, or nothing, has not the shape that its blocks are cut from
        by_state = where(False, by_input, 0) + by_state
    size = by_input.shape[-1] // 3
    r = sigmoid(block(by_input, 0, size) + block(by_state, 0, size))
    z = sigmoid(block(by_input, 1, size) + block(by_state, 1, size))
    offer = block(by_state, 2, size)
    n = tanh(block(by_input, 2, size) + r * offer)
    return r, z, n, offer


def _step_in_parts(x: Any, h: Any, u: Any, v: Any, b_ih: Any, b_hh: Any) -> Any:
    _, z, n, _ = _gates(x, h, u, v, b_ih, b_hh)
    return (1 - z) * n if type(h) in NUMBERS else (1 - z) * n + z * h


def _slopes(r: Any, z: Any, n: Any, offer: Any, h: Any) -> tuple[Any, Any, Any]:
    """∂h' by the sums in front of r, z and n; h: the state before. By the offer it is that by n, times r."""
    by_n = (1.0 - z) * (1.0 - n * n)
    return by_n * offer * (r * (1.0 - r)), (h - n) * (z * (1.0 - z)), by_n


# ----- the cell


def gru_cell_parts(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = 0.0, b_hh: Any = 0.0) -> Any:
    """Both products, the gates, and the mean of new and old state that the update gate weighs."""
    check_layer(3, x, {"h": (h, x.shape[:-1])}, w_ih, w_hh, b_ih, b_hh)
    return _step_in_parts(x, h, transpose(w_ih), transpose(w_hh), b_ih, b_hh)


def gru_cell_gates(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """r, z, n and W_hn h + b_hn, side by side."""
    gates = _gates(x, h, transpose(w_ih), transpose(w_hh), b_ih, b_hh)
    return concatenate(list(gates), axis=-1)


def gru_cell_rule(
    g: Any,
    out: Any,
    x: Any,
    h: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    gates: Any,
) -> dict[str, Any]:
    """The cotangents of the sums in front of the gates, and what their products send on."""
    size = w_hh.shape[1]
    r, z, n, offer = (block(gates, number, size) for number in range(4))
    by_r, by_z, by_n = _slopes(r, z, n, offer, h)
    dr, dz, dn = g * by_r, g * by_z, g * by_n
    for_input = concatenate(dr, dz, dn, axis=-1)
    for_state = concatenate(dr, dz, dn * r, axis=-1)
    flows = affine_flows(for_input, for_state, x, w_ih, (b_ih, b_hh)) | cell_flows(
        for_state, h, w_hh
    )
    if type(h) not in NUMBERS:
        flows["h"] = flows["h"] + g * z
    return flows


def _cells(rng: np.random.Generator) -> list[Any]:
    def draw(*shape: int) -> Array:
        return rng.normal(size=shape)

    return [
        (draw(1, 2), draw(1, 1), draw(3, 2), draw(3, 1), draw(3), draw(3)),
        (draw(2, 3), draw(2, 2), draw(6, 3), draw(6, 2), draw(6), draw(6)),
        (draw(2), draw(1), draw(3, 2), draw(3, 1), draw(3)),
        (draw(2, 1), draw(2, 2), draw(6, 1), draw(6, 2)),
    ]


@primitive(
    joint=(gru_cell_rule, ("x", "h", "w_ih", "w_hh", "b_ih", "b_hh")),
    saves=(Saved("gates", "gates", r"\mathrm{gates}", gru_cell_gates),),
    optional=_BIASES,
    formula=Formula(
        "gru_cell({x}, {h})", r"\operatorname{{GRU}}\left({x}, {h}\right)", symbol="GRU"
    ),
    samples=_cells,
    parts=gru_cell_parts,
    size=gates_size,
    parts_ulps=16,
    hint="x is (B, I), h is (B, H), w_ih is (3·H, I), w_hh is (3·H, H)",
)
def gru_cell(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array
) -> tuple[Array, dict[str, Array]]:
    """One step of a gated recurrent unit (Cho et al. 2014; torch.nn.GRUCell).

    r = σ(W_ir x + b_ir + W_hr h + b_hr),  z = σ(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r · (W_hn h + b_hn)),  h' = (1 − z) · n + z · h

    x: float (..., I). h: (..., H), or 0.0 for zeros. w_ih: (3·H, I), w_hh: (3·H, H), b_ih, b_hh: (3·H,), the blocks in
    the order r, z, n.  Returns: (..., H).
    """
    check_layer(3, x, {"h": (h, x.shape[:-1])}, w_ih, w_hh, b_ih, b_hh)
    gates = _gates(x, h, w_ih.T, w_hh.T, b_ih, b_hh)
    _, z, n, _ = gates
    return (1 - z) * n + z * h, {"gates": np.concatenate(gates, axis=-1)}


# ----- the layer


def gru_layer_parts(
    x: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = 0.0,
    b_hh: Any = 0.0,
    *,
    reverse: bool = False,
    truncate: int | None = None,
) -> Any:
    """The cell at every time step, and the states stacked."""
    u, v = transpose(w_ih), transpose(w_hh)
    h, states = h0, {}
    for number, t in enumerate(order(x.shape[0], reverse)):
        with at_step(x, "gru", t):
            if is_cut(number, truncate):
                h = detach(h)
            h = _step_in_parts(getitem(x, t), h, u, v, b_ih, b_hh)
        states[t] = h
    return stack([states[t] for t in range(x.shape[0])])


def gru_layer_gates(
    x: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    reverse: bool,
    truncate: int | None,
) -> Any:
    """r, z, n and W_hn h + b_hn of all steps at once, from the state before each."""
    time: Any = {"reverse": reverse, "truncate": truncate}
    states = gru_layer(x, h0, w_ih, w_hh, b_ih, b_hh, **time)
    return gru_cell_gates(x, earlier(states, h0, **time), w_ih, w_hh, b_ih, b_hh)


def gru_layer_rule(
    g: Any,
    out: Any,
    x: Any,
    h0: Any,
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
    h = earlier(out, h0, **time)
    r, z, n, offer = (block(gates, number, size) for number in range(4))
    by_r, by_z, by_n = _slopes(r, z, n, offer, h)
    slopes = concatenate(by_r, by_z, by_n * r, axis=-1)
    carried = back_through_time(g, 0.0, slopes, z, 1.0, w_hh, **time)
    dh = block(carried, 3, size)
    for_state = getitem(carried, (Ellipsis, slice(0, 3 * size)))
    shared = getitem(carried, (Ellipsis, slice(0, 2 * size)))
    for_input = concatenate(shared, dh * by_n, axis=-1)
    flows = affine_flows(for_input, for_state, x, w_ih, (b_ih, b_hh))
    flows["w_hh"] = rows(for_state).T @ rows(h)
    if type(h0) not in NUMBERS:
        first = order(x.shape[0], reverse)[0]
        kept = getitem(dh, first) * getitem(z, first)
        flows["h0"] = getitem(for_state, first) @ w_hh + kept
    return flows


def _layers(rng: np.random.Generator) -> list[Any]:
    def draw(*shape: int) -> Array:
        return rng.normal(size=shape)

    return [
        (draw(3, 1, 2), draw(1, 1), draw(3, 2), draw(3, 1), draw(3), draw(3)),
        (draw(2, 2, 2), draw(2, 2), draw(6, 2), draw(6, 2), draw(6), draw(6)),
        sample(draw(3, 2, 1), 0.0, draw(3, 1), draw(3, 1), draw(3), 0.0, reverse=True),
        sample(draw(3, 2), draw(1), draw(3, 2), draw(3, 1), draw(3), truncate=3),
    ]


@primitive(
    joint=(gru_layer_rule, ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh")),
    saves=(Saved("gates", "gates", r"\mathrm{gates}", gru_layer_gates),),
    optional=_BIASES,
    formula=Formula(
        "gru({x}, {h0})", r"\operatorname{{GRU}}\left({x}, {h0}\right)", symbol="GRU over t"
    ),
    samples=_layers,
    parts=gru_layer_parts,
    size=gates_size,
    parts_ulps=64,
    hint="x is (T, B, I), h0 is (B, H), w_ih is (3·H, I), w_hh is (3·H, H)",
)
def gru_layer(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    *,
    reverse: bool = False,
    truncate: int | None = None,
) -> tuple[Array, dict[str, Array]]:
    """A layer of gated recurrent units over time: `gru_cell` at every step, in one operation (torch.nn.GRU).

    x: float (T, B, I) or (T, I). h0: (B, H) or (H,), or 0.0 for zeros. w_ih: (3·H, I), w_hh: (3·H, H), b_ih, b_hh:
    (3·H,), the blocks in the order r, z, n. reverse: from the last time step to the first. truncate: no cotangent
    leaves a step whose number, counted from 0 in the order in which steps run, is a positive multiple of it.
    Returns: the state after each step, (T, B, H).
    """
    check_sequence(x, truncate)
    check_layer(3, x, {"h0": (h0, x.shape[1:-1])}, w_ih, w_hh, b_ih, b_hh)
    sums = input_sums(x, w_ih, b_ih, 0.0, w_hh, h0)
    size = w_hh.shape[1]
    states = np.empty((*x.shape[:-1], size), dtype=sums.dtype)
    gates = np.empty((*x.shape[:-1], 4 * size), dtype=sums.dtype)
    by_state = w_hh.T
    h = initial_state(h0, sums, w_hh)
    for t in order(len(x), reverse):
        offered = h.dot(by_state)
        if type(b_hh) not in NUMBERS:
            offered += b_hh
        now = gates[t]
        opened, z, n = now[..., : 2 * size], now[..., size : 2 * size], now[..., 2 * size : -size]
        np.add(sums[t][..., : 2 * size], offered[..., : 2 * size], opened)
        sigmoid_in_place(opened)
        now[..., -size:] = offered[..., 2 * size :]
        np.multiply(now[..., :size], now[..., -size:], n)
        n += sums[t][..., 2 * size :]
        np.tanh(n, n)
        state = states[t]
        np.subtract(1, z, state)
        state *= n
        state += z * h
        h = state
    return states, {"gates": gates}
