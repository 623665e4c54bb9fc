"""The exit statuses of the commands. Of `check` and `verify`, 1 says that a gradient is wrong."""

from __future__ import annotations

FINE, FAILED, USAGE, INTERNAL = range(4)
"""All is well; a check failed or a script did; it was asked wrongly, or a script cannot be run; a fault of Gradstep."""
INTERRUPTED = 130
"""The exit status after ctrl+c."""
