"""Learning rates over epochs, gradients cut to size, and when to stop."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from tests.tracer.optim.cases import METRICS, SCHEDULES, B, W, loss_of

GOLDEN = json.loads(Path(__file__).with_name("optimisers_golden.json").read_text())


def sgd(lr: float = 0.4) -> tr.optim.SGD:
    return tr.optim.SGD([tr.parameter(0.0)], lr=lr)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_pytorchs(name):
    kind, options = SCHEDULES[name]
    optimiser = sgd()
    schedule = getattr(tr.optim, kind)(optimiser, **options)
    rates = schedule.get_last_lr()
    for metric in METRICS:
        schedule.step(*([metric] if kind == "ReduceLROnPlateau" else []))
        rates.append(optimiser.lr)
    np.testing.assert_allclose(rates, GOLDEN["rates"][name], rtol=1e-12)


@pytest.mark.parametrize("name", [*SCHEDULES, "inverse time"])
def test_a_schedule_goes_on_from_a_saved_state(name):
    kind, options = {**SCHEDULES, "inverse time": ("InverseTimeLR", {"k": 0.5})}[name]
    rates = []
    for stops in (None, 5):
        optimiser = sgd()
        schedule = getattr(tr.optim, kind)(optimiser, **options)
        for epoch, metric in enumerate(METRICS):
            if epoch == stops:
                state, saved = schedule.state_dict(), optimiser.state_dict()
                optimiser = sgd()
                schedule = getattr(tr.optim, kind)(optimiser, **options)
                optimiser.load_state_dict(saved)
                schedule.load_state_dict(json.loads(json.dumps(state)))
            schedule.step(*([metric] if kind == "ReduceLROnPlateau" else []))
        rates.append(optimiser.lr)
    assert rates[0] == rates[1]


def test_decay_with_time_is_the_decks():
    """a₀/(1 + k epoch), for a₀ = 1 and k = 0.5."""
    optimiser = sgd(1.0)
    schedule = tr.optim.InverseTimeLR(optimiser, k=0.5)
    rates = []
    for _ in range(4):
        rates.append(optimiser.lr)
        schedule.step()
    np.testing.assert_allclose(rates, [1, 1 / 1.5, 1 / 2, 1 / 2.5], rtol=1e-15)


def test_every_group_keeps_its_own_rate():
    optimiser = tr.optim.SGD(
        [{"params": [tr.parameter(0.0)], "lr": 1.0}, {"params": [tr.parameter(0.0)], "lr": 0.1}]
    )
    schedule = tr.optim.ExponentialLR(optimiser, gamma=0.5)
    schedule.step()
    assert schedule.get_last_lr() == [0.5, 0.05]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda o: tr.optim.StepLR(o, 0), "a stair of 0 epochs"),
        (lambda o: tr.optim.CosineAnnealingLR(o, 0), "half a cosine of 0 epochs"),
        (lambda o: tr.optim.ReduceLROnPlateau(o, mode="up"), "mode 'up'"),
        (lambda o: tr.optim.ReduceLROnPlateau(o, factor=1.0), "factor 1.0 does not reduce"),
        (lambda o: tr.optim.EarlyStopping(mode="up"), "no mode 'up'"),
        (lambda o: tr.optim.EarlyStopping().restore(), "no state to restore"),
    ],
)
def test_what_makes_no_schedule_is_said_at_the_door(make, said):
    with pytest.raises(ValueError, match=said):
        make(sgd())


def test_nan_is_no_improvement():
    optimiser = sgd()
    schedule = tr.optim.ReduceLROnPlateau(optimiser, patience=0)
    schedule.step(math.nan)
    assert optimiser.lr == pytest.approx(0.04)
    stopping = tr.optim.EarlyStopping(patience=2)
    assert [stopping.step(x) for x in (1.0, math.nan, math.nan)] == [False, False, True]


# ----- clipping


@pytest.mark.parametrize("name", GOLDEN["clipped"])
def test_gradients_are_clipped_as_by_pytorch(name):
    norm_type, max_norm = map(float, name.split())
    golden = GOLDEN["clipped"][name]
    w, b, idle = tr.parameter(W), tr.parameter(B), tr.parameter(1.0)
    loss = loss_of(tr.tanh, w, b)
    trace = tr.trace(loss)
    loss.backward()
    norm = tr.optim.clip_grad_norm([w, b, idle], max_norm, norm_type)
    assert norm == pytest.approx(golden["norm"], rel=1e-13)
    np.testing.assert_allclose(w.grad, golden["grads"][0], rtol=1e-13)
    np.testing.assert_allclose(b.grad, golden["grads"][1], rtol=1e-13)
    assert idle.grad is None
    if norm > max_norm:
        assert (np.abs(trace.gradient(0)) > np.abs(w.grad)).all()  # what the trace saw stays


def test_a_norm_that_is_no_number_raises_if_asked_to():
    w = tr.parameter([1.0, 2.0])
    w.grad = np.array([np.inf, 1.0])
    with pytest.raises(ValueError, match=r"the norm of the gradients is inf"):
        tr.optim.clip_grad_norm([w], 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(w.grad, [np.inf, 1.0])
    assert tr.optim.clip_grad_norm([w], 1.0) == math.inf
    np.testing.assert_array_equal(w.grad, [np.nan, 0.0])


def test_clipping_keeps_float32_and_takes_nothing_for_granted():
    w, none = tr.parameter(np.array([3.0, 4.0], dtype=np.float32)), tr.parameter(1.0)
    w.grad = np.array([30.0, 40.0], dtype=np.float32)
    assert tr.optim.clip_grad_norm(iter([w]), 5.0) == pytest.approx(50)
    assert w.grad.dtype == np.float32
    assert tr.optim.clip_grad_norm([none], 5.0) == 0
    with pytest.raises(TypeError, match="several parameters, not one Parameter"):
        tr.optim.clip_grad_norm(w, 5.0)


def test_each_element_is_clipped_to_a_value():
    w, b = tr.parameter([1.0, 2.0, 3.0]), tr.parameter(1.0)
    w.grad, b.grad = np.array([-7.0, 0.5, 7.0]), 9.0
    tr.optim.clip_grad_value([w, b, tr.parameter(0.0)], 2.0)
    np.testing.assert_array_equal(w.grad, [-2.0, 0.5, 2.0])
    assert b.grad == 2


# ----- stopping


def test_stopping_goes_back_to_the_best_epoch():
    net = tr.nn.Linear(1, 1)
    stopping = tr.optim.EarlyStopping(patience=2, min_delta=0.1, module=net)
    stopped = []
    for epoch, loss in enumerate((1.0, 0.5, 0.45, 0.42)):
        net.bias.set([float(epoch)])
        stopped.append(stopping.step(tr.tensor(loss)))
    assert stopped == [False, False, False, True]
    stopping.restore()
    assert net.bias.value == [1.0]
    assert (stopping.best, stopping.best_epoch) == (0.5, 1)


def test_a_metric_may_grow():
    stopping = tr.optim.EarlyStopping(patience=1, mode="max")
    assert [stopping.step(x) for x in (0.1, 0.2, 0.2)] == [False, False, True]


def test_the_rows_of_a_recorded_value_are_no_parameters():
    x = tr.tensor([3.0, 4.0])
    tr.sum(x * x).backward()
    with pytest.raises(TypeError, match="several parameters, not one Tensor"):
        tr.optim.clip_grad_norm(x, 1.0)
