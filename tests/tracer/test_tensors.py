"""Tensors: what users of numpy and PyTorch expect of operators, data, dtypes and errors."""

import copy

import numpy as np
import pytest

import tracer as tr


def test_the_lecture_circuit_has_the_lecture_gradients():
    """f = (x + y) z at −2, 5, −4: Abbeel & Dragan, CS188 Deep Learning II."""
    x, y, z = tr.tensor(-2.0), tr.tensor(5.0), tr.tensor(-4.0)
    q = x + y
    f = q * z
    f.backward()
    assert (q.value, f.value) == (3.0, -12.0)
    assert [t.grad for t in (x, y, z, q, f)] == [-4.0, -4.0, 3.0, -4.0, 1.0]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (lambda x: x + 2, 5.0),
        (lambda x: 2 + x, 5.0),
        (lambda x: x - 1.0, 2.0),
        (lambda x: 1.0 - x, -2.0),
        (lambda x: x * 4, 12.0),
        (lambda x: 6 / x, 2.0),
        (lambda x: x**2, 9.0),
        (lambda x: 2**x, 8.0),
        (lambda x: -x, -3.0),
        (lambda x: abs(-x), 3.0),
        (lambda x: +x, 3.0),
        (lambda x: np.float64(2) * x, 6.0),
        (lambda x: [1.0, 2.0] @ tr.stack([x, x]), 9.0),
    ],
)
def test_operators_take_python_numbers_numpy_scalars_and_lists_on_either_side(expression, value):
    assert expression(tr.tensor(3.0)).item() == value


def test_python_numbers_do_not_widen_float32():
    x = tr.tensor(np.float32([1, 2]))
    y = ((x * 2.0 + 1) / 3) ** 2
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float32


def test_an_array_operand_becomes_a_constant_that_later_changes_do_not_reach():
    data = np.array([1.0, 2.0])
    x = tr.tensor([3.0, 4.0])
    y = (x * data).sum()
    data[0] = 100.0
    y.backward()
    assert x.grad.tolist() == [1.0, 2.0]


def test_values_and_gradients_are_read_only():
    x = tr.tensor([1.0, 2.0])
    y = x * x
    y.sum().backward()
    for array in (x.value, y.value, x.grad, y.grad, np.asarray(y)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0


def test_the_users_own_array_stays_writeable():
    data = np.ones(3)
    tr.tensor(data)
    data[0] = 2.0
    assert data.flags.writeable


def test_item_assignment_says_how_to_write_it_instead():
    x = tr.tensor([1.0, 2.0])
    with pytest.raises(tr.errors.GradientError, match=r"tr\.where.*scatter_add"):
        x[0] = 5.0


def test_writing_a_tensor_into_an_array_in_place_is_refused():
    data = np.ones(2)
    with pytest.raises(tr.errors.GradientError, match=r"np\.add cannot write"):
        data += tr.tensor([1.0, 2.0])


def test_a_list_of_tensors_is_not_data():
    x = tr.tensor(1.0)
    with pytest.raises(tr.errors.DTypeError, match=r"tr\.stack"):
        tr.tensor([x, x])


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (1j, "complex128"),
        (np.float16(1), "float16"),
        ("text", "<U4"),
        (None, "object"),
        ([[1.0], [1.0, 2.0]], "equal length"),
        (np.longdouble(1), "longdouble|float128"),
    ],
)
def test_data_of_other_kinds_is_refused_by_name(data, word):
    with pytest.raises(tr.errors.DTypeError, match=word):
        tr.tensor(data)


def test_integers_are_data_without_a_gradient():
    index = tr.tensor([2, 0])
    assert not index.requires_grad
    with pytest.raises(tr.errors.DTypeError, match=r"int64 tensor has no gradient(.|\n)*try: 3\.0"):
        tr.tensor(3, requires_grad=True)


def test_shapes_that_do_not_fit_name_the_operation_the_shapes_and_the_line():
    x, w = tr.tensor(np.ones((2, 3))), tr.tensor(np.ones((2, 4)))
    with pytest.raises(tr.errors.ShapeError) as caught:
        tr.tanh(x @ w)
    message = str(caught.value)
    assert "matmul" in message
    assert "x float64[2, 3], y float64[2, 4]" in message
    assert "test_tensors.py" in message
    assert "tr.tanh(x @ w)" in message
    assert "try: " in message


def test_broadcasting_failures_are_shape_errors_and_value_errors():
    with pytest.raises(ValueError, match=r"add: .*\(2,\) \(3,\)"):
        tr.tensor([1.0, 2.0]) + np.ones(3)


