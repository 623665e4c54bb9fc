"""Every primitive once more in plain numpy, written to be obviously right, not fast: `TWINS[name](*args, **params)`.

One module a family, each with a table TWINS of its own.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

TWINS: dict[str, Callable[..., Any]] = {}
for _family in pkgutil.iter_modules(__path__, __name__ + "."):
    TWINS |= importlib.import_module(_family.name).TWINS
