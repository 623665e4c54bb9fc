"""Beginning again: what a process that starts now would see and this one has kept from earlier."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import gallery
import tracer as tr
from tracer.recording import CURRENT, switched

_STARTED = time.time()
_HERE = Path(__file__).parent
_KEPT = (
    Path(os.__file__).parent,
    *(_HERE.parent / room for room in ("ops", "tracer", "gallery", "tui")),
)


@dataclass(frozen=True)
class Beginning:
    """Where this process stood before it ran somebody's program: folder, device, and the modules it had imported."""

    folder: Path = field(default_factory=Path.cwd)
    imported: frozenset[str] = field(default_factory=lambda: frozenset(sys.modules))
    device: str = field(default_factory=lambda: CURRENT.get().device)

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
        with contextlib.chdir(self.folder), switched(device=self.device):
            yield


def _is_theirs(file: Path) -> bool:
    """Whether a module is neither installed, nor compiled, nor ours."""
    installed = {"site-packages", "dist-packages"}.intersection(file.parts)
    return file.suffix == ".py" and not installed and not any(map(file.is_relative_to, _KEPT))


def _reread_gallery() -> None:
    """Read the rooms of the gallery again if a file of theirs has been edited since this process started.

    All of them, for an entry may be built by a module other than the one that was edited. The modules beside the rooms
    stay: they say what an entry is. So does an entry that somebody has added, or put in the place of another. A room
    that cannot be read raises what it raises, and all is as before.
    """
    rooms = {
        name: module
        for name, module in sys.modules.items()
        if name.startswith("gallery.") and (name.count(".") > 1 or hasattr(module, "__path__"))
    }
    if not any(map(_edited, rooms.values())):
        return
    names, sections = gallery.GALLERY, gallery.SECTIONS
    listed = {entry.name: entry for members in sections.values() for entry in members}
    added = {name: entry for name, entry in names.items() if entry is not listed.get(name)}
    _forget(rooms)
    try:
        importlib.reload(gallery)
    except BaseException:
        _forget([name for name in sys.modules if name in rooms])
        for name, module in rooms.items():
            sys.modules[name] = module
            if name.count(".") == 1:
                setattr(gallery, name.partition(".")[2], module)
        raise
    for kept, found in ((names, gallery.GALLERY), (sections, gallery.SECTIONS)):
        kept.clear()
        kept.update(found)  # type: ignore[arg-type]
    names.update(added)
    gallery.GALLERY, gallery.SECTIONS = names, sections  # which others have imported


def _edited(module: ModuleType) -> bool:
    """Whether its file has been written since this process started."""
    file = Path(module.__file__ or "")
    return file.is_file() and file.stat().st_mtime > _STARTED


def _forget(rooms: Iterable[str]) -> None:
    """Let modules of the gallery be imported anew."""
    for name in rooms:
        del sys.modules[name]
        if name.count(".") == 1:
            vars(gallery).pop(name.partition(".")[2], None)
