"""Attention: PyTorch's numbers, masks, and queries that may attend to nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracer as tr

GOLDEN = json.loads(Path(__file__).with_name("attention_golden.json").read_text())


def draw(*shape: int) -> Any:
    return np.random.default_rng(7).normal(size=shape)


@pytest.mark.parametrize("case", GOLDEN["attention"])
def test_value_and_all_gradients_are_those_of_pytorch(case: str):
    """`attention_golden.json`, made by `attention_in_torch.py`."""
    golden = GOLDEN["attention"][case]
    inputs = {name: tr.tensor(x) for name, x in golden["inputs"].items()}
    options: dict[str, Any] = {
        "scale": {"scale": 0.3},
        "causal": {"causal": True},
        "bool mask": {"mask": np.array(GOLDEN["allowed"])},
    }.get(case, {})
    out = tr.scaled_dot_product_attention(**inputs, **options)
    out.backward(golden["seed"])
    np.testing.assert_allclose(out.value, golden["out"], rtol=1e-13)
    for name, gradient in golden["gradients"].items():
        np.testing.assert_allclose(inputs[name].grad, gradient, rtol=1e-12, atol=1e-15)


def test_a_query_that_may_attend_to_nothing_gives_0_and_receives_0():
    q, k, v = tr.tensor(draw(2, 3)), tr.tensor(draw(4, 3)), tr.tensor(draw(4, 3))
    for mask in (np.array([[True] * 4, [False] * 4]), np.array([[0.0], [-np.inf]])):
        out = tr.scaled_dot_product_attention(q, k, v, mask)
        again = tr.tensor(q.value), tr.tensor(k.value), tr.tensor(v.value)
        by_parts = out.op.parts(*again, mask)
        for x in (q, k, v):
            x.grad = None
        out.sum().backward()
        by_parts.sum().backward()
        assert not np.any(out.value[1])
        assert np.all(out.value[0] != 0)
        assert not np.any(q.grad[1])
        assert np.isfinite(k.grad).all()
        np.testing.assert_array_equal(by_parts.value[1], 0)
        np.testing.assert_array_equal(again[0].grad[1], 0)


def test_a_mask_of_numbers_with_minus_infinity_receives_0_there():
    mask = tr.tensor(np.array([[0.0, -np.inf, 1.0], [-np.inf] * 3]))
    out = tr.scaled_dot_product_attention(draw(2, 2), draw(3, 2), draw(3, 2), mask)
    (out * out).sum().backward()
    assert mask.grad[0, 1] == 0
    assert mask.grad[0, 0] == pytest.approx(-mask.grad[0, 2], rel=1e-14)
    assert mask.grad[0, 0] != 0
    np.testing.assert_array_equal(mask.grad[1], 0)


def test_a_causal_query_sees_nothing_that_comes_later():
    q, k, v = draw(4, 3), draw(4, 3), draw(4, 3)
    before = tr.scaled_dot_product_attention(q, k, v, causal=True)
    k[2:], v[2:] = 100.0, -50.0
    after = tr.scaled_dot_product_attention(q, k, v, causal=True)
    np.testing.assert_array_equal(before[:2], after[:2])
    assert np.all(before[2:] != after[2:])
    np.testing.assert_array_equal(before[0], v[0])


def test_a_causal_mask_and_another_mask_both_hold():
    q, k, v = draw(3, 2), draw(3, 2), draw(3, 2)
    mask = np.array([False, True, True])
    both = tr.scaled_dot_product_attention(q, k, v, mask, causal=True)
    np.testing.assert_array_equal(
        both, tr.scaled_dot_product_attention(q, k, v, mask & np.tri(3, dtype=bool))
    )
    np.testing.assert_array_equal(both[0], 0)


def test_a_number_may_stand_for_a_mask():
    q, k, v = draw(2, 2), draw(3, 2), draw(3, 2)
    plain = tr.scaled_dot_product_attention(q, k, v)
    for mask in (None, True, 0, 0.0):
        np.testing.assert_array_equal(tr.scaled_dot_product_attention(q, k, v, mask), plain)
    np.testing.assert_allclose(tr.scaled_dot_product_attention(q, k, v, -3.5), plain, rtol=1e-14)
    np.testing.assert_array_equal(tr.scaled_dot_product_attention(q, k, v, mask=False), 0)


def test_without_keys_everything_is_0():
    q, k, v = tr.tensor(draw(2, 3)), tr.tensor(np.empty((0, 3))), tr.tensor(np.empty((0, 4)))
    out = tr.scaled_dot_product_attention(q, k, v)
    out.sum().backward()
    assert out.shape == (2, 4)
    assert not np.any(out.value)
    assert not np.any(q.grad)
    assert k.grad.shape == (0, 3)


def test_heads_may_share_their_keys_and_values():
    """One key and value for all heads: what they receive is the sum over the heads."""
    q, k, v = tr.tensor(draw(2, 4, 3, 2)), tr.tensor(draw(2, 1, 3, 2)), tr.tensor(draw(3, 2))
    out = tr.scaled_dot_product_attention(q, k, v)
    (out * draw(2, 4, 3, 2)).sum().backward()
    each = [
        tr.scaled_dot_product_attention(q.value[b, h], k.value[b, 0], v.value)
        for b in range(2)
        for h in range(4)
    ]
    np.testing.assert_allclose(out.value.reshape(8, 3, 2), each, rtol=1e-13)
    assert k.grad.shape == (2, 1, 3, 2)
    assert v.grad.shape == (3, 2)


def test_scores_of_any_size_do_not_overflow():
    q = tr.tensor(np.array([[1e200, 0.0]]))
    out = tr.scaled_dot_product_attention(q, np.array([[1e100, 0.0], [-1e100, 0.0]]), np.eye(2))
    np.testing.assert_array_equal(out.value, [[1.0, 0.0]])


def test_it_opens_into_scores_softmax_and_a_mean():
    q, k, v = tr.tensor(draw(2, 3)), tr.tensor(draw(4, 3)), tr.tensor(draw(4, 3))
    trace = tr.trace(tr.scaled_dot_product_attention(q, k, v).sum())
    node = next(node for node in trace if node.op_name == "scaled_dot_product_attention")
    from tracer.replay import parts_trace

    inside = [part.op_name for part in parts_trace(trace, node.index) if not part.is_leaf]
    assert inside == ["transpose", "matmul", "mul", "softmax", "matmul"]
    np.testing.assert_allclose(node.saved["weights"].sum(axis=-1), 1, rtol=1e-15)


@pytest.mark.parametrize(
    ("shapes", "mask", "words"),
    [
        (((3,), (4, 3), (4, 3)), None, "query has rank 1"),
        (((2, 3), (4, 5), (4, 3)), None, "a query has 3 numbers, a key 5"),
        (((2, 3), (4, 3), (5, 3)), None, "4 keys, but 5 values"),
        (((2, 3), (4, 3), (4, 3)), np.ones((2, 5)), "shapes"),
        (((2, 3), (4, 3), (4, 3)), np.ones((2, 4), dtype=int), "bools"),
    ],
)
def test_what_does_not_fit_is_said_in_words(shapes: Any, mask: Any, words: str):
    q, k, v = (tr.tensor(draw(*shape)) for shape in shapes)
    with pytest.raises((ValueError, TypeError), match=words):
        tr.scaled_dot_product_attention(q, k, v, mask)
