"""The table of operations: what `gradstep ops` prints."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from tui.operations import Entry, compiled_from, formula_of, second_order
from tui.printing import Line, Piece, Terminal, wrapped
from tui.text import fit, width

HEADINGS = ("operation", "formula", "by", "f″", "numba from")
ABOUT = (
    "by: the inputs that receive a cotangent. f″: ✓ differentiable twice, 0 where the second derivative is zero, "
    "— without a derivative. numba from: the number of elements from which compiled kernels run."
)
SENTENCE = 36
"""Where fewer columns than this are left beside the table, the sentence about an operation gets a line of its own."""
INDENT, MOST_INPUTS, MOST_FORMULA = 2, 14, 30
"""How far the table stands in, and how wide its columns of inputs and of formulas grow at most."""


class Columns(NamedTuple):
    """The widths of the table: operation and formula together, the other columns, and what is left for a sentence."""

    left: int
    others: tuple[int, ...]
    beside: int


def ops_table(found: Sequence[Entry], terminal: Terminal) -> list[Line]:
    """Every operation under its family: formula, inputs with a derivative, second order, kernels, first sentence."""
    spell = terminal.spell
    rows = {each.name: [spell(cell) for cell in _row(each)] for each in found}
    heading = [spell(cell) for cell in HEADINGS]
    columns = _columns([heading, *rows.values()], terminal.columns)
    lines: list[Line] = [(Piece(_cells(heading, len(heading[0]), columns), "faint"),)]
    for module, group in groupby(found, key=lambda each: each.module):
        members = list(group)
        name = max(width(each.name) for each in members)
        lines += _family(module, members[0].family, terminal)
        for each in members:
            sentence = spell(first_sentence(each.doc))
            cells = _cells(rows[each.name], name, columns)
            lines += _lines(cells, sentence, columns, terminal.columns)
    about = wrapped(spell(ABOUT), terminal.columns)
    return [*lines, (), *((Piece(line, "faint"),) for line in about)]


def _row(each: Entry) -> tuple[str, ...]:
    op = each.op
    if op is None:
        call = each.usage.removeprefix("tr.").replace(", *", "")
        return (each.name, call, "", "", "")
    inputs = ", ".join(name for name in op.inputs if name in op.vjps)
    least = compiled_from(op)
    return (
        each.name,
        formula_of(op),
        inputs or "—",
        second_order(op),
        f"{least:,}" if least else "",
    )


def first_sentence(doc: str) -> str:
    """The first sentence of a help text.

    >>> first_sentence("As Ba et al. 2016 have it. Slope 1.")
    'As Ba et al. 2016 have it.'
    """
    paragraph = " ".join(doc.split("\n\n", 1)[0].split())
    found = re.match(r".+?(?<! al)\.(?= |$)", paragraph)
    return found[0] if found else paragraph


def _columns(rows: Sequence[Sequence[str]], whole: int) -> Columns:
    """Widths for so many columns in all. Where there is room, sentences stand beside the table."""
    others = [max(map(width, cells)) for cells in zip(*(row[2:] for row in rows), strict=True)]
    others[0] = min(others[0], MOST_INPUTS)
    room = whole - sum(others) - 2 * len(others) - INDENT
    wanted = max(width(row[0]) + 2 + min(width(row[1]), MOST_FORMULA) for row in rows)
    left = max(min(room, wanted), 24)
    beside = room - left - 3
    return Columns(left, tuple(others), beside if beside >= SENTENCE else 0)


def _family(module: str, name: str, terminal: Terminal) -> list[Line]:
    """The name of a family and the first line of its module, which says what it is."""
    about = (sys.modules[module].__doc__ or "").strip() if module in sys.modules else ""
    text = terminal.spell(f"{name}: {about.partition(chr(10))[0]}")
    return [(), *((Piece(line, "name"),) for line in wrapped(text, terminal.columns))]


def _lines(cells: str, sentence: str, columns: Columns, whole: int) -> list[Line]:
    if not columns.beside:
        return [(Piece(cells),), (Piece("      " + fit(sentence, whole - 6), "faint"),)]
    table = INDENT + columns.left + sum(columns.others) + 2 * len(columns.others)
    gap = " " * (table + 3 - width(cells))
    return [(Piece(cells), Piece(gap + fit(sentence, columns.beside), "faint"))]


def _cells(row: Sequence[str], name: int, columns: Columns) -> str:
    """One line of the table; operations of a family leave their formulas the same room."""
    room = columns.left - name - 2
    first = row[0] + " " * (name - width(row[0]) + 2) + (fit(row[1], room) if room > 3 else "")
    wide = (columns.left, *columns.others)
    cells = [fit(cell, limit) for cell, limit in zip((first, *row[2:]), wide, strict=True)]
    spaces = [" " * (limit - width(cell)) for cell, limit in zip(cells, wide, strict=True)]
    *most, last = (cell + space for cell, space in zip(cells, spaces, strict=True))
    return (" " * INDENT + "  ".join([*most, spaces[-1] + last.rstrip()])).rstrip()
