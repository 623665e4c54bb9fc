"""The progress of the quiz, in the user's state folder: `~/.local/state/gradstep/quiz.json`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tracer.files import write_whole
from tracer.quizzing.progress import Progress, from_text, to_text
from tui.projects import OFF
from tui.settings import state_file

NAME = "quiz.json"
LARGEST_FILE = 1_000_000
"""A larger file is none of ours."""


class Kept(NamedTuple):
    """The progress that a file holds, and why it holds none, if something is wrong with it."""

    progress: Progress
    trouble: str = ""


def quiz_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file of the progress; None where nothing shall be kept."""
    return None if environment.get(OFF) else state_file(environment, NAME)


def recall(file: Path | None) -> Kept:
    """What a file holds; a broken one is told of, and holds nothing."""
    if file is None:
        return Kept(Progress())
    try:
        if file.stat().st_size > LARGEST_FILE:
            return Kept(Progress(), f"{file} is too large to be the progress of a quiz")
        found = from_text(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Kept(Progress())
    except OSError as error:
        return Kept(Progress(), f"cannot read {file}: {error.strerror or error}")
    except UnicodeDecodeError:
        found = None
    return Kept(Progress(), f"{file} is no progress of a quiz") if found is None else Kept(found)


def keep(file: Path | None, answers: list[tuple[str, str, bool]]) -> str:
    """Add answers to what the file holds by now; returns why that could not be done, or nothing.

    answers: operation, kind of question, and whether it was right at once. A broken file is put aside first.
    """
    if file is None or not answers:
        return ""
    progress, trouble = recall(file)
    for operation, kind, right in answers:
        progress = progress.after(operation, kind, right=right)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if trouble:
            file.replace(file.with_name(f"{NAME}.broken"))
        write_whole(file, to_text(progress).encode(), private=True)
    except OSError as error:
        return f"the progress is not kept: cannot write {file}: {error.strerror or error}"
    return ""


def forget(file: Path | None) -> bool:
    """Take the file away; whether there was one. Raises `OSError`."""
    if file is None or not file.exists():
        return False
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
    return True
