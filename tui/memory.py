"""What is remembered from one start to the next: theme, layout, speed, and what was typed after : and /."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tracer.files import write_whole

MOST_LINES = 500
"""So many lines of the prompt are kept."""
LONGEST = 2_000
"""A longer line is not kept."""
LARGEST_FILE = 4_000_000
"""A larger file is none of ours."""


@dataclass
class Memory:
    """What is remembered; `file` is where it is kept, None to keep it nowhere."""

    theme: str | None = None
    detail: int | None = None
    orientation: str | None = None
    speed: float | None = None
    history: list[str] = field(default_factory=list)
    file: Path | None = None

    def add(self, line: str) -> None:
        """Keep a line that was typed, unless it is the last one again.

        >>> memory = Memory()
        >>> for line in ("next 3", "next 3", "goto 4"):
        ...     memory.add(line)
        >>> memory.history
        ['next 3', 'goto 4']
        """
        line = line.strip()
        if line and len(line) <= LONGEST and self.history[-1:] != [line]:
            self.history = [*self.history, line][-MOST_LINES:]

    def save(self) -> bool:
        """Write it beside the file and rename it; whether that went well. Nothing else is harmed if it does not."""
        if self.file is None:
            return False
        facts = {name: fact for name, fact in asdict(self).items() if name != "file"}
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(facts, ensure_ascii=False, indent=1)
            write_whole(self.file, text.encode(), private=True)
        except (OSError, UnicodeError):
            return False
        return True


_KINDS: Mapping[str, tuple[type, ...]] = {
    "theme": (str,),
    "detail": (int,),
    "orientation": (str,),
    "speed": (float, int),
}


def recall(file: Path | None) -> Memory:
    """What a file remembers. What is not there, or is no longer what it was, is as if it had never been."""
    memory = Memory(file=file)
    facts = _facts(file)
    for each in fields(Memory):
        fact = facts.get(each.name)
        if isinstance(fact, _KINDS.get(each.name, ())) and not isinstance(fact, bool):
            setattr(memory, each.name, fact)
    lines = facts.get("history")
    for line in lines[-MOST_LINES:] if isinstance(lines, list) else ():
        if isinstance(line, str) and line.isprintable():
            memory.add(line)
    return memory


def _facts(file: Path | None) -> Mapping[str, Any]:
    try:
        if file is None or file.stat().st_size > LARGEST_FILE:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
