"""`cuda.atomic`: operations on one element that no other thread can part."""

from __future__ import annotations

from typing import Any

from ops.interpreter.faults import Found

PATIENCE = 10_000
"""How often in a row `cas` may fail: a thread that waits in a loop for another would wait for ever, here and on a GPU
whose warps do not take turns."""


class Atomic:
    """`cuda.atomic`: one thread after another changes an element; each gets what it held before."""

    def __init__(self) -> None:
        self.in_vain = 0

    def add(self, array: Any, index: Any, value: Any) -> Any:
        """Add."""
        old = array.change(index)
        array.settle(index, old + value)
        return old

    def sub(self, array: Any, index: Any, value: Any) -> Any:
        """Subtract."""
        old = array.change(index)
        array.settle(index, old - value)
        return old

    def max(self, array: Any, index: Any, value: Any) -> Any:
        """The larger of both; a NaN in the array gives way."""
        old = array.change(index)
        array.settle(index, old if old >= value or value != value else value)
        return old

    def min(self, array: Any, index: Any, value: Any) -> Any:
        """The smaller of both; a NaN in the array gives way."""
        old = array.change(index)
        array.settle(index, old if old <= value or value != value else value)
        return old

    nanmax, nanmin = max, min

    def and_(self, array: Any, index: Any, value: Any) -> Any:
        """The bits that both have."""
        old = array.change(index)
        array.settle(index, old & value)
        return old

    def or_(self, array: Any, index: Any, value: Any) -> Any:
        """The bits that either has."""
        old = array.change(index)
        array.settle(index, old | value)
        return old

    def xor(self, array: Any, index: Any, value: Any) -> Any:
        """The bits that one of both has."""
        old = array.change(index)
        array.settle(index, old ^ value)
        return old

    def inc(self, array: Any, index: Any, value: Any) -> Any:
        """One more, and 0 after the limit."""
        old = array.change(index)
        array.settle(index, 0 if old >= value else old + 1)
        return old

    def dec(self, array: Any, index: Any, value: Any) -> Any:
        """One less, and the limit after 0."""
        old = array.change(index)
        array.settle(index, value if old == 0 or old > value else old - 1)
        return old

    def compare_and_swap(self, array: Any, old: Any, value: Any) -> Any:
        """`cas` of the first element."""
        return self.cas(array, 0, old, value)

    def exch(self, array: Any, index: Any, value: Any) -> Any:
        """Put another value in its place."""
        old = array.change(index)
        array.settle(index, value)
        return old

    def cas(self, array: Any, index: Any, old: Any, value: Any) -> Any:
        """Put another value in its place if it is the expected one."""
        found = array.change(index)
        self.in_vain = 0 if found == old else self.in_vain + 1
        if self.in_vain > PATIENCE:
            raise Found(
                "deadlock", "holds another value, for which a thread waits in a loop", array, index
            )
        array.settle(index, value if found == old else found)
        return found
