"""A training on a thread of its own: it goes on, pauses, keeps steps when asked, and can be left at any time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import NamedTuple

from gallery.history import History
from gallery.training import Run

PAUSE = 0.5
"""Seconds from one look at the parameters to the next: two graphs are frozen for it."""


class View(NamedTuple):
    """A training as it stands."""

    history: History
    steps: int
    """How many optimiser steps are to be made."""
    paused: bool
    ended: bool
    error: BaseException | None
    updates: Mapping[str, float]
    """How far the parameters moved, when somebody last looked."""
    pace: float
    """Optimiser steps a second, while it goes on."""

    @property
    def trouble(self) -> str:
        """Why it is not well: it raised, or its loss is no number or grows; empty if it is."""
        if self.error is not None:
            said = str(self.error).partition("\n")[0]
            return f"{type(self.error).__name__}: {said}" if said else type(self.error).__name__
        return self.history.trouble


class Wish(NamedTuple):
    """That a step be kept: the present one, or the one that follows."""

    following: bool
    kept: Future[int]


class Job:
    """A run on a thread. What it has written down may be read at any time from another one."""

    def __init__(self, run: Run, steps: int) -> None:
        self._run, self._steps = run, steps
        self._turn = threading.Condition()
        self._wishes: deque[Wish] = deque()
        self._paused = self._left = self._ended = False
        self._error: BaseException | None = None
        self._updates: Mapping[str, float] = {}
        self._busy = self._due = 0.0
        self._thread = threading.Thread(target=self._work, name="training", daemon=True)

    # ----- from another thread

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self, *, on: bool) -> None:
        """Stop after the present step, or go on."""
        with self._turn:
            self._paused = on
            self._turn.notify()

    def keep(self, *, following: bool) -> Future[int]:
        """Keep the trace of the present step, or of the one that follows; the number of the step, once it is done."""
        wish = Wish(following, Future())
        with self._turn:
            self._wishes.append(wish)
            self._turn.notify()
        return wish.kept

    def leave(self) -> None:
        """End after the present step."""
        with self._turn:
            self._left = True
            self._turn.notify()

    def join(self, seconds: float) -> None:
        """Wait for the end, but no longer than so many seconds."""
        self._thread.join(seconds)

    def view(self) -> View:
        """How it stands."""
        history = self._run.history
        pace = history.count / self._busy if self._busy else 0.0
        return View(
            history, self._steps, self._paused, self._ended, self._error, self._updates, pace
        )

    def seen(self, history: History) -> History:
        """The history with a present step that is not kept: for plots."""
        return self._run.seen(history)

    # ----- on its own thread

    def _work(self) -> None:
        while self._wait():
            wish = self._wishes.popleft() if self._wishes else None
            try:
                if wish is None or (wish.following and not self._ended):
                    self._step()
                if wish is not None:
                    self._run.freeze()
            except BaseException as error:  # whatever a network raises is told on the screen
                self._error, self._ended = error, True
                self._keep_last()
            if wish is not None and wish.kept.set_running_or_notify_cancel():
                wish.kept.set_result(self._run.history.count)
        self._keep_last()
        self._ended = True

    def _keep_last(self) -> None:
        """Keep the step that was made last, however the training ended."""
        try:
            self._run.freeze()
        except Exception as error:  # so that a graph that cannot be frozen is told too
            self._error = self._error or error

    def _wait(self) -> bool:
        """Wait until there is something to do; False once it was left."""
        with self._turn:
            self._turn.wait_for(
                lambda: self._left or self._wishes or not (self._paused or self._ended)
            )
            return not self._left

    def _step(self) -> None:
        start = time.monotonic()
        made = self._run.step()
        now = time.monotonic()
        self._busy += now - start
        history = self._run.history
        ended = not made or history.failed or history.count >= self._steps
        if now >= self._due or ended or self._paused:
            self._updates = self._run.updates()
            self._due = time.monotonic() + PAUSE
        if ended:
            self._run.freeze()
        self._ended = ended
