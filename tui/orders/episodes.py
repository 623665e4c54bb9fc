"""The order that goes from one optimiser step of a training to another, and stays at the same node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tracer.format import number
from tracer.matching import by_name
from tui.changing import difference, lost, ready, recorded
from tui.orders.order import CHANGE, Order, Page, page, starting, whole

if TYPE_CHECKING:
    from tui.session import Session
    from tui.training.episodes import Episodes

WAYS = {"+": 1, "-": -1}


def _episode(session: Session, text: str) -> Page | None:
    episodes = session.episodes
    if episodes is None:
        raise GradstepError(
            "this trace stands alone: gradstep train NAME keeps several optimiser steps"
        )
    if not text:
        return page(f"kept optimiser steps of {episodes.name}", _rows(episodes))
    _show(session, episodes, _asked(episodes, text))
    return None


def _rows(episodes: Episodes) -> Iterable[tuple[str, str]]:
    for step, trace in sorted(episodes.traces.items()):
        here = ", shown" * (step == episodes.at)
        yield f"episode {step}", f"loss {number(trace.value(trace.loss))}{here}"


def _asked(episodes: Episodes, text: str) -> int:
    """The kept step that is asked for: by its number, or + and - for the next and the one before."""
    if text in WAYS:
        beside = episodes.beside(WAYS[text])
        if beside is None:
            end = "last" if text == "+" else "first"
            raise GradstepError(f"optimiser step {episodes.at:,} is the {end} that was kept")
        return beside
    step = whole(text.replace(",", ""))
    if step not in episodes.traces:
        kept = sorted(episodes.traces)
        raise GradstepError(
            f"optimiser step {text} was not kept: try episode {min(kept, key=lambda k: abs(k - (step or 0)))}"
        )
    assert step is not None
    return step


def _show(session: Session, episodes: Episodes, step: int) -> None:
    trace = episodes.traces[step]
    ready(trace)
    old = session.base
    matching = by_name(old, trace)
    words = [difference(recorded(session), trace)]
    if session.changes is not None and session.changes.edits:
        words.append("the edits are gone")

    def deed() -> None:
        session.changes = None
        session.episodes = replace(episodes, at=step)
        session.title = session.episodes.title
        words.extend(lost(session.show(matching)))

    session.settle(deed)
    session.say("; ".join(filter(None, (f"optimiser step {step:,}", *words))))


def _offers(session: Session, text: str) -> Iterable[str]:
    steps = session.episodes.traces if session.episodes is not None else ()
    return starting(map(str, sorted(steps)), text) if text else map(str, sorted(steps))


def _always(session: Session, text: str) -> bool:
    return bool(text)


ORDERS: tuple[Order, ...] = (
    Order("episode", "[STEP]", "go to another kept optimiser step of a training: episode 100, + or -; alone, list them",
          _episode, CHANGE, ("episodes",), complete=_offers, long=_always),
)  # fmt: skip
