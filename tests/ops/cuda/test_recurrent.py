"""Recurrent layers on a device: their values, gates and flows against numpy's, and against the cell step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ops.cuda import native
from ops.cuda.recurrent import flows as recurrent_flows
from ops.cuda.recurrent import values
from ops.cuda.recurrent.family import NATIVE
from ops.cuda.recurrent.forward import GATES
from ops.cuda.recurrent.kernels import BACKWARD, FORWARD
from ops.cuda.recurrent.values import NEAR, SHARED, plan_of
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.primitive import NUMBERS, PRIMITIVES, Sample, sample
from tests.ops.cuda.ptx import assembled
from tests.ops.cuda.test_compiled import demand
from tests.ops.cuda.toolkit import toolkit

DTYPES = (np.float32, np.float64)
ULPS = 64
"""Of the largest element, of 1 at least: as far as the parts of a layer may lie from it."""


def drawn(rng: np.random.Generator, gates: int, *sizes: int, state: bool = True) -> list[Any]:
    """The inputs of a layer: T, B, I, H; without `state` it starts from zeros and has one bias."""
    count, people, features, hidden = sizes
    states = 2 if gates == 4 else 1
    initial = [rng.normal(size=(people, hidden)) if state else 0.0 for _ in range(states)]
    width = gates * hidden
    return [
        rng.normal(size=(count, people, features)),
        *initial,
        0.5 * rng.normal(size=(width, features)),
        0.5 * rng.normal(size=(width, hidden)),
        rng.normal(size=width),
        rng.normal(size=width) if state else 0.0,
    ]


def more(gates: int) -> list[Sample]:
    """Odd sizes, both directions, truncation, one step."""
    rng = np.random.default_rng(5)
    return [
        sample(*drawn(rng, gates, 5, 3, 2, 5), truncate=2),
        sample(*drawn(rng, gates, 4, 2, 3, 9), reverse=True, truncate=3),
        sample(*drawn(rng, gates, 3, 1, 2, 33, state=False), reverse=True),
        sample(*drawn(rng, gates, 1, 2, 2, 3, state=False)),
        sample(*drawn(rng, gates, 1, 1, 1, 4)),
    ]


BLOCKS = {"rnn_layer": 1, "gru_layer": 3, "lstm_layer": 4}
CASES = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name, gates in BLOCKS.items()
    for number, case in enumerate(
        [*PRIMITIVES[name].samples(np.random.default_rng(7)), *more(gates)]
    )
]


def there(x: Any, T: Any) -> Any:
    return x if type(x) in NUMBERS else array(INTERPRET, np.asarray(x, T))


def agree(got: Any, want: Any, what: str = "", ulps: float = ULPS) -> None:
    """Shape and dtype equal, and the numbers within ulps of the largest, of 1 at least."""
    got, want = got.numpy(), np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype), what
    step = np.spacing(np.abs(want).max(initial=1).astype(want.dtype))
    assert np.abs(got - want).max(initial=0) <= ulps * step, what


@pytest.mark.parametrize("T", DTYPES)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_layer_its_gates_and_its_flows_are_those_of_numpy(
    name: str, case: Sample, T: Any
) -> None:
    op = PRIMITIVES[name]
    hosts = [x if type(x) in NUMBERS or x is None else np.asarray(x, T) for x in case.args]
    inputs, params = op.bind(tuple(hosts), case.params)
    want, saved = op.run(inputs, params)
    devices = [there(x, T) for x in inputs]
    found = NATIVE[name].value(*devices, **params)
    out, gates = found if op.saves else (found, {})
    agree(out, want)
    assert set(gates) == set(saved)
    for key in saved:
        agree(gates[key], saved[key], key)
    g = np.asarray(np.random.default_rng(1).normal(size=want.shape), T)
    wanted = [type(x) not in NUMBERS for x in inputs]
    flows = op.pull_back(g, want, inputs, wanted, params, saved)
    kept = {key: there(x, T) for key, x in saved.items()}
    pulled = NATIVE[name].pull(there(g, T), there(want, T), devices, wanted, params, kept)
    for key, flow, numbers in zip(op.inputs, pulled, flows, strict=True):
        assert (flow is None) == (numbers is None)
        if numbers is not None:
            agree(flow, numbers, key)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("why", ["floats of two sizes", "an empty batch", "too large a state"])
def test_a_layer_without_a_kernel_is_made_of_its_parts_and_saves_the_same(
    name: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its gates are not asked of the layer, which would ask for its gates again without end."""
    op = PRIMITIVES[name]
    people = 0 if why == "an empty batch" else 2
    hosts = drawn(np.random.default_rng(12), BLOCKS[name], 2, people, 3, 2)
    hosts = [np.asarray(x, np.float32) for x in hosts]
    ulps = ULPS
    if why == "floats of two sizes":  # a product of weights and states in float32 is rounded as one
        hosts[0], ulps = hosts[0].astype(np.float64), ULPS * 2.0**29
    if why == "too large a state":
        for module in (values, recurrent_flows):
            monkeypatch.setattr(module, "plan_of", lambda *sizes, **way: None)
    inputs, params = op.bind(tuple(hosts), {"reverse": True, "truncate": 1})
    want, saved = op.run(inputs, params)
    given = [array(INTERPRET, x) for x in inputs]
    assert not op.saves or NATIVE[name].value(*given, **params) is not None
    found = native.compute(op, given, params)
    assert not found.host
    agree(found.value, want, ulps=ulps)
    assert set(found.saved) == set(saved)
    for key in saved:
        agree(found.saved[key], saved[key], key, ulps)
    if not people:
        return
    g = np.random.default_rng(1).normal(size=want.shape).astype(want.dtype)
    wanted = [True] * len(inputs)
    flows = op.pull_back(g, want, inputs, wanted, params, saved)
    pulled = native.pull(op, array(INTERPRET, g), found.value, given, wanted, params, found.saved)
    for key, flow, numbers in zip(op.inputs, pulled, flows, strict=True):
        agree(flow, numbers, key, ulps)


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(("cell", "hidden"), [("tanh", 256), ("lstm", 128)])
def test_what_the_cache_cannot_hold_is_kept_in_registers_and_each_row_has_a_block(
    cell: str, hidden: int, forward: bool
) -> None:
    plan = plan_of(cell, 64, hidden, 4, forward)
    assert plan is not None
    assert (plan.launch.blocks, plan.options["batch"], plan.options["held"]) == (64, 1, 8)
    rows, columns = hidden, GATES[cell] * hidden
    if not forward:
        rows, columns = columns, rows
    stretches = plan.options["stretches"]
    assert (rows - 8 * stretches) * columns * 4 <= NEAR < rows * columns * 4
    assert plan.launch.threads >= stretches * columns // 4  # a lane each: only so can it keep any
    assert rows % stretches == 0
    assert rows // stretches >= 8
    many = plan_of(cell, 200, hidden, 4, forward)
    assert many is not None
    assert "held" not in many.options


