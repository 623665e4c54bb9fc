"""Writes a figure at several steps: the ending of the name says how."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.diagrams.animation.choosing import DRAWN, chosen_positions
from tracer.diagrams.animation.moving_picture import KINDS, moving_picture
from tracer.diagrams.animation.moving_svg import moving_svg
from tracer.diagrams.animation.numbered import is_numbered, latex_line, numbered
from tracer.diagrams.animation.pages import PAGES
from tracer.diagrams.animation.showtimes import PAUSE, paced
from tracer.diagrams.formats import format_of
from tracer.errors import DiagramError
from tracer.files import write_together

if TYPE_CHECKING:
    from tracer.diagrams.drawing import Diagram
    from tracer.diagrams.film import Film

MOVING = ("svg", *KINDS)
"""The formats that play by themselves."""
FRAMES = tuple(dict.fromkeys((*MOVING, *PAGES)))
"""All formats of figures at several steps."""


@dataclass(frozen=True)
class Saved:
    """What was written, and a line of LaTeX that shows it, if there is one."""

    files: tuple[Path, ...]
    latex: str = ""


def save_frames(
    diagram: Diagram, path: str | os.PathLike[str], which: str = DRAWN, *, pause: float = PAUSE
) -> Saved:
    """Write the figure at several steps, all of them or nothing.

    An .svg, .gif or .apng plays by itself, a frame for `pause` seconds; a .pdf, .png or .tex, and an .svg with `%02d`
    in its name, become numbered pages of one size. which: `drawn` for a frame whenever the picture changes, `all`
    steps, `node` for one after each node, or a range such as `10:20`.
    Raises `DiagramError` for another suffix, other frames, or a directory that is not there or cannot be written to.
    """
    target = Path(path)
    format = frames_format(target)
    if format in MOVING and not is_numbered(target):
        files = {target: moving(diagram, format, which, pause=pause)}
    else:
        film = _film(diagram, which)
        paths = numbered(target, len(film.frames))
        files = dict(zip(paths, PAGES[format](diagram, film), strict=True))
    try:
        write_together(files)
    except OSError as error:
        raise DiagramError(
            f"cannot write {error.filename or target}: {error.strerror or error}\n  try: another folder"
        ) from error
    return Saved(tuple(files), latex_line(tuple(files)) if len(files) > 1 else "")


def frames_format(target: Path) -> str:
    """The format of frames that a path asks for. Raises `DiagramError` for another, or where no file can be."""
    return format_of(target, PAGES if is_numbered(target) else FRAMES)


def _film(diagram: Diagram, which: str) -> Film:
    positions = chosen_positions(diagram.part, which)
    return diagram.film(positions, telling_only=which == DRAWN)


def moving(diagram: Diagram, format: str, which: str = DRAWN, *, pause: float = PAUSE) -> bytes:
    """The figure at several steps as an `svg`, a `gif` or an `apng` that plays."""
    film = _film(diagram, which)
    seconds = paced(len(film.frames), pause)
    if format in KINDS:
        return moving_picture(diagram, film, seconds, format)
    title = f"{replace(diagram, step=None).title}, step by step"
    dark = diagram.palette_for_the_dark
    return moving_svg(film, seconds, diagram.palette, dark=dark, title=title).encode()
