"""Linear algebra: equal to PyTorch and numpy, right at singular matrices, and refused in plain words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracer as tr
from ops import PRIMITIVES
from ops.contractions import LARGE
from tests.ops.cases import Array, Case, signed

quick = settings(max_examples=150, derandomize=True, deadline=None, database=None)

GOLDEN = json.loads((Path(__file__).parent / "linalg_golden.json").read_text(encoding="utf-8"))
del GOLDEN["made"]

OURS: dict[str, Callable[..., Any]] = {
    "linear": tr.linear,
    "linear of a stack": tr.linear,
    "linear of a vector": tr.linear,
    "outer": tr.outer,
    "tensordot 2": tr.tensordot,
    "tensordot pairs": lambda x, y: tr.tensordot(x, y, axes=([0, 2], [1, 0])),
    "inv": tr.inv,
    "solve vector": tr.solve,
    "solve columns": tr.solve,
    "det": tr.det,
    "slogdet": lambda a: tr.slogdet(a).logabsdet,
    "cholesky": tr.cholesky,
    "cholesky upper": lambda a: tr.cholesky(a, upper=True),
}


def whole(*shape: int, seed: int = 0) -> Array:
    """Small whole numbers as float64, so that sums of products are exact."""
    drawn = np.random.default_rng([seed, *shape]).integers(-4, 5, size=shape)
    return np.asarray(drawn, dtype=np.float64)[()]


def assert_transposed(op: Any, args: list[Any], **params: Any) -> None:
    """An operation that is linear in each argument: ⟨g, f(.. t ..)⟩ = ⟨flow, t⟩, exactly for whole numbers."""
    case = Case(op, *op.bind(tuple(args), params))
    g = whole(*np.shape(case.run()[0]), seed=7)
    flows = case.flows(g)
    for k in case.floats:
        t = whole(*np.shape(args[k]), seed=8)
        assert np.sum(g * case.moved(k, t).run()[0]) == np.sum(flows[k] * t)


# ----- PyTorch


@pytest.mark.parametrize("name", GOLDEN)
def test_values_and_both_derivatives_are_those_of_pytorch(name: str):
    golden = GOLDEN[name]
    kind, _, equation = name.partition(" ")
    ours = (lambda *x: tr.einsum(equation, *x)) if kind == "einsum" else OURS[name]
    xs = [tr.tensor(x) for x in golden["inputs"]]
    out = ours(*xs)
    firsts = tr.grad(out, xs, seed=np.array(golden["g"]), create_graph=True)
    np.testing.assert_allclose(out.value, golden["value"], rtol=1e-13, atol=1e-14)
    total: Any = 0.0
    for first, wanted, weight in zip(firsts, golden["gradients"], golden["weights"], strict=True):
        np.testing.assert_allclose(first.value, wanted, rtol=1e-12, atol=1e-13)
        total = total + tr.sum(first * np.array(weight))
    seconds = tr.grad(total, xs, allow_unused=True) if total.tracked else [None] * len(xs)
    for second, wanted in zip(seconds, golden["seconds"], strict=True):
        found = np.zeros(np.shape(wanted)) if second is None else second
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12)


# ----- linear


def test_linear_without_a_bias_is_the_product_alone():
    x, weight = tr.tensor(whole(4, 3)), tr.tensor(whole(2, 3))
    for out in (tr.linear(x, weight), tr.linear(x, weight, None), tr.linear(x, weight, 0.0)):
        np.testing.assert_array_equal(out.value, x.value @ weight.value.T)
        assert out.inputs[2] == 0.0


def test_linear_adds_in_the_dtype_that_numpy_would_give():
    x, weight = whole(2, 3).astype(np.float32), whole(2, 3).astype(np.float32)
    assert tr.linear(x, weight, np.ones(2)).dtype == np.float64
    assert tr.linear(x, weight, 0.5).dtype == np.float32
    counts = tr.linear(np.array([[1, 2, 3]]), tr.tensor(np.ones((2, 3))), np.array([1, 2]))
    assert counts.value.tolist() == [[7.0, 8.0]]


def test_linear_keeps_the_order_in_memory_that_a_blas_takes_without_a_copy():
    """One product each way: the result, dx and dW of matrices are what `dot` gives, bit for bit."""
    rng = np.random.default_rng(0)
    x, weight, g = rng.normal(size=(32, 20)), rng.normal(size=(10, 20)), rng.normal(size=(32, 10))
    op = PRIMITIVES["linear"]
    case = Case(op, *op.bind((x, weight), {}))
    of_x, of_weight, _ = case.flows(g)
    np.testing.assert_array_equal(case.run()[0], x.dot(weight.T))
    np.testing.assert_array_equal(of_x, g.dot(weight))
    np.testing.assert_array_equal(of_weight, g.T.dot(x))


# ----- einsum


@st.composite
def contractions(draw: Any) -> tuple[str, list[Array]]:
    """An equation over the letters i, j, k and dots, and operands that fit it; some axes are 1 and broadcast."""
    sizes = {c: draw(st.integers(1, 3)) for c in "ijk"}
    stack = draw(st.lists(st.integers(1, 2), max_size=2))
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        letters = draw(st.lists(st.sampled_from("ijk"), max_size=3))
        narrow = {c: draw(st.sampled_from([1, n])) for c, n in sizes.items()}
        depth = draw(st.integers(0, len(stack)))
        dots = draw(st.booleans()) or bool(depth)
        place = draw(st.integers(0, len(letters))) if dots else 0
        shape = [narrow[c] for c in letters]
        wide = [draw(st.sampled_from([1, n])) for n in stack[len(stack) - depth :]]
        terms.append("".join([*letters[:place], *(["..."] if dots else []), *letters[place:]]))
        shapes.append([*shape[:place], *wide, *shape[place:]])
    equation = ",".join(terms)
    if draw(st.booleans()):
        present = sorted(set(equation) & set("ijk"))
        kept = draw(st.lists(st.sampled_from(present), unique=True)) if present else []
        dots_in = ["..."] if "..." in equation else []
        place = draw(st.integers(0, len(kept)))
        equation += "->" + "".join([*kept[:place], *dots_in, *kept[place:]])
    return equation, [whole(*shape, seed=k + 1) for k, shape in enumerate(shapes)]


@quick
@given(drawn=contractions())
def test_einsum_is_numpys_and_its_rule_its_transpose(drawn: tuple[str, list[Array]]):
    equation, operands = drawn
    out = tr.einsum(equation, *operands)
    np.testing.assert_array_equal(out, np.einsum(equation, *operands))
    assert_transposed(PRIMITIVES["einsum"], operands, equation=equation)


@pytest.mark.parametrize("equation", ["ij,jk->ik", "bij,bjk->bik", "ij,jk,kl", "ij,ij", "ii,ij->j"])
def test_a_large_einsum_goes_through_blas_and_gives_the_same(equation: str):
    terms = equation.partition("->")[0].split(",")
    operands = [
        whole(*(2 if c == "b" else 40 for c in term), seed=k) for k, term in enumerate(terms)
    ]
    if len(set(equation) - set(",->")) > 2:
        assert 40 ** len(set(equation) - set("b,->")) >= LARGE
    np.testing.assert_array_equal(tr.einsum(equation, *operands), np.einsum(equation, *operands))
    assert_transposed(PRIMITIVES["einsum"], operands, equation=equation)


def test_einsum_takes_numbers_lists_and_one_list_of_operands():
    x = np.array([1.0, 2.0], dtype=np.float32)
    assert tr.einsum(",i->i", 2.0, x).dtype == np.float32
    assert tr.einsum("i,i", [1.0, 2.0], [3.0, 4.0]) == 11.0
    assert tr.einsum(" i , i -> ", [tr.tensor(x), tr.tensor(x)]).item() == 5.0


def test_a_trace_keeps_the_equation_as_it_was_written(tmp_path: Path):
    x, y = tr.tensor(whole(2, 2, 3)), tr.tensor(whole(3, 2))
    loss = tr.sum(tr.einsum("...ij, jk -> ...ik", x, y) * tr.tensordot(x, y, [[-1], [0]]))
    tr.trace(loss).save(tmp_path / "e.trace")
    opened = tr.load(tmp_path / "e.trace")
    params = {node.op_name: node.params for node in opened}
    assert params["einsum"] == {"equation": "...ij, jk -> ...ik"}
    assert params["tensordot"] == {"axes": ((-1,), (0,))}
    np.testing.assert_array_equal(opened.gradient("x"), tr.grad(loss, x))


# ----- tensordot, dot, outer, trace

AXES = [2, 1, 0, (0, -2), ([0], [-1]), ([1, 2], [0, 2]), ((-1, 0), (-1, 1)), ((), ())]


@pytest.mark.parametrize("axes", AXES, ids=str)
def test_tensordot_takes_the_axes_that_numpys_takes(axes: Any):
    sizes = {2: ((4, 2, 3), (2, 3, 2)), 1: ((2, 3), (3, 2)), 0: ((2,), (3, 1))}
    x, y = (
        whole(*s) for s in sizes.get(axes if isinstance(axes, int) else -1, ((2, 3, 2), (3, 2, 2)))
    )
    np.testing.assert_array_equal(tr.tensordot(x, y, axes), np.tensordot(x, y, axes))
    axes = axes if isinstance(axes, int) else tuple(map(_as_tuple, axes))
    assert_transposed(PRIMITIVES["tensordot"], [x, y], axes=axes)


def _as_tuple(one: Any) -> Any:
    return one if isinstance(one, int) else tuple(one)


SHAPES = [(), (3,), (2, 3), (4, 2, 3)]
OTHERS = [(), (3,), (3, 2), (2, 3, 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_dot_is_numpys_for_every_pair_of_ranks(shape: tuple[int, ...], other: tuple[int, ...]):
    x, y = whole(*shape), whole(*other)
    np.testing.assert_array_equal(tr.dot(x, y), np.dot(x, y))
    np.testing.assert_array_equal(tr.outer(x, y), np.outer(x, y))
    assert_transposed(PRIMITIVES["dot"], [x, y])
    assert_transposed(PRIMITIVES["outer"], [x, y])


@pytest.mark.parametrize("offset", range(-4, 5))
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4), (2, 4, 2), (0, 3), (3, 0)], ids=str)
def test_a_matrix_trace_sums_any_diagonal(shape: tuple[int, ...], offset: int):
    x = whole(*shape)
    np.testing.assert_array_equal(tr.matrix_trace(x, offset=offset), np.trace(x, offset, -2, -1))
    assert_transposed(PRIMITIVES["matrix_trace"], [x], offset=offset)


# ----- determinants

RANK_2 = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])


def test_the_gradient_of_a_determinant_is_the_cofactors_at_a_singular_matrix_too():
    """Rank n − 1: cofactors by hand. (PyTorch 2.13 says 0 there.) Rank below n − 1: 0."""
    wanted = [[-3.0, 6.0, -3.0], [6.0, -12.0, 6.0], [-3.0, 6.0, -3.0]]
    np.testing.assert_allclose(tr.vjp(tr.det, RANK_2)[1], wanted, rtol=1e-13)
    np.testing.assert_array_equal(tr.vjp(tr.det, np.outer([1.0, 2, 3], [1.0, 0, 0]))[1], 0)
    stack = np.stack([RANK_2, np.eye(3)])
    np.testing.assert_allclose(
        tr.vjp(tr.det, stack, [1.0, 2.0])[1], [wanted, 2 * np.eye(3)], rtol=1e-13
    )


@pytest.mark.parametrize(
    "a", [RANK_2, np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 1.0]), np.zeros((3, 3)), np.eye(3)]
)
def test_the_second_derivative_of_a_determinant_is_right_at_any_rank(a: Array):
    """det of 3 by 3 is trilinear in its columns: εᵢₐₚ εⱼᵦᵩ aₚᵩ is its second derivative."""
    epsilon = np.zeros((3, 3, 3))
    for i, j, k in [(0, 1, 2), (1, 2, 0), (2, 0, 1)]:
        epsilon[i, j, k], epsilon[i, k, j] = 1, -1
    wanted = np.einsum("iap,jbq,pq->ijab", epsilon, epsilon, a)
    np.testing.assert_allclose(tr.hessian(tr.det, a), wanted, atol=1e-14 * max(1, np.abs(a).max()))


def test_third_derivatives_of_a_determinant_are_right_where_there_is_an_inverse():
    """∂³/∂a∂b∂c of the product of the diagonal is 1."""
    x = tr.tensor([2.0, 3.0, 5.0])
    found = tr.det(
        tr.stack(
            [tr.stack([x[0], 1.0, 0.0]), tr.stack([0.0, x[1], 1.0]), tr.stack([0.0, 0.0, x[2]])]
        )
    )
    for k in range(3):
        found = tr.grad(found, x, create_graph=True)[k]
    assert found.item() == pytest.approx(1.0)


def test_slogdet_does_not_overflow_and_unpacks_as_numpys():
    a = np.diag([-1e200, 1e200, 1e200])
    sign, logarithm = tr.slogdet(tr.tensor(a))
    assert not np.isfinite(tr.det(a))
    assert sign.item() == -1.0
    assert not sign.requires_grad
    assert logarithm.item() == pytest.approx(np.linalg.slogdet(a).logabsdet, rel=1e-15)
    np.testing.assert_allclose(tr.grad(logarithm, logarithm.inputs[0]), np.diag(1 / np.diag(a)))


def test_the_logarithm_of_a_determinant_of_0_has_an_infinite_slope_and_the_rest_of_the_stack_its_own():
    a = tr.tensor(np.stack([np.ones((2, 2)), 2 * np.eye(2)]))
    sign, logarithm = tr.slogdet(a)
    assert sign.value.tolist() == [0.0, 1.0]
    assert logarithm.value[0] == -np.inf
    gradient = tr.grad(logarithm.sum(), a)
    assert np.isinf(gradient[0]).all()
    np.testing.assert_array_equal(gradient[1], np.eye(2) / 2)


# ----- systems and factors


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2), (2, 3, 2), (4, 1, 3, 2)], ids=str)
@pytest.mark.parametrize("stack", [(), (2,), (4, 2)], ids=str)
def test_solve_reads_vectors_and_stacks_as_numpys(stack: tuple[int, ...], shape: tuple[int, ...]):
    a, b = whole(*stack, 3, 3) + 20 * np.eye(3), whole(*shape)
    out, slope = tr.jvp(tr.solve, (a, b), (whole(*stack, 3, 3, seed=1), whole(*shape, seed=2)))
    np.testing.assert_array_equal(out, np.linalg.solve(a, b))
    moved = [
        np.linalg.solve(a + t * whole(*stack, 3, 3, seed=1), b + t * whole(*shape, seed=2))
        for t in (1e-5, -1e-5)
    ]
    np.testing.assert_allclose(slope, (moved[0] - moved[1]) / 2e-5, rtol=1e-7, atol=1e-8)


def test_cholesky_reads_the_symmetric_part_and_gives_a_symmetric_gradient():
    a = np.array([[4.0, 1.5, 0.0], [0.5, 3.0, 0.2], [0.4, 0.0, 2.0]])
    np.testing.assert_array_equal(tr.cholesky(a), np.linalg.cholesky((a + a.T) / 2))
    gradient = tr.vjp(tr.cholesky, a, signed((3, 3)))[1]
    np.testing.assert_array_equal(gradient, gradient.T)


def test_linear_algebra_of_integers_computes():
    a = np.array([[2, 1], [1, 1]])
    assert tr.det(tr.tensor(a)).dtype == np.float64
    np.testing.assert_allclose(tr.inv(a), [[1.0, -1.0], [-1.0, 2.0]])
    np.testing.assert_allclose(tr.solve(a, [3, 2]), [1.0, 1.0])


# ----- complaints

M = np.eye(2)
COMPLAINTS: list[tuple[Callable[..., Any], tuple[Any, ...], str]] = [
    (
        tr.linear,
        (np.ones((2, 3)), np.ones((3, 4))),
        r"weight \(out, in\), \(3, 4\)[\s\S]*weight\.T",
    ),
    (tr.linear, (np.ones(3), np.ones(3)), r"weight \(out, in\), \(3,\)"),
    (tr.linear, (np.float64(1), np.ones((3, 4))), r"x \(\) does not end"),
    (tr.linear, (np.ones(3), np.ones((2, 3)), np.ones(3)), r"bias \(3,\) is not of shape \(2,\)"),
    (tr.dot, (np.ones((2, 3)), np.ones((2, 3))), "inner sizes differ, 3 against 2"),
    (tr.dot, (np.ones(3), np.ones(2)), "inner sizes differ, 3 against 2"),
    (tr.tensordot, (M, M, 3), "3 axes to sum over, but the ranks are 2 and 2"),
    (tr.tensordot, (M, M, (0, 1, 1)), r"two lists of axes, not \(0, 1, 1\)"),
    (tr.tensordot, (M, M, ([0], [0, 1])), "1 axes of x are paired with 2 of y"),
    (tr.tensordot, (M, M, ([2], [0])), r"x has rank 2, but its axes are \(2,\)"),
    (tr.tensordot, (M, M, ([0, -2], [0, 1])), r"an axis of x stands twice"),
    (tr.tensordot, (M, np.ones(3), 1), "axis 1 of x has size 2, axis 0 of y 3"),
    (tr.matrix_trace, (np.ones(3),), "rank 1, but a matrix has two axes"),
    (tr.inv, (np.ones((2, 3)),), r"\(2, 3\), not a square matrix"),
    (tr.inv, (np.ones((2, 2)),), r"a matrix is singular[\s\S]*solve\(a, b\) is more accurate"),
    (tr.solve, (M, np.ones(3)), r"a has 2 rows, but b is \(3,\)"),
    (tr.solve, (M, np.ones((3, 2, 3, 3))), r"a has 2 rows"),
    (tr.solve, (np.ones((2, 2)), np.ones(2)), "a matrix is singular"),
    (tr.solve, (np.ones((2, 2, 2)), np.ones((3, 2, 1))), "broadcast"),
    (tr.det, (np.float64(1),), "not a square matrix"),
    (tr.slogdet, (np.ones(3),), "not a square matrix"),
    (tr.cholesky, (-M,), r"not positive definite[\s\S]*x @ x\.T"),
    (lambda *x: tr.einsum("ij,jk", *x), (M,), "is for 2 operands, but 1 are given"),
    (
        lambda *x: tr.einsum("ij,jk", *x),
        (M, np.ones(2)),
        r"'jk' in 'ij,jk' is for another rank than 1",
    ),
    (lambda *x: tr.einsum("i", *x), (M,), "'i' in 'i' is for another rank than 2"),
    (lambda *x: tr.einsum("i2->i", *x), (M,), "'i2' in 'i2->i' is not letters"),
    (lambda *x: tr.einsum("i..->i", *x), (M,), "not letters, with three dots"),
    (lambda *x: tr.einsum("ij->ii", *x), (M,), "'i' stands twice in the result"),
    (lambda *x: tr.einsum("ij->k", *x), (M,), "'k' in the result of 'ij->k' is in none"),
    (lambda *x: tr.einsum("...i->i", *x), (M,), "no place for the axes behind the dots"),
    (lambda *x: tr.einsum("ij,jk", *x), (M, np.ones((3, 2))), "letter 'j' has size 2, but 3"),
    (lambda *x: tr.einsum("ii", *x), (np.ones((1, 3)),), "repeats a letter at different sizes"),
]


@pytest.mark.parametrize(("function", "args", "words"), COMPLAINTS)
def test_what_does_not_fit_is_said_in_words(function: Any, args: tuple[Any, ...], words: str):
    first, *rest = args
    with pytest.raises(tr.errors.ShapeError, match=words):
        function(tr.tensor(first), *rest)


def test_einsum_without_an_equation_is_said_in_words():
    with pytest.raises(tr.errors.DTypeError, match="equation is text, such as 'ij,jk->ik'"):
        tr.einsum(tr.tensor(M), tr.tensor(M))