def test_a_broadcast_operand_receives_the_summed_gradient():
    x, b = tr.tensor(np.ones((4, 3))), tr.tensor(np.zeros(3))
    (x + b).sum().backward()
    assert b.grad.tolist() == [4.0, 4.0, 4.0]


def test_a_value_used_twice_receives_both_gradients():
    x = tr.tensor(3.0)
    (x * x).backward()
    assert x.grad == 6.0


def test_indexing_and_iteration_follow_numpy():
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    assert len(x) == 2
    assert x[1, 0].item() == 3.0
    assert x[:, -1].tolist() == [2.0, 4.0]
    (x[[0, 0, 1]] * 1.0).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0], [1.0, 1.0]]


def test_an_index_outside_its_axis_is_a_shape_error_in_the_users_words():
    with pytest.raises(tr.errors.ShapeError, match="index 5 is out of bounds"):
        tr.tensor([1.0, 2.0])[5]


def test_empty_and_rank_0_values_pass_through():
    empty = tr.tensor(np.empty((0, 3)))
    total = (empty * 2).sum()
    total.backward()
    assert total.item() == 0.0
    assert empty.grad.shape == (0, 3)
    with pytest.raises(TypeError, match="rank 0"):
        len(tr.tensor(1.0))


def test_nan_and_inf_are_values_not_warnings():
    x = tr.tensor([0.0, -1.0, np.inf])
    y = tr.log(x)
    y.sum().backward()
    assert np.isneginf(y.value[0])
    assert np.isnan(y.value[1])
    assert np.isinf(x.grad[0])
    assert np.isinf((1.0 / tr.tensor(0.0)).value)


def test_only_one_element_has_a_truth_value():
    with pytest.raises(tr.errors.ShapeError, match="needs one element"):
        bool(tr.tensor([1.0, 2.0]) > 0)
    assert bool(tr.tensor(1.0) > 0)
    assert float(tr.tensor([2.5])) == 2.5


def test_a_parameter_is_a_slot_whose_refill_leaves_recorded_graphs_alone():
    w = tr.parameter([1.0, 2.0], name="w")
    loss = (w * w).sum()
    w.set(w.value - 1.0)
    loss.backward()
    assert w.value.tolist() == [0.0, 1.0]
    assert w.grad is None
    assert tr.trace(loss).value("w").tolist() == [1.0, 2.0]
    with pytest.raises(tr.errors.ShapeError, match=r"shape \(3,\), the slot \(2,\)"):
        w.set(np.ones(3))


def test_a_training_loop_does_not_grow():
    import gc

    w = tr.parameter(1.0)
    data = tr.constant(2.0)

    def step():
        loss = (w * data - 1.0) ** 2
        if loss > 1e9:
            raise AssertionError
        loss.backward()
        w.set(w.value - 0.01 * w.grad)

    def alive():
        gc.collect()
        return sum(type(x) is tr.Tensor for x in gc.get_objects())

    for _ in range(3):
        step()
    before = alive()
    for _ in range(20):
        step()
    assert alive() == before


def test_numpys_functions_record():
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]])
    y = np.sum(np.exp(x) * np.tanh(x), axis=0)
    z = np.concatenate([y, np.mean(x, axis=1)]).sum() + np.max(np.where(x > 2, x, 0.0))
    assert isinstance(z, tr.Tensor)
    z.backward()
    assert x.grad.shape == (2, 2)
    assert np.allclose(x, [[1, 2], [3, 4]])


def test_a_numpy_function_without_a_primitive_says_what_to_write():
    x = tr.tensor([1.0, 2.0])
    with pytest.raises(
        tr.errors.UnknownNameError,
        match=r"np\.heaviside has no primitive, .*\n  try: np\.where\(x > 0, 1\.0, 0\.0\)$",
    ):
        np.heaviside(x, 0.5)
    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.unwrap"):
        np.unwrap(x)


def test_a_users_primitive_records_and_differentiates():
    @tr.primitive(vjps={"x": lambda g, out, x: g * 3 * x * x}, name="cube_of_a_test")
    def cube(x):
        """x to the third."""
        return x * x * x

    x = tr.tensor(2.0)
    y = cube(x)
    y.backward()
    assert (y.item(), x.grad) == (8.0, 12.0)
    assert tr.grad(tr.grad(cube(x), x, create_graph=True), x) == 12.0


