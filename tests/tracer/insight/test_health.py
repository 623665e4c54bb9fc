"""`tr.health`: the numbers of layers and time steps, and the verdicts on networks whose illness is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from tracer.errors import CheckError


def unrolled(radius: float, steps: int = 30, units: int = 6) -> tr.Trace:
    """A tanh network whose recurrent weights are a rotation times a radius, near 0, where tanh is a straight line."""
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(units, units)))
    waa = tr.parameter(radius * rotation, name="waa")
    a = tr.tensor(np.full(units, 1e-9), name="a0")
    for t in range(steps):
        with tr.scope("rnn", t=t):
            a = tr.tanh(waa @ a)
    loss = tr.sum(a)
    return tr.trace(loss)


def test_a_gradient_falls_by_log10_of_the_spectral_radius_in_every_time_step():
    report = tr.health(unrolled(0.5))
    assert len(report.steps) == 30
    assert [row.name for row in report.steps[:2]] == ["rnn[t=0]", "rnn[t=1]"]
    assert report.steps[-1].decades is None
    for row in report.steps[:-1]:
        assert row.decades == pytest.approx(math.log10(0.5), abs=1e-9)


def test_the_first_steps_of_a_contracting_network_vanish_and_the_last_do_not():
    report = tr.health(unrolled(0.5))
    ill = [row.name for row in report.steps if row.verdict == "vanishing"]
    assert ill == [f"rnn[t={t}]" for t in range(20)]  # 10 steps of 0.301 decades make 3
    assert "decades below rnn[t=29]" in report.steps[0].reason
    assert not report.ok


def test_the_first_steps_of_an_expanding_network_explode():
    report = tr.health(unrolled(1.5))
    slopes = np.polyfit(range(30), [math.log10(row.gradient_norm) for row in report.steps], 1)
    assert slopes[0] == pytest.approx(-math.log10(1.5), abs=1e-3)
    assert report.steps[0].verdict == "exploding"
    assert report.steps[-1].verdict == ""


def test_norms_are_those_of_numpy():
    trace = unrolled(0.9, steps=4)
    row = tr.health(trace).steps[1]
    value, gradient = trace.value(row.output), trace.gradient(row.output)
    assert row.value_norm == pytest.approx(np.linalg.norm(value))
    assert row.gradient_norm == pytest.approx(np.linalg.norm(gradient))
    assert row.gradient_rms == pytest.approx(np.sqrt(np.mean(gradient**2)))
    assert row.spread == pytest.approx(value.std())


def stack(*activations: object, biases: dict[int, float] | None = None) -> tr.Trace:
    """Linear layers of 20 units with these activations between them, on a batch of 64."""
    rng = np.random.default_rng(1)
    x = tr.constant(rng.normal(size=(64, 20)))
    layers: list[object] = []
    for activation in activations:
        layers += [tr.nn.Linear(20, 20, rng=rng), activation]
    net = tr.nn.Sequential(*layers, tr.nn.Linear(20, 3, rng=rng))
    for k, bias in (biases or {}).items():
        net[k].bias.set(np.full(20, bias))
    return tr.trace(tr.mean(net(x) ** 2))


def test_relu_units_below_zero_for_the_whole_batch_are_dead_and_the_layers_before_get_nothing():
    rows = tr.health(stack(tr.relu, tr.relu, biases={2: -50.0})).rows
    assert [row.verdict for row in rows] == ["vanishing", "dead", ""]
    assert rows[1].dead == 1.0
    assert rows[0].gradient_norm == 0.0
    assert rows[0].reason == "exactly 0; linear[k=4] still has one"


def test_a_healthy_relu_network_is_well():
    report = tr.health(stack(tr.relu, tr.relu, tr.relu))
    assert report.ok, report
    assert all(0 <= row.dead < 0.4 for row in report.rows[:-1])
    assert report.rows[-1].dead is None
    assert report.rows[-1].saturated is None


def test_half_the_units_of_one_sample_being_off_is_no_illness():
    rng = np.random.default_rng(2)
    layer = tr.nn.Linear(50, 50, rng=rng)
    report = tr.health(tr.trace(tr.sum(tr.relu(layer(rng.normal(size=50))))))
    assert report.rows[0].dead > 0.3
    assert report.ok


@pytest.mark.parametrize("activation", [tr.sigmoid, tr.tanh, tr.hard_tanh, tr.erf])
def test_units_in_the_flat_part_are_saturated(activation):
    row = tr.health(stack(activation, biases={0: 9.0})).rows[0]
    assert (row.saturated, row.verdict) == (1.0, "saturated")


def test_tanh_counts_as_saturated_beyond_0_97():
    z = tr.parameter(np.arctanh([0.96, 0.98, -0.98, 0.1]), name="z")
    with tr.scope("layer"):
        h = tr.tanh(z * 1.0)
    assert tr.health(tr.trace(tr.sum(h))).rows[0].saturated == 0.5


def test_an_activation_written_by_hand_counts_as_one():
    rng = np.random.default_rng(0)
    x, w = tr.constant(rng.normal(size=(16, 4))), tr.parameter(rng.normal(size=(4, 4)), name="w")
    z = x @ w - 90.0
    h = tr.maximum(z, 0.0)
    report = tr.health(tr.trace(tr.sum(h)))
    assert report.rows[0].verdict == "dead"


def test_what_is_no_activation_is_never_called_saturated():
    w = tr.parameter(np.array([1e3, 2e3]), name="w")
    with tr.scope("layer"):
        y = tr.log(tr.sqrt(tr.square(w)) + tr.exp(-w))
    row = tr.health(tr.trace(tr.sum(y))).rows[0]
    assert (row.dead, row.saturated) == (None, None)


@pytest.mark.parametrize(
    ("scale", "spreads", "verdicts"),
    [
        (0.01, [0.213, 0.0476, 0.0106, 0.00238, 0.000532, 0.000119], {"vanishing"}),
        (1.0, [0.982] * 10, {"saturated"}),
        (500**-0.5, [0.628, 0.486, 0.408, 0.357, 0.321, 0.292, 0.273, 0.255, 0.239, 0.228], set()),
    ],
)
def test_ten_tanh_layers_have_the_spreads_of_the_lecture(scale, spreads, verdicts):
    """Abbeel & Dragan, CS188 Deep Learning II: ten layers of 500 units; 200 samples do."""
    rng = np.random.default_rng(0)
    h = tr.constant(rng.normal(size=(200, 500)))
    for k in range(10):
        with tr.scope("layer", k=k):
            h = tr.tanh(h @ tr.parameter(scale * rng.normal(size=(500, 500))))
    report = tr.health(tr.trace(tr.sum(h * rng.normal(size=h.shape))))
    found = [row.spread for row in report.rows[: len(spreads)]]
    assert found == pytest.approx(spreads, rel=0.05)
    assert {row.verdict for row in report.rows[:4]} - {""} == verdicts


def test_nan_is_named_with_where_it_stands():
    w = tr.parameter(np.array([1.0, -1.0]), name="w")
    with tr.scope("layer"):
        y = tr.log(w * 1.0)
    row = tr.health(tr.trace(tr.sum(y))).rows[0]
    assert (row.verdict, row.reason) == ("not finite", "NaN in the value")


def test_the_update_is_the_learning_rate_times_gradient_over_weight():
    trace = stack(tr.tanh)
    row = tr.health(trace, lr=0.1).rows[0]
    w, b = row.layer.parameters
    gradients = np.concatenate([np.ravel(trace.gradient(p)) for p in (w, b)])
    weights = np.concatenate([np.ravel(trace.value(p)) for p in (w, b)])
    rms = np.sqrt([np.mean(gradients**2), np.mean(weights**2)])
    assert row.update == pytest.approx(0.1 * rms[0] / rms[1])
    assert tr.health(trace).rows[0].update == pytest.approx(row.update / 0.1)


def test_a_learning_rate_that_is_far_off_is_called_so_only_if_it_is_known():
    trace = stack(tr.tanh)
    assert {row.verdict for row in tr.health(trace, lr=1e3).rows} == {"steps too large"}
    assert {row.verdict for row in tr.health(trace, lr=1e-9).rows} == {"steps too small"}
    assert tr.health(trace).ok


def test_shared_weights_of_a_loop_make_one_layer_and_many_steps():
    report = tr.health(unrolled(0.9, steps=5))
    assert [row.name for row in report.rows] == ["rnn"]
    assert [row.update for row in report.steps] == [None] * 5


def test_a_time_step_puts_out_the_state_that_the_next_one_reads():
    from gallery import GALLERY

    trace = tr.trace(GALLERY["rnn"].build())  # each step ends with its part of the loss
    found = [trace.label(row.output) for row in tr.health(trace).steps]
    assert found == [f"a#{t}" for t in range(1, 9)]


def test_without_scopes_a_layer_is_what_a_weight_begins():
    rng = np.random.default_rng(0)
    x = tr.constant(rng.normal(size=(8, 3)))
    w1, b1 = tr.parameter(rng.normal(size=(3, 4))), tr.parameter(np.zeros(4))
    w2 = tr.parameter(rng.normal(size=(4, 2)))
    h = tr.tanh(x @ w1 + b1)
    y = h @ w2
    loss = tr.mean(y * y)
    trace = tr.trace(loss)
    rows = tr.health(trace).rows
    assert [row.name for row in rows] == ["h", "y"]
    assert [trace.label(p) for p in rows[0].layer.parameters] == ["w1", "b1"]


def test_scoped_and_unscoped_layers_stand_in_one_list():
    rng = np.random.default_rng(0)
    x = tr.constant(rng.normal(size=(8, 3)))
    w1, w2 = tr.parameter(rng.normal(size=(3, 4))), tr.parameter(rng.normal(size=(4, 2)))
    gamma = tr.parameter(np.ones(4))
    z = x @ w1
    with tr.scope("bn"):
        y = gamma * (z - z.mean(0))
    out = tr.tanh(y) @ w2
    trace = tr.trace(tr.sum(out))
    assert [row.name for row in tr.health(trace).rows] == ["z", "bn", "out"]


def test_a_chain_of_many_readers_becomes_a_list_of_bounded_length():
    a, w = tr.tensor(1.0, name="a"), tr.parameter(1.0001, name="w")
    for _ in range(2000):
        a = a * w
    assert 100 < len(tr.health(tr.trace(a)).rows) <= 256


def test_a_network_without_parameters_is_read_by_depth():
    from gallery import GALLERY

    report = tr.health(tr.trace(GALLERY["circuit"].build()))
    assert [row.name for row in report.rows] == ["q", "f"]
    assert [row.gradient_norm for row in report.rows] == [4.0, 1.0]


def test_a_layer_that_does_not_reach_the_loss_has_no_gradient_and_no_verdict():
    w, v = tr.parameter([1.0, 2.0], name="w"), tr.parameter([1.0, 2.0], name="v")
    with tr.record():
        with tr.scope("used"):
            y = w * 2.0
        with tr.scope("unused"):
            z = v * 3.0
        assert z.shape == (2,)
        trace = tr.trace(tr.sum(y))
    rows = {row.name: row for row in tr.health(trace).rows}
    assert rows["used"].gradient_norm == pytest.approx(math.sqrt(2))
    if "unused" in rows:
        assert (rows["unused"].gradient_norm, rows["unused"].state) == (None, "disconnected")


def test_the_report_prints_as_a_table_and_counts_what_is_ill():
    report = tr.health(stack(tr.relu, tr.relu, biases={2: -50.0}), lr=0.1)
    assert report.summary == "health: 3 layers, 1 vanishing, 1 dead"
    lines = str(report).splitlines()
    assert lines[1].split()[:4] == ["layer", "|∂|", "decades", "|v|"]
    assert "dead: 100% of the units pass nothing back" in lines[3]


def test_a_trace_without_a_loss_is_refused_with_a_cure():
    with pytest.raises(CheckError, match="the trace has no loss"):
        tr.health(replace(unrolled(0.5, steps=2), loss=-1))


def test_health_is_public_and_loads_only_when_asked_for(python):
    done = python(
        "-c", "import sys, tracer; print('tracer.insight' in sys.modules, 'health' in dir(tracer))"
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
