"""Which time steps the loops of a derivation go through: from which number they count, and which they leave out."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from tracer.checking.derivations.names import Family, Names


@dataclass(frozen=True)
class Short:
    """A loop that goes through some of the time steps of what it indexes, and not through all: those, in its order."""

    whole: tuple[int, ...]


class Spans:
    """What the loops tell of the numbers of the time steps.

    first: the first numbers of the loops that run over all steps of a family that they index. short: the loops that
    leave some time steps out, by line. latest: the variable of a loop and the numbers it ran over, by line.
    """

    def __init__(self, names: Names, base: int) -> None:
        self.names, self.base = names, base
        self.first: list[int] = []
        self.short: dict[int, Short] = {}
        self.latest: dict[int, tuple[str, tuple[int, ...]]] = {}

    def look(self, loop: ast.For, spans: Mapping[str, tuple[int, ...]]) -> None:
        """Remember from which number a loop counts that runs over all steps of what it indexes."""
        if isinstance(loop.target, ast.Name):
            self.latest[loop.lineno] = (loop.target.id, spans.get(loop.target.id, ()))
        for part in ast.walk(loop):
            match part:
                case ast.Subscript(value=ast.Name(id=name), slice=index):
                    used = {each.id for each in ast.walk(index) if isinstance(each, ast.Name)}
                    family = self.names.family(name) or self.names.gradient_family(name)
                    for variable in used & spans.keys():
                        span = sorted(spans[variable])
                        if not family or span != list(range(span[0], span[-1] + 1)):
                            continue
                        if len(span) == len(family):
                            self.first.append(span[0])
                        elif len(span) < len(family):
                            self._leaves_out(loop, spans[variable], family)

    def _leaves_out(self, loop: ast.For, span: tuple[int, ...], family: Family) -> None:
        """Remember a loop that does not go through all steps of a family."""
        base = self.base
        whole = tuple(range(base, base + len(family)))
        if isinstance(loop.target, ast.Name) and set(span) < set(whole):
            turned = (
                whole[::-1] if span[0] > span[-1] or "reversed" in ast.unparse(loop.iter) else whole
            )
            self.short[loop.lineno] = Short(turned)


def backwards(iterated: ast.expr) -> bool:
    """Whether a loop goes through lists from their end."""
    return any(word in ast.unparse(iterated) for word in ("reversed(", "::-1"))
