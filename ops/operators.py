"""The operators of what stands in for arrays in a rule: each calls the primitive that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.primitive import NOTHING, PRIMITIVES, Primitive


class Arithmetic:
    """Python's operators as primitives.

    (Tensors, whose operators are the hot path of recording, spell out their own.)
    """

    __slots__ = ()
    __array_ufunc__: Any = None  # numpy scalars leave the operator to us
    __hash__ = object.__hash__

    def _apply(self, name: str, *args: Any) -> Any:
        raise NotImplementedError

    def __add__(self, other: Any) -> Any:
        return self._apply("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._apply("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._apply("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._apply("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._apply("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._apply("mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._apply("div", other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._apply("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._apply("matmul", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._apply("pow", self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._apply("pow", other, self)

    def __neg__(self) -> Any:
        return self._apply("neg", self)

    def __abs__(self) -> Any:
        return self._apply("abs", self)

    def __lt__(self, other: Any) -> Any:
        return self._apply("less", self, other)

    def __le__(self, other: Any) -> Any:
        return self._apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._apply("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._apply("greater_equal", self, other)

    def __eq__(self, other: Any) -> Any:
        return self._apply("equal", self, other)

    def __ne__(self, other: Any) -> Any:
        return self._apply("not_equal", self, other)

    def __and__(self, other: Any) -> Any:
        return self._apply("logical_and", self, other)

    def __rand__(self, other: Any) -> Any:
        return self._apply("logical_and", other, self)

    def __or__(self, other: Any) -> Any:
        return self._apply("logical_or", self, other)

    def __ror__(self, other: Any) -> Any:
        return self._apply("logical_or", other, self)

    def __xor__(self, other: Any) -> Any:
        return self._apply("logical_xor", self, other)

    def __rxor__(self, other: Any) -> Any:
        return self._apply("logical_xor", other, self)

    def __invert__(self) -> Any:
        return self._apply("logical_not", self)


class Operators(Arithmetic):
    """The operators of those who read rules without computing: Symbols that write, Terms that compile."""

    __slots__ = ()

    def __apply_primitive__(
        self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> Any:
        raise NotImplementedError

    def _apply(self, name: str, *args: Any) -> Any:
        return self.__apply_primitive__(PRIMITIVES[name], args, NOTHING)
