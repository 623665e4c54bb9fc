"""Which matrix of an array is looked at: two of its axes, through the element under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import gcd, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.elements import Element, within
from tracer.fetching import Distant

Array = NDArray[Any]

VALUE, GRADIENT, DIFFERENCE, RELATIVE = "value", "gradient", "difference", "relative"
VALUE_CHANGE, GRADIENT_CHANGE = "value change", "gradient change"
QUANTITIES = (VALUE, GRADIENT, DIFFERENCE, RELATIVE, VALUE_CHANGE, GRADIENT_CHANGE)
"""What a tensor can show: its numbers, the gradient against a hand derivation, and what an edit has changed."""
SAMPLE = 65_536
CHUNK = 1 << 20


@dataclass(frozen=True)
class TensorLook:
    """What the tensor pane shows of a node: a quantity, and which axes are the rows and columns of the picture.

    Value and gradient follow the pass: a choice between them holds until the pass turns. `axes` are counted from the
    last one, so that they mean the same at arrays of other ranks.
    """

    quantity: str = ""
    backward: bool = False
    """The pass in which the quantity was chosen."""
    axes: tuple[int, int] = (-2, -1)
    transposed: bool = False

    def shown(self, backward: bool) -> str:
        """The quantity that is shown in a pass.

        >>> TensorLook().shown(True), TensorLook("value", True).shown(True), TensorLook("value", True).shown(False)
        ('gradient', 'value', 'value')
        """
        if self.quantity not in ("", VALUE, GRADIENT) or (
            self.quantity and self.backward == backward
        ):
            return self.quantity
        return GRADIENT if backward else VALUE

    def pairs(self, rank: int) -> list[tuple[int, int]]:
        """The pairs of axes that can form the picture, the last two first."""
        return list(combinations(range(-rank, 0), 2))[::-1]


@dataclass(frozen=True)
class Plane:
    """A matrix through an element of an array: the axes that are its rows and its columns, None where there is none."""

    shape: tuple[int, ...]
    rows: int | None
    columns: int | None
    element: Element

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        if not prod(self.shape):
            return 0, 0
        return (
            1 if self.rows is None else self.shape[self.rows],
            1 if self.columns is None else self.shape[self.columns],
        )

    @property
    def spot(self) -> tuple[int, int]:
        """Row and column of the element."""
        return (
            0 if self.rows is None else self.element[self.rows],
            0 if self.columns is None else self.element[self.columns],
        )

    @property
    def transposed(self) -> bool:
        """Whether the rows of the picture are a later axis than its columns."""
        if self.rows is None or self.columns is None:
            return self.rows is not None
        return self.rows > self.columns

    @property
    def leading(self) -> tuple[int, ...]:
        """The axes that are not in the picture."""
        return tuple(k for k in range(len(self.shape)) if k not in (self.rows, self.columns))

    @property
    def slices(self) -> int:
        """How many such matrices the array holds."""
        return prod(self.shape[k] for k in self.leading)

    @property
    def text(self) -> str:
        """Which slice it is; empty where there is only one.

        >>> plane_of(TensorLook(transposed=True), (3, 8, 8), (2, 5, 0)).text
        '[2,:,:]ᵀ'
        """
        mark = "ᵀ" if self.transposed else ""
        if not self.leading:
            return mark
        inside = (self.rows, self.columns)
        return f"[{','.join(':' if k in inside else str(i) for k, i in enumerate(self.element))}]{mark}"

    def of(self, array: Any) -> Any:
        """The matrix as a view of an array of this shape; a number is 1 x 1, a vector one row, or one column."""
        inside = (self.rows, self.columns)
        where = tuple(slice(None) if k in inside else i for k, i in enumerate(self.element))
        if isinstance(array, Distant):
            return array.matrix(where, self.size, transposed=self.transposed)
        matrix: Array = np.asarray(array)[where]
        if matrix.ndim == 2:
            return matrix.T if self.transposed else matrix
        return matrix.reshape(self.size)

    def at(self, row: int, column: int) -> Element:
        """The element in a row and a column of the matrix, or that nearest to them."""
        found = list(self.element)
        for axis, place in ((self.rows, row), (self.columns, column)):
            if axis is not None:
                found[axis] = max(0, min(place, self.shape[axis] - 1))
        return tuple(found)

    def beside(self, steps: int) -> Element:
        """The element at the same place so many matrices further, the last leading axis fastest, round the ends.

        >>> plane_of(TensorLook(), (2, 3, 8, 8), (0, 2, 5, 5)).beside(1)
        (1, 0, 5, 5)
        """
        sizes = [self.shape[k] for k in self.leading]
        if not sizes or not prod(sizes):
            return self.element
        number = int(np.ravel_multi_index([self.element[k] for k in self.leading], sizes)) + steps
        found = list(self.element)
        for axis, place in zip(
            self.leading, np.unravel_index(number % prod(sizes), sizes), strict=True
        ):
            found[axis] = int(place)
        return tuple(found)


def plane_of(look: TensorLook, shape: tuple[int, ...], element: Element) -> Plane:
    """The matrix through an element that a look asks for; an element of another array becomes the nearest there is."""
    rank = len(shape)
    element = within(element, shape)
    if rank < 2:
        axis = 0 if rank else None
        return Plane(
            shape,
            rows=axis if look.transposed else None,
            columns=None if look.transposed else axis,
            element=element,
        )
    first, second = look.axes if look.axes in look.pairs(rank) else (-2, -1)
    axes = (second, first) if look.transposed else (first, second)
    return Plane(shape, axes[0] + rank, axes[1] + rank, element)


@dataclass(frozen=True, eq=False)
class Numbers:
    """An array, or what two arrays give element by element: worked out only where somebody looks."""

    parts: tuple[Any, ...]
    combine: Callable[..., Any] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each part."""
        return tuple(self.parts[0].shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.parts[0].size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        found: np.dtype[Any] = self.parts[0].dtype
        return found

    def __getitem__(self, where: Any) -> Any:
        return self._join([part[where] for part in self.parts])

    def _join(self, parts: list[Any]) -> Any:
        if self.combine is None:
            return parts[0]
        with np.errstate(all="ignore"):
            return self.combine(*parts)

    def plane(self, plane: Plane) -> Numbers:
        """A matrix of it, without working it out."""
        return Numbers(tuple(plane.of(part) for part in self.parts), self.combine)

    def sample(self) -> Array:
        """All its numbers, or SAMPLE of them, evenly spread and not all from the same columns."""
        size = self.size
        step = -(-size // SAMPLE)
        while step > 1 and gcd(step, self.shape[-1]) > 1:
            step += 1
        parts = [
            part.sample()
            if isinstance(part, Distant)
            else np.ravel(part)
            if step <= 1
            else np.asarray(part).flat[::step]
            for part in self.parts
        ]
        found: Array = np.asarray(self._join(parts))
        return found

    def chunks(self) -> Iterator[tuple[int, Array]]:
        """All its numbers in stretches that fit the memory: the flat index of the first, and the numbers in order."""
        if not self.shape:
            yield 0, np.ravel(self[()])
            return
        whole = max(1, prod(self.shape[1:]))
        rows = max(1, CHUNK // whole)
        for first in range(0, self.shape[0], rows):
            yield first * whole, np.ravel(self[first : first + rows])


def largest(numbers: Numbers) -> Element | None:
    """The index of the finite element of largest magnitude, the first of several; None if none is finite."""
    best, found = -1.0, None
    for first, chunk in numbers.chunks():
        size = np.abs(chunk.astype(np.float64))
        size[~np.isfinite(size)] = -1.0
        if size.size and size[(at := int(size.argmax()))] > best:
            best, found = float(size[at]), first + at
    return None if found is None else _index(found, numbers.shape)


def first_bad(numbers: Numbers) -> Element | None:
    """The index of the first element that is NaN or infinite; None if all are finite."""
    if numbers.dtype.kind not in "fc":
        return None
    for first, chunk in numbers.chunks():
        bad = ~np.isfinite(chunk)
        if bad.any():
            return _index(first + int(bad.argmax()), numbers.shape)
    return None


def _index(flat: int, shape: tuple[int, ...]) -> Element:
    return tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()
