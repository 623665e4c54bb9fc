"""Dropout on a device: the mask, the value and the flow of the CPU, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.cuda.moving.dropout import halves
from ops.cuda.native import compute
from ops.primitive import PRIMITIVES
from ops.random import dropout_mask, hash64, mix64
from tests.ops.cuda.moved import assert_moves, assert_same, there

DROPOUT = PRIMITIVES["dropout"]


def mask_of(x: Any, **params: Any) -> Any:
    return compute(DROPOUT, [there(x)], DROPOUT.bind((x,), params)[1]).saved["mask"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("number", range(len(DROPOUT.samples(np.random.default_rng(0)))))
def test_value_mask_and_flow_have_the_bits_of_the_cpu(number, dtype):
    sample = DROPOUT.samples(np.random.default_rng(0))[number]
    assert_moves("dropout", *(np.asarray(x, dtype) for x in sample.args), **sample.params)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(-(2**70), 2**70),
    p=st.floats(0, 1),
    form=st.sampled_from(["inverted", "lecture"]),
    size=st.integers(1, 70),
)
def test_any_seed_and_share_draw_the_mask_of_the_cpu(seed, p, form, size):
    x = np.ones(size, np.float32)
    assert_same(mask_of(x, p=p, form=form, seed=seed), dropout_mask(x, p=p, form=form, seed=seed))


def test_an_element_stays_by_its_own_random_bits_alone():
    x = np.ones((40, 50), np.float32)
    mask = mask_of(x, seed=11).numpy()
    assert mask.reshape(-1).tolist() == [hash64(11, k) >> 11 < 2**52 for k in range(2000)]
    assert 900 < mask.sum() < 1100


def test_an_element_whose_bits_just_reach_the_share_is_dropped():
    share = (hash64(5, 0) >> 11) / 2**53
    x = np.ones(1, np.float32)
    assert not mask_of(x, p=share, form="lecture", seed=5).numpy()[0]
    assert mask_of(x, p=share + 2.0**-53, form="lecture", seed=5).numpy()[0]


def test_the_random_bits_of_a_seed_pass_in_two_halves():
    mixed = mix64(12345)
    high, low = halves(mixed)
    assert high << 32 | low == mixed
    assert max(high, low) < 2**32


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_infinite_and_undefined_elements_are_those_of_the_cpu(p):
    x = np.array([np.inf, -np.inf, np.nan, -0.0, 1e38, -2.5] * 6, np.float32)
    assert_moves("dropout", x, p=p, seed=4)


def test_what_is_no_share_or_no_form_is_refused_in_the_words_of_the_cpu():
    x = np.ones(3, np.float32)
    for params in ({"p": 1.5, "seed": 1}, {"p": 0.5, "form": "outverted", "seed": 1}):
        with pytest.raises(ValueError, match=r"p is a probability|there is no form") as host:
            DROPOUT(x, **params)
        with pytest.raises(ValueError, match=r"p is a probability|there is no form") as ours:
            DROPOUT(there(x), **params)
        assert str(ours.value) == str(host.value)


def test_whole_numbers_are_dropped_on_the_host():
    x = np.arange(5)
    computed = compute(DROPOUT, [there(x)], DROPOUT.bind((x,), {"seed": 3})[1])
    assert computed.host
    assert_same(computed.value, DROPOUT(x, seed=3))
