"""`tr.certify`: the certified derivative of any recorded value by any other, number by number with its bound.

The trace is replayed in float64 from the one value to the other, with one element moved at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tracer.checking.pieces import on_piece
from tracer.checking.promote import promoted
from tracer.errors import CheckError
from tracer.format import number, shape
from tracer.traces import Trace

from .certificate import KINK, Certified
from .certify import certify_elements
from .complex_step import sharpened
from .kinks import kinks_near

Array = Any
"""A numpy array or numpy scalar."""

SHOWN = 12
"""So many elements are printed."""


@dataclass(frozen=True, eq=False)
class Derivative:
    """Certified numbers for the derivative of one recorded value by the elements of another; prints as a table."""

    of: str
    """What was differentiated: the label of a node, with the index of an element or its cotangent."""
    by: str
    shape: tuple[int, ...]
    """Of the value by which it was differentiated."""
    elements: tuple[tuple[int, ...], ...]
    """The elements looked at, by index."""
    slopes: tuple[Certified, ...]
    """The certified number of each of them."""
    automatic: Array = field(repr=False)
    """The gradient of the backward pass, in the shape of `by`."""
    notes: tuple[str, ...] = ()

    @property
    def values(self) -> Array:
        """float64, in the shape of `by`: the numbers, NaN where there is none or none was asked for."""
        return self._filled(np.nan, [slope.value for slope in self.slopes])

    @property
    def bounds(self) -> Array:
        """float64, in the shape of `by`: how far each number may be off at most; inf where there is none."""
        return self._filled(np.inf, [slope.bound for slope in self.slopes])

    def _filled(self, missing: float, numbers: Sequence[float]) -> Array:
        found = np.full(self.shape, missing)
        for index, one in zip(self.elements, numbers, strict=True):
            found[index] = one
        return found[()]

    def __str__(self) -> str:
        from tracer.checking.report import certified

        lines = [
            f"d {self.of} / d {self.by}: {len(self.slopes)} of {math.prod(self.shape)} elements"
        ]
        table = [("element", "numerical", "automatic")]
        for index, slope in list(zip(self.elements, self.slopes, strict=True))[:SHOWN]:
            where = f"[{', '.join(map(str, index))}]" if index else "()"
            table.append((where, certified(slope), number(float(self.automatic[index]), 12)))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += [
            "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        if len(self.slopes) > SHOWN:
            lines.append(f"  … {len(self.slopes) - SHOWN} more")
        return "\n".join([*lines, *self.notes])


def certify(
    trace: Trace,
    by: int | str,
    of: int | str | None = None,
    *,
    at: int | tuple[int, ...] | None = None,
    cotangent: Any = None,
    elements: Sequence[int | tuple[int, ...]] | None = None,
) -> Derivative:
    """The derivative of one recorded value by another as certified numbers, each with a bound that covers the truth.

    number[i] = ∂⟨cotangent, of⟩ / ∂by[i],        |number[i] − truth| ≤ bound[i]

    by, of: nodes, by number, name or label; `of` is the loss unless given. If it has more than one element, at= names
    one by its index, or cotangent=, an array of its shape, weighs them. elements: look at these of `by` only, by index
    or flat number. What was made in float32 runs in float64; what was detached stays as recorded.
    Raises `CheckError` where something is no float or does not fit, `UnknownNameError` for a node that is not there.

    >>> import tracer as tr
    >>> x = tr.tensor([0.5, -1.0], name="x")
    >>> h = tr.tanh(x)
    >>> trace = tr.trace((h * h).sum())
    >>> found = tr.certify(trace, by="x", of="h", at=1)
    >>> found.values.round(12), bool(found.bounds.max() < 1e-12)
    (array([0.        , 0.41997434]), True)
    >>> print(tr.certify(trace, by="h"))
    d sum@3 / d h: 2 of 2 elements
      element  numerical               automatic
      [0]      0.924234314520 ± 5e−15  0.92423431452
      [1]      −1.52318831191 ± 8e−15  −1.52318831191
    """
    twin = promoted(trace)
    source = twin.node_index(by)
    target = twin.loss if of is None else twin.node_index(of)
    if target < 0:
        raise CheckError("certify: the trace has no loss\n  try: of=, the name of a recorded value")
    for node in (source, target):
        if twin.value(node).dtype.kind != "f":
            raise CheckError(
                f"certify: {twin.label(node)} holds whole numbers, which have no derivative\n"
                f"  try: a float value"
            )
    seed, said = _seed(twin, target, at, cotangent)
    differentiated = replace(twin, loss=target, seed=seed)
    value = np.asarray(twin.value(source))
    flat = _flat(value.shape, elements, twin.label(source))
    notes: list[str] = []
    loss = on_piece(differentiated, source)
    if source == target:
        notes.append("a value by itself: the cotangent")
    elif not loss.reached:
        notes.append(f"{twin.label(target)} does not depend on {twin.label(source)}")
    slopes = sharpened(loss, value, flat, certify_elements(loss, value, flat, loss.noise))
    places = tuple(tuple(map(int, np.unravel_index(k, value.shape))) for k in flat.tolist())
    for place, slope in zip(places, slopes, strict=True):
        if slope.status == KINK and len(notes) < SHOWN:
            kinks = kinks_near(differentiated, source, place)
            notes += [f"kink: {kink}" for kink in kinks[:1] if f"kink: {kink}" not in notes]
    gradient = differentiated.swept.gradients[source]
    automatic = np.zeros(value.shape) if gradient is None else np.asarray(gradient)
    return Derivative(
        of=twin.label(target) + said,
        by=twin.label(source),
        shape=value.shape,
        elements=places,
        slopes=slopes,
        automatic=automatic,
        notes=tuple(notes),
    )


def _seed(trace: Trace, target: int, at: Any, cotangent: Any) -> tuple[Array, str]:
    """The cotangent with which a derivative begins, and how it is written behind the name of what is differentiated."""
    sizes, label = np.shape(trace.value(target)), trace.label(target)
    if at is not None and cotangent is not None:
        raise CheckError("certify: at= and cotangent= were both given\n  try: one of them")
    if cotangent is not None:
        seed = np.asarray(cotangent, np.float64)
        if seed.shape != sizes:
            raise CheckError(
                f"certify: cotangent has shape {seed.shape}, but {label} has {sizes}\n"
                f"  try: an array of shape {sizes}"
            )
        return seed[()], "" if not sizes else " · cotangent"
    if at is None:
        if math.prod(sizes) == 1:
            return np.ones(sizes)[()], ""
        if target == trace.loss and trace.seed is not None:
            return trace.seed, " · seed"
        raise CheckError(
            f"certify: {label} has {shape(sizes)} elements, and a derivative is of one number\n"
            f"  try: at={tuple(0 for _ in sizes)}, an element; or cotangent=, an array of shape {sizes}"
        )
    place = _flat(sizes, [at], label)
    seed = np.zeros(sizes)
    seed.reshape(-1)[place] = 1
    index = ", ".join(str(int(k)) for k in np.unravel_index(int(place[0]), sizes))
    return seed[()], f"[{index}]" if sizes else ""


def _flat(sizes: tuple[int, ...], elements: Any, label: str) -> Array:
    """Elements, given by index or by flat number, as flat numbers; all of them for None."""
    if elements is None:
        return np.arange(math.prod(sizes))
    found = []
    for element in elements:
        try:
            if isinstance(element, tuple):
                index = [k + n if k < 0 else k for k, n in zip(element, sizes, strict=True)]
                found.append(int(np.ravel_multi_index(index, sizes)))
            else:
                found.append(range(math.prod(sizes))[element])
        except (ValueError, TypeError, IndexError):
            raise CheckError(
                f"certify: {label}, of shape {sizes}, has no element {element!r}\n"
                f"  try: an index such as {tuple(0 for _ in sizes)}, or a number below {math.prod(sizes)}"
            ) from None
    return np.array(found, np.intp)
