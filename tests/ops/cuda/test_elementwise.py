"""Elementwise operations on a device against numpy: values and flows, generated from the table of operations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops import PRIMITIVES
from ops.cuda import native
from ops.cuda.elementwise.broadcasting import by_columns, by_rows, layout_of
from ops.cuda.elementwise.family import KERNELS, flows, value
from ops.cuda.elementwise.kernels import Form, Operand, made
from ops.cuda.elementwise.plans import plan_of
from ops.cuda.elementwise.types import typed_operands
from ops.cuda.kernel import Launch
from ops.declaring import elementwise
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.interpreter.machine import run
from tests.ops.cases import Case, cases_of, marked, operation, signed
from tests.walking import walk

ULPS = 4
"""How far from numpy, in ulps of the largest element: both call functions that are good to a few."""


def _is_array(x: Any) -> bool:
    return hasattr(x, "dtype")


ELEMENTWISE = marked(lambda case: case.op.elementwise and any(map(_is_array, case.args)))
DTYPES = ["float32", pytest.param("float64", marks=pytest.mark.slow)]


def there(x: Any) -> Any:
    return array(INTERPRET, x) if _is_array(x) else x


def agree(found: Any, wanted: Any, ulps: float = ULPS) -> None:
    assert type(found) is DeviceArray
    got, wanted = np.asarray(found.numpy()), np.asarray(wanted)
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(got, wanted)
        return
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(got[~finite], wanted[~finite])
    scale = np.max(np.abs(wanted[finite]), initial=np.finfo(wanted.dtype).tiny)
    apart = np.max(np.abs(got[finite] - wanted[finite]), initial=0)
    assert apart <= ulps * np.finfo(wanted.dtype).eps * scale


def agree_in_flows(case: Case, ulps: float = ULPS) -> None:
    out, saved = case.run()
    g = np.asarray(signed(np.shape(out), dtype=out.dtype))[()]
    wanted = case.op.pull_back(g, out, case.args, case.wanted, case.params, saved)
    given = [there(x) for x in (g, out, *case.args)]
    found = flows(case.op, given[0], given[1], given[2:], case.wanted, case.params)
    assert found is not None
    for mine, theirs in zip(found, wanted, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            agree(mine, theirs, ulps)


def case_of(name: str, *args: Any, **params: Any) -> Case:
    return Case(PRIMITIVES[name], *PRIMITIVES[name].bind(args, params))


# ----- every operation


@pytest.mark.parametrize("dtype", DTYPES)
@walk("case", ELEMENTWISE, by=operation)
def test_a_kernel_computes_the_value_of_numpy(case: Case, dtype: str):
    case = case.cast(dtype)
    found = value(case.op, [there(x) for x in case.args], case.params)
    agree(found, case.run()[0])


@pytest.mark.parametrize("dtype", DTYPES)
@walk("case", [each for each in ELEMENTWISE if each.values[0].floats], by=operation)
def test_a_kernel_computes_the_flows_of_the_rules(case: Case, dtype: str):
    agree_in_flows(case.cast(dtype))


def test_no_elementwise_operation_runs_on_the_host():
    fallen = set()
    for op in PRIMITIVES.values():
        if op.elementwise and op.home.startswith("ops."):
            args = [there(np.full(3, 0.5, np.float32)) for _ in op.inputs]
            args = [
                there(np.full(3, True)) if n == "condition" else x
                for n, x in zip(op.inputs, args, strict=True)
            ]
            if native.compute(op, args, dict(op.defaults)).host:
                fallen.add(op.name)
    assert fallen == set()


HALF, ONE, WHOLE = np.full(2, 0.5, np.float32), np.ones(2), np.arange(2)


@pytest.mark.parametrize(
    ("name", "args", "why"),
    [
        ("exp", (WHOLE,), "a function of integers"),
        ("div", (WHOLE, WHOLE), "a quotient of integers"),
        ("add", (np.arange(2, dtype=np.int32), 1), "integers of another size"),
        ("add", (ONE > 0, ONE > 0), "bools, of which + is or"),
    ],
)
def test_what_kernels_do_not_compute_is_left_to_the_host(name: str, args: Any, why: str):
    case = case_of(name, *args)
    devices = [there(x) for x in case.args]
    assert value(case.op, devices, case.params) is None, why
    assert native.compute(case.op, devices, case.params).host
    agree(native.compute(case.op, devices, case.params).value, case.run()[0])


def test_what_lies_over_more_axes_than_a_kernel_walks_over_is_copied_on_the_device():
    rng = np.random.default_rng(3)
    case = case_of("mul", rng.normal(size=(2, 1, 3, 1, 2)), rng.normal(size=(1, 2, 1, 3, 1)))
    before = INTERPRET.fetched
    found = native.compute(case.op, [there(x) for x in case.args], case.params)
    assert not found.host
    assert INTERPRET.fetched == before
    agree(found.value, case.run()[0])
    agree_in_flows(case)


def test_a_power_of_a_half_is_a_square_root_as_in_numpy():
    """C's pow has 0 at −0 and inf at −inf."""
    x = np.array([-0.0, -np.inf, 0.0, 4.0, np.inf, np.nan], np.float32)
    with np.errstate(invalid="ignore"):
        wanted = PRIMITIVES["pow"](x, 0.5)
    found = native.compute(PRIMITIVES["pow"], [there(x), 0.5], {}).value.numpy()
    np.testing.assert_array_equal(found, wanted)
    assert np.signbit(found[0])


