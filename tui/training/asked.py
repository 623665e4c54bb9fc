"""`gradstep train`: what was asked for is checked, made on a screen or without one, and what is left is saved."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gallery.history import History
from gallery.training import pictures
from tracer.errors import GradstepError
from tui.printing import terminal
from tui.scripts import UsageError
from tui.statuses import FAILED, FINE, INTERRUPTED
from tui.training.leaving import check_places, document, save_traces
from tui.training.plan import Plan, plan_of


def train(options: argparse.Namespace) -> int:
    """Train a network of the gallery; 1 if its loss is no number at the end, or grows, or a layer is dead."""
    from tui.opening import why_no_screen

    plan = plan_of(options)
    check_places(options)
    if options.json or why_no_screen():
        return _without_screen(plan, options)
    return _on_screen(plan, options)


def _without_screen(plan: Plan, options: argparse.Namespace) -> int:
    from tui.training import plain

    run = plan.begin()
    whole = plain.go(run, plan, sys.stderr if options.json else sys.stdout)
    files: dict[int, Path] = {}
    trouble = _saved(run.history, plan, options, files)
    if options.json:
        print(json.dumps(document(run.history, plan, files), allow_nan=False, ensure_ascii=False))
    else:
        plain.report(run, plan, files, terminal())
    if trouble is not None:
        raise trouble
    return _status(run.history) if whole else INTERRUPTED


def _on_screen(plan: Plan, options: argparse.Namespace) -> int:
    from tui.training.plain import summary
    from tui.training.session import on_screen

    run = plan.begin()
    files: dict[int, Path] = {}
    error = on_screen(run, plan, files)
    trouble = _saved(run.history, plan, options, files)
    for line in summary(run.history, plan, files, terminal().columns):
        print(line)
    for each in (error, trouble):
        if each is not None:
            raise each
    return _status(run.history)


def _status(history: History) -> int:
    if history.trouble:
        print(f"gradstep: {history.trouble}", file=sys.stderr)
    return FAILED if history.trouble else FINE


def _saved(
    history: History, plan: Plan, options: argparse.Namespace, files: dict[int, Path]
) -> GradstepError | UsageError | None:
    """Save what is to be saved, adding the file of each step; what went wrong, so that it is told after the report."""
    trouble: GradstepError | UsageError | None = None
    if options.plot is not None and history.count:
        from tracer.plots.saving import save

        try:
            file = save(pictures(plan.training, history, plan.settings), options.plot)
            print(f"wrote {file}", file=sys.stderr)
        except GradstepError as error:
            trouble = error
    if options.output is not None:
        try:
            files.update(save_traces(history, plan, options.output))
        except UsageError as error:
            trouble = error
    return trouble
