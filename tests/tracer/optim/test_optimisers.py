"""Optimisers: PyTorch's updates, the decks' forms, groups and states, and what a step leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops.devices.interpreting import INTERPRET
from tests.tracer.optim.cases import CASES, KEPT, B, W, loss_of
from tracer.errors import StateError
from tracer.optim import optimizer as engine

GOLDEN = json.loads(Path(__file__).with_name("optimisers_golden.json").read_text())


def run(kind: str, options: dict[str, Any], steps: int = 50) -> dict[int, list[Any]]:
    w, b = tr.parameter(W), tr.parameter(B)
    optimiser = getattr(tr.optim, kind)([w, b], **options)
    kept = {}
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        loss_of(tr.tanh, w, b).backward()
        optimiser.step()
        kept[step] = [w.value, b.value]
    return kept


@pytest.mark.parametrize("name", CASES)
def test_an_update_is_pytorchs(name):
    found = run(*CASES[name])
    for step in KEPT:
        for ours, golden in zip(found[step], GOLDEN["paths"][name][str(step)], strict=True):
            np.testing.assert_allclose(ours, golden, rtol=1e-12, atol=1e-12, err_msg=f"step {step}")


ALL = {
    **CASES,
    "velocity": ("SGD", {"lr": 0.02, "momentum": 0.9, "form": "velocity"}),
    "velocity, nesterov": (
        "SGD",
        {"lr": 0.02, "momentum": 0.9, "form": "velocity", "nesterov": True},
    ),
    "average": ("SGD", {"lr": 0.1, "momentum": 0.9, "form": "average"}),
    "fixed step": ("FixedStep", {"lr": 0.01}),
}


@pytest.mark.parametrize("name", ALL)
def test_a_large_parameter_moves_as_its_elements_would_alone(name, monkeypatch):
    """Large parameters are updated block by block: blocks of three give the same bits."""
    kind, options = ALL[name]
    whole = run(kind, options, steps=5)
    monkeypatch.setattr(engine, "BLOCK", 4)
    for step, values in run(kind, options, steps=5).items():
        for value, other in zip(values, whole[step], strict=True):
            np.testing.assert_array_equal(value, other)


@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32(name):
    kind, options = ALL[name]
    w = tr.parameter(np.array(W, dtype=np.float32))
    optimiser = getattr(tr.optim, kind)([w], **options)
    double = tr.parameter(W)
    other = getattr(tr.optim, kind)([double], **options)
    for _ in range(5):
        for one, each in ((w, optimiser), (double, other)):
            tr.sum(tr.tanh(one) * one).backward()
            each.step()
    assert w.dtype == np.float32
    arrays = [x for x in optimiser.state[w].values() if isinstance(x, np.ndarray)]
    assert all(x.dtype == np.float32 for x in arrays)
    np.testing.assert_allclose(w.value, double.value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_a_trace_from_before_a_step_replays_to_the_same_numbers_after_it(name):
    kind, options = ALL[name]
    w, b = tr.parameter(W, name="w"), tr.parameter(B, name="b")
    optimiser = getattr(tr.optim, kind)([w, b], **options)
    loss = loss_of(tr.tanh, w, b)
    trace = tr.trace(loss)
    value, gradient, before = loss.item(), trace.gradient("w").copy(), trace["w"].value.copy()
    loss.backward()
    held = w.value
    for _ in range(3):
        optimiser.step()
        loss_of(tr.tanh, w, b).backward()
    assert (w.value != before).all()
    np.testing.assert_array_equal(held, before)
    again = trace.replay({"w": 0 * before}).replay({"w": before})  # so everything runs again
    assert again[again.loss].value == value
    np.testing.assert_array_equal(again.gradient("w"), gradient)
    np.testing.assert_array_equal(trace["w"].value, before)


@pytest.mark.parametrize("name", ALL)
def test_a_parameter_without_a_gradient_is_left_alone(name):
    kind, options = ALL[name]
    w, idle = tr.parameter(W), tr.parameter([1.0, 2.0])
    optimiser = getattr(tr.optim, kind)([idle, w], **options)
    leaf = idle.tensor
    tr.sum(w * w).backward()
    optimiser.step()
    assert idle.tensor is leaf
    assert idle not in optimiser.state


def test_a_stepped_parameter_keeps_its_name_and_has_no_gradient():
    w = tr.parameter([1.0], name="w")
    tr.sum(w * w).backward()
    tr.optim.SGD([w], lr=0.1).step()
    assert w.name == "w"
    assert w.grad is None
    assert not w.value.flags.writeable


# ----- the decks' forms


def test_momentum_as_a_velocity():
    """v ← μ v − α g; w ← w + v. For w² with w = 1, α = 0.1, μ = 0.5: v −0.2, then −0.1 − 0.16."""
    w = tr.parameter(1.0)
    optimiser = tr.optim.SGD([w], lr=0.1, momentum=0.5, form="velocity")
    seen = []
    for _ in range(2):
        (w * w).backward()
        optimiser.step()
        seen.append((w.item(), optimiser.state[w]["momentum_buffer"].item()))
    np.testing.assert_allclose(seen, [(0.8, -0.2), (0.54, -0.26)], rtol=1e-14)


def test_momentum_as_an_average():
    """m ← β m + (1 − β) g; w ← w − α m. For w² with w = 1, α = 0.1, β = 0.5: m 1, then 0.5 + 0.9."""
    w = tr.parameter(1.0)
    optimiser = tr.optim.SGD([w], lr=0.1, momentum=0.5, form="average")
    seen = []
    for _ in range(2):
        (w * w).backward()
        optimiser.step()
        seen.append((w.item(), optimiser.state[w]["momentum_buffer"].item()))
    np.testing.assert_allclose(seen, [(0.9, 1.0), (0.76, 1.4)], rtol=1e-14)


def test_the_velocity_form_with_a_constant_rate_is_pytorchs():
    """v of the decks is −α times PyTorch's; nesterov too."""
    for nesterov in (False, True):
        options = {"lr": 0.02, "momentum": 0.9, "nesterov": nesterov}
        one, other = run("SGD", options, 10), run("SGD", {**options, "form": "velocity"}, 10)
        np.testing.assert_allclose(one[10][0], other[10][0], rtol=1e-12)


