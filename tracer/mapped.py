"""Numbers in a trace file: how they are put there, and found again. Nothing is read until somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ops.primitive import NOTHING, Array
from tracer.archive import BlobWriter, DamageError
from tracer.encoding import CODES, DTYPES
from tracer.errors import TraceFileError

HIGHEST_RANK = 64
"""Axes that numpy gives an array."""
_BOOL = CODES["bool"]
_ITEMSIZES = np.array([dtype.itemsize for dtype in DTYPES], dtype=np.int64)


class TensorWriter:
    """Puts arrays into the blob of a trace file, the same array once, and keeps the table that finds them again."""

    def __init__(self, blob: BlobWriter) -> None:
        self.blob = blob
        self.kinds: list[int] = []
        self.ranks: list[int] = []
        self.offsets: list[int] = []
        self.sizes: list[int] = []
        self._seen: dict[Any, tuple[Array, int]] = {}
        self._kinds: dict[np.dtype[Any], int] = {}

    def put(self, array: Array, what: Callable[[], str]) -> int:
        """The number of an array in the table of tensors."""
        key = None
        if array.ndim:
            where = array.__array_interface__["data"][0] if array.size else 0
            key = where, array.shape, array.strides if where else (), array.dtype
            if key in self._seen:
                return self._seen[key][1]
        kind = self._kinds.get(array.dtype, -1)
        if kind < 0:
            kind = self._kinds[array.dtype] = CODES.get(array.dtype.name, -1)
        if kind < 0:
            raise TraceFileError(
                f"{what()} holds elements of type {array.dtype}, which have no form in a trace file\n"
                f"  try: {', '.join(CODES)}"
            )
        number = len(self.kinds)
        if array.ndim:
            plain = np.ascontiguousarray(array, DTYPES[kind])
            self.offsets.append(self.blob.put(plain.reshape(-1).view(np.uint8).data))
            self._seen[key] = array, number  # held, so that no other array comes to lie there
        else:
            single = np.asarray(array, DTYPES[kind])
            self.offsets.append(self.blob.put(single.tobytes(), single.itemsize))
        self.kinds.append(kind)
        self.ranks.append(array.ndim)
        self.sizes += array.shape
        return number


@dataclass(frozen=True, eq=False)
class Tensors:
    """The table of arrays in the blob of a trace file. All columns int64, but for the bytes of the blob."""

    path: str
    blob: Array
    kinds: Array
    """(tensors,): which of `encoding.DTYPES`."""
    ranks: Array
    """(tensors,): how many of `sizes` are its own."""
    offsets: Array
    """(tensors,): where in the blob it begins."""
    sizes: Array
    """(sum of ranks,): the size of each axis."""

    @cached_property
    def starts(self) -> Array:
        """(tensors,): where in `sizes` the axes of a tensor begin."""
        return np.cumsum(self.ranks) - self.ranks

    def __len__(self) -> int:
        return len(self.kinds)

    def shape(self, number: int) -> tuple[int, ...]:
        """The shape of a tensor."""
        first = self.starts[number]
        return tuple(self.sizes[first : first + self.ranks[number]].tolist())

    def read(self, number: int) -> Array:
        """A tensor where it lies: a read-only array, or a numpy scalar. Raises `TraceFileError` for a damaged truth."""
        kind, offset = int(self.kinds[number]), int(self.offsets[number])
        found: Array
        if self.ranks[number] == 0:
            found = np.frombuffer(self.blob, DTYPES[kind], 1, offset)[0]
        else:
            found = np.ndarray(self.shape(number), DTYPES[kind], buffer=self.blob, offset=offset)
        if kind == _BOOL and np.any(np.asarray(found).view(np.uint8) > 1):
            raise TraceFileError(
                f"{self.path}: an array of truths holds other bytes than 0 and 1\n  try: save the trace again"
            )
        return found

    def check(self) -> None:
        """Raise `DamageError` unless every tensor lies inside the blob. No tensor is read."""
        if len(self.kinds) and not _within(self.kinds, 0, len(DTYPES)):
            raise DamageError("a tensor has elements of an unknown kind")
        if not _within(self.ranks, 0, HIGHEST_RANK + 1) or self.ranks.sum() != len(self.sizes):
            raise DamageError("the shapes of its tensors contradict each other")
        if len(self.sizes) and self.sizes.min() < 0:
            raise DamageError("a tensor has a negative size")
        bytes_each = _ITEMSIZES[self.kinds]
        axes = np.flatnonzero(self.ranks)
        counts = np.ones(len(self), dtype=np.int64)
        if len(axes):
            at = self.starts[axes]
            filled = np.maximum(
                self.sizes, 1
            )  # numpy too wants the product without the zeros to fit
            with np.errstate(over="ignore"):
                rough = np.multiply.reduceat(filled.astype(np.float64), at)
            if np.any(rough * bytes_each[axes] >= 2.0**62):
                raise DamageError("a tensor is larger than any memory")
            counts[axes] = np.multiply.reduceat(filled, at) * np.multiply.reduceat(
                (self.sizes > 0).astype(np.int64), at
            )
        room = len(self.blob) - counts * bytes_each
        if np.any((self.offsets < 0) | (self.offsets > room)):
            raise DamageError("a tensor reaches beyond the end of the file")
        if np.any(self.offsets % bytes_each):
            raise DamageError("a tensor is not aligned")


@dataclass(frozen=True, eq=False)
class Mapped:
    """The storage of a loaded trace: values, gradients and what kernels saved, in a mapped file."""

    tensors: Tensors
    names: tuple[str, ...]
    value_of: Array
    gradient_of: Array
    saved_node: Array
    """(saved,), rising: the node that saved a tensor, under the name `saved_name` of `names`."""
    saved_name: Array
    saved_tensor: Array
    has_gradients: bool = True
    proven: set[int] = field(default_factory=set)
    """The nodes whose operation ran on these numbers, and gave numbers of these shapes."""

    def value(self, node: int) -> Array:
        """The forward value of a node."""
        return self.tensors.read(int(self.value_of[node]))

    held = value
    """A file lies on the host."""

    def gradient(self, node: int) -> Array | None:
        """The final gradient of a node, None where there is none."""
        number = int(self.gradient_of[node])
        return None if number < 0 else self.tensors.read(number)

    def saved(self, node: int) -> Mapping[str, Array]:
        """What the kernel of a node handed to its rules."""
        first, end = np.searchsorted(self.saved_node, [node, node + 1])
        if first == end:
            return NOTHING
        rows: list[Any] = list(range(first, end))
        return {
            self.names[self.saved_name[k]]: self.tensors.read(int(self.saved_tensor[k]))
            for k in rows
        }

    held_saved = saved

    def is_proven(self, node: int) -> bool:
        """Whether the operation of a node ran on these numbers."""
        return node in self.proven

    def prove(self, node: int) -> None:
        """Note that it did."""
        self.proven.add(node)

    def check(self, nodes: int) -> None:
        """Raise `DamageError` unless every number points at a tensor, a node or a name."""
        tensors = len(self.tensors)
        sound = (
            _within(self.value_of, 0, tensors)
            and _within(self.gradient_of, -1, tensors)
            and _within(self.saved_node, 0, nodes)
            and _within(self.saved_name, 0, len(self.names))
            and _within(self.saved_tensor, 0, tensors)
        )
        if not sound or np.any(np.diff(self.saved_node) < 0):
            raise DamageError("a node points at a tensor that is not there")


def _within(column: Array, low: int, end: int) -> bool:
    return not len(column) or bool(column.min() >= low and column.max() < end)
