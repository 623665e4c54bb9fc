"""Trials of generated kernels: inputs from the domain of the operation, results by its numpy kernel and its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ops.cuda.elementwise.writer import QUESTIONS
from ops.cuda.kernel import NOTHING, Trial
from ops.kernels.loops import flows_of
from ops.primitive import Primitive

if TYPE_CHECKING:
    from ops.cuda.elementwise.kernels import Form

Trials = Callable[[np.random.Generator, Any], Iterable[Trial]]


class Tried(NamedTuple):
    """A generated kernel, as its trials have to know it."""

    op: Primitive
    form: Form
    params: Mapping[str, Any]
    loads: tuple[int | str, ...]
    """The inputs by number that it takes, and `g` and `out`."""
    stores: tuple[int, ...]
    """The inputs whose flows it gives."""


FULL = frozenset("add mul div where gelu exp tanh sigmoid relu maximum greater prelu".split())
"""The operations whose kernels are tried on every size."""

SIZES = (0, 1, 31, 32, 33, 100)
ODD = 145
"""More than 32 threads load at a time, so that the unrolled part runs, and a rest."""

MATRICES = ((5, 3, 1), (0, 3, 1), (1, 33, 1), (38, 9, 3))
"""Rows, columns and splits: of one tile, of none, of a row, and of several tiles a block."""

LANES = {"lanes": 32, "width": 4}
"""Small tiles: the interpreter runs every lane."""

BOXES: Mapping[int, Sequence[tuple[tuple[int, ...], int]]] = {
    3: (((2, 3, 7), 1), ((3, 0, 2), 1), ((2, 2, 47), 3)),
    4: (((2, 3, 2, 5), 1), ((2, 1, 2, 33), 1)),
}
"""Sizes of the axes, and splits."""


def trials_of(tried: Tried) -> Trials:
    """The trials of a kernel."""

    def trials(rng: np.random.Generator, dtype: Any) -> Iterable[Trial]:
        walk, several = tried.form.walk, tried.op.name in FULL
        if walk == "flat":
            for size in (*SIZES, ODD) if several else (ODD,):
                yield _trial(tried, rng, dtype, (size,))
        elif walk == "strided":
            for shape, splits in BOXES[tried.form.axes]:
                yield _trial(tried, rng, dtype, shape, splits)
        else:
            for rows, columns, splits in MATRICES if several else MATRICES[-1:]:
                yield _trial(tried, rng, dtype, (rows, columns), splits)

    return trials


def _trial(
    tried: Tried, rng: np.random.Generator, dtype: Any, shape: tuple[int, ...], splits: int = 1
) -> Trial:
    op, form, params, loads, stores = tried
    inputs = _inputs(op, form, rng, dtype, shape)
    wide = [np.float64(x) if np.asarray(x).dtype.kind == "f" else x for x in inputs]
    value = np.broadcast_to(op.run(wide, params)[0], shape)
    options = {"flat": NOTHING, "strided": {"width": LANES["width"]}}.get(form.walk, LANES)
    sizes = () if form.walk == "flat" else (*shape, splits)
    taken: dict[int | str, Any] = dict(enumerate(inputs))
    if form.wanted is None:
        results = [value]
    else:
        g, out = rng.normal(size=shape).astype(dtype), value.astype(dtype)
        flows = flows_of(op, np.float64(g), np.float64(out), wide, form.wanted, params)
        results = [_gathered(np.broadcast_to(flows[k], shape), form, k, splits) for k in stores]
        taken |= {"g": g, "out": out}
    full = [_seen(form, "f", np.array(x)) for x in results]
    given = [
        _seen(form, "f" if type(key) is str else form.operands[int(key)].kind, taken[key])
        for key in loads
    ]
    first = len(sizes) + len(given)
    return Trial(
        (*sizes, *given, *(_unwritten(x, dtype) for x in full)),
        {first + k: x for k, x in enumerate(full)},
        options,
        " x ".join(map(str, shape)),
    )


def _unwritten(result: Any, dtype: Any) -> Any:
    """What a result holds before the kernel runs."""
    kind = result.dtype.kind
    return (
        np.full(result.shape, np.nan, dtype) if kind == "f" else np.full_like(result, kind == "i")
    )


def _seen(form: Form, kind: str, x: Any) -> Any:
    """An array as a kernel takes it: a full one as the walk goes, a row, a column or a number as a list."""
    if not isinstance(x, np.ndarray):
        return x
    return x if kind == "f" and form.walk in ("columns", "rows") else np.ravel(x)


def _inputs(
    op: Primitive, form: Form, rng: np.random.Generator, dtype: Any, shape: tuple[int, ...]
) -> list[Any]:
    """Arguments that broadcast to a shape as the form says, with elements as in the samples of the operation."""
    found: list[Any] = []
    for k, operand in enumerate(form.operands):
        size = _shape_of(operand.kind, shape)
        if operand.kind in ("True", "False"):
            found.append(operand.kind == "True")
        elif operand.type == "b1":
            found.append(rng.random(size) < 0.5)
        elif operand.type == "i8":
            found.append(rng.integers(-2, 3, size))
        else:
            x = rng.choice(_pool(op, k), size).astype(dtype)
            found.append(x if operand.kind != "p" else x.item())
    return found


def _shape_of(kind: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    if kind in "np":
        return (1,) if kind == "n" else ()
    mask = {"f": "1" * len(shape), "r": "01", "c": "10"}.get(kind, kind)
    return tuple(size if moves == "1" else 1 for size, moves in zip(shape, mask, strict=True))


def _pool(op: Primitive, k: int) -> Any:
    """Numbers for an input: those of the first sample, of a question those of all."""
    samples = op.samples(np.random.default_rng(0))
    chosen = samples if op.name in QUESTIONS else samples[:1]
    found = [np.ravel(np.float64(sample.args[k])) for sample in chosen if k < len(sample.args)]
    return np.concatenate(found) if found else np.linspace(-2.0, 2.0, 41)


def _gathered(flow: Any, form: Form, k: int, splits: int) -> Any:
    """What the blocks contribute to the flow of an input: sums of its tiles, one after another."""
    kind = form.operands[k].kind
    if form.walk not in ("columns", "rows") or kind == "f":
        return flow
    along = 0 if form.walk == "columns" else 1
    lanes, width = LANES["lanes"], LANES["width"]
    kept = width if form.walk == "columns" else lanes // width
    edges = [s * flow.shape[along] // splits for s in range(splits + 1)]
    parts = [flow.take(range(a, b), axis=along).sum(axis=along) for a, b in pairwise(edges)]
    if kind != "n":
        return np.array(parts)
    tiles = [part[a : a + kept].sum() for part in parts for a in range(0, len(part), kept)]
    return np.array(tiles).reshape(-1, 1)


def partial_trials(rng: np.random.Generator, dtype: Any) -> Iterable[Trial]:
    """Partial sums of several sizes."""
    for splits, columns in ((1, 1), (33, 1), (5, 31), (31, 5), (0, 3)):
        x = rng.normal(size=(splits, columns)).astype(dtype)
        expected = {4: np.float64(x).sum(axis=0, keepdims=True)}
        what = f"{splits} x {columns}"
        yield Trial(
            (splits, columns, 1, x, np.full((1, columns), np.nan, dtype)), expected, LANES, what
        )
