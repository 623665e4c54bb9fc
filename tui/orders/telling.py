"""Orders that tell: watches, printed expressions, where the debugger stands, lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from tracer import format as fmt
from tracer.errors import GradstepError
from tui.ink import span
from tui.orders.order import LOOK, STOP, Order, Page, node_names, node_of, page, starting
from tui.orders.stopping import numbered
from tui.views import node as explained
from tui.views.stops import facts
from tui.views.whereabouts import moment, numbered_source, step_line

if TYPE_CHECKING:
    from tui.session import Session

DIGITS = 10
"""Significant digits of a printed number."""
SHOWN = 1000
"""Elements of a larger array are left out in the middle."""
MOST_ROWS = 2000
EXPLAINED = 78
"""Characters in a line of an explanation: so few that every number has a line of its own."""

# ----- watches and expressions


def _watch(session: Session, text: str) -> None:
    debugger = session.debugger
    if not text:
        raise GradstepError("watch takes an expression: try watch norm(grad), or watch xhat")
    before = {each.text: each for each in debugger.watches}
    made = debugger.watch(text)
    if made.text in before:
        debugger.unwatch(made.number)
        made = before[made.text]
    session.say(f"watch {made.number}: {made.text}  {dict(debugger.watch_values())[made.text]}")


def _unwatch(session: Session, text: str) -> None:
    there = tuple(each.number for each in session.debugger.watches)
    if not there:
        raise GradstepError("nothing is watched: try watch norm(grad)")
    if text == "all":
        for each in there:
            session.debugger.unwatch(each)
        session.say("nothing is watched any more")
        return
    number = numbered("watch", text or "last", there, f"unwatch {there[-1]}")
    session.debugger.unwatch(number)
    session.say(f"no longer watching {number}")


def _print(session: Session, text: str) -> Page | None:
    if not text:
        raise GradstepError("print takes an expression: try print norm(value), or print xhat[0]")
    what, of, who = text.rpartition(" of ")  # as a watch is written
    node = session.trace.node_index(who.strip()) if of else session.selected
    found = session.debugger.evaluate(what if of else text, node)
    if isinstance(found, np.ndarray) and found.ndim:
        rows = written(found).splitlines()
        return Page(f"{text}  {fmt.typed(found)}", tuple((span(row),) for row in rows))
    told = found if isinstance(found, (str, tuple)) else fmt.number(found, DIGITS)
    session.say(f"{text} = {told}" if not isinstance(found, str) else f"{text}: {told}")
    return None


def written(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    """An array as numpy prints it; of a large one, the ends."""
    return np.array2string(array, max_line_width=100, threshold=SHOWN, separator=" ")


# ----- lists


def _breakpoints(session: Session, text: str) -> Page | None:
    return _list(session, "breakpoints", _breakpoint_rows(session))


def _watches(session: Session, text: str) -> Page | None:
    return _list(session, "watches", _watch_rows(session))


def _both(session: Session) -> Page | None:
    rows = [*_breakpoint_rows(session), *_watch_rows(session)]
    if not rows:
        session.say("no breakpoints and no watches")
        return None
    return page("breakpoints and watches", rows)


def _breakpoint_rows(session: Session) -> list[tuple[str, str]]:
    return [
        (f"breakpoint {each.number}", "  ".join((each.text, *facts(each))))
        for each in session.debugger.breakpoints
    ]


def _watch_rows(session: Session) -> list[tuple[str, str]]:
    shown = zip(session.debugger.watches, session.debugger.watch_values(), strict=True)
    return [(f"watch {each.number}", f"{text}  {now}") for each, (text, now) in shown]


def _list(session: Session, heading: str, rows: list[tuple[str, str]]) -> Page | None:
    if not rows:
        session.say(f"no {heading}")
        return None
    return page(heading, rows)


def _where(session: Session, text: str) -> Page | None:
    debugger, trace = session.debugger, session.trace
    step = debugger.timeline.step(debugger.position)
    node = step.node if step.node >= 0 else session.selected
    rows = page("", moment(trace, debugger.position, node)).lines
    of = f" of {debugger.timeline.last}"
    return Page(f"step {debugger.position}{of}", (step_line(trace, debugger.position), *rows))


def _node(session: Session, text: str) -> Page | None:
    node = node_of(session, text)
    label = session.trace.label(node)
    return page(f"node {node} · {label}", moment(session.trace, session.debugger.position, node))


def _explain(session: Session, text: str) -> Page | None:
    """The node pane at full length: nothing is left out for want of room."""
    if text:
        session.select(session.trace.node_index(text))
    scene = session.scene()
    return Page(explained.title(scene), tuple(explained.lines(scene, EXPLAINED)))


def _scopes(session: Session, text: str) -> Page | None:
    trace = session.trace
    counts = Counter(trace.scope_of.tolist())
    rows = [
        (".".join(map(str, scope)) or "(none)", f"{counts[number]:,} nodes")
        for number, scope in enumerate(trace.scopes)
        if counts[number]
    ]
    more = len(rows) - MOST_ROWS
    rows = [*rows[:MOST_ROWS], ("…", f"{more:,} more")] if more > 0 else rows
    return _list(session, "scopes", rows)


def _trace(session: Session, text: str) -> Page | None:
    from tui.text import heading

    told = heading(session.trace, session.title or "trace", session.debugger.position)
    files = ", ".join(PurePath(file).name for file in session.trace.sources)
    rows = [*told.splitlines(), *([f"sources: {files}"] if files else [])]
    return Page("trace", tuple((span(row),) for row in rows))


def _health(session: Session, text: str) -> Page:
    """The table of layers and time steps, as `tr.health` prints it."""
    from tracer.insight import health

    report = health(session.trace, lr=session.layers.rate)
    return Page("layers", tuple((span(line),) for line in str(report).splitlines()))


INFO: Mapping[str, Callable[[Session, str], Page | None]] = {
    "breakpoints": _breakpoints,
    "watches": _watches,
    "display": _watches,
    "position": _where,
    "node": _node,
    "scopes": _scopes,
    "layers": _health,
    "trace": _trace,
}


def _info(session: Session, text: str) -> Page | None:
    word, _, rest = text.partition(" ")
    if not word:
        return _both(session)
    found = [name for name in INFO if name.startswith(word)]
    if not found:
        raise GradstepError(f"there is no info {word!r}: {', '.join(INFO)}")
    return INFO[found[0]](session, rest.strip())


def _source(session: Session, text: str) -> Page | None:
    view = session.trace[node_of(session, text)]
    lines = numbered_source(view)
    if not lines or view.place is None:
        raise GradstepError(f"the source of {view.label} is not known: try info node {view.label}")
    return Page(f"{PurePath(view.place.file).name} · {view.label}", tuple(lines))


def _echo(session: Session, text: str) -> None:
    session.say(text)


ORDERS: tuple[Order, ...] = (
    Order("watch", "EXPR", "show at every stop: xhat, norm(w.grad) / norm(w), rms(grad) of xhat", _watch, STOP,
          ("display",), complete=node_names),
    Order("unwatch", "[N|all]", "show watch N no more (the last one)", _unwatch, STOP, ("undisplay",)),
    Order("print", "EXPR", "what an expression is now: xhat[0], mean(h == 0, axis=0)", _print, LOOK, ("p",),
          complete=node_names),
    Order("info", "[WHAT]", "breakpoints, watches, position, node [NODE], scopes, layers, trace", _info, LOOK, ("i",),
          complete=lambda session, text: starting(INFO, text)),
    Order("explain", "[NODE]", "where the numbers of a node come from: its formula, each flow, their sum", _explain,
          LOOK, complete=node_names),
    Order("where", "", "the step, the node, its formula with numbers, its gradient", _where, LOOK, ("bt", "frame")),
    Order("list", "[NODE]", "the source around a node (the selected one)", _source, LOOK, ("l",), complete=node_names),
    Order("echo", "TEXT", "say a text, for command files", _echo, LOOK),
)  # fmt: skip
