"""Small networks, and a way to press keys and read the screen."""

from __future__ import annotations

import asyncio
import io
import unicodedata
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from textual import events
from textual.keys import _character_to_key, _get_unicode_name_from_key

import tracer as tr
from tracer.traces import Trace
from tui.app import DebuggerApp
from tui.cli import main
from tui.orders import obey
from tui.recorder.camera import screen_text
from tui.recorder.playing import settle
from tui.session import Session

SPECIAL = {"\n": "enter", "\x1b": "escape"}
Script = Callable[["Desk"], Awaitable[None]]


@pytest.fixture
def session_after() -> Callable[..., Session]:
    """A session without a screen, after some orders: `session_after(trace, "end", "select x")`."""

    def run(trace: Trace, *lines: str) -> Session:
        session = Session(trace)
        for line in lines:
            obey(session, line)
        return session

    return run


@pytest.fixture(autouse=True)
def quick_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pilot look five times as often whether all is done, and the screen be painted as often."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.004)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.0004)
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", 0.003)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no debugger under test write a file of breakpoints, not even one in a process of its own."""
    monkeypatch.setenv("GRADSTEP_NO_STATE", "1")


class Desk:
    """A debugger under test: keys go in, the text of the screen comes out."""

    def __init__(self, app: DebuggerApp, pilot: Any) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> str:
        """Press keys, wait until all is shown, and read the screen."""
        for key in keys:
            self.app.post_message(key_event(key))
            await self.pilot.pause(0)
        return await self.look()

    async def type(self, text: str) -> str:
        """Type a text into the prompt."""
        return await self.burst(text)

    async def burst(self, keys: str) -> str:
        """Keys that arrive all at once, as of a slow line or `tmux send-keys`."""
        for key in keys:
            self.app.post_message(key_event(SPECIAL.get(key, key)))
        return await self.look()

    def screen(self) -> str:
        """The characters on the screen now, whatever goes on."""
        return screen_text(self.app)

    async def look(self) -> str:
        """The characters on the screen, line by line."""
        await settle(self.pilot)
        return screen_text(self.app)


def key_event(key: str) -> events.Key:
    """A key, by its character or by Textual's name, such as `percent_sign` or `ctrl+o`."""
    name = _character_to_key(key) if len(key) == 1 else key
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(name))
    except KeyError:
        character = key if len(key) == 1 else None
    return events.Key(name, character)


@pytest.fixture
def at_desk() -> Callable[..., None]:
    """Run a script of keys and assertions: `at_desk(trace, script, size=(80, 24))`."""

    def run(
        trace: Trace, script: Script, *, size: tuple[int, int] = (120, 36), title: str = ""
    ) -> None:
        async def session() -> None:
            app = DebuggerApp(trace, title=title)
            async with app.run_test(size=size) as pilot:
                await script(Desk(app, pilot))

        asyncio.run(session())

    return run


@pytest.fixture
def screen_after(at_desk: Callable[..., None]) -> Callable[..., str]:
    """The screen after some keys: `screen_after(trace, "n", "n", size=(80, 24))`."""

    def run(trace: Trace, *keys: str, **more: Any) -> str:
        seen: list[str] = []

        async def script(desk: Desk) -> None:
            seen.append(await desk.press(*keys))

        at_desk(trace, script, **more)
        return seen[0]

    return run


@pytest.fixture
def circuit() -> Trace:
    """f = (x + y) z of the lecture: f = -12, df/dx = df/dy = -4, df/dz = 3."""
    x, y, z = tr.tensor(-2.0, name="x"), tr.tensor(5.0, name="y"), tr.tensor(-4.0, name="z")
    q = x + y
    f = q * z
    return tr.trace(f)


@pytest.fixture
def square() -> Trace:
    """A value that is used twice in one step, and once more."""
    x = tr.tensor(3.0, name="x")
    y = x * x
    loss = y + x
    return tr.trace(loss)


@pytest.fixture
def batch_norm() -> Trace:
    """A normalisation in small primitives, within a scope."""
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(8, 3)), name="x")
    gamma = tr.parameter(np.array([1.0, 0.5, 2.0]), name="gamma")
    beta = tr.parameter(np.zeros(3), name="beta")
    with tr.scope("bn"):
        mu = tr.mean(x, axis=0)
        xmu = x - mu
        var = tr.mean(xmu**2, axis=0)
        std = tr.sqrt(var + 1e-5)
        xhat = xmu / std
        y = gamma * xhat + beta
    loss = tr.mean(y * y * y)
    return tr.trace(loss)


@pytest.fixture
def fused() -> Trace:
    """A node that has parts."""
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(8, 3)), name="x")
    gamma, beta = tr.parameter(np.ones(3), name="gamma"), tr.parameter(np.zeros(3), name="beta")
    y = tr.batch_norm(x, gamma, beta)
    loss = tr.mean(y * y * y)
    return tr.trace(loss)


@pytest.fixture
def nan() -> Trace:
    """A logarithm of zero and of a negative number."""
    x = tr.tensor(np.array([[1.0, 0.0, -1.0], [2.0, 3.0, 4.0]]), name="x")
    y = tr.log(x)
    loss = tr.mean(y)
    return tr.trace(loss)


def chain(length: int) -> Trace:
    """a = a * w, again and again: one weight that is used in every step."""
    a, w = tr.tensor(1.0, name="a"), tr.parameter(1.00001, name="w")
    for _ in range(length):
        a = a * w
    return tr.trace(a)


@pytest.fixture(scope="session")
def long_chain() -> Trace:
    """100,000 steps."""
    return chain(100_000)


@pytest.fixture(scope="session")
def short_chain() -> Trace:
    """100 steps."""
    return chain(100)


@pytest.fixture
def gradstep(capsys, monkeypatch):
    """Run a command; returns its exit status, its output and its complaints. stdin: what is piped into it."""

    def run(*words, stdin=None):
        if stdin is not None:
            piped = io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
            monkeypatch.setattr("sys.stdin", piped)
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def script(tmp_path):
    """Write a script into an empty folder."""

    def write(text, name="train.py"):
        file = tmp_path / name
        file.write_text(text)
        return file

    return write