def test_repr_tells_value_dtype_and_origin():
    assert repr(tr.tensor(2.0) * 3) == "tensor(6., op=mul)"
    assert "float32" in repr(tr.tensor(np.float32([1, 2])))
    assert repr(tr.parameter(1.0)).startswith("parameter(1.")


def test_one_element_is_formatted_as_its_number_without_a_guard():
    x = tr.tensor(2.0)
    y = x * x
    assert f"{y:.3f} {tr.parameter([1.5]):+.1e} {y}" == "4.000 +1.5e+00 tensor(4., op=mul)"
    assert tr.trace(y).guards == ()
    with pytest.raises(TypeError, match="format"):
        f"{tr.tensor([1.0, 2.0]):.3f}"


def test_a_copied_leaf_is_another_leaf():
    w, v = tr.parameter(2.0, name="w"), tr.tensor(3.0)
    for copied in (copy.copy, copy.deepcopy):
        w2, v2 = copied(w), copied(v)
        loss = v * 3 + v2 * 5 + copy.deepcopy(w) * w
        assert tr.grad(loss, [v, v2, w]) == [3.0, 5.0, 2.0]
        w2.set(7.0)
        assert w.value == 2.0
    with pytest.raises(tr.errors.GradientError, match="detach"):
        copy.deepcopy(v * 2)


def test_what_is_no_matter_of_shapes_is_no_shape_error():
    with pytest.raises(tr.errors.DTypeError, match=r"negative integer powers(.|\n)*astype"):
        tr.tensor(2) ** -1
    with pytest.raises(tr.errors.DTypeError, match=r"boolean subtract(.|\n)*astype"):
        (tr.tensor([1.0, 2.0]) > 1) - (tr.tensor(1.0) < 3)


def test_numpys_arguments_that_change_nothing_are_accepted_and_others_are_named():
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.sum(x, axis=0, out=None).tolist() == [4.0, 6.0]
    assert np.mean(x, axis=1, dtype=None).tolist() == [1.5, 3.5]
    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.mean: dtype="):
        np.mean(x, dtype="float32")
    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.mean: dtype="):
        np.mean(x, 1, "float32")  # not keepdims
    with pytest.raises(tr.errors.UnknownNameError, match=r"np\.linalg\.eigvalsh"):
        np.linalg.eigvalsh(x)


def test_a_graph_that_was_looked_at_dies_without_the_garbage_collector():
    import gc

    data, w = tr.constant(np.ones(3)), tr.parameter(np.ones(3))
    best = None

    def step():
        nonlocal best
        h = w * data
        loss = (h * h).mean()
        if loss > 1e9 or (h[0] > 5.0 and h.sum() > 1.0):
            raise AssertionError
        if best is None or loss < best:
            best = loss
        loss.backward()
        w.set(w.value * 0.9)
        return loss.item()

    def alive():
        return sum(type(x) is tr.Tensor for x in gc.get_objects())

    for _ in range(3):
        step()
    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in range(20):
            step()
        assert alive() <= before + 5
    finally:
        gc.enable()


def test_numpys_own_error_settings_do_not_reach_kernels_and_rules():
    x = tr.tensor([0.0, 1.0], name="x")
    with np.errstate(all="raise"):
        y = (tr.log(x) / x).sum()
        y.backward()
        assert np.isinf(tr.grad(y, x, create_graph=True).value[0])
        trace = tr.trace(y).replay({"x": [0.0, 2.0]})
        assert np.isinf(trace.gradient("x")[0])
        assert np.isneginf(tr.log(np.zeros(2))[0])
    assert np.isinf(x.grad[0])


@pytest.mark.parametrize(("given", "word"), [(None, "object"), ({}, "object"), ("a", "<U1")])
def test_a_kernel_that_gives_no_numbers_is_named(given, word):
    @tr.primitive(
        name=f"gives_{word[:2].strip('<')}_{type(given).__name__}", kernel=lambda x: given
    )
    def gives(x):
        """Nothing of use."""

    with pytest.raises((tr.errors.DTypeError, tr.errors.PrimitiveError), match="gives_"):
        gives(tr.tensor(1.0))


@pytest.mark.parametrize("kind", [list, np.ma.masked_array])
def test_what_a_kernel_gives_becomes_a_plain_read_only_array(kind):
    @tr.primitive(
        vjps={"x": lambda g, out, x: g},
        name=f"as_{kind.__name__}_of_a_test",
        kernel=lambda x: kind([[1.0, 2.0], [3.0, 4.0]]),
    )
    def given(x):
        """The same in another coat."""

    y = given(tr.tensor(np.ones((2, 2))))
    assert type(y.value) is np.ndarray
    assert not y.value.flags.writeable
    assert (y * y).tolist() == [[1.0, 4.0], [9.0, 16.0]]


