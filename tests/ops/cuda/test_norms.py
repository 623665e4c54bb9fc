"""Normalisations on a device: their values, saved numbers and flows against numpy, and what they promise of digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ops.cuda import native
from ops.cuda.kernel import Launch
from ops.cuda.norms import layer
from ops.cuda.norms.batch import slabs_of
from ops.cuda.norms.family import NATIVE
from ops.cuda.norms.kernels import AFFINE, MOMENTS, STATISTICS
from ops.cuda.norms.vectors import BLOCKS
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.primitive import NUMBERS, PRIMITIVES, Sample, sample

DTYPES = (np.float32, np.float64)
ULPS = 32
"""Of the largest element: sums run in another order than numpy's, and a flow is a difference of larger numbers."""

RNG = np.random.default_rng(3)
MORE = {
    "batch_norm": [
        sample(
            RNG.normal(size=(2, 3, 5)), RNG.normal(size=5), RNG.normal(size=(1, 1, 5)), axis=(0, 1)
        ),
        sample(RNG.normal(size=(40, 33)), 2.0, 3.0),
        sample(RNG.normal(size=(6, 2)), RNG.normal(size=2), axis=-2),
        sample(RNG.normal(size=7), eps=0.1),
        sample(
            RNG.normal(size=(3, 2, 5)), RNG.normal(size=2), RNG.normal(size=(2, 1)), axis=(0, 2)
        ),
        sample(RNG.normal(size=(2, 3, 4, 10)) + 100, 2.0, axis=(3, 0, 2)),
    ],
    "group_norm": [
        sample(RNG.normal(size=(2, 6, 7)), RNG.normal(size=6), RNG.normal(size=(6, 1)), groups=3),
        sample(RNG.normal(size=(2, 6, 40)), 2.0, RNG.normal(size=6), groups=2),
        sample(RNG.normal(size=(3, 4)), RNG.normal(size=4), groups=2),
    ],
    "instance_norm": [sample(RNG.normal(size=(2, 3, 40)), RNG.normal(size=(3, 1)))],
    "layer_norm": [
        sample(RNG.normal(size=(3, 70)), RNG.normal(size=70), 2.0),
        sample(RNG.normal(size=(2, 3, 4)), RNG.normal(size=(1, 3, 4)), axis=(-1, -2)),
        sample(RNG.normal(size=(2, 1)), RNG.normal(size=1)),
    ],
    "rms_norm": [
        sample(RNG.normal(size=(20, 33)), 3.0),
        sample(RNG.normal(size=(20, 3)), RNG.normal(size=3)),
    ],
}


def there(x: Any, T: Any) -> Any:
    return x if type(x) in NUMBERS else array(INTERPRET, np.asarray(x, T))


def agree(got: Any, want: Any, what: str = "", ulps: float = ULPS) -> None:
    """Shape and dtype equal, and the numbers within ulps of the largest, of 1 at least."""
    got, want = got.numpy(), np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype), what
    step = np.spacing(np.abs(want).max(initial=1).astype(want.dtype))
    assert np.abs(got - want).max(initial=0) <= ulps * step, what


CASES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name in NATIVE
    for number, sample in enumerate(
        [*PRIMITIVES[name].samples(np.random.default_rng(7)), *MORE.get(name, [])]
    )
]


@pytest.mark.parametrize("T", DTYPES)
@pytest.mark.parametrize(("name", "sample"), CASES)
def test_a_norm_its_saved_numbers_and_its_flows_are_those_of_numpy(
    name: str, sample: Sample, T: Any
) -> None:
    op = PRIMITIVES[name]
    hosts = [x if type(x) in NUMBERS or x is None else np.asarray(x, T)[()] for x in sample.args]
    inputs, params = op.bind(tuple(hosts), sample.params)
    want, saved = op.run(inputs, params)
    computed = native.compute(op, [there(x, T) for x in inputs], params)
    agree(computed.value, want)
    assert set(computed.saved) == set(saved)
    for key in saved:
        agree(computed.saved[key], saved[key], key)
    g = np.asarray(np.random.default_rng(1).normal(size=want.shape), T)
    wanted = [type(x) not in NUMBERS for x in inputs]
    flows = op.pull_back(g, want, inputs, wanted, params, saved)
    devices = [there(x, T) for x in inputs]
    out, kept = there(want, T), {key: there(x, T) for key, x in saved.items()}
    found = native.pull(op, there(g, T), out, devices, wanted, params, kept)
    for name, flow, numbers in zip(op.inputs, found, flows, strict=True):
        assert (flow is None) == (numbers is None)
        if numbers is not None:
            agree(flow, numbers, name)


