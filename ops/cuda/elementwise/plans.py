"""What is launched for an elementwise operation: decided by the shapes and types of its arguments alone, and kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.elementwise.broadcasting import (
    SMALL_LIST,
    Layout,
    Shape,
    by_columns,
    by_rows,
    layout_of,
)
from ops.cuda.elementwise.kernels import Form, Made, Operand, made
from ops.cuda.elementwise.text import UNROLLED
from ops.cuda.elementwise.types import typed_operands
from ops.cuda.kernel import NOTHING, Launch
from ops.primitive import NUMBERS, Primitive


class Step(NamedTuple):
    """One launch, for arguments of certain shapes and types."""

    made: Made
    launch: Launch
    options: Mapping[str, Any]
    sizes: tuple[int, ...]
    """The first arguments of the kernel."""
    shapes: tuple[Shape | None, ...]
    """As what the kernel sees each thing that it takes; None for a Python number."""
    results: tuple[Shape, ...]
    """As what it sees each of its results: of a flow that it sums, what the blocks contribute."""


class Plan(NamedTuple):
    """What is launched for arguments of certain shapes and types."""

    dtype: np.dtype[Any]
    """That the kernels are built for."""
    shape: Shape
    steps: tuple[Step, ...]
    number: type[int] | type[float]
    """What Python's numbers become."""


_PLANS: dict[Any, Plan | None] = {}


def plan_of(
    op: Primitive,
    inputs: Sequence[Any],
    wanted: tuple[bool, ...] | None,
    params: Mapping[str, Any],
) -> Plan | None:
    """What to launch for the value of an operation (`wanted` None), or for its flows; None if it does not fit."""
    key = (
        op,
        wanted,
        repr(params) if params else "",
        *[
            (x if type(x) is bool else None, type(x))
            if type(x) in NUMBERS
            else (x.shape, x.dtype.char)
            for x in inputs
        ],
    )
    try:
        return _PLANS[key]
    except KeyError:
        found = _PLANS[key] = _planned(op, inputs, wanted, params)
        return found


def _planned(
    op: Primitive,
    inputs: Sequence[Any],
    wanted: tuple[bool, ...] | None,
    params: Mapping[str, Any],
) -> Plan | None:
    typed = typed_operands(op, inputs)
    if op.saves or op.variadic or typed is None:
        return None
    shapes = tuple(None if type(x) in NUMBERS else x.shape for x in inputs)
    try:
        shape = np.broadcast_shapes(*(x for x in shapes if x is not None))
    except ValueError:  # the host says what does not fit
        return None
    layout = layout_of(shape, shapes)
    if layout is None:
        return None
    if wanted is not None:
        wanted = tuple(
            wants and type(x) not in NUMBERS and (rule is not None or op.joint is not None)
            for x, wants, rule in zip(inputs, wanted, op.rules, strict=True)
        )
        if any(wants and x.dtype != typed.dtype for x, wants in zip(inputs, wanted, strict=True)):
            return None
    operands = tuple(
        Operand(str(x) if type(x) is bool else kind, type_, asked)
        for x, kind, (type_, asked) in zip(inputs, layout.kinds, typed.types, strict=True)
    )
    axes = len(layout.sizes)
    steps = []
    for walk, flowing in walks_of(layout.kinds, axes, wanted):
        form = Form(walk, operands, flowing, typed.integers, axes if walk == "strided" else 0)
        found = made(op, form, params)
        if found is None:
            return None
        steps.append(_step(found, form, layout))
    return Plan(typed.dtype, shape, tuple(steps), int if typed.integers else float)


def walks_of(
    kinds: Sequence[str], axes: int, wanted: tuple[bool, ...] | None
) -> Iterator[tuple[str, tuple[bool, ...] | None]]:
    """How to walk over the elements, and for which flows; sums over rows and over columns take a walk each.

    >>> list(walks_of(("r", "c"), 2, (True, True)))
    [('columns', (True, False)), ('rows', (False, True))]
    """
    most = "flat" if axes < 2 else "columns" if axes == 2 else "strided"
    if wanted is None:
        yield most, None
        return
    flowing = [kind if wants else "" for kind, wants in zip(kinds, wanted, strict=True)]
    if axes < 2 and "n" in flowing:
        most = "rows"
    elif axes == 2 and "c" in flowing:
        if "r" in flowing:
            yield "columns", tuple(kind not in ("", "c") for kind in flowing)
            flowing = [kind if kind == "c" else "" for kind in flowing]
        most = "rows"
    if any(flowing):
        yield most, tuple(kind != "" for kind in flowing)


def _step(found: Made, form: Form, layout: Layout) -> Step:
    """The launch of a kernel over a layout."""
    size = math.prod(layout.sizes)
    whole: Shape = (size,)
    sizes: Shape = ()
    options: Mapping[str, Any] = NOTHING
    tiles, splits = 0, 1
    if form.walk == "flat":
        threads = 32 if size <= SMALL_LIST else 256
        launch = Launch(max(1, math.ceil(size / (UNROLLED * threads))), threads)
    elif form.walk == "strided":
        inner = layout.sizes[-1]
        rows = size // max(inner, 1)
        lanes, width, splits = by_rows(rows, inner)
        launch = Launch(max(1, math.ceil(rows * splits / (lanes // width))), lanes)
        sizes, options = (*layout.sizes, splits), {"width": width}
    else:
        rows, columns = whole = (1, size) if len(layout.sizes) < 2 else layout.sizes
        lanes, width, splits = (by_columns if form.walk == "columns" else by_rows)(rows, columns)
        kept = (columns, width) if form.walk == "columns" else (rows, lanes // width)
        tiles = splits * math.ceil(kept[0] / kept[1])
        launch = Launch(max(1, tiles), lanes)
        sizes, options = (rows, columns, splits), {"lanes": lanes, "width": width}

    def seen(kind: str) -> Shape | None:
        if kind == "p":
            return None
        if kind in "fn":
            return whole if kind == "f" else (1,)
        mask = {"r": "01", "c": "10"}.get(kind, kind)
        kept = [size for size, moves in zip(layout.sizes, mask, strict=True) if moves == "1"]
        return (math.prod(kept),)

    def given(kind: str) -> Shape:
        if form.walk in ("flat", "strided") or kind == "f":
            return whole
        return (tiles, 1) if kind == "n" else (splits, *seen(kind))  # type: ignore[misc]

    shapes = [
        whole if type(key) is str else seen(form.operands[key].kind)  # type: ignore[index]
        for key in found.loads
    ]
    results = [whole if form.wanted is None else given(form.operands[k].kind) for k in found.stores]
    return Step(found, launch, options, sizes, tuple(shapes), tuple(results))
