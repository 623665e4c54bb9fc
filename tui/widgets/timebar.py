"""The timeline under the status line: a click goes to a moment, a drag scrubs, the wheel steps."""

from __future__ import annotations

from textual import events

from tui.ink import Line
from tui.views import timebar
from tui.views.scene import Scene
from tui.widgets.pane import LinePane, Ordered


class TimeBar(LinePane, can_focus=False):
    """The whole timeline in one line.

    While it is dragged, the next `goto` is given when the one before has been shown: however long the trace, no queue
    of them builds up.
    """

    _dragged = False
    _wanted: int | None = None
    _asked: int | None = None

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The timeline."""
        return [timebar.line(scene, width)]

    def watch_scene(self, scene: Scene | None) -> None:
        """Show another moment, then ask for the one that the mouse has reached meanwhile."""
        super().watch_scene(scene)
        if self._asked is not None:
            self._asked = None
            self._ask()

    def _go(self, column: int) -> None:
        if self.scene is not None:
            self._wanted = timebar.position_at(column, self.scene.timeline.last, self.size.width)
            self._ask()

    def _ask(self) -> None:
        wanted = self._wanted
        if wanted is None or self._asked is not None or self.scene is None:
            return
        self._wanted = None
        if wanted != self.scene.position:
            self._asked = wanted
            self.post_message(Ordered(f"goto {wanted}"))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to the moment under the mouse, and follow the mouse from now on."""
        if event.button == 1:
            self._dragged, self._asked = True, None
            self.capture_mouse()
            self._go(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Go to the moment under the mouse."""
        if self._dragged:
            self._go(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Follow the mouse no more."""
        if self._dragged:
            self._dragged = False
            self.release_mouse()
            self._asked = None
            self._go(event.x)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A node on."""
        self.post_message(Ordered("next"))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A node back."""
        self.post_message(Ordered("back"))