def test_the_fixed_step_has_the_same_length_everywhere_and_bounces():
    w = tr.parameter([5.0, -0.004, 0.0])
    optimiser = tr.optim.FixedStep([w], lr=0.01)
    seen = [w.value]
    for _ in range(2):
        tr.sum(w * w * [1.0, 1e6, 1.0]).backward()
        optimiser.step()
        seen.append(w.value)
    np.testing.assert_allclose(seen[1] - seen[0], [-0.01, 0.01, 0.0], rtol=1e-6)
    np.testing.assert_allclose(seen[2], [4.98, -0.004, 0.0], atol=1e-8)


def test_weight_decay_is_the_gradient_of_the_penalty():
    """J + λ/(2m) ‖w‖² of the decks: weight_decay = λ/m."""
    penalty, m = 0.3, 5
    by_hand, by_option = tr.parameter(W), tr.parameter(W)
    first = tr.optim.SGD([by_hand], lr=0.1)
    second = tr.optim.SGD([by_option], lr=0.1, weight_decay=penalty / m)
    (tr.sum(tr.tanh(by_hand)) + penalty / (2 * m) * tr.sum(by_hand * by_hand)).backward()
    tr.sum(tr.tanh(by_option)).backward()
    first.step()
    second.step()
    np.testing.assert_allclose(by_hand.value, by_option.value, rtol=1e-14)


# ----- odd numbers and layouts


def test_nan_and_inf_are_carried_and_not_warned_of():
    w = tr.parameter([1.0, 2.0, 3.0])
    optimiser = tr.optim.Adam([w], lr=0.1)
    w.grad = np.array([np.nan, np.inf, 1.0])
    optimiser.step()
    assert np.isnan(w.value[:2]).all()
    assert w.value[2] == pytest.approx(2.9)


