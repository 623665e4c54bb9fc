"""Orders that write files: figures, pictures of the screen, and the session itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tracer.files import write_whole
from tui.exporting import file_name, remarks
from tui.orders.order import KEEP, Order, path_of
from tui.sessions import written

if TYPE_CHECKING:
    from tui.session import Session


def _export(session: Session, text: str) -> None:
    """The figure of what is looked at: the opened parts or the trace, the scope, the moment, the theme."""
    from tracer.diagrams import THEMES
    from tracer.diagrams.drawing import AUTO

    *names, theme = text.rsplit(maxsplit=1) or [""]
    if theme not in {*THEMES, AUTO}:
        names, theme = [text], "dark" if session.dark else "light"
    name = " ".join(names)
    network = session.network if not session.debugger.depth else None
    figure = session.trace.diagram(
        style=network.entry.style if network is not None else None,
        step=session.debugger.position,
        theme=theme,
        scope=".".join(map(str, session.scene().scope)) or None,
    )
    file = free(name or f"{moment_name(session)}.svg")
    try:
        figure.save(file)
    except OSError as error:
        raise _unwritable(file, error) from None
    said = "" if not name or str(file) == name else f", for {name} was there"
    session.say("; ".join((f"wrote {file}{said}", *remarks(figure, file.suffix[1:].lower()))))


def _save(session: Session, text: str) -> None:
    target = session.network.entry.name if session.network is not None else session.title
    file = free(text or f"{file_name(target) or 'session'}.session.txt")
    write(file, written(session.log, target=target, size=session.size))
    session.say(f"wrote {file}: gradstep open {target} -x {file} does it all again")


def write(file: Path, text: str) -> None:
    """Write a text file, whole or not at all. Raises `GradstepError` where that cannot be done."""
    try:
        write_whole(file, text.encode(errors="replace"))
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> GradstepError:
    return GradstepError(f"cannot write {file}: {error.strerror}: try another folder")


def free(name: str) -> Path:
    """A path that no file has yet: this one, else with a number behind the name. Raises `GradstepError` for no path.

    >>> free("no-such-file.svg").name
    'no-such-file.svg'
    """
    wanted = path = path_of(name)
    if not wanted.name:
        raise GradstepError(f"{name} is a folder: try a file in it")
    number = 1
    while path.exists():
        number += 1
        path = wanted.with_stem(f"{wanted.stem}-{number}")
    return path


def moment_name(session: Session) -> str:
    """What a file of this moment is called: title, opened parts and step, such as `batchnorm-step65`."""
    names = filter(None, map(file_name, (session.title or "trace", *session.path)))
    return f"{'-'.join(names)}-step{session.debugger.position}"


ORDERS: tuple[Order, ...] = (
    Order("export", "[FILE] [THEME]", "write the figure of this step: .svg .png .pdf .html .tex .dot, or .gif of all",
          _export, KEEP, long=lambda session, text: True),
    Order("screenshot", "[FILE]", "write the screen: .svg or .txt", None, KEEP),
    Order("save", "[FILE]", "write the orders given so far; gradstep open TARGET -x FILE does them again", _save, KEEP),
)  # fmt: skip
