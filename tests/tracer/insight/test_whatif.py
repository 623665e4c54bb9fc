"""What if: an edited trace has the numbers of a fresh run, and first order predicts it as the gradient does."""

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from tracer.insight.edits import edit_of, read_edit
from tracer.insight.tangents import push
from tracer.insight.whatif import changes, edited, redo, undo

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2))


def layer(x=X, w=W, *, scale=2.0, eps=1e-5, power=2):
    x, w = tr.tensor(x, name="x"), tr.parameter(w, name="w")
    h = tr.tanh(x @ w)
    y = h * scale
    n = tr.layer_norm(y, tr.constant(np.ones(2)), tr.constant(np.zeros(2)), eps=eps)
    z = n**power
    loss = (z * y).sum()
    return loss


def traced(**changed):
    return tr.trace(layer(**changed))


def assert_same_numbers(one, other):
    for k in range(len(other)):
        np.testing.assert_array_equal(one.value(k), other.value(k), strict=True)
        np.testing.assert_array_equal(one.gradient(k), other.gradient(k), strict=True)


def with_element(array, index, value):
    array = array.copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("text", "fresh"),
    [
        ("w[0, 1] = 0.25", {"w": with_element(W, (0, 1), 0.25)}),
        ("w[:, 0] *= 2", {"w": W * [2.0, 1.0]}),
        ("x[-1] = [1, 2, 3]", {"x": with_element(X, -1, [1.0, 2.0, 3.0])}),
        ("x = 0.5", {"x": np.full((4, 3), 0.5)}),
        ("w += 1e-3", {"w": W + 1e-3}),
        ("y.y = 0.5", {"scale": 0.5}),
        ("z.y = 3", {"power": 3}),
        ("n.eps = 1e-1", {"eps": 1e-1}),
        ("n.eps *= 100", {"eps": 1e-5 * 100}),
        ("x = x * 1.5", {"x": X * 1.5}),
        ("w[0] = mean(w, axis=0)", {"w": with_element(W, 0, W.mean(axis=0))}),
    ],
)
def test_an_edit_gives_the_numbers_of_a_fresh_run(text, fresh):
    assert_same_numbers(edited(traced(), None, text).trace, traced(**fresh))


def test_edits_add_up_and_are_undone_and_made_again():
    base = traced()
    one = edited(base, None, "w[0, 1] = 0.25")
    two = edited(base, one, "n.eps = 0.1")
    assert_same_numbers(two.trace, traced(w=with_element(W, (0, 1), 0.25), eps=0.1))
    back = undo(two)
    assert_same_numbers(back.trace, one.trace)
    assert [each.text for each in back.undone] == ["n.eps = 0.1"]
    assert_same_numbers(redo(back).trace, two.trace)
    assert undo(back).trace is base
    assert edited(base, back, "x = 1").undone == ()


def test_an_edit_counts_on_from_the_edits_before():
    x = tr.tensor(3.0, name="x")
    base = tr.trace(x * x)
    twice = edited(base, edited(base, None, "x *= 2"), "x *= 2")
    assert twice.trace.value("x") == 12.0
    assert [(e.before, e.after) for e in twice.edits] == [(3.0, 6.0), (6.0, 12.0)]


def test_an_edited_inner_node_is_cut_and_keeps_its_name():
    x = tr.tensor(3.0, name="x")
    base = tr.trace(tr.tanh(x * 0.1) * x)
    label = base.label(1)
    found = edited(base, None, f"{label} = 0.5")
    assert found.trace[label].kind == "input"
    assert found.trace.gradient("x") == np.tanh(0.5)
    assert found.changed.tolist() == [False, True, True, True]


def test_only_nodes_with_another_value_count_as_changed():
    x, y = tr.tensor(-3.0, name="x"), tr.tensor(2.0, name="y")
    dead = tr.relu(x)
    base = tr.trace(dead * y + y)
    assert edited(base, None, "x = -4").nodes.tolist() == [base.node_index("x")]
    both = edited(base, None, "x = 4")
    assert [base.label(k) for k in both.nodes] == ["x", "dead", "mul@3", "add@4"]


