"""numpy's functions on Tensors, every one of the tables: recorded, with numpy's value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from tracer.interop import FUNCTIONS, INSTEAD, SCIPY_UFUNCS, UFUNCS

A = np.array([[1.5, 0.5, -0.5], [0.25, -0.75, 2.0]])
B = np.array([[0.5, -1.0, -0.5], [2.0, 0.5, 2.0]])
"""Of the shape of A; equal to it in two places."""
UNIT = np.array([-0.5, 0.25, 0.75])
ABOVE = np.array([0.5, 1.25, 3.0])
MASK, OTHER = np.array([True, False, True]), np.array([True, True, False])
SQUARE = np.array([[4.0, 1.0], [1.0, 3.0]])
RIGHT = np.array([1.0, -2.0])
CUBE = np.arange(12.0).reshape(2, 3, 2) - 5.5

DOMAINS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys("sqrt cbrt log log2 log10 log1p reciprocal".split(), (ABOVE,)),
    **dict.fromkeys("arcsin arccos arctanh".split(), (UNIT,)),
    "arccosh": (1 + ABOVE,),
    "power": (ABOVE, B[:, :1]),
    "float_power": (ABOVE, B[:, :1]),
    "divide": (A, B),
    "matmul": (A, B.T),
    **dict.fromkeys("logical_and logical_or logical_xor".split(), (MASK, OTHER)),
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor".split(), (MASK, OTHER)),
    "logical_not": (MASK,),
    "invert": (MASK,),
}
"""The arguments of the ufuncs that do not take A, or A and B."""

Call = Callable[[Any], Any]


def over_axes(name: str) -> list[Call]:
    """A reduction of everything, of several axes, of one by position."""
    reduce = getattr(np, name)
    return [reduce, lambda x: reduce(x, axis=(0, -1), keepdims=True), lambda x: reduce(x, 1)]


def along(name: str) -> list[Call]:
    """Without an axis, and along one."""
    change = getattr(np, name)
    return [change, lambda x: change(x, axis=1)]


CALLS: dict[str, list[Call]] = {
    **{
        name: over_axes(name)
        for name in "sum mean max min prod std median any all amax amin".split()
    },
    **{name: along(name) for name in "cumsum cumprod argmin argsort flip".split()},
    "argmax": [lambda x: np.argmax(x), lambda x: np.argmax(x, 1, keepdims=True)],
    "var": [np.var, lambda x: np.var(x, 1, ddof=1), lambda x: np.var(x, correction=1)],
    "sort": [np.sort, lambda x: np.sort(x, axis=0, kind="stable")],
    "squeeze": [lambda x: np.squeeze(x[:1]), lambda x: np.squeeze(x[:, 1:2], axis=1)],
    "reshape": [lambda x: np.reshape(x, (3, 2)), lambda x: np.reshape(x, -1)],
    "ravel": [np.ravel],
    "transpose": [np.transpose, lambda x: np.transpose(x, (1, 0))],
    "broadcast_to": [lambda x: np.broadcast_to(x, (2, 2, 3))],
    "swapaxes": [lambda x: np.swapaxes(x, 0, 1)],
    "moveaxis": [lambda x: np.moveaxis(x, 0, -1)],
    "expand_dims": [lambda x: np.expand_dims(x, 1), lambda x: np.expand_dims(x, axis=(0, -1))],
    "concatenate": [
        lambda x: np.concatenate([x, B]),
        lambda x: np.concatenate((x, x), axis=1),
        lambda x: np.concat([B, x]),
    ],
    "stack": [lambda x: np.stack([x, B]), lambda x: np.stack((x, x), axis=-1)],
    "split": [lambda x: np.split(x, 3, axis=1), lambda x: np.split(x, [1])],
    "roll": [lambda x: np.roll(x, 1), lambda x: np.roll(x, (1, -1), axis=(0, 1))],
    "repeat": [lambda x: np.repeat(x, 2), lambda x: np.repeat(x, [1, 0, 2], axis=1)],
    "tile": [lambda x: np.tile(x, 2), lambda x: np.tile(x, (2, 1, 2))],
    "pad": [
        lambda x: np.pad(x, 1),
        lambda x: np.pad(x, ((0, 1), (2, 0)), constant_values=3),
        lambda x: np.pad(x, (1, 1), "reflect"),
        lambda x: np.pad(x, (2, 0), mode="edge"),
    ],
    "take": [lambda x: np.take(x, [2, 0], axis=1), lambda x: np.take(x, [[5, 0]])],
    "take_along_axis": [
        lambda x: np.take_along_axis(x, np.array([[2, 0], [1, 1]]), axis=1),
        lambda x: np.take_along_axis(x, np.argsort(x), -1),
    ],
    "diagonal": [np.diagonal, lambda x: np.diagonal(x, 1)],
    "tril": [np.tril, lambda x: np.tril(x, 1)],
    "triu": [np.triu, lambda x: np.triu(x, k=-1)],
    "where": [lambda x: np.where(x > 0, x, 0.0), lambda x: np.where(A > 0, B, x)],
    "clip": [
        lambda x: np.clip(x, -0.5, 1.0),
        lambda x: np.clip(x, None, 1.0),
        lambda x: np.clip(x, a_min=0.0, a_max=None),
        lambda x: np.clip(x, max=0.5),
    ],
    "round": [np.round, lambda x: np.round(x, 1)],
    "around": [lambda x: np.around(x, decimals=1)],
    "dot": [lambda x: np.dot(x, B.T), lambda x: np.dot(B.T, x)],
    "outer": [lambda x: np.outer(x, UNIT)],
    "einsum": [
        lambda x: np.einsum("ij,kj->ik", x, B),
        lambda x: np.einsum("ij->j", x, optimize=True),
    ],
    "tensordot": [lambda x: np.tensordot(x, B.T, 1), lambda x: np.tensordot(x, B, axes=2)],
    "trace": [
        np.trace,
        lambda x: np.trace(x, 1),
        lambda x: np.trace(x[None] * CUBE.mT),
        lambda x: np.trace(x[None] * CUBE.mT, axis1=0, axis2=2),
    ],
}

LINEAR: dict[str, list[Call]] = {
    "linalg.norm": [
        np.linalg.norm,
        lambda x: np.linalg.norm(x, ord=1, axis=1),
        lambda x: np.linalg.norm(x, np.inf, 0, True),
    ],
    "linalg.inv": [np.linalg.inv],
    "linalg.solve": [lambda x: np.linalg.solve(x, RIGHT), lambda x: np.linalg.solve(SQUARE, x)],
    "linalg.det": [np.linalg.det],
    "linalg.slogdet": [np.linalg.slogdet],
    "linalg.cholesky": [np.linalg.cholesky, lambda x: np.linalg.cholesky(x, upper=True)],
    "linalg.matmul": [lambda x: np.linalg.matmul(x, SQUARE)],
    "linalg.outer": [lambda x: np.linalg.outer(x[0], RIGHT)],
    "linalg.tensordot": [lambda x: np.linalg.tensordot(x, SQUARE, axes=1)],
    "linalg.trace": [np.linalg.trace, lambda x: np.linalg.trace(x, offset=1)],
}
"""The functions that take a symmetric positive matrix."""


def test_every_function_of_the_table_is_called_here():
    assert {*CALLS, *LINEAR} == set(FUNCTIONS)


def assert_recorded(results: Any, wanted: Any) -> None:
    """Tensors that hold numpy's values."""
    several = isinstance(wanted, (list, tuple))
    for result, number in zip(
        results if several else [results], wanted if several else [wanted], strict=True
    ):
        assert type(result) is tr.Tensor
        assert result.op is not None
        assert result.dtype == np.asarray(number).dtype
        np.testing.assert_allclose(result.value, number, rtol=1e-14, atol=1e-15, strict=True)


