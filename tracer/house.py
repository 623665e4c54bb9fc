"""Is the house complete? `import tracer` must find our own package `ops`, not somebody else's of that name."""

from __future__ import annotations

import importlib
from typing import Any


def require_own_ops() -> None:
    """Import our `ops`. Raises `ImportError` naming the file of a foreign one, and the cure."""
    cause: Exception | None = None
    try:
        found: Any = importlib.import_module("ops")
        if hasattr(found, "PRIMITIVES"):
            return
    except Exception as error:
        cause = error
        if getattr(error, "name", "") == "numpy":
            raise
    from importlib.util import find_spec  # half a millisecond that a complete house need not pay

    spec = find_spec("ops")
    file = (spec.origin or next(iter(spec.submodule_search_locations or ()), "")) if spec else ""
    if cause is not None and not file:
        raise cause
    raise ImportError(
        f"tracer needs its own package 'ops', but Python found another one at {file or 'nowhere'}\n"
        f"  try: run with 'python -P', rename that folder, or install gradstep in an environment of its own"
    ) from cause


require_own_ops()
