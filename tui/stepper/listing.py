"""The kernels that there are, the trials and barriers of one: as lines, or as a document for other programs."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ops.cuda.kernel import FAMILIES, Kernel, Trial, kernels
from tui.printing import Line, Piece
from tui.scripts import UsageError

ABOUT: Mapping[str, str] = {
    "elementwise": "operations element by element, their derivatives, broadcasting",
    "reductions": "sums, means, extrema",
    "softmax": "softmax, its logarithm, cross-entropy",
    "norms": "normalisation by columns and by rows",
    "products": "products of matrices",
    "windows": "convolution and pooling",
    "recurrent": "recurrent cells over time",
    "moving": "copies, indexing, dropout",
}
NARROWEST = 30
MANY = 40
"""Of a larger family only the operations are listed with all other kernels."""
STEM = re.compile("_(?:value|flows|partials)")


def named(name: str) -> Kernel:
    """The kernel of that name. Raises `UsageError` with near ones where there is none."""
    known = kernels()
    if not name:
        raise UsageError("which kernel?\n  try: gradstep kernel, which lists them")
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    inside = [each for each in known if name.casefold() in each]
    close = list(dict.fromkeys([*inside[:3], *near]))[:3]
    cure = " or ".join(close) if close else "gradstep kernel, which lists them"
    raise UsageError(f"there is no kernel {name!r}\n  try: {cure}")


def table(columns: int) -> list[Line]:
    """All kernels below the names of their families, with a line of what each computes; of a large family the names."""
    lines: list[Line] = []
    for family in FAMILIES:
        here = sorted(each.name for each in kernels().values() if each.family == family)
        if not here:
            continue
        head = (Piece(family, "name"), Piece(f"  {ABOUT.get(family, '')}", "faint"))
        if len(here) > MANY:
            stems = "  ".join(dict.fromkeys(STEM.split(name)[0] for name in here))
            told = f"  {len(here)} kernels, value and flows of these; gradstep kernel {family} lists them"
            room = max(NARROWEST, columns - 2)
            lines += [
                (),
                head,
                *((Piece(f"  {row}", "parameter"),) for row in textwrap.wrap(stems, room)),
            ]
            lines += [(Piece(f"  {row}", "faint"),) for row in textwrap.wrap(told, room)]
        else:
            lines += [(), head, *_rows(here, columns)]
    typed = "gradstep kernel NAME steps through one, FILE.py:NAME through one of yours"
    return [*lines[1:], (), (Piece(typed, "faint"),)]


def family_table(family: str, columns: int) -> list[Line]:
    """The kernels of a family, with a line of what each computes."""
    here = sorted(each.name for each in kernels().values() if each.family == family)
    return list(_rows(here, columns))


def _rows(names: Sequence[str], columns: int) -> Iterator[Line]:
    wide = max(map(len, names), default=0)
    for name in names:
        doc = kernels()[name].doc
        first, *rest = textwrap.wrap(doc, max(NARROWEST, columns - wide - 4)) or [""]
        yield Piece(f"  {name:<{wide}}  ", "parameter"), Piece(first)
        for text in rest:
            yield (Piece(f"{'':<{wide + 4}}{text}"),)


def document() -> list[dict[str, Any]]:
    """All kernels, for other programs."""
    return [
        {
            "name": kernel.name,
            "family": kernel.family,
            "doc": kernel.doc,
            "arguments": kernel.arguments.split(),
            "launches": [list(launch) for launch in kernel.launches],
        }
        for kernel in kernels().values()
    ]


def trials_table(kernel: Kernel, trials: Sequence[Trial], usual: Trial) -> list[Line]:
    """The trials of a kernel by number, that which is taken without a word marked."""
    lines: list[Line] = []
    for number, trial in enumerate(trials):
        mark = "▸" if trial is usual else " "
        shapes = ", ".join(map(_shape, trial.arguments))
        said = f"{trial.what}  " if trial.what else ""
        lines.append(
            (Piece(f"{mark}{number:>3}  ", "parameter"), Piece(said), Piece(shapes, "faint"))
        )
    return [*lines, (Piece(f"gradstep kernel {kernel.name} --trial 0 takes the first", "faint"),)]


def _shape(argument: Any) -> str:
    if not isinstance(argument, np.ndarray):
        return str(argument)
    return f"{argument.dtype}[{','.join(map(str, argument.shape))}]"


def barriers_table(kernel: Kernel, there: Sequence[Any], told: Sequence[str] = ()) -> list[Line]:
    """The barriers of a kernel by number, with line and text; with what goes wrong without each, if that is told."""
    if not there:
        return [(Piece(f"{kernel.name} has no barriers"),)]
    lines: list[Line] = [
        (Piece(f"{each.number:>3}  ", "parameter"), Piece(f"line {each.line}  {each.text}"))
        for each in there
    ]
    if told:
        rows = zip(lines, told, strict=True)
        return [line for row, said in rows for line in (row, (Piece(f"     {said}", "faint"),))]
    typed = f"gradstep kernel {kernel.name} --without-barrier 0 takes the first one away"
    return [*lines, (Piece(typed, "faint"),)]
