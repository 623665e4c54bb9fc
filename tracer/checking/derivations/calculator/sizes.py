"""How large the result of an operation will be and how long it takes, asked before it runs.

So nothing exhausts the memory, and no call runs for long: that could not be interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ops import Primitive
from tracer.checking.derivations.refusals import RefusedError

from .binding import bound
from .costs import OURS, RULES, elementwise
from .limits import LARGEST, MOST_WORK, STEP, Cost, listed_in, numbers_in
from .picking import picked
from .products import matmul

LISTED = 60
"""The work of an entry of a list that becomes an array."""
OPERATORS = {"**": 50, "%": 50, "//": 50}
"""The work of an operator for each element, where it is more than that of a product."""


def afford(
    name: str,
    args: Sequence[Any],
    keywords: Mapping[str, Any] | None = None,
    function: Callable[..., Any] | None = None,
) -> Cost:
    """What a call of the function of that name will take; of a method the first argument is its array.

    Raises `RefusedError` if it is too much for one call, and for arguments that cannot be given.

    >>> afford("outer", (np.zeros(10**3), np.zeros(10**4))).elements
    10000000
    >>> afford("outer", (np.zeros(10**5), np.zeros(10**5)))
    Traceback (most recent call last):
    tracer.checking.derivations.refusals.RefusedError: outer would make an array of 10000000000 elements
    """
    if name not in RULES and not isinstance(function, Primitive):
        raise RefusedError(f"{name} is not on the list of functions", "np.sqrt, np.exp, x.sum(0)")
    rule, signature = OURS if isinstance(function, Primitive) else RULES[name]
    given = bound(name, signature, args, keywords or {})
    listed = sum(map(listed_in, given.values()))
    allowed(name, Cost(listed, LISTED * listed))
    try:
        cost = rule(given)
    except KeyError as missing:
        raise RefusedError(
            f"np.{name} cannot be computed without {missing.args[0]}", "all that it needs"
        ) from None
    except (ValueError, TypeError, IndexError, OverflowError, RuntimeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RefusedError(
            f"np.{name} cannot be computed: {said}", "arguments as numpy takes them"
        ) from None
    allowed(name, cost)
    return Cost(cost.elements + listed, STEP + cost.work + LISTED * listed)


def operated(sign: str, a: Any, b: Any) -> Cost:
    """What an operator makes of two operands, if it is not too much."""
    cost = matmul({"x1": a, "x2": b}) if sign == "@" else elementwise(OPERATORS.get(sign, 10), a, b)
    return allowed(sign, Cost(cost.elements, STEP + cost.work))


def indexed(array: Any, index: Any) -> Cost:
    """What an index picks out of an array, if it is not too much.

    >>> indexed(np.zeros((1, 10**6)), [0] * 10**5)
    Traceback (most recent call last):
    tracer.checking.derivations.refusals.RefusedError: [] would make an array of 100000000000 elements
    """
    parts = index if isinstance(index, tuple) else (index,)
    listed = sum(numbers_in(part) for part in parts if isinstance(part, (list, tuple, dict)))
    allowed("[]", Cost(listed, LISTED * listed))
    try:
        cost = picked(array, index)
    except (ValueError, TypeError, OverflowError):
        return Cost(int(np.size(array)), STEP)  # numpy says so, and makes nothing
    allowed("[]", cost)
    return Cost(cost.elements + listed, cost.work + LISTED * listed)


def allowed(name: str, cost: Cost) -> Cost:
    """The cost of one operation, if it is not too much."""
    if cost.elements > LARGEST:
        raise RefusedError(
            f"{name} would make an array of {cost.elements} elements",
            f"lines that make at most {LARGEST} elements",
        )
    if cost.work > MOST_WORK:
        raise RefusedError(
            f"{name} would take about {cost.work / 10**9:.2g} s", "smaller arrays, or less of them"
        )
    return cost