def test_a_guard_that_would_flip_is_named():
    x = tr.tensor(2.0, name="x")
    y = x * 3.0 if x > 1 else x * 5.0
    assert len(edited(tr.trace(y), None, "x = 0.5").trace.flipped) == 1


def test_a_step_down_the_gradient_can_be_written():
    base = traced()
    found = edited(base, None, "w -= 1e-6 * w.grad")
    step = np.sum(base.gradient("w") ** 2) * 1e-6
    assert found.difference(base.loss).change == pytest.approx(-step, rel=1e-3)


# ----- first order


@pytest.mark.parametrize("text", ["w[0, 1] += 1e-6", "x *= 1.000001", "y[2, 1] += 1e-6"])
def test_the_prediction_for_the_loss_is_gradient_times_change(text):
    base = traced()
    found = edited(base, None, text)
    edit = found.edits[0]
    by_gradient = np.sum(base.gradient(edit.node) * (edit.value - base.value(edit.node)))
    loss = found.difference(base.loss)
    assert loss.predicted.size == pytest.approx(by_gradient, rel=1e-9)
    assert loss.predicted.ratio == pytest.approx(1, abs=1e-4)


def test_every_prediction_is_the_limit_of_the_difference():
    base = traced()
    found = edited(base, None, "w += 1e-7")
    for node in found.nodes:
        assert found.difference(node).predicted.ratio == pytest.approx(1, abs=1e-5)


def test_a_large_change_leaves_the_straight_line():
    x = tr.tensor(3.0, name="x")
    base = tr.trace(x * x)
    loss = edited(base, None, "x = 5").difference(1)
    assert loss == (9.0, 25.0, 16.0, (12.0, 16 / 12))


def test_a_number_that_an_operation_reads_is_predicted_by_its_rule():
    x = tr.tensor(3.0, name="x")
    base = tr.trace(x**2)
    loss = edited(base, None, "pow@1.y = 2.001").difference(1)
    assert loss.predicted.size == pytest.approx(0.001 * 9 * np.log(3))


def test_what_has_no_derivative_is_taken_as_it_is_and_spreads_from_there():
    base = traced()
    found = edited(base, None, "n.eps *= 1.1")
    n, loss = found.difference(base.node_index("n")), found.difference(base.loss)
    assert n.predicted.size == n.change
    assert loss.predicted.ratio == pytest.approx(1, abs=1e-2)
    assert loss.predicted.ratio != 1

    x, k = tr.tensor([1.0, 2.0, 4.0], name="x"), tr.constant(np.array([0, 1]), name="k")
    picked = tr.trace((x[k] * 2.0).sum())
    assert edited(picked, None, "k[0] = 2").difference(picked.loss) == (6.0, 12.0, 6.0, (6.0, 1.0))


def test_a_blocked_gradient_predicts_no_change():
    with tr.record():
        x = tr.tensor(3.0, name="x")
        base = tr.trace(x.detach() * 2.0 + x * 0.0)
    assert edited(base, None, "x = 4").difference(base.loss).predicted.size == 0.0


@pytest.mark.parametrize("family", ["elementwise", "other"])
def test_pushing_forward_is_pulling_back_transposed(family):
    """⟨w, J t⟩ = ⟨Jᵀ w, t⟩ for every operation that has a derivative."""
    rng = np.random.default_rng(1)
    met = 0
    for op in PRIMITIVES.values():
        if op.elementwise != (family == "elementwise"):
            continue
        for args, params in op.samples(rng)[:3]:
            leaves = [tr.tensor(a) if isinstance(a, (np.ndarray, np.generic)) else a for a in args]
            out = op(*leaves, **params)
            if not isinstance(out, tr.Tensor) or not out.tracked:
                continue
            seed = np.asarray(rng.normal(size=out.shape), out.dtype)[()]
            trace = tr.trace(out, seed=seed)
            moving = {
                k: np.asarray(rng.normal(size=trace[k].shape), trace[k].dtype)[()]
                for k in range(trace.loss)
                if trace.gradient(k) is not None
            }
            pushed = push(trace, trace.loss, moving, {})
            assert pushed is not None, op.name
            back = sum(float(np.sum(trace.gradient(k) * t)) for k, t in moving.items())
            there = float(np.sum(seed * pushed))
            close = 1e-4 if out.dtype == np.float32 else 1e-9
            assert there == pytest.approx(back, rel=close, abs=close, nan_ok=True), op.name
            met += 1
    assert met > 50


