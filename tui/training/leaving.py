"""What is left of a training: the traces that were kept, its plots and its numbers, in files and as text."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gallery.history import History
from tui.document import plain
from tui.exporting import file_name
from tui.scripts import UsageError
from tui.training.plan import Plan

FORMAT, VERSION = "gradstep-train", 1
TRACE = ".trace"


def check_places(options: argparse.Namespace) -> None:
    """Refuse places where nothing can be written, before anything is trained.

    Raises `UsageError`, or `DiagramError` for a plot in an unknown format.
    """
    if options.plot is not None:
        from tracer.diagrams.formats import format_of
        from tracer.plots.saving import FORMATS

        format_of(Path(options.plot), FORMATS)
        _try_to_write(Path(options.plot).parent)
    if options.output is not None:
        place = Path(options.output)
        folder = place.parent if place.suffix == TRACE else place
        there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
        if not there.is_dir():
            raise UsageError(
                f"{there} is a file, so traces cannot be saved in it\n  try: -o FOLDER, or -o FILE.trace"
            )
        _try_to_write(folder)


def _try_to_write(folder: Path) -> None:
    """Make the folder, and a file in it that goes away again. Raises `UsageError` where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write into {folder}: {error.strerror}\n  try: another folder"
        ) from None


def save_traces(history: History, plan: Plan, place: str) -> dict[int, Path]:
    """Save every trace that was kept, into a folder, or to a file, numbered if there are several; the file of each.

    Raises `UsageError` where that cannot be done.
    """
    target = Path(place)
    if target.suffix == TRACE:
        folder, stem = target.parent, f"{target.stem}-step"
    else:
        folder, stem = target, f"{file_name(plan.title)}-step"
    files: dict[int, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for step, trace in history.traces.items():
            alone = target.suffix == TRACE and len(history.traces) == 1
            file = target if alone else folder / f"{stem}{step}{TRACE}"
            trace.save(file)
            files[step] = file
    except OSError as error:
        raise UsageError(
            f"cannot save into {folder}: {error.strerror}\n  try: another folder"
        ) from None
    return files


def free_folder(plan: Plan) -> Path:
    """A folder of the training's name that is not there yet, in the folder where one is."""
    name = file_name(plan.title)
    folder, count = Path(f"{name}-steps"), 1
    while folder.exists():
        count += 1
        folder = Path(f"{name}-steps-{count}")
    return folder


def opened(file: Path) -> str:
    """What one types to step through a saved trace."""
    return f"gradstep open {shlex.quote(str(file))}"


def document(history: History, plan: Plan, files: Mapping[int, Path]) -> dict[str, Any]:
    """A training as JSON values; a number that is not finite is a word."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": plan.entry.name,
        "settings": plan.settings,
        "steps": history.count,
        "losses": _numbers(history.losses),
        "measures": {
            name: {"steps": at.tolist(), "values": _numbers(values)}
            for name, (at, values) in history.measures.items()
        },
        "layers": {
            name: dict(zip(layer[0]._fields, map(_numbers, np.array(layer).T), strict=True))
            for name, layer in history.layers.items()
        },
        "kept": {str(step): str(files[step]) if step in files else None for step in history.traces},
        "trouble": history.trouble,
        "claim": plan.training.claim,
    }


def _numbers(values: Iterable[float]) -> list[Any]:
    return [plain(x) for x in values]
