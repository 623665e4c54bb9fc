"""The barriers of a kernel, and the kernel without one of them: what a test or a user takes away to see it missed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel
from ops.interpreter.rounding import rounding
from ops.interpreter.sources import Source, rebuilt, source_of

KINDS: Mapping[str, str] = MappingProxyType(
    {"syncthreads": "barrier", "syncwarp": "warp", "sync": "grid"}
)
"""The functions that are barriers when they stand alone on a line, and who waits there."""


class Barrier(NamedTuple):
    """A barrier in the source of a kernel."""

    number: int
    line: int
    """In the file of the kernel."""
    text: str
    """Its line of source."""


def barriers(
    kernel: Kernel, dtype: Any, options: Mapping[str, Any] = NOTHING
) -> tuple[Barrier, ...]:
    """The barriers of a kernel in the order of its lines; none where its source is not kept."""
    function = kernel.built(_Nothing(), rounding(np.dtype(dtype).type), dtype, 32, **options)
    source = source_of(function.__code__)
    if source is None:
        return ()
    first = source.first_line
    lines = [node.lineno for node in _barriers(source.tree)]
    return tuple(
        Barrier(number, line, source.lines[line - first].strip())
        for number, line in enumerate(lines)
    )


def without_barrier(kernel: Kernel, number: int) -> Kernel:
    """The kernel with one barrier taken away: its line does nothing."""

    def build(*args: Any, **options: Any) -> Callable[..., None]:
        function = kernel.build(*args, **options)
        source = source_of(function.__code__)
        if source is None:
            raise ValueError(
                f"the source of kernel {kernel.name} is not kept, so no barrier can be taken away\n"
                "  try: put its lines into linecache.cache"
            )
        return rebuilt(function, _without(source, number))

    return kernel._replace(build=build)


def _without(source: Source, number: int) -> ast.FunctionDef:
    tree = deepcopy(source.tree)
    found = _barriers(tree)
    if number >= len(found):
        return tree
    gone = found[number]

    class Remove(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.stmt:
            return ast.copy_location(ast.Pass(), node) if node is gone else node

    changed = Remove().visit(tree)
    assert isinstance(changed, ast.FunctionDef)
    return changed


def barrier_kind(node: ast.stmt) -> str:
    """Who waits at a statement: `barrier` (the block), `warp`, `grid`; empty for a statement that is no barrier."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))):
            return KINDS.get(name, "")
    return ""


def _barriers(tree: ast.FunctionDef) -> list[ast.stmt]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and barrier_kind(node)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


class _Nothing:
    """Stands for `cuda` where a kernel is only built."""

    def __getattr__(self, name: str) -> Any:
        return _Nothing()
