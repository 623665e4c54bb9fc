"""What ran the rules of an operation: the mark of its pull, beside that of its value."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr


def by_rules(g, out, x):
    return 2 * g * x


def by_copies(g, out, x):
    return 2 * np.asarray(g) * np.asarray(x)


def by_bytes(g, out, x):
    return 2 * g * np.frombuffer(x.tobytes(), x.dtype)


def squared(rule, name):
    """x², of parts that run on a device."""

    @tr.primitive(vjps={"x": rule}, parts=lambda x: x * x, name=name)
    def square(x):
        return np.square(x)

    return square


def marks(trace, op):
    return next((node.kernels, node.flow_kernels) for node in trace if node.op_name == op)


@pytest.mark.parametrize(
    ("rule", "ran"), [(by_rules, "interpret"), (by_copies, "host"), (by_bytes, "host")]
)
def test_a_pull_that_numpy_ran_on_copies_bears_another_mark_than_its_value(rule, ran):
    name = f"squared_{rule.__name__}"
    x = tr.tensor([1.0, 2.0, 3.0], name="x", device="interpret")
    trace = tr.trace(squared(rule, name)(x).sum())
    assert marks(trace, name) == ("interpret", ran)
    assert marks(trace, "sum") == ("interpret", "interpret")
    np.testing.assert_array_equal(trace.gradient("x"), [2, 4, 6])


def test_a_rule_made_of_smaller_operations_is_marked_where_one_of_them_ran_on_copies():
    x = tr.tensor([[4.0, 1.0], [2.0, 3.0]], name="x", device="interpret")
    trace = tr.trace(tr.det(x) + tr.inv(x).sum() + tr.median(x))
    assert marks(trace, "det") == ("host", "host")
    assert marks(trace, "inv") == ("host", "interpret")
    assert marks(trace, "median") == ("host", "host")


def test_what_sends_no_flow_has_no_mark():
    x = tr.tensor([1.0, 2.0], name="x", device="interpret")
    trace = tr.trace(tr.where(x > 1.5, x, 0.0).sum())
    assert marks(trace, "greater") == ("interpret", "")
    assert marks(trace, "where") == ("interpret", "interpret")
    assert trace["x"].flow_kernels == ""


def test_a_copy_to_another_device_is_nobodys_work():
    x = tr.tensor([1.0, 2.0], name="x", device="interpret")
    trace = tr.trace((x.to("cpu") * 2.0).sum())
    assert marks(trace, "to") == ("interpret", "interpret")
    assert marks(trace, "mul") == ("numpy", "numpy")


@pytest.mark.slow
def test_on_the_cpu_the_form_of_the_operation_says_it():
    x = tr.tensor(np.ones(20_000), name="x")
    with tr.kernels("numba"):
        trace = tr.trace(tr.sum(tr.exp(x) * 2.0))
    assert marks(trace, "exp") == ("numba", "numba")
    assert {marks(tr.trace(tr.sum(x)), "sum")} == {("numpy", "numpy")}


def test_a_trace_on_the_host_or_from_a_file_does_not_claim_what_it_cannot_know(tmp_path):
    x = tr.tensor([1.0, 2.0, 3.0], name="x", device="interpret")
    trace = tr.trace((x * x).sum())
    assert marks(trace.on_host(), "mul") == ("numpy", "numpy")
    trace.save(tmp_path / "there.trace")
    assert marks(tr.load(tmp_path / "there.trace"), "mul") == ("interpret", "")
