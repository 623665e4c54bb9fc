"""Numbers, shapes and arrays as short text, the same in every view."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.primitive import Array

MINUS = "−"
"""The true minus sign, as wide as a plus."""


def number(x: Any, digits: int = 4, *, minus: str = MINUS, zeros: bool = False) -> str:
    """A number with so many significant digits: fixed where that is short, else with a power of ten.

    zeros: keep those at the end, so that all digits that are known can be seen.

    >>> number(0.73105857), number(-12.0), number(1.5e-9), number(np.float64("nan")), number(-0.0), number(True)
    ('0.7311', '−12', '1.5e−9', 'nan', '−0', 'True')
    >>> number(-0.2, zeros=True), number(2e-9, 3, zeros=True)
    ('−0.2000', '2.00e−9')
    """
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if isinstance(x, (int, np.integer)):
        return str(int(x)).replace("-", minus)
    value = float(x)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else minus + "inf"
    if value == 0:
        return minus + "0" if math.copysign(1, value) < 0 else "0"
    if 1e-4 <= abs(value) < 10.0 ** max(digits, 5):
        places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
        text = f"{value:.{places}f}"
        if "." in text and not zeros:
            text = text.rstrip("0").rstrip(".")
    else:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        if "." in mantissa and not zeros:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}e{int(power)}"
    return text.replace("-", minus)


def shape(sizes: tuple[int, ...]) -> str:
    """A shape with times signs; "()" for a single number.

    >>> shape((4, 2)), shape((3,)), shape(())
    ('4×2', '3', '()')
    """
    return "×".join(map(str, sizes)) or "()"


_SHORT = {"f": "f", "i": "i", "u": "u", "b": "bool"}


def dtype(kind: Any) -> str:
    """A dtype in a few characters: f64, f32, i64, bool.

    >>> dtype(np.dtype("float32")), dtype(np.dtype("bool"))
    ('f32', 'bool')
    """
    kind = np.dtype(getattr(kind, "dtype", kind))
    letter = _SHORT.get(kind.kind, kind.name)
    return letter if kind.kind == "b" else f"{letter}{8 * kind.itemsize}"


def elided(array: Array, count: int = 2, digits: int = 3) -> str:
    """The first numbers of an array, and an ellipsis if there are more; it tells of a NaN or an infinity behind it.

    >>> elided(np.array([0.756, -0.52, 1.0])), elided(np.float64(2.5)), elided(np.empty(0))
    ('0.756 −0.52 …', '2.5', 'empty')
    >>> elided(np.array([0.756, -0.52, np.nan, 1.0, np.inf]))
    '0.756 −0.52 … 1 nan 1 inf of 5'
    """
    if not hasattr(array, "head"):
        array = np.asarray(array)
    if array.size == 0:
        return "empty"
    return " ".join([*(number(x, digits) for x in head(array, count)), *rest_of(array, count)])


def head(array: Array, count: int) -> Array:
    """The first numbers of an array in order; of one that lies on a device only they are fetched.

    >>> head(np.array([[1, 2], [3, 4]]).T, 2)
    array([1, 3])
    """
    if hasattr(array, "head"):
        return array.head(count)
    return np.fromiter(array.flat[:count], array.dtype)  # ravel would copy a transpose


def rest_of(array: Array, count: int) -> tuple[str, ...]:
    """What stands for the numbers after the first `count`: an ellipsis, and where some are not finite, how many of all.

    >>> rest_of(np.array([1.0, 2.0]), 2), rest_of(np.array([1.0, 2.0, 3.0]), 2), rest_of(np.array([1.0, np.nan]), 1)
    ((), ('…',), ('…', '1 nan', 'of 2'))
    """
    if array.size <= count:
        return ()
    if array.dtype.kind != "f":
        return ("…",)
    broken = _broken(array)
    if not (broken - _broken(head(array, count))).any():
        return ("…",)
    words = (f"{n} {word}" for n, word in zip(broken, ("nan", "inf"), strict=True) if n)
    return ("…", *words, f"of {array.size}")


def _broken(array: Array) -> Array:
    """How many numbers are NaN, and how many are infinite."""
    if hasattr(array, "broken"):  # of a device: its summary says so
        return array.broken()
    bad = array[~np.isfinite(array)]
    nans = int(np.isnan(bad).sum())
    return np.array([nans, bad.size - nans])


def printable(text: str) -> str:
    r"""Text on one line, with what does not print as its escape: no name in a file can command a terminal.

    >>> print(printable("h\x1b[2J"), printable("two\nlines"), printable("x̂ = 1"))
    h\x1b[2J two\nlines x̂ = 1
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


_JOINERS = "\u200c\u200d"
"""They print nothing, but letters and emoji are joined by them."""


def typed(array: Array) -> str:
    """Type and shape together: `f64[8×3]`, `f64` for a single number.

    >>> typed(np.zeros((8, 3))), typed(np.float64(1))
    ('f64[8×3]', 'f64')
    """
    sizes = tuple(array.shape)
    return f"{dtype(array)}[{shape(sizes)}]" if sizes else dtype(array)
