"""`tr.verify_function` on functions of PyTorch: an autograd.Function, a pair on tensors, and autograd itself."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tracer.errors import CheckError

torch = pytest.importorskip("torch")

torch.set_num_threads(1)  # small work: threads that wait for each other cost more than they do
X = torch.from_numpy(np.random.default_rng(0).normal(size=(30, 30)))


def function_of(forward, backward):
    """An autograd.Function of one input."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return Function


def cosine(g, x):
    return g * x.cos()


def with_a_flipped_sign(g, x):
    gradient = cosine(g, x)
    gradient[0, 0] *= -1
    return gradient


WRONG = {
    "1.0009": (torch.sin, lambda g, x: 1.0009 * cosine(g, x), X[:2]),
    "zero of 1e-6": (lambda x: 1e-6 * x, lambda g, x: 0 * g, X[:2]),
    "2x of 1/2e5": (lambda x: x.sin() / 2e5, lambda g, x: 2 * cosine(g, x) / 2e5, X[:2]),
    "one sign": (torch.sin, with_a_flipped_sign, X[:5]),
    "transposed": (torch.sin, lambda g, x: cosine(g, x).T.contiguous(), X[:5, :5]),
    "sign of 1e-7": (lambda x: 1e-7 * x.sin(), lambda g, x: -1e-7 * cosine(g, x), X[:2]),
    "no g": (torch.sin, lambda g, x: x.cos(), X[:2]),
}
"""What gradcheck passes, in one of its modes or both, and HIPS: see research/verify.md."""


@pytest.mark.parametrize(("forward", "backward", "x"), WRONG.values(), ids=WRONG)
def test_a_wrong_function_that_others_pass_is_caught(forward, backward, x):
    assert tr.verify_function(function_of(forward, backward), args=x).outcome == "FAIL"


@pytest.mark.slow
def test_one_flipped_sign_of_ten_thousand_is_found():
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(100, 100)))
    (row,) = tr.verify_function(function_of(torch.sin, with_a_flipped_sign), args=x).rows
    assert row.worst.index == (0, 0)


@pytest.mark.parametrize(
    "args", [X[:3], X[:3].float(), X[:3].numpy()], ids=["float64", "float32", "numpy"]
)
def test_a_right_function_passes_in_any_precision(args):
    report = tr.verify_function(function_of(torch.sin, cosine), args=args)
    assert report.outcome == "PASS", report
    assert report.rows[0].name == "x"


def test_a_pair_on_tensors_is_verified_too():
    assert tr.verify_function(torch.sin, cosine, X[:3], takes="g, *args").ok
    assert not tr.verify_function(torch.sin, lambda g, x: -cosine(g, x), X[:3]).ok


def test_a_function_of_tensors_needs_no_backward():
    assert tr.verify_function(lambda x, w: torch.tanh(x @ w), args=(X[:3], X[:, :2])).ok


def test_a_function_that_forgets_needs_input_grad_is_caught():
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(x, w):
            return x * w

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g * w, (g * x if ctx.needs_input_grad[0] else 0 * g)

    report = tr.verify_function(Product, args=(X[0], X[1]))
    assert [row.name for row in report.rows] == ["x", "w"]
    assert any(rung.name == "each gradient alone" and rung.failed for rung in report.rungs)


def test_a_cut_history_and_a_second_backward_are_refused():
    with pytest.raises(CheckError, match="recording was cut"):
        tr.verify_function(lambda x: x.detach() * 2, args=X[0])
    with pytest.raises(CheckError, match="brings its own backward"):
        tr.verify_function(function_of(torch.sin, cosine), cosine, X[0])