INTEGERS = np.array([[3, -1, 0], [2, 2, -5]])


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("add", (INTEGERS, np.array([1, 2, 3]))),
        ("mul", (INTEGERS, -2)),
        ("equal", (INTEGERS, 2)),
        ("greater", (INTEGERS, INTEGERS[0])),
        ("less", (INTEGERS, 0.5)),
        ("mul", (INTEGERS, 0.5)),
        ("mul", (INTEGERS, INTEGERS[0].astype(float))),
        ("mul", (INTEGERS, INTEGERS[0].astype(np.float32))),
        ("sub", (HALF, ONE)),
        ("less", (HALF, np.full(2, 0.1))),
        ("mul", (np.array([True, False]), np.array([0.5, 2.0]))),
        ("add", (np.array([True, False]), 2)),
        ("where", (INTEGERS, np.array([1.0, 2.0, 3.0]), 0)),
        ("where", (INTEGERS > 0, INTEGERS, 7)),
        ("where", (INTEGERS > 0, INTEGERS > 2, INTEGERS < 0)),
        ("where", (np.array([1.0, 0.0, np.nan], np.float32), np.float32(2.0), 1)),
        ("logical_and", (INTEGERS, np.array([0.0, np.nan, 2.0], np.float32))),
        ("logical_or", (INTEGERS > 0, 0)),
        ("isnan", (INTEGERS,)),
        ("maximum", (INTEGERS, 1)),
        ("abs", (INTEGERS,)),
    ],
)
def test_integers_and_truths_promote_as_in_numpy(name: str, args: Any):
    case = case_of(name, *args)
    agree(value(case.op, [there(x) for x in case.args], case.params), case.run()[0])


def test_flows_of_mixed_floats_come_back_in_the_dtypes_of_their_inputs():
    x, y = np.float32([[0.1, 0.2, 0.3]]), np.full((2, 1), 0.1)
    agree_in_flows(case_of("div", x, y))
    agree_in_flows(case_of("mul", x, np.array([[3], [4]])))


ODD_NUMBERS = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -2.5, 3e38, 1e-45])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted({param.values[0].op.name for param in ELEMENTWISE}))
def test_zeros_infinities_and_nan_give_what_numpy_gives(name: str, dtype: str):
    op = PRIMITIVES[name]
    x = ODD_NUMBERS.astype(dtype)
    args = [x, x[::-1].copy(), np.roll(x, 3)][: len(op.inputs)]
    if op.inputs[0] == "condition":
        args[0] = x > 0
    case = Case(op, tuple(args), dict(op.defaults))
    with np.errstate(all="ignore"):
        agree(value(op, [there(x) for x in args], case.params), case.run()[0])


