"""`tr.check`: right gradients pass, wrong ones do not, and bad input is said to be bad."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from ops.primitive import Primitive
from tracer.checking import AGREE, DISAGREE, UNDECIDABLE
from tracer.checking.report import PRECISION_LIMITED, Report
from tracer.errors import CheckError, DTypeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))
W = RNG.normal(size=(4, 2))

DIFFERENTIABLE = [op for op in PRIMITIVES.values() if op.vjps and op.sampler is not None]

STEPS = ("sign", "floor", "ceil", "trunc", "round")
SLOPED = [op for op in DIFFERENTIABLE if op.name not in STEPS]
"""A step function has slope 0 everywhere, and 0 has no mutants."""


def mutant(op: Primitive, change: Callable[[Any], Any]) -> Primitive:
    """The primitive with every cotangent changed."""

    def changed(rule: Any) -> Any:
        if rule is None:
            return None
        return lambda *args, **named: change(rule(*args, **named))

    def all_changed(flow: Any) -> Any:
        return [change(each) for each in flow] if isinstance(flow, list) else change(flow)

    joint = op.joint
    return op.replaced(
        vjps=MappingProxyType({name: changed(rule) for name, rule in op.vjps.items()}),
        joint=joint
        and (lambda *a, **n: {name: all_changed(flow) for name, flow in joint(*a, **n).items()}),
    )


def reports(op: Primitive) -> Iterator[Report]:
    """One report for each sample of a primitive that has something to check."""
    for sample in op.samples(np.random.default_rng(7)):
        with contextlib.suppress(CheckError):
            yield tr.check(op, sample.args, params=sample.params)


@pytest.mark.slow
@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_no_right_rule_is_blamed(op):
    """Beside a kink of the slope itself (elu at 0) a number may be known too roughly, which is no blame."""
    for report in reports(op):
        assert report.ok or report.outcome == PRECISION_LIMITED, report
        assert report.faulty == ""


FEW = ("tanh", "mul", "matmul", "sum", "concat", "batch_norm", "getitem", "max", "where")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda flow: 1.0001 * flow, id="one in ten thousand"),
        pytest.param(lambda flow: -1.0 * flow, id="sign", marks=pytest.mark.slow),
        pytest.param(lambda flow: 0.0 * flow, id="zero", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "op",
    [
        pytest.param(op, id=op.name, marks=[] if op.name in FEW else pytest.mark.slow)
        for op in SLOPED
    ],
)
def test_every_mutant_of_a_rule_is_caught_and_named(op, change):
    summaries = (report.summary for report in reports(mutant(op, change)))
    assert any("FAIL" in said and f"rule of {op.name} by" in said for said in summaries)


def test_a_function_of_two_arrays_is_checked_element_by_element():
    report = tr.check(lambda x, w: tr.tanh(x @ w), (X, W))
    assert report.ok
    assert [(row.name, row.shape, row.count(AGREE)) for row in report.rows] == [
        ("x", (3, 4), 12),
        ("w", (4, 2), 8),
    ]


def test_one_wrong_element_among_nine_hundred_is_found():
    wrong = np.ones((30, 30))
    wrong[17, 4] = -1.0

    @tr.primitive(vjps={"x": lambda g, out, x: g * np.cos(x) * wrong}, name="sine_bad")
    def sine_bad(x):
        return np.sin(x)

    report = tr.check(sine_bad, (RNG.normal(size=(30, 30)),))
    del PRIMITIVES["sine_bad"]
    (row,) = report.rows
    assert [element.index for element in row.elements] == [(17, 4)]
    assert row.count(DISAGREE) == 1
    assert "all other elements are right" in row.notes
    assert report.faulty == "sine_bad@1"


def test_a_wrong_sign_of_size_1e_7_is_caught():
    @tr.primitive(vjps={"x": lambda g, out, x: g * -1e-7}, name="tiny_bad")
    def tiny_bad(x):
        return 1e-7 * x

    report = tr.check(tiny_bad, (X,))
    del PRIMITIVES["tiny_bad"]
    assert not report.ok
    assert report.rows[0].count(DISAGREE) == X.size


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_data_far_from_zero_is_no_false_alarm(offset):
    for f in (lambda x: tr.batch_norm(x, np.ones(4), np.zeros(4)), tr.softmax):
        assert tr.check(f, (X + offset,)).ok


def test_at_a_kink_a_subgradient_passes_and_another_number_does_not():
    report = tr.check(tr.relu, (np.array([0.0, 1.0, -2.0]),))
    assert report.ok
    (row,) = report.rows
    assert (row.count(AGREE), row.count(UNDECIDABLE)) == (2, 1)
    assert "kink" in str(report)
    wild = mutant(PRIMITIVES["relu"], lambda flow: flow + 3.0)
    assert tr.check(wild, (np.zeros(2),)).rows[0].verdict == DISAGREE


def test_a_gradient_that_is_nan_where_the_function_is_smooth_disagrees():
    """The dead branch of `where` holds the root of a negative number, and 0 times its slope is nan."""
    x = np.array([-1.0, 4.0])
    naive = tr.check(lambda x: tr.where(x > 0, tr.sqrt(x), 0.0 * x), (x,))
    assert not naive.ok
    assert "nan, where the number is finite" in str(naive)
    safe = tr.check(lambda x: tr.where(x > 0, tr.sqrt(tr.where(x > 0, x, 1.0)), 0.0 * x), (x,))
    assert safe.ok


def test_outputs_that_are_not_finite_are_left_out_and_said_so():
    report = tr.check(tr.log, (np.array([0.0, -1.0, 2.0]),))
    assert report.ok
    assert any("2 of 3 outputs are not finite" in note for note in report.notes)


def test_float32_arguments_are_checked_in_float64():
    report = tr.check(lambda x, w: tr.tanh(x @ w), (X.astype(np.float32), W.astype(np.float32)))
    assert report.ok
    assert all(element.numerical.bound < 1e-9 for row in report.rows for element in row.elements)


def test_a_function_that_computes_in_float32_is_checked_by_a_replay_in_float64():
    report = tr.check(lambda x: tr.tanh(x.astype("float32")).astype("float64"), (X,))
    assert report.ok
    assert any("float32" in note for note in report.notes)


def test_a_large_array_is_probed_along_directions_and_by_element_on_request():
    x = RNG.normal(size=(20, 20))
    (row,) = tr.check(lambda x: tr.sum(tr.tanh(x)), (x,)).rows
    assert row.verdict == AGREE
    assert [element.where for element in row.elements] == ["direction 0"]
    (row,) = tr.check(lambda x: tr.sum(tr.tanh(x)), (x,), elements=400).rows
    assert row.count(AGREE) == 400


def test_one_wrong_element_of_a_large_array_shows_along_the_directions():
    size = 5000
    wrong = np.ones(size)
    wrong[4321] = -1.0

    @tr.primitive(vjps={"x": lambda g, out, x: g * wrong}, name="copy_bad")
    def copy_bad(x):
        return x + 0.0

    report = tr.check(lambda x: tr.sum(copy_bad(x)), (RNG.normal(size=size),), elements=3)
    del PRIMITIVES["copy_bad"]
    assert not report.ok


def test_elements_limits_what_is_looked_at():
    row = tr.check(tr.tanh, (X,), elements=5).rows[0]
    assert [element.where for element in row.elements][5:] == ["direction 0"]


def test_order_is_1_or_2():
    with pytest.raises(CheckError, match="order is 3"):
        tr.check(tr.tanh, (X,), order=3)


def test_the_same_random_seed_gives_the_same_report():
    first, again = (str(tr.check(tr.tanh, (X,), seed=3)) for _ in range(2))
    assert first == again
    assert "random seed 3" in first
    assert first != str(tr.check(tr.tanh, (X,), seed=4))


def test_a_single_number_and_a_single_array_need_no_tuple():
    assert tr.check(lambda x: x * x, 3.0).ok
    assert tr.check(tr.tanh, X).ok


def test_other_arguments_are_handed_over_as_they_are():
    report = tr.check(lambda x, n, how: x**n if how == "power" else x, (abs(X), 3, "power"))
    assert report.ok
    assert [row.name for row in report.rows] == ["x"]


def test_an_empty_array_is_said_to_be_empty():
    report = tr.check(lambda x: x.sum(), (np.empty((0, 3)),))
    assert report.rows[0].because == "empty: nothing to check"
    assert report.rows[0].verdict == UNDECIDABLE


def test_a_recording_cut_on_the_way_disagrees_and_says_so():
    report = tr.check(lambda x: tr.tensor(np.asarray(x)) * 2.0, (X,))
    assert not report.ok
    assert "recording was cut" in str(report)


def test_an_argument_that_is_not_used_has_slope_0():
    report = tr.check(lambda x, y: x * 2.0, (X, X))
    assert report.ok
    assert "not used" in report.rows[1].notes[0]


def test_a_trace_is_checked_by_replays():
    x, w = tr.tensor(X.astype(np.float32), name="x"), tr.parameter(W, name="w")
    report = tr.check(tr.trace(tr.sum(tr.tanh(x @ w))))
    assert report.ok
    assert [row.name for row in report.rows] == ["x", "w"]


def test_a_detached_value_stays_what_it_was_in_the_replays_of_a_trace():
    with tr.record():
        x = tr.tensor(X, name="x")
        trace = tr.trace(tr.sum(x.detach() * x))
    assert tr.check(trace).ok


def test_a_trace_without_a_gradient_cannot_be_checked():
    with tr.record() as recorded:
        x = tr.tensor(X)
        y = tr.sum(x)
        trace = replace(tr.trace(y, recorded=recorded), loss=-1)
    with pytest.raises(CheckError, match="no loss"):
        tr.check(trace)


@pytest.mark.parametrize(
    ("fn", "args", "message"),
    [
        pytest.param(lambda x: x.sum(), (3,), "given int: nothing that has a gradient", id="int"),
        pytest.param(lambda x: x * 2.0, ([1.0, np.nan],), r"x holds nan at \[1\]", id="nan"),
        pytest.param(
            lambda x: np.asarray(x).fill(0.0), (X,), "raised ValueError", id="changes its argument"
        ),
        pytest.param(lambda x: x, (np.arange(3),), r"given i64\[3\]", id="integers"),
        pytest.param(lambda: None, (), "no arguments", id="nothing"),
        pytest.param(lambda x: x.value, (X,), r"returned an array f64\[3×4\]", id="array"),
        pytest.param(lambda x: (x, x), (X,), "returned tuple, not a Tensor", id="tuple"),
        pytest.param(lambda x: None, (X,), "returned NoneType", id="nothing returned"),
        pytest.param(lambda x: 1 / 0, (X,), "raised ZeroDivisionError", id="raises"),
        pytest.param(lambda x: x > 0, (X,), "which has no gradient", id="boolean output"),
        pytest.param(3, (X,), "int is neither a function nor a Trace", id="no function"),
        pytest.param(PRIMITIVES["greater"], (X, 0.0), "declares no derivative", id="no rule"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_a_cure(fn, args, message):
    with pytest.raises(CheckError, match=message) as caught:
        tr.check(fn, args)
    assert "try:" in str(caught.value)


def test_an_error_of_the_function_keeps_its_cause_and_names_the_arguments():
    with pytest.raises(CheckError, match=r"given x f64\[3×4\]") as caught:
        tr.check(lambda x: {}["key"], (X,))
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_shape_error_inside_the_function_is_shown_as_it_is():
    with pytest.raises(tr.errors.ShapeError):
        tr.check(lambda x: x @ x, (X,))


def test_complex_numbers_are_refused():
    with pytest.raises(DTypeError, match="complex"):
        tr.check(lambda x: x, (np.array([1j]),))


def test_a_random_function_is_noticed():
    rng = np.random.default_rng(0)
    with pytest.raises(CheckError, match="gave other numbers"):
        tr.check(lambda x: x * rng.normal(), (X,))


def test_a_function_that_keeps_something_between_calls_is_noticed():
    calls = []

    def f(x):
        calls.append(1)
        return x * float(len(calls) > 20)

    with pytest.raises(CheckError, match="gave other numbers"):
        tr.check(f, (X,))
