"""`gradstep kernel`: the list of kernels, a page of trials or barriers, or a recorded launch on a screen or as text."""

from __future__ import annotations

import argparse
import json
import sys
from functools import cache
from typing import TYPE_CHECKING

from ops.cuda.kernel import FAMILIES, Kernel
from tui.cli import FAILED, FINE
from tui.printing import Line, printed, terminal
from tui.scripts import UsageError
from tui.stepper import listing, plain
from tui.stepper.foreign import foreign, is_foreign
from tui.stepper.stand import Stand, any_step, begin, go
from tui.stepper.trials import (
    LISTED,
    Launched,
    barriers_of,
    launch_text,
    launched,
    recorded,
    telling,
    trials_of,
    walk_of,
)
from tui.targets import ScriptError

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun


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
    own = is_foreign(options.name)
    one, dtype = foreign(options.name) if own else (listing.named(options.name), "")
    if LISTED in (options.trial, options.without_barrier):
        return _listed(one, options, dtype)
    found = launched(one, options, dtype)
    return _stepped(found, _of_theirs(found) if own else recorded(found), options)


def _of_theirs(found: Launched) -> KernelRun:
    """A launch of a kernel of the user's; what its lines raise is shown as Python shows it."""
    try:
        return recorded(found)
    except Exception as error:
        raise ScriptError(error, 1) from None


def _put(lines: list[Line]) -> None:
    print(printed(lines, colours=terminal().colours))


def _listed(one: Kernel, options: argparse.Namespace, dtype: str) -> int:
    """The trials, or the barriers."""
    if options.trial == LISTED:
        trials = trials_of(one, options.dtype or dtype or "float32")
        _put(listing.trials_table(one, trials, telling(trials)))
    else:
        options.without_barrier = None
        _put(listing.barriers_table(one, barriers_of(launched(one, options, dtype))))
    return FINE


def _stepped(found: Launched, run: KernelRun, options: argparse.Namespace) -> int:
    from tui.commands import why_no_screen

    walks = cache(lambda number: walk_of(run, number))
    what = ", ".join(filter(None, (launch_text(found.launch), found.trial.what)))
    number = _block(run, options.block)
    stand = begin(walks(number), found.removed)
    if options.step is not None:
        stand = _at(stand, options.step)
    elif stand.fault is None and (options.json or options.text or why_no_screen()):
        stand = go(stand, stand.walk.last)
    why = why_no_screen()
    if options.json:
        document = plain.document(stand, found)
        print(json.dumps(document, ensure_ascii=False, allow_nan=False, default=str))
    elif options.text or why:
        if not options.text:
            print(f"gradstep: {why}, so here is what --text prints", file=sys.stderr)
        print(plain.listing(stand, what))
    else:
        from tui.stepper.screen import step_through

        status = step_through(
            run,
            walks,
            what=found.trial.what,
            block=number,
            position=options.step,
            removed=found.removed,
        )
        if status:
            return status
    return FAILED if run.fault is not None else FINE


def _block(run: KernelRun, wanted: int | None) -> int:
    """The number of the recorded block to begin with: the one asked for, else that of the fault."""
    runs, fault = run.runs, run.fault
    if not runs:
        raise UsageError("no thread ran: the launch is empty\n  try: --blocks 1 --threads 64")
    if wanted is not None:
        if not 0 <= wanted < len(runs):
            raise UsageError(
                f"blocks 0 to {len(runs) - 1} were recorded, so there is no block {wanted}\n"
                f"  try: --block {len(runs) - 1}"
            )
        return wanted
    places = [block.block for block in runs]
    return places.index(fault.block) if fault is not None and fault.block in places else 0


def _at(stand: Stand, step: int) -> Stand:
    if not 0 <= step <= stand.walk.last:
        raise UsageError(
            f"this block has steps 0 to {stand.walk.last}, so there is no step {step}\n"
            f"  try: --step {stand.walk.last}"
        )
    return any_step(go(stand, step), 0)