@pytest.mark.parametrize(
    ("name", "args", "params"),
    [
        ("batch_norm", ((8, 3), (3,), (3,)), {}),
        ("batch_norm", ((2, 4, 3), (3,), None), {"axis": (0, 1)}),
        ("layer_norm", ((4, 5), (5,), (5,)), {}),
        ("layer_norm", ((2, 3, 4), (3, 4), None), {"axis": (1, 2)}),
        ("rms_norm", ((4, 5), None), {}),
        ("batch_norm", ((2, 3, 2, 2), (3,), (3,)), {"axis": (0, 2, 3)}),
        ("group_norm", ((2, 4, 3), (4,), (4,)), {"groups": 2}),
        ("instance_norm", ((2, 4, 3), (4,), None), {}),
    ],
)
def test_what_networks_use_runs_by_kernels_of_its_own(name: str, args: Any, params: Any) -> None:
    op = PRIMITIVES[name]
    given = [None if shape is None else RNG.normal(size=shape) for shape in args]
    inputs, complete = op.bind(tuple(given), params)
    devices = [there(x, np.float32) for x in inputs]
    found = NATIVE[name].value(*devices, **complete)
    assert found is not None
    wanted = [type(x) is DeviceArray for x in devices]
    flows = NATIVE[name].pull(found[0], found[0], devices, wanted, complete, found[1])
    assert [type(flow) is DeviceArray for flow in flows] == wanted


def test_only_the_wanted_flows_are_computed() -> None:
    x, gamma, beta = (there(RNG.normal(size=shape), np.float32) for shape in ((5, 4), 4, 4))
    for name in ("batch_norm", "layer_norm"):
        op = PRIMITIVES[name]
        _, params = op.bind((x, gamma, beta), {})
        out, saved = NATIVE[name].value(x, gamma, beta, **params)
        for wanted in ((True, False, False), (False, True, False), (False, False, True)):
            found = NATIVE[name].pull(out, out, (x, gamma, beta), wanted, params, saved)
            assert tuple(flow is not None for flow in found) == wanted


@pytest.mark.parametrize(
    ("name", "args", "params"),
    [
        ("batch_norm", (np.ones((2, 3, 4)), 1.0, 0.0), {"axis": 1, "eps": 1e-5}),
        ("batch_norm", (np.ones((4, 1)), np.ones((4, 3)), 0.0), {"axis": 0, "eps": 1e-5}),
        ("batch_norm", (np.ones((0, 3)), 1.0, 0.0), {"axis": 0, "eps": 1e-5}),
        ("layer_norm", (np.ones((3, 2)), 1.0, 0.0), {"axis": 0, "eps": 1e-5}),
        ("layer_norm", (np.ones((3, 2)), np.ones(1), 0.0), {"axis": -1, "eps": 1e-5}),
        ("rms_norm", (np.ones((3, 2)), np.float64(2)), {"axis": -1, "eps": 1e-5}),
    ],
)
def test_what_does_not_fit_is_left_to_the_parts(name: str, args: Any, params: Any) -> None:
    assert NATIVE[name].value(*(there(x, np.float32) for x in args), **params) is None


def exact(x: Any) -> Any:
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def test_batch_norm_at_mean_100_keeps_its_digits_in_float32() -> None:
    x = (RNG.normal(size=(200, 33)) + 100).astype(np.float32)
    y, saved = NATIVE["batch_norm"].value(there(x, np.float32), 1.0, 0.0, eps=1e-5, axis=0)
    assert np.abs(y.numpy() - exact(x.astype(np.float64))).max() < 1e-5
    deviation = 1 / np.sqrt(x.astype(np.float64).var(0) + 1e-5)
    assert np.abs(saved["inv_std"].numpy() / deviation - 1).max() < 1e-6