def wide(dtype: str) -> Any:
    info = np.finfo(dtype)
    sizes = np.logspace(np.log10(float(info.tiny)), np.log10(float(info.max)) - 0.1, 150)
    odd = [info.smallest_subnormal, info.tiny, info.max, np.inf, np.nan, 0.0]
    x = np.concatenate([sizes, np.linspace(0, 40, 81), odd])
    return np.concatenate([x, -x]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "ulps"), [("cbrt", 2), ("exp2", 2), ("round", 0), ("trunc", 0)])
def test_what_libdevice_lacks_is_exact_to_ulps_of_each_element(name: str, ulps: int, dtype: str):
    op, x = PRIMITIVES[name], wide(dtype)
    found = value(op, [there(x)], dict(op.defaults))
    assert found is not None
    got, wanted = found.numpy(), op.run([x], op.defaults)[0]
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(wanted))
    finite = np.isfinite(wanted)
    apart = np.abs(got[finite] - wanted[finite])
    one = np.spacing(np.minimum(np.abs(wanted[finite]), np.finfo(dtype).max / 2))
    assert np.all(apart <= ulps * one)


# ----- broadcasting


@st.composite
def broadcast_shapes(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that broadcast together, of up to four axes."""
    whole = draw(st.lists(st.integers(0, 4), max_size=4))
    found = []
    for _ in range(2):
        kept = [size if draw(st.booleans()) else 1 for size in whole]
        found.append(tuple(kept[draw(st.integers(0, len(kept))) :]))
    return found[0], found[1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(broadcast_shapes(), st.sampled_from(("mul", "sub", "hypot")))
def test_any_broadcast_gives_the_value_and_the_summed_flows_of_numpy(shapes: Any, name: str):
    draw = np.random.default_rng(0)
    case = case_of(name, *(np.asarray(draw.uniform(0.5, 2, size=shape))[()] for shape in shapes))
    agree(value(case.op, [there(x) for x in case.args], case.params), case.run()[0])
    agree_in_flows(case, 64)


@pytest.mark.parametrize(
    ("shapes", "steps"),
    [
        ([(143, 33), (33,)], 1),
        ([(71, 40), (71, 1)], 1),
        ([(71, 1), (40,)], 2),
        ([(71, 40), ()], 1),
        ([(5000,), (1,)], 1),
        ([(3, 600), (3, 1)], 1),
        ([(2, 3, 5), (3, 1)], 1),
    ],
)
def test_a_broadcast_operand_receives_its_sum_from_tiles_of_the_full_size(shapes: Any, steps: int):
    draw = np.random.default_rng(0)
    case = case_of("mul", *(np.asarray(draw.uniform(0.5, 2, shape))[()] for shape in shapes))
    agree_in_flows(case, 16)
    plan = plan_of(case.op, [there(x) for x in case.args], (True, True), {})
    assert plan is not None
    assert len(plan.steps) == steps


@pytest.mark.parametrize("shapes", [[(71, 40), (40,), ()], [(71, 40), (71, 1), (1,)]])
def test_two_broadcast_operands_receive_their_sums_in_one_pass(shapes: Any):
    draw = np.random.default_rng(0)
    case = case_of("clip", *(np.asarray(draw.uniform(0.5, 2, shape))[()] for shape in shapes))
    agree_in_flows(case, 16)
    plan = plan_of(case.op, [there(x) for x in case.args], (True, True, True), {})
    assert plan is not None
    assert len(plan.steps) == 1


def test_nothing_is_launched_for_no_elements(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(INTERPRET, "launch", None)
    case = case_of("mul", np.ones((0, 3)), np.ones(3))
    agree(value(case.op, [there(x) for x in case.args], {}), np.ones((0, 3)))
    agree_in_flows(case)
    agree(
        native.compute(PRIMITIVES["astype"], [there(np.ones(0))], {"dtype": "int64"}).value,
        np.ones(0, int),
    )


@pytest.mark.parametrize("size", [0, 1, 2, 1024, 1025, 10**6])
@pytest.mark.parametrize("other", [1, 5, 33, 4096])
def test_tiles_are_whole_and_fill_a_gpu_where_there_is_enough_to_sum(size: int, other: int):
    for tiling in (by_columns(size, other), by_rows(other, size)):
        lanes, width, splits = tiling
        assert lanes % width == 0
        assert width <= lanes
        assert splits >= 1
    if size == 10**6:
        assert by_columns(size, other).splits * -(-other // by_columns(size, other).width) >= 132
        assert by_rows(1, size).splits >= 132


@pytest.mark.parametrize(
    ("shape", "operands", "found"),
    [
        ((2, 3), ((2, 3), (3,)), ((2, 3), ("f", "r"))),
        ((2, 3), ((2, 3), (2, 1)), ((2, 3), ("f", "c"))),
        ((2, 3, 4), ((3, 4), (2, 1, 1)), ((2, 12), ("r", "c"))),
        ((1, 3), ((1, 3), (3,)), ((3,), ("f", "f"))),
        ((2, 3, 4, 5), ((2, 1, 4, 5), (2, 3, 4, 5)), ((2, 3, 20), ("101", "f"))),
        ((), ((), None), ((), ("f", "p"))),
        ((2, 2, 2, 2, 2), ((2, 1, 2, 1, 2), (2, 2, 2, 2, 2)), None),
    ],
)
def test_axes_that_lie_alike_are_merged(shape: Any, operands: Any, found: Any):
    assert layout_of(shape, operands) == found


# ----- what is written


def constants(text: str) -> Iterator[str]:
    """The floats that stand in a text, with what stands around them."""
    yield from re.findall(r"\S*\b\d+\.\d*(?:e-?\d+)?\S*", text)


def test_every_constant_is_typed_once_outside_the_kernel():
    for name, each in KERNELS.items():
        build, kernel = inspect.getsource(each.build).split("    def kernel(")
        assert not list(constants(kernel)), name
        assert all(word.startswith("T(") for word in constants(build)), name


def test_numbers_of_a_program_share_a_kernel_and_parameters_do_not():
    x = there(np.ones(3))
    kernels = [plan_of(PRIMITIVES["mul"], (x, n), None, {}).steps[0].made.kernel for n in (0.1, 2)]  # type: ignore[union-attr]
    assert kernels[0] is kernels[1]
    assert kernels[0].arguments == "T[:] T T[:]"
    slopes = [
        made(PRIMITIVES["leaky_relu"], Form("flat", (Operand("f"),)), {"negative_slope": slope})
        for slope in (0.01, 0.5, -0.5, 0.0, -0.0)
    ]
    names = [each.kernel.name for each in slopes if each is not None]
    assert names[0] == "leaky_relu_value_f"
    assert len(set(names)) == 5


@pytest.mark.parametrize(
    ("name", "loads"),
    [("add", ("g",)), ("mul", ("g", 0, 1)), ("div", ("g", "out", 1)), ("exp", ("g", "out"))],
)
def test_what_a_rule_does_not_use_is_not_read(name: str, loads: Any):
    op = PRIMITIVES[name]
    operands = tuple(Operand("f") for _ in op.inputs)
    found = made(op, Form("flat", operands, tuple(True for _ in op.inputs)))
    assert found is not None
    assert found.loads == loads


def test_a_number_of_the_program_receives_no_flow():
    x = there(np.full(3, 4.0))
    found = flows(PRIMITIVES["mul"], x, x, [x, 2.0], [True, True], {})
    assert found is not None
    assert found[1] is None
    agree(found[0], np.full(3, 8.0))


@pytest.mark.parametrize("name", ["add_value_f_010", "mul_flows_fr_01", "mul_flows_fc_01"])
def test_fewer_threads_than_a_tile_is_wide_do_all_the_work(name: str):
    kernel = KERNELS[name]
    trial = next(iter(kernel.trials(np.random.default_rng(0), np.float32)))
    found = []
    for threads in (8, 64):
        arguments = [x.copy() if isinstance(x, np.ndarray) else x for x in trial.arguments]
        run(kernel, np.float32, Launch(2, threads), arguments, {**trial.options, "width": 32})
        found.append([arguments[k] for k in trial.expected])
    np.testing.assert_equal(found[0], found[1])
    assert not any(np.isnan(x).any() for x in found[0])


def test_an_operand_may_have_the_name_of_something_in_the_kernel():
    @elementwise(vjps={"rows": lambda g, out, rows, t0: g * t0}, name="odd_names")
    def odd(rows: Any, t0: Any) -> Any:
        "A product."
        return rows * t0

    case = Case(odd, (np.ones((3, 2)), np.array([2.0, 3.0])), {})
    try:
        agree_in_flows(case)
        agree(value(odd, [there(x) for x in case.args], {}), case.run()[0])
    finally:
        del PRIMITIVES["odd_names"]


def test_an_operation_that_is_declared_again_gets_another_kernel():
    names = set()
    for factor in (2.0, 3.0):

        def kernel(x: Any, factor: float = factor) -> Any:
            return x * factor

        @elementwise(name="scaled", kernel=lambda x, factor=factor: x * factor)
        def scaled(x: Any) -> Any:
            "A multiple."

        try:
            agree(value(scaled, [there(np.ones(3))], {}), np.full(3, factor))
            found = made(scaled.replaced(home="users.scaled"), Form("flat", (Operand("f"),)))
            assert found is not None
            names.add(found.kernel.name)
        finally:
            del PRIMITIVES["scaled"]
    assert len(names) == 2


def test_a_constant_may_be_infinite():
    @elementwise(name="half_open", kernel=lambda x: PRIMITIVES["where"](x > 0, x, -np.inf))
    def half_open(x: Any) -> Any:
        "x, or minus infinity."

    try:
        agree(value(half_open, [there(np.array([1.0, -1.0]))], {}), np.array([1.0, -np.inf]))
    finally:
        del PRIMITIVES["half_open"]


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, out, x: g if (x > 0).all() else -g,
        lambda g, out, x: g / x.size * 3.0,
        lambda g, out, x: g if x.ndim else g * 2.0,
    ],
)
def test_a_rule_that_asks_for_values_or_shapes_is_run_by_its_operations(rule: Any):
    op = elementwise(vjps={"x": rule}, name="asking")(lambda x: np.negative(np.negative(x)))
    try:
        x = there(np.ones(3))
        assert value(op, [x], {}) is None
        assert flows(op, x, x, [x], [True], {}) is None
        agree(native.pull(op, x, x, [x], [True])[0], np.ones(3))
    finally:
        del PRIMITIVES["asking"]


def test_kernels_compute_in_no_type_that_is_not_asked_for():
    x = there(np.ones(3, np.float32))
    assert typed_operands(PRIMITIVES["mul"], (x, 2.0)).dtype == np.float32  # type: ignore[union-attr]
    assert typed_operands(PRIMITIVES["mul"], (x, 2)).dtype == np.float32  # type: ignore[union-attr]


# ----- other dtypes

SOURCES = {
    "float64": np.array([[-2.75, 0.0, 3.5, np.nan, 1e300, -0.0]]),
    "float32": np.array([-2.75, 0.0, 3.5, 1e10], np.float32),
    "int64": np.array([[3], [0], [-7]]),
    "bool": np.array([True, False]),
}


@pytest.mark.parametrize("target", SOURCES)
@pytest.mark.parametrize("source", SOURCES)
def test_a_cast_gives_numpys_numbers(source: str, target: str):
    x = SOURCES[source]
    computed = native.compute(PRIMITIVES["astype"], [there(x)], {"dtype": target})
    with np.errstate(all="ignore"):
        agree(computed.value, x.astype(target), 0)
    assert not computed.host


def test_a_detached_array_is_the_same_memory():
    x = there(np.ones(3))
    assert native.compute(PRIMITIVES["detach"], [x], {}).value is x


def test_every_elementwise_operation_has_kernels_in_the_table():
    for op in PRIMITIVES.values():
        if op.elementwise and op.home.startswith("ops."):
            assert any(name.startswith(f"{op.name}_value_f") for name in KERNELS), op.name
            if any(op.rules):
                assert any(name.startswith(f"{op.name}_flows_f") for name in KERNELS), op.name
    assert len(cases_of(PRIMITIVES["add"])) >= 5
