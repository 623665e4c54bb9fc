"""How Python values stand in the JSON of a trace file: parameters, Python numbers, what guards saw, and meta.

None, truths, strings, finite floats and integers of 64 bits stand as they are. All else is an object with one key that
names its kind, `{"slice": [0, null, 2]}`, so that nothing is guessed and nothing but these kinds can be made.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from ops.shape import Slot
from tracer.archive import DamageError

DTYPES = tuple(
    np.dtype(kind)
    for kind in ("<f8", "<f4", "|b1", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1")
)
"""The kinds of elements that a trace file may hold; a tensor names its kind by its place in this list."""
CODES = {dtype.name: code for code, dtype in enumerate(DTYPES)}


class UnwritableError(TypeError):
    """A value that has no form in a trace file."""


def encoded(value: Any) -> Any:
    """A value as JSON. Raises `UnwritableError` for a kind that is not listed.

    >>> encoded((slice(None), Slot(0), float("inf")))
    {'tuple': [{'slice': [None, None, None]}, {'slot': 0}, {'float': '000000000000f07f'}]}
    """
    match value:
        case None | bool() | str() if type(value) in (type(None), bool, str):
            return value
        case np.generic() if value.dtype.name in CODES:
            little = np.asarray(value, DTYPES[CODES[value.dtype.name]])
            return {"number": [value.dtype.name, little.tobytes().hex()]}
        case float() if type(value) is float:
            return value if math.isfinite(value) else {"float": struct.pack("<d", value).hex()}
        case int() if type(value) is int:
            return value if -(2**63) <= value < 2**63 else {"int": hex(value)}
        case Slot():  # a tuple too
            return {"slot": value.number}
        case tuple():
            return {"tuple": [encoded(each) for each in value]}
        case list():
            return {"list": [encoded(each) for each in value]}
        case slice():
            return {"slice": [encoded(each) for each in (value.start, value.stop, value.step)]}
        case dict() if all(type(key) is str for key in value):
            return {"dict": {key: encoded(each) for key, each in value.items()}}
    if value is Ellipsis:
        return {"ellipsis": None}
    raise UnwritableError(f"a {type(value).__name__}")


def decoded(form: Any) -> Any:
    """The value that a JSON form stands for. Raises `DamageError` for a form that `encoded` does not write.

    >>> decoded(encoded((1, ..., {"eps": 1e-5})))
    (1, Ellipsis, {'eps': 1e-05})
    """
    if form is None or isinstance(form, (bool, int, float, str)):
        return form
    if not isinstance(form, dict) or len(form) != 1:
        raise DamageError("a value in it has no known form")
    ((kind, inner),) = form.items()
    try:
        match kind, inner:
            case "number", [str() as name, str() as digits]:
                return np.frombuffer(bytes.fromhex(digits), DTYPES[CODES[name]]).reshape(())[()]
            case "float", str():
                return struct.unpack("<d", bytes.fromhex(inner))[0]
            case "int", str():
                return int(inner, 16)
            case "tuple", list():
                return tuple(decoded(each) for each in inner)
            case "list", list():
                return [decoded(each) for each in inner]
            case "slice", [_, _, _]:
                return slice(*(decoded(each) for each in inner))
            case "slot", int() if inner >= 0:
                return Slot(inner)
            case "ellipsis", None:
                return Ellipsis
            case "dict", dict():
                return {key: decoded(each) for key, each in inner.items()}
    except (ValueError, KeyError, struct.error):
        raise DamageError(f"a value in it is no {kind}") from None
    raise DamageError(f"a value in it has the unknown form {kind!r:.40}")