EACH = [
    pytest.param(call, x, id=f"{name}-{k}")
    for calls, x in ((CALLS, A), (LINEAR, SQUARE))
    for name, each in calls.items()
    for k, call in enumerate(each)
]


@pytest.mark.parametrize(("call", "x"), EACH)
def test_a_function_of_numpys_records_and_gives_numpys_value(call: Any, x: Any):
    assert_recorded(call(tr.tensor(x)), call(x))


@pytest.mark.parametrize("name", UFUNCS)
def test_a_ufunc_of_numpys_records_and_gives_numpys_value(name: str):
    ufunc = getattr(np, name)
    args = DOMAINS.get(name, (A, B)[: ufunc.nin])
    assert_recorded(ufunc(*map(tr.tensor, args)), ufunc(*args))
    if len(args) == 2:  # an array on either side
        assert_recorded(ufunc(args[0], tr.tensor(args[1])), ufunc(*args))
        assert_recorded(ufunc(tr.tensor(args[0]), args[1]), ufunc(*args))


@pytest.mark.parametrize("name", SCIPY_UFUNCS)
def test_a_ufunc_of_scipys_records_and_gives_scipys_value(name: str):
    ufunc = getattr(pytest.importorskip("scipy.special"), name)
    result = ufunc(tr.tensor(UNIT))
    assert type(result) is tr.Tensor
    np.testing.assert_allclose(result.value, ufunc(UNIT), rtol=1e-14)


