"""An operation on the interpreting device beside numpy: its value, saved numbers and flows, and who made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.native import compute, natives, pull
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.primitive import PRIMITIVES

DTYPES = ("float32", "float64")


class Run(NamedTuple):
    """What an operation gave on the device, on numpy, how far they lie apart, and how the device went about it."""

    value: Any
    flows: list[Any]
    ulps: float
    """The largest distance, in ulps of the largest element of the result concerned."""
    host: bool
    """Whether numpy had to compute the value."""
    fused: bool
    """Whether kernels of the family computed the flows, rather than the rule."""
    fetched: int
    """The bytes copied to the host on the way."""


def there(x: Any) -> Any:
    return array(INTERPRET, x) if isinstance(x, (np.ndarray, np.generic)) else x


def here(x: Any) -> Any:
    return x.numpy() if type(x) is DeviceArray else x


def cast(x: Any, dtype: Any) -> Any:
    """Floats in a dtype; integers, truths and Python's numbers as they are."""
    if not isinstance(x, (np.ndarray, np.generic)) or x.dtype.kind != "f":
        return x
    return np.asarray(x).astype(dtype)[()]


def distance(got: Any, want: Any) -> float:
    """In ulps of the largest element; NaN and inf must stand in the same places, shapes and dtypes be equal."""
    got, want = np.asarray(here(got)), np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    if got.dtype.kind != "f":
        assert (got == want).all()
        return 0.0
    finite = np.isfinite(want)
    assert np.array_equal(got[~finite], want[~finite], equal_nan=True)
    if not finite.any():
        return 0.0
    ulp = np.spacing(np.abs(want[finite]).max() or want.dtype.type(1))
    return float(np.abs(got[finite].astype(np.float64) - want[finite]).max() / ulp)


def run(
    name: str, args: tuple[Any, ...], params: Mapping[str, Any], dtype: Any, g: Any = None
) -> Run:
    """Run an operation on the device and on numpy, forward and backward."""
    op = PRIMITIVES[name]
    inputs, complete = op.bind(tuple(cast(x, dtype) for x in args), params)
    want, saved = op.run(inputs, complete)
    devices = [there(x) for x in inputs]
    before = INTERPRET.fetched
    found = compute(op, devices, complete)
    apart = [distance(found.value, want)]
    fetched = INTERPRET.fetched - before - want.nbytes
    for key, number in saved.items():
        apart.append(distance(found.saved[key], number))
    wanted = [
        op.differentiable(k) and getattr(x, "dtype", np.dtype(int)).kind == "f"
        for k, x in enumerate(inputs)
    ]
    if not any(wanted):
        return Run(here(found.value), [], max(apart), found.host, False, fetched)
    if g is None:
        g = np.random.default_rng(1).normal(size=np.shape(want))
    g = np.asarray(g).astype(want.dtype)[()]
    flows = op.pull_back(g, want, inputs, wanted, complete, saved)
    native = natives().get(name)
    fused = bool(
        native
        and native.pull
        and native.pull(there(g), there(want), devices, wanted, complete, found.saved)
    )
    before = INTERPRET.fetched
    got = pull(op, there(g), there(want), devices, wanted, complete, found.saved)
    fetched += INTERPRET.fetched - before
    for one, other in zip(got, flows, strict=True):
        assert (one is None) == (other is None)
        if other is not None:
            apart.append(distance(one, other))
    return Run(here(found.value), [here(x) for x in got], max(apart), found.host, fused, fetched)
