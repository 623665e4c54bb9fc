"""Noticing that a source file has been edited since the run was recorded. Views go on showing the recorded source."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tracer.places import SourceFile, read_source

PAUSE = 1.0
"""Seconds between two looks at the files."""


class SourceWatch:
    """Which of the files of a run have changed: times and sizes are looked at first, and only then the text."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._sources: Mapping[str, SourceFile] | None = None
        self._seen: dict[str, tuple[int, int]] = {}
        self._changed: frozenset[str] = frozenset()
        self._next = 0.0

    def changed(self, sources: Mapping[str, SourceFile]) -> frozenset[str]:
        """The files that differ from what was recorded; files that are gone, and notebook cells, do not count."""
        now = self.clock()
        if sources is not self._sources:
            self._sources, self._seen, self._changed = sources, {}, frozenset()
        elif now < self._next:
            return self._changed
        self._next = now + PAUSE
        for file, recorded in sources.items():
            try:
                facts = Path(file).stat()
            except (OSError, ValueError):
                continue
            seen = facts.st_mtime_ns, facts.st_size
            if self._seen.get(file) != seen:
                self._seen[file] = seen
                found = read_source(file)
                same = found is None or found.sha256 == recorded.sha256
                self._changed = self._changed - {file} if same else self._changed | {file}
        return self._changed
