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


def _dropped(x: Any) -> Any:
    return tr.dropout(x, 0.5, seed=7)


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
    "max_pool2d": Body(lambda x: tr.max_pool2d(x, 2), ((8, 16, 64, 64),)),
}  # fmt: skip


def arrays(body: Body, small: bool) -> list[Any]:
    """Normal numbers, and labels; in the interpreter no axis is longer than `SMALL`."""
    rng = np.random.default_rng(0)

    def cut(shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(min(size, SMALL) for size in shape) if small else shape

    found: list[Any] = [rng.normal(size=cut(shape)) for shape in body.shapes]
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
