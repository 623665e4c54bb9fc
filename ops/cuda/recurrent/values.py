"""Recurrent layers on a device, forward: the input sums of all steps in one product, then the loop over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import Launch
from ops.cuda.recurrent.forward import GATES
from ops.cuda.recurrent.kernels import FORWARD
from ops.devices.arrays import DeviceArray, array, empty
from ops.gru_cells import gru_cell_gates, gru_layer_parts
from ops.linalg import matmul
from ops.lstm_cells import lstm_cell_gates, lstm_layer_parts
from ops.primitive import NUMBERS
from ops.recurrent import check_nonlinearity
from ops.shape import getitem, transpose
from ops.timesteps import check_layer, check_sequence, earlier

SHARED = 48 * 1024
"""Bytes of shared memory that every device gives a block."""
PROCESSORS = 132
"""Multiprocessors of a large GPU: more rows of the batch than that share a block."""
NEAR = 192 * 1024
"""Bytes of weights that the cache next to a multiprocessor holds from one step to the next."""
STREAMS = 45
"""How many multiprocessors that stream weights at once take all that the second cache gives, 5.5 of 0.12 TB/s each."""


class Plan(NamedTuple):
    """How a loop over time is launched, by shapes and dtype alone."""

    launch: Launch
    options: dict[str, Any]


def plan_of(cell: str, people: int, hidden: int, itemsize: int, forward: bool) -> Plan | None:
    """The plan of a loop, with fewer rows to a block if the states of more do not fit; None if not even one fits."""
    rows, columns = hidden, GATES[cell] * hidden
    if not forward:
        rows, columns = columns, rows
    quads = -(-columns // 4)
    kept = kept_rows(rows, columns, itemsize)
    near = kept == 0 or (kept is not None and people <= PROCESSORS)
    blocks = PROCESSORS if near else STREAMS
    batch = 1 if people <= blocks else 2 if people <= 2 * blocks else 4
    while batch:
        most = 512 if itemsize == 4 and batch < 4 else 256  # that there are registers for
        for lanes in range(most, 0, -256):
            stretches = max(1, min(lanes // quads, rows // 8))
            held = rows + stretches * columns
            held += hidden if cell == "lstm" or (cell == "gru" and not forward) else 0
            if batch * held * itemsize <= SHARED:
                threads = min(lanes, 32 * -(-quads * stretches // 32))
                own = {"cell": cell, "hidden": hidden, "batch": batch, "stretches": stretches}
                if kept and batch == 1 and stretches * quads <= threads:
                    own["held"] = kept
                return Plan(Launch(-(-people // batch), threads), own)
        batch //= 2
    return None


def kept_rows(rows: int, columns: int, itemsize: int) -> int | None:
    """How many rows of its stretch a lane of 512 keeps, so that the cache next to a multiprocessor holds the others.

    None where that would be too many for its registers.

    >>> kept_rows(192, 192, 4), kept_rows(256, 256, 4), kept_rows(512, 512, 4), kept_rows(256, 256, 8)
    (0, 8, None, None)
    """
    stretches = min(512 * 4 // columns, rows // 8) if columns % 4 == 0 else 0
    for kept in (0, 4, 8):
        if kept and (itemsize > 4 or not stretches or rows % stretches or kept * stretches > rows):
            return None
        if (rows - kept * stretches) * columns * itemsize <= NEAR:
            return kept
    return None


def fit(x: Any, others: Sequence[Any]) -> bool:
    """A sequence on a device, nothing empty, everything in one float type; of what may be left out, numbers."""
    if type(x) is not DeviceArray or x.dtype.char not in "fd" or not x.size:
        return False
    given = [y for y in others if type(y) not in NUMBERS]
    return all(type(y) is DeviceArray and y.dtype == x.dtype and y.size for y in given)


def or_zeros(y: Any, like: DeviceArray, *shape: int) -> DeviceArray:
    """A bias or an initial state in that shape; zeros for a number, which is 0.0."""
    if type(y) in NUMBERS:
        return array(like.device, np.zeros(shape, like.dtype))
    found: DeviceArray = y.reshape(*shape)
    return found


def sizes(x: DeviceArray, w_hh: DeviceArray) -> tuple[int, int, int]:
    """T, B and H."""
    return x.shape[0], x.shape[1] if x.ndim == 3 else 1, w_hh.shape[1]


# ----- forward


class Ahead(NamedTuple):
    """What a layer gives: states in the first half of `out` or in all of it, gates."""

    out: DeviceArray
    gates: DeviceArray


def _ahead(
    cell: str, inputs: Sequence[Any], *, reverse: bool, truncate: int | None, cells: bool = False
) -> Ahead | None:
    """The layer over time; `cells`: states and cells packed as (2, T, B, H)."""
    x, h0, c0, w_ih, w_hh, b_ih, b_hh = inputs
    if not fit(x, inputs[1:]):
        return None
    check_sequence(x, truncate)
    lead = x.shape[1:-1]
    initial = {"h0": (h0, lead), "c0": (c0, lead)} if cells else {"h0": (h0, lead)}
    check_layer(GATES[cell], x, initial, w_ih, w_hh, b_ih, b_hh)
    count, people, hidden = sizes(x, w_hh)
    plan = plan_of(cell, people, hidden, x.dtype.itemsize, forward=True)
    if plan is None:
        return None
    device, dtype, width = x.device, x.dtype, GATES[cell] * hidden
    sums = matmul(x.reshape(count * people, x.shape[-1]), transpose(w_ih))
    packed = empty(device, (1 + cells, count, people, hidden), dtype)
    states = packed.rows(0, 1).reshape(count, people, hidden)
    kept = packed.rows(1, 2).reshape(count, people, hidden) if cells else states
    has_gates = cell in ("gru", "lstm")
    gates = empty(device, (count, people, 4 * hidden), dtype) if has_gates else states
    arguments = [
        sums.reshape(count, people, width).memory,
        or_zeros(b_ih, x, width).memory,
        or_zeros(b_hh, x, width).memory,
        or_zeros(h0, x, people, hidden).memory,
        or_zeros(c0, x, people, hidden).memory,
        transpose(w_hh).reshape(w_hh.size).memory,
        int(reverse),
        states.memory,
        kept.memory,
        gates.memory,
    ]
    device.launch(FORWARD[loop_of(cell)], dtype, plan.launch, arguments, plan.options)
    shape = (count, *lead, hidden)
    out = packed.reshape(2, *shape) if cells else states.reshape(shape)
    return Ahead(out, gates.reshape(count, *lead, gates.shape[-1]))


def loop_of(cell: str) -> str:
    """The kernel of a cell by name: one does both activations of the plain cell."""
    return "tanh" if cell == "relu" else cell


def rnn_value(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *, nonlinearity: str, **time: Any
) -> DeviceArray | None:
    """The states after each step of a plain layer."""
    check_nonlinearity(nonlinearity)
    found = _ahead(nonlinearity, (x, h0, 0.0, w_ih, w_hh, b_ih, b_hh), **time)
    return None if found is None else found.out


def gru_value(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, **time: Any
) -> tuple[Any, dict[str, Any]]:
    """The states after each step, and the gates; of parts where there is no kernel.

    The parts run here, since the definition of the gates asks the layer for its states.
    """
    found = _ahead("gru", (x, h0, 0.0, w_ih, w_hh, b_ih, b_hh), **time)
    if found is not None:
        return found.out, {"gates": found.gates}
    check_sequence(x, time["truncate"])
    check_layer(3, x, {"h0": (h0, x.shape[1:-1])}, w_ih, w_hh, b_ih, b_hh)
    states = gru_layer_parts(x, h0, w_ih, w_hh, b_ih, b_hh, **time)
    before = earlier(states, h0, **time)
    return states, {"gates": gru_cell_gates(x, before, w_ih, w_hh, b_ih, b_hh)}


def lstm_value(
    x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, **time: Any
) -> tuple[Any, dict[str, Any]]:
    """States and cells after each step, packed, and the gates; of parts where there is no kernel."""
    found = _ahead("lstm", (x, h0, c0, w_ih, w_hh, b_ih, b_hh), cells=True, **time)
    if found is not None:
        return found.out, {"gates": found.gates}
    lead = x.shape[1:-1]
    check_sequence(x, time["truncate"])
    check_layer(4, x, {"h0": (h0, lead), "c0": (c0, lead)}, w_ih, w_hh, b_ih, b_hh)
    packed = lstm_layer_parts(x, h0, c0, w_ih, w_hh, b_ih, b_hh, **time)
    before = earlier(getitem(packed, 0), h0, **time)
    return packed, {"gates": lstm_cell_gates(x, before, c0, w_ih, w_hh, b_ih, b_hh)}
