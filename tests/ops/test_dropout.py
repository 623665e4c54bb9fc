"""Dropout: its two forms, the seed on the node, and the statistics of its masks."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracer as tr
from ops.random import dropout_mask, hash64, mix64, next_seed


@pytest.fixture(autouse=True)
def _seeded():
    tr.manual_seed(0)


def mask(size: Any, share: float = 0.5, seed: int = 0) -> Any:
    """The mask of a shape under which so large a share stays."""
    return dropout_mask(np.empty(size), p=share, form="lecture", seed=seed)


def test_pytorchs_form_scales_in_training_and_is_x_itself_in_evaluation():
    x = tr.tensor(np.ones(1000))
    out = tr.dropout(x, 0.2, seed=1)
    assert set(out.value.tolist()) == {0.0, 1 / 0.8}
    assert tr.dropout(x, 0.2, training=False) is x


def test_the_lectures_form_keeps_with_p_and_multiplies_in_evaluation():
    """LECTURES 9: r ~ Bernoulli(p), a~ = r · a in training; p · a in evaluation."""
    x = tr.tensor(np.full(1000, 3.0))
    out = tr.dropout(x, 0.9, form="lecture", seed=1)
    assert set(out.value.tolist()) == {0.0, 3.0}
    assert 860 < np.count_nonzero(out.value) < 940
    evaluated = tr.dropout(x, 0.9, form="lecture", training=False)
    np.testing.assert_array_equal(evaluated.value, 3.0 * 0.9)


@pytest.mark.parametrize("form", ["inverted", "lecture"])
def test_p_0_and_p_1_are_exact(form: str):
    x = tr.tensor(np.arange(1.0, 7).reshape(2, 3))
    nothing, all_ = (1.0, 0.0) if form == "inverted" else (0.0, 1.0)
    kept, gone = tr.dropout(x, all_, form=form), tr.dropout(x, nothing, form=form)
    np.testing.assert_array_equal(kept.value, x.value)
    np.testing.assert_array_equal(gone.value, 0)
    (kept + gone).sum().backward()
    np.testing.assert_array_equal(x.grad, 1)


def test_the_gradient_passes_where_the_value_passed():
    x = tr.tensor(np.ones((20, 30)))
    out = tr.dropout(x, 0.3, seed=5)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.value)


def test_the_seed_stands_on_the_node_and_a_file_replays_the_same_mask(tmp_path: Path):
    x = tr.tensor(np.ones((4, 5)), name="x")
    trace = tr.trace(tr.dropout(x, 0.5).sum())
    node = next(node for node in trace if node.op_name == "dropout")
    assert isinstance(node.params["seed"], int)
    trace.save(tmp_path / "dropout.trace")
    again = tr.load(tmp_path / "dropout.trace")
    doubled = again.replay({"x": np.full((4, 5), 2.0)})
    np.testing.assert_array_equal(doubled.value(node.index), 2 * node.value)
    np.testing.assert_array_equal(doubled.gradient("x"), trace.gradient("x"))


def test_manual_seed_starts_the_masks_again_and_each_is_another():
    x = np.ones(64)
    first = [tr.dropout(x).tolist() for _ in range(3)]
    assert first[0] != first[1] != first[2] != first[0]
    tr.manual_seed(0)
    assert [tr.dropout(x).tolist() for _ in range(3)] == first
    tr.manual_seed(1)
    assert tr.dropout(x).tolist() not in first


def test_a_process_that_seeds_nothing_draws_what_seed_0_draws(python):
    code = "import tracer as tr; print(tr.dropout([1.0] * 20).tolist())"
    never, again = (
        python("-c", code),
        python("-c", f"import tracer as tr; tr.manual_seed(0); {code}"),
    )
    assert never.stdout == again.stdout != ""


def test_a_seed_of_ones_own_leaves_the_stream_alone():
    expected = [next_seed(), next_seed()]
    tr.manual_seed(0)
    found = [next_seed()]
    tr.dropout(np.ones(3), seed=99)
    tr.dropout(np.ones(3), training=False)
    found.append(next_seed())
    assert found == expected


def test_threads_never_draw_the_same_seed():
    drawn: list[int] = []
    threads = [
        threading.Thread(target=lambda: drawn.extend(next_seed() for _ in range(2000)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 8000


def test_the_mixing_function_is_splitmix64():
    """The first outputs of SplitMix64 seeded with 0 and with 1234567, as its authors' C program prints them."""
    step = 0x9E3779B97F4A7C15
    assert mix64(step) == 0xE220A8397B1DCDAF
    assert mix64(2 * step) == 0x6E789E6AA1B965F4
    assert [mix64(1234567 + k * step) for k in (1, 2, 3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@given(seed=st.integers(-(2**70), 2**70), size=st.integers(0, 40), share=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_mask_is_the_documented_hash_of_seed_and_number(seed: int, size: int, share: float):
    expected = [(hash64(seed, k) >> 11) / 2**53 < share for k in range(size)]
    assert mask(size, share, seed).tolist() == expected


@given(seed=st.integers(0, 2**53))
@settings(max_examples=20, deadline=None)
def test_a_longer_mask_begins_with_the_shorter_one_and_shape_does_not_matter(seed: int):
    long = mask(20_000, 0.4, seed)
    np.testing.assert_array_equal(mask((3, 5), 0.4, seed).ravel(), long[:15])
    np.testing.assert_array_equal(mask((100, 2, 50), 0.4, seed).ravel(), long[:10_000])


@given(seed=st.integers(0, 2**53), share=st.sampled_from([0.01, 0.1, 0.5, 0.8, 0.999]))
@settings(max_examples=40, deadline=None)
def test_the_share_that_stays_is_that_of_the_probability(seed: int, share: float):
    size = 100_000
    deviation = np.sqrt(size * share * (1 - share))
    assert abs(np.count_nonzero(mask(size, share, seed)) - size * share) < 6 * deviation


@given(seed=st.integers(0, 2**53), other=st.integers(0, 2**53), lag=st.integers(1, 2000))
@settings(max_examples=40, deadline=None)
def test_neighbours_seeds_and_lags_are_independent(seed: int, other: int, lag: int):
    size = 100_000
    one = mask(size, 0.5, seed)
    pairs = [one[lag:] == one[:-lag]]
    pairs += [one == mask(size, 0.5, s) for s in {other, seed + 1} - {seed}]
    for same in pairs:
        assert abs(np.count_nonzero(same) - same.size / 2) < 6 * np.sqrt(same.size / 4)


def test_the_mask_of_float32_is_that_of_float64_and_stays_float32():
    x = np.ones((5, 7), dtype=np.float32)
    narrow, wide = tr.dropout(x, 0.3, seed=4), tr.dropout(x.astype(float), 0.3, seed=4)
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, wide, rtol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"p": 1.5}, "p is a probability, from 0 to 1, not 1.5"),
        ({"p": float("nan")}, "p is a probability"),
        ({"form": "pytorch"}, "no form 'pytorch', only 'inverted' and 'lecture'"),
        ({"seed": 1.5}, "integer"),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_what_is_no_probability_or_form_is_refused(arguments: Any, words: str, training: bool):
    if "seed" in arguments and not training:
        return
    with pytest.raises((ValueError, TypeError), match=words):
        tr.dropout(tr.tensor(np.ones(3)), **arguments, training=training)
