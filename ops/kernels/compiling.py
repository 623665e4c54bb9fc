"""Compiling with Numba, on one thread, with a disk cache that an edit anywhere in `ops` invalidates.

Numba's own cache looks at the file of a function only, and misses edits in what it calls. So the cache lies in a folder
named by a hash of all of `ops`. A folder that cannot be written is survived: then every process compiles for itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_config: Any = numba.config
F = TypeVar("F", bound=Callable[..., Any])

_MONTH = 30 * 24 * 3600
OPS = Path(__file__).resolve().parents[1]


@cache
def source_hash() -> str:
    """A hash of every Python file of `ops`: a kernel compiled from other sources is never reused."""
    digest = hashlib.sha256()
    for file in sorted(OPS.rglob("*.py")):
        digest.update(file.relative_to(OPS).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """The folder of all caches: GRADSTEP_CACHE, or gradstep in the user's cache folder."""
    given = os.environ.get("GRADSTEP_CACHE")
    if given:
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path.home() / ".cache") / "gradstep"


@cache
def cache_folder() -> Path | None:
    """The folder of the kernels of these sources, made if need be; None if nothing can be written there."""
    try:
        folder = cache_root() / source_hash()
        if not folder.exists():
            _forget_old(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # read-only, full, or no home at all
        return None


def _forget_old(root: Path) -> None:
    """Remove the kernels of sources that nobody has compiled for a month."""
    if root.is_dir():
        for folder in root.iterdir():
            if folder.is_dir() and time.time() - folder.stat().st_mtime > _MONTH:
                shutil.rmtree(folder, ignore_errors=True)


def jit(function: F, *, contract: bool = False) -> F:
    """Compile for one thread when first called, from the disk cache if it has been compiled before.

    contract: let a multiplication and an addition round once, which moves a result by half an ulp at most.
    """
    folder = cache_folder()
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(folder or "")  # the place of a cache is settled when it is made
    try:
        compiled = numba.njit(
            function,
            cache=folder is not None,
            nogil=True,
            error_model="numpy",
            fastmath={"contract"} if contract else False,
        )
    finally:
        _config.CACHE_DIR = before
    return cast(F, compiled)
