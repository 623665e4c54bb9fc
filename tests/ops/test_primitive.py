"""Declaring an operation, calling it, and what both refuse; every message names the operation and what to write."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import ops
import tracer as tr
from ops import PRIMITIVES, Primitive, PrimitiveError, primitive
from ops.declaring import elementwise
from ops.formula import ATOM, Formula
from ops.primitive import Sample, Saved, sample


@pytest.fixture(autouse=True)
def _declared_here_is_forgotten() -> Iterator[None]:
    before = dict(PRIMITIVES)
    yield
    PRIMITIVES.clear()
    PRIMITIVES.update(before)


def cube_x(g: Any, out: Any, x: Any) -> Any:
    return g * 3 * x * x


def declared_cube() -> Primitive:
    @primitive(vjps={"x": cube_x}, samples=lambda rng: [(2.0,), sample(rng.normal(size=3))])
    def cube(x: Any) -> Any:
        """x to the third.

        Used by nobody.
        """
        return x * x * x

    return cube


# ----- declaring


def test_a_declaration_is_an_entry_of_the_table():
    cube = declared_cube()
    assert PRIMITIVES["cube"] is cube
    assert (cube.name, cube.inputs, cube.rules) == ("cube", ("x",), (cube_x,))
    assert cube.doc == "x to the third.\n\nUsed by nobody."
    assert cube.formula == Formula(
        "cube({x})", r"\operatorname{{cube}}\left({x}\right)", ATOM, symbol="cube"
    )
    assert [type(each) for each in cube.samples(np.random.default_rng(0))] == [Sample, Sample]
    assert repr(cube) == "<primitive cube(x)>"


def test_an_operation_without_samples_has_none():
    @primitive()
    def half(x: Any) -> Any:
        return x / 2

    assert half.samples(np.random.default_rng(0)) == []
    assert half.doc == ""
    assert not half.differentiable(0)


def test_keywords_are_parameters_and_one_without_a_default_must_be_given():
    @primitive()
    def scaled(x: Any, *, by: float, twice: bool = False) -> Any:
        return x * by * (1 + twice)

    assert scaled.usage() == "scaled(x, by=, twice=False)"
    assert scaled(3.0, by=2.0) == 6.0
    assert scaled(3.0, 2.0, twice=True) == 12.0
    with pytest.raises(PrimitiveError, match=r"scaled\(x, by=, twice=False\) needs by="):
        scaled(3.0)


def test_a_kernel_may_stand_in_for_the_decorated_function():
    @elementwise(kernel=np.cbrt, name="cube_root")
    def _cube_root(x: Any) -> Any:
        """The third root."""

    assert _cube_root.name == "cube_root"
    assert _cube_root.elementwise
    assert _cube_root(8.0) == 2.0


def test_a_lambda_needs_a_name():
    with pytest.raises(PrimitiveError, match="name='cube'"):
        primitive()(lambda x: x * x * x)
    named = primitive(name="cubed")(lambda x: x * x * x)
    assert named(2.0) == 8.0
    assert named.doc == ""


def _defaulted(x: Any, eps: float = 1e-5) -> Any:
    return x + eps


def _starred(x: Any, **options: Any) -> Any:
    return x


def _nothing(*, eps: float = 1e-5) -> Any:
    return eps


def _two(x: Any, y: Any, *, eps: float = 0.0) -> Any:
    return x + y


def _many(*xs: Any) -> Any:
    return xs[0]


def _g(*args: Any, **params: Any) -> Any:
    return args[0]


def _shifted(x, bias):
    return x + bias


def test_an_optional_input_may_be_left_out_or_be_none():
    shifted = primitive(vjps={"x": lambda g, out, x, bias: g}, optional={"bias": 0.5})(_shifted)
    assert shifted(1.0) == shifted(1.0, None) == shifted(x=1.0) == 1.5
    assert shifted(1.0, 2.0) == shifted(1.0, bias=2.0) == 3.0
    assert shifted.usage() == "_shifted(x, bias=0.5)"
    with pytest.raises(PrimitiveError, match="needs x"):
        shifted(bias=1.0)


def test_only_the_last_inputs_are_optional_and_only_numbers_stand_in():
    with pytest.raises(PrimitiveError, match="the last ones"):
        primitive(optional={"x": 0.0})(_shifted)
    with pytest.raises(PrimitiveError, match="a Python number stands in for bias"):
        primitive(optional={"bias": None})(_shifted)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (_starred, {}, r"_starred: \*\*options hides its parameters"),
        (_nothing, {}, "_nothing has no inputs"),
        (_defaulted, {}, r"eps has a default.*\n.*_defaulted\(\.\.\., \*, eps=1e-05\)"),
        (_two, {"vjps": {"z": _g}}, "a rule for 'z', but its inputs are x, y"),
        (_two, {"vjps": {"eps": _g}}, "a rule for 'eps', but its inputs are x, y"),
        (_two, {"joint": (_g, ("x", "z"))}, "a rule for 'z'"),
        (_two, {"joint": (_g, ("x",)), "vjps": {"y": _g}}, "a joint rule, but vjps are given too"),
        (
            _two,
            {"vjps": {"x": lambda g, out, x: g}},
            r"the rule of x cannot be called as rule\(g, out, x, y, eps=\)",
        ),
        (_two, {"vjps": {"x": lambda g, out, x, y: g}}, "cannot be called as rule.*'eps'"),
        (
            _many,
            {"vjps": {"xs": lambda g, out, *xs: g}},
            r"rule\(g, out, \*xs, position=\).*'position'",
        ),
    ],
)
def test_a_declaration_that_cannot_work_is_refused_at_once(
    function: Any, options: dict[str, Any], message: str
):
    with pytest.raises(PrimitiveError, match=message):
        primitive(**options)(function)
    assert function.__name__ not in PRIMITIVES


def test_a_name_that_is_taken_is_refused_and_the_entry_kept():
    before = PRIMITIVES["tanh"]
    with pytest.raises(
        PrimitiveError, match=r"'tanh' is already declared, as ops\.activations\.tanh"
    ):
        primitive(name="tanh", kernel=np.tanh)(lambda x: x)
    assert PRIMITIVES["tanh"] is before


def test_the_same_function_may_be_declared_again():
    """A notebook cell that runs twice, with its rule mended in between."""
    assert declared_cube() is not declared_cube()


def test_every_rule_of_ours_would_be_accepted_from_a_user():
    from ops.declaring import _check_rules

    for op in PRIMITIVES.values():
        keywords = (*op.defaults, *(each.name for each in op.saves))
        joint = op.joint is not None
        _check_rules(op.name, op.inputs, op.variadic, op.vjps, keywords, joint=joint)


def test_a_joint_rule_gives_a_list_for_the_input_that_repeats():
    def rule(g: Any, out: Any, scale: Any, *xs: Any) -> Any:
        return {"scale": g * (out / scale), "xs": [g * scale] * len(xs)}

    @primitive(joint=(rule, ("scale", "xs")))
    def scaled_sum(scale: Any, *xs: Any) -> Any:
        return scale * sum(xs)

    wanted = [True, False, True]
    flows = scaled_sum.pull_back(1.0, np.float64(10.0), np.array([2.0, 1.0, 4.0]), wanted)
    assert flows == [5.0, None, 2.0]


def test_a_primitive_is_itself_after_copying_and_pickling():
    assert copy.deepcopy(ops.matmul) is ops.matmul
    assert pickle.loads(pickle.dumps(ops.matmul)) is ops.matmul


# ----- calling


def test_parameters_may_be_given_by_position_and_inputs_by_name():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ops.sum(x, 0), x.sum(0))
    np.testing.assert_array_equal(ops.sum(x, 1, True), x.sum(1, keepdims=True))
    np.testing.assert_array_equal(ops.sum(x=x, axis=1), x.sum(1))
    assert ops.sub(5.0, y=3.0) == 2.0
    assert ops.sub(y=3.0, x=5.0) == 2.0


def test_several_inputs_may_come_as_one_list():
    x, y = np.ones(2), np.zeros(2)
    wanted = np.concatenate([x, y])
    np.testing.assert_array_equal(ops.concatenate(x, y), wanted)
    np.testing.assert_array_equal(ops.concatenate([x, y]), wanted)
    np.testing.assert_array_equal(ops.concatenate((x, y), axis=-1), wanted)
    np.testing.assert_array_equal(ops.stack([x, y], 1), np.stack([x, y], 1))
    np.testing.assert_array_equal(ops.concatenate([1.0, 2.0], [3.0]), [1, 2, 3])
    assert ops.concatenate([tr.tensor(x), y]).shape == (4,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.tanh(), r"tanh\(x\) needs x"),
        (lambda: ops.add(1.0), r"add\(x, y\) needs y"),
        (lambda: ops.add(), r"add\(x, y\) needs x, y"),
        (lambda: ops.add(1.0, 2.0, 3.0), r"add\(x, y\) takes at most 2 arguments, not 3"),
        (
            lambda: ops.sum(1.0, 0, True, 1),
            r"sum\(x, axis=None, keepdims=False\) takes at most 3 arguments, not 4",
        ),
        (lambda: ops.stack([1.0], 0, 1), r"takes at most 2 arguments, not 3"),
        (lambda: ops.sum(np.ones(3), dim=0), "has no parameter 'dim'"),
        (lambda: ops.sum(np.ones(3), 0, axis=0), "got axis twice"),
        (lambda: ops.add(1.0, x=2.0), "got x twice"),
        (lambda: ops.relu(input=1.0), "needs x, but got input$"),
        (lambda: ops.clip(1.0, a_min=0.0), r"has no parameter 'a_min'\n  try: low=0\.0$"),
        (lambda: ops.max_pool2d(1.0, kernelsize=2), r"\n  try: kernel_size=2$"),
        (
            lambda: ops.scaled_dot_product_attention(1, 2, 3, attn_mask=np.ones(3)),
            r"has no parameter 'attn_mask'\n  try: mask=…$",
        ),
        (lambda: ops.reshape(np.ones(3)), "needs shape="),
        (lambda: ops.concatenate(np.ones(3), dim=0), r"concatenate\(\*arrays, axis=0\) has no"),
        (lambda: PRIMITIVES["getitem"](index=(0,)), r"getitem\(x, \*indices, index=\) needs x"),
    ],
)
def test_a_call_that_does_not_fit_shows_the_call_that_would(call: Any, message: str):
    with pytest.raises(PrimitiveError, match=message):
        call()


def test_joining_nothing_is_refused():
    for join in (ops.concatenate, ops.stack):
        with pytest.raises(ValueError, match="at least one array"):
            join([])


def test_python_numbers_give_a_python_number_which_promotes_weakly():
    """A constant worked out inside a rule must not turn float32 into float64."""
    assert type(ops.log(2.0)) is float
    assert type(ops.greater(2, 1)) is bool
    assert type(ops.add(2, 1)) is int
    assert (np.ones(2, dtype=np.float32) * ops.exp(1.0)).dtype == np.float32
    assert type(ops.add(np.float64(1.0), 2.0)) is np.float64
    assert ops.astype(1.5, dtype="float32").dtype == np.float32
    assert ops.reshape(1.5, shape=(1, 1)).shape == (1, 1)


def test_lists_are_data():
    np.testing.assert_array_equal(ops.add([1.0, 2.0], [3.0, 4.0]), [4.0, 6.0])
    assert ops.mean([[1.0, 2.0], [3.0, 6.0]]) == 3.0
    np.testing.assert_array_equal(ops.mul([1.0, 2.0], 2), [2.0, 4.0])


def test_a_list_of_recorded_values_is_not_data():
    with pytest.raises(PrimitiveError, match=r"history would be lost\n.*sum\(stack"):
        ops.sum([tr.tensor(1.0), tr.tensor(2.0)])


def test_a_value_of_rank_0_is_a_numpy_scalar_whatever_the_kernel_returns():
    @primitive()
    def total(x: Any) -> Any:
        return float(np.sum(x))

    @primitive()
    def boxed(x: Any) -> Any:
        return np.array(np.sum(x))

    for op in (total, boxed):
        assert type(op(np.ones(3))) is np.float64


def test_a_kernel_that_returns_nothing_is_named():
    @primitive()
    def forgetful(x: Any) -> Any:
        x + 1

    with pytest.raises(PrimitiveError, match="forgetful: its kernel returned None"):
        forgetful(np.ones(3))


class Taker:
    """An argument that takes the call over and tells what it got."""

    def __apply_primitive__(self, op: Primitive, args: Any, params: Any) -> Any:
        return op, args, dict(params)


def test_an_argument_may_take_the_call_over_with_everything_bound():
    taker, x = Taker(), np.ones(3)
    assert ops.add(1.0, taker) == (ops.add, (1.0, taker), {})
    assert ops.sum(taker, 0) == (ops.sum, (taker,), {"axis": 0, "keepdims": False})
    op, args, params = ops.stack([x, taker], axis=1)
    assert (op, params) == (ops.stack, {"axis": 1})
    assert args[0] is x
    assert args[1] is taker
    op, args, params = ops.getitem(taker, (0, [1, 2]))
    assert op.name == "getitem"
    assert args[0] is taker
    assert args[1].tolist() == [1, 2]


# ----- pulling back


def test_only_wanted_flows_are_worked_out():
    asked: list[str] = []

    def rule(name: str) -> Any:
        def of(g: Any, out: Any, x: Any, y: Any) -> Any:
            asked.append(name)
            return g

        return of

    op = primitive(name="plus", vjps={"x": rule("x"), "y": rule("y")})(lambda x, y: x + y)
    one = np.float64(1.0)
    assert op.pull_back(one, one, (one, one), (False, True)) == [None, one]
    assert asked == ["y"]


def test_saved_numbers_reach_the_rules_by_name():
    def root_x(g: Any, out: Any, x: Any, *, inverse: Any) -> Any:
        return g * inverse / 2

    saved = Saved("inverse", "1/√x", r"1/\sqrt{x}", lambda x: 1 / ops.sqrt(x))

    @primitive(vjps={"x": root_x}, saves=[saved])
    def root(x: Any) -> Any:
        out = np.sqrt(x)
        return out, {"inverse": 1 / out}

    four = np.float64(4.0)
    out, kept = root.run((four,))
    assert (out, kept) == (2.0, {"inverse": 0.5})
    assert root(four) == 2.0
    assert root.pull_back(np.float64(1.0), out, (four,), (True,), {}, kept) == [0.25]
    x = tr.tensor(4.0)
    first = tr.grad(root(x), x, create_graph=True)
    assert (first.item(), tr.grad(first, x)) == (0.25, -1 / 32)


def test_a_rule_that_forgets_a_shape_is_named():
    @primitive(vjps={"x": lambda g, out, x: g})
    def summed(x: Any) -> Any:
        return np.sum(x)

    x = tr.tensor([1.0, 2.0, 3.0])
    with pytest.raises(
        PrimitiveError, match=r"rule of summed returned shape \(\) for an input of shape \(3,\)"
    ):
        summed(x).backward()


def test_a_rule_may_return_a_plain_number():
    @primitive(vjps={"x": lambda g, out, x: 3})
    def thrice(x: Any) -> Any:
        return 3 * x

    x = tr.tensor(2.0, dtype="float32")
    thrice(x).backward()
    assert x.grad == 3
    assert x.grad.dtype == np.float32


# ----- warnings


def divide_x(g: Any, out: Any, x: Any) -> Any:
    return g * np.log(-x)


@pytest.mark.parametrize("action", ["error", "always"])
def test_nan_and_inf_are_facts_and_not_warnings(action: Any):
    """Also where the user has made warnings errors, and for kernels and rules of the user's own."""
    with warnings.catch_warnings(record=True) as heard:
        if action == "error":
            warnings.simplefilter("error")

        @primitive(vjps={"x": divide_x})
        def inverse(x: Any) -> Any:
            return 1 / x

        zero, ones = np.zeros(2), np.ones(2)
        assert np.isinf(ops.div(ones, zero)).all()
        assert np.isnan(ops.log(-ones)).all()
        assert np.isinf(ops.exp(1e4 * ones)).all()
        assert np.isnan(ops.softmax(np.array([np.inf, 1.0]))).any()
        infinite = np.full(2, np.inf)
        assert np.isinf(ops.div.pull_back(ones, infinite, (ones, zero), (True, True))).all()
        assert np.isinf(inverse(zero)).all()
        x = tr.tensor([0.0, 1.0])
        inverse(x).backward(ones)
        assert np.isinf(x.grad[0])
        assert np.isnan(x.grad[1])
    assert heard == []


