"""Pictures one after another as a single SVG that plays by itself, in a browser or in a README.

What stays the same from one frame to the next is there once: every stretch of cells is drawn once and is visible in the
frames that have it. Where a reader wants no motion, the last frame stands still.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rich.cells import cell_len

from tracer.diagrams.animation.showtimes import PAUSE, Showtimes, paced
from tui.recorder.glyphs import WIDTH
from tui.recorder.picture import Picture, Stretch
from tui.recorder.svg import MARGIN, colours, document, drawn, size_of

READING = 0.055
"""Seconds that a reader needs for a character of a caption."""
CAPTION = 24
"""Height of the strip below the screen that holds the captions."""


@dataclass(frozen=True)
class Frame:
    """A picture, the keys and the order that led to it, and a caption, until another one takes its place."""

    picture: Picture
    keys: str = ""
    order: str = ""
    caption: str = ""


def film(frames: Sequence[Frame], title: str = "gradstep", *, pause: float = PAUSE) -> str:
    """The frames as an SVG that plays over and over; each is seen for `pause` seconds, a new caption long enough."""
    first = frames[0].picture
    visible: dict[Stretch, int] = defaultdict(int)
    for number, frame in enumerate(frames):
        for stretch in frame.picture.stretches:
            if stretch.text.strip() or stretch.pen.paper != first.ground:
                visible[stretch] |= 1 << number
    groups: dict[int, list[Stretch]] = defaultdict(list)
    for stretch, mask in visible.items():
        groups[mask].append(stretch)
    seconds = durations(frames, pause)
    times = Showtimes(seconds)
    screen = [times.group(mask, drawn(found, first.ground)) for mask, found in groups.items()]
    around = [times.group(1 << number, _bar(frame, first)) for number, frame in enumerate(frames)]
    captions = [frame.caption for frame in frames]
    around += [
        times.group(mask, _caption(text, first)) for text, mask in _masks_of(captions).items()
    ]
    below = CAPTION if any(captions) else 0
    around.append(_progress(first, below))
    style = times.style(every="g[class]") + times.growing()
    words = "".join(f"{line}\n" for line in around if line)
    return document(first, title, screen, style=style, around=words, below=below)


def durations(frames: Sequence[Frame], pause: float) -> list[float]:
    """How many seconds each frame is seen."""
    seconds, before = [], ""
    for frame, least in zip(frames, paced(len(frames), pause), strict=True):
        reads = frame.caption != before
        seconds.append(max(least, READING * len(frame.caption)) if reads else least)
        before = frame.caption
    return seconds


def _masks_of(texts: Sequence[str]) -> dict[str, int]:
    """In which frames each text is seen."""
    found: dict[str, int] = defaultdict(int)
    for number, text in enumerate(texts):
        found[text] |= 1 << number
    return found


def _bar(frame: Frame, like: Picture) -> list[str]:
    """The keys that were pressed, as a cap at the right end of the bar, and the order that they gave, before it."""
    quiet, edge, front = colours(like)
    right = size_of(like)[0] - MARGIN
    elements = []
    if frame.keys:
        wide = (cell_len(frame.keys) + 2) * WIDTH
        right -= wide
        elements.append(
            f'<rect x="{right}" y="4" width="{wide}" height="18" rx="4" fill="{edge}"/>'
            f'<text x="{right + WIDTH}" y="17.5" fill="{front}" class="b">{escape(frame.keys)}</text>'
        )
    if frame.order:
        elements.append(
            f'<text x="{right - WIDTH}" y="17.5" text-anchor="end" fill="{quiet}">{escape(frame.order)}</text>'
        )
    return elements


def _caption(text: str, like: Picture) -> list[str]:
    """A line below the screen."""
    place = f'x="{MARGIN + WIDTH}" y="{size_of(like)[1] + 12}"'
    return [f'<text {place} fill="{colours(like).front}">{escape(text)}</text>'] if text else []


def _progress(like: Picture, below: int) -> str:
    """A thin line below all that grows while it plays."""
    width, height = size_of(like)
    place = f'x="{MARGIN}" y="{height + below - 5}" width="{width - 2 * MARGIN}" height="2"'
    return f'<rect class="p" {place} fill="{colours(like).edge}"/>'
