"""From one device to another: the only operation whose value lies elsewhere than its input."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.formula import Formula
from ops.primitive import Array, sample


def to_x(g: Any, out: Any, x: Any, *, device: str, source: str) -> Any:
    """The cotangent goes back to where the value came from."""
    return to(g, device=source, source=device)


@primitive(
    vjps={"x": to_x},
    formula=Formula("{x}", "{x}", symbol="to"),
    samples=lambda rng: [sample(rng.normal(size=(2, 3))), sample(np.float64(1.5))],
)
def to(x: Array, *, device: str = "cpu", source: str = "cpu") -> Array:
    """The same numbers on another device: `cpu`, `cuda`, or `interpret`, where CUDA kernels are interpreted.

    to(x) = x. source: where they lie now, and where the cotangent is sent back to. Raises `DeviceError` where there is
    no such device. Source: `torch.Tensor.to`.

    >>> to(np.array([1.0, 2.0]))
    array([1., 2.])
    """
    if device == "cpu":
        return x
    from ops.devices.arrays import array
    from ops.devices.finding import opened

    return array(opened(device), x)