def test_a_first_row_far_from_the_others_costs_no_digits() -> None:
    """The shift by the first row alone would lose them: its square is 10^8 times the variance of the rest."""
    x = (RNG.normal(size=(200, 17)) * 0.01).astype(np.float32)
    x[0] = 100
    _, saved = NATIVE["batch_norm"].value(there(x, np.float32), 1.0, 0.0, eps=1e-5, axis=0)
    deviation = 1 / np.sqrt(x.astype(np.float64).var(0) + 1e-5)
    assert np.abs(saved["inv_std"].numpy() / deviation - 1).max() < 1e-6


@pytest.mark.parametrize("value", [0.1, 1e30, -3.0])
def test_a_constant_column_is_normalised_to_zero_exactly(value: float) -> None:
    x = there(np.full((77, 2), value), np.float32)
    y, saved = NATIVE["batch_norm"].value(x, 2.0, 5.0, eps=1e-5, axis=0)
    assert set(y.numpy().ravel()) == {np.float32(5)}
    assert set(saved["mean"].numpy().ravel()) == {np.float32(value)}


def test_a_batch_of_one_gives_its_shift_and_sends_nothing_to_x() -> None:
    x, beta = there(RNG.normal(size=(1, 5)), np.float32), there(RNG.normal(size=5), np.float32)
    params = {"eps": 1e-5, "axis": 0}
    y, saved = NATIVE["batch_norm"].value(x, 1.0, beta, **params)
    assert np.array_equal(y.numpy()[0], beta.numpy())
    inputs, wanted = (x, 1.0, beta), (True, False, True)
    flow, _, by_beta = NATIVE["batch_norm"].pull(y, y, inputs, wanted, params, saved)
    assert not flow.numpy().any()
    assert np.array_equal(by_beta.numpy(), y.numpy()[0])


def test_the_flow_of_a_batch_is_orthogonal_to_ones_and_to_the_normalised_batch() -> None:
    """Shifting or scaling a column changes nothing: Σ dx = 0 and, with ε = 0, Σ dx x̂ = 0."""
    x, g = (RNG.normal(size=(50, 4)) for _ in range(2))
    params = {"eps": 0.0, "axis": 0}
    inputs = there(x, np.float64), 1.0, 0.0
    y, saved = NATIVE["batch_norm"].value(*inputs, **params)
    found = NATIVE["batch_norm"].pull(
        there(g, np.float64), y, inputs, (True, False, False), params, saved
    )
    flow = found[0].numpy()
    assert np.abs(flow.sum(0)).max() < 1e-13
    assert np.abs((flow * y.numpy()).sum(0)).max() < 1e-13


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(("name", "axis"), [("batch_norm", 0), ("layer_norm", -1)])
def test_nan_and_inf_spoil_their_own_column_or_row_only(name: str, axis: int, bad: float) -> None:
    x = RNG.normal(size=(20, 3))
    x[2, 1] = bad
    y, _ = NATIVE[name].value(there(x, np.float32), 1.0, 0.0, eps=1e-5, axis=axis)
    spoilt = np.zeros_like(x, bool)
    spoilt[(slice(None), 1) if axis == 0 else (2,)] = True
    assert np.array_equal(np.isnan(y.numpy()), spoilt)


