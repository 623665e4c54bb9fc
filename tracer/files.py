"""Writing a file whole or not at all: beside its place, and then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
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
