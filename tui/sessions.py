"""Recorded sessions: readable files of orders, that open again, and that pictures are made from.

    # gradstep 0.1.0
    # target: batchnorm
    # size: 120x36

    next 10
    # the gradient of xhat has two uses
    break xhat

Lines of `# word: value` before the first order say what the session is of; a later comment is the caption of the orders
that follow it. `# title: ...` stands above its picture in place of the command that opens the target. `# command:
verify batchnorm` in place of a target and orders is the page that the command prints.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tracer.errors import GradstepError
from tracer.versions import VERSIONS

FORGOTTEN = frozenset(
    "ask play help redraw suspend quit save export screenshot palette jump".split()
)
"""Orders that change nothing that could be seen again, or write files: a saved session leaves them out."""
_FACT = re.compile(r"#\s*(\w+):\s*(.+)")


@dataclass(frozen=True)
class Deed:
    """An order of a session, where it stands in the file, and the caption above it."""

    order: str
    place: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Recorded:
    """A session in a file: what its head says, by word, and its orders."""

    deeds: tuple[Deed, ...]
    head: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def read_session(file: str | Path) -> Recorded:
    """The session in a file. Raises `GradstepError` for a file that cannot be read."""
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise GradstepError(f"cannot read the session {file}: {reason}") from None
    return parsed(text, path.name)


def parsed(text: str, name: str = "session") -> Recorded:
    """The session that a text is.

    >>> found = parsed("# target: rnn\\n\\nnext 3\\n# look\\nzoom")
    >>> found.head["target"], [(deed.order, deed.caption) for deed in found.deeds]
    ('rnn', [('next 3', ''), ('zoom', 'look')])
    """
    head: dict[str, str] = {}
    deeds: list[Deed] = []
    caption, in_head = "", True
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        fact = _FACT.fullmatch(line) if in_head else None
        if fact is not None:
            head[fact[1]] = fact[2]
        elif line.startswith("#"):
            caption = "" if in_head else line.lstrip("# ")
        elif line:
            deeds.append(Deed(line, f"{name}:{number}: ", caption))
        in_head = in_head and line.startswith("#")
    return Recorded(tuple(deeds), MappingProxyType(head))


def written(orders: Iterable[str], *, target: str, size: tuple[int, int] | None = None) -> str:
    """The file of a session: its head, then the orders that can be seen again, a line each."""
    head = [f"# gradstep {VERSIONS['gradstep']}", f"# target: {target}"]
    head += [f"# size: {size[0]}x{size[1]}"] if size is not None else []
    kept = [line for line in orders if line.partition(" ")[0] not in FORGOTTEN]
    return "\n".join((*head, "", *kept, ""))


def kept_for_report(
    orders: Iterable[str], *, target: str, size: tuple[int, int] | None = None
) -> str:
    """Keep the session of a fault of ours in a temporary file; the words that say where, none if that fails too."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="gradstep-session-", suffix=".txt", delete=False
        ) as file:
            file.write(written(orders, target=target, size=size))
    except OSError:
        return ""
    return f"; the session is kept in {file.name}"
