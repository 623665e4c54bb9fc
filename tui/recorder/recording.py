"""`gradstep record`: recorded sessions become pictures. The session says of what and how, unless the user does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tracer.diagrams.animation.showtimes import PAUSE
from tracer.files import write_whole
from tui.recorder.film import film
from tui.recorder.paper import picture_of, printed_by
from tui.recorder.picture import Picture
from tui.recorder.playing import play
from tui.recorder.saving import suffix_of
from tui.recorder.svg import svg
from tui.scripts import UsageError
from tui.sessions import Recorded, read_session
from tui.targets import resolve
from tui.theme import NAMES
from tui.workbench import LEAST

LARGEST = (400, 200)
"""The largest screen of a picture, in columns and rows."""
_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")


@dataclass(frozen=True)
class Wishes:
    """What the command line says; None leaves it to the session: `# size: 80x24`, `# animate: 0.5` in its head."""

    target: str | None = None
    size: str | None = None
    theme: str | None = None
    pause: float | None = None
    """Seconds that each screen is seen; the picture moves."""


def record(file: str, output: str | None = None, wishes: Wishes | None = None) -> Path:
    """Play the session in a file and write its last screen, or with `animate` every screen, one after the other.

    output: an .svg or .txt file, or a folder; without, an SVG of the name of the session, here. Returns what was
    written. Raises `UsageError` where the session or a wish makes no sense, `GradstepError` with the line of an order
    that fails.
    """
    wishes = wishes or Wishes()
    path = output_of(Path(file), output)
    session = read_session(file)
    if "command" in session.head:
        picture = printed(session, wishes)
        title = f"gradstep {session.head['command']}"
        return save(path, picture.text if path.suffix.lower() == ".txt" else svg(picture, title))
    size = size_of(wishes.size or session.head.get("size", "120x36"))
    theme = theme_of(wishes.theme or session.head.get("theme", NAMES[0]))
    pause = wishes.pause if wishes.pause is not None else pause_of(session)
    target = target_of(session, wishes.target, file)
    title = session.head.get("title", f"gradstep open {target}")
    frames = play(resolve(target), session.deeds, size=size, theme=theme)
    if path.suffix.lower() == ".txt":
        text = frames[-1].picture.text
    elif pause:
        text = film(frames, title, pause=pause)
    else:
        text = svg(frames[-1].picture, title)
    return save(path, text)


def printed(session: Recorded, wishes: Wishes) -> Picture:
    """The picture of what a command prints: `# command: verify batchnorm mine.txt` in the head of the session."""
    columns, _ = size_of(wishes.size or session.head.get("size", "100x36"))
    theme = theme_of(wishes.theme or session.head.get("theme", NAMES[0]))
    return picture_of(printed_by(session.head["command"], columns), columns, theme)


def save(path: Path, text: str) -> Path:
    """Write a picture. Raises `UsageError` where that cannot be done."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}\n  try: another folder"
        ) from None
    return path


def output_of(file: Path, output: str | None) -> Path:
    """Where the picture of a session goes."""
    name = f"{file.name.partition('.')[0]}.svg"
    if output is None:
        return Path(name)
    path = Path(output)
    if path.is_dir():
        return path / name
    suffix_of(path)
    return path


def target_of(session: Recorded, wish: str | None, file: str) -> str:
    """What the session is of."""
    target = wish or session.head.get("target")
    if not target:
        raise UsageError(
            f"{file} does not say what it is a session of\n"
            f"  try: --target batchnorm, or a first line  # target: batchnorm"
        )
    return target


def size_of(text: str) -> tuple[int, int]:
    """Columns and rows.

    >>> size_of("120x36")
    (120, 36)
    """
    found = _SIZE.fullmatch(text)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    fits = all(low <= n <= high for low, n, high in zip(LEAST, size, LARGEST, strict=True))
    if not fits:
        raise UsageError(
            f"{text} is no size of a screen: it is written 120x36, and goes from {LEAST[0]}x{LEAST[1]} to "
            f"{LARGEST[0]}x{LARGEST[1]}\n  try: --size 120x36"
        )
    return size


def theme_of(text: str) -> str:
    """The theme of that name."""
    if text not in NAMES:
        raise UsageError(
            f"there is no theme {text!r}: the themes are {', '.join(NAMES)}\n  try: --theme dark"
        )
    return text


def pause_of(session: Recorded) -> float:
    """How long a frame is seen, as the head of the session says; 0 for a session that stands still."""
    text = session.head.get("animate", "0")
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is no number of seconds\n  try: # animate: {PAUSE}") from None
