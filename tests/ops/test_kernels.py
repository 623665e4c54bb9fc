"""Kernels that Numba compiles compute what the declarations say, and which of them run is a fixed choice."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from ops.catalogue import ACCELERATED, COMPILED, NEVER
from ops.kernels import elementwise
from ops.kernels.choice import acceleration, form
from ops.kernels.loops import Code, pattern_of, pull_code, value_code
from ops.kernels.reading import FUNCTIONS, UnreadableError
from ops.primitive import Primitive
from tests.ops.cases import Case, marked, signed
from tracer.errors import ShapeError


def _float_arrays(case: Case) -> bool:
    return any(getattr(x, "dtype", None) == np.float64 and np.ndim(x) for x in case.args)


LOOPED = marked(lambda case: case.op.elementwise and _float_arrays(case))
FLOWING = marked(lambda case: case.op.elementwise and bool(case.floats))
FUSED = marked(lambda case: case.op.name in ACCELERATED)


def seldom(cases: list[Any]) -> list[Any]:
    """The same, slow but for the first of each operation that auto does not compile: each takes a loop, and time.

    What auto compiles has a test of its own, bit by bit.
    """
    seen = set(COMPILED)
    found = []
    for param in cases:
        name = param.values[0].op.name
        marks = [pytest.mark.slow] if name in seen else []
        seen.add(name)
        found.append(pytest.param(*param.values, id=param.id, marks=marks))
    return found


DTYPES = ["float32", pytest.param("float64", marks=pytest.mark.slow)]
"""Every kernel of either dtype is compiled once, a tenth of a second each where no cache has it."""

LIBRARY_ULPS = 8
"""How far a loop that calls a function may lie from numpy: both call several, each good to a few ulps.

