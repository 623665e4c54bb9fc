"""The backward pass of recurrent layers as an operation: cotangents carried back through time.

It is a linear recurrence that runs against time. As a primitive it makes the rule of a layer one formula however long
the sequence is. Its transpose, which carries changes ahead in time, is the other. Each is the derivative of the other,
so derivatives of any order stay in this pair.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.formula import Formula
from ops.primitive import NUMBERS, Array, sample
from ops.shape import concatenate, getitem, joint_room, room, scatter_add, shape_of
from ops.timesteps import block, delayed, is_cut, len_of, links, order, rows


def _states_of(
    deltas: Any, states: Any, weight: Any, *, reverse: bool, truncate: int | None
) -> Any:
    """e of `back_through_time` from its result: what arrived, and what the step after sent back."""
    carried = delayed(deltas, reverse=not reverse, truncate=None) @ weight
    givers, _ = links(len_of(deltas), reverse, truncate, cut=True)
    if givers:
        kept = [t for t in range(len_of(deltas)) if t not in set(givers)]
        carried = scatter_add(getitem(carried, (kept,)), (kept,), shape=carried.shape)
    return states + carried


def _flows_of_coefficients(
    back: tuple[Any, Any, Any],
    ahead: tuple[Any, Any, Any],
    given: tuple[Any, ...],
    *,
    outer: bool,
    **time: Any,
) -> dict[str, Any]:
    """The cotangents of slopes, keep, gain and weight, in which both recurrences are the same sum of products.

    back: deltas, cells and states of `back_through_time`; ahead: moves, cells and states of `ahead_through_time`.
    """
    deltas, cells, states = back
    moves, cells_ahead, states_ahead = ahead
    keep, gain, weight = given
    size = weight.shape[1]
    blocks = weight.shape[0] // size
    by_block = [cells] * (blocks - outer) + [states] * outer
    before = delayed(states_ahead, **time)
    flows = {
        "slopes": moves * (by_block[0] if blocks == 1 else concatenate(by_block, axis=-1)),
        "weight": rows(deltas).T @ rows(before),
    }
    if type(keep) not in NUMBERS:
        flows["keep"] = cells * delayed(cells_ahead, **time)
    if type(gain) not in NUMBERS:
        flows["gain"] = states * cells_ahead
    return flows


def _back_parts(out: Any, arriving: Any, weight: Any, keep: Any, **time: Any) -> Any:
    """Deltas, cells and states out of the packed result of `back_through_time`."""
    size, width = weight.shape[1], weight.shape[0]
    plain = type(keep) in NUMBERS
    deltas = out if plain else getitem(out, (Ellipsis, slice(0, width)))
    states = _states_of(deltas, arriving, weight, **time)
    return deltas, (states if plain else block(out, width // size, size)), states


def _ahead_parts(out: Any, moving: Any, weight: Any, keep: Any, **time: Any) -> Any:
    """Moves, cells and states out of the packed result of `ahead_through_time`."""
    size = weight.shape[1]
    plain = type(keep) in NUMBERS
    states = out if plain else block(out, 0, size)
    moves = moving + delayed(states, **time) @ weight.T
    return moves, (states if plain else block(out, 1, size)), states


def back_through_time_rule(
    g: Any,
    out: Any,
    arriving: Any,
    arriving_cell: Any,
    slopes: Any,
    keep: Any,
    gain: Any,
    weight: Any,
    *,
    reverse: bool,
    truncate: int | None,
    outer: bool,
) -> dict[str, Any]:
    """What comes back is carried ahead in time; the coefficients receive products of both."""
    time = {"reverse": reverse, "truncate": truncate}
    width = weight.shape[0]
    plain = type(keep) in NUMBERS
    moving = g if plain else getitem(g, (Ellipsis, slice(0, width)))
    moving_cell = 0.0 if plain else block(g, width // weight.shape[1], weight.shape[1])
    carried = ahead_through_time(
        moving, moving_cell, slopes, keep, gain, weight, outer=outer, **time
    )
    ahead = _ahead_parts(carried, moving, weight, keep, **time)
    back = _back_parts(out, arriving, weight, keep, **time)
    given = (keep, gain, weight)
    flows = _flows_of_coefficients(back, ahead, given, outer=outer, **time)
    flows["arriving"] = ahead[2]
    if type(arriving_cell) not in NUMBERS:
        flows["arriving_cell"] = ahead[1]
    return flows


def ahead_through_time_rule(
    g: Any,
    out: Any,
    moving: Any,
    moving_cell: Any,
    slopes: Any,
    keep: Any,
    gain: Any,
    weight: Any,
    *,
    reverse: bool,
    truncate: int | None,
    outer: bool,
) -> dict[str, Any]:
    """What comes back is carried back through time; the coefficients receive products of both."""
    time = {"reverse": reverse, "truncate": truncate}
    size = weight.shape[1]
    plain = type(keep) in NUMBERS
    arriving = g if plain else block(g, 0, size)
    arriving_cell = 0.0 if plain else block(g, 1, size)
    carried = back_through_time(
        arriving, arriving_cell, slopes, keep, gain, weight, outer=outer, **time
    )
    back = _back_parts(carried, arriving, weight, keep, **time)
    ahead = _ahead_parts(out, moving, weight, keep, **time)
    given = (keep, gain, weight)
    flows = _flows_of_coefficients(back, ahead, given, outer=outer, **time)
    flows["moving"] = back[0]
    if type(moving_cell) not in NUMBERS:
        flows["moving_cell"] = back[1]
    return flows


def _samples(of_result: bool) -> Any:
    """As an LSTM needs it, with a cell beside the state; plain, where keep is a number; as a GRU, which keeps."""

    def make(rng: np.random.Generator) -> list[Any]:
        def draw(*shape: int) -> Array:
            return rng.uniform(0.2, 1.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)

        def first(blocks: int) -> Array:
            return draw(3, 2, 2) if of_result else draw(3, 2, 2 * blocks)

        shapes = ((3, 1), (3, 2), (3, 1), (3, 1), (2, 1))
        single = draw(3, 1) if of_result else draw(3, 2)
        gated = first(2), 0.0, draw(3, 2, 4), draw(3, 2, 2), 1.0, draw(4, 2)
        return [
            sample(single, *(draw(*shape) for shape in shapes), outer=True),
            sample(first(1), 0.0, draw(3, 2, 2), 0.0, 1.0, draw(2, 2)),
            sample(*gated, reverse=True, truncate=2),
            sample(first(1), 0.0, draw(3, 2, 2), 0.0, 1.0, draw(2, 2), reverse=True, truncate=1),
        ]

    return make


def _through_time_size(*inputs: Any, outer: bool, **_: Any) -> float:
    if type(outer) is not bool:
        raise TypeError(f"outer is {outer!r:.40}, not a truth")
    *steps, weight = map(shape_of, inputs)
    return joint_room(*(shape[:-1] for shape in steps)) * room(sum(weight) + weight[-1])


@primitive(
    joint=(
        back_through_time_rule,
        ("arriving", "arriving_cell", "slopes", "keep", "gain", "weight"),
    ),
    formula=Formula(
        "bptt({arriving}, {slopes}, {weight})",
        r"\operatorname{{bptt}}\left({arriving}, {slopes}, {weight}\right)",
        symbol="bptt",
    ),
    samples=_samples(of_result=True),
    size=_through_time_size,
)
def back_through_time(
    arriving: Array,
    arriving_cell: Array,
    slopes: Array,
    keep: Array,
    gain: Array,
    weight: Array,
    *,
    reverse: bool = False,
    truncate: int | None = None,
    outer: bool = False,
) -> Array:
    """Cotangents carried back through the time steps of a recurrent layer, from the last step that ran to the first.

    eₜ = arrivingₜ + deltaₜ₊₁ weight,  cₜ = arriving_cellₜ + gainₜ eₜ + keepₜ₊₁ cₜ₊₁,  deltaₜ = slopesₜ · (cₜ, ..., cₜ)

    e is the cotangent of the state, c that of the cell, delta that of the gates before their activation; with `outer`
    the last block of delta is slopesₜ · eₜ (the output gate of an LSTM). Every positive multiple of `truncate` sends
    nothing back. arriving: (T, ..., H). slopes: (T, ..., G·H). keep, gain: (T, ..., H), or 0.0 and 1.0. weight:
    (G·H, H).  Returns: delta (T, ..., G·H), with c behind it on the last axis unless keep is a number, for then c is e.
    """
    count, lead = len(slopes), slopes.shape[1:-1]
    width, size = weight.shape
    plain = type(keep) in NUMBERS
    blocks = width // size
    dtype = np.result_type(arriving, slopes, weight)
    packed = np.empty((count, *lead, blocks + (not plain), size), dtype)
    deltas = packed[..., :blocks, :]
    whole = packed.reshape(count, *lead, (blocks + (not plain)) * size)
    flat = whole[..., :width]
    by_block = slopes.reshape(count, *lead, blocks, size)
    carried: Any = None
    cell: Any = None
    steps = order(count, reverse)
    for number in range(count - 1, -1, -1):
        t = steps[number]
        state = arriving[t] if carried is None else arriving[t] + carried
        inner = state if type(gain) in NUMBERS else gain[t] * state
        if type(arriving_cell) not in NUMBERS:
            inner = inner + arriving_cell[t]
        if cell is not None:
            inner = inner + cell
        np.multiply(by_block[t], inner[..., None, :], out=deltas[t])
        if outer:
            np.multiply(by_block[t][..., -1, :], state, out=deltas[t][..., -1, :])
        if not plain:
            packed[t][..., -1, :] = inner
        carried = cell = None
        if number and not is_cut(number, truncate):
            carried = flat[t].dot(weight)
            cell = None if plain else keep[t] * inner
    return whole


@primitive(
    joint=(
        ahead_through_time_rule,
        ("moving", "moving_cell", "slopes", "keep", "gain", "weight"),
    ),
    formula=Formula(
        "ahead_through_time({moving}, {slopes}, {weight})",
        r"\operatorname{{ahead}}\left({moving}, {slopes}, {weight}\right)",
        symbol="ahead",
    ),
    samples=_samples(of_result=False),
    size=_through_time_size,
)
def ahead_through_time(
    moving: Array,
    moving_cell: Array,
    slopes: Array,
    keep: Array,
    gain: Array,
    weight: Array,
    *,
    reverse: bool = False,
    truncate: int | None = None,
    outer: bool = False,
) -> Array:
    """Small changes carried ahead through the time steps of a recurrent layer: the transpose of `back_through_time`.

    mₜ = movingₜ + eₜ₋₁ weightᵀ,  cₜ = moving_cellₜ + Σ slopesₜ · mₜ + keepₜ cₜ₋₁,  eₜ = gainₜ cₜ

    m is the change of the gates before their activation, c that of the cell, e that of the state; with `outer` the last
    block of slopes · m is added to e and not to c. moving, slopes: (T, ..., G·H). The rest as in `back_through_time`.
    Returns: e (T, ..., H), with c behind it on the last axis unless keep is a number, for then c is e.
    """
    count, lead = len(slopes), slopes.shape[1:-1]
    size = weight.shape[1]
    plain = type(keep) in NUMBERS
    blocks = len(weight) // size
    dtype = np.result_type(moving, slopes, weight)
    packed = np.empty((count, *lead, 1 if plain else 2, size), dtype)
    state: Any = None
    cell: Any = None
    for number, t in enumerate(order(count, reverse)):
        if is_cut(number, truncate):
            state = cell = None
        change = moving[t] if state is None else moving[t] + state @ weight.T
        by_block = (slopes[t] * change).reshape(*lead, blocks, size)
        inner = np.add.reduce(by_block[..., : blocks - outer, :], axis=-2)
        if type(moving_cell) not in NUMBERS:
            inner = inner + moving_cell[t]
        if cell is not None and not plain:
            inner = inner + keep[t] * cell
        cell = inner
        state = inner if type(gain) in NUMBERS else gain[t] * inner
        if outer:
            state = state + by_block[..., -1, :]
        packed[t][..., 0, :] = state
        if not plain:
            packed[t][..., 1, :] = cell
    return packed.reshape(count, *lead, (1 if plain else 2) * size)