def layer(name: str, inputs: list[Any], **params: Any) -> Any:
    """States of a layer in float64, on the device."""
    op = PRIMITIVES[name]
    given, complete = op.bind(tuple(there(x, np.float64) for x in inputs), params)
    found = NATIVE[name].value(*given, **complete)
    return (found[0] if op.saves else found).numpy()


@pytest.mark.parametrize("name", BLOCKS)
def test_a_layer_over_two_halves_in_turn_is_the_layer_over_both(name: str) -> None:
    """The last state of the first half is the first of the second: the same bits, since sums run in the same order."""
    x, *rest = drawn(np.random.default_rng(2), BLOCKS[name], 6, 2, 3, 7)
    whole = layer(name, [x, *rest])
    lstm = name == "lstm_layer"
    first = layer(name, [x[:3], *rest])
    last = [first[0, -1], first[1, -1]] if lstm else [first[-1]]
    second = layer(name, [x[3:], *last, *rest[len(last) :]])
    axis = 1 if lstm else 0
    assert np.array_equal(np.concatenate([first, second], axis), whole)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_layer_against_time_is_the_layer_over_the_turned_sequence(name: str) -> None:
    x, *rest = drawn(np.random.default_rng(3), BLOCKS[name], 4, 2, 3, 5)
    turned = layer(name, [x[::-1], *rest])
    axis = 1 if name == "lstm_layer" else 0
    assert np.array_equal(np.flip(turned, axis), layer(name, [x, *rest], reverse=True))


@pytest.mark.parametrize("name", BLOCKS)
def test_rows_of_a_batch_do_not_know_of_each_other(name: str) -> None:
    """Each alone has the bits that it has beside others, and NaN in one stays there."""
    x, *rest = drawn(np.random.default_rng(4), BLOCKS[name], 3, 3, 2, 5, state=False)
    whole = layer(name, [x, *rest])
    for b in range(3):
        assert np.array_equal(layer(name, [x[:, b : b + 1], *rest]), whole[..., b : b + 1, :])
    x[0, 1] = np.nan
    spoilt = np.isnan(layer(name, [x, *rest])).reshape(-1, 3, 5).any((0, 2))
    assert spoilt.tolist() == [False, True, False]


@pytest.mark.parametrize("name", BLOCKS)
def test_a_cut_at_every_step_leaves_each_step_its_own_cotangent(name: str) -> None:
    """With truncate=1 nothing goes back in time, so that the flow of x is linear in g step by step."""
    inputs = drawn(np.random.default_rng(6), BLOCKS[name], 3, 2, 2, 4)
    op = PRIMITIVES[name]
    given, params = op.bind(tuple(there(x, np.float64) for x in inputs), {"truncate": 1})
    found = NATIVE[name].value(*given, **params)
    out, saved = found if op.saves else (found, {})
    g = np.random.default_rng(7).normal(size=out.shape)
    wanted = [True] + [False] * (len(given) - 1)

    def by_x(g: Any) -> Any:
        pulled = NATIVE[name].pull(there(g, np.float64), out, given, wanted, params, saved)
        return pulled[0].numpy()

    only_last = np.where(np.arange(3).reshape((3, 1, 1)) == 2, g, 0)
    assert np.array_equal(by_x(only_last)[2], by_x(g)[2])
    assert not by_x(only_last)[:2].any()


