"""The plain recurrent network: a cell, and one layer over time. Weights are laid out as PyTorch's, time is first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.activations import relu, tanh
from ops.declaring import primitive
from ops.elementwise import detach, where
from ops.formula import Formula
from ops.primitive import NUMBERS, Array, sample
from ops.recurrence import back_through_time
from ops.shape import getitem, stack, transpose
from ops.timesteps import (
    affine_flows,
    at_step,
    cell_flows,
    check_layer,
    check_sequence,
    gate_sums,
    gates_size,
    initial_state,
    input_sums,
    is_cut,
    order,
    state_weight_flow,
)

_BIASES = {"b_ih": 0.0, "b_hh": 0.0}
_INPUTS = ("x", "h", "w_ih", "w_hh", "b_ih", "b_hh")


# ----- the cell


def _step_in_parts(x: Any, h: Any, u: Any, v: Any, b_ih: Any, b_hh: Any, nonlinearity: str) -> Any:
    z = gate_sums(x, h, u, v, b_ih, b_hh)
    return tanh(z) if nonlinearity == "tanh" else relu(z)


def rnn_cell_parts(
    x: Any,
    h: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = 0.0,
    b_hh: Any = 0.0,
    *,
    nonlinearity: str = "tanh",
) -> Any:
    """Both products, their sum, the activation."""
    check_layer(1, x, {"h": (h, x.shape[:-1])}, w_ih, w_hh, b_ih, b_hh)
    return _step_in_parts(x, h, transpose(w_ih), transpose(w_hh), b_ih, b_hh, nonlinearity)


def slope(out: Any, nonlinearity: str) -> Any:
    """The derivative of the activation, from its result: 1 − tanh², or 1 where relu let through."""
    return 1.0 - out * out if nonlinearity == "tanh" else where(out <= 0, 0 * out, 1)


def rnn_cell_rule(
    g: Any,
    out: Any,
    x: Any,
    h: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    nonlinearity: str,
) -> dict[str, Any]:
    """The cotangent of z = x w_ihᵀ + h w_hhᵀ + b, and what its products send on."""
    dz = g * slope(out, nonlinearity)
    flows = affine_flows(dz, dz, x, w_ih, (b_ih, b_hh))
    return flows | cell_flows(dz, h, w_hh)


def check_nonlinearity(nonlinearity: str) -> None:
    """Refuse an activation that there is not. Raises `ValueError`."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity={nonlinearity!r}, but there are 'tanh' and 'relu'")


def _cells(rng: np.random.Generator) -> list[Any]:
    def draw(*shape: int) -> Array:
        return rng.normal(size=shape)

    return [
        (draw(1, 2), draw(1, 1), draw(1, 2), draw(1, 1), draw(1), draw(1)),
        (draw(2, 3), draw(2, 2), draw(2, 3), draw(2, 2), draw(2), draw(2)),
        sample(draw(2), draw(3), draw(3, 2), draw(3, 3), draw(3), nonlinearity="relu"),
        (draw(3, 1), draw(3, 2), draw(2, 1), draw(2, 2)),
    ]


@primitive(
    joint=(rnn_cell_rule, _INPUTS),
    optional=_BIASES,
    formula=Formula(
        "rnn_cell({x}, {h})", r"\operatorname{{RNN}}\left({x}, {h}\right)", symbol="RNN"
    ),
    samples=_cells,
    parts=rnn_cell_parts,
    size=gates_size,
    parts_ulps=16,
    hint="x is (B, I), h is (B, H), w_ih is (H, I), w_hh is (H, H)",
)
def rnn_cell(
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    *,
    nonlinearity: str = "tanh",
) -> Array:
    """One step of a plain recurrent network (Elman 1990; torch.nn.RNNCell).

    h' = tanh(x w_ihᵀ + b_ih + h w_hhᵀ + b_hh)        so with dz = g · (1 − h'²):  dh = dz w_hh,  dw_hh = dzᵀ h

    x: float (..., I). h: (..., H), or 0.0 for zeros. w_ih: (H, I). w_hh: (H, H). b_ih, b_hh: (H,).
    nonlinearity: "tanh" or "relu", whose rule returns 0 at the kink.  Returns: (..., H).
    """
    check_nonlinearity(nonlinearity)
    check_layer(1, x, {"h": (h, x.shape[:-1])}, w_ih, w_hh, b_ih, b_hh)
    z = gate_sums(x, h, w_ih.T, w_hh.T, b_ih, b_hh)
    return np.tanh(z) if nonlinearity == "tanh" else np.maximum(z, 0)


