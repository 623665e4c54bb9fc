"""Products with derivatives: both sides agree for every primitive, and whole matrices are what paper says they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES, Primitive
from tests.ops.cases import UNDECIDED, Array, Case, cases_of, marked, objection, operation, signed
from tests.walking import walk
from tracer.checking.certified.certify import certify

DIFFERENTIABLE = [op for op in PRIMITIVES.values() if op.home.startswith("ops.") and any(op.rules)]


def function_of(case: Case) -> tuple[Callable[..., Any], tuple[Array, ...]]:
    """The primitive as a function of those arguments that receive a cotangent, and these."""

    def run(*floats: Any) -> Any:
        args = list(case.args)
        for k, x in zip(case.floats, floats, strict=True):
            args[k] = x
        return case.op(*args, **case.params)

    return run, tuple(case.args[k] for k in case.floats)


def directions(case: Case) -> tuple[Array, ...]:
    return tuple(signed(np.shape(case.args[k]), seed=5) for k in case.floats)


# ----- for every primitive


@walk("case", marked(lambda case: bool(case.floats)), by=operation)
def test_a_jvp_is_the_transpose_of_the_vjp(case: Case):
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩, for every sample."""
    fn, inputs = function_of(case)
    v, u = directions(case), signed(np.shape(case.run()[0]))
    out, forward = tr.jvp(fn, inputs, v)
    same, backward = tr.vjp(fn, inputs, u)
    np.testing.assert_array_equal(out, case.run()[0])
    np.testing.assert_array_equal(same, out)
    assert forward.shape == out.shape
    with np.errstate(all="ignore"):
        terms = [np.ravel(flow * t) for flow, t in zip(backward, v, strict=True)]
        left, right = np.sum(u * forward), np.sum(np.concatenate(terms))
        scale = max(np.sum(np.abs(u * forward)), np.sum(np.abs(np.concatenate(terms))))
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_a_jvp_agrees_with_certified_numbers(op: Primitive):
    """The slope of ⟨u, f(x + t v)⟩ at t = 0, at the first sample that lies on no kink."""
    assert any(agrees(case) for case in cases_of(op) if case.floats and np.size(case.run()[0]))


def agrees(case: Case) -> bool:
    """Whether certified numbers decide, and decide for the jvp; False where they do not decide."""
    fn, inputs = function_of(case)
    v, u = directions(case), signed(np.shape(case.run()[0]))
    here, slopes = tr.jvp(fn, inputs, v)

    def along(t: float) -> float:
        moved = case
        for k, direction in zip(case.floats, v, strict=True):
            moved = moved.moved(k, case.args[k] + t * direction)
        return float(np.sum(u * (moved.run()[0] - here)))

    found = certify(along, 0.0)
    if not found.differentiable:
        return False
    why = objection(float(np.sum(u * slopes)), found, float(np.sum(np.abs(u * slopes))))
    if why and why.startswith(UNDECIDED):
        return False
    assert why is None, f"{op_and_shapes(case)}: {why}"
    return True


def op_and_shapes(case: Case) -> str:
    return f"{case.op.name} of {', '.join(str(np.shape(x)) for x in case.args)}"


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_products_of_float32_are_float32(op: Primitive):
    case = next(case for case in cases_of(op) if case.floats).cast(np.float32)
    fn, inputs = function_of(case)
    out, forward = tr.jvp(fn, inputs, directions(case))
    _, backward = tr.vjp(fn, inputs, signed(out.shape))
    assert {out.dtype, forward.dtype, *(x.dtype for x in backward)} == {np.dtype(np.float32)}


# ----- whole matrices


