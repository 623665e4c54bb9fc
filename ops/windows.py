"""Windows over the axes of space: where they lie, taken apart into columns (unfold), and put together again (fold).

Space is every axis behind the first two, which are the batch and the channels: one axis for a sequence, two for an
image. Unfold and fold are the transposes of each other; convolution and pooling are written with them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from functools import reduce
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ops.declaring import primitive
from ops.formula import Formula
from ops.primitive import Array, sample
from ops.shape import room

Shape = tuple[int, ...]
PerAxis = int | Shape
"""One number for every axis of space, or one for each."""
Padding = int | Shape | tuple[Shape, ...]
"""One number for all sides, one for both sides of each axis, or a pair (before, after) for each axis."""


class Windows(NamedTuple):
    """Where windows lie along the axes of space; each field has one entry for each axis."""

    size: Shape
    kernel: Shape
    stride: Shape
    dilation: Shape
    before: Shape
    """Padding in front of the first element."""
    after: Shape
    """Padding behind the last element; a negative one leaves elements out."""
    counts: Shape
    """How many windows there are."""

    @property
    def params(self) -> dict[str, Any]:
        """The parameters by which `unfold` and `fold` find the same windows, written as shortly as can be."""
        sides: Any = tuple(zip(self.before, self.after, strict=True))
        if self.before == self.after:
            sides = _shortly(self.before)
        steps = {"stride": _shortly(self.stride), "dilation": _shortly(self.dilation)}
        given = {"padding": sides} if sides != 0 else {}
        given |= {name: step for name, step in steps.items() if step != 1}
        return {"kernel_size": _shortly(self.kernel), **given}

    @property
    def span(self) -> Shape:
        """From the first to the last element of a window."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))

    @property
    def padded(self) -> Shape:
        """The size of the array that all windows lie in."""
        sides = zip(self.before, self.size, self.after, strict=True)
        return tuple(before + size + max(after, 0) for before, size, after in sides)

    @property
    def inner(self) -> tuple[Any, ...]:
        """Where the elements lie in the padded array (N, C, *padded)."""
        sides = zip(self.before, self.size, strict=True)
        return (..., *(slice(before, before + size) for before, size in sides))

    def offsets(self) -> Iterator[tuple[Shape, tuple[Any, ...]]]:
        """Each place in a window, and the elements of the padded array that have this place in their windows."""
        for place in product(*map(range, self.kernel)):
            axes = zip(place, self.dilation, self.stride, self.counts, strict=True)
            spots = (slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, s, n in axes)
            yield place, (..., *spots)


def _shortly(numbers: Shape) -> PerAxis:
    """One number if it is that of every axis."""
    return numbers[0] if len(set(numbers)) == 1 else numbers


def per_axis(name: str, value: PerAxis, rank: int, least: int) -> Shape:
    """A number for each of `rank` axes; raises `ValueError` for another count or a number below `least`."""
    try:
        many = value if isinstance(value, (tuple, list)) else (value,) * rank
        numbers = tuple(operator.index(each) for each in many)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, but is counted in whole numbers") from None
    if len(numbers) != rank:
        axes = "1 axis" if rank == 1 else f"{rank} axes"
        raise ValueError(f"{name} is {value!r}, but there {'is' if rank == 1 else 'are'} {axes}")
    if min(numbers, default=least) < least:
        raise ValueError(f"{name} is {value!r}, but must be at least {least}")
    return numbers


