"""What the loops over time are tried on: short sequences, odd sizes, both directions, truncation, rows to spare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import Trial
from ops.cuda.recurrent.forward import GATES

Array = Any


class Case(NamedTuple):
    """The sizes of one trial."""

    steps: int
    people: int
    hidden: int
    stretches: int
    batch: int
    backwards: bool
    truncate: int
    held: int = 0

    def __str__(self) -> str:
        way = ", backwards" if self.backwards else ""
        cut = f", cut every {self.truncate}" if self.truncate else ""
        return f"T = {self.steps}, B = {self.people}, H = {self.hidden}{way}{cut}"


CASES = (
    Case(1, 1, 1, 1, 1, False, 0),
    Case(0, 2, 3, 1, 1, False, 0),
    Case(4, 3, 5, 2, 2, True, 3),
    Case(3, 2, 6, 1, 1, False, 1),
    Case(2, 1, 33, 4, 1, False, 0, 4),
    Case(2, 1, 31, 4, 1, True, 2),
    Case(1, 5, 4, 2, 4, False, 0),
    Case(2, 3, 17, 1, 2, True, 0, 8),
)


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _unwritten(*shape: int, T: Any) -> Array:
    return np.full(shape, np.nan, T)


def _split(z: Array, hidden: int) -> list[Array]:
    return [z[..., k : k + hidden] for k in range(0, z.shape[-1], hidden)]


def _order(case: Case) -> list[int]:
    return list(range(case.steps))[:: -1 if case.backwards else 1]


def _ahead(
    cell: str, case: Case, sums: Array, b_ih: Array, b_hh: Array, h: Array, c: Array, v: Array
) -> tuple[Array, Array, Array]:
    """States, cells and gates in float64."""
    states = np.zeros((case.steps, case.people, case.hidden))
    cells, gates = np.zeros_like(states), np.zeros((case.steps, case.people, 4 * case.hidden))
    for t in _order(case):
        given, offered = sums[t] + b_ih, h @ v + b_hh
        if cell == "gru":
            (r, z, n), (by_r, by_z, by_n) = (_split(each, case.hidden) for each in (given, offered))
            r, z = _sigmoid(r + by_r), _sigmoid(z + by_z)
            n = np.tanh(n + r * by_n)
            h = (1 - z) * n + z * h
            gates[t] = np.concatenate([r, z, n, by_n], -1)
        elif cell == "lstm":
            i, f, n, o = _split(given + offered, case.hidden)
            i, f, n, o = _sigmoid(i), _sigmoid(f), np.tanh(n), _sigmoid(o)
            c = f * c + i * n
            h = o * np.tanh(c)
            gates[t] = np.concatenate([i, f, n, o], -1)
        else:
            h = np.tanh(given + offered) if cell == "tanh" else np.maximum(given + offered, 0)
        states[t], cells[t] = h, c
    return states, cells, gates


def forward(cell: str) -> Callable[[np.random.Generator, Any], Iterator[Trial]]:
    """The trials of the forward loop of a cell; of `tanh`, those of `relu` too."""

    def trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
        for number, case in enumerate(CASES):
            kind = "relu" if cell == "tanh" and number % 3 == 2 else cell
            width = GATES[kind] * case.hidden
            shapes = (
                (case.steps, case.people, width),
                (width,),
                (width,),
                (case.people, case.hidden),
                (case.people, case.hidden),
                (case.hidden, width),
            )
            given = [(0.5 * rng.normal(size=shape)).astype(T) for shape in shapes]
            exact = [x.astype(np.float64) for x in given]
            states, cells, gates = _ahead(kind, case, *exact)
            expected = {7: states}
            if kind in ("gru", "lstm"):
                expected[9] = gates
            if kind == "lstm":
                expected[8] = cells
            written = [_unwritten(*each.shape, T=T) for each in (states, cells, gates)]
            options = {
                "cell": kind,
                "batch": case.batch,
                "hidden": case.hidden,
                "stretches": case.stretches,
                "held": case.held,
            }
            yield Trial(
                (*given[:-1], given[-1].ravel(), int(case.backwards), *written),
                expected,
                options,
                f"{kind}, {case}",
            )

    return trials


def _back(
    cell: str,
    case: Case,
    g: Array,
    g_cell: Array,
    states: Array,
    cells: Array,
    start: Array,
    gates: Array,
    w: Array,
) -> tuple[Array, Array, Array]:
    """For_state, for_input and carried in float64: the loop of `ops.recurrence`, written out for each cell."""
    for_state = np.zeros((case.steps, case.people, len(w)))
    for_input = np.zeros_like(for_state)
    back, kept = np.zeros((2, case.people, case.hidden))
    order = _order(case)
    for number in range(case.steps - 1, -1, -1):
        t = order[number]
        dh = g[t] + back
        if cell == "gru":
            before = states[order[number - 1]] if number else start
            r, z, n, offer = _split(gates[t], case.hidden)
            dn = dh * (1 - z) * (1 - n * n)
            both = [dn * offer * r * (1 - r), dh * (before - n) * z * (1 - z)]
            for_state[t] = np.concatenate([*both, dn * r], -1)
            for_input[t] = np.concatenate([*both, dn], -1)
            kept = dh * z
        elif cell == "lstm":
            before = cells[order[number - 1]] if number else start
            i, f, n, o = _split(gates[t], case.hidden)
            squashed = np.tanh(cells[t])
            dc = g_cell[t] + kept + dh * o * (1 - squashed**2)
            kept = dc * f
            by_gate = [dc * n * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - n * n)]
            for_state[t] = np.concatenate([*by_gate, dh * squashed * o * (1 - o)], -1)
        else:
            h = states[t]
            for_state[t] = dh * (1 - h * h) if cell == "tanh" else np.where(h <= 0, 0, dh)
        carried = kept
        back = for_state[t] @ w + (kept if cell == "gru" else 0)
        if case.truncate and number and number % case.truncate == 0:
            back, kept = np.zeros((2, case.people, case.hidden))
    return for_state, for_input, carried if case.steps else kept


def backward(cell: str) -> Callable[[np.random.Generator, Any], Iterator[Trial]]:
    """The trials of the backward loop of a cell; of `tanh`, those of `relu` too."""

    def trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
        for number, case in enumerate(CASES):
            if not case.steps:  # a layer has at least one step, whose cotangents these are
                continue
            kind = "relu" if cell == "tanh" and number % 3 == 2 else cell
            width = GATES[kind] * case.hidden
            time = (case.steps, case.people, case.hidden)
            shapes = (
                time,
                time,
                time,
                time,
                time[1:],
                (*time[:2], 4 * case.hidden),
                (width, case.hidden),
            )
            given = [rng.uniform(-0.9, 0.9, size=shape).astype(T) for shape in shapes]
            exact = [x.astype(np.float64) for x in given]
            found = _back(kind, case, *exact)
            expected = {9: found[0]}
            if kind in ("gru", "lstm"):
                expected[11] = found[2]
            if kind == "gru":
                expected[10] = found[1]
            written = [_unwritten(*each.shape, T=T) for each in found]
            options = {
                "cell": kind,
                "batch": case.batch,
                "hidden": case.hidden,
                "stretches": case.stretches,
                "held": case.held,
            }
            yield Trial(
                (*given[:-1], given[-1].ravel(), case.truncate, int(case.backwards), *written),
                expected,
                options,
                f"{kind}, {case}",
            )

    return trials