# ----- a user's own operation


def test_an_operation_of_the_users_own_works_like_one_of_ours():
    cube = declared_cube()
    x = tr.tensor([1.0, 2.0], name="x")
    first = tr.grad(tr.sum(cube(x)), x, create_graph=True)
    np.testing.assert_array_equal(first.value, [3.0, 12.0])
    np.testing.assert_array_equal(tr.grad(tr.sum(first), x), [6.0, 12.0])
    node = tr.trace(tr.sum(cube(x)))[1]
    assert node.op is cube
    assert tr.primitive is primitive


def test_a_primitive_cannot_be_changed_but_can_be_replaced():
    add = PRIMITIVES["add"]
    with pytest.raises(AttributeError, match="primitive add is frozen"):
        add.name = "plus"
    bent = add.replaced(vjps={"x": lambda g, out, x, y: -g})
    assert bent.rules[0] is not add.rules[0]
    assert bent.rules[1] is None
    assert PRIMITIVES["add"] is add


def test_help_and_inspect_describe_the_operation_and_not_its_class():
    import inspect
    import pydoc

    assert str(inspect.signature(ops.softmax)) == "(x, axis=-1)"
    assert str(inspect.signature(ops.stack)) == "(*arrays, axis=0)"
    assert str(inspect.signature(ops.linear)) == "(x, weight, bias=0.0)"
    assert "keyword" in str(inspect.signature(ops.reshape).parameters["shape"].kind.description)
    assert "kernel" in inspect.signature(type(ops.softmax)).parameters
    for op in PRIMITIVES.values():
        assert inspect.signature(op).parameters.keys() == {*op.inputs, *op.defaults}
    assert "Hyperbolic tangent." in pydoc.render_doc(ops.tanh)
    assert str(type(ops.tanh).__doc__).startswith("A declared operation")
