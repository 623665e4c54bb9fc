"""What an operation that moves elements gives on the device, held against numpy: shape, dtype and every bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.cuda.native import compute, pull
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.primitive import NUMBERS, PRIMITIVES


def there(x: Any) -> Any:
    """An array or list on the device; Python numbers as they are."""
    return x if type(x) in NUMBERS else array(INTERPRET, np.asarray(x))


def assert_same(got: DeviceArray, want: Any) -> None:
    """Shape and dtype equal, and all bits, but of a NaN."""
    found, want = got.numpy(), np.asarray(want)
    assert (found.shape, found.dtype) == (want.shape, want.dtype)
    if want.dtype.kind == "f":
        assert np.array_equal(np.isnan(found), np.isnan(want))
        found, want = np.nan_to_num(found), np.nan_to_num(want)
    assert found.tobytes() == want.tobytes()


def assert_moves(name: str, *args: Any, ulps: float = 0, **params: Any) -> None:
    """The value of an operation on the device has numpy's bits, by kernels; so have its flows, or within ulps."""
    op = PRIMITIVES[name]
    hosts = [x if type(x) in NUMBERS else np.asarray(x)[()] for x in args]
    inputs, given = op.bind(tuple(hosts), params)
    want, saved = op.run(inputs, given)
    devices = [there(x) for x in inputs]
    computed = compute(op, devices, given)
    assert not computed.host
    assert_same(computed.value, want)
    assert set(computed.saved) == set(saved)
    for key, number in saved.items():
        assert_same(computed.saved[key], number)
    wanted = [
        op.differentiable(k) and type(x) not in NUMBERS and x.dtype.kind == "f"
        for k, x in enumerate(inputs)
    ]
    if not any(wanted):
        return
    g = np.asarray(np.random.default_rng(1).normal(size=want.shape), want.dtype)[()]
    flows = op.pull_back(g, want, inputs, wanted, given, saved)
    found = pull(op, there(g), computed.value, devices, wanted, given, computed.saved)
    for flow, other in zip(found, flows, strict=True):
        assert (flow is None) == (other is None)
        if other is not None and not ulps:
            assert_same(flow, other)
        elif other is not None:
            assert flow.dtype == other.dtype
            one = np.spacing(np.abs(other).max(initial=1))
            np.testing.assert_allclose(flow.numpy(), other, rtol=0, atol=ulps * one)
