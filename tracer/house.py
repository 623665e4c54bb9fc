"""Is the house complete? `import tracer` must find our own package `ops`, not somebody else's of that name."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import NoReturn


def explain_ops(cause: Exception) -> NoReturn:
    """Say why our `ops` could not be imported: an `ImportError` that names the file of a foreign one, and the cure.

    A cause that is ours (numpy is missing, say) is raised as it is.
    """
    sys.modules.pop("ops", None)
    spec = find_spec("ops")
    file = (spec.origin or next(iter(spec.submodule_search_locations or ()), "")) if spec else ""
    ours = __file__.rpartition("tracer")[0]
    if file.startswith(ours + "ops"):
        raise cause
    raise ImportError(
        f"tracer needs its own package 'ops', but Python found another one at {file or 'nowhere'}\n"
        f"  try: run with 'python -P', rename that folder, or install gradstep in an environment of its own"
    ) from cause
