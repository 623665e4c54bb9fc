"""What recurrent cells and layers share: the order of time steps, sums before gates and their flows, refusals."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from ops.elementwise import detach, where
from ops.primitive import NUMBERS, Array
from ops.reduce import sum
from ops.shape import concatenate, getitem, reshape, room, scatter_add

# ----- time


def order(count: int, reverse: bool) -> range:
    """The time steps in the order in which they run: 0 to count − 1, or back."""
    return range(count - 1, -1, -1) if reverse else range(count)


def is_cut(number: int, truncate: int | None) -> bool:
    """Whether no cotangent leaves the step that runs as that number: a positive multiple of `truncate`."""
    return truncate is not None and number > 0 and number % truncate == 0


def at_step(x: Any, name: str, t: int) -> AbstractContextManager[Any]:
    """The scope `name[t=...]` if x is recorded, by the method `__scope__` of its type; nothing for an array."""
    enter = getattr(type(x), "__scope__", None)
    return nullcontext() if enter is None else enter(x, name, t=t)


def links(count: int, reverse: bool, truncate: int | None, cut: bool) -> tuple[list[int], Any]:
    """The steps that hand their state on, and to which: over the cuts of truncation, or everywhere else."""
    steps = order(count, reverse)
    numbers = [n for n in range(1, count) if is_cut(n, truncate) == cut]
    return [steps[n - 1] for n in numbers], [steps[n] for n in numbers]


def delayed(x: Any, *, reverse: bool, truncate: int | None) -> Any:
    """What each step receives from the one that ran before it: zeros at the first step and behind a cut."""
    if truncate is not None:
        givers, takers = links(len_of(x), reverse, truncate, cut=False)
        return scatter_add(getitem(x, (givers,)), (takers,), shape=x.shape)
    givers, takers = _neighbours(reverse)
    return scatter_add(getitem(x, givers), takers, shape=x.shape)


def _neighbours(reverse: bool) -> tuple[Any, Any]:
    """The index of all steps that have a next one, and that of those next ones."""
    head, tail = (slice(0, -1),), (slice(1, None),)
    return (tail, head) if reverse else (head, tail)


def earlier(states: Any, initial: Any, *, reverse: bool, truncate: int | None) -> Any:
    """The state that each step starts from: the initial one, then those before; detached behind a cut.

    states: (T, ..., H). initial: (..., H), or a Python number for zeros.
    """
    first = len_of(states) - 1 if reverse else 0
    if truncate is None and type(initial) not in NUMBERS:
        start = reshape(initial, shape=(1, *initial.shape))
        if reverse:
            return concatenate(getitem(states, (slice(1, None),)), start)
        return concatenate(start, getitem(states, (slice(0, -1),)))
    found = delayed(states, reverse=reverse, truncate=truncate)
    givers, takers = links(len_of(states), reverse, truncate, cut=True)
    if givers:
        cut = detach(getitem(states, (givers,)))
        found = found + scatter_add(cut, (takers,), shape=states.shape)
    if type(initial) not in NUMBERS:
        found = found + scatter_add(initial, (first,), shape=states.shape)
    return found


def len_of(x: Any) -> int:
    """The number of time steps."""
    return int(x.shape[0])


# ----- gates


def half_sum(x: Any, w: Any, bias: Any) -> Any:
    """x w + bias, one of the two halves of a gate; what is a Python number is 0.0 and adds nothing."""
    if type(x) in NUMBERS:
        return bias
    return x @ w if type(bias) in NUMBERS else x @ w + bias


def gate_sums(x: Any, h: Any, u: Any, v: Any, b_ih: Any, b_hh: Any) -> Any:
    """x u + b_ih + h v + b_hh: what goes into the activations; u, v: the weights transposed."""
    by_input, by_state = half_sum(x, u, b_ih), half_sum(h, v, b_hh)
    return by_input if type(by_state) in NUMBERS else by_input + by_state


def input_sums(x: Array, w_ih: Array, b_ih: Array, b_hh: Array, *others: Array) -> Array:
    """x w_ihᵀ + b_ih + b_hh of all time steps in one product: (T, ..., G·H), a new array.

    others: what else has a say in the dtype.
    """
    given = [y for y in (x, w_ih, b_ih, b_hh, *others) if type(y) not in NUMBERS]
    sums = np.dot(rows(x), w_ih.T).astype(_float_of(*given), copy=False)
    for bias in (b_ih, b_hh):
        if type(bias) not in NUMBERS:
            sums += bias
    return sums.reshape(*x.shape[:-1], len(w_ih))


def _float_of(*given: Array) -> Any:
    """The dtype of all of them together; float64 of integers, as a gate is no integer."""
    dtype = np.result_type(*given)
    return dtype if dtype.kind == "f" else np.float64


def gates_size(x: Any, *others: Any, **_: Any) -> float:
    """Of the sums before the gates, at all time steps. others: the states, w_ih, w_hh and the biases."""
    return room(*x.shape[:-1], len(others[-4]))


def initial_state(state: Array, sums: Array, w_hh: Array) -> Array:
    """The state before the first step, as an array: zeros in place of a Python number."""
    if type(state) in NUMBERS:
        return np.zeros((*sums.shape[1:-1], w_hh.shape[1]), dtype=sums.dtype)
    return state


def sigmoid_in_place(z: Array) -> None:
    """1 / (1 + e⁻ᶻ), as the primitive computes it."""
    np.negative(z, z)
    np.exp(z, z)
    np.add(z, 1, z)
    np.divide(1, z, z)


def block(x: Any, number: int, size: int) -> Any:
    """One of the blocks of `size` that lie side by side on the last axis: the numbers of one gate."""
    return getitem(x, (Ellipsis, slice(number * size, (number + 1) * size)))


def rows(x: Any) -> Any:
    """All axes but the last made one: (T, B, I) becomes (T · B, I)."""
    if x.ndim == 2:
        return x
    return reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def affine_flows(
    for_input: Any, for_state: Any, x: Any, w_ih: Any, biases: tuple[Any, Any]
) -> dict[str, Any]:
    """The flows of x, w_ih and the biases from the cotangents of x w_ihᵀ + b_ih and of h w_hhᵀ + b_hh.

    Of all time steps in one product.
    """
    by_input = rows(for_input)
    flows = {"x": reshape(by_input @ w_ih, shape=x.shape), "w_ih": by_input.T @ rows(x)}
    return flows | bias_flows(for_input, for_state, biases)


def bias_flows(for_input: Any, for_state: Any, biases: tuple[Any, Any]) -> dict[str, Any]:
    """The flows of those biases that are not numbers."""
    b_ih, b_hh = biases
    flows: dict[str, Any] = {}
    if type(b_ih) not in NUMBERS:
        flows["b_ih"] = _sum_over_rows(for_input)
    if type(b_hh) not in NUMBERS:
        same = for_state is for_input and "b_ih" in flows
        flows["b_hh"] = flows["b_ih"] if same else _sum_over_rows(for_state)
    return flows


def cell_flows(delta: Any, h: Any, w_hh: Any) -> dict[str, Any]:
    """The flows of w_hh, and of h unless it is a number, from the cotangent of h w_hhᵀ."""
    if type(h) in NUMBERS:
        return {"w_hh": where(False, w_hh, 0)}
    return {"w_hh": rows(delta).T @ rows(h), "h": delta @ w_hh}


def _sum_over_rows(x: Any) -> Any:
    """The sum over all axes but the last: one after the other, which numpy does much faster where the last is short."""
    while x.ndim > 1:
        x = sum(x, axis=0)
    return x


def state_weight_flow(
    delta: Any, states: Any, initial: Any, w_hh: Any, *, reverse: bool, truncate: int | None
) -> Any:
    """The flow of w_hh: the sum over time of deltaᵀ times the state that the step started from.

    Without truncation the states need not be copied to stand before their steps.
    """
    if truncate is not None:
        before = earlier(states, initial, reverse=reverse, truncate=truncate)
        return rows(delta).T @ rows(before)
    givers, takers = _neighbours(reverse)
    flow = rows(getitem(delta, takers)).T @ rows(getitem(states, givers))
    if type(initial) in NUMBERS:
        return flow
    first = getitem(delta, (slice(-1, None) if reverse else slice(0, 1),))
    return flow + rows(first).T @ rows(reshape(initial, shape=(1, *initial.shape)))


# ----- refusals


def check_layer(
    gates: int, x: Any, states: dict[str, Any], w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any
) -> None:
    """Refuse, in the user's words, inputs of a cell or layer that do not fit together.

    states: the name of each initial state to its value. Raises `ValueError`.
    """
    if np.ndim(w_hh) != 2 or w_hh.shape[0] != gates * w_hh.shape[1]:
        wanted = "(H, H)" if gates == 1 else f"({gates}·H, H)"
        raise ValueError(f"w_hh has shape {np.shape(w_hh)}, but needs {wanted}")
    size = w_hh.shape[1]
    if not size:
        raise ValueError(f"w_hh has shape {np.shape(w_hh)}: a state has at least one unit")
    if np.shape(w_ih) != (gates * size, x.shape[-1]):
        raise ValueError(
            f"w_ih has shape {np.shape(w_ih)}, but x of {x.shape[-1]} features and w_hh need "
            f"{(gates * size, x.shape[-1])}"
        )
    for name, bias in (("b_ih", b_ih), ("b_hh", b_hh)):
        if type(bias) not in NUMBERS and np.shape(bias) != (gates * size,):
            raise ValueError(f"{name} has shape {np.shape(bias)}, but needs {(gates * size,)}")
    for name, (state, shape) in states.items():
        if type(state) in NUMBERS:
            if state != 0:
                raise ValueError(
                    f"{name} is the number {state}: of numbers only 0.0 stands for a state"
                )
        elif np.shape(state) != (*shape, size):
            raise ValueError(f"{name} has shape {np.shape(state)}, but needs {(*shape, size)}")


def check_sequence(x: Any, truncate: int | None) -> None:
    """Refuse a sequence that is not (T, B, I) or (T, I) with T >= 1, and a truncation below 1. Raises `ValueError`."""
    if np.ndim(x) not in (2, 3):
        raise ValueError(f"x has shape {np.shape(x)}, but a sequence is (T, B, I) or (T, I)")
    if not len(x):
        raise ValueError(f"x has shape {np.shape(x)}: a sequence has at least one time step")
    if truncate is not None and (type(truncate) is not int or truncate < 1):
        raise ValueError(f"truncate={truncate!r}, but it counts time steps: 1 or more, or None")
