"""Plays orders on a real screen without a terminal, and takes a picture after each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tracer.errors import GradstepError
from tui.app import DebuggerApp
from tui.keys import KEYS
from tui.recorder.camera import picture_of
from tui.recorder.film import Frame
from tui.sessions import Deed
from tui.settings import Settings
from tui.targets import Target


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until everything that goes on has been shown, other threads included.

    What one queue is rid of may be on its way to another: so all must be empty before and after a moment of idleness.
    """
    while True:
        while _in_queues(pilot.app):
            await pilot.pause(0)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        if not _in_queues(pilot.app):
            return


def _in_queues(app: App[Any]) -> int:
    """How many messages wait to be read; none by an app that has ended, whatever is left in its queue."""
    if not app.is_running:
        return 0
    widgets = (each for s in app.screen_stack for each in s.walk_children(with_self=True))
    return app.message_queue_size + sum(each.message_queue_size for each in widgets)


def play(
    target: Target, deeds: Sequence[Deed], *, size: tuple[int, int], theme: str = "dark"
) -> list[Frame]:
    """The first screen, then the screen after each order.

    Raises `GradstepError` with the line of an order that could not be carried out.
    """
    return asyncio.run(_played(target, deeds, size, theme))


async def _played(
    target: Target, deeds: Sequence[Deed], size: tuple[int, int], theme: str
) -> list[Frame]:
    app = DebuggerApp(
        target.trace,
        title=target.title,
        derivation=target.derivation,
        again=target.again,
        network=target.network,
        settings=Settings(theme=theme),
    )
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        frames = [Frame(picture_of(app))]
        for deed in deeds:
            await _back_to_the_panes(app, pilot)
            app.obey(deed.order)
            await settle(pilot)
            _raise_trouble(app, deed.place)
            if not app.is_running:
                break
            frames.append(Frame(picture_of(app), keys_of(deed.order), deed.order, deed.caption))
    return frames


def _raise_trouble(app: DebuggerApp, place: str) -> None:
    if app.session.trouble:
        raise GradstepError(f"{place}{app.session.message}")


async def _back_to_the_panes(app: DebuggerApp, pilot: Pilot[Any]) -> None:
    """Close a page or a question that the order before has opened, as a user would have."""
    while len(app.screen_stack) > 1 or app.asks:
        await pilot.press("escape")
        await settle(pilot)


def keys_of(order: str) -> str:
    """The keys that give an order, as they are printed; those of a count come first.

    >>> keys_of("next 10"), keys_of("twin"), keys_of("break xhat")
    ('10n', '%', ':')
    """
    name, _, text = order.partition(" ")
    shown = {key.order: key.shown.split()[0] for key in reversed(KEYS) if key.shown}
    if order in shown:
        return shown[order]
    return f"{text}{shown[name]}" if text.isdecimal() and name in shown else ":"
