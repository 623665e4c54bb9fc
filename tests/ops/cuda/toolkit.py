"""Where the compiler of CUDA lies on this machine: what turns kernels into machine code, with no driver and no GPU.

`python -m tests.ops.cuda.toolkit` says where; its exit status is 1 if there is none.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

WORD = "no CUDA toolkit was found (wheels, CUDA_HOME, /usr/local/cuda, PATH)"
TRY = "pip install 'gradstep[cuda-compile]'"


class Toolkit(NamedTuple):
    """The three files that compiling takes: two for Numba, and the assembler."""

    nvvm: Path
    libdevice: Path
    ptxas: Path


@cache
def toolkit() -> Toolkit | None:
    """The first whole toolkit of the places where one may lie; None where there is none."""
    return next(filter(None, map(toolkit_in, places())), None)


def places() -> Iterator[Path]:
    """Roots to search, in the order of NVIDIA's own packages: wheels, what the environment names, the usual places."""
    for folder in sys.path:
        yield from sorted(Path(folder).glob("nvidia/cu[0-9]*"), reverse=True)
    yield from (Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if name in os.environ)
    yield Path("/usr/local/cuda")
    if found := shutil.which("ptxas"):
        yield Path(found).resolve().parents[1]


def toolkit_in(root: Path) -> Toolkit | None:
    """The toolkit below a root, if all of it is there: installers and wheels differ in where they put the library."""
    nvvm = _first(root, "nvvm/lib64/libnvvm.so*", "lib/libnvvm.so*", "lib64/libnvvm.so*")
    libdevice = _first(root, "nvvm/libdevice/libdevice.10.bc")
    ptxas = _first(root, "bin/ptxas")
    return Toolkit(nvvm, libdevice, ptxas) if nvvm and libdevice and ptxas else None


def _first(root: Path, *patterns: str) -> Path | None:
    return next((file for pattern in patterns for file in sorted(root.glob(pattern))), None)


if __name__ == "__main__":
    print(*(toolkit() or (f"{WORD}\n  try: {TRY}",)), sep="\n")
    sys.exit(toolkit() is None)
