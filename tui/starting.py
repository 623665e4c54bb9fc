"""What `gradstep new` does: lists the starter scripts, and writes one of them into a file of the user's."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path

from tracer.files import write_whole
from tui.scripts import UsageError

FOLDER = Path(__file__).parent / "starters"
"""Where the starters are: scripts that run as they stand."""


def starters() -> dict[str, Path]:
    """The starters by name.

    >>> list(starters())
    ['batchnorm', 'mlp', 'rnn']
    """
    return {file.stem: file for file in sorted(FOLDER.glob("[a-z]*.py"))}


def starters_list() -> str:
    """The starters with what each is, and how to write one."""
    rows = []
    for name, file in starters().items():
        about = file.read_text(encoding="utf-8").partition('"""')[2].partition(". ")[0]
        rows.append(f"  {name:<10} {about[:1].lower()}{about[1:]}")
    return "\n".join([*rows, "", "gradstep new mlp            writes mlp.py here"])


def write_starter(name: str, place: str | None = None, *, force: bool = False) -> Path:
    """Write a starter into a file, by default of its name, here; what is there already stays, but by force.

    Raises `UsageError` for an unknown starter, a file that is there, and one that cannot be written.
    """
    found = starters()
    if name not in found:
        bare = name.removesuffix(".py")
        close = difflib.get_close_matches(bare, found, n=1, cutoff=0.5)
        cure = f"gradstep new {close[0]}" if close else "gradstep new"
        raise UsageError(
            f"there is no starter {name!r}: there are {', '.join(found)}\n  try: {cure}"
        )
    if place is not None and not place.strip():
        raise UsageError(f"a script needs a name\n  try: gradstep new {name} {name}.py")
    file = Path(place or f"{name}.py")
    if file.is_dir():
        raise UsageError(f"{file} is a folder\n  try: {_typed(name, file / f'{name}.py')}")
    if file.suffix != ".py":
        beside = file.with_name(f"{file.name}.py")
        raise UsageError(f"{file} is no Python script\n  try: {_typed(name, beside)}")
    if file.exists() and not force:
        raise UsageError(
            f"{file} is there already, and stays as it is\n"
            f"  try: {_typed(name, _free(file))}, or --force to write over it"
        )
    text = found[name].read_text(encoding="utf-8").replace(f"{name}.py", file.name)
    try:
        write_whole(file, text.encode())
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror or error}\n  try: a folder that is there"
        ) from None
    return file


def _typed(name: str, file: Path) -> str:
    """The command that writes a starter into a file."""
    return f"gradstep new {name} {shlex.quote(str(file))}"


def _free(file: Path) -> Path:
    """A name beside it that is free."""
    number = 2
    while (other := file.with_stem(f"{file.stem}{number}")).exists():
        number += 1
    return other
