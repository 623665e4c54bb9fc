"""Opening the debugger on a target, and what stands in for it where there is no terminal."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui import keyboard, text
from tui.networks import entry_of, is_network
from tui.plain import why_not_drawn
from tui.scripts import UsageError
from tui.statuses import FINE
from tui.targets import Target

if TYPE_CHECKING:
    from tui.projects import Project
    from tui.sessions import Deed
    from tui.views.verify import Verified


def has_terminal() -> bool:
    """Whether a person sits in front of it: keys can be read and a screen can be drawn."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def has_keys() -> bool:
    """Whether keys can be read beside the input of the program, which is a file or a pipe: `run net.py < data`."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and keyboard.is_there()


def why_no_screen() -> str:
    """Why the debugger cannot be opened here; empty where it can."""
    if has_terminal() or has_keys():
        return why_not_drawn()
    return "no terminal to open the debugger in"


@dataclass(frozen=True)
class Wishes:
    """What is to be done with a target beside opening it: orders, done first or alone, and where breakpoints last."""

    deeds: Sequence[Deed] = ()
    whole: bool = False
    """Whether the orders are a saved session, which begins at the start."""
    batch: bool = False
    project: Project | None = None
    verified: Verified | None = None
    """What was verified before, for the debugger to show."""
    lead: Sequence[Deed] = ()
    """What the entry of the gallery wants to be seen first, on a screen."""


def wishes_of(options: argparse.Namespace, target: str) -> Wishes:
    """What the options of a command wish. Raises `UsageError` for a file of orders that cannot be read."""
    from tui.batch import deeds_of
    from tui.projects import project_of

    given = deeds_of(options.orders or ())
    if options.batch and not given.deeds:
        raise UsageError(
            "--batch needs orders\n  try: --batch -ex 'break nan' -ex continue -ex where"
        )
    named = entry_of(target).name if is_network(target) else target
    project = None if options.batch else project_of(named)
    return Wishes(given.deeds, "target" in given.head, options.batch, project)


def step_through(target: Target, wishes: Wishes | None = None) -> int:
    """Open the debugger; without a terminal, do the orders that are given, or say so and print what `show` prints."""
    wishes = wishes or Wishes()
    remark(target)
    why = why_no_screen()
    if wishes.batch or (why and wishes.deeds):
        from tui.batch import run
        from tui.session import Session

        session = Session(
            target.trace,
            title=target.title,
            derivation=target.derivation,
            again=target.again,
            network=target.network,
        )
        session.episodes = target.episodes
        return run(session, wishes.deeds)
    if not why:
        from tui.app import debug

        return debug(
            target.trace,
            title=target.title,
            derivation=target.derivation,
            again=target.again,
            network=target.network,
            lead=wishes.lead,
            deeds=wishes.deeds,
            project=wishes.project,
            verified=wishes.verified,
            episodes=target.episodes,
        )
    print(f"gradstep: {why}, so here is what `gradstep show` prints", file=sys.stderr)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(text.show(target.trace, target.title, columns=columns))
    return FINE


def introduce(target: Target, wishes: Wishes) -> int:
    """Open the debugger where the entry of the gallery wants it to begin, unless a saved session is done again."""
    from tui.sessions import Deed

    orders = target.entry.orders if target.entry is not None and not wishes.whole else ()
    lead = tuple(Deed(order, f"{target.title}: ") for order in orders)
    return step_through(target, replace(wishes, lead=lead))


def remark(target: Target) -> None:
    """Say how a target was chosen, if there is a word to be said."""
    if target.remark:
        print(f"{target.title}: {target.remark}", file=sys.stderr)


def own_output(*, aside: bool) -> contextlib.AbstractContextManager[object]:
    """Send what a script prints to stderr, where our own output is to be read by a program."""
    return contextlib.redirect_stdout(sys.stderr) if aside else contextlib.nullcontext()
