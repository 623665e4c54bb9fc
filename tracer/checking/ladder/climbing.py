"""The ladder climbed: the rungs in turn, and the rows of what was found of each input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tracer.checking.certified.kinks import kinks_near
from tracer.checking.certified.search import ENOUGH
from tracer.checking.judge import AGREE, DISAGREE, UNDECIDABLE
from tracer.checking.numerical import absent, context, looked_at, measure
from tracer.checking.progress import Progress, StoppedError, Told
from tracer.checking.report import NOT_FINITE_OUT, UNJUDGED, Element, Report, Row, Rung
from tracer.checking.rounding import largest, rounded, shake, throughput
from tracer.traces import Trace

from .bisection import FEW as FOLLOWED
from .bisection import OTHERS_RIGHT, WORST, bisected, is_kinked, is_wrong
from .directions import Subject, directions_of, end_to_end, restricted
from .forward import forward_rung
from .noting import remarks
from .probes import Finding, certified_bundles
from .rules import RuleTests
from .second import second_rung
from .vacuity import vacuous

Array = Any
"""A numpy array or numpy scalar."""

FEW = 256
"""Inputs of no more elements, taken together, are checked element by element unless told otherwise."""
NAMED = 3
"""So many kinks are named in a row, and so many wrong elements where the rule at fault is known."""
LAST_RUNGS = {
    1: ("directions end to end", "elements"),
    2: ("second order, directions", "second order, elements"),
}
NO_FLOW = (
    "no gradient arrives here: the value is not used, or the recording was cut (detach, np.asarray)"
)
USED = "a function whose result is computed from its arguments"
CUT = "every rule is right by itself: look for a detach, np.asarray, .value or .item on the way"


class Wishes(NamedTuple):
    """What a user asks of a check; see `tr.check`."""

    seed: int = 0
    elements: int | None = None
    told: Told | None = None
    executor: Executor | None = None


@dataclass(frozen=True)
class Ascent:
    """What a check works with: the trace in float64 (None if nothing was recorded), and how much is asked for."""

    trace: Trace | None
    rng: np.random.Generator
    wishes: Wishes
    order: int = 1
    excused: bool = False
    """Whether outputs that are not finite were left out."""
    forward: Trace | None = None
    """For the second order the trace of the function itself, whose rules are differentiated."""

    @cached_property
    def shaken(self) -> tuple[Trace, ...]:
        """Replays with inputs moved by a unit in the last place."""
        return () if self.trace is None else shake(self.trace, self.rng)

    @cached_property
    def throughput(self) -> float:
        """The largest |gradient · value| on the way: what a value that changes by itself changes the output by."""
        return 0.0 if self.trace is None else throughput(self.trace, 0)

    @cached_property
    def noise(self) -> float | None:
        """How far the function is off because what lies on the way is rounded; None where nothing was recorded."""
        return None if self.trace is None else rounded(self.trace, 0)

    def subject(
        self, name: str, x: Array, function: Callable[[Array], float], size: float, node: int
    ) -> Subject:
        """An input; node: where it stands in the trace, −1 if its gradient does not arrive."""
        gradient = None if self.trace is None or node < 0 else self.trace.gradient(node)
        x = np.asarray(x, np.float64)

        def shaken() -> list[Array]:
            found = [other.gradient(node) for other in self.shaken] if gradient is not None else []
            return [other for other in found if other is not None]

        size = max(size, self.throughput)
        claimed = np.zeros(x.shape) if gradient is None else np.asarray(gradient)
        arrives = gradient is not None
        return Subject(
            name, x, function, claimed, size, shaken, self.noise, node, arrives, self.excused
        )


def climbed(title: str, ascent: Ascent, subjects: Sequence[Subject]) -> Report:
    """The report of all rungs. What who is told raises ends it; a `StoppedError` leaves what is known by then."""
    trace, rng = ascent.trace, ascent.rng
    rungs: list[Rung] = []
    faults: tuple[Row, ...] = ()
    rows: list[Row] = []
    notes: tuple[str, ...] = ()
    try:
        tests = None if trace is None or ascent.order == 2 else RuleTests(trace, rng)
        swept = [_swept(ascent, subjects, subject) for subject in subjects]
        lines = [directions_of(subject, rng) for subject in subjects]
        sizes = [0 if tests is None else tests.size, sum(map(len, lines)), *swept]
        progress = Progress(ascent.wishes.told, sizes)
        tell = progress.begun(sizes[0])
        if tests is not None and trace is not None:
            rules = tests.run(tell)
            rungs, faults = [rules.rungs[0], forward_rung(trace, rng), rules.rungs[1]], rules.faults
        if ascent.forward is not None:
            rung, faults = second_rung(ascent.forward, rng)
            rungs = [rung]
        findings = _findings(subjects, lines, progress.begun(sizes[1]))
        for subject, way, found, count in zip(subjects, lines, findings, swept, strict=True):
            counted = progress.counted(subject.function, count)
            few = NAMED if faults else FOLLOWED  # who knows the rule at fault needs few examples
            rows.append(_row(ascent, replace(subject, function=counted), way, found, count, few))
        rungs += _last_rungs(LAST_RUNGS[ascent.order], findings, rows, faults)
        if trace is not None and ascent.order == 1:
            rows, notes = _with_vacuity(trace, rows, rng), remarks(trace)
        if ascent.order == 1 and not any(subject.arrives for subject in subjects):
            rows = [_unused(row) if row.verdict == AGREE else row for row in rows]
    except StoppedError:
        notes = (f"stopped: {len(rows)} of {len(subjects)} inputs were judged",)
        rest = subjects[len(rows) :]
        rows += [Row(s.name, s.x.shape, reason=UNJUDGED, node=s.node) for s in rest]
    return Report(title, tuple(rows), notes, rungs=tuple(rungs), faults=faults)


def _findings(
    subjects: Sequence[Subject], lines: Sequence[Sequence[Array]], tell: Callable[[int], None]
) -> list[list[Finding]]:
    """What is found along one direction of each input, and along the others where that one does not agree."""
    found = certified_bundles(
        [end_to_end(s, d[:1]) for s, d in zip(subjects, lines, strict=True)], tell
    )
    doubted = [k for k, each in enumerate(found) if any(f.verdict != AGREE for f in each)]
    more = certified_bundles([end_to_end(subjects[k], lines[k][1:]) for k in doubted], tell)
    for k, each in zip(doubted, more, strict=True):
        found[k] += each
    return found


def _swept(ascent: Ascent, subjects: Sequence[Subject], subject: Subject) -> int:
    """How many elements of an input are certified one by one."""
    if ascent.wishes.elements is None:
        few = sum(each.x.size for each in subjects) <= FEW
        return subject.x.size if few else 0
    return looked_at(subject.x.size, ascent.wishes.elements)


def _row(
    ascent: Ascent,
    subject: Subject,
    directions: Sequence[Array],
    findings: Sequence[Finding],
    count: int,
    few: int,
) -> Row:
    """What was found of one input: its elements if they were asked for, else directions, bisected if one is wrong."""
    name, shape, node = subject.name, subject.x.shape, subject.node
    notes = () if subject.arrives else (NO_FLOW,)
    if not subject.x.size:
        return Row(name, shape, reason="empty: nothing to check", node=node)
    elements: tuple[Element, ...] = ()
    if count:
        measured = measure(
            subject.function,
            subject.x,
            elements=ascent.wishes.elements,
            rng=ascent.rng,
            executor=ascent.wishes.executor,
            noise=subject.noise,
        )
        around = absent(measured, subject.size)
        if subject.arrives and ascent.trace is not None:
            around = context(ascent.trace, ascent.shaken, node)
        most = max((f.most for f in findings if np.isfinite(f.most)), default=0.0)
        floor = ENOUGH * most / max(largest(subject.x), 1.0)
        elements = measured.compare(replace(around, floor=max(around.floor, floor)))
    if subject.excused:
        elements = tuple(map(_excused, elements))
    swept = len(elements) == subject.x.size
    failed = any(map(is_wrong, findings))
    if not any(element.verdict == DISAGREE for element in elements):
        sought = next((test for test in (is_wrong, is_kinked) if any(map(test, findings))), None)
        if sought is not None and (failed or not swept):
            more, findings, note = _closer(subject, directions, findings, sought, few)
            seen = {element.index for element in more}
            elements = (*(e for e in elements if e.index not in seen), *more)
            notes = (*notes, *note)
        along = _along(findings)
        elements += tuple(e for e in along if e.verdict == DISAGREE) if swept else along
    row = Row(name, shape, elements, notes=notes, node=node)
    return replace(row, notes=(*notes, *_at_kinks(ascent.trace, row)))


def _closer(
    subject: Subject,
    directions: Sequence[Array],
    findings: Sequence[Finding],
    sought: Callable[[Finding], bool],
    few: int,
) -> tuple[tuple[Element, ...], Sequence[Finding], tuple[str, ...]]:
    """The elements for which directions disagree, or meet a kink; what is found along the rest; and a note."""
    direction = next(d for d, found in zip(directions, findings, strict=False) if sought(found))
    found = bisected(restricted(subject, direction), direction, sought, few=few)
    if not found.elements:  # no element alone: one direction that agrees outweighs another
        right = [finding for finding in findings if finding.verdict == AGREE]
        return (), right or findings, ()
    if len(found.elements) == subject.x.size:
        return found.elements, (), ()
    wrong = any(element.verdict == DISAGREE for element in found.elements)
    if found.alone:
        return found.elements, [found.rest] if found.rest and not wrong else [], (OTHERS_RIGHT,)
    return found.elements, [] if wrong else findings, (WORST,)


def _excused(element: Element) -> Element:
    """Where outputs were left out, nothing is said of a gradient that is not finite, nor of one that is 0 for that."""
    slope = element.numerical
    dead = element.automatic == slope.value == 0
    if not dead and (element.verdict != DISAGREE or np.isfinite(element.automatic)):
        return element
    return replace(element, verdict=UNDECIDABLE, reason=NOT_FINITE_OUT)


def _along(findings: Sequence[Finding]) -> tuple[Element, ...]:
    """The directions as elements; those that decide nothing are left out where another one does."""
    decided = any(found.verdict != UNDECIDABLE for found in findings)
    return tuple(
        Element(("direction", k), np.nan, f.claim, f.slope, f.verdict, f.reason)
        for k, f in enumerate(findings)
        if f.verdict != UNDECIDABLE or not decided
    )


def _at_kinks(trace: Trace | None, row: Row) -> tuple[str, ...]:
    """Which recorded values lie at the kinks that a row met."""
    met = [e for e in row.elements if "kink" in e.reason]
    if trace is None or row.node < 0 or not met:
        return ()
    first = met[0].index
    index = None if first[:1] == ("direction",) else tuple(int(k) for k in first)
    near = kinks_near(trace, row.node, index) or kinks_near(trace, row.node)
    names = list(dict.fromkeys(map(str, near)))
    if not names:
        return ()
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (f"at a kink: {', '.join(names[:NAMED])}{more}",)


def _last_rungs(
    names: tuple[str, str],
    findings: Sequence[Sequence[Finding]],
    rows: Sequence[Row],
    faults: Sequence[Row],
) -> list[Rung]:
    """The rungs of directions and of elements."""
    verdicts = [found.verdict for each in findings for found in each]
    bad = verdicts.count(DISAGREE)
    said = [CUT] if bad and not faults else []
    open_ends = verdicts.count(UNDECIDABLE)
    if open_ends:
        said.append(f"{open_ends} undecided")
    looked = [e for row in rows for e in row.elements if e.index[:1] != ("direction",)]
    wrong = sum(e.verdict == DISAGREE for e in looked)
    return [
        Rung(names[0], len(verdicts), bad, ", ".join(said)),
        Rung(names[1], len(looked), wrong, "" if looked else "on request: elements=N"),
    ]


def _unused(row: Row) -> Row:
    """The row of an input where nothing at all depends on any: no rule was tested."""
    return replace(row, reason="the result does not depend on it: no rule was tested", vacuous=USED)


def _with_vacuity(trace: Trace, rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    """The rows, with a better seed cotangent proposed where the gradient is zero whatever the rule."""
    judged = [row.node for row in rows if row.node >= 0 and row.verdict == AGREE]
    proposals = vacuous(trace, judged, rng)
    return [replace(row, vacuous=proposals.get(row.node, "")) for row in rows]
