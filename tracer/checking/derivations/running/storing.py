"""What an array, list or dictionary becomes when part of it gets another value: always a new one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.checking.derivations.calculator.limits import Cost, numbers_in
from tracer.checking.derivations.calculator.sizes import allowed, indexed
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import spoken
from tracer.checking.derivations.refusals import RefusedError
from tracer.format import shape

from .tape import Put


def appended(held: Any, value: Any) -> Any:
    """A list with one more entry."""
    return [*held, value]


def added_at(held: Any, index: Any, sign: int, value: Any) -> Any:
    """An array with a value added at an index, as `np.add.at` does."""
    affordable(held, index)
    made = np.array(held)
    np.add.at(made, index, sign * np.asarray(value))
    return made


def storing(index: Any, text: str) -> Put:
    """What an array, list or dictionary becomes when an element of it gets another value."""

    def put(held: Any, value: Any) -> Any:
        if isinstance(held, dict):
            if not isinstance(index, (int, np.integer)):
                raise RefusedError(f"{text}: keys are whole numbers", "d[t]")
            return {**held, int(index): value}
        if isinstance(held, (list, tuple)):
            made = list(held)
            if not is_whole_number(index) or not -len(made) <= index < len(made):
                raise RefusedError(f"{text}: the list has {len(made)} entries", "append")
            made[index] = value
            return made
        affordable(held, index)
        array = np.array(held)
        if not array.ndim:
            raise RefusedError(f"{text}: it is a number, without elements", "np.zeros_like(...)")
        if array.dtype.kind != "f" and np.asarray(value).dtype.kind == "f":
            array = array.astype(float)
        try:
            array[index] = value
        except (ValueError, TypeError, IndexError) as error:
            if isinstance(error, IndexError):
                raise RefusedError(
                    f"{text} has no place: the array is {shape(array.shape)}",
                    "a whole number within it; or each step by itself, without an array for all of them",
                ) from None
            if not isinstance(error, ValueError):
                raise RefusedError(
                    f"{text} cannot be set: {error}", "a whole number, or a slice"
                ) from None
            place = np.shape(array[index])
            raise RefusedError(
                f"{text} has shape {shape(place) or 'of a number'}, the value {shape(np.shape(value))}",
                "compare the shapes, axis by axis from the right",
            ) from None
        return array

    return put


def affordable(held: Any, index: Any) -> None:
    """Complain about an index that means too many elements, or a list of too many numbers."""
    allowed("np.array", Cost(numbers_in(held), 0))
    indexed(held, index)


def unmade(names: Names, name: str) -> RefusedError:
    """The complaint about an element of something that is not the user's, or not there."""
    said = spoken(name)
    if names.gradient(name) is None and names.value(name) is not None:
        return RefusedError(
            f"{said} is a recorded value, and cannot be changed in place",
            f"a copy under another name: q = {said}.copy()",
        )
    node = names.gradient(name)
    made = "np.zeros(...)" if node is None else f"np.zeros_like({names.trace.label(node)})"
    return RefusedError(
        f"{said} has not been made, so its elements have no place", f"{said} = {made}  above it"
    )


def part_of(whole: Put | None, part: Any) -> Put:
    """How one step's part is made again: of the whole value, or of the array in which an element was assigned."""
    if whole is None:
        return lambda held, value: value[part]
    return lambda held, value: whole(held, value)[part]


def with_part(every: Any, part: Any, right: Any) -> Any:
    """The array of all steps with one step's part replaced."""
    made = np.array(every)
    made[part] = right
    return made


def shaped_as(right: Any, claim: Any, *, turned: bool = False) -> Any:
    """The recorded gradient in the shape of the claim, where that differs by axes of length 1 only.

    turned: also where the claim is laid out transposed.
    """
    if right is None:
        return claim
    size = np.shape(claim)
    if [n for n in size if n != 1] == [n for n in np.shape(right) if n != 1]:
        return np.reshape(right, size)
    return right.T if turned and np.ndim(right) == 2 and size == np.shape(right)[::-1] else right


def frozen(value: Any) -> Any:
    """A value that cannot be written to."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.setflags(write=False)
    return value


def is_whole_number(value: Any) -> bool:
    """Whether a value is a whole number, and no truth."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
