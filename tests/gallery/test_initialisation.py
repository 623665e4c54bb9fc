"""Ten layers of 500 units: the five tables of the lecture against twenty seeds, and weights that start alike."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.initialisation import over_seeds as script
from gallery.initialisation.alike import alike, different, steps_alike
from gallery.initialisation.ten_layers import (
    LAYERS,
    SEEDS_FILE,
    TABLES,
    over_seeds,
    spread,
    stds,
    ten_layers,
)
from gallery.initialisation.training import steps

ENTRY_OF = {
    "small, tanh": "initialization:small",
    "large, tanh": "initialization:large",
    "xavier, tanh": "initialization",
    "xavier, relu": "initialization:relu",
    "he, relu": "initialization:he",
}
PUBLISHED = [
    pytest.param(table, fact.what.split()[0], fact.printed.split(), id=f"{table}, {fact.what}")
    for table, name in ENTRY_OF.items()
    for fact in GALLERY[name].facts
    if fact.spread
]


@pytest.mark.parametrize(("table", "what", "printed"), PUBLISHED)
def test_the_number_of_the_deck_lies_within_four_standard_deviations_of_twenty_seeds(
    table, what, printed
):
    """LECTURES section 7, at the precision that is printed."""
    assert len(printed) == LAYERS
    middle, off = spread(table, what)
    for layer, text in enumerate(printed):
        half_a_unit = 0.5 * 10.0 ** -len(text.partition(".")[2])
        assert abs(float(text) - middle[layer]) <= 4 * off[layer] + half_a_unit, layer + 1


def test_the_five_tables_of_the_deck_are_there_with_their_means():
    assert set(ENTRY_OF) == set(TABLES) == set(over_seeds())
    assert [what for _, what, _ in (case.values for case in PUBLISHED)].count("std") == 5
    assert [what for _, what, _ in (case.values for case in PUBLISHED)].count("mean") == 2


def test_the_file_of_seeds_says_how_it_was_made_and_holds_twenty():
    assert "gallery.initialisation.over_seeds" in json.loads(SEEDS_FILE.read_text())["made"]
    assert all(
        rows.shape == (20, LAYERS) for table in over_seeds().values() for rows in table.values()
    )


def test_a_seed_run_again_gives_the_numbers_of_the_file():
    """float32 products may differ in the last digit between machines; after ten layers that is still little."""
    fresh = script.table("he, relu", script.SEEDS[3])
    for what, numbers in fresh.items():
        np.testing.assert_allclose(numbers, over_seeds()["he, relu"][what][3], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_every_table_run_again_gives_the_numbers_of_the_file(table):
    """Large weights let the rounding of float32, which depends on the threads of BLAS, grow by 3.5 a layer."""
    rtol = 0.1 if table == "large, tanh" else 1e-3
    for seed in (script.SEEDS[0], script.SEEDS[-1]):
        for what, numbers in script.table(table, seed).items():
            kept = over_seeds()[table][what][seed - script.SEEDS[0]]
            np.testing.assert_allclose(numbers, kept, rtol=rtol, atol=1e-5)


def test_the_gradient_keeps_its_size_where_the_activations_do_and_vanishes_with_them():
    """What reaches the first layer, as a share of what reaches the last."""
    share = {
        name: t["gradient"].mean(axis=0)[0] / t["gradient"].mean(axis=0)[-1]
        for name, t in over_seeds().items()
    }
    assert share["small, tanh"] < 1e-5
    assert share["xavier, relu"] == pytest.approx(2**-4.5, rel=0.1)  # √½ for each of nine layers
    assert 0.2 < share["xavier, tanh"] < 1
    assert share["he, relu"] == pytest.approx(1, rel=0.1)
    assert share["large, tanh"] > 1e4


def test_a_knob_turned_gives_the_table_of_another_entry():
    turned = tr.trace(
        ten_layers(**GALLERY["initialization"].settings(weights="he", activation="relu"))
    )
    other = tr.trace(GALLERY["initialization:he"].build())
    np.testing.assert_array_equal(stds(turned), stds(other))


def test_all_numbers_are_float32():
    trace = tr.trace(ten_layers())
    assert all(trace.value(k).dtype == np.float32 for k in range(len(trace)))


@pytest.mark.parametrize("start", [0.5, -0.1])
def test_units_that_start_alike_stay_alike_while_they_train(start):
    moments = list(islice(steps_alike(start), 50))
    assert all(moment.measures["different units in layer 1"] == 1 for moment in moments)
    assert moments[-1].loss.value < moments[0].loss.value
    assert moments[-1].measures["length of W1"] != pytest.approx(
        moments[0].measures["length of W1"]
    )


def test_weights_of_zero_do_not_move_and_others_get_gradients_that_are_alike():
    zero, half = (tr.trace(alike(start)) for start in (0.0, 0.5))
    for name in ("W1", "W2"):
        assert not np.any(zero.gradient(name))
        assert np.any(half.gradient(name))
        assert different(half.gradient(name)) == 1
    lengths = [m.measures["length of W1"] for m in islice(steps_alike(0.0), 20)]
    assert lengths == [0.0] * 20


def test_small_weights_do_not_train_since_no_gradient_reaches_them():
    """With small weights the loss stays that of a coin, ln 2, and no gradient reaches the first layers."""
    small, xavier = (list(islice(steps(weights), 5)) for weights in ("small", "xavier"))
    assert float(small[-1].loss.value) == pytest.approx(np.log(2), abs=1e-4)
    sent = [float(np.abs(tr.trace(m[0].loss).gradient("W1")).max()) for m in (small, xavier)]
    assert sent[0] < sent[1] / 1000
