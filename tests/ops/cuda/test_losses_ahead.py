"""Cross-entropy whose gradient is written with its value: who gets it, what it costs, and that no bit depends on it."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops.cuda.native import compute, pull
from ops.cuda.softmax import loss_launching
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.interpreter.recording import record
from ops.primitive import NOTHING, PRIMITIVES

CROSS_ENTROPY = PRIMITIVES["cross_entropy"]
WANTED = (True, False, False)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The kernels that ran, in order, by name, with their options."""
    found: list[tuple[str, Any]] = []
    launch = type(INTERPRET).launch

    def noted(
        self: Any, kernel: Any, dtype: Any, how: Any, given: Any, options: Any = NOTHING
    ) -> None:
        found.append((kernel.name, options.get("makes")))
        launch(self, kernel, dtype, how, given, options)

    monkeypatch.setattr(type(INTERPRET), "launch", noted)
    return found


def one(dtype: Any = "float32") -> DeviceArray:
    return array(INTERPRET, np.dtype(dtype).type(1))


def unknown(g: DeviceArray) -> DeviceArray:
    """The same number, which only the device knows."""
    return g.reshape(1).reshape(())


def data(
    rows: int, classes: int, dtype: Any = "float32", seed: int = 0
) -> tuple[DeviceArray, DeviceArray]:
    rng = np.random.default_rng(seed)
    logits = (3 * rng.normal(size=(rows, classes))).astype(dtype)
    target = rng.integers(0, classes, size=rows)
    target[1::3] = -100
    return array(INTERPRET, logits), array(INTERPRET, target)


class Both:
    """A cross-entropy and what it sends back."""

    def __init__(self, x: Any, target: Any, wanted: Any = (), **params: Any) -> None:
        self.inputs, self.params = CROSS_ENTROPY.bind((x, target), params)
        self.found = compute(CROSS_ENTROPY, self.inputs, self.params, wanted)

    def flow(self, g: DeviceArray, **changes: Any) -> DeviceArray:
        inputs = (changes.get("x", self.inputs[0]), *self.inputs[1:])
        params = {**self.params, **changes.get("params", {})}
        given = (g, self.found.value, inputs, WANTED, params, self.found.saved)
        return pull(CROSS_ENTROPY, *given)[0]


def bits(x: Any) -> bytes:
    return np.asarray(x.numpy()).tobytes()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("shape", "dtype", "parts"),
    [((5, 33), "float32", 1), ((1, 7), "float64", 1), ((9, 3), "float32", 4)],
    ids=str,
)
def test_loss_weights_and_gradient_have_the_same_bits_on_both_ways(
    shape, dtype, parts, reduction, monkeypatch
):
    monkeypatch.setattr(loss_launching, "parts_of", lambda samples: parts)
    given = data(*shape, dtype)
    ahead, plain = (Both(*given, way, reduction=reduction) for way in (WANTED, ()))
    assert bits(ahead.found.value) == bits(plain.found.value)
    assert bits(ahead.found.saved["sample_weight"]) == bits(plain.found.saved["sample_weight"])
    assert bits(ahead.flow(one(dtype))) == bits(plain.flow(one(dtype)))


def test_it_is_one_kernel_fewer_in_the_backward_pass(launched):
    both = Both(*data(6, 5), WANTED)
    gather = [("gather_loss_parts", None), ("gather_losses", None)]
    assert launched == [gather[0], ("cross_entropy_rows", "both"), *gather]
    launched.clear()
    both.flow(one())
    assert launched == []
    Both(*data(6, 5), WANTED, reduction="sum")
    assert launched == [("cross_entropy_rows", "both"), *gather]  # nothing to count beforehand


def test_loss_and_gradient_read_the_logits_once_and_write_the_gradient_once(monkeypatch):
    """Beside them goes what each sample has: its target, four times, its loss and its weight."""
    moved = {"read": 0, "written": 0}

    def counted(self: Any, kernel: Any, dtype: Any, launch: Any, given: Any, options: Any) -> None:
        run = record(kernel, dtype, launch, given, options)
        found = {
            (access.write, access.array, access.index)
            for block in run.runs
            for thread in block.threads
            for event in thread
            for access in event.accesses
            if access.space == "global"
        }
        for written, name, _ in found:
            moved["written" if written else "read"] += run.arguments[name].itemsize
        for name, old in zip(run.arguments, given, strict=True):
            if name in run.results:
                old[...] = run.results[name]

    monkeypatch.setattr(type(INTERPRET), "launch", counted)
    rows = 6
    x, target = data(rows, 40)
    Both(x, target, WANTED).flow(one())
    assert moved == {
        "read": x.nbytes + rows * (4 * 8 + 4) + 28,
        "written": x.nbytes + rows * (4 + 4) + 48,
    }
    once = dict(moved)
    Both(x, target).flow(one())
    assert moved["read"] - once["read"] > 2 * x.nbytes
    assert x.nbytes < moved["written"] - once["written"] < once["written"]


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_repeated_pull_another_cotangent_other_inputs_and_other_parameters_get_their_own(rounds):
    x, target = data(4, 5)
    moved, _ = data(4, 5, seed=1)
    plain = Both(x, target)
    for g, changes in (
        (one(), {}),
        (unknown(one()), {}),
        (array(INTERPRET, np.float32(-2)), {}),
        (one(), {"x": moved}),
        (one(), {"params": {"ignore_index": 2}}),
    ):
        ahead = Both(x, target, WANTED)
        for _ in range(rounds):
            assert bits(ahead.flow(g, **changes)) == bits(plain.flow(g, **changes))


