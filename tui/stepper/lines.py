"""The lines of a kernel and of the device functions into which its threads come, in the order of their file."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun


class Listed(NamedTuple):
    """A row of a listing."""

    line: int
    """In the file; 0 between two functions."""
    text: str
    function: str
    """The name of the function."""


GAP = Listed(0, "", "")


def listed(run: KernelRun, called: Collection[str]) -> tuple[Listed, ...]:
    """The rows of a kernel and of its device functions that are called, without the indentation of their file."""
    own = (run.name, run.first_line, run.source)
    others = (each for each in run.functions if each.name in called)
    rows: list[Listed] = []
    for name, first, lines in sorted([own, *others], key=lambda part: part[1]):
        texts = textwrap.dedent("\n".join(lines)).split("\n")
        rows += [GAP] * bool(rows)
        rows += [Listed(line, text, name) for line, text in enumerate(texts, first)]
    return tuple(rows)