def rosenbrock(x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def test_the_jacobian_of_softmax_is_diagonal_minus_outer():
    x = np.array([0.3, -1.2, 2.0])
    share = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(
        tr.jacobian(tr.softmax, x), np.diag(share) - np.outer(share, share), rtol=1e-13, atol=1e-16
    )


def test_the_hessian_of_rosenbrocks_valley_is_that_of_the_textbook():
    a, b = -1.5, 2.0
    wanted = [[2 - 400 * b + 1200 * a * a, -400 * a], [-400 * a, 200]]
    np.testing.assert_allclose(tr.hessian(rosenbrock, [a, b]), wanted, rtol=1e-14)


def test_linear_functions_have_exact_derivatives():
    matrix = np.arange(12.0).reshape(3, 4)
    four, three = np.array([1.0, -2.0, 3.0, 4.0]), np.array([5.0, -1.0, 2.0])
    for a, v, u in ((matrix, four, three), (matrix.T, three, four)):  # rows are fewer, then columns

        def fn(x: Any, a: Array = a) -> Any:
            return a @ x

        np.testing.assert_array_equal(tr.jvp(fn, np.ones(len(v)), v)[1], a @ v)
        np.testing.assert_array_equal(tr.vjp(fn, np.ones(len(v)), u)[1], u @ a)
        np.testing.assert_array_equal(tr.jacobian(fn, np.ones(len(v))), a)
        np.testing.assert_array_equal(tr.hessian(lambda x, fn=fn: fn(x).sum(), np.ones(len(v))), 0)


def network(x: Any, w: Any, b: Any) -> Any:
    return tr.tanh(x @ w + b)


def drawn(*shapes: tuple[int, ...]) -> tuple[Array, ...]:
    rng = np.random.default_rng(4)
    return tuple(rng.normal(size=shape)[()] for shape in shapes)


SHAPES = ((2, 3), (3, 2), (2,))


def test_a_jacobian_times_a_vector_is_the_jvp_and_from_the_left_the_vjp():
    inputs, v = drawn(*SHAPES), drawn(*SHAPES[::-1])[::-1]
    blocks = tr.jacobian(network, inputs)
    assert [block.shape for block in blocks] == [(2, 2, *shape) for shape in SHAPES]
    forward = sum(np.tensordot(J, t, t.ndim) for J, t in zip(blocks, v, strict=True))
    np.testing.assert_allclose(tr.jvp(network, inputs, v)[1], forward, rtol=1e-13)
    u = signed((2, 2))
    for product, block in zip(tr.vjp(network, inputs, u)[1], blocks, strict=True):
        np.testing.assert_allclose(product, np.tensordot(u, block, 2), rtol=1e-13)


def test_rows_and_columns_of_a_jacobian_are_the_same_numbers():
    inputs = drawn(*SHAPES)
    few = tr.jacobian(network, inputs)
    wide = tr.jacobian(
        lambda *xs: tr.concatenate([network(*xs)] * 5), inputs
    )  # 20 rows, 14 columns
    for one, five in zip(few, wide, strict=True):
        np.testing.assert_allclose(five, np.concatenate([one] * 5), rtol=1e-13)


def test_a_hessian_is_symmetric_and_times_a_vector_the_hvp():
    def loss(*xs: Any) -> Any:
        return tr.sum(tr.square(network(*xs)))

    inputs, v = drawn(*SHAPES), drawn(*SHAPES[::-1])[::-1]
    table = tr.hessian(loss, inputs)
    out, product = tr.hvp(loss, inputs, v)
    assert out == tr.vjp(loss, inputs)[0]
    for i, x in enumerate(inputs):
        for j, y in enumerate(inputs):
            mirrored = np.transpose(table[j][i], (*range(y.ndim, y.ndim + x.ndim), *range(y.ndim)))
            np.testing.assert_allclose(table[i][j], mirrored, rtol=1e-12, atol=1e-14)
        total = sum(np.tensordot(H, t, t.ndim) for H, t in zip(table[i], v, strict=True))
        np.testing.assert_allclose(product[i], total, rtol=1e-12, atol=1e-13)


def test_a_jacobian_sweeps_rows_or_columns_whichever_are_fewer():
    runs = []

    def rule(g: Any, out: Any, x: Any) -> Any:
        runs.append(g)
        return g * 2 * x

    @tr.primitive(vjps={"x": rule}, name="counted_square")
    def counted_square(x: Any) -> Any:
        """x times x."""
        return x * x

    try:
        mixed = np.arange(10.0).reshape(2, 5)
        tr.jacobian(lambda x: mixed @ counted_square(x), np.ones(5))
        assert len(runs) == 2
        runs.clear()
        found = tr.jacobian(lambda x: mixed.T @ counted_square(x), np.ones(2))
        assert len(runs) == 1  # recorded once; its transpose is swept twice
        np.testing.assert_array_equal(found, 2 * mixed.T)
    finally:
        del PRIMITIVES["counted_square"]


# ----- forms of inputs and outputs


def test_one_input_gives_one_result_and_a_tuple_a_tuple():
    assert tr.vjp(lambda x: x * x, 3.0) == (9.0, 6.0)
    assert tr.jvp(lambda x: x * x, 3.0) == (9.0, 6.0)
    assert tr.hvp(lambda x: x * x * x, 3.0) == (27.0, 18.0)
    assert tr.jacobian(lambda x: x * x, 3.0) == 6.0
    assert tr.hessian(lambda x: x * x, 3.0) == 2.0
    assert tr.vjp(lambda x: x * x, (3.0,)) == (9.0, (6.0,))
    assert tr.hessian(lambda x, y: x * y, (3.0, 4.0)) == ((0.0, 1.0), (1.0, 0.0))
    assert tr.hvp(lambda x, y: x * y, (3.0, 4.0)) == (12.0, (1.0, 1.0))


def test_tensors_and_parameters_are_inputs_by_their_values_and_keep_their_grad():
    x, w = tr.tensor([1.0, 2.0]), tr.parameter([3.0, 4.0])
    (x * w).sum().backward()
    assert tr.jvp(lambda a, b: (a * b).sum(), (x, w), (w, x)) == (11.0, 30.0)
    assert (x.grad.tolist(), w.grad.tolist()) == ([3.0, 4.0], [1.0, 2.0])


def test_results_are_arrays_of_their_own_shape_whatever_the_output():
    out, slope = tr.jvp(lambda x: x.reshape(2, 1, 2), np.arange(4.0), np.ones(4))
    assert out.shape == slope.shape == (2, 1, 2)
    assert tr.jacobian(lambda x: x.reshape(2, 1, 2), np.arange(4.0)).shape == (2, 1, 2, 4)
    assert tr.jacobian(lambda x: x, np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert tr.jacobian(lambda x: x.sum(), np.zeros((0, 2))).shape == (0, 2)
    assert tr.hessian(lambda x: x.sum(keepdims=True), np.ones(2)).shape == (2, 2)


def test_a_vector_that_the_caller_changes_afterwards_changes_no_result():
    v = np.ones(2)
    product = tr.vjp(lambda x: x, [1.0, 2.0], v)[1]
    v[0] = 5
    assert product.tolist() == [1.0, 1.0]


def test_what_the_output_does_not_depend_on_has_the_derivative_0():
    def first(x: Any, y: Any) -> Any:
        return x * x

    assert tr.vjp(first, (3.0, [1.0, 2.0]))[1][1].tolist() == [0.0, 0.0]
    assert tr.jvp(first, (3.0, 4.0), (0.0, 1.0))[1] == 0.0
    assert tr.jacobian(first, (3.0, [1.0, 2.0]))[1].tolist() == [0.0, 0.0]
    assert tr.hessian(first, (3.0, 4.0)) == ((2.0, 0.0), (0.0, 0.0))
    assert tr.hvp(first, (3.0, 4.0), (1.0, 1.0))[1] == (2.0, 0.0)
    for constant in (lambda x: tr.constant(5.0), lambda x: x.detach(), lambda x: tr.sign(x)):
        assert tr.vjp(constant, 3.0)[1] == tr.jvp(constant, 3.0)[1] == 0.0
        assert tr.jacobian(constant, 3.0) == tr.hessian(constant, 3.0) == 0.0


def test_at_a_kink_a_jvp_follows_the_rule():
    assert tr.jvp(tr.relu, [-1.0, 0.0, 2.0], [1.0, 1.0, 1.0])[1].tolist() == [0.0, 0.0, 1.0]
    assert tr.jvp(tr.maximum, (1.0, 1.0), (1.0, 3.0))[1] == 2.0


def test_a_function_may_use_other_tensors_which_stay_constant():
    w = tr.parameter([2.0, 3.0])
    assert tr.jacobian(lambda x: w * x, [1.0, 1.0]).tolist() == [[2.0, 0.0], [0.0, 3.0]]
    assert w.grad is None


def test_nothing_of_it_is_seen_in_a_record_around_it_and_no_grad_does_not_stop_it():
    with tr.record() as kept, tr.no_grad():
        assert tr.hvp(lambda x: x * x * x, 2.0)[1] == 12.0
        assert tr.jvp(lambda x: x * x, 2.0)[1] == 4.0
        tr.vjp(lambda x: x * x, 2.0)
    assert kept.nodes == []
    assert kept.episodes == []


def test_the_function_is_called_once():
    calls = []

    def fn(x: Any) -> Any:
        calls.append(x.shape)
        return tr.tanh(x).sum()

    for derive in (tr.vjp, tr.jacobian, tr.hessian):
        derive(fn, np.ones(3))
    for derive in (tr.jvp, tr.hvp):
        derive(fn, np.ones(3), np.ones(3))
    assert len(calls) == 5


# ----- size


@pytest.mark.slow
def test_a_chain_of_100_000_nodes_and_60_doublings_need_no_recursion():
    def chain(x: Any) -> Any:
        for _ in range(100_000):
            x = x * 1.0
        return x * x

    assert tr.jvp(chain, 3.0) == (9.0, 6.0)
    assert tr.hvp(chain, 3.0) == (9.0, 2.0)

    def doubled(x: Any) -> Any:
        for _ in range(60):
            x = x + x
        return x

    assert tr.jvp(doubled, 1.0)[1] == tr.vjp(doubled, 1.0)[1] == 2.0**60


# ----- complaints

errors = tr.errors
COMPLAINTS: list[tuple[Callable[..., Any], tuple[Any, ...], type[Exception], str]] = [
    (tr.vjp, (tr.tensor(1.0), 2.0), errors.GradientError, "vjp: Tensor is no function"),
    (tr.jvp, (tr.square, 3), errors.DTypeError, r"an input is int64[\s\S]*3\.0 instead of 3"),
    (tr.vjp, (lambda x: 5.0, 3.0), errors.GradientError, "returned float, not a recorded value"),
    (tr.vjp, (lambda x: x.value, 3.0), errors.GradientError, "returned float64, not a recorded"),
    (
        tr.vjp,
        (lambda x: (x, x), 3.0),
        errors.GradientError,
        "returned a tuple of 2, not a recorded",
    ),
    (tr.jacobian, (lambda x: x > 0, 3.0), errors.DTypeError, "returned bool, which has no deriv"),
    (tr.vjp, (tr.square, [1.0, 2.0]), errors.ShapeError, r"vjp needs a v of shape \(2,\)"),
    (tr.jvp, (tr.square, [1.0, 2.0]), errors.ShapeError, r"jvp needs a v of shape \(2,\)"),
    (
        tr.jvp,
        (tr.square, [1.0, 2.0], [1.0]),
        errors.ShapeError,
        r"v has shape \(1,\), but .* \(2,\)",
    ),
    (tr.jvp, (tr.mul, (1.0, 2.0), 1.0), errors.ShapeError, "there are 2 inputs, but v is float"),
    (tr.jvp, (tr.mul, (1.0, 2.0), (1.0,)), errors.ShapeError, "2 inputs, but v is a tuple of 1"),
    (
        tr.hvp,
        (tr.square, [1.0, 2.0], [1.0, 1.0]),
        errors.ShapeError,
        r"shape \(2,\), but needs one",
    ),
    (tr.hessian, (tr.square, [1.0, 2.0]), errors.ShapeError, r"one number\n  try: \.sum\(\)"),
    (
        tr.jacobian,
        (tr.mul, [tr.tensor(1.0), tr.tensor(2.0)]),
        errors.DTypeError,
        r"several inputs come as a tuple[\s\S]*tr\.jacobian\(fn, \(x, y\)\)",
    ),
]


@pytest.mark.parametrize(("derive", "args", "error", "words"), COMPLAINTS)
def test_what_does_not_fit_is_said_in_words(
    derive: Any, args: tuple[Any, ...], error: type[Exception], words: str
):
    with pytest.raises(error, match=words):
        derive(*args)


def test_a_gradient_of_something_unused_is_none_if_that_is_allowed():
    x, y = tr.tensor(2.0), tr.tensor(3.0)
    assert tr.grad(x * x, [x, y], allow_unused=True) == [4.0, None]
    with pytest.raises(errors.GradientError, match="does not depend on number 1"):
        tr.grad(x * x, [x, y])
    with pytest.raises(errors.GradientError, match="is a constant"):
        tr.grad(x * x, [tr.constant(1.0)], allow_unused=True)
