"""What `gradstep verify` is given: a trace and a derivation from wherever it stands, or reports that a script made."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gallery import GALLERY
from tracer.checking.derivations.locating import derivation_in
from tracer.errors import GradstepError
from tui import scripts, targets
from tui.scripts import UsageError
from tui.statuses import INTERRUPTED, USAGE
from tui.targets import ScriptError, Target, resolve

LARGEST_FILE = 1 << 20
"""A derivation is text that somebody wrote: a larger file is none."""
STDIN = "-"


@dataclass(frozen=True)
class Derivation:
    """A derivation as text, and where it stands, in words."""

    text: str
    source: str
    path: Path | None = None


def text_of(path: Path) -> str:
    """The text of a file. Raises `GradstepError` for what cannot be read as such."""
    try:
        if path.is_dir():
            raise GradstepError(f"{path} is a folder\n  try: a file of lines inside it")
        with path.open("rb") as file:  # a device has no size
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise GradstepError(
                f"{path} is too large for a derivation\n  try: a file of lines such as  dL/dw = dL/dy * x"
            )
        return said_by(content, str(path))
    except OSError as error:
        raise GradstepError(
            f"cannot read the derivation {path}: {error.strerror}\n  try: check the path"
        ) from None


def said_by(content: bytes, name: str) -> str:
    """Bytes as the text of a derivation. Raises `GradstepError` for what is no text, or empty."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise GradstepError(
            f"cannot read the derivation {name}: it is not text in UTF-8\n"
            f"  try: a file of lines such as  dL/dw = dL/dy * x"
        )
    if not text.strip():
        raise GradstepError(f"{name} is empty\n  try: lines such as  dL/dw = dL/dy * x")
    return text


def given(word: str | None, target: Target) -> Derivation:
    """The derivation of a file, of standard input, or that came with the target. Raises `UsageError` without any."""
    if word == STDIN:
        return Derivation(
            said_by(sys.stdin.buffer.read(LARGEST_FILE), "standard input"), "standard input"
        )
    if word is not None:
        path = Path(word)
        text = text_of(path)
        if path.suffix == ".py":
            text = derivation_in(text) or text
        return Derivation(text, path.name, path)
    if target.derivation:
        return Derivation(target.derivation, "its own derivation")
    name = target.entry.name if target.entry is not None else target.title
    root = name.partition(":")[0]
    if root in GALLERY and GALLERY[root].derivation:
        raise UsageError(
            f"{name} brings no derivation of its own, but {root} does\n  try: gradstep verify {root}"
        )
    carry = f", or a text  derivation = '''...'''  in {root}" if root.endswith(".py") else ""
    raise UsageError(
        f"{name} brings no derivation of its own\n"
        f"  try: gradstep verify {name} DERIVATION, a file of lines such as  dL/dw = dL/dy * x{carry}"
    )


def subject(
    word: str, turned: Sequence[str] | None = None
) -> tuple[Target | None, tuple[scripts.Made, ...]]:
    """The target of that name, and the reports that its script made itself by `tr.verify` and `tr.verify_function`.

    A script that only makes reports leaves no target. Raises what `resolve` raises, with another status for a script
    that cannot be run: it is no wrong gradient.
    """
    try:
        return _subject(word, turned)
    except ScriptError as error:
        if error.status != INTERRUPTED:
            error.status = USAGE
        raise


def _subject(
    word: str, turned: Sequence[str] | None
) -> tuple[Target | None, tuple[scripts.Made, ...]]:
    if not word.endswith(".py") or turned:
        return resolve(word, turned), ()
    done = scripts.run(targets.script_at(word))
    asserted = done.error is None or isinstance(done.error, AssertionError)
    if not (done.reports and asserted):
        return again(targets.left_by(done), word), ()
    try:
        return again(targets.of_run(done), word), done.reports
    except UsageError:  # it recorded nothing else
        return None, done.reports


def again(target: Target, word: str) -> Target:
    """A target that can be made anew."""
    return replace(target, again=targets.repeated(lambda: resolve(word)))
