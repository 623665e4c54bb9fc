"""Lines in the unit square: nothing is drawn outside, nothing that can be seen is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tracer.plots.lines import pieces, straightened, thinned

PLACES = st.floats(-1e6, 1e6) | st.floats(-0.5, 1.5) | st.sampled_from([0.0, 1.0, np.nan])
LINES = arrays.arrays(float, st.tuples(st.integers(0, 30), st.just(2)), elements=PLACES)


@given(LINES)
def test_pieces_lie_inside_and_go_through_every_point_inside(line):
    found = pieces(line, 1000)
    drawn = np.concatenate([np.empty((0, 2)), *found])
    assert (drawn >= -1e-9).all()
    assert (drawn <= 1 + 1e-9).all()
    inside = line[np.isfinite(line).all(axis=1) & ((line >= 0) & (line <= 1)).all(axis=1)]
    for point in inside:
        assert np.abs(drawn - point).max(axis=1).min() < 1e-6


def test_a_line_that_only_crosses_the_square_is_drawn_from_side_to_side():
    (piece,) = pieces(np.array([[-1.0, 0.25], [3.0, 0.25]]), 100)
    np.testing.assert_allclose(piece, [[0, 0.25], [1, 0.25]])
    assert pieces(np.array([[-1.0, 3.0], [3.0, 2.0]]), 100) == []
    leaves = pieces(np.array([[0.5, 0.5], [0.5, 2.0], [0.75, 2.0], [0.75, 0.5]]), 100)
    assert [piece.tolist() for piece in leaves] == [
        [[0.5, 0.5], [0.5, 1.0]],
        [[0.75, 1.0], [0.75, 0.5]],
    ]


@given(st.integers(0, 2**32 - 1))
def test_thinning_keeps_the_ends_and_the_extremes_of_every_column(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.random(3000))
    line = np.stack([x, rng.random(3000)], axis=1)
    thin = thinned(line, 50)
    assert len(thin) <= 4 * 50
    for column in range(50):
        whole, kept = (each[(each[:, 0] * 50).astype(int) == column] for each in (line, thin))
        assert kept[:, 1].min() == whole[:, 1].min()
        assert kept[:, 1].max() == whole[:, 1].max()
        np.testing.assert_array_equal(kept[[0, -1]], whole[[0, -1]])


@given(st.integers(0, 2**32 - 1))
def test_straightening_moves_a_line_by_no_more_than_can_be_seen(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.random(200)) * 400
    line = np.stack([x, 100 + 80 * np.sin(x / 40)], axis=1)
    short = straightened(line, 0.03)
    assert len(short) < 150
    np.testing.assert_array_equal(short[[0, -1]], line[[0, -1]])
    assert np.abs(np.interp(x, *short.T) - line[:, 1]).max() < 0.3


def test_a_line_that_turns_back_keeps_its_turn():
    line = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    assert straightened(line, 0.1).tolist() == line.tolist()