@pytest.mark.parametrize(
    ("shape", "params"),
    [
        ((3, 5), {"reduction": "none"}),
        ((2, 1100), {}),
        ((3, 5), {"label_smoothing": 0.1}),
    ],
    ids=str,
)
def test_what_nobody_knows_or_no_register_holds_goes_the_first_way(shape, params, launched):
    both = Both(*data(*shape), WANTED, **params)
    assert "both" not in [makes for _, makes in launched]
    g = one() if both.found.value.ndim == 0 else array(INTERPRET, np.ones(shape[0], "float32"))
    assert bits(both.flow(g)) == bits(Both(*data(*shape), **params).flow(g))


def losses(launched: list[tuple[str, Any]]) -> list[str]:
    """Which forms of the kernel of losses ran; the list is empty from then on."""
    found = [makes for name, makes in launched if name == "cross_entropy_rows"]
    launched.clear()
    return found


def test_nothing_is_written_ahead_where_no_gradient_is_wanted_or_nothing_recorded(launched):
    given, target = data(3, 4)
    CROSS_ENTROPY(given, target)
    assert losses(launched) == ["losses"]
    tr.cross_entropy(tr.constant(given), target)
    assert losses(launched) == ["losses"]
    x = tr.tensor(given)
    with tr.no_grad():
        tr.cross_entropy(x, target)
    assert losses(launched) == ["losses"]
    tr.cross_entropy(x, target)
    assert losses(launched) == ["both"]


def test_a_backward_pass_from_the_loss_takes_it_and_traces_replays_and_files_agree(
    launched, tmp_path
):
    given, target = data(4, 6)
    x = tr.tensor(given, name="x")
    loss = tr.cross_entropy(x, target)
    loss.backward()
    assert losses(launched) == ["both"]
    (second,) = tr.grad(loss, [x])  # it is gone by now
    assert losses(launched) == ["flow"]
    trace = tr.trace(loss)
    trace.save(tmp_path / "loss.gst")
    for each in (second, trace["x"].gradient, trace.replay()["x"].gradient):
        assert np.asarray(each).tobytes() == bits(x.grad)
    assert losses(launched).count("both") == 0
    recorded = tr.grad(loss, x, create_graph=True)
    assert np.allclose(recorded.numpy(), x.grad.numpy(), rtol=1e-5, atol=1e-8)
    assert np.allclose(tr.load(tmp_path / "loss.gst")["x"].gradient, x.grad.numpy(), atol=1e-7)


def test_a_hook_and_a_loss_that_goes_on_get_what_they_ask_for():
    given, target = data(4, 6)
    x, y, z = (tr.tensor(given) for _ in range(3))
    tr.cross_entropy(x, target).backward()
    (2 * tr.cross_entropy(y, target)).backward()
    loss = tr.cross_entropy(z, target)
    loss.register_hook(lambda g: 2 * g)
    loss.backward()
    assert bits(y.grad) == bits(z.grad)
    assert np.array_equal(y.grad.numpy(), 2 * x.grad.numpy())


def test_a_loss_beside_a_penalty_receives_the_1_of_the_backward_pass(launched):
    given, target = data(4, 6)
    x, y = tr.tensor(given), tr.tensor(given)
    loss = tr.cross_entropy(x, target) - 0.5 * tr.sum(y * y)
    loss.backward()
    assert losses(launched) == ["both"]
    plain = Both(given, target).flow(one())
    assert bits(x.grad) == bits(plain)
    assert np.array_equal(y.grad.numpy(), -given.numpy())
    assert losses(launched) == ["losses", "flow"]


def test_what_nobody_pulls_goes_with_the_loss():
    given, target = data(3, 4)
    loss = tr.cross_entropy(tr.tensor(given), target)
    flow = weakref.ref(loss.saved["sample_weight"].ahead.flow)
    assert flow() is not None
    del loss
    gc.collect()
    assert flow() is None
