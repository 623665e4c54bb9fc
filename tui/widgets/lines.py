"""The lines above and below the panes: status, watches, keys, and a message that is longer than a line."""

from __future__ import annotations

from textual import events

from tui.ink import Line
from tui.keys import Key
from tui.views import status
from tui.views.scene import Scene
from tui.widgets.pane import LinePane


class StatusLine(LinePane, can_focus=False):
    """Where the debugger stands."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The status line."""
        return [status.status_line(scene, width)]


class WatchLines(LinePane, can_focus=False):
    """What is watched, one line each; hidden while nothing is."""

    MOST = 4

    def watch_scene(self, scene: Scene | None) -> None:
        """Take as many lines as there are watches."""
        count = min(self.MOST, len(scene.watches)) if scene is not None else 0
        if count != (self.styles.height.value if self.styles.height and self.display else 0):
            self.display = count > 0
            self.styles.height = count
        super().watch_scene(scene)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The watches."""
        return status.watch_lines(scene, width)[: self.MOST]


class KeyLine(LinePane, can_focus=False):
    """The message, until the next key; else the keys that are needed most."""

    def __init__(self, keys: tuple[Key, ...], *, id: str) -> None:
        super().__init__(id=id)
        self.keys = keys

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The line."""
        return [status.last_line(scene, width, self.keys)]


class SaidLines(LinePane, can_focus=False):
    """A message that the last line does not hold: it lies over the lowest panes until the next key."""

    def watch_scene(self, scene: Scene | None) -> None:
        """Take as many lines as the message does."""
        count = len(status.said(scene, self.screen.size.width)) if scene is not None else 0
        self.set_class(count > 0, "long")
        if count and (self.styles.height is None or self.styles.height.value != count):
            self.styles.height = count
        super().watch_scene(scene)

    def on_resize(self, event: events.Resize) -> None:
        """Break the message anew."""
        super().on_resize(event)
        self.watch_scene(self.scene)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The message."""
        return status.said(scene, width)
