"""What a faster form of a primitive is: the rule stays the definition, and a generated test holds the two together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Array = Any


class Acceleration(NamedTuple):
    """A primitive computed by other kernels, for arrays that fit: the same numbers within `ulps`."""

    fits: Callable[[Sequence[Any], Mapping[str, Any]], bool]
    """Whether inputs and parameters are such that the kernels take them; must cost next to nothing."""
    kernel: Callable[..., Any]
    """As the primitive's own: `(*inputs, **params)` to the value, and to what it saves if it saves anything."""
    pull: Callable[..., list[Any]]
    """`(g, out, inputs, wanted, params, saved)` to the cotangent of every wanted input, None for the others."""
    ulps: int
    """How far value and cotangents may lie from the definition's, in ulps of the largest element."""
