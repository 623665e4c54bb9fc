"""Beginning again: what a process that starts now would see and this one has kept from earlier."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tracer as tr
from gallery import GALLERY, Entry

_STARTED = time.time()
_HERE = Path(__file__).parent
_KEPT = (
    Path(os.__file__).parent,
    *(_HERE.parent / room for room in ("ops", "tracer", "gallery", "tui")),
)


@dataclass(frozen=True)
class Beginning:
    """Where this process stood before it ran somebody's program: its folder, and the modules it had imported."""

    folder: Path = field(default_factory=Path.cwd)
    imported: frozenset[str] = field(default_factory=lambda: frozenset(sys.modules))

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Stand there again: the user's modules are imported anew, and random seeds start as in a new process."""
        importlib.invalidate_caches()
        for name, found in list(sys.modules.items()):
            file = getattr(found, "__file__", None)
            if name not in self.imported and name != "__main__" and file and _is_theirs(Path(file)):
                del sys.modules[name]
        _reread_gallery()
        tr.manual_seed(0)
        with contextlib.chdir(self.folder):
            yield


def _is_theirs(file: Path) -> bool:
    """Whether a module is neither installed, nor compiled, nor ours."""
    installed = {"site-packages", "dist-packages"}.intersection(file.parts)
    return file.suffix == ".py" and not installed and not any(map(file.is_relative_to, _KEPT))


def _reread_gallery() -> None:
    """Read the modules of the gallery again that have been edited since this process started."""
    for module in {sys.modules[entry.build.__module__] for entry in GALLERY.values()}:
        if module.__file__ and Path(module.__file__).stat().st_mtime > _STARTED:
            found = vars(importlib.reload(module)).values()
            entries = (each for each in found if isinstance(each, Entry) and each.name in GALLERY)
            GALLERY.update((each.name, each) for each in entries)
