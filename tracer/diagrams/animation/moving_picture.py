"""A film as one animated GIF or PNG: Graphviz draws the frames, Pillow puts them together."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ops.primitive import Array
from tracer.diagrams.animation.pages import png_pages
from tracer.diagrams.layout.drawn import ROLES
from tracer.diagrams.palettes import Palette
from tracer.errors import DiagramError

if TYPE_CHECKING:
    from tracer.diagrams.drawing import Diagram
    from tracer.diagrams.film import Film

SHARPEST, COARSEST = 110.0, 45.0
"""Dots to the inch: of a figure of usual size, and where letters can just be read."""
WIDEST = 2000
"""Dots across a picture; a wider figure is drawn smaller."""
MOST_BYTES = 250_000_000
"""What all frames together may take; Pillow needs some three times as much memory to write them."""
COLOURS = 255
"""The colours of a GIF; one more stands for what stays as it was."""
KINDS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "gif": {"format": "GIF", "optimize": True, "disposal": 1},
        "apng": {"format": "PNG"},
    }
)
"""The formats, and what Pillow needs to know to write them."""


def moving_picture(diagram: Diagram, film: Film, seconds: Sequence[float], format: str) -> bytes:
    """The film as the bytes of a `gif` or an `apng`; each frame is seen so many seconds, over and over.

    Raises `DiagramError` where Pillow is missing, or for a film that is too large.
    """
    image = _pillow()
    dpi = _resolution(film, 3 if format == "apng" else 1)
    pages = list(png_pages(diagram, film, dpi))
    frames = (image.open(io.BytesIO(page)).convert("RGB") for page in pages)
    if format == "gif":
        inks = _Inks(image, pages, diagram.palette)
        frames = (inks.numbered(frame) for frame in frames)
    first, *others = frames
    out = io.BytesIO()
    milliseconds = [
        10 * max(2, round(100 * each)) for each in seconds
    ]  # no browser shows a GIF faster
    first.save(
        out, save_all=True, append_images=others, duration=milliseconds, loop=0, **KINDS[format]
    )
    return out.getvalue()


def _pillow() -> Any:
    try:
        return import_module("PIL.Image")
    except ImportError:
        raise DiagramError(
            "an animated picture needs Pillow, which is not here\n"
            "  try: pip install 'gradstep[diagrams]', or an .svg, which needs nothing"
        ) from None


def _resolution(film: Film, depth: int) -> float:
    """Dots to the inch at which the frames are not too wide, and fit into memory."""
    inches = [length / 72 for length in film.page]
    area = inches[0] * inches[1] * len(film.frames) * depth
    dpi = min(SHARPEST, max(COARSEST, WIDEST / inches[0]), math.sqrt(MOST_BYTES / area))
    if dpi < COARSEST:
        raise DiagramError(
            f"{len(film.frames)} frames of this size are too large for a picture that plays\n"
            "  try: fewer of them, or an .svg"
        )
    return dpi


class _Inks:
    """Colours that serve all frames of a GIF: those of the theme as they are, and blends for soft edges."""

    def __init__(self, image: Any, pages: Sequence[bytes], palette: Palette) -> None:
        self._image = image
        seen = np.zeros(1 << 24, dtype=bool)
        for page in pages:
            seen[_packed(image.open(io.BytesIO(page)).convert("RGB"))] = True
        own = np.unique(
            [int.from_bytes(bytes.fromhex(palette.of(role)[1:]), "little") for role in ROLES]
        )
        own = own[seen[own]]
        found = np.setdiff1d(np.flatnonzero(seen), own)
        blends = self._blended(found, COLOURS - len(own))
        inks = np.concatenate([_unpacked(own), blends])
        self._numbers = [int(number) for number in inks.ravel()]
        self._nearest = np.zeros(1 << 24, dtype=np.uint8)
        for some in np.array_split(found, 1 + len(found) // 4096):
            apart = _unpacked(some)[:, None, :] - inks[None, :, :]
            self._nearest[some] = np.argmin((apart**2).sum(axis=2), axis=1)
        self._nearest[own] = np.arange(len(own))

    def _blended(self, colours: Array, count: int) -> Array:
        """At most so many colours in place of these."""
        if len(colours) <= count:
            return _unpacked(colours)
        strip = self._image.fromarray(_unpacked(colours).astype(np.uint8)[None])
        made = strip.quantize(count, method=self._image.Quantize.FASTOCTREE)
        return np.array(made.getpalette(), dtype=np.int64).reshape(-1, 3)[:count]

    def numbered(self, frame: Any) -> Any:
        """A frame whose points are numbers of colours."""
        made = self._image.frombytes("P", frame.size, self._nearest[_packed(frame)].tobytes())
        made.putpalette(self._numbers)
        return made


def _packed(frame: Any) -> Array:
    """A number for the colour of each point: red and 256 green and 65,536 blue."""
    return np.frombuffer(frame.convert("RGBX").tobytes(), dtype="<u4") & 0xFFFFFF


def _unpacked(colours: Array) -> Array:
    """Red, green and blue of such numbers."""
    return np.stack([colours & 255, colours >> 8 & 255, colours >> 16], axis=-1).astype(np.int64)
