"""Two traces side by side: what differs, by how much, and where it begins."""

import numpy as np
import pytest

import tracer as tr
from tracer.insight.comparison import apart


def network(w=2.0, dtype=None):
    x = tr.tensor(np.array([1.0, 3.0]), name="x", dtype=dtype)
    weight = tr.tensor(np.array([w, 0.5]), name="w", dtype=dtype)
    h = tr.tanh(x * weight)
    return tr.trace((h * h).sum())


def test_a_trace_equals_itself_bit_for_bit():
    found = tr.compare(network(), network())
    assert found.ok
    assert bool(found)
    assert found.forward is None
    assert found.backward is None
    assert str(found) == (
        "6 nodes compared: values the same bit for bit, gradients the same bit for bit"
    )


def test_the_first_to_diverge_is_named_in_either_direction():
    a = network()
    h = a.node_index("h")
    found = tr.compare(a, a.replay({h: np.array([0.5, 0.5])}))
    assert not found.ok
    assert found.forward.label == "h"
    # what flowed further up from an overridden node is cut; the sum passes its 1 on in both
    assert found.backward.label == "h"
    said = str(found).splitlines()
    assert said[1].startswith("first to diverge forward: h, ")
    assert said[1].endswith("% apart: [0] 0.964028 against 0.5")
    assert said[2].startswith("first to diverge backward: h, ")


def test_a_change_of_a_few_ulps_is_within_the_limit_and_is_told():
    a = network()
    moved = a.replay({"x": np.array([np.nextafter(1.0, 2.0), 3.0])})
    assert tr.compare(a, moved).ok
    assert "ulp" in str(tr.compare(a, moved))
    assert not tr.compare(a, moved, ulps=0).ok
    assert tr.compare(a, moved, ulps=0).forward.label == "x"


def test_traces_of_two_dtypes_are_compared_in_ulps_of_the_coarser():
    found = tr.compare(network(), network(dtype="float32"), ulps=64)
    assert found.ok
    assert not tr.compare(network(), network(dtype="float32"), ulps=0).ok


def test_nodes_that_only_one_of_them_has_are_named():
    x = tr.tensor(2.0, name="x")
    y = x * x
    found = tr.compare(tr.trace(y), tr.trace(tr.exp(x) * x))
    assert not found.ok
    assert "y" in found.alone[0]
    assert len(found.alone[1]) == 2
    assert "only the second has exp@1, mul@2" in str(found)


def test_a_gradient_that_only_one_of_them_has_diverges():
    x = tr.tensor(2.0, name="x")
    a, b = tr.trace(x * x), tr.trace(x * x.detach())
    pair = next(row for row in tr.compare(a, b).rows if row.label == "x")
    assert pair.gradient.ulps > 0


@pytest.mark.parametrize(
    ("a", "b", "ulps"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0),
        ([1.0, 2.0], [1.0, 2.0 + 3 * 2.0**-51], 3),
        ([0.0, 1.0], [2.0**-52, 1.0], 1),
        ([np.nan, 1.0], [np.nan, 1.0], 0),
        ([np.inf, 1.0], [np.inf, 1.0], 0),
        ([np.nan, 1.0], [0.0, 1.0], np.inf),
        ([np.inf, 1.0], [-np.inf, 1.0], np.inf),
        ([0.0], [-0.0], 0),
        ([], [], 0),
    ],
)
def test_arrays_lie_so_many_ulps_of_the_largest_element_apart(a, b, ulps):
    assert apart(np.array(a), np.array(b)).ulps == ulps


def test_shapes_that_differ_are_said():
    found = apart(np.zeros(3), np.zeros((3, 1)))
    assert found.ulps == np.inf
    assert str(found) == "shape (3,) against shape (3, 1)"


def test_what_is_no_trace_is_refused():
    with pytest.raises(tr.errors.CheckError, match=r"float is no trace\n  try: tr.compare"):
        tr.compare(network(), 3.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ends", ["batch_norm", "softmax", "cancels"])
def test_a_gradient_that_is_zero_but_for_rounding_does_not_diverge(dtype, ends):
    """The bias before a batch_norm, a softmax that is summed, a product that cancels."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(9, 4)).astype(dtype)

    def recorded(device):
        with tr.device(device):
            x = tr.tensor(data, name="x")
            b = tr.parameter(np.full(4, 0.3, dtype), name="b")
            z = x + b
            if ends == "batch_norm":
                y = tr.batch_norm(z) * tr.constant(data[::-1].copy())
            elif ends == "softmax":
                y = tr.softmax(z)
            else:
                y = tr.batch_norm(z @ tr.constant(np.eye(4, dtype=dtype)))
            return tr.trace(y.sum())

    found = tr.compare(recorded("cpu"), recorded("interpret"))
    assert found.ok, str(found)


def test_a_gradient_that_is_wrong_diverges_however_small_it_is():
    x = tr.tensor(np.array([1.0, 2.0]), name="x")
    right = tr.trace((x * 1e-10).sum())
    y = tr.tensor(np.array([1.0, 2.0]), name="x")
    wrong = tr.trace((y * 1.001e-10).sum())
    found = tr.compare(right, wrong)
    assert found.backward is not None
    assert found.backward.label == "x"


def test_a_move_to_another_device_is_no_node_to_compare():
    def network(move):
        x = tr.tensor(np.array([1.0, 3.0]), name="x")
        z = x.to("interpret") if move else x
        return tr.trace((z * z).sum())

    found = tr.compare(network(False), network(True))
    assert found.ok, str(found)
    assert len(found.rows) == 3
    assert found.alone == ((), ())


@pytest.mark.parametrize("ulps", [np.nan, -1, np.inf])
def test_a_limit_that_is_no_number_of_ulps_is_refused(ulps):
    with pytest.raises(tr.errors.CheckError, match="a number from 0"):
        tr.compare(network(), network(), ulps=ulps)


def test_whole_numbers_that_floats_cannot_tell_apart_are_told_apart():
    assert apart(np.array([2**60]), np.array([2**60 + 1])).ulps >= 1


def test_two_numbers_are_written_with_as_many_digits_as_tell_them_apart():
    found = apart(np.array([0.1, 1.0]), np.array([np.nextafter(0.1, 1.0), 1.0]))
    assert str(found) == "[0] 0.10000000000000001 against 0.10000000000000002"
