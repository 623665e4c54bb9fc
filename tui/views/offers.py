"""The line above the prompt: what may be typed, dim; the one that is chosen, marked."""

from __future__ import annotations

from rich.cells import cell_len

from tracer.cells.meanings import Kind, Look
from tracer.cells.widths import visible
from tui.completion import Offer
from tui.ink import Line, Span, clip, elide, span


def offer_line(offer: Offer, chosen: int | None, width: int) -> Line:
    """The words that fit, the chosen one among them, and which of how many it is; else the usage, or what is wrong."""
    if offer.wrong:
        return (span(elide(f" {offer.wrong} ", width), Kind.WARN),)
    if not offer.words:
        return clip((span(f" {offer.usage}", Kind.FAINT),), width) if offer.usage else ()
    count = f" {'' if chosen is None else f'{chosen + 1}/'}{len(offer.words)} "
    room = width - cell_len(count) - 1
    words = [elide(visible(word), room // 2) for word in offer.words]
    first = _first_shown([cell_len(word) + 2 for word in words], chosen or 0, room)
    line: list[Span] = [span(" " if not first else "…", Kind.FAINT)]
    for number, word in enumerate(words[first:], first):
        size = cell_len(word) + 2
        if size > room:
            break
        room -= size
        here = number == chosen
        line.append(
            span(
                f" {word} ", Kind.NAME if here else Kind.FAINT, Look.CURRENT if here else Look.PLAIN
            )
        )
    line += [span(" " * room), span(count, Kind.FAINT)]
    return tuple(line)


def _first_shown(sizes: list[int], chosen: int, room: int) -> int:
    """The first word that is shown, so that the chosen one fits: whole pages, so that the words stand still."""
    first = used = 0
    for number, size in enumerate(sizes[: chosen + 1]):
        if used + size > room:
            first, used = number, 0
        used += size
    return first
