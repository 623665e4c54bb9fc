"""The arguments of a call by name, so that it is the same whether they are given by position or by keyword."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracer.checking.derivations.refusals import RefusedError

Given = Mapping[str, Any]
"""The arguments of a call, by name."""


def bound(
    name: str, signature: str, args: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by the names of its parameters.

    signature: the parameters in their order; a dot is one that a derivation cannot give, such as `out`. `*x` takes all
    that follow, and what comes behind a bar goes by keyword only. Raises `RefusedError` for whatever does not fit.

    >>> bound("sum", "a axis dtype . keepdims", ([1], 0), {"keepdims": True})
    {'a': [1], 'axis': 0, 'keepdims': True}
    >>> bound("outer", "a b", (1, 2, 3), {})
    Traceback (most recent call last):
    tracer.checking.derivations.refusals.RefusedError: np.outer takes a, b here
    """
    by_place, _, by_name = signature.partition("|")
    places = by_place.split()
    names = [word for word in (*places, *by_name.split()) if word[0] not in ".*"]
    found: dict[str, Any] = {}
    for k, value in enumerate(args):
        place = places[min(k, len(places) - 1)]
        if place.startswith("*"):
            found[place[1:]] = tuple(args[k:])
            break
        if k >= len(places) or place == ".":
            raise _unfit(name, places, names)
        found[place] = value
    for key, value in keywords.items():
        if key not in names or key in found:
            raise _unfit(name, places, names)
        found[key] = value
    return found


def _unfit(name: str, places: Sequence[str], names: Sequence[str]) -> RefusedError:
    if "axis" in names and "keepdims" in names:
        return RefusedError(f"np.{name} takes {', '.join(names)} here", "axis=0, keepdims=True")
    first = ", ".join(places[: places.index(".") if "." in places else None])
    takes = ", ".join(names) or "arrays alone"
    return RefusedError(f"np.{name} takes {takes} here", f"np.{name}({first})")
