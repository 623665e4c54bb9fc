"""Trainings: what is written down of every optimiser step, what is kept, and what is let go."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

import tracer as tr
from gallery.digits import digits
from gallery.history import curves, statistics
from gallery.knobs import settings
from gallery.training import Moment, Run, Training, pictures, train, updates
from gallery.two_layers.digits_mlp import DIGITS_MLP, batches
from gallery.two_layers.training_xor import TRAINING as XOR
from tracer.plots import Curve, Plot


def parabola(lr: float = 0.1, dropped: bool = False) -> Iterator[Moment]:
    """w² from w = 1, or with a mask of dropout; a measure at every third step."""
    w = tr.parameter([1.0, 1.0], name="w")
    step = 0
    while True:
        h = tr.dropout(w, 0.5) if dropped else w * 1.0
        loss = tr.sum(tr.square(h))
        loss.backward()
        w -= lr * w.grad
        step += 1
        yield Moment(loss, {"third": float(step)} if step % 3 == 0 else {}, {"h": h})


PARABOLA = Training(parabola, steps=20, keep=(1, 5))


def last(training: Training, *, steps: int | None = None, **turned):
    *_, history = train(training, settings(training.knobs, turned), steps=steps)
    return history


# ----- what is written down


def test_every_step_leaves_its_loss_and_a_measure_only_where_it_was_measured():
    *_, history = train(PARABOLA, {}, steps=7)
    assert history.steps.tolist() == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(history.losses, 2 * 0.8 ** (2 * np.arange(7)))
    at, numbers = history.measures["third"]
    assert at.tolist() == [3, 6]
    assert numbers.tolist() == [3.0, 6.0]
    assert len(history.layers["h"]) == 7


def test_a_history_stays_as_it_was_while_the_training_goes_on():
    run = Run(PARABOLA, {})
    for _ in range(4):
        run.step()
    early = run.history
    for _ in range(6):
        run.step()
    assert early.losses.size == early.steps.size == len(early.layers["h"]) == 4
    assert early.measures["third"][0].tolist() == [3]
    assert list(early.traces) == [1]
    assert list(run.history.traces) == [1, 5]


def test_the_statistics_of_a_layer_are_those_of_numpy():
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(loc=1e3, size=(6, 5)))
    h = tr.relu(x - 1e3)
    g = rng.normal(size=(6, 5))
    tr.sum(h * g).backward()
    found = statistics(h)
    np.testing.assert_allclose(
        found,
        [h.value.mean(), h.value.std(), np.sqrt(np.mean(g**2)), np.mean(h.value == 0)],
        rtol=1e-12,
    )
    assert math.isnan(statistics(tr.tensor(2.0)).gradient)


def test_a_large_mean_does_not_spoil_the_spread():
    found = statistics(tr.tensor(1e9 + np.array([-1.0, 1.0])))
    assert found.std == 1.0


def test_the_update_of_a_parameter_is_relative_to_its_size():
    run = Run(PARABOLA, {"lr": 0.1})
    assert run.updates() == {}
    run.step()
    assert run.updates() == {}
    run.step()
    assert run.updates() == pytest.approx({"w": 0.2})


def test_a_parameter_that_leaves_zero_has_moved_without_measure():
    def trace(value):
        return tr.trace(tr.sum(tr.parameter(value, name="w") * 2.0))

    assert updates(trace([0.0]), trace([1.0])) == {"w": math.inf}
    assert updates(trace([0.0]), trace([0.0])) == {"w": 0.0}


# ----- what is kept


def test_the_kept_traces_are_those_of_their_steps():
    history = last(PARABOLA)
    assert list(history.traces) == [1, 5]
    for step, trace in history.traces.items():
        assert trace.value(trace.loss) == history.losses[step - 1]
        assert trace.gradient("w").tolist() == pytest.approx((2 * trace.value("w")).tolist())


@pytest.mark.parametrize(
    ("keep", "kept"), [((), []), ({2, 4}, [2, 4]), (range(3, 10, 3), [3, 6, 9])]
)
def test_any_steps_can_be_kept(keep, kept):
    *_, history = train(PARABOLA, {}, steps=9, keep=keep)
    assert list(history.traces) == kept


def test_the_present_step_can_be_kept_when_somebody_asks():
    run = Run(PARABOLA, {}, keep=())
    assert run.freeze() == 0
    run.step()
    run.step()
    assert run.freeze() == run.freeze() == 2
    assert list(run.history.traces) == [2]


def test_plots_may_show_a_present_step_that_is_not_kept():
    run = Run(PARABOLA, {}, keep=(1,))
    for _ in range(3):
        run.step()
    assert list(run.seen(run.history).traces) == [1]
    run.updates()
    assert list(run.seen(run.history).traces) == [1, 3]
    assert list(run.history.traces) == [1]


def test_the_graphs_of_other_steps_are_let_go():
    values: list[weakref.ref[np.ndarray]] = []

    def noted() -> Iterator[Moment]:
        for moment in parabola():
            values.append(weakref.ref(moment.layers["h"].value))
            yield moment

    run = Run(Training(noted, keep=(3, 7)), {})
    for _ in range(30):
        run.step()
    gc.collect()
    alive = [step for step, value in enumerate(values, 1) if value() is not None]
    assert set(alive) <= {3, 7, 29, 30}
    assert {3, 7} <= set(alive)
    assert run.history.count == 30


# ----- how it ends


def test_a_loss_that_is_no_number_ends_the_training_is_said_and_kept():
    history = last(PARABOLA, steps=2000)
    assert history.trouble == ""
    *_, history = train(PARABOLA, {"lr": 1e30}, steps=2000)
    assert history.count < 20
    assert not math.isfinite(history.losses[-1])
    assert f"at step {history.count}" in history.trouble
    assert history.count in history.traces


def test_a_loss_that_grows_is_said_to_diverge():
    *_, history = train(PARABOLA, {"lr": 1.5}, steps=20)
    assert history.count == 20
    assert "diverges" in history.trouble


@pytest.mark.parametrize(
    ("turned", "said"), [({}, ""), ({"lr": 1e300}, "no gradient reaches hidden any more")]
)
def test_a_layer_that_has_died_is_said(turned, said):
    assert last(XOR, steps=30, **turned).trouble == said


def test_a_layer_that_is_all_zeros_is_said():
    def dying() -> Iterator[Moment]:
        for bias in (1.0, *[-1.0] * 10):
            w = tr.parameter([0.5, 0.25])
            h = tr.relu(w + bias)
            loss = tr.sum(h) + 1.0
            loss.backward()
            yield Moment(loss, {}, {"h": h})

    *_, history = train(Training(dying), {})
    assert history.trouble == "h is 0 for every input by now: no gradient passes"


def test_a_training_may_have_an_end_of_its_own():
    def three() -> Iterator[Moment]:
        moments = parabola()
        yield from (next(moments) for _ in range(3))

    run = Run(Training(three), {})
    assert [run.step() for _ in range(5)] == [True, True, True, False, False]
    assert run.history.count == 3
    assert run.freeze() == 3


def test_the_same_masks_of_dropout_are_drawn_every_time():
    first, second = (list(train(PARABOLA, {"dropped": True}, steps=9))[-1] for _ in range(2))
    assert first.losses.tolist() == second.losses.tolist()
    assert len(set(first.losses.tolist())) > 3


# ----- plots


def test_the_curves_are_the_loss_and_the_measures_with_shares_together():
    def moments() -> Iterator[Moment]:
        for moment in parabola():
            yield moment._replace(measures={"accuracy": 0.5, "recall": 1.0, "norm": 7.0})

    *_, history = train(Training(moments), {}, steps=4)
    plots = curves(history)
    assert [plot.title for plot in plots] == ["loss", "accuracy, recall", "norm"]
    assert (plots[1].y.low, plots[1].y.high) == (0.0, 1.0)
    np.testing.assert_array_equal(plots[0].marks[0].y, history.losses)


def test_own_plots_get_the_history_and_the_settings_and_stand_beside_the_loss():
    def plots(history, *, lr):
        again = Plot("loss by step", [Curve("loss", history.steps, history.losses)])
        return (again, Plot(f"lr {lr}", [Curve("loss", history.steps, -history.losses)]))

    training = Training(parabola, plots=plots)
    *_, history = train(training, {"lr": 0.3}, steps=2)
    assert [plot.title for plot in pictures(training, history, {"lr": 0.3})] == ["loss", "lr 0.3"]


# ----- xor, and digits


@pytest.mark.parametrize(("optimiser", "lr"), [("sgd", 10.0), ("momentum", 1.0), ("adam", 0.1)])
def test_xor_is_learned_in_a_few_hundred_steps(optimiser, lr):
    history = last(XOR, optimiser=optimiser, lr=lr)
    assert history.losses[0] > 0.4
    assert history.losses[-1] < 0.01
    assert history.measures["accuracy"][1][-1] == 1.0
    assert list(history.traces) == [1, 10, 100]


def test_two_hidden_units_may_end_on_a_plateau_where_three_do_not():
    """As the claim of the entry says."""
    assert last(XOR, seed=1).losses[-1] > 0.2
    assert all(last(XOR, seed=seed, hidden=3).losses[-1] < 0.01 for seed in range(3))


def test_every_epoch_shows_every_image_once_in_another_order():
    size = 479  # three batches hold all 1,437
    shown = batches(size)
    first, second = (np.concatenate([next(shown) for _ in range(3)]) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(len(digits().train_labels)))
    assert first.tolist() != second.tolist()


def test_the_classifier_of_digits_learns_what_it_has_not_seen():
    training = DIGITS_MLP.training
    given = settings(DIGITS_MLP.every_knob, {})
    *_, history = train(training, given)
    at, accuracy = history.measures["test accuracy"]
    assert at.tolist() == [1, *range(10, 401, 10)]
    assert accuracy[0] < 0.3
    assert accuracy[-1] == pytest.approx(0.98, abs=0.01)  # as its claim says
    build = DIGITS_MLP.build()
    assert history.losses[0] == build.value  # the first step is the graph that the entry shows
