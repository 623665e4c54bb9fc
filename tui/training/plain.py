"""A training without a screen: a line now and then, at the end what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from gallery.history import History
from gallery.training import Run, pictures
from tracer.cells.pieces import Line
from tracer.format import number
from tracer.plots.terminal import grid_of
from tui.printing import Terminal, printed, wrapped
from tui.training.leaving import opened
from tui.training.plan import Plan
from tui.training.words import DIGITS, layer_lines, numbers, parameter_lines

MANY = 12
"""Of more steps than this, only the first and the last are listed."""


def is_told(step: int) -> bool:
    """Whether a step is worth a line: 1, 2, 5, 10, 20, 50, 100 and so on.

    >>> [step for step in range(1, 300) if is_told(step)]
    [1, 2, 5, 10, 20, 50, 100, 200]
    """
    return str(step).rstrip("0") in ("1", "2", "5")


def go(run: Run, plan: Plan, out: TextIO) -> bool:
    """Make all steps, with a line for some; False if it was stopped by ctrl+c."""
    wide = len(f"{plan.steps:,}")
    try:
        print(f"{plan.title}: {plan.steps:,} optimiser steps", file=out, flush=True)
        for step in range(1, plan.steps + 1):
            if not run.step():
                break
            history = run.history
            if is_told(step) or step == plan.steps or history.failed:
                told = numbers(history, plan.training.drawn)
                print(f"step {step:>{wide},}  {'  '.join(told)}", file=out, flush=True)
    except KeyboardInterrupt:
        run.freeze()
        print(f"stopped after {run.history.count:,} of {plan.steps:,} steps", file=out, flush=True)
        return False
    run.freeze()  # the last step is always kept
    return True


def report(run: Run, plan: Plan, files: dict[int, Path], here: Terminal) -> None:
    """Print plots, layers, what was to be expected beside the numbers, and the steps that were kept."""
    history = run.history
    blocks: list[list[Line]] = []
    if history.count > 1:
        blocks.append(
            grid_of(
                pictures(plan.training, history, plan.settings), here.columns, braille=here.signs
            )
        )
    blocks.append(layer_lines(history, here.columns, sparks=here.signs))
    blocks.append(parameter_lines(run.updates(), here.columns))
    text = "\n\n".join(printed(lines, colours=here.colours) for lines in blocks if lines)
    print(f"\n{text}\n" if text else "")
    for line in summary(history, plan, files, here.columns):
        print(line)


def summary(history: History, plan: Plan, files: dict[int, Path], columns: int) -> Iterable[str]:
    """What came of it, what was to be expected, and what one types to look at the steps that were kept."""
    if history.count:
        first = number(history.record.losses[0], DIGITS)
        told = "  ".join(numbers(history, plan.training.drawn, old=True))
        last = f"at step {history.count:,} {told}"
        yield from wrapped(f"{plan.title}: loss {first} at step 1; {last}", columns, "  ")
    if plan.training.claim:
        yield from wrapped(f"what to expect: {plan.training.claim}", columns, "  ")
    if history.traces:
        yield f"kept: {listed([f'step {step:,}' for step in history.traces])}"
    if files:
        yield from listed([f"  {opened(file)}" for file in files.values()], "\n").split("\n")
    elif history.traces:
        yield f"  {plan.command} -o FOLDER saves them; gradstep open FOLDER/FILE.trace steps through one"


def listed(words: list[str], between: str = ", ") -> str:
    """Words in a row; of many the first and the last ones.

    >>> listed(list("abcdefghijklm"))
    'a, b, c, d, e, f, … 4 more …, k, l, m'
    """
    if len(words) > MANY:
        words = [*words[:6], f"… {len(words) - 9} more …", *words[-3:]]
    return between.join(words)
