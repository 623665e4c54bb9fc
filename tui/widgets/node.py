"""The node pane: everything about the selected node."""

from __future__ import annotations

from textual import events

from tui.ink import Line
from tui.keys import NODE, bindings
from tui.views import node
from tui.views.scene import Scene
from tui.widgets.pane import LinePane


class NodePane(LinePane):
    """Formula, numbers, flows and source of the selected node; scrolls where there is more."""

    BINDINGS = bindings(NODE)

    top = 0
    _node = -1

    def follow(self, scene: Scene) -> None:
        """Start from the top at another node."""
        if scene.selected != self._node:
            self._node, self.top = scene.selected, 0

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The lines in sight; the lower border says how many more there are."""
        found = node.lines(scene, width, height)
        self.top = max(0, min(self.top, len(found) - height))
        more = len(found) - height - self.top
        below = f"{more} more ↓" if more > 0 else scene.trace[scene.selected].scope_text
        self.entitle(node.title(scene, width - 4), below)
        return found[self.top : self.top + height]

    def action_lines(self, lines: int) -> None:
        """Scroll by lines."""
        self.top += lines
        self.update_lines()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        self.action_lines(2)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        self.action_lines(-2)
