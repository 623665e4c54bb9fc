"""Names that a kernel asks of `cuda` or `math` and that are not there: what to try instead, in one error."""

from __future__ import annotations

import difflib
from collections.abc import Collection

IN_CUDA = frozenset(
    "lanemask_lt fp16 libdevice to_device device_array pinned mapped stream synchronize shfl_sync_intrinsic "
    "vote_sync_intrinsic vector_types declare_device jit reduce Reduce event grid gridsize local shared const".split()
)
"""What Numba has under `cuda`, some of it for the host alone."""


def unknown(space: str, name: str, names: Collection[str]) -> tuple[str, str]:
    """What is to say of a name that a namespace has not, and one thing to try.

    >>> unknown("cuda", "gird", ["grid", "popc"])
    ('cuda has no gird', 'cuda.grid')
    >>> unknown("cuda", "fp16", ["grid"])[0]
    'CUDA has cuda.fp16, and the interpreter has not'
    """
    known = [each for each in names if not each.startswith("_")]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if space == "cuda" and name in IN_CUDA:
        cure = "the kernel without it: its result as an argument, or its work in plain lines"
        return f"CUDA has cuda.{name}, and the interpreter has not", cure
    cure = f"{space}.{near[0]}" if near else f"one of {space}: {', '.join(sorted(known))}"
    return f"{space} has no {name}", cure
