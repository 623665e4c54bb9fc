"""`gradstep check` and `gradstep verify`: what was asked for is checked, printed, written as JSON, opened."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracer.cells.verdicts import WRONG
from tracer.checking import Report, check_trace
from tracer.checking import verify as verify_trace
from tracer.checking.pages.page import headline, page
from tracer.checking.progress import Told
from tracer.checking.record import as_record
from tracer.files import write_whole
from tui.opening import Wishes, own_output, remark, step_through, why_no_screen
from tui.printing import Terminal, printed, terminal
from tui.scripts import Made, UsageError
from tui.sessions import Deed
from tui.statuses import FAILED, FINE, INTERRUPTED
from tui.targets import Target
from tui.verdicts.collected import collected
from tui.verdicts.given import STDIN, Derivation, given, subject
from tui.verdicts.meter import meter
from tui.verdicts.rules import with_rules
from tui.views.verify import Verified, stamp_of


@dataclass(frozen=True, eq=False)
class Found:
    """A report, of which target, against which derivation, and what was checked in words."""

    report: Report
    target: Target | None
    derivation: Derivation | None
    words: str
    made: Made | None = None
    """The call of the script that made it."""

    @property
    def call(self) -> str:
        """The call of the script, short: `centred, line 21`; empty where the command made the report."""
        if self.made is None:
            return ""
        place = f"line {self.made.line}" if self.made.line else ""
        return ", ".join(filter(None, (self.made.function or self.made.asked, place)))


def check(options: argparse.Namespace) -> int:
    """Compare the gradients of a target with certified numbers."""
    writable(options.json)
    with own_output(aside=options.quiet or options.json is not None):
        target, _ = subject(options.target, options.set)
    if target is None:
        raise UsageError(
            f"{options.target} recorded nothing to check\n  try: gradstep verify {options.target}"
        )
    remark(target)
    order = 2 if options.second else 1
    with workforce(options.workers) as executor:
        wished = {"order": order, "executor": executor, **wishes(options)}
        report, stopped = measured(lambda told: check_trace(target.trace, told=told, **wished))
    words = f"{called(target)}, second derivatives" if options.second else called(target)
    report = with_rules(report, target.trace)
    return tell([Found(report, target, None, words)], options, stopped=stopped)


def verify(options: argparse.Namespace) -> int:
    """Compare a hand derivation with the recorded gradients, line by line; or show the reports that a script makes."""
    writable(options.json)
    with own_output(aside=options.quiet or options.json is not None):
        target, made = subject(options.target, options.set)
    if made and options.derivation is None and not (target and target.derivation):
        found = [_made(each, options.target) for each in made]
        return tell(found, options, stopped=False)
    if target is None:
        raise UsageError(
            f"{options.target} recorded no loss that {options.derivation} could be verified against\n"
            f"  try: loss.backward() at its end"
        )
    remark(target)
    derivation = given(options.derivation, target)
    with workforce(options.workers) as executor:
        wished = {"executor": executor, **wishes(options)}
        report, stopped = measured(
            lambda told: verify_trace(target.trace, derivation.text, told=told, **wished)
        )
    words = f"{called(target)} against {derivation.source}"
    return tell([Found(report, target, derivation, words)], options, stopped=stopped)


def _made(each: Made, name: str) -> Found:
    """A report that a script made itself."""
    target = Target(name, each.trace) if each.trace is not None else None
    derivation = Derivation(each.written, Path(name).name)
    of = f"{each.asked} of {each.function}" if each.function else each.asked
    at = f", line {each.line}" if each.line else ""
    return Found(each.report, target, derivation, f"{of} in {Path(name).name}{at}", each)


def called(target: Target) -> str:
    """What a target is called on its page: a file without its folders."""
    return Path(target.title).name


def measured(work: Callable[[Told], Report]) -> tuple[Report, bool]:
    """The report of some work, which tells how far it is; and whether the user ended it early."""
    with meter() as found:
        return work(found), found.stopped


@contextmanager
def workforce(workers: int | None) -> Iterator[Executor | None]:
    """An executor of so many processes, None for this one alone.

    They are forked where that can be done, since an operation that a script declares is known to this process only.
    """
    if not workers:
        yield None
        return
    way = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of forking; no thread of ours runs yet
        with ProcessPoolExecutor(workers, multiprocessing.get_context(way)) as executor:
            try:
                yield executor
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise


def wishes(options: argparse.Namespace) -> Mapping[str, Any]:
    """What the options wish of a check."""
    wished = {"seed": options.seed, "elements": options.elements}
    return {name: value for name, value in wished.items() if value is not None}


# ----- telling


def tell(found: Sequence[Found], options: argparse.Namespace, *, stopped: bool) -> int:
    """Print the pages, write the record, open the debugger, as the options wish; the exit status."""
    here = terminal()
    if options.json != STDIN:
        for k, each in enumerate(found):
            text = text_of(each, here, options, call=each.call if len(found) > 1 else "")
            print("\n" * bool(k and not options.quiet) + text, flush=True)
    if options.json is not None:
        write_record(found, options.json)
    if options.open:
        open_at_fault(found)
    if stopped:
        return INTERRUPTED
    return FINE if all(each.report.ok for each in found) else FAILED


def text_of(found: Found, here: Terminal, options: argparse.Namespace, *, call: str = "") -> str:
    """The page of a report, or with --quiet its first line. call: what tells it from others of the same script."""
    report = found.report
    if options.quiet:
        return printed([headline(report, here, call)], colours=here.colours)
    written = found.derivation.text if found.derivation is not None else ""
    opens = "" if options.open or not can_open(found) else again(options)
    lines = page(report, here, subject=found.words, written=written, look=opens, call=call)
    return printed(lines, colours=here.colours)


def can_open(found: Found) -> bool:
    """Whether there is something wrong that the debugger can show, and the command could be given again."""
    from_pipe = found.derivation is not None and found.derivation.source == "standard input"
    rows = (*found.report.faults, *found.report.rows)
    wrong = any(row.node >= 0 and row.sign == WRONG for row in rows)
    return found.target is not None and wrong and not from_pipe


def again(options: argparse.Namespace) -> str:
    """The command that opens the debugger at the first wrong element."""
    words = [options.command, options.target]
    words += [word for one in options.set or () for word in ("--set", one)]
    words += [options.derivation] if getattr(options, "derivation", None) else []
    words += ["--second"] if getattr(options, "second", False) else []
    return f"gradstep {shlex.join(words)} --open"


def writable(file: str | None) -> None:
    """Raise `UsageError` for a file in a folder that is not there, before a long check and not behind it."""
    if file not in (None, STDIN) and not Path(str(file)).absolute().parent.is_dir():
        raise UsageError(
            f"cannot write {file}: there is no folder {Path(str(file)).parent}\n  try: another folder"
        )


def write_record(found: Sequence[Found], file: str) -> None:
    """The reports as JSON: one, or those that a script made. Raises `UsageError` if they cannot be written."""
    records = [as_record(each.report) for each in found]
    several = [
        {"call": each.call, "line": each.made.line if each.made else 0, "report": record}
        for each, record in zip(found, records, strict=True)
    ]
    document = records[0] if len(records) == 1 else collected(several)
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    if file == STDIN:
        print(text)
        return
    try:
        write_whole(Path(file), f"{text}\n".encode())
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror or error}\n  try: another folder"
        ) from None


def open_at_fault(found: Sequence[Found]) -> None:
    """Open the debugger at the first wrong element of the first report that has one; else at the end of the first."""
    why = why_no_screen()
    if why:
        print(f"gradstep: {why}: --open needs one", file=sys.stderr)
        return
    openable = [each for each in found if each.target is not None]
    if not openable:
        raise UsageError("nothing was recorded that the debugger could show\n  try: without --open")
    chosen = next((each for each in openable if not each.report.ok), openable[0])
    assert chosen.target is not None
    given = chosen.derivation
    path = given.path if given is not None else None
    verified = Verified(
        chosen.target.trace,
        chosen.report,
        given.source if given is not None else "all gradients",
        path,
        stamp_of(path) if path is not None else None,
        given.text if given is not None else "",
    )
    deeds = (Deed("end"), Deed("wrong"))
    step_through(chosen.target, Wishes(deeds, verified=verified))