def test_a_gradient_and_a_value_in_another_order_of_memory():
    value, gradient = np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.ones((3, 2)).T * [1, 2, 3]
    w = tr.parameter(value)
    w.grad = gradient
    tr.optim.SGD([w], lr=1.0).step()
    np.testing.assert_array_equal(w.value, value - gradient)


def test_empty_parameters_are_stepped():
    w = tr.parameter(np.empty((0, 3)))
    w.grad = np.empty((0, 3))
    tr.optim.Adam([w]).step()
    assert w.shape == (0, 3)


# ----- groups, options, states


def test_groups_have_options_of_their_own():
    fast, slow = tr.parameter(1.0), tr.parameter(1.0)
    optimiser = tr.optim.SGD([{"params": [fast], "lr": 0.5}, {"params": [slow]}], lr=0.1)
    (fast + slow).backward()
    optimiser.step()
    assert (fast.item(), slow.item()) == (0.5, 0.9)
    assert optimiser.lr == 0.5
    optimiser.lr = 0.2
    assert [group["lr"] for group in optimiser.param_groups] == [0.2, 0.2]


def test_a_module_is_trained_by_its_parameters():
    net = tr.nn.Linear(2, 1)
    optimiser = tr.optim.SGD(net.parameters(), lr=0.1)
    tr.sum(net([[1.0, 2.0]])).backward()
    optimiser.zero_grad()
    assert net.weight.grad is None
    assert repr(optimiser).startswith("SGD (\n  2 parameters: lr=0.1, momentum=0.0")


@pytest.mark.parametrize("name", ALL)
def test_a_run_goes_on_from_a_saved_state(name):
    kind, options = ALL[name]
    whole = run(kind, options, steps=6)[6]

    w, b = tr.parameter(W), tr.parameter(B)
    optimiser = getattr(tr.optim, kind)([w, b], **options)
    for step in range(6):
        if step == 3:
            state = optimiser.state_dict()
            optimiser = getattr(tr.optim, kind)([w, b], **{**options, "lr": 99.0})
            optimiser.load_state_dict(state)
        loss_of(tr.tanh, w, b).backward()
        optimiser.step()
    np.testing.assert_array_equal(w.value, whole[0])
    np.testing.assert_array_equal(b.value, whole[1])


def test_a_saved_state_is_not_changed_by_later_steps():
    w = tr.parameter(W)
    optimiser = tr.optim.Adam([w])
    states = []
    for _ in range(2):
        tr.sum(tr.tanh(w)).backward()
        optimiser.step()
        states.append(optimiser.state_dict())
    first, second = (state["state"][0]["exp_avg"] for state in states)
    assert (first != second).all()


def test_a_state_of_something_else_is_refused_and_nothing_changes():
    w, b = tr.parameter(W), tr.parameter(B)
    optimiser = tr.optim.Adam([w, b])
    loss_of(tr.tanh, w, b).backward()
    optimiser.step()
    state, before = optimiser.state_dict(), optimiser.state
    with pytest.raises(
        StateError, match=r"of groups of \[2\] parameters, this optimiser has \[1\]"
    ):
        tr.optim.Adam([w]).load_state_dict(state)
    state["state"][1]["exp_avg"] = np.ones(3)
    with pytest.raises(StateError, match=r"exp_avg of parameter .* has shape \(3,\)"):
        optimiser.load_state_dict(state)
    assert optimiser.state is before


def test_the_state_of_another_optimiser_is_refused():
    w = tr.parameter(W)
    sgd, adam = tr.optim.SGD([w], lr=0.1, momentum=0.9), tr.optim.Adam([w])
    tr.sum(tr.tanh(w)).backward()
    sgd.step()
    with pytest.raises(StateError, match=r"the options lr, momentum, .*, Adam has lr"):
        adam.load_state_dict(sgd.state_dict())
    state = sgd.state_dict()
    state["param_groups"][0]["lr"] = -1.0
    with pytest.raises(ValueError, match=r"lr is -1\.0"):
        sgd.load_state_dict(state)
    assert sgd.lr == 0.1
    assert not adam.state


