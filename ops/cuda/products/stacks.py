"""Products of stacks of matrices on a device: the library's where there is one, else by kernels chosen by shape.

Operands are read transposed where they lie, so that backward copies nothing: dA = g Bᵀ and dB = Aᵀ g.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import Launch
from ops.cuda.products.kernels import WIDTH
from ops.cuda.products.trials import ADD_SPLITS, PRODUCT, SMALL_PRODUCT
from ops.devices.arrays import DeviceArray, empty
from ops.primitive import PRIMITIVES

Shape = tuple[int, ...]

THREADS = 256
TILES = ((64, 8), (16, 4), (0, 1))
"""For products with more rows and columns than that: elements of a thread each way, in tiles of 128, 64 and 16."""
PROCESSORS = 132
"""Multiprocessors of a large GPU."""
BUSY = 2 * PROCESSORS
"""Blocks that fill it twice; with fewer tiles, k is split."""
STRETCH = 16
"""Tiles of k that a split is long, so that adding the splits costs little; fewer as long as multiprocessors idle."""
MOST = 65_535
"""The most blocks of one launch; each takes several tiles where there are more."""
FEW = 1 << 18
LONG = 1024
"""Up to so many multiply-adds in all, and for each element, one thread an element does as well as tiles.

Beyond them too where kernels are interpreted: what tiles save is memory, and the interpreter pays for each line.
"""


class Pairing(NamedTuple):
    """Which matrix of an operand goes with matrix s of a result: s // every modulo period, then others `step` apart."""

    every: int
    period: int
    step: int = 0


def fit(*arrays: Any) -> bool:
    """Whether these are arrays of a device, of one float type."""
    return all(type(x) is DeviceArray and x.dtype == arrays[0].dtype for x in arrays) and (
        arrays[0].dtype.char in "fd"
    )


def product(
    x: DeviceArray,
    y: DeviceArray,
    *,
    ta: bool = False,
    tb: bool = False,
    out: DeviceArray | None = None,
) -> DeviceArray:
    """x @ y for stacks of matrices that broadcast; ta, tb: with the matrices of x, of y, transposed.

    x: (..., M, K), y: (..., K, N). Returns: (..., M, N), which is `out` where that is given.
    """
    rows, length, columns = _sizes(x, y, ta, tb)
    stack = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    if out is None:
        out = empty(x.device, (*stack, rows, columns), x.dtype)
    if not ta and math.prod(y.shape[:-2]) == 1:  # one matrix for all rows of the stack
        rows, stack = math.prod(x.shape[:-1]), ()
        x, y = x.reshape(rows, length), y.reshape(y.shape[-2:])
    if not out.size:
        return out
    if length and _by_library(x, y, out.reshape(*stack, rows, columns), ta, tb):
        return out
    (x, left), (y, right) = _with_pairing(x, stack), _with_pairing(y, stack)
    _launch(x, y, ta, tb, left, right, 1, out.reshape(math.prod(stack), rows, columns), length)
    return out


def summed_product(
    x: DeviceArray, y: DeviceArray, *, ta: bool = False, tb: bool = False
) -> DeviceArray:
    """Σₙ x[n] @ y[n]: the sum over n and over k is one, and no product of a single n is ever stored.

    x: (n, stack, M, K), y: (n, stack, K, N). Returns: (stack, M, N).
    """
    rows, length, columns = _sizes(x, y, ta, tb)
    summed, stack = x.shape[:2]
    if summed == 1:
        return product(x.reshape(x.shape[1:]), y.reshape(y.shape[1:]), ta=ta, tb=tb)
    out = empty(x.device, (stack, rows, columns), x.dtype)
    if out.size:
        pair = Pairing(1, stack, stack)
        _launch(x, y, ta, tb, pair, pair, summed, out, length)
    return out


def paired(own: Shape, stack: Shape) -> Pairing | None:
    """How the matrices of an operand go with those of a result; None if only a copy would do.

    >>> paired((3,), (2, 3)), paired((2, 1), (2, 3)), paired((2, 1, 4), (2, 3, 4))
    (Pairing(every=1, period=3, step=0), Pairing(every=3, period=2, step=0), None)
    """
    own = (1,) * (len(stack) - len(own)) + own
    kept = [k for k, n in enumerate(own) if n != 1]
    if not kept:
        return Pairing(1, 1)
    first, last = kept[0], kept[-1] + 1
    if own[first:last] != stack[first:last]:
        return None
    return Pairing(math.prod(stack[last:]), math.prod(own))


