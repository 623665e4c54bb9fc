"""Breakpoints and watches that last: a small readable file of orders in the project of the user, `.gradstep`.

    [train.py]
    break xhat if norm(grad) > 1e3
    tbreak op:mul
    disable last
    watch norm(w1.grad) / norm(w1)

A section for each target. It is written when the debugger ends and something has changed, beside its place and then
renamed; what no longer fits a trace stays in it. Only the orders of ORDERS are obeyed, whatever the file says.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tracer.files import write_whole
from tui.orders import obey

if TYPE_CHECKING:
    from tracer.debugger import Debugger
    from tui.session import Session

FILE = ".gradstep"
ROOTS = (FILE, ".git", "pyproject.toml")
"""What the folder of a project has."""
OFF = "GRADSTEP_NO_STATE"
"""Set this variable to keep nothing."""
BEGIN = ("break", "tbreak", "watch")
MORE = ("disable last", "ignore last")
"""What a saved line may begin with: something that stops or shows, and what is said about the last one."""
LARGEST_FILE = 1_000_000
"""A larger file is none of ours."""
MOST = 1000
"""So many breakpoints and watches of a section are set."""

Block = tuple[str, ...]
"""A breakpoint or watch: its line, and what is said about it."""


@dataclass
class Project:
    """Where the breakpoints and watches of one target are kept.

    before: what the section said, as far as it fits the trace. unfit: the rest of it, which is written again. trouble:
    why the file is not touched.
    """

    file: Path
    section: str
    before: tuple[Block, ...] = ()
    unfit: tuple[Block, ...] = ()
    trouble: str = ""

    def restore(self, session: Session) -> None:
        """Set the breakpoints and watches of the last time; say how many, and which do not fit any more."""
        sections, self.trouble = read(self.file)
        unfit: list[Block] = []
        for number, block in enumerate(blocks_of(sections.get(self.section, ()))):
            if number >= MOST or block[0].partition(" ")[0] not in BEGIN:
                unfit.append(block)
                continue
            try:
                for line in block:
                    obey(session, line)
                    session.log.append(line)  # a saved session has them too
            except GradstepError:
                unfit.append(block)
        self.before = kept(session.debugger)
        self.unfit = tuple(unfit)
        session.say(self._said(session.debugger))
        if self.trouble or unfit:
            session.complain(
                self.trouble or "; ".join(filter(None, (session.message, self._lost())))
            )

    def begin(self, session: Session) -> None:
        """Take what is set now for what was there at the beginning: it is written only if the user changes it."""
        self.before = kept(session.debugger)

    def _said(self, debugger: Debugger) -> str:
        counts = (
            (len(debugger.breakpoints), "breakpoint", "s"),
            (len(debugger.watches), "watch", "es"),
        )
        words = [f"{n} {word}{'' if n == 1 else ending}" for n, word, ending in counts if n]
        return f"{' and '.join(words)} of the last time" if words else ""

    def _lost(self) -> str:
        lines = [block[0] for block in self.unfit if block[0].partition(" ")[0] in BEGIN]
        return f"kept in {FILE}, though not in this trace: {'; '.join(lines)}" if lines else ""

    def keep(self, session: Session) -> str:
        """Write what is set now, if it differs from what was read; returns why that could not be done, or nothing."""
        now = kept(session.debugger)
        if now == self.before or self.trouble:
            return ""
        sections, trouble = read(self.file)
        if trouble:
            return trouble
        lines = [line for block in (*self.unfit, *now) for line in block]
        try:
            write(self.file, {**sections, self.section: tuple(lines)})
        except OSError as error:
            return (
                f"breakpoints and watches are not kept: cannot write {self.file}: {error.strerror}"
            )
        self.before = now
        return ""


def project_of(target: str) -> Project | None:
    """Where a target keeps its breakpoints; None where nothing shall be kept.

    The file of a script lies in the project of the script; networks of the gallery and traces belong to that of the
    working directory. To be asked before a script runs, which may go to another folder.
    """
    if os.environ.get(OFF):
        return None
    head, colon, function = target.rpartition(".py:")
    path = Path(f"{head}.py" if colon else target).absolute()
    script = path.suffix == ".py"
    root = root_of(path.parent if script else Path.cwd())
    name = (
        path.relative_to(root).as_posix() if path.is_relative_to(root) and path.exists() else target
    )
    return Project(root / FILE, f"{name}:{function}" if colon and name != target else name)


def root_of(folder: Path) -> Path:
    """The folder of the project: the nearest one upwards with one of ROOTS, else the folder itself."""
    for each in (folder, *folder.parents):
        if any((each / name).exists() for name in ROOTS):
            return each
    return folder


# ----- what is kept


def kept(debugger: Debugger) -> tuple[Block, ...]:
    """The breakpoints and watches as orders; those in the opened parts of a node last only as long as the debugger."""
    outermost = debugger.outermost
    blocks = []
    for one in debugger.breakpoints:
        if one.selection.trace in (None, outermost):
            more = ["disable last"] if not one.enabled else []
            more += [f"ignore last {one.ignore}"] if one.ignore else []
            word = "tbreak" if one.temporary else "break"
            blocks.append((f"{word} {one.text}", *more))
    return (*blocks, *((f"watch {each.text}",) for each in debugger.watches))


def blocks_of(lines: Iterable[str]) -> list[Block]:
    """The blocks of a section. What is no order of ours is a block too: it is kept, and obeyed by nobody.

    >>> blocks_of(["break xhat", "disable last", "quit"])
    [('break xhat', 'disable last'), ('quit',)]
    """
    blocks: list[Block] = []
    for line in lines:
        if line.startswith(MORE) and blocks:
            blocks[-1] = (*blocks[-1], line)
        else:
            blocks.append((line,))
    return blocks


# ----- the file


def read(file: Path) -> tuple[dict[str, tuple[str, ...]], str]:
    """The lines of each section, those before the first under the empty name; and why it cannot be read, or nothing."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            return {}, f"{file} is too large to be a file of breakpoints: it is left as it is"
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"cannot read {file}: {error.strerror}: it is left as it is"
    except UnicodeDecodeError:
        return {}, f"{file} is not text in UTF-8: it is left as it is"
    sections: dict[str, list[str]] = {"": []}
    here = sections[""]
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            here = sections.setdefault(line[1:-1], [])
        elif line:
            here.append(line)
    return {name: tuple(lines) for name, lines in sections.items()}, ""


def write(file: Path, sections: dict[str, tuple[str, ...]]) -> None:
    """Write the sections that have lines; without any, there is no file. Raises `OSError`."""
    blocks = [
        "\n".join((*([f"[{name}]"] if name else []), *lines))
        for name, lines in sections.items()
        if lines
    ]
    if not blocks:
        file.unlink(missing_ok=True)
        return
    try:
        write_whole(file, ("\n\n".join(blocks) + "\n").encode())
    except UnicodeError as error:
        raise OSError(str(error)) from None