def windows(
    size: Shape,
    *,
    kernel_size: PerAxis,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> Windows:
    """The windows over a space of that size: (size + padding − dilation · (kernel − 1) − 1) // stride + 1 on each axis.

    Raises `ValueError` where not even one window fits.
    """
    rank = len(size)
    kernel = per_axis("kernel_size", kernel_size, rank, 1)
    stride = per_axis("stride", stride, rank, 1)
    dilation = per_axis("dilation", dilation, rank, 1)
    if isinstance(padding, (tuple, list)) and any(isinstance(p, (tuple, list)) for p in padding):
        pairs = [per_axis("padding", p, 2, -(2**31)) for p in padding if not isinstance(p, int)]
        if len(pairs) != rank or any(before < 0 for before, _ in pairs):
            raise ValueError(
                f"padding is {padding!r}, but a pair is needed for each of {rank} axes"
            )
        before, after = (tuple(side) for side in zip(*pairs, strict=True))
    else:
        before = after = per_axis("padding", padding, rank, 0)  # type: ignore[arg-type]
    padded = tuple(b + n + a for b, n, a in zip(before, size, after, strict=True))
    span = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    if any(wide > room for wide, room in zip(span, padded, strict=True)):
        raise ValueError(_too_large(size, padded, kernel, span))
    axes = zip(padded, span, stride, strict=True)
    count = tuple((room - wide) // s + 1 for room, wide, s in axes)
    return Windows(size, kernel, stride, dilation, before, after, count)


def _too_large(size: Shape, padded: Shape, kernel: Shape, span: Shape) -> str:
    wide = f", {by(span)} with its dilation," if span != kernel else ""
    room = f", {by(padded)} with its padding" if padded != size else ""
    return f"a kernel of {by(kernel)}{wide} is larger than the input of {by(size)}{room}"


def by(shape: Shape) -> str:
    """A size as people say it: 3×4."""
    return "×".join(map(str, shape))


def padded(x: Array, at: Windows, fill: float = 0.0) -> Array:
    """The array with its padding around it: (N, C, *size) to (N, C, *padded)."""
    if at.padded == at.size:
        return x
    room: Array = np.full((*x.shape[:2], *at.padded), fill, dtype=x.dtype)
    room[at.inner] = x
    return room


def sliding(x: Array, at: Windows, fill: float = 0.0) -> Array:
    """All windows as a view, no element copied but for the padding: (N, C, *size) to (N, C, *kernel, *counts)."""
    rank = len(at.size)
    axes = tuple(range(2, 2 + rank))
    view = np.lib.stride_tricks.sliding_window_view(padded(x, at, fill), at.span, axis=axes)
    steps = zip(at.counts, at.stride, strict=True)
    firsts = tuple(slice(0, (n - 1) * s + 1, s) for n, s in steps)
    view = view[(slice(None), slice(None), *firsts, *(slice(None, None, d) for d in at.dilation))]
    return view.transpose(0, 1, *(a + rank for a in axes), *axes)


def put_together(columns: Array, at: Windows) -> Array:
    """The sum of all windows where they lie: (N, C, *kernel, *counts) to (N, C, *size), padding dropped."""
    total = np.zeros((*columns.shape[:2], *at.padded), dtype=columns.dtype)
    for place, elements in at.offsets():
        total[elements] += columns[(slice(None), slice(None), *place)]
    return np.ascontiguousarray(total[at.inner])


def _along(at: Windows, axis: int) -> list[tuple[slice, ...]]:
    """For each place along one axis of a window, where it lies in the array that all windows lie in."""
    k = axis - 2
    reach = (at.counts[k] - 1) * at.stride[k] + 1
    firsts = (place * at.dilation[k] for place in range(at.kernel[k]))
    return [(*(slice(None),) * axis, slice(p, p + reach, at.stride[k])) for p in firsts]


def reduced(x: Array, at: Windows, combine: Any, fill: float) -> Array:
    """Every window combined to one number by np.maximum or np.add, axis by axis: (N, C, *size) to (N, C, *counts)."""
    x = padded(x, at, fill)
    for axis in range(2, x.ndim):
        x = reduce(combine, [x[place] for place in _along(at, axis)])
    return x


def spread_out(x: Array, at: Windows) -> Array:
    """Every number added to all elements of its window, padding dropped: (N, C, *counts) to (N, C, *size)."""
    for axis in reversed(range(2, x.ndim)):
        total = np.zeros(
            (*x.shape[:axis], at.padded[axis - 2], *x.shape[axis + 1 :]), dtype=x.dtype
        )
        for place in _along(at, axis):
            total[place] += x
        x = total
    return np.ascontiguousarray(x[at.inner])


def space_of(x: Array, rank: int | None = None) -> Shape:
    """The size of the axes of space; raises `ValueError` if there are none, or not as many as `rank`."""
    if np.ndim(x) < 3 or rank not in (None, x.ndim - 2):
        axes = {1: "length", 2: "height and width"}.get(rank or 0, "space")
        raise ValueError(f"x has shape {np.shape(x)}, but needs axes of batch, channels, {axes}")
    return tuple(x.shape[2:])


def windows_size(lead: Shape, at: Windows) -> float:
    """Of all windows as columns, and of the array that they lie in."""
    return room(*lead, *at.kernel, *at.counts) + room(*lead, *at.padded)


def _fold_size(x: Any, *, output_size: PerAxis, **how: Any) -> float:
    size = per_axis("output_size", output_size, len(np.atleast_1d(output_size)), 0)
    at = windows(size, **how)
    channels = x.shape[1] // room(*at.kernel)
    return windows_size((len(x), int(channels)), at)


def unfold_x(g: Any, out: Any, x: Any, **params: Any) -> Any:
    """Every element receives the sum over the windows that it lies in; what padding receives is dropped."""
    params.pop("fill")
    return fold(g, output_size=x.shape[2:], **params)


def fold_x(g: Any, out: Any, x: Any, *, output_size: Shape, **params: Any) -> Any:
    """Each window receives the cotangent of the elements that it was added to."""
    return unfold(g, **params)


@primitive(
    vjps={"x": unfold_x},
    formula=Formula("unfold({x})", r"\operatorname{{unfold}}\left({x}\right)", symbol="unfold"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 1, 3, 4)), kernel_size=2),
        sample(rng.normal(size=(1, 2, 4, 3)), kernel_size=(3, 1), stride=(2, 1), padding=(1, 0)),
        sample(rng.normal(size=(1, 2, 7)), kernel_size=3, dilation=2, padding=((4, 0),)),
        sample(rng.normal(size=(1, 1, 3, 3)), kernel_size=2, padding=((0, 1), (1, -1)), fill=2.0),
        sample(np.empty((0, 2, 3, 3)), kernel_size=2),
    ],
    size=lambda x, *, fill, **how: windows_size(x.shape[:2], windows(space_of(x), **how)),
    hint="x is (N, channels, *space); kernel_size, stride, padding and dilation have a number for each axis of space",
)
def unfold(
    x: Array,
    *,
    kernel_size: PerAxis,
    dilation: PerAxis = 1,
    padding: Padding = 0,
    stride: PerAxis = 1,
    fill: float = 0.0,
) -> Array:
    """Every window as a column (im2col): a convolution is the weights times these columns.

    x: (N, C, *space), one or more axes of space. Returns: (N, C · prod(kernel_size), L) for L windows; a column runs
    over the channels, then over the places in the window; the windows are in the order of their first elements.
    padding: a number, one for each axis of space, or a pair (before, after) for each; its elements are `fill`.
    """
    at = windows(
        space_of(x), kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation
    )
    columns = x.shape[1] * math.prod(at.kernel)
    return sliding(x, at, fill).reshape(len(x), columns, math.prod(at.counts))


