"""Optimisers on two surfaces, learning rates that fall, search, and mini-batches: what follows on paper."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

import tracer as tr
from gallery.optimisation.minibatches import ROWS, batches, data, descent, noise
from gallery.optimisation.optimizers import MOMENTUM, OPTIMISERS, path, walk
from gallery.optimisation.schedules import SCHEDULES, run
from gallery.optimisation.search import search, trials
from gallery.optimisation.surfaces import SURFACES


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_optimiser_comes_down_the_ravine(optimiser):
    _, losses = path("ravine", optimiser, 0.04)
    assert losses[-1] < 0.05 * losses[0]


def test_gradient_descent_shrinks_each_weight_by_its_own_factor():
    """w <- w - lr a w: after t steps (1 - lr a)^t, with a = 1 along x and 20 along y."""
    points, _ = path("ravine", "sgd", 0.04, 10)
    t = np.arange(11)
    np.testing.assert_allclose(points[:, 0], -2 * 0.96**t, rtol=1e-12)
    np.testing.assert_allclose(points[:, 1], 0.8 * 0.2**t, rtol=1e-10)


@pytest.mark.parametrize(("lr", "falls"), [(0.099, True), (0.101, False)])
def test_gradient_descent_diverges_where_the_rate_passes_two_over_the_steepest_curvature(lr, falls):
    points, _ = path("ravine", "sgd", lr, 200)
    assert bool(abs(points[-1, 1]) < abs(points[0, 1])) == falls


def test_momentum_leaves_the_shallow_valley_that_gradient_descent_stays_in():
    """The valleys lie at about x = 0.96 and x = -1.04."""
    assert path("valleys", "sgd", 0.04)[0][-1, 0] == pytest.approx(0.96, abs=0.02)
    assert path("valleys", "velocity", 0.04)[0][-1, 0] < 0


@pytest.mark.parametrize("optimiser", ["velocity", "nesterov"])
def test_the_first_two_points_of_both_momenta_by_hand(optimiser):
    """Along x, slope x, mu 0.9: v1 = -lr x0; Nesterov's steps by mu v - lr g, momentum's by v."""
    points, _ = path("ravine", optimiser, 0.04, 2)
    x, v = -2.0, 0.0
    by_hand = [x]
    for _ in range(2):
        g, v = x, 0.9 * v - 0.04 * x
        x += 0.9 * v - 0.04 * g if optimiser == "nesterov" else v
        by_hand.append(x)
    np.testing.assert_allclose(points[:, 0], by_hand, rtol=1e-12)


def test_steepest_descent_makes_steps_of_one_length_and_the_fixed_step_one_for_each_weight():
    points, _ = path("ravine", "steepest", 0.04, 20)
    np.testing.assert_allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), 0.04, rtol=1e-12)
    points, _ = path("ravine", "fixed", 0.04, 20)
    np.testing.assert_allclose(np.abs(np.diff(points, axis=0)), 0.04, rtol=1e-5)


def test_a_walk_can_be_frozen_at_each_step_with_the_gradient_that_it_used():
    first, second = islice(walk("ravine", "steepest", 0.04), 2)
    trace = tr.trace(first.loss)
    np.testing.assert_allclose(trace.gradient("w"), [-2.0, 16.0])
    step = tr.trace(second.loss).value("w") - trace.value("w")
    np.testing.assert_allclose(step, -0.04 * np.array([-2.0, 16.0]) / np.hypot(2, 16))


def test_rates_fall_as_their_formulas_say():
    epochs = np.arange(40)
    rate = {name: run(name, 0.05, 0)[0] / 0.05 for name in SCHEDULES}
    np.testing.assert_allclose(rate["constant"], 1)
    np.testing.assert_allclose(rate["inverse"], 1 / (1 + 0.1 * epochs))
    np.testing.assert_allclose(rate["exponential"], np.exp(-0.1 * epochs))
    np.testing.assert_allclose(rate["staircase"], 0.5 ** (epochs // 5))
    np.testing.assert_allclose(rate["manual"][[9, 10, 20, 30]], [1, 0.5, 0.1, 0.01])
    rates, losses = run("conditional", 0.05, 0)
    left, best, bad, by_hand = 1.0, np.inf, 0, []
    for loss in losses:  # halved after the third epoch without a better loss
        by_hand.append(left)
        better = loss < best * (1 - 1e-4)
        best, bad = (loss, 0) if better else (best, bad + 1)
        if bad > 2:
            left, bad = left / 2, 0
    np.testing.assert_allclose(rates / 0.05, by_hand)
    assert by_hand[-1] < 1


def test_a_rate_that_falls_ends_below_the_noise_that_a_constant_rate_keeps():
    late = {name: run(name, 0.05, 0)[1][-10:].mean() for name in SCHEDULES}
    assert max(SCHEDULES, key=late.__getitem__) == "constant"
    assert late["exponential"] < late["constant"] / 10


@pytest.mark.parametrize("how", ["grid", "random"])
def test_only_the_best_trial_receives_a_gradient(how):
    trace = tr.trace(search(how))
    best = int(np.argmin(trace.value("score")))
    gradient = np.asarray(trace.gradient("important"))
    if how == "grid":  # the trials of a column differ in the other setting alone
        assert np.count_nonzero(gradient) == 1
    assert np.flatnonzero(gradient).tolist() == [best]


def test_random_search_comes_closer_in_most_draws():
    """Nine values of the setting that matters against three, whose best is 0.7 - 5/6 away from it."""
    grid = search("grid").item()
    wins = sum(search("random", seed).item() < grid for seed in range(40))
    assert wins > 30
    assert trials("random", 0).shape == trials("grid", 0).shape == (9, 2)


@pytest.mark.parametrize("shuffle", [True, False])
def test_an_epoch_uses_every_row_once(shuffle):
    epoch = np.concatenate(list(islice(batches(8, shuffle, 0), ROWS // 8)))
    assert sorted(epoch) == list(range(ROWS))
    assert (list(epoch) == list(range(ROWS))) is not shuffle


def test_the_gradients_of_an_epochs_batches_have_the_gradient_of_all_rows_as_their_mean():
    x, y = data()
    whole = float(np.mean(-2 * x * y))
    each = []
    for moment in islice(descent(8, True, 0.0), ROWS // 8):  # a rate of 0: W stays where it is
        each.append(float(tr.trace(moment.loss).gradient("W")))
    assert np.mean(each) == pytest.approx(whole, rel=1e-12)
    assert np.std(each) > 0.1


def test_the_noise_is_that_of_the_gradients_in_the_graphs_of_the_training():
    seen = [
        float(tr.trace(moment.loss).gradient("W"))
        for moment in islice(descent(16, True, 0.0), 5 * ROWS // 16)
    ]
    assert noise(np.array([16]), epochs=5)[0] == pytest.approx(np.std(seen), rel=1e-10)


def test_sorted_rows_pull_to_one_side_after_the_other():
    """The batches of an epoch of sorted rows differ more in their gradients than those of shuffled ones."""
    spread = {}
    for shuffle in (True, False):
        epoch = islice(descent(8, shuffle, 0.0), ROWS // 8)
        spread[shuffle] = np.std([float(tr.trace(each.loss).gradient("b")) for each in epoch])
    assert spread[False] > 1.5 * spread[True]


# ----- what follows on paper from the forms that the lecture gives


def test_momentum_on_a_slope_comes_to_a_step_of_the_rate_over_one_minus_mu():
    w = tr.parameter(0.0)
    optimizer = OPTIMISERS["velocity"]([w], 0.01)
    seen = []
    for _ in range(300):
        (w * 1.0).backward()
        optimizer.step()
        seen.append(float(w.value))
    assert seen[0] == pytest.approx(-0.01)
    assert seen[-2] - seen[-1] == pytest.approx(0.01 / (1 - MOMENTUM), rel=1e-9)


def test_the_first_step_of_adam_has_the_length_of_the_rate_in_each_weight():
    points, _ = path("ravine", "adam", 0.05, 1)
    np.testing.assert_allclose(np.abs(points[1] - points[0]), 0.05, rtol=1e-6)


def test_the_negative_gradient_is_the_best_step_in_a_small_ball():
    x, y = SURFACES["ravine"].start
    angles = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
    around = SURFACES["ravine"].height(x + 1e-4 * np.cos(angles), y + 1e-4 * np.sin(angles))
    downhill = np.arctan2(-20 * y, -x)
    off = np.angle(np.exp(1j * (angles[np.argmin(around)] - downhill)))
    assert abs(np.degrees(off)) < 0.1


def test_a_step_of_fixed_length_bounces_around_the_minimum():
    y = tr.parameter(0.25)
    optimizer = tr.optim.FixedStep([y], 0.1)
    seen = []
    for _ in range(6):
        (y * y / 2).backward()
        optimizer.step()
        seen.append(float(y.value))
    np.testing.assert_allclose(seen, [0.15, 0.05, -0.05, 0.05, -0.05, 0.05], rtol=1e-5)


def test_both_forms_of_momentum_walk_alike_where_their_rates_are_one_minus_mu_apart():
    one, _ = path("ravine", "velocity", 0.01)
    other, _ = path("ravine", "average", 0.01 / (1 - MOMENTUM))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_nine_random_trials_try_nine_values_of_the_setting_that_matters_and_a_grid_three():
    assert [len(np.unique(trials(how, 0)[:, 0])) for how in ("grid", "random")] == [3, 9]


def test_the_noise_of_a_batch_falls_as_that_of_a_sample_without_replacement():
    """Its standard deviation times the root of k, over that of single rows: sqrt((N - k) / (N - 1))."""
    sizes = np.array([1, 16, 32, 64])
    measured = noise(sizes)
    left = np.sqrt((ROWS - sizes) / (ROWS - 1))
    np.testing.assert_allclose(measured * np.sqrt(sizes) / measured[0], left, atol=0.03)
