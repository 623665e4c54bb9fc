"""The sign beside a node, of what there is to know about it: a breakpoint, a wrong gradient, an edit."""

from __future__ import annotations

from tui.views.changes import changed
from tui.views.scene import Scene
from tui.views.verify import WRONG, verdict

EDITED = "Δ"
"""An edit gave the node another value."""


def mark(scene: Scene, node: int) -> str:
    """One sign at most: ● ◇ of a breakpoint before ✗ of a wrong line, Δ of an edit, ✓ or ? of a verified gradient."""
    sign = scene.mark(node)
    if sign:
        return sign
    found = verdict(scene, node)
    if found == WRONG:
        return found
    return EDITED if changed(scene, node) else found
