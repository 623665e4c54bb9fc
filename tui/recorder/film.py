"""Pictures one after another as a single SVG that plays by itself, in a browser or in a README.

What stays the same from one frame to the next is there once: every stretch of cells is drawn once and is visible in the
frames that have it. Where a reader wants no motion, the last frame stands still.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from rich.cells import cell_len

from tui.recorder.glyphs import WIDTH
from tui.recorder.picture import Picture, Stretch
from tui.recorder.svg import MARGIN, colours, document, drawn, size_of

LAST = 4
"""The last frame stays so many times as long as the others."""
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


def film(frames: Sequence[Frame], title: str = "gradstep", *, pause: float = 0.8) -> str:
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
    masks = Masks(seconds)
    screen = [masks.group(mask, drawn(found, first.ground)) for mask, found in groups.items()]
    around = [masks.group(1 << number, _bar(frame, first)) for number, frame in enumerate(frames)]
    captions = [frame.caption for frame in frames]
    around += [
        masks.group(mask, _caption(text, first)) for text, mask in _masks_of(captions).items()
    ]
    below = CAPTION if any(captions) else 0
    around.append(_progress(first, below))
    style = masks.style() + _growing(sum(seconds))
    words = "".join(f"{line}\n" for line in around if line)
    return document(first, title, screen, style=style, around=words, below=below)


def durations(frames: Sequence[Frame], pause: float) -> list[float]:
    """How many seconds each frame is seen."""
    seconds, before = [], ""
    for frame in frames:
        reads = frame.caption != before
        seconds.append(max(pause, READING * len(frame.caption)) if reads else pause)
        before = frame.caption
    seconds[-1] = max(seconds[-1], LAST * pause)
    return seconds


class Masks:
    """When what is seen: a class of CSS for each set of frames, as the bits of a number."""

    def __init__(self, seconds: Sequence[float]) -> None:
        self._starts = [0.0, *accumulate(seconds)]
        self._all = (1 << len(seconds)) - 1
        self._names: dict[int, str] = {}

    def group(self, mask: int, elements: Sequence[str]) -> str:
        """Elements that are visible in the frames of a mask."""
        if not elements:
            return ""
        inside = "".join(elements)
        if mask == self._all:
            return inside
        name = self._names.setdefault(mask, f"f{len(self._names)}")
        return f'<g class="{name}">{inside}</g>'

    def style(self) -> str:
        """The rules of the classes; without animation they show the last frame."""
        whole = self._starts[-1]
        rules = [f"g[class]{{animation:{whole:g}s step-end infinite}}"]
        for mask, name in self._names.items():
            shown = [bool(mask >> n & 1) for n in range(len(self._starts) - 1)]
            steps = "".join(
                f"{100 * start / whole:.4g}%{{visibility:{'visible' if on else 'hidden'}}}"
                for n, (on, start) in enumerate(zip(shown, self._starts, strict=False))
                if n == 0 or on != shown[n - 1]
            )
            still = "" if shown[-1] else "visibility:hidden;"
            rules.append(f"g.{name}{{{still}animation-name:{name}}}@keyframes {name}{{{steps}}}")
        rules.append("@media (prefers-reduced-motion:reduce){*{animation:none!important}}")
        return "\n".join(("", *rules))


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


def _growing(seconds: float) -> str:
    """The rule by which it grows."""
    return f"\n.p{{animation:p {seconds:g}s linear infinite}}@keyframes p{{from{{width:0}}}}"
