"""The user's editor, opened at the line that made a node."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from tracer.errors import GradstepError
from tracer.nodes import Node

LINE_BEHIND = frozenset({"hx", "helix", "subl", "kak", "micro", "zed"})
"""Editors that take `train.py:12`."""
GOTO = frozenset({"code", "codium", "code-insiders", "cursor"})
"""Editors that take `--goto train.py:12`."""


def editor_command(node: Node, environ: Mapping[str, str]) -> list[str]:
    """The command that opens the source line of a node. Raises `GradstepError` where there is no line or no editor."""
    place = node.place
    if place is None:
        raise GradstepError(f"it is not known where {node.label} was made: select another node")
    if not Path(place.file).is_file():
        raise GradstepError(
            f"{node.label} was not made in a file that is still there: {place.file}:{place.line}"
        )
    wanted = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        words = shlex.split(wanted)
    except ValueError:  # a quotation mark without its other
        raise GradstepError(f"the editor is set to {wanted}: export EDITOR=vim") from None
    if not words:
        raise GradstepError(
            f"no editor is set: export EDITOR=vim; the line is {place.file}:{place.line}"
        )
    if shutil.which(words[0], path=environ.get("PATH")) is None:
        raise GradstepError(f"the editor {words[0]} is not on the PATH: export EDITOR=vim")
    return [*words, *_at_line(Path(words[0]).stem, place.file, place.line)]


def _at_line(editor: str, file: str, line: int) -> list[str]:
    """How editors are told a file and a line.

    >>> _at_line("nvim", "a.py", 3), _at_line("code", "a.py", 3), _at_line("hx", "a.py", 3)
    (['+3', 'a.py'], ['--goto', 'a.py:3', '--wait'], ['a.py:3'])
    """
    if editor in GOTO:
        return ["--goto", f"{file}:{line}", "--wait"]
    return [f"{file}:{line}"] if editor in LINE_BEHIND else [f"+{line}", file]
