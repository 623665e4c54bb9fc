"""Windows on a device against numpy: convolutions, columns and pools, values and flows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ops.cuda import native
from ops.cuda.windows import convolution as windows_convolution
from ops.cuda.windows.family import NATIVE
from ops.primitive import PRIMITIVES, Sample, sample
from tests.ops.cuda.test_products import (
    DTYPES,
    Library,
    Watching,
    assert_as_on_the_host,
    assert_close,
    refusal,
    there,
)

CASES = [
    pytest.param(name, one, id=f"{name}-{number}")
    for name in NATIVE
    for number, one in enumerate(PRIMITIVES[name].samples(np.random.default_rng(7)))
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "one"), CASES)
def test_windows_and_their_flows_are_those_of_numpy(name: str, one: Sample, dtype: str) -> None:
    assert assert_as_on_the_host(name, one, dtype)


@pytest.mark.parametrize(
    "params",
    [
        {"stride": 2, "padding": (1, 0)},
        {"dilation": (1, 2), "groups": 2},
        {"padding": (2, 1), "stride": (3, 1)},
    ],
    ids=str,
)
def test_a_transposed_convolution_is_the_transpose_of_the_convolution(
    params: dict[str, Any],
) -> None:
    """⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩, at sizes that the strides do not divide."""
    rng = np.random.default_rng(0)
    groups = params.get("groups", 1)
    x = rng.normal(size=(2, 4, 7, 6))
    weight = rng.normal(size=(6, 4 // groups, 3, 2))
    conv, turned = PRIMITIVES["conv2d"], PRIMITIVES["conv_transpose2d"]
    y = conv(there(x), there(weight), **params).numpy()
    g = rng.normal(size=y.shape)
    smallest = turned(there(g), there(weight), **params).shape
    extra = tuple(n - m for n, m in zip(x.shape[2:], smallest[2:], strict=True))
    back = turned(there(g), there(weight), output_padding=extra, **params).numpy()
    assert np.vdot(y, g) == pytest.approx(np.vdot(x, back), rel=1e-12)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_a_batch_in_chunks_gives_the_same_numbers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows_convolution, "CHUNK", 100)  # two of five samples, and one alone
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(5, 2, 4, 4)), rng.normal(size=(2, 2, 2, 2))
    if name == "conv_transpose2d":
        x = x[:, :, :3, :3]
    assert assert_as_on_the_host(name, sample(x, weight, rng.normal(size=2)), "float64")


def test_a_window_of_one_element_takes_no_columns() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(5, 3, 1, 1))
    device = Watching()
    got = PRIMITIVES["conv2d"](there(x, device=device), there(weight, device=device))
    assert_close(got, PRIMITIVES["conv2d"](x, weight))
    assert "take_columns" not in {name for name, _, _ in device.launches}


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_of_an_empty_batch_the_flow_of_a_weight_is_zero_whatever_the_weight(name: str) -> None:
    op = PRIMITIVES[name]
    weight = np.full((1, 1, 2, 2), np.inf)
    inputs, params = op.bind((there(np.empty((0, 1, 3, 3))), there(weight)), {})
    out = op(*inputs, **params)
    _, flow, _ = native.pull(op, out, out, inputs, [True, True, False], params)
    assert flow.numpy().tolist() == np.zeros((1, 1, 2, 2)).tolist()


def test_where_there_is_a_library_it_multiplies_into_the_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows_convolution, "CHUNK", 100)
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(5, 4, 4, 4)), rng.normal(size=(6, 2, 2, 2))
    device, op = Library(), PRIMITIVES["conv2d"]
    inputs, params = op.bind((there(x, device=device), there(weight, device=device)), {"groups": 2})
    out = op(*inputs, **params)
    want = op(x, weight, groups=2)
    assert_close(out, want)
    g = rng.normal(size=want.shape)
    wanted = [True, True, False]
    flows = op.pull_back(g, want, (x, weight, 0.0), wanted, params)
    found = native.pull(op, there(g, device=device), out, inputs, wanted, params)
    for flow, one in zip(flows[:2], found[:2], strict=True):
        assert_close(one, flow)
    assert device.products > 2  # the flow of the weight is a sum over the chunk: a kernel of ours


@pytest.mark.parametrize("padding", [1, ((1, -1),)])
def test_a_window_of_one_element_may_lie_in_the_padding(padding: Any) -> None:
    rng = np.random.default_rng(0)
    one = sample(rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 1)), padding=padding)
    assert assert_as_on_the_host("conv1d", one, "float64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_and_what_is_put_together_have_the_bits_of_the_host(dtype: str) -> None:
    rng = np.random.default_rng(0)
    how: dict[str, Any] = {"kernel_size": (3, 2), "stride": (1, 2), "padding": 1, "dilation": 2}
    x = rng.normal(size=(2, 3, 7, 6)).astype(dtype)
    columns = PRIMITIVES["unfold"](x, **how)
    assert PRIMITIVES["unfold"](there(x), **how).numpy().tobytes() == columns.tobytes()
    whole = PRIMITIVES["fold"](columns, output_size=(7, 6), **how)
    got = PRIMITIVES["fold"](there(columns), output_size=(7, 6), **how)
    assert got.numpy().tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"])
def test_nan_and_inf_go_through_a_pool(name: str) -> None:
    x = np.arange(30.0).reshape(1, 1, 5, 6)
    x[0, 0, 1, 1], x[0, 0, 3, 4], x[0, 0, 0, 5] = np.nan, np.inf, -np.inf
    params = {"output_size": 2} if name.startswith("adaptive") else {"kernel_size": 3, "stride": 2}
    with np.errstate(all="ignore"):
        assert assert_as_on_the_host(name, sample(x, **params), "float32")


def test_ties_share_and_a_window_with_a_nan_shares_among_all() -> None:
    x = np.array([[[1.0, 1.0, 0.0, np.nan, 2.0, 3.0, -0.0, 0.0]]])
    op = PRIMITIVES["max_pool1d"]
    inputs, params = op.bind((there(x),), {"kernel_size": 2})
    out = op(*inputs, **params)
    (flow,) = native.pull(op, there(np.ones((1, 1, 4))), out, inputs, [True], params)
    assert flow.numpy().tolist() == [[[0.5, 0.5, 0.5, 0.5, 0.0, 1.0, 0.5, 0.5]]]


def test_three_axes_of_space_are_the_hosts() -> None:
    x = np.arange(24.0).reshape(1, 1, 2, 3, 4)
    computed = native.compute(
        *_call("unfold", sample(there(x), kernel_size=2)),
    )
    assert computed.host
    assert_close(computed.value, PRIMITIVES["unfold"](x, kernel_size=2))


def _call(name: str, one: Sample) -> tuple[Any, Any, Any]:
    op = PRIMITIVES[name]
    return op, *op.bind(one.args, one.params)


@pytest.mark.parametrize(
    ("name", "shapes", "params"),
    [
        ("conv2d", [(1, 3, 4, 4), (2, 2, 2, 2)], {}),
        ("conv2d", [(1, 2, 4), (2, 2, 2)], {}),
        ("conv1d", [(1, 2, 2), (2, 2, 3)], {}),
        ("conv1d", [(1, 2, 4), (2, 2, 3)], {"padding": "full"}),
        ("conv_transpose2d", [(1, 2, 2, 2), (2, 1, 2, 2)], {"output_padding": 1}),
        ("max_pool2d", [(1, 2, 4)], {"kernel_size": 2}),
        ("max_pool1d", [(1, 2, 4)], {"kernel_size": 2, "padding": 2}),
        ("avg_pool2d", [(1, 1, 2, 2)], {"kernel_size": 3}),
        ("adaptive_avg_pool1d", [(1, 1, 2)], {"output_size": 0}),
        ("fold", [(1, 3, 4)], {"output_size": (3, 3), "kernel_size": 2}),
    ],
)
def test_what_does_not_fit_is_told_as_on_the_host(name: str, shapes: Any, params: Any) -> None:
    op, arrays = PRIMITIVES[name], [np.ones(shape) for shape in shapes]
    assert refusal(op, *map(there, arrays), **params) == refusal(op, *arrays, **params)


def test_columns_of_a_large_batch_are_taken_by_blocks_on_every_multiprocessor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launches = []
    device = Watching()
    monkeypatch.setattr(
        device,
        "launch",
        lambda kernel, dtype, launch, *rest: launches.append((kernel.name, launch)),
    )
    x = there(np.zeros((8, 16, 28, 28), "float32"), device=device)
    weight = there(np.zeros((4, 16, 3, 3), "float32"), device=device)
    PRIMITIVES["conv2d"](x, weight, padding=1)
    (blocks,) = (launch.blocks for name, launch in launches if name == "take_columns")
    assert blocks >= 132
