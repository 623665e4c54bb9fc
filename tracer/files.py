"""Writing files whole or not at all: beside their places, and then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_whole(file: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file; a failure leaves what was there, and nothing beside it. Raises `OSError`.

    private: nobody else may read it.
    """
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        if not private:
            mask = os.umask(0)
            os.umask(mask)
            Path(beside).chmod(0o666 & ~mask)
        Path(beside).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write a series of files into one directory, all or none; a failure leaves what was there. Raises `OSError`."""
    for file in files:
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    first = next(iter(files))
    with tempfile.TemporaryDirectory(dir=first.parent, prefix=".gradstep-") as folder:
        for number, content in enumerate(files.values()):
            Path(folder, f"{number}").write_bytes(content)
        with contextlib.ExitStack() as undo:
            for number, file in enumerate(files):
                before = Path(folder, f"{number}.before")
                if file.exists():
                    file.rename(before)
                    undo.callback(before.rename, file)
                Path(folder, f"{number}").rename(file)
                undo.callback(file.unlink)
            undo.pop_all()
