"""Logic of masks, and questions about numbers: True or False, element by element. Not differentiable."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import elementwise
from ops.elementwise import pairs
from ops.formula import ADD, COMPARE, Formula, call, infix
from ops.primitive import Array

_RULELESS = "not differentiable."
_TRUTHS = "Numbers count as True unless they are 0"


def _of_two(name: str, ufunc: Any, text: str, tex: str, doc: str) -> Any:
    def kernel(x: Array, y: Array) -> Array:
        return ufunc(x, y)

    kernel.__doc__ = f"{doc} {_TRUTHS}; {_RULELESS}"
    kernel.__qualname__ = name
    declare = elementwise(
        kernel=ufunc,
        name=name,
        formula=infix(text, tex, COMPARE, needs=(ADD, ADD)),
        samples=pairs(
            (np.array([True, True, False, False]), np.array([True, False, True, False])),
            (np.array([0.0, 2.0, np.nan]), np.array([1.0, 0.0, 0.0])),
        ),
    )
    return declare(kernel)


logical_and = _of_two("logical_and", np.logical_and, "∧", r"\land", "Whether both hold, `x & y`.")
logical_or = _of_two("logical_or", np.logical_or, "∨", r"\lor", "Whether one holds, `x | y`.")
logical_xor = _of_two(
    "logical_xor", np.logical_xor, "⊻", r"\veebar", "Whether just one holds, `x ^ y`."
)


def _of_one(name: str, ufunc: Any, formula: Formula, doc: str) -> Any:
    def kernel(x: Array) -> Array:
        return ufunc(x)

    kernel.__doc__ = f"{doc}; {_RULELESS}"
    kernel.__qualname__ = name
    declare = elementwise(
        kernel=ufunc,
        name=name,
        formula=formula,
        samples=lambda rng: [
            (np.array([[0.0, -1.0, 2.5], [np.nan, np.inf, -np.inf]]),),
            (np.float64(0.0),),
            (np.empty((0, 2)),),
            (np.array([True, False]),),
        ],
    )
    return declare(kernel)


logical_not = _of_one(
    "logical_not",
    np.logical_not,
    Formula("¬{x}", r"\lnot {x}", needs=(ADD,), symbol="¬"),
    "Whether it does not hold, `~x`: of a number, whether it is 0",
)
isnan = _of_one(
    "isnan", np.isnan, call("isnan", r"\operatorname{isnan}"), "Whether x is not a number"
)
isinf = _of_one(
    "isinf", np.isinf, call("isinf", r"\operatorname{isinf}"), "Whether x is infinite, of any sign"
)
isfinite = _of_one(
    "isfinite",
    np.isfinite,
    call("isfinite", r"\operatorname{isfinite}"),
    "Whether x is neither infinite nor NaN",
)