# ----- the layer


def rnn_layer_parts(
    x: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = 0.0,
    b_hh: Any = 0.0,
    *,
    nonlinearity: str = "tanh",
    reverse: bool = False,
    truncate: int | None = None,
) -> Any:
    """The cell at every time step, and the states stacked."""
    u, v = transpose(w_ih), transpose(w_hh)
    h, states = h0, {}
    for number, t in enumerate(order(x.shape[0], reverse)):
        with at_step(x, "rnn", t):
            if is_cut(number, truncate):
                h = detach(h)
            h = _step_in_parts(getitem(x, t), h, u, v, b_ih, b_hh, nonlinearity)
        states[t] = h
    return stack([states[t] for t in range(x.shape[0])])


def rnn_layer_rule(
    g: Any,
    out: Any,
    x: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    nonlinearity: str,
    reverse: bool,
    truncate: int | None,
) -> dict[str, Any]:
    """Backpropagation through time: the cotangents of all z, then one product for each weight."""
    time: Any = {"reverse": reverse, "truncate": truncate}
    dz = back_through_time(g, 0.0, slope(out, nonlinearity), 0.0, 1.0, w_hh, **time)
    flows = affine_flows(dz, dz, x, w_ih, (b_ih, b_hh))
    flows["w_hh"] = state_weight_flow(dz, out, h0, w_hh, **time)
    if type(h0) not in NUMBERS:
        flows["h0"] = getitem(dz, order(x.shape[0], reverse)[0]) @ w_hh
    return flows


def _layers(rng: np.random.Generator) -> list[Any]:
    def draw(*shape: int) -> Array:
        return rng.normal(size=shape)

    return [
        (draw(3, 1, 2), draw(1, 1), draw(1, 2), draw(1, 1), draw(1), draw(1)),
        (draw(2, 2, 2), draw(2, 2), draw(2, 2), draw(2, 2), draw(2), draw(2)),
        sample(draw(3, 2, 1), 0.0, draw(2, 1), draw(2, 2), draw(2), 0.0, reverse=True),
        sample(
            draw(3, 2), draw(2), draw(2, 2), draw(2, 2), draw(2), nonlinearity="relu", truncate=3
        ),
        (draw(1, 1, 1), draw(1, 2), draw(2, 1), draw(2, 2)),
    ]


@primitive(
    joint=(rnn_layer_rule, ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh")),
    optional=_BIASES,
    formula=Formula(
        "rnn({x}, {h0})", r"\operatorname{{RNN}}\left({x}, {h0}\right)", symbol="RNN over t"
    ),
    samples=_layers,
    parts=rnn_layer_parts,
    size=gates_size,
    parts_ulps=64,
    hint="x is (T, B, I), h0 is (B, H), w_ih is (H, I), w_hh is (H, H)",
)
def rnn_layer(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    *,
    nonlinearity: str = "tanh",
    reverse: bool = False,
    truncate: int | None = None,
) -> Array:
    """A plain recurrent layer over time: `rnn_cell` at every step, in one operation (torch.nn.RNN, one layer).

    hₜ = tanh(xₜ w_ihᵀ + b_ih + hₜ₋₁ w_hhᵀ + b_hh)

    x: float (T, B, I) or (T, I). h0: (B, H) or (H,), or 0.0 for zeros. w_ih: (H, I). w_hh: (H, H). b_ih, b_hh: (H,).
    reverse: from the last time step to the first. truncate: no cotangent leaves a step whose number, counted from 0 in
    the order in which steps run, is a positive multiple of it.  Returns: the state after each step, (T, B, H).
    """
    check_nonlinearity(nonlinearity)
    check_sequence(x, truncate)
    check_layer(1, x, {"h0": (h0, x.shape[1:-1])}, w_ih, w_hh, b_ih, b_hh)
    states = input_sums(x, w_ih, b_ih, b_hh, w_hh, h0)
    by_state = w_hh.T
    h = initial_state(h0, states, w_hh)
    for t in order(len(x), reverse):
        z = states[t]
        z += h.dot(by_state)
        h = np.tanh(z, out=z) if nonlinearity == "tanh" else np.maximum(z, 0, out=z)
    return states
