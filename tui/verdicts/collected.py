"""Several reports in one JSON document: those of a session of pytest, or of a script that makes its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FORMAT = "gradstep-reports"
VERSION = 1


def collected(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Reports as one JSON object, each in an object that also says where it comes from.

    >>> collected([{"test": "test_layer.py::test_it", "report": None}])["format"]
    'gradstep-reports'
    """
    return {"format": FORMAT, "version": VERSION, "reports": list(reports)}
