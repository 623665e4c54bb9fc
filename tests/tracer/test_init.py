"""Initial values: spreads, fans, orthogonality, seeds; and the Berkeley deck's table of ten layers."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tracer as tr

SHAPE = (300, 500)
CONV = (40, 30, 5, 4)
DRAWN = {
    "normal": (tr.init.normal, {"mean": 2.0, "std": 0.3}, 2.0, 0.3),
    "uniform": (tr.init.uniform, {"low": -1.0, "high": 3.0}, 1.0, 4 / math.sqrt(12)),
    "xavier_normal": (tr.init.xavier_normal, {}, 0.0, math.sqrt(2 / 800)),
    "xavier_normal, deck": (tr.init.xavier_normal, {"mode": "fan_in"}, 0.0, 500**-0.5),
    "xavier_uniform": (tr.init.xavier_uniform, {"gain": 2.0}, 0.0, 2 * math.sqrt(2 / 800)),
    "kaiming_normal": (tr.init.kaiming_normal, {}, 0.0, math.sqrt(2 / 500)),
    "kaiming_normal, fan_out": (
        tr.init.kaiming_normal,
        {"mode": "fan_out", "nonlinearity": "relu"},
        0.0,
        math.sqrt(2 / 300),
    ),
    "kaiming_uniform": (tr.init.kaiming_uniform, {"a": 0.2}, 0.0, math.sqrt(2 / 1.04 / 500)),
    "kaiming_uniform, PyTorch's default": (
        tr.init.kaiming_uniform,
        {"a": math.sqrt(5)},
        0.0,
        math.sqrt(1 / 3 / 500),
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_numbers_have_the_mean_and_spread_that_they_are_drawn_for(name):
    draw, options, mean, std = DRAWN[name]
    values = draw(SHAPE, rng=0, **options)
    assert values.shape == SHAPE
    assert values.dtype == np.float64
    assert abs(values.mean() - mean) < 4 * std / math.sqrt(values.size)
    # the spread of the spread is std/√(2n), less for uniform numbers
    assert abs(values.std() - std) < 4 * std / math.sqrt(2 * values.size)


@pytest.mark.parametrize("draw", [tr.init.xavier_uniform, tr.init.kaiming_uniform])
def test_uniform_numbers_reach_their_bound_and_not_beyond(draw):
    values = draw(SHAPE, rng=0)
    bound = math.sqrt(6 / 800) if draw is tr.init.xavier_uniform else math.sqrt(6 / 500)
    assert 0.999 * bound < np.abs(values).max() <= bound


def test_the_fans_of_a_convolution_count_its_window():
    assert tr.init.fans(CONV) == (600, 800)
    values = tr.init.kaiming_normal(CONV, rng=0)
    assert values.std() == pytest.approx(math.sqrt(2 / 600), rel=0.02)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (5, 2, 3), (1, 1)])
def test_rows_or_columns_are_orthogonal(shape):
    weight = tr.init.orthogonal(shape, gain=1.5, rng=0)
    assert weight.shape == shape
    flat = weight.reshape(shape[0], -1)
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, 1.5**2 * np.eye(len(gram)), atol=1e-14)


def test_every_orthogonal_matrix_is_equally_likely():
    """The trace of a random orthogonal 3 × 3 matrix has mean 0; of an uncorrected Q it has not."""
    rng = np.random.default_rng(0)
    traces = [np.trace(tr.init.orthogonal((3, 3), rng=rng)) for _ in range(400)]
    assert abs(np.mean(traces)) < 4 / math.sqrt(400)


def test_zeros_and_constants():
    assert not tr.init.zeros((2, 3)).any()
    assert (tr.init.constant((2, 3), 0.5) == 0.5).all()


@pytest.mark.parametrize("name", ["normal", "uniform", "xavier_normal", "he_uniform", "orthogonal"])
def test_numbers_follow_from_the_seed_and_not_from_the_dtype(name):
    draw = getattr(tr.init, name)
    first = draw((3, 4), rng=5)
    assert (draw((3, 4), rng=np.random.default_rng(5)) == first).all()
    single = draw((3, 4), rng=5, dtype=np.float32)
    assert single.dtype == np.float32
    assert (single == first.astype(np.float32)).all()
    tr.manual_seed(3)
    one, two = draw((3, 4)), draw((3, 4))
    tr.manual_seed(3)
    assert (draw((3, 4)) == one).all()
    assert (one != two).any()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tr.init.xavier_normal((3,)), r"a weight of shape \(3,\) has no fans"),
        (lambda: tr.init.orthogonal((3,)), r"a weight of shape \(3,\) has no fans"),
        (lambda: tr.init.kaiming_normal((3, 3), mode="fan"), "no fan is called 'fan'"),
        (lambda: tr.init.calculate_gain("swish"), "no gain is known for 'swish'"),
    ],
)
def test_what_cannot_be_drawn_is_said_at_the_door(make, said):
    with pytest.raises(ValueError, match=said):
        make()


TABLE = {
    "0.01 N, tanh": (
        lambda fan: 0.01,
        np.tanh,
        "0.213 0.0476 0.0106 0.00238 0.000532 0.000119 0.000026 0.000006 0.000001 0.000000",
    ),
    "1.0 N, tanh": (lambda fan: 1.0, np.tanh, " ".join(["0.982"] * 10)),
    "Xavier, tanh": (
        lambda fan: 1 / math.sqrt(fan),
        np.tanh,
        "0.628 0.486 0.408 0.357 0.321 0.292 0.273 0.255 0.239 0.228",
    ),
    "Xavier, ReLU": (
        lambda fan: 1 / math.sqrt(fan),
        lambda z: np.maximum(z, 0),
        "0.583 0.404 0.277 0.199 0.140 0.103 0.0727 0.0516 0.0386 0.0261",
    ),
    "He, ReLU": (
        lambda fan: math.sqrt(2 / fan),
        lambda z: np.maximum(z, 0),
        "0.825 0.828 0.814 0.827 0.834 0.860 0.871 0.889 0.845 0.845",
    ),
}
"""Lecture [A]: the spread of the activations of ten layers of 500 units, on 1000 samples of unit gaussian numbers."""


def spreads(std, activation, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    x = tr.init.normal((1000, 500), rng=rng)
    found = []
    for _ in range(10):
        x = activation(x @ tr.init.normal((500, 500), std=std(500), rng=rng).T)
        found.append(x.std())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE)
def test_ten_layers_have_the_spreads_of_the_deck(row):
    """The deck's number lies within four standard deviations over seeds, at the precision that it is printed with."""
    std, activation, printed = TABLE[row]
    found = np.array([spreads(std, activation, seed) for seed in range(8)])
    mean, spread = found.mean(axis=0), found.std(axis=0, ddof=1)
    for layer, number in enumerate(printed.split()):
        half_a_digit = 0.5 * 10.0 ** -len(number.partition(".")[2])
        assert abs(float(number) - mean[layer]) <= 4 * spread[layer] + half_a_digit, layer


def test_xavier_and_he_have_the_spreads_that_the_deck_writes_as_formulas():
    """N/√fan_in and N/√(fan_in/2)."""
    xavier = tr.init.xavier_normal((500, 500), mode="fan_in", rng=0)
    he = tr.init.he_normal((500, 500), rng=0)
    draw = np.random.default_rng(0).normal(size=(500, 500))
    np.testing.assert_allclose(xavier, draw / math.sqrt(500), rtol=1e-14)
    np.testing.assert_allclose(he, draw / math.sqrt(500 / 2), rtol=1e-14)


def test_a_weight_in_the_place_of_its_shape_is_noticed():
    with pytest.raises(ValueError, match=r"has shape \(2, 3\)\n  try: weight\.set\("):
        tr.init.xavier_uniform(tr.parameter(np.ones((2, 3))))
    assert tr.init.orthogonal(np.array([2, 3])).shape == (2, 3)
