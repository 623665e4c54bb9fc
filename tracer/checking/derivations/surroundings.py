"""What a function of a script takes from around it: numbers such as `m = 100`, and names that are not read."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

READ = (
    ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Tuple,
    ast.operator, ast.unaryop, ast.expr_context, ast.Call,
)  # fmt: skip
"""What a line around a function may be made of, to be read with it."""


def around(body: Sequence[ast.stmt], function: ast.FunctionDef) -> Mapping[int, str]:
    """By line of the script, what stands there for a function that is read alone: `m = 100`, or `hs: ...`.

    The latter says that the script makes hs, in a way that is not read: it can mean a recorded value of that name, and
    nothing else.

    >>> script = "T = 4\\nhs = [run(t) for t in range(T)]\\ndef backward():\\n    dx = hs[T] * x\\nx = 3"
    >>> tree = ast.parse(script).body
    >>> around(tree, tree[2])
    {1: 'T = 4', 2: 'hs: ...; x = 3'}
    """
    made: dict[str, list[ast.AST]] = defaultdict(list)
    for statement in body:
        for name in _names_made(statement):
            made[name].append(statement)
    found: dict[int, list[str]] = defaultdict(list)
    waiting, seen = sorted(_free(function)), set[str]()
    last = max(function.lineno - 1, 1)
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in made:
            continue
        seen.add(name)
        match made[name]:
            case [ast.Assign(targets=[ast.Name()], value=value) as only] if _is_read(value):
                text, inner = ast.unparse(only), value
                waiting += sorted(_loaded(inner))
                at = only.lineno
            case [
                ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple() as value) as only
            ] if _is_read(value) and all(isinstance(each, ast.Name) for each in names):
                text = ast.unparse(only)
                waiting += sorted(_loaded(value))
                at = only.lineno
            case [first, *_]:
                text, at = f"{name}: ...", getattr(first, "lineno", last)
        if text not in found[min(at, last)]:
            found[min(at, last)].append(text)
    return {line: "; ".join(texts) for line, texts in found.items() if texts}


def _is_read(value: ast.expr) -> bool:
    """Whether an expression is a number, or made of numbers and lengths."""
    for part in ast.walk(value):
        if not isinstance(part, READ):
            return False
        match part:
            case ast.Attribute(attr=name) if name not in ("shape", "size", "ndim"):
                return False
            case ast.Call(func=ast.Name(id="len" | "float" | "int"), args=[_], keywords=[]):
                pass
            case ast.Call():
                return False
    return not isinstance(value, (ast.Name, ast.Tuple)) or isinstance(value, ast.Tuple)


def _names_made(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a script makes, or changes."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return
        case ast.ImportFrom(module=module, names=names) if module != "numpy":
            yield from (each.asname or each.name for each in names)
            return
    for part in ast.walk(statement):
        match part:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                yield name
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append" | "insert" | "extend")
            ):
                yield name


def _loaded(tree: ast.AST) -> set[str]:
    return {
        part.id
        for part in ast.walk(tree)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }


def _free(function: ast.FunctionDef) -> set[str]:
    """The names that a function uses and does not make itself."""
    arguments = function.args
    given = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    made = {
        part.id
        for each in function.body
        for part in ast.walk(each)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return set[str]().union(*map(_loaded, function.body)) - given - made
