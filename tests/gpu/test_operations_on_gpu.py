"""Operations at sizes that fill a GPU: value and gradients equal to the CPU's in float64, the same bits each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import tracer as tr
from ops.devices.device import Device
from tracer.insight.comparison import apart

ULPS = 500
"""In float32, of the largest number: 6·10⁻⁵. Long sums are added in another order than on the CPU."""
SMALL = 5
"""The most that an axis has in the interpreter."""


class Body(NamedTuple):
    """A computation, and the shapes of what it takes; a shape of integers up to `classes` stands last, if any does."""

    run: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    classes: int = 0
    labels: tuple[int, ...] = ()
    small: tuple[tuple[int, ...], ...] = ()
    """The shapes in the interpreter, where those that are cut would not fit each other."""


def _dropped(x: Any) -> Any:
    return tr.dropout(x, 0.5, seed=7)


def _layer(cell: str, gates: int, hidden: int, people: int) -> Body:
    """A recurrent layer over 20 steps, with weights so small that no state is at its limit."""

    def run(x: Any, *rest: Any) -> Any:
        *states, w_ih, w_hh, b_ih, b_hh = rest
        less = hidden**-0.5
        out = getattr(tr, cell)(x, *states, w_ih * less, w_hh * less, b_ih, b_hh)
        return sum(out) if type(out) is tuple else out

    def shapes(steps: int, people: int, hidden: int) -> tuple[tuple[int, ...], ...]:
        states = [(people, hidden)] * (2 if cell == "lstm_layer" else 1)
        weights, biases = (gates * hidden, hidden), (gates * hidden,)
        return ((steps, people, hidden), *states, weights, weights, biases, biases)

    return Body(run, shapes(20, people, hidden), small=shapes(2, 2, 3))


def _grouped(x: Any, gamma: Any, beta: Any) -> Any:
    return tr.group_norm(x, gamma, beta, groups=x.shape[1] // 2)


def _picked(x: Any, at: Any) -> Any:
    return x[at]


def _scattered(values: Any, at: Any) -> Any:
    return tr.scatter_add(values, at, shape=(1000, *values.shape[1:]))


BODIES = {
    "gelu": Body(tr.gelu, ((2**22 + 3,),)),
    "tanh of a product and a sum": Body(lambda x, w, b: tr.tanh(x * w + b), ((4096, 1025), (1025,), (1025,))),
    "a column times a row": Body(lambda x, y: x * y, ((2049, 1), (1, 1025))),
    "sum of all": Body(tr.sum, ((2**22 + 1,),)),
    "sum of columns": Body(lambda x: tr.sum(x, axis=0), ((8193, 257),)),
    "mean of rows": Body(lambda x: tr.mean(x, axis=1), ((1025, 4099),)),
    "max of rows": Body(lambda x: tr.max(x, axis=1), ((1025, 4099),)),
    "softmax": Body(tr.softmax, ((4096, 1000),)),
    "log_softmax of long rows": Body(tr.log_softmax, ((33, 50_001),)),
    "cross_entropy": Body(tr.cross_entropy, ((4096, 1000),), 1000, (4096,)),
    "batch_norm": Body(tr.batch_norm, ((16_385, 257), (257,), (257,))),
    "layer_norm": Body(tr.layer_norm, ((4097, 1000), (1000,), (1000,))),
    "rms_norm": Body(tr.rms_norm, ((4097, 1000), (1000,))),
    "matmul": Body(tr.matmul, ((513, 1025), (1025, 255))),
    "matmul of stacks": Body(tr.matmul, ((17, 65, 129), (17, 129, 33))),
    "embedding": Body(lambda weight, at: tr.embedding(at, weight), ((1000, 65),), 1000, (64, 129)),
    "dropout": Body(_dropped, ((2**20 + 1,),)),
    "transpose": Body(lambda x: tr.tanh(x.T), ((1025, 2049),)),
    "cumsum": Body(lambda x: tr.cumsum(x, axis=1), ((257, 1025),)),
    "conv2d": Body(lambda x, w: tr.conv2d(x, w, padding=1), ((8, 16, 33, 33), (32, 16, 3, 3))),
    "rnn of 256": _layer("rnn_layer", 1, 256, 64),
    "rnn of 1024": _layer("rnn_layer", 1, 1024, 64),
    "gru of 256": _layer("gru_layer", 3, 256, 64),
    "gru of 1024": _layer("gru_layer", 3, 1024, 33),
    "lstm of 256": _layer("lstm_layer", 4, 256, 64),
    "lstm of 1024": _layer("lstm_layer", 4, 1024, 33),
    "group_norm": Body(_grouped, ((16, 64, 57, 57), (64,), (64,)), small=((2, 4, 3, 3), (4,), (4,))),
    "instance_norm": Body(tr.instance_norm, ((16, 64, 57, 57), (64,), (64,))),
    "einsum of attention": Body(lambda q, k: tr.einsum("bihd,bjhd->bhij", q, k), ((4, 257, 8, 64), (4, 129, 8, 64))),
    "einsum with a sum inside": Body(lambda x, y: tr.einsum("nik,njk->ij", x, y), ((33, 65, 129), (33, 129, 129))),
    "tensordot": Body(lambda x, y: tr.tensordot(x, y, axes=[[1, 2], [1, 0]]), ((257, 65, 33), (33, 65, 129))),
    "rows picked by numbers": Body(_picked, ((1000, 65),), 1000, (8193,)),
    "scatter_add": Body(_scattered, ((8193, 65),), 1000, (8193,)),
    "max_pool2d": Body(lambda x: tr.max_pool2d(x, 2), ((8, 16, 64, 64),)),
}  # fmt: skip


def arrays(body: Body, small: bool) -> list[Any]:
    """Normal numbers, and labels; in the interpreter no axis is longer than `SMALL`."""
    rng = np.random.default_rng(0)

    def cut(shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(min(size, SMALL) for size in shape) if small else shape

    shapes = body.small if small and body.small else [cut(shape) for shape in body.shapes]
    found: list[Any] = [rng.normal(size=shape) for shape in shapes]
    if body.classes:
        found.append(
            rng.integers(0, min(body.classes, SMALL) if small else body.classes, cut(body.labels))
        )
    return found


def numbers(body: Body, given: list[Any], device: str, dtype: str) -> list[Any]:
    """The value, and the gradient of each float."""
    rng = np.random.default_rng(1)
    with tr.device(device):
        leaves = [
            tr.tensor(x.astype(dtype)) if x.dtype.kind == "f" else tr.constant(x) for x in given
        ]
        out = body.run(*leaves)
        out.backward(tr.constant(rng.normal(size=out.shape).astype(dtype)))
    gradients = [x.grad for x, g in zip(leaves, given, strict=True) if g.dtype.kind == "f"]
    return [np.asarray(x) for x in (out.value, *gradients)]


@pytest.mark.parametrize("name", BODIES)
def test_value_and_gradients_are_those_of_the_cpu(device: Device, small: bool, name: str):
    body = BODIES[name]
    given = [x.astype("float32") if x.dtype.kind == "f" else x for x in arrays(body, small)]
    found = numbers(body, given, device.name, "float32")
    expected = numbers(body, given, "cpu", "float64")
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert ours.dtype == np.float32
        far = apart(ours, theirs)
        what = f"the gradient of input {number - 1}" if number else "the value"
        assert far.ulps <= ULPS, f"{what} of {name}: {far.ulps:.0f} ulps, {far}"


@pytest.mark.parametrize("name", BODIES)
def test_every_run_gives_the_same_bits(device: Device, small: bool, name: str):
    body = BODIES[name]
    given = arrays(body, small)
    runs = [numbers(body, given, device.name, "float32") for _ in range(2 if small else 10)]
    for run in runs[1:]:
        assert [x.tobytes() for x in run] == [x.tobytes() for x in runs[0]]
