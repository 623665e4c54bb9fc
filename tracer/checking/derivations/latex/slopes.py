"""The derivatives that primes stand for: σ'(z), tanh'(z)."""

from __future__ import annotations

import ast
from copy import deepcopy
from itertools import islice

from tracer.checking.derivations.refusals import RefusedError

LARGEST = 500
"""Parts of an expression at which a slope is taken: it is written out up to four times."""
_SLOPES = {
    "sigmoid": "sigmoid(z) * (1 - sigmoid(z))",
    "tanh": "1 - np.tanh(z) ** 2",
    "relu": "np.where(z > 0, 1.0, 0.0)",
    "softplus": "sigmoid(z)",
    "exp": "np.exp(z)",
    "log": "1 / z",
    "sin": "np.cos(z)",
    "cos": "-np.sin(z)",
    "sqrt": "0.5 / np.sqrt(z)",
    "silu": "sigmoid(z) * (1 + z * (1 - sigmoid(z)))",
}


def slope(name: str, argument: ast.expr) -> ast.expr | None:
    """The derivative of a function at an expression; None if it is not on the list.

    Raises `RefusedError` for an expression that is too large.

    >>> ast.unparse(slope("tanh", ast.Name("a")))
    '1 - np.tanh(a) ** 2'
    """
    text = _SLOPES.get(name)
    if text is None:
        return None
    if len(list(islice(ast.walk(argument), LARGEST + 1))) > LARGEST:
        raise RefusedError(
            "the derivative of a function at a very large expression",
            "a line of its own for the expression",
        )
    found = ast.parse(text, mode="eval").body

    class PutIn(ast.NodeTransformer):
        """Puts the argument where z stands."""

        def visit_Name(self, node: ast.Name) -> ast.expr:
            return deepcopy(argument) if node.id == "z" else node

    result = PutIn().visit(found)
    assert isinstance(result, ast.expr)
    return result
