"""Orders that verify: a hand derivation line by line, or all gradients, against certified numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui.changing import told
from tui.orders.order import LOOK, Order, node_names, node_of, path_of, starting, whole
from tui.planes import DIFFERENCE
from tui.views.verify import Verified, first_wrong_element, stamp_of

if TYPE_CHECKING:
    from tracer.checking import Report
    from tui.session import Session

STOPPED = "stopped after {done} of {of} numbers: nothing was kept"
"""What is said, after its name, of a check that the user has stopped."""


def _verify(session: Session, text: str) -> None:
    """Verify a derivation: of a file, or the one that came with the trace; without one, of the file before."""
    from tracer.checking import verify  # the room that checks is loaded when it is needed
    from tui.verdicts.given import text_of

    before = session.report
    again = before.path if before is not None and not session.derivation else None
    path = path_of(text) if text else again
    if path is not None:
        stamp, source = stamp_of(path), path.name
        derivation = text_of(path)
    elif session.derivation:
        derivation, stamp = session.derivation, None
        source = f"the derivation of {session.title}" if session.title else "its own derivation"
    else:
        raise GradstepError(
            "no derivation came with this trace: try verify FILE, lines such as  dL/dw = dL/dy * x; or check"
        )
    report = verify(session.trace, derivation, told=told(session, f"verify {STOPPED}"))
    _keep(session, Verified(session.trace, report, source, path, stamp, derivation))


def _check(session: Session, text: str) -> None:
    """Check all gradients of inputs and parameters, or that of one node."""
    from tracer.checking import check_trace

    trace = session.trace
    nodes = [node_of(session, text)] if text else None
    report = check_trace(trace, nodes, told=told(session, f"check {STOPPED}"))
    source = f"gradient of {trace.label(nodes[0])}" if nodes else "all gradients"
    _keep(session, Verified(trace, report, source))


def _keep(session: Session, found: Verified) -> None:
    session.report = found
    show_table(session)
    session.say(f"{found.source}: {summary(found.report)}")


def show_table(session: Session) -> None:
    """Let the table be seen, and have the keys."""
    session.view = session.wanted = "verify"


def summary(report: Report) -> str:
    """What was found, in the words of the page.

    >>> from tracer.checking import Report
    >>> summary(Report("verify", ()))
    'PASS · 0 of 0 inputs right'
    """
    from tracer.checking.pages.words import counts_of, place_of

    return f"{' '.join(filter(None, (report.outcome, place_of(report))))} · {counts_of(report)}"


def _wrong(session: Session, text: str) -> None:
    """Go to the first wrong row, or to a given one, and to its first wrong element; forward to where it is known."""
    from tracer.checking import DISAGREE
    from tracer.checking.pages.words import name_of

    found = session.report
    if found is None:
        raise GradstepError("nothing has been verified yet: try verify, or check")
    if found.trace is not session.trace:
        raise GradstepError("the verification is of another trace: verify again")
    rows = found.table
    if text:
        number = whole(text)
        if not number or number > len(rows):
            raise GradstepError(f"the rows are 1 to {len(rows)}, not {text[:40]}: try wrong 1")
        row = rows[number - 1]
    else:
        first = found.first_wrong
        if first is None:
            show_table(session)
            session.say(f"nothing is wrong: {summary(found.report)}")
            return
        row = first
    final = session.trace.timeline.when_final(row.node)
    if final is not None and session.debugger.position < final:
        session.goto(final)
    show_table(session)
    session.select(row.node)
    element = first_wrong_element(row)
    if element is not None:
        session.element = element
    if row.hand is not None:
        session.tensor = replace(session.tensor, quantity=DIFFERENCE)
    where = f" at [{', '.join(map(str, element))}]" if element else ""
    wrong = row.count(DISAGREE)
    where += f", the first of {wrong} that are wrong" if element and wrong > 1 else ""
    rule = "its rule is wrong" if row in found.report.faults else ""
    known = row.causes[0].text if row.causes else row.because or row.culprit
    why = rule or known or row.verdict.lower()
    session.say(f"{row.sign} {name_of(row)}{where}: {why}")


def _files(session: Session, text: str) -> Iterable[str]:
    """The files and folders that a path may become."""
    path = path_of(text)
    folder = path if text.endswith("/") else path.parent
    try:
        names = [f"{each}/" if each.is_dir() else str(each) for each in sorted(folder.iterdir())]
    except OSError:
        return []
    return starting((name for name in names if not name.startswith(".")), text)


def _always(session: Session, text: str) -> bool:
    return True


ORDERS: tuple[Order, ...] = (
    Order("verify", "[FILE]", "a hand derivation against certified numbers, line by line", _verify, LOOK,
          complete=_files, long=_always),
    Order("check", "[NODE]", "all gradients, or that of a node, against certified numbers", _check, LOOK,
          complete=node_names, long=_always),
    Order("wrong", "[ROW]", "to the first wrong line, or to a row of the table, and its first wrong element", _wrong,
          LOOK),
)  # fmt: skip
