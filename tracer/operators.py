"""The operators of expressions, as numpy has them, and how large what they make may become.

Nothing raises but `AbsentError`: 1/0 is inf, and shapes that do not fit are said in words. Each array is asked for its
size before it is made.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ops.primitive import Array
from tracer.format import shape

LARGEST = 10**7
"""Elements that an expression may put into one array; more only if an operand has as many."""
MOST_PRODUCTS = 2**33
"""Multiplications that one matrix product may take."""


class AbsentError(Exception):
    """A number that an expression asks for is not there, in words: not reached, no such element, shapes that misfit."""


class TooLargeError(AbsentError):
    """An array that would become too large."""


# ----- numbers


def number(x: Any) -> Any:
    """Truths and integers as floats, so that arithmetic neither overflows nor raises."""
    if isinstance(x, (str, tuple)):
        raise AbsentError(f"{x!r} is not a number")
    if not hasattr(x, "dtype"):
        return float(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def truth(x: Any) -> bool:
    """One truth out of what an expression gives: of an array, one true element is enough."""
    return bool(x.any()) if isinstance(x, np.ndarray) else bool(x)


def misfit(*arrays: Any) -> AbsentError:
    """The complaint about shapes that do not broadcast."""
    return AbsentError(f"shapes {' and '.join(str(np.shape(x)) for x in arrays)} do not fit")


def afford(what: str, sizes: tuple[int, ...], *operands: Any) -> None:
    """Raise `TooLargeError` before an array is made that is larger than allowed."""
    made = math.prod(sizes)
    if made > LARGEST and made > max((int(np.size(x)) for x in operands), default=0):
        raise TooLargeError(
            f"{what} would make {shape(sizes)}, {made:,} elements (at most {LARGEST:,})"
        )


def together(what: str, *operands: Any) -> None:
    """See that operands broadcast, and to no more than is allowed."""
    try:
        sizes = np.broadcast_shapes(*map(np.shape, operands))
    except ValueError:
        raise misfit(*operands) from None
    afford(what, sizes, *operands)


# ----- operators


def product(x: Any, y: Any) -> Any:
    """The matrix product of numpy's `@`."""
    x, y = number(x), number(y)
    left, right = np.shape(x), np.shape(y)
    if not left or not right:
        raise AbsentError("@ takes arrays; a single number is multiplied with *")
    try:
        around = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise misfit(x, y) from None
    if left[-1] != right[-2:][0]:
        raise misfit(x, y)
    sizes = (*around, *left[-2:-1], *right[-1:][len(right) == 1 :])
    afford("@", sizes, x, y)
    if math.prod(sizes) * left[-1] > MOST_PRODUCTS:
        raise TooLargeError(f"{shape(left)} @ {shape(right)} takes too many multiplications")
    return x @ y


ARITHMETIC: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", np.add),
    ast.Sub: ("-", np.subtract),
    ast.Mult: ("*", np.multiply),
    ast.Div: ("/", np.true_divide),
    ast.FloorDiv: ("//", np.floor_divide),
    ast.Mod: ("%", np.remainder),
    ast.Pow: ("**", np.float_power),
}  # fmt: skip
MASKS: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.BitAnd: ("&", np.logical_and),
    ast.BitOr: ("|", np.logical_or),
    ast.BitXor: ("^", np.logical_xor),
}  # fmt: skip
COMPARISONS: Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}  # fmt: skip


def combine(sign: type[ast.operator], x: Any, y: Any) -> Any:
    """Two numbers or arrays joined by an operator of arithmetic, or two masks by `& | ^`."""
    if sign in MASKS:
        word, join = MASKS[sign]
        x, y = mask(word, x), mask(word, y)
        together(word, x, y)
        return join(x, y)
    word, join = ARITHMETIC[sign]
    x, y = number(x), number(y)
    together(word, x, y)
    found = join(x, y)
    # two numbers give a number again: a numpy scalar would raise float32 arrays to float64
    return float(found) if type(x) is type(y) is float else found


def compare(sign: type[ast.cmpop], x: Any, y: Any) -> Any:
    """One comparison, element by element; shapes and words are only the same or not."""
    word, ask = COMPARISONS[sign]
    if isinstance(x, (str, tuple)) or isinstance(y, (str, tuple)):
        if type(x) is not type(y) or sign not in (ast.Eq, ast.NotEq):
            raise AbsentError(f"{x!r} {word} {y!r} cannot be told")
        return ask(x, y)
    together(word, x, y)
    return ask(x, y)


def mask(word: str, x: Any) -> Any:
    """A truth, or an array of truths."""
    if isinstance(x, (bool, np.bool_)) or getattr(x, "dtype", None) == np.bool_:
        return x
    raise AbsentError(f"{word} takes truths, such as (value > 0) {word} (value < 1)")


def opposite(x: Any) -> Any:
    """`~` of a truth or a mask."""
    return np.logical_not(mask("~", x))


def all_of(truths: list[Any]) -> Any:
    """Where every one of several masks holds: a chain of comparisons."""
    found = truths[0]
    for each in truths[1:]:
        together("a chain of comparisons", found, each)
        found = np.logical_and(found, each)
    return found


def pick(x: Any, index: tuple[Any, ...], words: str) -> Any:
    """Elements of an array: at whole numbers, slices, masks, or one array of whole numbers; an entry of a shape."""
    sizes = isinstance(x, tuple)
    x = np.asarray(number(x) if isinstance(x, str) else x)
    plain = tuple(map(_place, index))
    spread = [at for at in plain if isinstance(at, np.ndarray) and at.dtype != np.bool_]
    if len(spread) > 1:
        raise AbsentError(f"[{words}]: at most one array of whole numbers stands in an index")
    if spread:
        first = x.shape[0] if x.ndim and plain[0] is spread[0] else 1
        afford(f"[{words}]", (int(spread[0].size), x.size // max(first, 1)), x)
    try:
        found = x[plain]
    except (IndexError, ValueError):
        inside = shape(x.shape) if x.ndim else "a single number"
        raise AbsentError(f"no element [{words}] in {inside}") from None
    return tuple(found.tolist()) if sizes and found.ndim else found


def _place(at: Any) -> Any:
    """One entry of an index, as numpy takes it."""
    if at is None or at is Ellipsis:
        return at
    if isinstance(at, slice):
        return slice(*(None if end is None else whole(end) for end in (at.start, at.stop, at.step)))
    if isinstance(at, np.ndarray) and at.ndim:
        return at if at.dtype.kind in "iub" else _whole_array(at)
    return whole(at)


def whole(x: Any) -> int:
    """A number that is whole, as an integer."""
    found = float(number(x)) if np.ndim(x) == 0 else math.nan
    if not found.is_integer() or abs(found) >= 2**53:
        raise AbsentError("an index is made of whole numbers")
    return int(found)


def _whole_array(x: Array) -> Array:
    if not np.isfinite(x).all() or (x != np.floor(x)).any() or (np.abs(x) >= 2**53).any():
        raise AbsentError("an index is made of whole numbers")
    return x.astype(np.int64)