@pytest.mark.parametrize(
    ("update", "value"),
    [
        (lambda w: w.__isub__(0.5 * w.grad), [1.0, 0.0]),
        (lambda w: w.__iadd__([1.0, 1.0]), [3.0, 3.0]),
        (lambda w: w.__imul__(2.0), [4.0, 4.0]),
        (lambda w: setattr(w, "value", [7.0, 8.0]), [7.0, 8.0]),
    ],
)
def test_a_parameter_is_updated_in_place_by_refilling_its_slot(update, value):
    w = tr.parameter([2.0, 2.0], name="w")
    loss = (w * [2.0, 4.0]).sum()
    loss.backward()
    trace = tr.trace(loss)
    update(w)
    assert isinstance(w, tr.Parameter)
    assert w.value.tolist() == value
    assert trace.value("w").tolist() == [2.0, 2.0]


def test_training_as_in_pytorch_trains():
    w = tr.parameter(0.0)
    for _ in range(50):
        loss = (w - 3.0) ** 2
        w.grad = None
        loss.backward()
        with tr.no_grad():
            for p in [w]:
                p -= 0.1 * p.grad
    assert w.item() == pytest.approx(3.0, abs=1e-3)


def test_a_recorded_step_is_refused_because_its_history_would_be_lost():
    w = tr.parameter(1.0, name="w")
    with pytest.raises(
        tr.errors.GradientError, match=r"parameter w: the step is itself recorded(.|\n)*no_grad"
    ):
        w -= w * 0.1


@pytest.mark.parametrize(
    ("say", "cure"),
    [
        (lambda x: x.view(2, 1), r"no 'view'(.|\n)*x\.reshape"),
        (lambda x: x.unsqueeze(0), r"x\[:, None\]"),
        (lambda x: x.t(), r"x\.T"),
        (lambda x: x.nonsense, "no attribute 'nonsense'$"),
    ],
)
def test_what_other_libraries_call_otherwise_is_named(say, cure):
    with pytest.raises(AttributeError, match=cure):
        say(tr.tensor([1.0, 2.0]))


def test_dim_is_called_axis_here():
    with pytest.raises(tr.errors.PrimitiveError, match=r"no parameter 'dim'(.|\n)*try: axis=0"):
        tr.tensor([1.0, 2.0]).sum(dim=0)


def test_an_operation_without_a_derivative_is_named_when_nothing_else_leads_on():
    x = tr.tensor([1.0, 2.0])
    with pytest.raises(tr.errors.GradientError, match="greater has no derivative"):
        ((x > 0) * 2.0).sum().backward()


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda x: x.sum(axis=2), "an axis from -2 to 1"),
        (lambda x: tr.softmax(x, axis=-3), "an axis from -2 to 1"),
        (lambda x: tr.gelu(x, approximate="tan"), r"another value: gelu\(x, approximate='none'\)"),
        (lambda x: tr.hypot(x, np.ones(4)), "make the sizes equal"),
    ],
)
def test_the_one_thing_to_try_is_about_what_was_wrong(call, cure):
    with pytest.raises(tr.errors.ShapeError, match=rf"\n  try: {cure}"):
        call(tr.tensor(np.ones((2, 3))))


def test_detach_as_a_function_forgets_what_led_to_it_as_the_method_does():
    h = tr.tensor(1.0)
    for _ in range(5):
        h = tr.detach(h * 2.0)
    assert h.is_leaf
    assert h.item() == 32.0
    with tr.record():
        assert tr.detach(tr.tensor(1.0) * 2.0).op is not None


def test_a_users_rule_cannot_write_into_a_gradient_that_others_hold():
    def rule(g, out, x):
        g *= 2
        return g

    spoiling = tr.primitive(vjps={"x": rule}, name="spoiling")(lambda x: x * 1)
    w = spoiling(tr.tensor(np.ones(3))) * 2.0
    with pytest.raises(ValueError, match="read-only"):
        w.backward(np.ones(3))


def test_a_scope_may_be_entered_again_inside_itself():
    again = tr.scope("a")
    with again, again:
        inner = tr.tensor(1.0) * 2.0
    assert [str(entry) for entry in inner.scope] == ["a", "a"]
    assert (tr.tensor(1.0) * 2.0).scope == ()
