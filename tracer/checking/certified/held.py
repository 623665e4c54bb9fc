"""Operations with straight pieces, held on the piece on which they were recorded: relu(z) is z there, or it is 0.

The derivative at a point is that of the piece on which the point lies, however close the next one begins. On a batch of
a thousand samples hundreds of kinks lie within any step that can be seen, and differences that reach over them tend to
a number that is nearly right; the function held on its pieces has none. What is held is the forward only, by a formula
of its own: the rules, which are what is judged, have no part in it.

An element that lies at a kink itself, or so close that rounding decides the side, is not held: there the kink shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Primitive
from tracer.cones import NotAnalyticError
from tracer.lanes import ANALYTIC, Run, run_lanes

from .branches import CONSTANT, ELEMENTWISE, GATHERED, HELD
from .margins import MARGINS, Margin

Array = Any
"""A numpy array or numpy scalar."""

Piece = Callable[[Run], Array]
"""The value of an operation in every lane, by the piece on which it was recorded: (lanes, *shape)."""

Shaken = tuple[Sequence[Any], Array]
"""The arguments and the value of an operation when everything was moved by rounding."""

GRAIN = 2.0**-44
"""A margin so small beside the largest value of its array is a kink met, or rounding away from one."""
FARTHER = 16.0
"""How much further than in a few draws rounding may move a margin."""
SAME = 1e-12
"""How near a piece must come to the number recorded, relative to the number."""


def piece_of(
    op: Primitive,
    args: Sequence[Any],
    params: Mapping[str, Any],
    out: Array,
    shaken: Sequence[Shaken] = (),
) -> Piece | None:
    """An operation on the piece on which it gave `out`; None if it has none, or lies at a kink as a whole.

    Elements at a kink are those of the operation itself. shaken: what it was given and gave when all was moved by
    rounding, where that is more than the rounding of float64: what may then lie on the other side is at the kink.

    >>> from ops import PRIMITIVES
    >>> relu, x = PRIMITIVES["relu"], np.array([1e-9, -1e-9, 0.0])
    >>> held = piece_of(relu, [x], {}, relu.run([x], {})[0])
    >>> held(Run(relu, [np.array([[-2.0, 2.0, 2.0]])], [True], {}, 1, (3,)))
    array([[-2.,  0.,  2.]])
    """
    if op.name not in HELD or not op.home.startswith("ops.") or not np.size(out):
        return None
    with np.errstate(all="ignore"):
        at_kink = _at_kink(_close(op, args, params, out, shaken), out)
        if at_kink is None:
            return None
        held = _formula(op, args, params, out)
        here = held(Run(op, _as_lane(args), [_is_array(x) for x in args], params, 1, np.shape(out)))
        if not np.allclose(here[0], out, rtol=SAME, atol=0.0, equal_nan=True):
            return None
        if not at_kink.met.any():
            return held
        return _but_at_kinks(held, at_kink.met, _onto(op, args, params, at_kink))


def _formula(op: Primitive, args: Sequence[Any], params: Mapping[str, Any], out: Array) -> Piece:
    if op.name in CONSTANT:
        return lambda run: np.broadcast_to(out, (run.lanes, *run.shape))
    if op.name in GATHERED:
        places = [np.ravel(each) for each in GATHERED[op.name](args[0], **params)]

        def gathered(run: Run) -> Array:
            flat = run.args[0].reshape(run.lanes, -1)
            first, *rest = (flat[:, each] for each in places)
            value = (first + rest[0]) / 2 if rest else first
            return value.reshape(run.lanes, *run.shape)

        return gathered
    formula = ELEMENTWISE[op.name](*args, **params)

    def elementwise(run: Run) -> Array:
        aligned = (run.aligned(k, len(run.shape)) for k in range(len(run.args)))
        return np.broadcast_to(formula(*aligned), (run.lanes, *run.shape))

    return elementwise


def _but_at_kinks(held: Piece, met: Array, off: Array) -> Piece:
    """Held, but for the elements that lie at a kink, which are those of the operation, moved onto it."""

    def piece(run: Run) -> Array:
        imaginary = any(getattr(x, "dtype", None) == np.complex128 for x in run.args)
        rank = len(run.shape) if run.op.elementwise else run.rank(0)
        laned = [True, *run.laned[1:]]
        first = (run.aligned(0, rank) if run.laned[0] else run.spread(0)) - off
        own = None
        if not imaginary or run.op.name in ANALYTIC:
            own = run_lanes(run._replace(args=[first, *run.args[1:]], laned=laned))
        if own is None:
            raise NotAnalyticError(run.op.name)
        return np.where(met, own, held(run))

    return piece


def _onto(op: Primitive, args: Sequence[Any], params: Mapping[str, Any], at: AtKink) -> Array:
    """What the first argument must lose so that what is as good as at a kink lies on it, whatever rounding did."""
    if op.name not in GATHERED:
        return at.lead
    off = np.zeros(np.size(args[0]))
    places = GATHERED[op.name](args[0], **params)
    if len(places) == 1 and places[0].size == at.met.size:
        sign = -1.0 if op.name == "min" else 1.0
        off[np.ravel(places[0])[np.ravel(at.met)]] = sign * at.lead[at.met]
    return off.reshape(np.shape(args[0]))


def _close(
    op: Primitive,
    args: Sequence[Any],
    params: Mapping[str, Any],
    out: Array,
    shaken: Sequence[Shaken],
) -> list[tuple[Margin, Array]]:
    """The margins of an operation, and which of their elements lie at the kink."""
    rule = MARGINS.get(op.name)
    if rule is None:
        return []
    margins = rule(args, params, out)
    others = [rule(given, params, value) for given, value in shaken]
    found = []
    for n, margin in enumerate(margins):
        moves = [np.abs(other[n].lead - margin.lead) for other in others]
        moved = FARTHER * np.max(moves, axis=0) if moves and margin.lead.size else 0.0
        found.append((margin, near_zero(margin, moved)))
    return found


def near_zero(margin: Margin, moved: Array | float = 0.0) -> Array:
    """Which elements of a margin lie at the kink itself, but for rounding; bool of its shape.

    moved: how far rounding may move them, where that is known.
    """
    sizes = abs(margin.value)
    size = float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
    return np.asarray(~(abs(margin.lead) > np.maximum(GRAIN * size, moved)))


class AtKink(NamedTuple):
    """Which elements of a value lie at a kink, and how far from it, 0 for all others; both of the value's shape."""

    met: Array
    lead: Array


def _at_kink(margins: Sequence[tuple[Margin, Array]], out: Array) -> AtKink | None:
    """Which elements of a value lie at a kink; None where one does, and it is no matter of single elements."""
    met, lead = np.zeros(np.shape(out), np.bool_), np.zeros(np.shape(out))
    for margin, close in margins:
        if not close.any():
            continue
        try:
            same = close.size == met.size
            here, away = (
                x.reshape(met.shape) if same else np.broadcast_to(x, met.shape)
                for x in (close, margin.lead)
            )
        except ValueError:
            return None
        met |= here
        lead = np.where(here & np.isfinite(away), away, lead)
    return AtKink(met, lead)


def _is_array(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.generic))


def _as_lane(args: Sequence[Any]) -> list[Any]:
    return [np.asarray(x)[None] if _is_array(x) else x for x in args]