def test_the_gradient_flows_through_numpys_functions():
    x = tr.tensor(SQUARE)
    loss = np.linalg.slogdet(x)[1] + np.sum(np.cumsum(np.sin(x), axis=0)) + np.var(x, ddof=1)
    loss.backward()
    weights = np.array([[2.0], [1.0]])
    wanted = np.linalg.inv(SQUARE) + weights * np.cos(SQUARE) + 2 * (SQUARE - SQUARE.mean()) / 3
    np.testing.assert_allclose(x.grad, wanted, rtol=1e-13)


def test_a_place_is_recorded_so_that_a_replay_finds_it_anew():
    x = tr.tensor([1.0, 3.0, 2.0], name="x")
    trace = tr.trace((x * np.argmax(x)).sum())
    assert trace.replay({"x": np.array([1.0, 3.0, 4.0])}).value(trace.loss) == 16.0


def test_a_ufunc_of_somebody_elses_is_not_taken_for_numpys():
    mine = np.frompyfunc(lambda x: x, 1, 1)
    with pytest.raises(tr.errors.UnknownNameError, match="has no primitive"):
        mine(tr.tensor(1.0))

    class Sin:
        __name__ = "sin"

    from tracer.interop import apply_ufunc

    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.sin has no primitive"):
        apply_ufunc(Sin(), "__call__", (tr.tensor(1.0),), {})


def test_what_numpy_can_do_and_we_cannot_is_named():
    x = tr.tensor(A)
    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.sum: where= cannot be recorded"):
        np.sum(x, where=A > 0)
    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.add\.reduce has no primitive"):
        np.add.reduce(x)
    with pytest.raises(tr.errors.UnknownNameError, match=r"ops` lists all\), tr\.primitive"):
        np.linalg.eigvalsh(x)
    with pytest.raises(tr.errors.UnknownNameError, match=r"try: np\.concatenate\(\[x, y\], axis=1"):
        np.hstack([x, x])
    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.ravel: order="):
        np.ravel(x, order="F")
    with pytest.raises(tr.errors.DTypeError, match="combines masks"):
        np.bitwise_and(tr.tensor([1, 2]), 1)


def test_functions_that_only_look_get_the_value():
    x = tr.tensor(A)
    assert np.shape(x) == (2, 3)
    assert np.allclose(x, A)
    assert type(np.zeros_like(x)) is np.ndarray


def test_every_table_names_operations_that_exist():
    for ours in (*UFUNCS.values(), *SCIPY_UFUNCS.values()):
        assert ours in PRIMITIVES
    for ours in FUNCTIONS.values():
        assert ours == "_trace" or callable(getattr(tr, ours))


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_what_stands_in_for_a_function_of_numpys_is_known_to_us(name: str):
    function = np
    for part in name.split("."):
        if not hasattr(function, part):
            pytest.skip(f"this numpy has no {name}")
        function = getattr(function, part)
    assert name not in UFUNCS
    assert name not in FUNCTIONS
    known = {f"np.{each}" for each in (*UFUNCS, *FUNCTIONS)} | {"np.eye", "np.pi"}
    for call in re.findall(r"np(?:\.[a-z_0-9]+)+", INSTEAD[name]):
        assert call in known
