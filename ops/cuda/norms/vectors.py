"""Scale and shift of a normalisation as kernels take them, and what of a call fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ops.cuda.kernel import Launch
from ops.cuda.norms.columns import LANES
from ops.cuda.norms.kernels import SLOPES_SUM
from ops.devices.arrays import DeviceArray, empty
from ops.primitive import NUMBERS

BLOCKS = 4224
"""Over how many blocks a pass over columns is spread: four times what a GPU of 132 multiprocessors runs at once."""
MOST = 65_535
"""The most blocks of one launch; each takes several pieces of work where there are more."""


def is_plain(x: Any) -> bool:
    """Whether it is an array of floats on a device, and not empty."""
    return type(x) is DeviceArray and x.dtype.char in "fd" and x.size > 0


def as_vector(v: Any, like: DeviceArray, shape: tuple[int, ...], kept: tuple[int, ...]) -> Any:
    """A scale or shift as a vector or number; None if it is neither. shape: in which it broadcasts; kept: must be."""
    if type(v) in NUMBERS:
        return v
    if type(v) is not DeviceArray or v.dtype != like.dtype:
        return None
    padded = (1,) * (len(kept) - len(shape)) + shape
    return v.reshape(math.prod(kept)) if padded == kept else None


def vector_and_number(v: Any, stand_in: DeviceArray) -> tuple[Any, float]:
    """The memory of a vector and the number in its place; a kernel reads one of them."""
    if type(v) in NUMBERS:
        return stand_in.memory, float(v)
    return v.memory, 0.0


def is_vector(v: Any) -> bool:
    """Whether it is not a number in place of a vector."""
    return type(v) is DeviceArray


def slopes_sum(part: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    """Σg and Σ g x̂ of every column, of all slabs together."""
    device, dtype, size = part.device, part.dtype, part.shape[2]
    by_beta, by_gamma = empty(device, (size,), dtype), empty(device, (size,), dtype)
    arguments = [part.memory, by_beta.memory, by_gamma.memory]
    device.launch(SLOPES_SUM, dtype, sums_launch(size), arguments)
    return by_beta, by_gamma


def with_vectors(
    flows: list[Any], wanted: Sequence[bool], inputs: Sequence[Any], sums: tuple[Any, Any]
) -> list[Any]:
    """The flows with those of scale and shift, Σ g x̂ and Σg, in the shapes in which these were given."""
    by_beta, by_gamma = sums
    for k, total in ((1, by_gamma), (2, by_beta)):
        if k < len(flows) and wanted[k] and is_vector(inputs[k]):
            flows[k] = total.reshape(inputs[k].shape)
    return flows


def power_of_two(least: int) -> int:
    """The smallest power of two that is not smaller."""
    return 1 << max(least - 1, 0).bit_length()


def sums_launch(size: int) -> Launch:
    """For the kernels that bring the slabs of each column together, eight columns to a block."""
    return Launch(min(max(1, -(-size // 8)), MOST), LANES)