A loop of nothing but IEEE operations has every bit of numpy's.
"""


def laid_out(case: Case, dtype: str) -> Case:
    case = case.cast(dtype)
    return case._replace(
        args=tuple(np.ascontiguousarray(x) if np.ndim(x) else x for x in case.args)
    )


def assert_near(actual: Any, wanted: Any, ulps: int) -> None:
    assert np.shape(actual) == np.shape(wanted)
    assert np.asarray(actual).dtype == np.asarray(wanted).dtype
    if ulps == 0:
        np.testing.assert_array_equal(actual, wanted)
        return
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(np.isfinite(actual), finite)
    scale = np.max(np.abs(np.asarray(wanted)[finite]), initial=np.finfo(wanted.dtype).tiny)
    apart = np.abs(np.asarray(actual)[finite] - np.asarray(wanted)[finite])
    assert np.max(apart, initial=0.0) <= ulps * np.finfo(wanted.dtype).eps * scale


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", seldom(LOOPED))
def test_a_compiled_loop_computes_the_value_of_numpy(case: Case, dtype: str):
    case = laid_out(case, dtype)
    out, _ = case.run()
    found = elementwise.value(case.op, case.args, case.params)
    if found is not None:
        code = codes(case.op, case.args, case.params)["value"]
        assert_near(found, out, 0 if code.exact else LIBRARY_ULPS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", seldom(FLOWING))
def test_a_compiled_loop_computes_the_flows_of_the_rules(case: Case, dtype: str):
    case = laid_out(case, dtype)
    out, saved = case.run()
    g = np.asarray(signed(np.shape(out), dtype=dtype))[()]
    wanted = case.op.pull_back(g, out, case.args, case.wanted, case.params, saved)
    if np.ndim(out) and elementwise.fits(case.args, out.shape, out.dtype):
        found = elementwise.pull(case.op, g, out, case.args, case.wanted, case.params)
        if found is not None:
            for mine, theirs in zip(found, wanted, strict=True):
                assert (mine is None) == (theirs is None)
                if mine is not None:
                    assert_near(mine, theirs, LIBRARY_ULPS)


def codes(op: Primitive, args: Any, params: Any) -> dict[str, Code]:
    """What is compiled for arguments of one shape: of the value, and of the flows."""
    kinds = "".join("f" if np.ndim(x) else "n" for x in args)
    truths = [np.asarray(x).dtype == np.bool_ for x in args]
    wanted = [rule is not None for rule in op.rules]
    found = {"flows": pull_code(op, kinds, truths, wanted, params, "float32")}
    with suppress(UnreadableError):
        found["value"] = value_code(op, kinds, truths, params, "float32")
    return found


@pytest.mark.parametrize("name", sorted(COMPILED))
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_auto_compiles_has_the_bits_of_numpy_unless_it_calls_a_function(name: str, dtype: str):
    op = PRIMITIVES[name]
    draw = np.random.default_rng(0)
    params = dict(op.defaults)
    for shapes in (((5, 7), (5, 7), (5, 7)), ((5, 7), (7,), (7,))):
        args = [
            draw.normal(size=shape) > 0 if one == "condition" else signed_zeros(draw, shape, dtype)
            for one, shape in zip(op.inputs, shapes, strict=False)
        ]
        out, _ = op.run(args, params)
        g = draw.normal(size=out.shape).astype(dtype)
        wanted = [rule is not None for rule in op.rules]
        code = codes(op, args, params)
        if code["flows"].exact:
            found = elementwise.pull(op, g, out, args, wanted, params)
            assert found is not None
            for mine, theirs in zip(found, op.pull_back(g, out, args, wanted, params), strict=True):
                assert (mine is None) == (theirs is None)
                if mine is not None:
                    assert_same_bits(mine, theirs)
        if COMPILED[name].value < NEVER and code["value"].exact:
            assert_same_bits(elementwise.value(op, args, params), out)


def signed_zeros(draw: Any, shape: Any, dtype: str) -> Any:
    """Random numbers, and where there is room zeros of either sign, infinities and NaN."""
    x = draw.normal(size=shape)
    if x.ndim == 2:
        x[0, :6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0]
    return x.astype(dtype)


def assert_same_bits(mine: Any, theirs: Any) -> None:
    np.testing.assert_array_equal(mine, theirs)
    number = ~np.isnan(mine)
    if np.ndim(mine):
        np.testing.assert_array_equal(np.signbit(mine)[number], np.signbit(theirs)[number])


# ----- functions that vectorise

FUNCTION_ULPS = {"exp": 1.1, "expm1": 3, "tanh": 3, "log": 1, "log1p": 1, "erf": 2, "erfc": 5}
"""How far they may lie from the exact number, element by element."""


def exactly(name: str, x: Any) -> Any:
    """The function by another library, in a wider type if there is one."""
    if name.startswith("erf"):
        return np.array([getattr(math, name)(one) for one in x.tolist()])
    with np.errstate(all="ignore"):
        return getattr(np, name)(x.astype(np.longdouble))


def everywhere(dtype: str) -> Any:
    """Numbers of every size and of both signs, close ones near 1, the tails, and what is no common number."""
    info = np.finfo(dtype)
    sizes = np.logspace(np.log10(float(info.tiny)), np.log10(float(info.max)) - 0.1, 1500)
    x = np.concatenate([sizes, np.linspace(0, 3, 3001), np.linspace(0, 120, 3001)])
    odd = [np.inf, np.nan, info.smallest_subnormal, info.tiny, info.max, 709.78, 745.0, 88.7, 103.5]
    x = np.concatenate([x, odd])
    return np.concatenate([x, -x]).astype(dtype)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_function_in_a_loop_is_within_its_ulps(name: str, dtype: str):
    x = everywhere(dtype)
    found = elementwise.value(PRIMITIVES[name], (x,), {})
    assert found is not None
    wide = exactly(name, x)
    with np.errstate(over="ignore", under="ignore"):
        rounded = wide.astype(dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(rounded))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(rounded))
    number = ~np.isnan(found)
    np.testing.assert_array_equal(np.signbit(found)[number], np.signbit(rounded)[number])
    finite = np.isfinite(found)
    apart = np.abs(found[finite] - wide[finite])
    assert np.max(apart / np.spacing(np.abs(rounded[finite]))) <= FUNCTION_ULPS[name]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_of_an_element_do_not_depend_on_where_it_lies(name: str, dtype: str):
    x = everywhere(dtype)[::47]
    together = elementwise.value(PRIMITIVES[name], (x.copy(),), {})
    for k in range(x.size):  # by the rest of the loop, which is not vectorised
        alone = elementwise.value(PRIMITIVES[name], (x[k : k + 1],), {})
        np.testing.assert_array_equal(alone, together[k : k + 1])


@pytest.mark.parametrize(("name", "count"), [("mish", 1), ("gelu", 1), ("logaddexp", 2)])
@pytest.mark.parametrize("other", ["array", "number"])
def test_a_loop_with_several_calls_runs_in_blocks(name: str, count: int, other: str):
    op, params = PRIMITIVES[name], dict(PRIMITIVES[name].defaults)
    draw = np.random.default_rng(0)
    args = [draw.normal(size=1300), draw.normal(size=1300 if other == "array" else 1)][:count]
    assert "start + 512" in codes(op, args, params)["value" if name != "gelu" else "flows"].text
    out, _ = op.run(args, params)
    found = elementwise.value(op, args, params)
    assert found is not None
    np.testing.assert_allclose(found, out, rtol=1e-14)
    flows = elementwise.pull(op, out, out, args, [True] * count, params)
    assert flows is not None
    for mine, theirs in zip(
        flows, op.pull_back(out, out, args, [True] * count, params), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13, atol=1e-15)
    last = elementwise.value(op, [x[-1:] for x in args], params)
    np.testing.assert_array_equal(last, found[-1:])


def test_every_rule_by_elements_can_be_compiled_but_those_that_are_named():
    unreadable = set()
    for op in PRIMITIVES.values():
        if op.elementwise and op.home.startswith("ops.") and any(op.rules):
            kinds = "f" * len(op.inputs)
            wanted = [rule is not None for rule in op.rules]
            truths = [name == "condition" for name in op.inputs]
            params = dict(op.defaults)
            try:
                pull_code(op, kinds, truths, wanted, params, "float32")
            except UnreadableError:
                unreadable.add(op.name)
    assert unreadable == set()


def test_constants_have_the_dtype_of_the_arrays():
    text = pull_code(PRIMITIVES["tanh"], "f", [False], [True], {}, "float32").text
    assert "from numpy import float32 as T" in text
    assert "T(1.0)" in text


@pytest.mark.parametrize(
    ("shape", "operands", "kinds"),
    [
        ((2, 3), ((2, 3), (3,)), "fr"),
        ((2, 3), ((2, 3), (2, 1)), "fc"),
        ((2, 3, 4), ((3, 4), (2, 1, 1)), "rc"),
        ((2, 3), ((1, 1), None), "nn"),
        ((1, 3), ((1, 3), (3,)), "ff"),
        ((2, 3, 4), ((1, 3, 1), (2, 3, 4)), None),
        ((2, 3, 4), ((4,), (2, 1, 1)), None),
    ],
)
def test_broadcasting_is_seen_as_rows_and_columns(shape: Any, operands: Any, kinds: str | None):
    found = pattern_of(shape, operands)
    assert (found and found.kinds) == kinds


@pytest.mark.parametrize("kinds", ["ff", "fr", "rf", "fc", "cf", "fn", "rc", "nf"])
def test_a_broadcast_operand_receives_its_sum_in_the_same_pass(kinds: str):
    op = PRIMITIVES["mul"]
    draw = np.random.default_rng(0)
    shapes = {"f": (6, 5), "r": (5,), "c": (6, 1), "n": (1,)}
    x, y = (draw.normal(size=shapes[kind]) for kind in kinds)
    out = x * y
    g = draw.normal(size=out.shape)
    found = elementwise.pull(op, g, out, (x, y), [True, True], {})
    assert found is not None
    for mine, theirs in zip(found, op.pull_back(g, out, (x, y), [True, True]), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-14)


# ----- fused accelerations


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", FUSED)
def test_an_acceleration_agrees_with_its_definition(case: Case, dtype: str):
    case = laid_out(case, dtype)
    faster = acceleration(case.op.name)
    if not faster.fits(case.args, case.params):
        return
    out, saved = case.run()
    found = faster.kernel(*case.args, **case.params)
    value, kept = found if case.op.saves else (found, {})
    assert_near(np.asarray(value)[()], out, faster.ulps)
    assert sorted(kept) == sorted(saved)
    for name, number in saved.items():
        assert_near(kept[name], number, faster.ulps)
    if case.floats:
        g = np.asarray(signed(np.shape(out), dtype=out.dtype))[()]
        mine = faster.pull(g, value, case.args, case.wanted, case.params, kept)
        theirs = case.op.pull_back(g, out, case.args, case.wanted, case.params, saved)
        for one, other in zip(mine, theirs, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                assert_near(np.asarray(one)[()], other, 2 * faster.ulps)


@pytest.mark.parametrize("name", sorted(ACCELERATED))
def test_an_acceleration_fits_at_least_one_sample(name: str):
    faster = acceleration(name)
    cases = [param.values[0] for param in FUSED if param.values[0].op.name == name]
    assert any(faster.fits(laid_out(case, "float32").args, case.params) for case in cases)
    assert any(faster.fits(laid_out(case, "float64").args, case.params) for case in cases)


# ----- the choice


def big(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape)


def kernels_of(x: Any) -> str:
    return x.op.kernels


def test_auto_picks_by_size_and_a_choice_can_be_forced():
    small, middle, large = (tr.tensor(big(n, n)) for n in (4, 100, 128))
    assert kernels_of(tr.relu(small)) == "numpy"
    assert kernels_of(tr.relu(middle)) == "numba flows"
    assert kernels_of(tr.relu(large)) == "numba"
    with tr.kernels("numpy"):
        assert kernels_of(tr.relu(large)) == "numpy"
    with tr.kernels("numba"):
        assert kernels_of(tr.relu(small)) == "numba"
        with tr.kernels("auto"):
            assert kernels_of(tr.relu(small)) == "numpy"
    assert kernels_of(tr.relu(small)) == "numpy"


def test_another_choice_is_refused():
    with pytest.raises(ValueError, match="'numpy', 'numba' or 'auto', not 'cuda'"):
        tr.kernels("cuda")


def test_the_node_names_its_kernels_and_a_replay_runs_them(tmp_path: Path):
    x = tr.tensor(big(64, 256), name="x")
    loss = tr.sum(tr.abs(tr.gelu(x)))
    trace = tr.trace(loss)
    assert [node.kernels for node in trace] == ["", "numba", "numba flows", "numpy"]
    again = trace.replay({"x": x.value})
    np.testing.assert_array_equal(again.value(1), trace.value(1))
    np.testing.assert_array_equal(again.gradient("x"), trace.gradient("x"))
    file = tmp_path / "x.trace"
    trace.save(file)
    loaded = tr.load(file)
    assert [node.kernels for node in loaded] == ["", "numba", "numba flows", "numpy"]
    np.testing.assert_array_equal(loaded.replay({"x": x.value}).value(1), trace.value(1))
    np.testing.assert_array_equal(loaded.gradient("x"), trace.gradient("x"))


def test_second_derivatives_come_from_the_rule_whatever_kernels_ran():
    with tr.kernels("numba"):
        x = tr.tensor(big(3, 4))
        first = tr.grad(tr.sum(tr.tanh(x) * x), x, create_graph=True)
        second = tr.grad(tr.sum(first), x)
    y = tr.tensor(x.value)
    plain = tr.grad(tr.sum(tr.grad(tr.sum(tr.tanh(y) * y), y, create_graph=True)), y)
    np.testing.assert_allclose(second, plain, rtol=1e-13)


def test_an_operation_with_another_rule_never_runs_the_kernels_of_the_declared_one():
    relu = PRIMITIVES["relu"]
    wrong = relu.replaced(vjps={"x": lambda g, out, x: -g})
    x = tr.tensor(big(128, 128))
    wrong(x).sum().backward()
    np.testing.assert_array_equal(x.grad, -1.0)


def test_an_operation_with_another_kernel_computes_with_it():
    wrong = PRIMITIVES["relu"].replaced(kernel=lambda x: x + 1.0)
    x = tr.tensor(big(128, 128))
    np.testing.assert_array_equal(wrong(x).value, x.value + 1.0)


def test_a_loop_refuses_the_parameters_that_the_operation_refuses():
    x = tr.tensor(big(128, 128))
    with pytest.raises(ShapeError, match="'none' or 'tanh', not 'erf'"):
        tr.gelu(x, approximate="erf")
    with pytest.raises(ShapeError, match="alpha=0"):
        tr.celu(x, alpha=0)


def test_shapes_that_do_not_fit_are_explained_by_the_operation():
    with pytest.raises(ShapeError, match="prelu"):
        tr.prelu(tr.tensor(big(128, 128)), tr.tensor(big(7)))


def test_a_form_pickles_as_what_it_is():
    import pickle

    made = form(PRIMITIVES["relu"])
    assert pickle.loads(pickle.dumps(made)) is made
    assert made.definition is PRIMITIVES["relu"]


# ----- the cache

PROBE = """
import numba, numpy as np, ops, sys
from ops.kernels import compiling, elementwise
x = np.arange(6.0)
[flow] = elementwise.pull(ops.relu, x, x, (x,), [True], {})
kernel = next(iter(elementwise._KERNELS.values()))
print(flow.tolist(), sum(kernel.stats.cache_hits.values()), compiling.cache_folder())
"""


def probe(cache: Path, root: Path | None = None) -> list[str]:
    env = {**os.environ, "GRADSTEP_CACHE": str(cache)}
    here = root or Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=env, cwd=here, capture_output=True, text=True, check=True
    )
    return done.stdout.rsplit(maxsplit=2)


def test_a_second_process_finds_the_kernel_and_an_edit_in_ops_does_not(tmp_path: Path):
    import shutil

    root = Path(__file__).resolve().parents[2]
    shutil.copytree(root / "ops", tmp_path / "ops", ignore=shutil.ignore_patterns("__pycache__"))
    first = probe(tmp_path / "cache", tmp_path)
    second = probe(tmp_path / "cache", tmp_path)
    assert (first[1], second[1]) == ("0", "1")
    assert first[0] == second[0] == "[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]"
    with (tmp_path / "ops" / "formula.py").open("a") as file:
        file.write("# edited\n")
    third = probe(tmp_path / "cache", tmp_path)
    assert third[1] == "0"
    assert third[2] != second[2]


def test_a_folder_that_cannot_be_written_is_survived(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    flows, hits, folder = probe(tmp_path / "file")
    assert (flows, hits, folder) == ("[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]", "0", "None")


def test_a_kernel_file_that_was_tampered_with_is_written_again(tmp_path: Path):
    probe(tmp_path)
    (file,) = tmp_path.glob("*/gradstep_relu_*.py")
    text = file.read_text()
    file.write_text(text.replace("T(0)", "T(7)"))
    assert probe(tmp_path)[0] == "[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]"
    assert file.read_text() == text


def test_parameters_that_are_equal_but_not_the_same_have_kernels_of_their_own():
    x = np.full((2, 3), -1.0, np.float32)
    with tr.kernels("numba"):
        assert np.signbit(tr.elu(tr.tensor(x), alpha=0.5).value).all()
        assert tr.elu(tr.tensor(x), alpha=np.float64(0.5)).dtype == np.float32
        zeros = [tr.elu(tr.tensor(x), alpha=alpha).value for alpha in (-0.0, 0.0)]
    assert [np.signbit(value).all() for value in zeros] == [False, True]


def test_a_layout_that_has_no_loop_does_not_spoil_the_one_that_has():
    x = np.random.default_rng(0).normal(size=(37, 51))
    op = PRIMITIVES["gelu"]
    assert elementwise.value(op, (np.asfortranarray(x),), dict(op.defaults)) is None
    assert elementwise.value(op, (x,), dict(op.defaults)) is not None


def test_the_flow_into_a_number_is_as_accurate_as_numpys():
    draw = np.random.default_rng(0)
    x, weight = draw.normal(size=1_000_000), np.float64(0.25)
    g, op = draw.normal(size=x.size), PRIMITIVES["prelu"]
    found = elementwise.pull(op, g, op.run((x, weight))[0], (x, weight), [False, True], {})
    assert found is not None
    exact = math.fsum((g * np.where(x > 0, 0, x)).tolist())
    assert abs(found[1] - exact) <= 16 * np.spacing(abs(exact))
