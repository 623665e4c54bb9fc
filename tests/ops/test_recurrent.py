"""Recurrent cells, layers and networks: equal to PyTorch in values and all gradients, truncated where asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from ops.kernels import exponential
from ops.kernels.choice import acceleration
from tracer.formulas import flow_formula
from tracer.replay import parts_trace

GOLDEN = Path(__file__).with_name("recurrent_golden.json")
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
STEPS, BATCH, INPUT, STATE = 3, 2, 2, 2


class Setting(NamedTuple):
    """A network that PyTorch has too, or a cell of it (no layers)."""

    kind: str
    layers: int = 0
    bidirectional: bool = False
    nonlinearity: str = "tanh"


SETTINGS = {
    "rnn cell": Setting("rnn"),
    "rnn cell, relu": Setting("rnn", nonlinearity="relu"),
    "gru cell": Setting("gru"),
    "lstm cell": Setting("lstm"),
    "rnn": Setting("rnn", 2, True),
    "rnn, relu": Setting("rnn", 2, nonlinearity="relu"),
    "gru": Setting("gru", 2, True),
    "lstm": Setting("lstm", 2, True),
}


class Data(NamedTuple):
    """x, the initial states (one, or state and cell), the weights of each layer, and the cotangents of all results."""

    x: Any
    states: list[Any]
    layers: list[list[Any]]
    cotangents: list[Any]


def data(setting: Setting) -> Data:
    """The same numbers for PyTorch and for us."""
    draw = np.random.default_rng(7).normal
    states, gates = 1 + (setting.kind == "lstm"), GATES[setting.kind]
    directions = 1 + setting.bidirectional
    count = setting.layers * directions
    time = [STEPS] * bool(count)
    stacked = [count] * bool(count)
    layers = []
    for number in range(max(count, 1)):
        width = INPUT if number < directions else directions * STATE
        shapes = [(gates * STATE, width), (gates * STATE, STATE), gates * STATE, gates * STATE]
        layers.append([draw(size=shape) for shape in shapes])
    x = draw(size=(*time, BATCH, INPUT))
    initial = [draw(size=(*stacked, BATCH, STATE)) for _ in range(states)]
    output = [draw(size=(STEPS, BATCH, directions * STATE))] * bool(count)
    cotangents = [*output, *(draw(size=state.shape) for state in initial)]
    return Data(x, initial, layers, cotangents)


def results(setting: Setting, x: Any, states: list[Any], layers: list[list[Any]]) -> list[Any]:
    """What a cell or network returns, as a flat list: the output of a network, then the last states."""
    options: Any = {"nonlinearity": setting.nonlinearity} if setting.kind == "rnn" else {}
    if not setting.layers:
        found = getattr(tr, f"{setting.kind}_cell")(x, *states, *layers[0], **options)
        return list(found) if setting.kind == "lstm" else [found]
    options["bidirectional"] = setting.bidirectional
    initial = tuple(states) if setting.kind == "lstm" else states[0]
    output, last = getattr(tr, setting.kind)(x, initial, layers, **options)
    return [output, *(last if setting.kind == "lstm" else [last])]


def run(setting: Setting) -> tuple[list[Any], list[Any]]:
    """All results, and the gradients of Σ cotangent · result by x, the states and every weight, in this order."""
    x, states, layers, cotangents = data(setting)
    leaves = [tr.tensor(value) for value in (x, *states, *(w for layer in layers for w in layer))]
    split = 1 + len(states)
    weights = [leaves[k : k + 4] for k in range(split, len(leaves), 4)]
    found = results(setting, leaves[0], leaves[1:split], weights)
    loss: Any = 0.0
    for result, cotangent in zip(found, cotangents, strict=True):
        loss = loss + tr.sum(result * cotangent)
    return found, tr.grad(loss, leaves)


@pytest.mark.parametrize("name", SETTINGS)
def test_values_and_all_gradients_are_those_of_pytorch(name: str):
    """Golden numbers in float64, made by `recurrent_in_torch.py`."""
    wanted = json.loads(GOLDEN.read_text())[name]
    found, gradients = run(SETTINGS[name])
    for mine, theirs in zip(found, wanted["results"], strict=True):
        np.testing.assert_allclose(mine.value, theirs, rtol=0, atol=1e-12)
    for mine, theirs in zip(gradients, wanted["gradients"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)


# ----- time


def draw(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape)


LAYERS = {
    "rnn_layer": (draw(7, 2, 3), draw(2, 2), draw(2, 3), draw(2, 2), draw(2), draw(2)),
    "gru_layer": (draw(7, 2, 3), draw(2, 2), draw(6, 3), draw(6, 2), draw(6), draw(6)),
    "lstm_layer": (
        *(draw(7, 2, 3), draw(2, 2), draw(2, 2)),
        *(draw(8, 3), draw(8, 2), draw(8), draw(8)),
    ),
}


def gradients_of(name: str, function: Any, *, again: bool = False, **params: Any) -> list[Any]:
    """Those of a weighted sum by every input; or of the sum of their squares once more."""
    leaves = [tr.tensor(value) for value in LAYERS[name]]
    out = function(*leaves, **params)
    loss = tr.sum(out * np.random.default_rng(3).normal(size=out.shape))
    if not again:
        return tr.grad(loss, leaves)
    total: Any = 0.0
    for first in tr.grad(loss, leaves, create_graph=True):
        total = total + tr.sum(first * first)
    return tr.grad(total, leaves)


@pytest.mark.parametrize("again", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("truncate", [None, 1, 3, 7, 20])
@pytest.mark.parametrize("name", LAYERS)
def test_truncation_is_that_of_detached_parts(name: str, truncate: Any, reverse: bool, again: bool):
    """In first and second order, forwards and backwards in time."""
    op = PRIMITIVES[name]
    options = {"truncate": truncate, "reverse": reverse, "again": again}
    fused = gradients_of(name, op, **options)
    for mine, parts in zip(fused, gradients_of(name, op.parts, **options), strict=True):
        np.testing.assert_allclose(mine, parts, rtol=1e-10, atol=1e-12 * np.abs(parts).max())


@pytest.mark.parametrize("name", LAYERS)
def test_no_cotangent_crosses_a_cut(name: str):
    """The loss is the last state: with truncate=3 it reaches back to step 6 and no further, so x before it has none."""
    x, *others = LAYERS[name]
    x = tr.tensor(x)
    out = PRIMITIVES[name](x, *others, truncate=3)
    gradient = tr.grad(tr.sum(out[..., -1, :, :] * 1.0), x)
    assert np.all(gradient[6] != 0)
    assert not np.any(gradient[:6])


@pytest.mark.parametrize("name", LAYERS)
def test_reverse_is_the_layer_on_reversed_time(name: str):
    x, *others = LAYERS[name]
    op = PRIMITIVES[name]
    np.testing.assert_allclose(
        op(x, *others, reverse=True), op(x[::-1], *others)[..., ::-1, :, :], rtol=1e-12
    )


@pytest.mark.parametrize("name", LAYERS)
def test_zero_stands_for_a_state_of_zeros(name: str):
    x, *others = LAYERS[name]
    states = len(others) - 4
    zeros, numbers = [np.zeros((2, 2))] * states, [0.0] * states
    op = PRIMITIVES[name]
    np.testing.assert_array_equal(
        op(x, *zeros, *others[states:]), op(x, *numbers, *others[states:])
    )
    x = tr.tensor(x)
    of_zeros, of_numbers = (
        tr.grad(tr.sum(op(x, *state, *others[states:]) * 1.0), x) for state in (zeros, numbers)
    )
    np.testing.assert_allclose(of_zeros, of_numbers, rtol=1e-13)


@pytest.mark.parametrize("name", LAYERS)
def test_a_sequence_without_a_batch_is_one_with_a_batch_of_one(name: str):
    x, *others = LAYERS[name]
    states = len(others) - 4
    single = [state[1] for state in others[:states]]
    batched = [state[1:] for state in others[:states]]
    op = PRIMITIVES[name]
    np.testing.assert_allclose(
        op(x[:, 1], *single, *others[states:]),
        op(x[:, 1:], *batched, *others[states:])[..., 0, :],
        rtol=1e-13,
    )


def test_a_layer_is_one_node_however_long_the_sequence_is():
    w = tr.tensor(0.1 * np.eye(2), name="w")
    out = tr.rnn_layer(np.ones((1000, 1, 2)), 0.0, w, 0.5 * np.eye(2))
    trace = tr.trace(tr.sum(out))
    assert [node.op_name for node in trace if node.op is not None] == ["rnn_layer", "sum"]
    written = flow_formula(trace[trace.node_index("out")], 2)
    assert written == "dzᵀ @ constant@1 where dz = bptt(∂L/∂out, 1 − out · out, constant@2)"


def test_stepping_into_a_layer_shows_the_cell_under_the_scope_of_each_time_step():
    out = tr.rnn_layer(tr.tensor(np.ones((3, 1, 2))), 0.0, 0.1 * np.eye(2), 0.5 * np.eye(2))
    trace = tr.trace(tr.sum(out))
    inner = parts_trace(trace, trace.node_index("out"))
    steps = {t: [] for t in ("", "rnn[t=0]", "rnn[t=1]", "rnn[t=2]")}
    for node in inner:
        if node.op is not None:
            steps[".".join(map(str, node.scope))].append(node.op_name)
    assert steps == {
        "": ["transpose", "transpose", "stack"],
        "rnn[t=0]": ["getitem", "matmul", "tanh"],
        "rnn[t=1]": ["getitem", "matmul", "matmul", "add", "tanh"],
        "rnn[t=2]": ["getitem", "matmul", "matmul", "add", "tanh"],
    }


# ----- compiled kernels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("truncate", [None, 3])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.slow
def test_the_compiled_loop_gives_the_same_numbers(
    name: str, truncate: Any, reverse: bool, dtype: Any
):
    """Value, what is saved, and every cotangent, also where the initial states are left out."""
    op = PRIMITIVES[name]
    compiled = acceleration(name)
    x, *others = (array.astype(dtype) for array in LAYERS[name])
    states = len(others) - 4
    params = {**op.defaults, "truncate": truncate, "reverse": reverse}
    for initial in (others[:states], [0.0] * states):
        args = [x, *initial, *others[states:]]
        assert compiled.fits(args, params)
        out, saved = op.run(args, params)
        found = compiled.kernel(*args, **params)
        again, kept = found if op.saves else (found, {})
        g = np.random.default_rng(3).normal(size=out.shape).astype(dtype)
        wanted = [not isinstance(x, float) for x in args]
        flows = op.pull_back(g, out, args, wanted, params, saved)
        pulled = compiled.pull(g, out, args, wanted, params, saved)
        pairs = [(again, out), *((kept[key], saved[key]) for key in saved)]
        pairs += [(pulled[k], flows[k]) for k, wants in enumerate(wanted) if wants]
        for mine, wanted_number in pairs:
            assert mine.dtype == dtype
            slack = compiled.ulps * np.finfo(dtype).eps * np.abs(wanted_number).max()
            np.testing.assert_allclose(mine, wanted_number, rtol=0, atol=slack)


def test_the_compiled_loop_lets_nan_pass_and_computes_only_what_is_wanted():
    args = [np.full((2, 1, 1), np.nan), 0.0, np.ones((1, 1)), np.ones((1, 1)), 0.0, 0.0]
    for nonlinearity in ("tanh", "relu"):
        params = {**PRIMITIVES["rnn_layer"].defaults, "nonlinearity": nonlinearity}
        out = acceleration("rnn_layer").kernel(*args, **params)
        assert np.isnan(out).all()
        wanted = [False, False, True, False, False, False]
        flows = acceleration("rnn_layer").pull(out, out, args, wanted, params, {})
        assert [flow is None for flow in flows] == [not wants for wants in wanted]
        assert np.isnan(flows[2]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_exponentials_are_within_three_ulps(dtype: Any):
    """Of numbers in longdouble, tails, zero, infinities and NaN among them."""
    tiny, top = np.logspace(-12, 0, 500), np.linspace(-80, 80, 3001)
    x = np.concatenate([-tiny, tiny, top, [0.0, np.inf, -np.inf, np.nan, 1e4, -1e4]]).astype(dtype)
    wide = x.astype(np.longdouble)
    with np.errstate(over="ignore", under="ignore"):
        wanted = {exponential.tanh: np.tanh(wide), exponential.sigmoid: 1 / (1 + np.exp(-wide))}
    floor = np.finfo(dtype).tiny
    for function, exact in wanted.items():
        found = np.array([function(one) for one in x])
        np.testing.assert_array_equal(found, found.astype(dtype))  # computed in that type
        np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
        known = ~np.isnan(found)
        apart = np.abs(found - exact)[known]
        assert np.all(apart <= 3 * np.finfo(dtype).eps * np.abs(exact[known]) + floor)


def test_what_auto_picks_depends_on_the_state_of_one_step():
    for batch, state, kernels in ((32, 64, "numba"), (32, 128, "numpy"), (1, 4, "numpy")):
        x, w = np.zeros((20, batch, state), np.float32), np.zeros((state, state), np.float32)
        assert tr.rnn_layer(tr.tensor(x), 0.0, w, w).op.kernels == kernels


# ----- networks


def test_a_network_without_states_starts_from_zeros():
    x, _, layers, _ = data(SETTINGS["lstm"])
    output, (h, c) = tr.lstm(x, None, layers, bidirectional=True)
    zeros = np.zeros((4, BATCH, STATE))
    again, (h_again, c_again) = tr.lstm(x, (zeros, zeros), layers, bidirectional=True)
    np.testing.assert_array_equal(output, again)
    np.testing.assert_array_equal(h, h_again)
    np.testing.assert_array_equal(c, c_again)


def test_the_biases_may_be_left_out():
    x, (h0,), layers, _ = data(SETTINGS["gru"])
    bare = [layer[:2] for layer in layers]
    none = [[*layer[:2], None, None] for layer in layers]
    zeros = [[*layer[:2], 0 * layer[2], 0 * layer[3]] for layer in layers]
    outputs = [tr.gru(x, h0, each, bidirectional=True)[0] for each in (bare, none, zeros)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[0], outputs[2])


def test_truncation_holds_in_every_layer_of_a_network():
    x, (h0,), layers, _ = data(SETTINGS["rnn, relu"])
    for truncate, reaches in ((None, True), (1, False)):
        start = tr.tensor(h0)
        output, _ = tr.rnn(x, start, layers, truncate=truncate)
        assert np.any(tr.grad(tr.sum(output[-1]), start)) == reaches


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays_float32(name: str):
    leaves = [tr.tensor(value, dtype="float32") for value in LAYERS[name]]
    out = PRIMITIVES[name](*leaves, truncate=2)
    assert out.dtype == np.float32
    assert {g.dtype for g in tr.grad(tr.sum(out), leaves)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_an_empty_batch_sends_zeros_of_the_right_shape(name: str, kernels: str):
    gates = GATES[name]
    x = tr.tensor(np.empty((3, 0, 4)))
    weights = [tr.tensor(draw(*s)) for s in ((gates * 5, 4), (gates * 5, 5), (gates * 5,))]
    leaves = [x, *weights]
    with tr.kernels(kernels):
        out, _ = getattr(tr, name)(x, None, [tuple(weights)])
    first = tr.grad(tr.sum(out * out), leaves, create_graph=True)
    again = tr.grad(tr.sum(first[2] ** 2), leaves)
    for flows in ([flow.value for flow in first], again):
        assert [flow.shape for flow in flows] == [leaf.shape for leaf in leaves]
        assert not any(np.any(flow) for flow in flows)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", LAYERS)
def test_integers_run_through_a_layer_as_the_floats_that_they_are(name: str, kernels: str):
    whole = [np.sign(value).astype(int) for value in LAYERS[name]]
    with tr.kernels(kernels):
        found = PRIMITIVES[name](*map(tr.constant, whole)).value
    np.testing.assert_allclose(
        found, PRIMITIVES[name](*(v.astype(float) for v in whole)), rtol=1e-13
    )


# ----- refusals

X, H, W, U = np.ones((3, 2, 4)), np.ones((2, 5)), np.ones((5, 4)), np.ones((5, 5))
REFUSED = {
    "w_hh has shape (4, 5), but needs (H, H)": lambda: tr.rnn_layer(X, H, W, U[:4]),
    "w_hh has shape (5, 5), but needs (3·H, H)": lambda: tr.gru_layer(X, H, W, U),
    "w_ih has shape (4, 5), but x of 4 features and w_hh need (5, 4)": lambda: tr.rnn_cell(
        X[0], H, W.T, U
    ),
    "b_hh has shape (4,), but needs (5,)": lambda: tr.rnn_layer(X, H, W, U, None, np.ones(4)),
    "a state has at least one unit": lambda: tr.rnn_layer(X, None, W[:0], U[:0, :0]),
    "h0 has shape (3, 5), but needs (2, 5)": lambda: tr.rnn_layer(X, np.ones((3, 5)), W, U),
    "h0 is the number 0.5": lambda: tr.rnn_layer(X, 0.5, W, U),
    "a sequence is (T, B, I) or (T, I)": lambda: tr.rnn_layer(X[0, 0], H, W, U),
    "a sequence has at least one time step": lambda: tr.rnn_layer(X[:0], H, W, U),
    "truncate=0, but it counts time steps": lambda: tr.rnn_layer(X, H, W, U, truncate=0),
    "there are 'tanh' and 'relu'": lambda: tr.rnn_layer(X, H, W, U, nonlinearity="sigmoid"),
    "h0 holds 2 states, but there are 1": lambda: tr.rnn(X, np.ones((2, 2, 5)), [(W, U)]),
    "1 tuples of weights for 2 directions": lambda: tr.rnn(X, None, [(W, U)], bidirectional=True),
    "the state is a pair (h0, c0)": lambda: tr.lstm(X, H, [(W, U)]),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_does_not_fit_is_refused_in_the_words_of_the_user(words: str):
    with pytest.raises(ValueError, match=r".") as caught:
        REFUSED[words]()
    assert words in str(caught.value)
