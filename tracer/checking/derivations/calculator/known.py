"""Values of parts of expressions that have been evaluated before."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from .meanings import Value

MOST_KNOWN = 2 * 10**6
"""Numbers that are kept of parts of expressions; each part counts for a hundred more."""


class Known:
    """The values of parts of expressions, by identity: those of a line that is written in a thousand ways."""

    def __init__(self) -> None:
        self.values: dict[int, tuple[ast.expr, Value]] = {}
        self.room = MOST_KNOWN

    def of(self, node: ast.expr, make: Callable[[ast.expr], Value]) -> Value:
        """The value of a part, made if it is not known yet."""
        if id(node) not in self.values:
            value = make(node)
            self.room -= 100 + (value.size if isinstance(value, np.ndarray) else 1)
            if self.room < 0:
                return value
            self.values[id(node)] = (
                node,
                value,
            )  # the part is held, so that its identity stays its own
        return self.values[id(node)][1]
