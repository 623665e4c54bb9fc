"""How far each element lies from a kink of its operation: the table of all operations that have one.

An entry is `(arguments, parameters, value)` to margins: arrays whose zeros are the kinks. Operations that are not in
the table are smooth wherever they are finite; a generated test holds the table against certified numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.axes import merged

from .certificate import INFINITE, JUMP, KINK

Array = Any
"""A numpy array or numpy scalar."""


class Margin(NamedTuple):
    """How far values lie from a kink, and the values: float arrays of one shape."""

    lead: Array
    value: Array
    kind: str = KINK


Rule = Callable[[Sequence[Any], Mapping[str, Any], Array], list[Margin]]


def _at(lead: Any, value: Any, kind: str = KINK) -> Margin:
    lead, value = np.broadcast_arrays(np.asarray(lead, np.float64), np.asarray(value, np.float64))
    return Margin(lead, value, kind)


def _edges(*edges: float, kind: str = KINK) -> Rule:
    """Kinks where x equals one of some numbers."""
    return lambda args, params, out: [_at(args[0] - edge, args[0], kind) for edge in edges]


def _difference(kind: str = KINK) -> Rule:
    """A kink where two arguments are equal."""
    return lambda args, params, out: [
        _at(np.subtract(args[0], args[1], dtype=np.float64), args[0], kind)
    ]


def _unless_smooth(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    """0, unless the slopes of an elu are equal there."""
    return [] if params["alpha"] == 1 else [_at(args[0], args[0])]


def _result(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    """Where the result is 0."""
    return [_at(out, out)]


def _gap(line: Array, *, smallest: bool = False, kind: str = KINK) -> Margin:
    """The lead of the largest over the next, along the last axis."""
    line = np.asarray(line, np.float64)
    line = -line if smallest else line
    if line.shape[-1] < 2:
        return _at(np.empty(0), np.empty(0))
    top = np.sort(line, axis=-1)[..., -2:]
    value = top[..., 1]
    return Margin(value - top[..., 0], -value if smallest else value, kind)


def _of_axis(*, smallest: bool = False, kind: str = KINK) -> Rule:
    """Ties of an extreme along axes; the index is that of the result without the axes."""
    return lambda args, params, out: [_gap(_line(args[0], params), smallest=smallest, kind=kind)]


def _line(x: Array, params: Mapping[str, Any]) -> Array:
    return merged(np.atleast_1d(x), params.get("axis"))


def _sorted(kind: str) -> Rule:
    """Neighbours in order that are equal."""

    def rule(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
        line = np.sort(np.asarray(_line(args[0], params), np.float64), axis=-1)
        return [Margin(np.diff(line, axis=-1), line[..., 1:], kind)]

    return rule


def _median(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    line = np.sort(np.asarray(_line(args[0], params), np.float64), axis=-1)
    size = line.shape[-1]
    low, high = (size - 1) // 2, size // 2
    return [
        Margin(line[..., k + 1] - line[..., k], line[..., k])
        for k in {low - 1, high}
        if 0 <= k < size - 1
    ]


def _clip(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    x, *bounds = args
    given = [b for b in bounds if not (isinstance(b, float) and math.isinf(b))]
    return [_at(np.subtract(x, b), x) for b in given]


def _maxout(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    x = np.moveaxis(args[0], params["axis"], -1)
    gap = _gap(x.reshape(*x.shape[:-1], -1, params["pieces"]))
    if not gap.lead.size:
        return [gap]
    return [Margin(*(np.moveaxis(each, -1, params["axis"]) for each in gap[:2]))]


def _pooled(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    """The lead in every window, from its columns as the parts of a pooling see them."""
    from ops.pooling import pool_windows
    from ops.windows import unfold

    x = np.asarray(args[0], np.float64)
    at = pool_windows(x.shape[2:], **params)
    columns = unfold(x, fill=-math.inf, **at.params)
    shape = (*x.shape[:2], math.prod(at.kernel), *at.counts)
    return [_gap(np.moveaxis(columns.reshape(shape), 2, -1))]


def _norm(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    x, order = args[0], params["ord"]
    if order in (None, 2, "fro"):
        return [_at(out, out)]
    if abs(order) == math.inf:
        gap = _gap(_line(abs(np.asarray(x)), params), smallest=order < 0)
        return [gap, _at(x, x)]
    return [_at(x, x)] if order <= 1 else [_at(out, out)]


def _pow(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    """x = 0, where the exponent is below 2 and no whole number."""
    x, y = (np.asarray(a, np.float64) for a in args)
    rough = (y < 2) & (y != np.floor(y))
    return [_at(np.where(rough, x, np.nan), x)]


def _floor(shift: float) -> Rule:
    """The distance from the next whole number, or from the next half."""

    def rule(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
        scale = 10.0 ** params.get("decimals", 0)
        x = np.asarray(args[0], np.float64)
        lead = x * scale + shift
        return [_at((lead - np.round(lead)) / scale, x, JUMP)]

    return rule


def _trunc(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    x = np.asarray(args[0], np.float64)
    return [_at(np.where(np.round(x) == 0, np.nan, x - np.round(x)), x, JUMP)]


def _where_target(name: str, value: float) -> Rule:
    """A loss with straight pieces, but for one value of a parameter only."""

    def rule(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
        return _difference()(args, params, out) if params[name] == value else []

    return rule


def _hinge(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    product = np.multiply(args[0], args[1], dtype=np.float64)
    return [_at(params["margin"] - product, args[0])]


def _cell(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    """The sums before the relu of a recurrent cell, which a cell with tanh has not."""
    if params["nonlinearity"] != "relu":
        return []
    from ops.timesteps import gate_sums

    x, h, w_ih, w_hh, b_ih, b_hh = args
    z = gate_sums(x, h, w_ih.T, w_hh.T, b_ih, b_hh)
    return [_at(z, z)]


def _layer(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    """The same at every time step, from the states that went in."""
    if params["nonlinearity"] != "relu":
        return []
    x, h0, *rest = args
    first = np.broadcast_to(np.asarray(h0, out.dtype), out.shape[1:])[None]
    before = [out[1:], first] if params["reverse"] else [first, out[:-1]]
    return _cell([x, np.concatenate(before), *rest], params, out)


def _cosine(args: Sequence[Any], params: Mapping[str, Any], out: Array) -> list[Margin]:
    """A length of eps, below which it counts as constant."""
    found = []
    x, y = np.broadcast_arrays(*args[:2])
    for each in (x, y):
        length = np.sqrt(np.sum(np.square(each), axis=params["axis"]))
        found.append(_at(length - params["eps"], length))
    return found


MARGINS: dict[str, Rule] = {
    **dict.fromkeys(("relu", "leaky_relu", "prelu", "selu", "abs"), _edges(0)),
    **dict.fromkeys(("elu", "celu"), _unless_smooth),
    "relu6": _edges(0, 6),
    "hard_sigmoid": _edges(-3, 3),
    "hard_tanh": lambda args, params, out: _edges(params["low"], params["high"])(args, params, out),
    "clip": _clip,
    **dict.fromkeys(("maximum", "minimum", "l1_loss"), _difference()),
    "smooth_l1_loss": _where_target("beta", 0),
    "hinge_loss": _hinge,
    "max": _of_axis(),
    "min": _of_axis(smallest=True),
    "argmax": _of_axis(kind=JUMP),
    "argmin": _of_axis(smallest=True, kind=JUMP),
    "maxout": _maxout,
    **dict.fromkeys(("max_pool1d", "max_pool2d"), _pooled),
    "sort": _sorted(KINK),
    "argsort": _sorted(JUMP),
    "median": _median,
    "norm": _norm,
    "cosine_similarity": _cosine,
    **dict.fromkeys(("std", "hypot"), _result),
    "rnn_cell": _cell,
    "rnn_layer": _layer,
    **dict.fromkeys(("sign", "det_sign"), _edges(0, kind=JUMP)),
    **dict.fromkeys(("floor", "ceil"), _floor(0.0)),
    "trunc": _trunc,
    "round": _floor(0.5),
    **dict.fromkeys(
        ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"), _difference(JUMP)
    ),
    **dict.fromkeys(("sqrt", "cbrt"), _edges(0, kind=INFINITE)),
    "pow": _pow,
}
"""The margins of every operation that has kinks, jumps or infinite slopes at finite values."""
