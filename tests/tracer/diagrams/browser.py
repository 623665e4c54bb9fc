"""A headless browser that tests drive: the DevTools protocol over a pipe, with the standard library only.

Keys, clicks and touches are real ones: the browser handles them as it does those of a person.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "google-chrome", "chromium-browser", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "about:blank",
)
PATIENCE = 30.0
"""Seconds after which an answer is not waited for any longer."""
_START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts the pipe where the browser expects it, on 3 and 4, and becomes the browser."""
CODES = {
    "ArrowRight": 39,
    "ArrowLeft": 37,
    "Home": 36,
    "End": 35,
    "Tab": 9,
    "Enter": 13,
    " ": 32,
    "%": 53,
}
"""The keys that tests press, and the number that Windows gives each."""


def program() -> str | None:
    """The browser on the PATH, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A running browser."""

    def __init__(self, to: int, answers: int) -> None:
        self._to, self._answers = to, answers
        self._number, self._rest = 0, b""
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Ask for something, and wait for the answer; what happens meanwhile is added to `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._next(until)
            if answer.get("id") != self._number:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """The first event of that name in a tab that has not been asked for yet."""
        until = time.monotonic() + PATIENCE
        while True:
            for event in self.events:
                if event.get("method") == method and event.get("sessionId") == session:
                    self.events.remove(event)
                    return event["params"]
            self.events.append(self._next(until))

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._answers], [], [], max(until - time.monotonic(), 0))[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self._answers, 1 << 20)
            if not data:
                raise RuntimeError("the browser has ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    @contextmanager
    def tab(self, width: int = 1280, height: int = 800, *, phone: bool = False) -> Iterator[Tab]:
        """A tab of that size, closed at the end; on a phone, fingers touch."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            tab.call(f"{domain}.enable")
        tab.resize(width, height, phone=phone)
        try:
            yield tab
        finally:
            self.call("Target.closeTarget", targetId=target)


class Tab:
    """One page of a browser."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask for something of this tab."""
        return self.browser.call(method, self.session, **params)

    def events(self, *methods: str) -> list[dict[str, Any]]:
        """What has happened in this tab so far."""
        return [
            event
            for event in self.browser.events
            if event.get("sessionId") == self.session and event.get("method") in methods
        ]

    def frame(self) -> Tab:
        """The frame inside this page that has a process of its own, as a sandboxed one has."""
        found = self.browser.call("Target.getTargets")["targetInfos"]
        target = next(info["targetId"] for info in found if info["type"] == "iframe")
        answer = self.browser.call("Target.attachToTarget", targetId=target, flatten=True)
        return Tab(self.browser, answer["sessionId"])

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """The size of the page, and whether it is a phone."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    def prefer(self, *, media: str = "", **features: str) -> None:
        """What the reader prefers: `prefer(color_scheme="dark")`, or another medium: `prefer(media="print")`."""
        chosen = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self.call("Emulation.setEmulatedMedia", media=media, features=chosen)

    def open(self, address: str | Path) -> None:
        """Load a file or an address, and wait until it is there."""
        url = address.as_uri() if isinstance(address, Path) else address
        self.call("Page.navigate", url="about:blank")
        self.browser.wait_for("Page.loadEventFired", self.session)
        self.call("Page.navigate", url=url)
        self.browser.wait_for("Page.loadEventFired", self.session)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page; a promise is waited for."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def press(self, *keys: str, shift: bool = False) -> None:
        """Keys, one after the other."""
        for key in keys:
            about = {"key": key, "windowsVirtualKeyCode": CODES[key], "modifiers": 8 * shift}
            text = {" ": " ", "Enter": "\r", "%": "%"}.get(key, "")
            down = {"type": "keyDown" if text else "rawKeyDown", **({"text": text} if text else {})}
            self.call("Input.dispatchKeyEvent", **about, **down)
            self.call("Input.dispatchKeyEvent", **about, type="keyUp")

    def middle(self, selector: str) -> tuple[float, float]:
        """The middle of what a selector finds first, scrolled into view."""
        x, y = self.evaluate(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            "found.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});"
            "const box = found.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        return x, y

    def click(self, place: str | tuple[float, float]) -> None:
        """A click of the mouse on the middle of what a selector finds, or on a point."""
        x, y = self.middle(place) if isinstance(place, str) else place
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            held = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def swipe(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A finger that goes down, moves and is lifted."""
        (x, y), (u, v) = start, end
        points = [(x + (u - x) * k / 4, y + (v - y) * k / 4) for k in range(5)]
        for k, (at, down) in enumerate(points):
            self.call(
                "Input.dispatchTouchEvent",
                type="touchMove" if k else "touchStart",
                touchPoints=[{"x": at, "y": down}],
            )
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def tap(self, selector: str) -> None:
        """A finger on the middle of what a selector finds."""
        x, y = self.middle(selector)
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def complaints(self) -> list[str]:
        """What the console holds: errors, refused scripts, exceptions."""
        found = [event["params"]["entry"]["text"] for event in self.events("Log.entryAdded")]
        found += [str(event["params"]["args"]) for event in self.events("Runtime.consoleAPICalled")]
        thrown = self.events("Runtime.exceptionThrown")
        return found + [str(event["params"]["exceptionDetails"]) for event in thrown]

    def requests(self) -> list[str]:
        """Every address that was asked for."""
        asked = self.events("Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in asked]

    def names(self) -> list[tuple[str, str]]:
        """The role and the name of everything that a screen reader meets."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]

    def screenshot(self, path: Path) -> None:
        """The visible part of the page as a PNG file."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def running(name: str) -> Iterator[Browser]:
    """A browser with a fresh profile, ended and swept away whatever happens."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ours = [*os.pipe(), *os.pipe()]
        # the numbers lie above those on which the browser expects its pipe
        listens, to, answers, says = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ours)
        for end in ours:
            os.close(end)
        started = [sys.executable, "-c", _START, str(listens), str(says), name]
        process = subprocess.Popen(
            [*started, f"--user-data-dir={profile}", *FLAGS],
            pass_fds=(listens, says),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(listens)
        os.close(says)
        try:
            yield Browser(to, answers)
        finally:
            os.close(to)  # the browser ends when nobody speaks to it any longer
            os.close(answers)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
