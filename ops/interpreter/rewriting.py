"""A kernel and the device functions of its file that it calls, rewritten together: each finds the others anew."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy
from types import CellType, FunctionType
from typing import Any

from ops.interpreter.sources import TREE, Source, own_names, source_of


class Rewriting:
    """Rewrites a function, and those that it finds in its closure or among the globals of its file."""

    def __init__(self) -> None:
        self.known: dict[int, Any] = {}
        """By the function as it was: what callers find in its place."""
        self.globals: dict[int, dict[str, Any]] = {}

    def rewritten(
        self,
        function: FunctionType,
        tree: ast.FunctionDef,
        source: Source,
        outside: Mapping[str, Any],
    ) -> Any:
        """The function with another body. `tree` is its own to change; `outside` are names from around it."""
        raise NotImplementedError

    def __call__(self, function: FunctionType) -> Any:
        """What stands for a function; the function itself where no source is kept."""
        if id(function) in self.known:
            return self.known[id(function)]
        source = source_of(function.__code__)
        if source is None:
            return self.known.setdefault(id(function), function)
        cells = tuple(CellType() for _ in function.__closure__ or ())
        names = self.globals.setdefault(id(function.__globals__), dict(function.__globals__))
        plain = FunctionType(
            function.__code__, names, function.__name__, function.__defaults__, cells
        )
        tree = deepcopy(getattr(function, TREE, source.tree))
        closed = (cell.cell_contents for cell in function.__closure__ or ())
        outside = names | dict(zip(function.__code__.co_freevars, closed, strict=True))
        made = self.rewritten(plain, tree, source, outside)
        self.known[id(function)] = made
        for mine, theirs in zip(cells, function.__closure__ or (), strict=True):
            mine.cell_contents = self.value(theirs.cell_contents, source.file)
        for name in own_names(function.__code__):
            if name in names:
                names[name] = self.value(names[name], source.file)
        return made

    def value(self, found: Any, file: str) -> Any:
        """A device function of the same file, rewritten; all else as it is."""
        if not isinstance(found, FunctionType) or found in self.known.values():
            return found
        return self(found) if found.__code__.co_filename == file else found
