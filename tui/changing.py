"""Changing the trace that is shown: edits and their undoing, and the user's program run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gallery import GALLERY
from gallery.knobs import Setting, written
from tracer import format as fmt
from tracer.breakpoints import Breakpoint
from tracer.errors import GradstepError
from tracer.insight import whatif
from tracer.insight.edits import Edit, edit_of
from tracer.insight.whatif import Changes
from tracer.matching import by_name, by_number
from tracer.traces import Trace
from tui import targets
from tui.networks import Network
from tui.rerunning import run_again
from tui.views.changes import apart, flipped

if TYPE_CHECKING:
    from tui.session import Session
    from tui.targets import Target

Told = Callable[[int, int], None]


# ----- what if


def edit(session: Session, text: str) -> None:
    """Edit a value, a parameter or a number; what it affects runs again. Raises `GradstepError` where it cannot be."""
    outermost(session)
    now = whatif.edited(recorded(session), session.changes, text, told(session))
    last = now.edits[-1]
    take(session, now)
    session.offered = "changes"
    session.say(f"{in_short(last)}: {outcome(now)}")


def begun_edit(session: Session) -> str:
    """The edit that would leave the selected element as it is: what the prompt begins with."""
    trace = session.trace
    return edit_of(trace, session.selected, session.element) if len(trace) else ""


def undo(session: Session) -> None:
    """Take back the last edit."""
    outermost(session)
    before = session.changes
    if before is None or not before.edits:
        raise GradstepError("nothing has been edited: x edits the selected node")
    take(session, whatif.undo(before, told(session)))
    session.say(f"undone: {before.edits[-1].text}")


def redo(session: Session) -> None:
    """Make the edit again that was taken back last."""
    outermost(session)
    before = session.changes
    if before is None or not before.undone:
        raise GradstepError("nothing has been undone")
    now = whatif.redo(before, told(session))
    take(session, now)
    session.offered = "changes"
    session.say(f"{in_short(now.edits[-1])}: {outcome(now)}")


def revert(session: Session) -> None:
    """Take back all edits."""
    outermost(session)
    before = session.changes
    if before is None or not before.edits:
        raise GradstepError("nothing has been edited, so this is the trace as it was recorded")
    count = len(before.edits)
    now = whatif.changes(before.base, ())
    take(session, now)
    session.say(f"as it was recorded: {count} edit{'s' if count > 1 else ''} taken back")


def outermost(session: Session) -> None:
    """Raise `GradstepError` while parts are open: an edit is one of the whole trace."""
    if session.debugger.depth:
        raise GradstepError("an edit is one of the whole trace: close the parts first (f)")


def recorded(session: Session) -> Trace:
    """The trace as it was before any edit."""
    return session.base if session.changes is None else session.changes.base


def take(session: Session, now: Changes) -> None:
    """Show what edits made of the trace, at the same step."""
    old = session.base
    ready(now.trace)

    def deed() -> None:
        session.changes = now
        session.show(by_number(old, now.trace))

    session.settle(deed)


def in_short(edit: Edit) -> str:
    """What was edited, from what to what, in one line."""
    what, _, _ = edit.text.partition("=")
    return f"{what.rstrip('+-*/ ')} {apart(edit.before, edit.after)}"


def outcome(now: Changes) -> str:
    """What became of the loss, what first order said of it, and how many nodes changed."""
    words, loss = [], now.base.loss
    if loss >= 0 and now.changed[loss]:
        found = now.difference(loss)
        predicted = f", by gradient {signed(found.predicted.size)}" if found.predicted else ""
        change = signed(found.change) + predicted
        words.append(f"loss {apart(found.before, found.after)} ({change})")
    elif loss >= 0:
        words.append("the same loss")
    count = int(now.changed.sum())
    words.append(f"{count} node{'' if count == 1 else 's'} changed")
    if now.trace.flipped:
        words.append(" at ".join(flipped(now.trace)))
    return "; ".join(words)


def signed(x: float) -> str:
    """A difference: with its sign.

    >>> signed(0.25), signed(-3.0)
    ('+0.25', '−3')
    """
    text = fmt.number(x)
    return text if text.startswith(fmt.MINUS) or text in ("0", "nan") else f"+{text}"


UNCHANGED = "stopped: nothing has changed"
"""What is said of an edit that the user has stopped."""


def told(session: Session, stopped: str = UNCHANGED) -> Told:
    """What long work is told with: it shows how far it is, and ends it where the user wants.

    stopped: what is said then, {done} and {of} in it.
    """

    def tell(done: int, of: int) -> None:
        if session.interrupted():
            raise GradstepError(stopped.format(done=done, of=of))
        session.progress(done, of)

    return tell


def ready(trace: Trace) -> None:
    """Work out what every view needs and what takes long, before it is shown."""
    for each in (trace.labels, trace.timeline, trace.swept):
        assert each is not None


# ----- run again


def rerun(session: Session) -> bool:
    """Run the user's program again and show its new trace; what it printed is kept. False if the program failed.

    Raises `GradstepError` where no program is known.
    """
    if session.again is None:
        raise GradstepError(
            "this trace was opened from inside a program, so it cannot be run again: try gradstep run SCRIPT"
        )
    return _run(session, session.again, "ran again")


def turn(session: Session, more: Mapping[str, Setting]) -> bool:
    """Build the network of the gallery again with some of its knobs turned; False if that failed.

    Raises `GradstepError` for a trace that is of no such network, or a knob that it does not have.
    """
    before = with_knobs(session)
    after = before.turn(more)
    said = ", ".join(
        f"{name} {written(before.settings[name])} → {written(value)}"
        for name, value in after.settings.items()
        if value != before.settings[name]
    )
    if not said:
        session.say(
            "nothing was turned: " + ", ".join(f"{n}={written(after.settings[n])}" for n in more)
        )
        return True
    # as `r` does, also after a file of the gallery has been edited
    again = targets.repeated(
        lambda: targets.of_network(Network(GALLERY[after.entry.name]).turn(after.turned))
    )
    return _run(session, again, said)


def with_knobs(session: Session) -> Network:
    """The network of the gallery that is shown. Raises `GradstepError` where there is none, or none to turn."""
    if session.episodes is not None:
        trained = session.episodes.name.partition(" ")[0]
        raise GradstepError(
            "the knobs of a training are turned where it starts: "
            f"try gradstep train {trained} --set NAME=VALUE"
        )
    if session.network is None:
        raise GradstepError(
            "only networks of the gallery have knobs: try edit, which changes a value"
        )
    training = session.network.entry.training
    if not session.network.entry.knobs and training is not None and training.knobs:
        name = session.network.entry.name
        raise GradstepError(
            f"{name} has knobs of its training only: try gradstep train {name} --set "
            f"{training.knobs[0].name}={written(training.knobs[0].default)}"
        )
    if not session.network.entry.knobs:
        raise GradstepError(
            f"{session.network.entry.name} has no knobs: try edit, which changes a value"
        )
    return session.network


def _run(session: Session, again: Callable[[], Target], said: str) -> bool:
    """Run something and show its trace in place of the one that is shown. False if it failed."""
    done = run_again(again, session.interrupted)
    session.output = done.output
    if done.target is None:
        session.complain(f"{done.error}: the trace is the one from before")
        return done.error == "stopped"
    target = done.target
    old, new = session.base, target.trace
    ready(new)
    matching = by_name(old, new)
    words = [difference(recorded(session), new)]
    if session.changes is not None and session.changes.edits:
        words.append("the edits are gone")

    def deed() -> None:
        session.again, session.changes = target.again, None
        session.derivation = target.derivation
        if target.network is not None:
            session.network, session.title = target.network, target.title
        words.extend(lost(session.show(matching)))

    session.settle(deed)
    session.say("; ".join(filter(None, (said, *words, target.remark))))
    return True


def difference(old: Trace, new: Trace) -> str:
    """What became of the loss, and how many nodes there are more or fewer."""
    words = []
    if old.loss >= 0 and new.loss >= 0:
        before, after = (whatif.size(each.value(each.loss)) for each in (old, new))
        same = before == after or (before != before and after != after)
        words.append("the same loss" if same else f"loss {apart(before, after)}")
    more = len(new) - len(old)
    if more:
        words.append(
            f"{abs(more)} node{'' if abs(more) == 1 else 's'} {'more' if more > 0 else 'fewer'}"
        )
    return "; ".join(words)


def lost(breakpoints: list[Breakpoint]) -> list[str]:
    """That some breakpoints have gone with their nodes."""
    if not breakpoints:
        return []
    names = ", ".join(each.text for each in breakpoints[:3])
    return [f"breakpoint{'s' if len(breakpoints) > 1 else ''} at {names} gone with the node"]