def test_a_momentum_may_begin_in_a_later_step():
    w = tr.parameter([1.0])
    optimiser = tr.optim.SGD([w], lr=1.0)
    for momentum in (0.0, 0.5, 0.5):
        optimiser.param_groups[0]["momentum"] = momentum
        tr.sum(w * 2.0).backward()
        optimiser.step()
    assert w.value == 1.0 - 2.0 - 2.0 - 3.0


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda w: tr.optim.SGD([]), ValueError, "SGD got no parameters"),
        (lambda w: tr.optim.SGD(w), TypeError, "several parameters, not one Parameter"),
        (
            lambda w: tr.optim.SGD(tr.nn.Linear(1, 1)),
            TypeError,
            "several parameters, not one Linear",
        ),
        (lambda w: tr.optim.SGD([tr.tensor(1.0)]), TypeError, "moves parameters, not Tensor"),
        (lambda w: tr.optim.SGD([w, w]), ValueError, "parameter w is given twice"),
        (lambda w: tr.optim.SGD([w], lr=-1.0), ValueError, "lr is -1.0, but cannot be below 0"),
        (lambda w: tr.optim.SGD([w], form="x"), ValueError, "SGD has no form 'x' of momentum"),
        (lambda w: tr.optim.SGD([w], nesterov=True), ValueError, "nesterov looks ahead"),
        (
            lambda w: tr.optim.SGD([w], momentum=0.9, dampening=0.1, form="average"),
            ValueError,
            "form 'average' knows no dampening",
        ),
        (lambda w: tr.optim.Adam([w], betas=(0.9, 1.0)), ValueError, "betas are two numbers"),
        (lambda w: tr.optim.Adam([{"params": [w], "rho": 1}]), TypeError, "no option 'rho'"),
        (lambda w: tr.optim.Adam([{"lr": 1}]), TypeError, "no group without 'params'"),
    ],
)
def test_what_cannot_be_trained_is_said_at_the_door(make, error, said):
    with pytest.raises(error, match=said):
        make(tr.parameter([1.0], name="w"))


@pytest.mark.parametrize("name", ALL)
def test_an_update_on_a_device_is_that_of_the_cpu_and_copies_nothing(name):
    kind, options = ALL[name]
    found = []
    for device in ("cpu", "interpret"):
        w = tr.parameter(W, device=device)
        narrow = tr.parameter(np.float32(0.5), device=device)
        optimiser = getattr(tr.optim, kind)([w, narrow], **options)
        for _ in range(3):
            (tr.sum(tr.tanh(w) * w) + tr.square(narrow)).backward()
            before = INTERPRET.fetched
            optimiser.step()
            assert INTERPRET.fetched == before
        assert w.device == narrow.device == device
        assert narrow.dtype == np.float32
        kept = optimiser.state_dict()["state"][0]
        assert all(type(x) is np.ndarray for key, x in kept.items() if key != "step")
        found.append([*np.ravel(w.numpy()), narrow.item(), *[np.sum(kept[key]) for key in kept]])
    np.testing.assert_allclose(*found, rtol=1e-6)
    np.testing.assert_allclose(*[each[: np.size(W)] for each in found], rtol=1e-12)


def test_a_parameter_may_move_to_a_device_and_back_between_steps():
    found = []
    for places in (("cpu",) * 4, ("cpu", "interpret", "interpret", "cpu")):
        w = tr.parameter(W)
        optimiser = tr.optim.Adam([w], lr=0.1)
        for place in places:
            w.place(place)
            tr.sum(w * w).backward()
            optimiser.step()
            optimiser.load_state_dict(optimiser.state_dict())
        found.append(w.value)
    np.testing.assert_allclose(*found, rtol=1e-12)
