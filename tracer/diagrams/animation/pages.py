"""A figure at several steps as pages of one size: nothing moves when they are shown one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from tracer.diagrams.film import Film
from tracer.diagrams.layout.drawn import PAD
from tracer.diagrams.layout.rendering import PNG_DPI, rendered_each
from tracer.diagrams.layout.writing import dot_text
from tracer.diagrams.measure import text_width
from tracer.diagrams.picture import Joint, Picture, Run
from tracer.diagrams.writers.svg import svg_text

if TYPE_CHECKING:
    from tracer.diagrams.drawing import Diagram

LABEL = 24.0
"""Points that Graphviz wants beside a caption."""
Pages = Callable[["Diagram", Film], Iterator[bytes]]


def _svg(diagram: Diagram, film: Film) -> Iterator[bytes]:
    for number, frame in enumerate(film.frames):
        title = replace(diagram, step=frame.position).title
        page = svg_text(
            film.drawn(number), diagram.palette, dark=diagram.palette_for_the_dark, title=title
        )
        yield page.encode()


def _tex(diagram: Diagram, film: Film) -> Iterator[bytes]:
    from tracer.diagrams.writers.tikz import tikz_text

    for number in range(len(film.frames)):
        yield tikz_text(film.drawn(number), diagram.palette).encode()


def _pdf(diagram: Diagram, film: Film) -> Iterator[bytes]:
    return rendered_each(dot_pages(diagram, film), "pdf")


def png_pages(diagram: Diagram, film: Film, dpi: float = PNG_DPI) -> Iterator[bytes]:
    """The pages as pictures."""
    return rendered_each(dot_pages(diagram, film), "png", dpi=dpi)


PAGES: Mapping[str, Pages] = MappingProxyType(
    {"svg": _svg, "pdf": _pdf, "png": png_pages, "tex": _tex}
)
"""What writes the pages in each format."""


def dot_pages(diagram: Diagram, film: Film) -> list[str]:
    """The pages in DOT: every caption has the same number of lines, and two corners keep the figure in place."""
    lines = max((len(frame.caption) for frame in film.frames), default=0)
    said = [text_width(line) for frame in film.frames for line in frame.caption]
    left, low = film.corner
    across = max(film.width - 2 * PAD, max(said, default=0.0) + LABEL)
    corners = (
        Joint("corner0", dot=False, at=(left, low)),
        Joint("corner1", dot=False, at=(left + across, low + film.height - 2 * PAD)),
    )
    return [
        dot_text(_framed(diagram.pinned_at(frame.position), corners, lines), diagram.palette)
        for frame in film.frames
    ]


def _framed(picture: Picture, corners: Sequence[Joint], lines: int) -> Picture:
    blank = (Run(" ", "quiet", 11),)
    caption = (*picture.caption, *(blank for _ in range(lines - len(picture.caption))))
    return replace(picture, shapes=(*picture.shapes, *corners), caption=caption)
