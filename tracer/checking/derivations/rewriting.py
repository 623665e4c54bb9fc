"""What reads differently in a derivation than in Python: `grads['W2']` is the gradient of W2, `cache['x']` is x."""

from __future__ import annotations

import ast
from collections.abc import Sequence

GRADIENTS = frozenset({"grads", "grad", "gradients", "dparams"})
"""Names of dictionaries that hold gradients by the names of their values."""


def rewritten(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], frozenset[str]]:
    """Statements in the language of the calculator, and the dictionaries whose entries were read as recorded values.

    `grads['W2']` is dL_dW2. The entry of a dictionary that the derivation fills is a name of its own, and that of any
    other dictionary, such as `cache['x']`, the recorded value of its name. `a < b < c` is `a < b and b < c`, and
    `dW[i][j] = ...` is `dW[i, j] = ...`.

    >>> body, read = rewritten(ast.parse("grads['W'] = cache['x'] * dy").body)
    >>> ast.unparse(body[0]), *read
    ('dL_dW = x * dy', 'cache')
    """
    filled = {
        part.value.id
        for statement in body
        for part in ast.walk(statement)
        if isinstance(part, ast.Subscript)
        and isinstance(part.value, ast.Name)
        and isinstance(part.ctx, ast.Store)
    }
    made = {
        target.id
        for statement in body
        for part in ast.walk(statement)
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Dict) and part.value.keys
        for target in part.targets
        if isinstance(target, ast.Name)
    }
    change = _Rewritten(frozenset(filled | made))
    changed = [change.visit(statement) for statement in body]
    flat = [each for one in changed for each in (one if isinstance(one, list) else [one])]
    return flat, frozenset(change.read)


class _Rewritten(ast.NodeTransformer):
    def __init__(self, own: frozenset[str]) -> None:
        self.own = own
        self.read: set[str] = set()

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        """`cache = {'p': p}` is an assignment for each entry."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys, values=values)):
                texts = [
                    key.value
                    for key in keys
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                ]
                if texts and len(texts) == len(values) and all(map(str.isidentifier, texts)):
                    return [
                        ast.copy_location(
                            ast.Assign(
                                [self._entry(name, key, node, ast.Store())], self.visit(value)
                            ),
                            node,
                        )
                        for key, value in zip(texts, values, strict=True)
                    ]
        self.generic_visit(node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """An entry of a dictionary, and an element of an element that is assigned to."""
        self.generic_visit(node)
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
                return self._entry(name, key, node, node.ctx) if key.isidentifier() else node
            case ast.Subscript(
                value=ast.Subscript(value=ast.Name() as name, slice=first),
                slice=second,
                ctx=ast.Store(),
            ) if not isinstance(first, (ast.Tuple, ast.Slice)):
                pair = ast.Tuple([first, second], ast.Load())
                return ast.copy_location(ast.Subscript(name, pair, ast.Store()), node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`a < b < c`."""
        self.generic_visit(node)
        if len(node.ops) < 2:
            return node
        lefts = [node.left, *node.comparators]
        pairs = zip(lefts, node.ops, node.comparators, strict=False)
        parts: list[ast.expr] = [
            ast.copy_location(ast.Compare(left, [op], [right]), node) for left, op, right in pairs
        ]
        return ast.copy_location(ast.BoolOp(ast.And(), parts), node)

    def _entry(self, name: str, key: str, node: ast.AST, ctx: ast.expr_context) -> ast.Name:
        """The name that stands for the entry of a dictionary."""
        if name in GRADIENTS:
            known = key if key.startswith("d") and len(key) > 1 else f"dL_d{key}"
        elif name in self.own:
            known = f"{name}_{key}"
        else:
            known = key
            self.read.add(name)
        return ast.copy_location(ast.Name(known, ctx), node)