# ----- what is written


def test_the_edit_that_somebody_starts_from_changes_nothing():
    base = traced()
    for node in range(len(base)):
        text = edit_of(base, node, (0,) * base.value(node).ndim)
        assert not edited(base, None, text).changed.any()


def test_names_with_brackets_and_points_are_found():
    one, two = tr.tensor(1.0, name="h[0]"), tr.tensor([2.0, 3.0], name="net.w")
    base = tr.trace((one * two).sum())
    assert edited(base, None, "h[0] = 5").trace.value("h[0]") == 5.0
    assert edited(base, None, "net.w[1] = 5").trace.value("net.w").tolist() == [2.0, 5.0]


def test_not_a_number_and_infinity_can_be_written():
    base = traced()
    assert np.isnan(edited(base, None, "w[0, 0] = nan").trace.value(base.loss))
    assert edited(base, None, "w[0, 0] = -inf").trace.value("w")[0, 0] == -np.inf


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an edit is NODE = VALUE"),
        ("w", "an edit is NODE = VALUE"),
        ("w == 3", "an edit is NODE = VALUE"),
        ("w = ", "an edit is NODE = VALUE"),
        ("v = 3", "there is no node 'v'"),
        ("w[5] = 3", r"w is 3×2, so there is no \[5\] in it"),
        ("w[a] = 3", r"\[a\] is no index"),
        ("w[0)] = 3", r"is no index"),
        ("w = [1, 2, 3]", r"has shape \(3,\), what it is put into \(3, 2\)"),
        ("w *= [1, 2, 3]", r"has shape \(3,\), what it changes \(3, 2\)"),
        ("n.eps = 'small'", "eps of n is 1e-05"),
        ("n.width = 3", "n .layer_norm. has no parameter 'width'; it has axis, eps"),
        ("y.x = 3", "that is the node h: try h = 1"),
        ("w.eps = 3", "it has none"),
        ("y.y = [1, 2]", "reads a number here"),
        ("w = import os", "this is not an expression"),
        ("w = __import__('os').getpid()", "there is no function 'getpid'"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(text, said):
    with pytest.raises(tr.errors.GradstepError, match=said):
        edited(traced(), None, text)


def test_an_edit_that_would_change_a_shape_is_refused():
    x = tr.tensor(np.ones((3, 2)), name="x")
    base = tr.trace(tr.sum(x, axis=0).sum())
    with pytest.raises(tr.errors.ReplayError, match="would not have its recorded shape"):
        edited(base, None, "sum@1.axis = 1")


def test_integers_stay_whole():
    k = tr.constant(np.array([0, 1]), name="k")
    base = tr.trace(tr.tensor([1.0, 2.0], name="x")[k].sum())
    with pytest.raises(tr.errors.DTypeError, match="whole numbers"):
        edited(base, None, "k[0] = 0.5")


def test_a_run_can_be_stopped_and_nothing_has_happened():
    base = traced()

    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        changes(base, [read_edit(base, "w = 1")], stop)


def test_a_chain_of_a_hundred_thousand_nodes_is_edited_without_recursion():
    a, w = tr.tensor(1.0, name="a"), tr.parameter(1.000001, name="w")
    for _ in range(20_000):
        a = a * w
    base = tr.trace(a)
    found = edited(base, None, "w += 1e-9")
    assert found.difference(base.loss).predicted.size == pytest.approx(
        float(base.gradient("w")) * 1e-9, rel=1e-6
    )
    assert len(found.nodes) == 20_001