def _with_pairing(x: DeviceArray, stack: Shape) -> tuple[DeviceArray, Pairing]:
    """The operand, copied along the axes of the stack only where that must be, and how it goes with the stack."""
    found = paired(x.shape[:-2], stack)
    if found is not None:
        return x, found
    whole = PRIMITIVES["broadcast_to"](x, shape=(*stack, *x.shape[-2:]))
    return whole, Pairing(1, math.prod(stack))


def _sizes(x: DeviceArray, y: DeviceArray, ta: bool, tb: bool) -> tuple[int, int, int]:
    rows, length = x.shape[:-3:-1] if ta else x.shape[-2:]
    return rows, length, y.shape[-2] if tb else y.shape[-1]


def _by_library(x: DeviceArray, y: DeviceArray, out: DeviceArray, ta: bool, tb: bool) -> bool:
    """The product by the library of the device, whose arrays can be seen transposed; False where there is none."""
    a, b = x.memory, y.memory
    if not (hasattr(a, "swapaxes") and hasattr(b, "swapaxes")):
        return False
    a, b = a.swapaxes(-1, -2) if ta else a, b.swapaxes(-1, -2) if tb else b
    return x.device.matmul(a, b, out.memory)


# ----- which kernel


def _launch(
    x: DeviceArray,
    y: DeviceArray,
    ta: bool,
    tb: bool,
    left: Pairing,
    right: Pairing,
    summed: int,
    out: DeviceArray,
    length: int,
) -> None:
    """Run kernels of ours on operands with any axes in front. out: (stack, rows, columns), not empty."""
    device, dtype = x.device, x.dtype
    stack, rows, columns = out.shape
    a, b = x.reshape(x.size).memory, y.reshape(y.size).memory
    numbers = (length, *left, *right, summed)
    turned = {"ta": ta, "tb": tb}
    each = length * summed
    many = each * out.size > FEW
    if each <= 4 or (each <= LONG and not many) or (many and device.interprets):
        whole = out.reshape(1, *out.shape).memory
        blocks = min(-(-out.size // 128), 8 * BUSY)
        device.launch(SMALL_PRODUCT, dtype, Launch(blocks, 128), [a, b, whole, *numbers], turned)
        return
    per = next(per for least, per in TILES if min(rows, columns) > least)
    depth = depth_of(per, dtype)
    wide = 16 * per
    tiles = stack * -(-rows // wide) * -(-columns // wide)
    splits = splits_of(tiles, summed * -(-length // depth), per)
    parts = empty(device, (splits, *out.shape), dtype) if splits > 1 else out.reshape(1, *out.shape)
    launch = Launch(min(tiles * splits, MOST), THREADS)
    options = {"per": per, "depth": depth, **turned}
    device.launch(PRODUCT, dtype, launch, [a, b, parts.memory, *numbers], options)
    if splits > 1:
        both = [parts.reshape(splits, out.size).memory, out.reshape(out.size).memory]
        depth = lanes_of(splits)
        launch = Launch(min(-(-out.size // WIDTH), MOST), WIDTH * depth)
        device.launch(ADD_SPLITS, dtype, launch, both, {"depth": depth})


def depth_of(per: int, dtype: Any) -> int:
    """How long tiles are along k: 16, but 8 where two of each operand would not fit into the shared memory."""
    return 8 if per == 8 and np.dtype(dtype).itemsize == 8 else 16


def splits_of(tiles: int, steps: int, per: int) -> int:
    """Into how many stretches k is split, by the number of tiles of the result and of tiles along k. Never by device.

    Once where there are too few tiles for every multiprocessor, and twice where k is long: a stretch takes at least so
    many tiles that adding the splits costs little, fewer of large tiles, which take longer.

    >>> splits_of(1024, 512, 8), splits_of(64, 512, 8), splits_of(16, 32, 8), splits_of(1, 8, 4)
    (1, 4, 8, 1)
    """
    full = min(PROCESSORS // tiles, steps // min(STRETCH, 32 // per))
    return max(1, full, min(BUSY // tiles, steps // STRETCH))


def lanes_of(splits: int) -> int:
    """How many lanes add the splits of an element: so many that each has about eight, up to sixteen.

    >>> lanes_of(2), lanes_of(33), lanes_of(264)
    (1, 4, 16)
    """
    return min(16, 1 << (splits // 8).bit_length() - 1) if splits >= 16 else 1
