"""The formats of a figure: for each suffix what it is, and the function that writes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tracer.errors import DiagramError

if TYPE_CHECKING:
    from tracer.diagrams.drawing import Diagram


class Format(NamedTuple):
    """One format."""

    about: str
    write: Callable[[Diagram], bytes | str]
    text: bool = True
    """Whether it is text that one may print."""
    needs_graphviz: bool = True
    moving: bool = False
    """Whether it shows all steps, one after another, at whichever the figure stands."""


def _dot(diagram: Diagram) -> str:
    return diagram.dot


def _svg(diagram: Diagram) -> str:
    from tracer.diagrams.writers.svg import svg_text

    return svg_text(
        diagram.drawn, diagram.palette, dark=diagram.palette_for_the_dark, title=diagram.title
    )


def _png(diagram: Diagram) -> bytes:
    return diagram.rendered("png")


def _pdf(diagram: Diagram) -> bytes:
    return diagram.rendered("pdf")


def _html(diagram: Diagram) -> str:
    from tracer.diagrams.stepper import stepper_page

    return stepper_page(diagram)


def _tex(diagram: Diagram) -> str:
    from tracer.diagrams.algebra.derivation import derivation_tex
    from tracer.diagrams.writers.tikz import tikz_text

    proof = derivation_tex(diagram.part, diagram.step)
    return tikz_text(diagram.drawn, diagram.palette, derivation=proof)


def _mmd(diagram: Diagram) -> str:
    from tracer.diagrams.writers.mermaid import mermaid_text

    return mermaid_text(diagram.picture, diagram.palette)


def _md(diagram: Diagram) -> str:
    from tracer.diagrams.writers.mermaid import mermaid_text

    return mermaid_text(diagram.picture, diagram.palette, fenced=True)


def _txt(diagram: Diagram) -> str:
    from tracer.diagrams.writers.plain_text import text_drawing

    return text_drawing(diagram.trace, position=diagram.step, settings=diagram.settings)


def _gif(diagram: Diagram) -> bytes:
    from tracer.diagrams.animation.saving import moving

    return moving(diagram, "gif")


def _apng(diagram: Diagram) -> bytes:
    from tracer.diagrams.animation.saving import moving

    return moving(diagram, "apng")


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "dot": Format("the DOT language of Graphviz", _dot, needs_graphviz=False),
        "gv": Format("the DOT language of Graphviz", _dot, needs_graphviz=False),
        "svg": Format("a drawing for the web", _svg),
        "png": Format("a picture", _png, text=False),
        "html": Format("a page to step through, in one file", _html),
        "pdf": Format("a page for print and slides", _pdf, text=False),
        "tex": Format("a page for LaTeX: the figure in TikZ, and its derivation", _tex),
        "mmd": Format("a flowchart in Mermaid", _mmd, needs_graphviz=False),
        "md": Format("the same, to be put into Markdown", _md, needs_graphviz=False),
        "txt": Format("a drawing in characters, as in the terminal", _txt, needs_graphviz=False),
        "gif": Format("all steps as a picture that plays", _gif, text=False, moving=True),
        "apng": Format("the same in full colours", _apng, text=False, moving=True),
    }
)


def format_of(target: Path, known: Collection[str] = FORMATS) -> str:
    """The format that the suffix of a path says. Raises `DiagramError` for another suffix, or where no file can be.

    >>> format_of(Path("bn.SVG"))
    'svg'
    """
    if "\0" in str(target):
        raise DiagramError(f"a file name holds no NUL character: {str(target)!r}")
    suffix = target.suffix.lower()
    if suffix[1:] not in known:
        what = f"unknown suffix {target.suffix!r}" if target.suffix else "no suffix"
        raise DiagramError(
            f"{target.name}: {what}\n  try: one of {listed(f'.{each}' for each in known)}"
        )
    if not target.parent.is_dir():
        raise DiagramError(f"there is no directory {target.parent}\n  try: make it first")
    if os.path.isdir(target):  # noqa: PTH112  # Path.is_dir raises for a name that is too long
        raise DiagramError(f"cannot write {target}: it is a directory\n  try: a file in it")
    return suffix[1:]


def listed(words: Iterable[str]) -> str:
    """Words as a sentence gives a choice.

    >>> listed(["dot", "svg", "png"])
    'dot, svg or png'
    """
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
