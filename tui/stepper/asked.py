"""`gradstep kernel`: the list of kernels, a page of trials or barriers, or a recorded launch on a screen or as text."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ops.cuda.kernel import FAMILIES, Kernel
from tui.printing import Line, printed, terminal
from tui.scripts import UsageError
from tui.statuses import FAILED, FINE
from tui.stepper import listing, plain
from tui.stepper.foreign import Foreign, foreign, is_foreign
from tui.stepper.results import outcome
from tui.stepper.saying import told as told_fault
from tui.stepper.stand import Stand, any_step, at_fault_now, begin, go
from tui.stepper.trials import (
    LISTED,
    Launched,
    barriers_of,
    launched,
    place_of,
    recorded,
    telling,
    telltale,
    trials_of,
    untold,
    walk_of,
)
from tui.stepper.walk import Walk
from tui.targets import ScriptError

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun

ALL = "all"
"""Instead of the number of a barrier: each of them in turn."""
LONG = 20_000
"""A block of so many recorded lines takes a noticeable time to be put in order."""


def kernel(options: argparse.Namespace) -> int:
    """List the kernels, or step through one; 1 if it has a fault."""
    if options.name is None:
        if options.json:
            print(json.dumps(listing.document(), ensure_ascii=False))
        else:
            _put(listing.table(terminal().columns))
        return FINE
    if options.name in FAMILIES:
        _put(listing.family_table(options.name, terminal().columns))
        return FINE
    own = foreign(options.name) if is_foreign(options.name) else None
    one = own.kernel if own is not None else listing.named(options.name)
    if LISTED in (options.trial, options.without_barrier):
        return _listed(one, options, own)
    if options.without_barrier == ALL:
        return _each_barrier(one, options, own)
    return _stepped(launched(one, options, own), options)


class Prepared(NamedTuple):
    """A recorded launch, ready to be stepped through."""

    found: Launched
    run: KernelRun
    walk_of: Callable[[int], Walk]


def prepared(
    found: Launched, tell: Callable[[int], bool] | None = None, block: int | None = None
) -> Prepared:
    """The launch, recorded, and what takes long to work out: large blocks are put in order and walked to their end.

    tell: is told how many lines are kept, and answers whether to stop there. block: the number of the one that is
    asked for.
    """
    found = telltale(found)
    try:
        run = recorded(found, tell, block)
    except Exception as error:
        if found.own is None:
            raise
        raise ScriptError(error, 1) from None  # what its lines raise is shown as Python shows it
    walks = cache(lambda number: walk_of(run, number, found))
    for number, each in enumerate(run.runs):
        if number and sum(map(len, each.threads)) < LONG:
            continue
        walk = walks(number)
        walk.moment(walk.last)
        at_fault_now(begin(walk))
        _ = walk.digits, walk.uniform
    return Prepared(found, run, walks)


def _put(lines: list[Line]) -> None:
    print(printed(lines, colours=terminal().colours))


def _listed(one: Kernel, options: argparse.Namespace, own: Foreign | None) -> int:
    """The trials, or the barriers."""
    if options.trial == LISTED:
        trials = trials_of(one, options.dtype or (own.dtype if own else "") or "float32")
        _put(listing.trials_table(one, trials, telling(trials)))
    else:
        options.without_barrier = None
        _put(listing.barriers_table(one, barriers_of(launched(one, options, own))))
    return FINE


def _each_barrier(one: Kernel, options: argparse.Namespace, own: Foreign | None) -> int:
    """Every barrier of a kernel, and what goes wrong without it."""
    options.without_barrier = None
    there = barriers_of(launched(one, options, own))
    told = []
    for each in there:
        options.without_barrier = str(each.number)
        found = telltale(launched(one, options, own))
        run = prepared(found).run
        said = told_fault(run.fault) if run.fault is not None else untold(found, run)
        told.append(said.partition("\n")[0])
    _put(listing.barriers_table(one, there, told))
    return FINE


def _stepped(asked_for: Launched, options: argparse.Namespace) -> int:
    from tui.opening import why_no_screen

    why = why_no_screen()
    if options.json or options.text or why:
        ready = prepared(asked_for, None, options.block)
    else:
        from tui.stepper.waiting import waited_for

        done = waited_for(
            asked_for.kernel.name, lambda tell: prepared(asked_for, tell, options.block)
        )
        if done is None:
            return FINE
        ready = done
    found, run, walks = ready
    number = _block(run, options.block, found)
    stand = begin(walks(number), found.removed)
    if options.step is not None:
        stand = _at(stand, options.step)
    elif stand.fault is None and (options.json or options.text or why):
        stand = go(stand, stand.walk.last)
    if options.json:
        document = plain.document(stand, found)
        print(json.dumps(document, ensure_ascii=False, allow_nan=False, default=str))
    elif options.text or why:
        if not options.text:
            print(f"gradstep: {why}, so here is what --text prints", file=sys.stderr)
        print(plain.listing(stand, found))
    else:
        from tui.stepper.screen import step_through

        status = step_through(
            run,
            walks,
            what=found.what,
            block=number,
            position=options.step,
            removed=found.removed,
            outcome=outcome(found, run),
            said=untold(found, run) or run.stopped.partition("; ")[0],
        )
        if status:
            return status
    return FAILED if run.fault is not None else FINE


def _block(run: KernelRun, wanted: int | None, found: Launched) -> int:
    """The number of the recorded block to begin with: the one asked for, else that of the fault."""
    runs, fault = run.runs, run.fault
    if not runs:
        raise UsageError("no thread ran: the launch is empty\n  try: --blocks 1 --threads 64")
    if wanted is not None:
        if len(runs) == 1 and runs[0].block == place_of(found, wanted):
            return 0
        if not 0 <= wanted < len(runs):
            raise UsageError(
                f"blocks 0 to {len(runs) - 1} were recorded, so there is no block {wanted}\n"
                f"  try: --block {max(0, min(wanted, len(runs) - 1))}"
            )
        return wanted
    places = [block.block for block in runs]
    return places.index(fault.block) if fault is not None and fault.block in places else 0


def _at(stand: Stand, step: int) -> Stand:
    if not 0 <= step <= stand.walk.last:
        raise UsageError(
            f"this block has steps 0 to {stand.walk.last}, so there is no step {step}\n"
            f"  try: --step {max(0, min(step, stand.walk.last))}"
        )
    return any_step(go(stand, step), 0)
