"""Coming to a terminal and leaving it: whoever ends the program or closes its terminal, no process stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import select
import signal
import sys
from typing import Any, TextIO, TypeVar

from textual.app import App
from textual.driver import Driver

from tui.keyboard import own_keys
from tui.rerunning import own_screen

Result = TypeVar("Result")


def on_terminal(app: App[Result]) -> Result | None:
    """Run an app on the terminal until it is left.

    Textual's thread that waits for keys is told to end here too: where the terminal was closed, taking leave of it
    fails before that, and the thread would read nothing, again and again, for ever.
    """
    app.driver_class = _outliving(app.driver_class)
    with own_screen(), own_keys():
        try:
            return app.run()
        finally:
            ended = getattr(app._driver, "exit_event", None)
            if ended is not None:
                ended.set()


def leave_when_ended(app: App[Any]) -> None:
    """Leave when somebody ends the process or closes its terminal; to be called on the thread of a running screen."""
    if app.is_headless:
        return
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(getattr(signal, name), app.exit)
    app.set_interval(1.0, lambda: app.exit() if _is_closed(sys.__stdin__) else None)


def _is_closed(keys: TextIO | None) -> bool:
    """Whether the terminal of these keys is gone: not every process hears of it by a signal."""
    if keys is None or not hasattr(select, "poll"):
        return False
    try:
        asked = select.poll()
        asked.register(keys, 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in asked.poll(0))
    except (OSError, ValueError):
        return True


class Painted:
    """The stream that a screen is painted on; what is painted after the terminal was closed is lost, without a word.

    Textual paints on a thread that reads a queue of thirty writings. Were that thread to end with the first failure,
    the next thirty writings would fill the queue, and the screen would wait for room in it for ever.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Paint, if there is somewhere to paint."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send what was painted."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _outliving(driver: type[Driver]) -> type[Driver]:
    """A driver of Textual's, which goes on where its terminal is gone."""

    class Outliving(driver):  # type: ignore[misc, valid-type]
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            mine: dict[str, Any] = self.__dict__
            if "_file" in mine:
                mine["_file"] = Painted(mine["_file"])

    Outliving.__name__ = driver.__name__
    return Outliving