def test_layer_norm_is_the_transpose_of_batch_norm() -> None:
    x = RNG.normal(size=(12, 7))
    of_rows, _ = NATIVE["layer_norm"].value(there(x, np.float64), 1.0, 0.0, eps=1e-3, axis=-1)
    of_columns, _ = NATIVE["batch_norm"].value(there(x.T, np.float64), 1.0, 0.0, eps=1e-3, axis=0)
    assert np.abs(of_rows.numpy() - of_columns.numpy().T).max() < 1e-14


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kernels that run."""
    found: list[str] = []
    launch = INTERPRET.launch

    def noted(kernel: Any, *arguments: Any) -> None:
        found.append(kernel.name)
        launch(kernel, *arguments)

    monkeypatch.setattr(INTERPRET, "launch", noted)
    return found


@pytest.mark.parametrize(
    ("name", "shape", "params", "forward", "backward"),
    [
        (
            "batch_norm",
            (9, 3),
            {},
            "column_moments column_statistics column_affine",
            "column_slopes column_slopes_sum column_flow",
        ),
        (
            "batch_norm",
            (2, 3, 5),
            {"axis": (0, 2)},
            "channel_moments column_statistics channel_affine",
            "channel_slopes column_slopes_sum channel_flow",
        ),
        ("layer_norm", (9, 3), {}, "row_norm", "row_norm_backward column_slopes_sum"),
        ("rms_norm", (9, 3), {}, "row_norm", "row_norm_backward column_slopes_sum"),
    ],
)
def test_a_norm_passes_over_memory_as_often_as_its_kernels_are_few(
    name: str, shape: Any, params: Any, forward: str, backward: str, launched: list[str]
) -> None:
    op = PRIMITIVES[name]
    vectors = [RNG.normal(size=3) for _ in op.inputs[1:]]
    given, params = op.bind((RNG.normal(size=shape), *vectors), params)
    inputs = [there(x, np.float32) for x in given]
    out, saved = NATIVE[name].value(*inputs, **params)
    assert launched == forward.split()
    launched.clear()
    NATIVE[name].pull(out, out, inputs, [True] * len(inputs), params, saved)
    assert launched == backward.split()


@pytest.mark.parametrize("T", DTYPES)
@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_rows_whose_sums_have_no_room_are_summed_in_a_pass_of_their_own(
    name: str, T: Any, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "ROOM", 1024)  # for 128 columns, where the usual room is for 4096
    op, size = PRIMITIVES[name], 70
    hosts = [RNG.normal(size=(3, size)), *[RNG.normal(size=size) for _ in op.inputs[1:]]]
    inputs, params = op.bind(tuple(np.asarray(x, T) for x in hosts), {})
    want, saved = op.run(inputs, params)
    g = np.asarray(RNG.normal(size=want.shape), T)
    given, kept = [there(x, T) for x in inputs], {key: there(x, T) for key, x in saved.items()}
    for wanted in ([True] * len(inputs), [False] + [True] * (len(inputs) - 1)):
        flows = op.pull_back(g, want, inputs, wanted, params, saved)
        launched.clear()
        found = NATIVE[name].pull(there(g, T), there(want, T), given, wanted, params, kept)
        for key, flow, numbers in zip(op.inputs, found, flows, strict=True):
            assert (flow is None) == (numbers is None)
            if numbers is not None:
                agree(flow, numbers, key)
        kernels = ["row_norm_backward"] * wanted[0] + ["row_slopes", "column_slopes_sum"]
        assert sorted(launched) == sorted(kernels)


def test_large_shapes_are_split_into_slabs_that_fill_a_gpu_and_small_ones_are_not() -> None:
    assert slabs_of(65536, 1024) * 32 >= BLOCKS
    assert slabs_of(65536, 3) * 1 >= 64
    assert slabs_of(8, 3) == 1
    assert slabs_of(200, 33) == 3
    assert slabs_of(4096, 1) == 2  # eight rows at least for each row of lanes
    assert slabs_of(100, 4096) == 1


def test_the_bits_do_not_depend_on_the_launch() -> None:
    x = RNG.normal(size=(90, 9)).astype(np.float32)
    found = set()
    for launch in (Launch(1, 32), Launch(5, 96), Launch(40, 256)):
        part, mean, inv_std, y = (
            np.full(shape, np.nan, np.float32) for shape in ((2, 2, 9), 9, 9, 810)
        )
        INTERPRET.launch(MOMENTS, np.float32, launch, [x.ravel(), part], {"width": 16})
        INTERPRET.launch(STATISTICS, np.float32, launch, [x, part, 1, 1e-5, mean, inv_std])
        arguments = [x.ravel(), mean, mean, 1.0, 0.0, mean, inv_std, y]
        INTERPRET.launch(AFFINE, np.float32, launch, arguments, {"scaled": False, "shifted": False})
        found.add(y.tobytes())
    assert len(found) == 1