@primitive(
    vjps={"x": fold_x},
    formula=Formula("fold({x})", r"\operatorname{{fold}}\left({x}\right)", symbol="fold"),
    samples=lambda rng: [
        sample(rng.normal(size=(1, 4, 6)), output_size=(3, 4), kernel_size=2),
        sample(
            rng.normal(size=(1, 6, 6)),
            output_size=(4, 3),
            kernel_size=(3, 1),
            stride=(2, 1),
            padding=(1, 0),
        ),
        sample(rng.normal(size=(1, 3, 7)), output_size=7, kernel_size=3, dilation=2, padding=2),
        sample(
            rng.normal(size=(2, 2, 3)), output_size=7, kernel_size=2, padding=((0, -1),), stride=2
        ),
        sample(np.empty((0, 4, 4)), output_size=(3, 3), kernel_size=2),
    ],
    size=_fold_size,
    hint="x is (N, channels · places in a window, windows), as unfold gives it for an input of size output_size",
)
def fold(
    x: Array,
    *,
    output_size: PerAxis,
    kernel_size: PerAxis,
    dilation: PerAxis = 1,
    padding: Padding = 0,
    stride: PerAxis = 1,
) -> Array:
    """Columns added up where their windows lie (col2im): the transpose of `unfold`; overlapping windows accumulate.

    x: (N, C · prod(kernel_size), L). output_size: the size of the space, a tuple unless that has one axis.
    Returns: (N, C, *output_size).
    """
    size = per_axis("output_size", output_size, len(np.atleast_1d(output_size)), 0)
    at = windows(size, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    places, count = math.prod(at.kernel), math.prod(at.counts)
    if np.ndim(x) != 3 or x.shape[1] % places or x.shape[2] != count:
        raise ValueError(
            f"x has shape {np.shape(x)}, but {by(at.counts)} windows of {by(at.kernel)} over {by(size)} "
            f"are (N, channels · {places}, {count})"
        )
    shape = (len(x), x.shape[1] // places, *at.kernel, *at.counts)
    return put_together(x.reshape(shape), at)