@pytest.mark.parametrize("name", BLOCKS)
def test_one_kernel_runs_all_time_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[str] = []
    launch = INTERPRET.launch

    def noted(kernel: Any, *arguments: Any) -> None:
        launched.append(kernel.name)
        launch(kernel, *arguments)

    monkeypatch.setattr(INTERPRET, "launch", noted)
    op = PRIMITIVES[name]
    counts = set()
    for count in (2, 7):
        inputs = drawn(np.random.default_rng(8), BLOCKS[name], count, 2, 2, 3)
        given, params = op.bind(tuple(there(x, np.float32) for x in inputs), {})
        launched.clear()
        found = NATIVE[name].value(*given, **params)
        out, saved = found if op.saves else (found, {})
        loop = name.removesuffix("_layer")
        assert launched.count(f"{loop}_forward") == 1
        NATIVE[name].pull(out, out, given, [True] * len(given), params, saved)
        assert launched.count(f"{loop}_backward") == 1
        counts.add(len(launched))
    assert len(counts) == 1


def test_only_the_wanted_flows_are_computed() -> None:
    inputs = drawn(np.random.default_rng(8), 3, 2, 2, 2, 3)
    op = PRIMITIVES["gru_layer"]
    given, params = op.bind(tuple(there(x, np.float32) for x in inputs), {})
    out, saved = NATIVE["gru_layer"].value(*given, **params)
    for k in range(len(given)):
        wanted = [n == k for n in range(len(given))]
        pulled = NATIVE["gru_layer"].pull(out, out, given, wanted, params, saved)
        assert [flow is not None for flow in pulled] == wanted


def test_shapes_that_do_not_fit_together_are_refused_as_on_the_host() -> None:
    x, h0, w_ih, w_hh, *biases = (
        there(each, np.float32) for each in drawn(np.random.default_rng(9), 1, 2, 2, 2, 3)
    )
    time = {"nonlinearity": "tanh", "reverse": False, "truncate": None}
    with pytest.raises(ValueError, match="w_ih has shape"):
        NATIVE["rnn_layer"].value(x, h0, w_hh, w_hh, *biases, **time)
    with pytest.raises(ValueError, match="nonlinearity='sin'"):
        NATIVE["rnn_layer"].value(x, h0, w_ih, w_hh, *biases, **{**time, "nonlinearity": "sin"})
    with pytest.raises(ValueError, match="truncate=0"):
        NATIVE["rnn_layer"].value(x, h0, w_ih, w_hh, *biases, **{**time, "truncate": 0})


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("cell", GATES)
def test_every_state_up_to_1024_fits_into_shared_memory_and_larger_ones_are_left_to_the_parts(
    cell: str, forward: bool
) -> None:
    for hidden in (1, 3, 31, 64, 100, 256, 257, 300, 512, 700, 1024):
        for people in (1, 64, 200, 1000):
            for itemsize in (4, 8):
                plan = plan_of(cell, people, hidden, itemsize, forward)
                assert plan is not None, (hidden, people, itemsize)
                batch, stretches = plan.options["batch"], plan.options["stretches"]
                rows, columns = GATES[cell] * hidden, hidden
                if forward:
                    rows, columns = columns, rows
                beside = cell == "lstm" or (cell == "gru" and not forward)
                held = batch * (rows + beside * hidden + stretches * columns)
                assert held * itemsize <= SHARED
                assert plan.launch.blocks * batch >= people
    assert plan_of("lstm", 1, 4096, 8, forward) is None


@pytest.mark.parametrize("name", ["rnn_cell", "gru_cell", "lstm_cell"])
def test_the_cells_run_as_their_parts_without_the_host(name: str) -> None:
    op = PRIMITIVES[name]
    for case in op.samples(np.random.default_rng(7)):
        hosts = [x if type(x) in NUMBERS else np.asarray(x, np.float32) for x in case.args]
        inputs, params = op.bind(tuple(hosts), case.params)
        want, saved = op.run(inputs, params)
        computed = native.compute(op, [there(x, np.float32) for x in inputs], params)
        assert type(computed.value) is DeviceArray
        assert not computed.host
        agree(computed.value, want)
        for key in saved:
            agree(computed.saved[key], saved[key], key)


@pytest.mark.slow
@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_a_multiprocessor_has_registers_for_all_threads_of_a_block(
    cell: str, forward: bool
) -> None:
    """It has 65536, of which a thread may hold 255: as layers of usual sizes are launched, not as trials are."""
    demand(toolkit())
    kernel = (FORWARD if forward else BACKWARD)[cell]
    for hidden, people in ((255, 64), (256, 64), (256, 300)):
        for dtype in DTYPES:
            plan = plan_of(cell, people, hidden, np.dtype(dtype).itemsize, forward)
            assert plan is not None
            threads = plan.launch.threads
            found = assembled(kernel, np.dtype(dtype).name, "sm_80", plan.options, threads=threads)
            assert found.spilled == 0
            assert found.registers * threads <= 65536
