"""What the kernels of windows are tested on: strides, dilation, padding on one side, ties, NaN; all against numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ops.averaging import adaptive_avg_pool2d, adaptive_avg_unpool, avg_pool2d, avg_unpool
from ops.cuda.kernel import Kernel, Trial
from ops.cuda.windows.averages import (
    build_avg_pool,
    build_avg_unpool,
    build_stretch_means,
    build_stretch_unpool,
)
from ops.cuda.windows.kernels import (
    build_max_pool,
    build_max_shares,
    build_max_unpool,
    build_put_columns,
    build_take_columns,
)
from ops.windows import Windows, put_together, sliding, windows

Array = Any
Rng = np.random.Generator
Pairs = tuple[tuple[int, int], tuple[int, int]]


class Case(NamedTuple):
    """Windows over some planes."""

    planes: int
    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Pairs = ((0, 0), (0, 0))

    @property
    def at(self) -> Windows:
        """Where the windows lie."""
        how = {"stride": self.stride, "dilation": self.dilation, "padding": self.padding}
        return windows(self.size, kernel_size=self.kernel, **how)  # type: ignore[arg-type]


CASES = (
    Case(0, (3, 3), (2, 2)),
    Case(1, (1, 1), (1, 1)),
    Case(1, (1, 33), (1, 3)),
    Case(2, (9, 8), (2, 3)),
    Case(2, (1, 9), (1, 2), (2, 3), (1, 2), ((0, 0), (2, 0))),
    Case(2, (5, 6), (3, 2), (2, 3), (1, 2), ((1, 1), (1, 1))),
    Case(1, (6, 7), (1, 2), (2, 3), (1, 2), ((0, -1), (1, 1))),
)


def _normal(rng: Rng, T: Any, *shape: int) -> Array:
    return rng.normal(size=shape).astype(T)


def _empty(T: Any, *shape: int) -> Array:
    return np.full(shape, np.nan, T)


def _wide(x: Array) -> Array:
    """In float64, the planes as channels of a batch of 1."""
    return x.astype(np.float64)[None]


def _trials(one: Callable[[Rng, Any, Case, Windows], Trial]) -> Any:
    def trials(rng: Rng, T: Any) -> Iterator[Trial]:
        for case in CASES:
            options = {"steps": (*case.stride, *case.dilation)}
            what = " ".join(f"{name}={value}" for name, value in case._asdict().items())
            yield one(rng, T, case, case.at)._replace(options=options, what=what)

    return trials


def _taken(rng: Rng, T: Any, case: Case, at: Windows) -> Trial:
    x = _normal(rng, T, case.planes, *case.size)
    columns = _empty(T, case.planes, *at.kernel, *at.counts)
    return Trial((x, columns, *at.before, 2.0), {1: sliding(_wide(x), at, 2.0)[0]})


def _put(rng: Rng, T: Any, case: Case, at: Windows) -> Trial:
    columns = _normal(rng, T, case.planes, *at.kernel, *at.counts)
    x = _empty(T, case.planes, *case.size)
    return Trial((columns, x, *at.before), {1: put_together(_wide(columns), at)[0]})


def _with_ties(rng: Rng, T: Any, case: Case, at: Windows) -> tuple[Array, Array, Array]:
    """Images of few different numbers and a NaN; which elements are the largest of their windows, and these."""
    x = rng.integers(0, 3, size=(case.planes, *case.size)).astype(T)
    if x.size > 30:
        x.reshape(-1)[7] = np.nan
    seen = sliding(_wide(x), at, -np.inf)[0]
    top = seen.max(axis=(1, 2))
    inside = sliding(np.ones((1, *x.shape)), at)[0] > 0
    return x, inside & ~(seen < top[:, None, None]), top


def _largest(rng: Rng, T: Any, case: Case, at: Windows) -> Trial:
    x, _, top = _with_ties(rng, T, case, at)
    return Trial((x, _empty(T, *top.shape), *at.kernel, *at.before), {1: top})


def _shared(rng: Rng, T: Any, case: Case, at: Windows) -> Trial:
    x, ties, top = _with_ties(rng, T, case, at)
    g = _normal(rng, T, *top.shape)
    arguments = (g, top.astype(T), x, _empty(T, *top.shape), *at.kernel, *at.before)
    return Trial(arguments, {3: g / ties.sum(axis=(1, 2))})


def _unpooled(rng: Rng, T: Any, case: Case, at: Windows) -> Trial:
    x, ties, top = _with_ties(rng, T, case, at)
    shares = _normal(rng, T, *top.shape)
    columns = np.where(ties, shares.astype(np.float64)[:, None, None], 0)
    arguments = (x, top.astype(T), shares, _empty(T, *x.shape), *at.kernel, *at.before)
    return Trial(arguments, {3: put_together(columns[None], at)[0]})


def _averages(rng: Rng, T: Any) -> Iterator[tuple[Case, dict[str, Any], dict[str, Any]]]:
    """Cases with the parameters of an average, and the options of its kernel."""
    for case in CASES:
        same = case.padding[0][0] == case.padding[0][1] and case.padding[1][0] == case.padding[1][1]
        if not same:
            continue
        for include in (False, True):
            for more in (False, True):
                sides = tuple(before for before, _ in case.padding)
                params: dict[str, Any] = {"kernel_size": case.kernel, "stride": case.stride}
                params |= {"padding": sides}
                params |= {"ceil_mode": more, "count_include_pad": include}
                options = {"steps": (*case.stride, 1, 1), "include": include}
                yield case, params, options


def _means(rng: Rng, T: Any) -> Iterator[Trial]:
    for case, params, options in _averages(rng, T):
        x = _normal(rng, T, case.planes, *case.size)
        want = avg_pool2d(_wide(x), **params)[0]
        sides = params["padding"]
        arguments = (x, _empty(T, *want.shape), *case.kernel, *sides)
        yield Trial(arguments, {1: want}, options, f"{case.planes} {case.size} {params}")


def _spread(rng: Rng, T: Any) -> Iterator[Trial]:
    for case, params, options in _averages(rng, T):
        shape = avg_pool2d(np.zeros((1, case.planes, *case.size)), **params).shape[1:]
        g = _normal(rng, T, *shape)
        want = avg_unpool(_wide(g), output_size=case.size, **params)[0]
        arguments = (g, _empty(T, *want.shape), *case.kernel, *params["padding"])
        yield Trial(arguments, {1: want}, options, f"{case.planes} {case.size} {params}")


STRETCHES = (
    (0, (2, 2), (1, 1)),
    (1, (1, 1), (1, 1)),
    (2, (5, 4), (3, 4)),
    (1, (3, 2), (2, 3)),
    (1, (2, 33), (5, 1)),
)


def _stretch_means(rng: Rng, T: Any) -> Iterator[Trial]:
    for planes, size, output in STRETCHES:
        x = _normal(rng, T, planes, *size)
        want = adaptive_avg_pool2d(_wide(x), output_size=output)[0]
        yield Trial((x, _empty(T, *want.shape)), {1: want}, {}, f"{planes} {size} to {output}")


def _stretch_spread(rng: Rng, T: Any) -> Iterator[Trial]:
    for planes, size, output in STRETCHES:
        g = _normal(rng, T, planes, *output)
        want = adaptive_avg_unpool(_wide(g), output_size=size)[0]
        yield Trial((g, _empty(T, *want.shape)), {1: want}, {}, f"{planes} {size} to {output}")


_STEPS: dict[str, Any] = {"steps": (1, 1, 1, 1)}
_MEANS = {**_STEPS, "include": True}
_SIZES = "i8 i8 i8 i8"
_IMAGES = "T[:,:,:] T[:,:,:]"

TAKE_COLUMNS = Kernel(
    "take_columns",
    "windows",
    build_take_columns,
    "T[:,:,:] T[:,:,:,:,:] i8 i8 T",
    _trials(_taken),
    ulps=0,
    options=_STEPS,
    doc="Every window of an image as a column.",
)
PUT_COLUMNS = Kernel(
    "put_columns",
    "windows",
    build_put_columns,
    "T[:,:,:,:,:] T[:,:,:] i8 i8",
    _trials(_put),
    options=_STEPS,
    doc="Columns added up where their windows lie.",
)
MAX_POOL = Kernel(
    "max_pool",
    "windows",
    build_max_pool,
    f"{_IMAGES} {_SIZES}",
    _trials(_largest),
    ulps=0,
    options=_STEPS,
    doc="The largest element of every window.",
)
MAX_SHARES = Kernel(
    "max_shares",
    "windows",
    build_max_shares,
    f"{_IMAGES} {_IMAGES} {_SIZES}",
    _trials(_shared),
    ulps=1,
    options=_STEPS,
    doc="The cotangent of each window divided among its largest elements.",
)
MAX_UNPOOL = Kernel(
    "max_unpool",
    "windows",
    build_max_unpool,
    f"{_IMAGES} {_IMAGES} {_SIZES}",
    _trials(_unpooled),
    options=_STEPS,
    doc="The shares of the windows of which an element is one of the largest, added.",
)
AVG_POOL = Kernel(
    "avg_pool",
    "windows",
    build_avg_pool,
    f"{_IMAGES} {_SIZES}",
    _means,
    options=_MEANS,
    doc="The mean of every window.",
)
AVG_UNPOOL = Kernel(
    "avg_unpool",
    "windows",
    build_avg_unpool,
    f"{_IMAGES} {_SIZES}",
    _spread,
    options=_MEANS,
    doc="Every number divided among the elements of its window.",
)
STRETCH_MEANS = Kernel(
    "stretch_means",
    "windows",
    build_stretch_means,
    _IMAGES,
    _stretch_means,
    doc="Means over a given number of stretches of an image.",
)
STRETCH_UNPOOL = Kernel(
    "stretch_unpool",
    "windows",
    build_stretch_unpool,
    _IMAGES,
    _stretch_spread,
    doc="Every number divided among the elements of its stretch.",
)

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        TAKE_COLUMNS,
        PUT_COLUMNS,
        MAX_POOL,
        MAX_SHARES,
        MAX_UNPOOL,
        AVG_POOL,
        AVG_UNPOOL,
        STRETCH_MEANS,
        STRETCH_UNPOOL,
    )
}
