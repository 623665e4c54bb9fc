r"""The names of numbered pages, and the line of LaTeX that shows them one after another.

>>> from pathlib import Path
>>> [path.name for path in numbered(Path("bn.pdf"), 2)], [path.name for path in numbered(Path("bn-%d.pdf"), 2)]
(['bn-00.pdf', 'bn-01.pdf'], ['bn-0.pdf', 'bn-1.pdf'])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tracer.errors import DiagramError

_PLACE = re.compile(r"%(0?)([1-9]?)d")
_FOR_TEX = re.compile(r"[A-Za-z0-9_.+/-]+")


def is_numbered(path: Path) -> bool:
    """Whether a name says where the number stands, as `bn-%02d.svg` does."""
    return _PLACE.search(path.name) is not None


def numbered(path: Path, count: int) -> list[Path]:
    """The paths of so many pages, from 0: the number stands where the name says `%02d`, else at its end.

    Raises `DiagramError` where the name has two places for it.
    """
    name = path.name if is_numbered(path) else f"{path.stem}-%0{_digits(count)}d{path.suffix}"
    pieces = _PLACE.split(name)
    if len(pieces) != 4:
        raise DiagramError(f"{path.name} has more than one place for a number\n  try: one %02d")
    before, zero, width, after = pieces
    return [path.with_name(f"{before}{k:{zero}{width}d}{after}") for k in range(count)]


def _digits(count: int) -> int:
    return max(2, len(f"{count - 1}"))


def latex_line(paths: Sequence[Path]) -> str:
    r"""The line for a frame of a beamer presentation that shows pages one after another, with `\usepackage{pgffor}`.

    Empty for pages that LaTeX does not read, or whose names it does not.

    >>> latex_line([Path("bn-0.pdf"), Path("bn-1.pdf")])
    '\\foreach \\n in {0,...,1} {\\includegraphics<+>[width=\\linewidth]{bn-\\n}}'
    >>> latex_line([Path("bn-00.tex"), Path("bn-01.tex")])
    '\\foreach \\n in {0,...,1} {\\only<+>{\\resizebox{\\linewidth}{!}{\\input{bn-\\ifnum\\n<10 0\\fi\\n}}}}'
    """
    first, suffix = paths[0].with_suffix("").as_posix(), paths[0].suffix.lower()
    zeros = len(first) - len(first.rstrip("0"))
    before = first[: len(first) - zeros]
    if not zeros or not _FOR_TEX.fullmatch(before) or suffix not in (".pdf", ".png", ".tex"):
        return ""
    number = "".join(rf"\ifnum\n<{10**k} 0\fi" for k in range(zeros - 1, 0, -1)) + r"\n"
    file = f"{{{before}{number}}}"
    shown = (
        rf"\only<+>{{\resizebox{{\linewidth}}{{!}}{{\input{file}}}}}"
        if suffix == ".tex"
        else rf"\includegraphics<+>[width=\linewidth]{file}"
    )
    return rf"\foreach \n in {{0,...,{len(paths) - 1}}} {{{shown}}}"
