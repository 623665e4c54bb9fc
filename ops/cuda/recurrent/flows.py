"""Recurrent layers on a device, backward: the loop against time, then products over all steps at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.recurrent.forward import GATES
from ops.cuda.recurrent.kernels import BACKWARD
from ops.cuda.recurrent.values import fit, loop_of, or_zeros, plan_of, sizes
from ops.devices.arrays import DeviceArray, array, empty
from ops.linalg import matmul
from ops.primitive import NUMBERS
from ops.reduce import sum as sum_of
from ops.shape import transpose


class Back(NamedTuple):
    """The cotangents of the sums of the state, of those of the input, and what reaches the first state or cell."""

    for_state: DeviceArray
    for_input: DeviceArray
    carried: DeviceArray


def _back(
    cell: str,
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    saved: Mapping[str, Any],
    *,
    reverse: bool,
    truncate: int | None,
) -> Back | None:
    """The loop against time."""
    x, h0, c0, _, w_hh, *_ = inputs
    if not fit(x, inputs[1:]) or not fit(g, (out,)) or g.shape != out.shape:
        return None
    count, people, hidden = sizes(x, w_hh)
    plan = plan_of(cell, people, hidden, x.dtype.itemsize, forward=False)
    if plan is None:
        return None
    device, dtype, time = x.device, x.dtype, (count, people, hidden)
    packed, above = out.reshape(-1, *time), g.reshape(-1, *time)
    states, cells = packed.rows(0, 1).reshape(time), packed.rows(-1 + len(packed), len(packed))
    g_state, g_cell = above.rows(0, 1).reshape(time), above.rows(len(above) - 1, len(above))
    for_state = empty(device, (count, people, GATES[cell] * hidden), dtype)
    for_input = empty(device, for_state.shape, dtype) if cell == "gru" else for_state
    carried = empty(device, (people, hidden), dtype)
    gates = saved["gates"].reshape(count, people, 4 * hidden) if saved else states
    arguments = [
        g_state.memory,
        g_cell.reshape(time).memory,
        states.memory,
        cells.reshape(time).memory,
        or_zeros(c0 if cell == "lstm" else h0, x, people, hidden).memory,
        gates.memory,
        w_hh.reshape(w_hh.size).memory,
        truncate or 0,
        int(reverse),
        for_state.memory,
        for_input.memory,
        carried.memory,
    ]
    device.launch(BACKWARD[loop_of(cell)], dtype, plan.launch, arguments, plan.options)
    return Back(for_state, for_input, carried)


def _flows(
    found: Back,
    states: DeviceArray,
    inputs: Sequence[Any],
    wanted: Mapping[str, bool],
    reverse: bool,
) -> dict[str, Any]:
    """The cotangents of x, h0, the weights and the biases: products and sums over all time steps at once.

    What is asked for of h0 lacks the part that a gate lets through.
    """
    x, h0, _, w_ih, w_hh, *_ = inputs
    count, people, _ = sizes(x, w_hh)
    first = count - 1 if reverse else 0
    width = w_hh.shape[0]
    by_input = found.for_input.reshape(count * people, width)
    start = found.for_state.rows(first, first + 1).reshape(people, width)
    flows: dict[str, Any] = {}
    if wanted["x"]:
        flows["x"] = matmul(by_input, w_ih).reshape(x.shape)
    if wanted["w_ih"]:
        flows["w_ih"] = matmul(transpose(by_input), x.reshape(count * people, x.shape[-1]))
    if wanted["w_hh"]:
        flows["w_hh"] = _state_weight_flow(found.for_state, states, h0, reverse)
    if wanted["b_ih"]:
        flows["b_ih"] = sum_of(by_input, axis=0)
    if wanted["b_hh"]:
        shared = found.for_state is found.for_input and wanted["b_ih"]
        by_state = found.for_state.reshape(count * people, width)
        flows["b_hh"] = flows["b_ih"] if shared else sum_of(by_state, axis=0)
    if wanted["h0"]:
        flows["h0"] = matmul(start, w_hh)
    return flows


def _state_weight_flow(
    for_state: DeviceArray, states: DeviceArray, h0: Any, reverse: bool
) -> DeviceArray:
    """The sum over time of deltaᵀ times the state that the step started from. Slices in time are not copied."""
    count, people, width = for_state.shape
    hidden = states.shape[-1]
    takers = for_state.rows(0, count - 1) if reverse else for_state.rows(1, count)
    givers = states.rows(1, count) if reverse else states.rows(0, count - 1)
    first = count - 1 if reverse else 0
    flow: Any = None
    if count > 1:
        steps = (count - 1) * people
        flow = matmul(transpose(takers.reshape(steps, width)), givers.reshape(steps, hidden))
    if type(h0) not in NUMBERS:
        start = for_state.rows(first, first + 1).reshape(people, width)
        more = matmul(transpose(start), h0.reshape(people, hidden))
        flow = more if flow is None else flow + more
    if flow is None:
        flow = array(states.device, np.zeros((width, hidden), states.dtype))
    found: DeviceArray = flow
    return found


_NAMES = ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh")
_LSTM_NAMES = ("x", "h0", "c0", "w_ih", "w_hh", "b_ih", "b_hh")


def rnn_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The flows of all wanted inputs of a plain layer."""
    time = {name: params[name] for name in ("reverse", "truncate")}
    return _pull(params["nonlinearity"], g, out, inputs, wanted, time, saved)


def gated_pull(cell: str) -> Callable[..., list[Any] | None]:
    """What computes the flows of all wanted inputs of a layer of gated cells."""

    def pull(
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> list[Any] | None:
        return _pull(cell, g, out, inputs, wanted, params, saved)

    return pull


def _pull(
    cell: str,
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    time: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    names = _LSTM_NAMES if cell == "lstm" else _NAMES
    asked = dict(zip(names, wanted, strict=True))
    every = inputs if cell == "lstm" else (*inputs[:2], 0.0, *inputs[2:])
    found = _back(cell, g, out, every, saved, **time)
    if found is None:
        return None
    x, w_hh = every[0], every[4]
    shape = sizes(x, w_hh)
    states = out.reshape(-1, *shape).rows(0, 1).reshape(shape)
    flows = _flows(found, states, every, asked, time["reverse"])
    if cell == "lstm":
        flows["c0"] = found.carried
    elif cell == "gru" and asked["h0"]:
        flows["h0"] = flows["h0"] + found.carried
    shapes = dict(zip(names, inputs, strict=True))
    return [flows[name].reshape(shapes[name].shape) if asked[name] else None for name in names]
