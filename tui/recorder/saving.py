"""Writes the screen that is running now: as an SVG, or as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui.orders.keeping import free, moment_name, write
from tui.recorder.camera import picture_of
from tui.recorder.svg import svg

if TYPE_CHECKING:
    from tui.workbench import Workbench

SUFFIXES = (".svg", ".txt")


def save_screen(app: Workbench, text: str) -> None:
    """Write the screen to a file of this name, or of one that says the moment.

    Raises `GradstepError` for another ending than .svg and .txt, and where it cannot be written.
    """
    session = app.session
    file = free(text or f"{moment_name(session)}-screen.svg")
    kind = suffix_of(file)
    picture = picture_of(app)
    write(file, svg(picture, f"gradstep {session.title}") if kind == ".svg" else picture.text)
    session.say(f"wrote {file}")


def suffix_of(file: Path) -> str:
    """How a picture of the screen is written, by the ending of its name. Raises `GradstepError` for any other."""
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise GradstepError(f"{file.name}: a screen is written as {' or '.join(SUFFIXES)}")
    return suffix
