"""A film as one SVG that plays over and over; what stays from frame to frame is there once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tracer.diagrams.animation.showtimes import Showtimes
from tracer.diagrams.film import Film
from tracer.diagrams.palettes import Palette
from tracer.diagrams.strokes import Item
from tracer.diagrams.writers.svg import (
    Painter,
    by_class,
    decimal,
    page_text,
    painter_of,
    stroke_lines,
)

BAR = 2
"""How high the bar is that grows at the foot of the page while it plays."""


def moving_svg(
    film: Film,
    seconds: Sequence[float],
    palette: Palette,
    *,
    dark: Palette | None = None,
    title: str = "",
) -> str:
    """The film as an SVG file; each frame is seen so many seconds.

    It stops while a pointer rests on it, and shows the last frame where a reader wants no motion.
    """
    paint = painter_of(palette) if dark is None else by_class
    times = Showtimes(seconds)
    width, height = film.page
    parts = groupby(_elements(film, paint), key=lambda element: element[0])
    lines = [times.group(frames, [line for _, line in found]) for frames, found in parts]
    place = f'y="{decimal(height - BAR)}" width="{decimal(width)}" height="{BAR}"'
    lines.append(f'<g class="bar"><rect {_classed(paint("cluster_edge", ""), "p")} {place}/></g>')

    def rules(mark: str) -> str:
        root, prefix = f"#{mark} ", f"{mark}-"
        stopped = f"\n#{mark}:hover *{{animation-play-state:paused}}"
        return (
            times.style(every="g[class^=f]", root=root, prefix=prefix)
            + times.growing(root=root, prefix=prefix)
            + stopped
        )

    return page_text((width, height), lines, palette, dark=dark, title=title, rules=rules)


def _classed(attributes: str, name: str) -> str:
    """Attributes with one class more."""
    before, found, after = attributes.strip().partition('class="')
    return f'{before}class="{name} {after}' if found else f'class="{name}" {before}'


def _elements(film: Film, paint: Painter) -> Iterator[tuple[int, str]]:
    """The elements in painting order, each with the frames in which it is seen, as bits."""
    for number, actor in enumerate(film.actors):
        seen = [0] * len(actor.looks)
        for n, frame in enumerate(film.frames):
            if frame.looks[number] >= 0:
                seen[frame.looks[number]] |= 1 << n
        yield from _merged(zip(actor.looks, seen, strict=True), paint)
    captions = [film.caption(n) for n in range(len(film.frames))]
    yield from _merged(((said, 1 << n) for n, said in enumerate(captions) if said), paint)


def _merged(looks: Iterable[tuple[Item, int]], paint: Painter) -> list[tuple[int, str]]:
    """The elements of all looks of one actor. One that two looks share is there once, where both paint it."""
    found: list[tuple[int, str]] = []
    for look, frames in looks:
        if not frames:
            continue
        at = 0
        for line in stroke_lines(look.strokes, paint):
            same = (k for k in range(at, len(found)) if found[k][1] == line)
            k = next(same, None)
            if k is None:
                found.insert(at, (frames, line))
            else:
                at, found[k] = k, (found[k][0] | frames, line)
            at += 1
    return found
