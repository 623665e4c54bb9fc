"""What each command does that has no room of its own. It gets its options and returns its exit status."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gallery import GALLERY
from tui import scripts, targets, text
from tui.command_line.parsing import parse, strays
from tui.opening import (
    Wishes,
    introduce,
    own_output,
    remark,
    step_through,
    why_no_screen,
    wishes_of,
)
from tui.printing import printed, terminal
from tui.scripts import UsageError
from tui.statuses import FAILED, FINE, USAGE
from tui.targets import Target, resolve


def pick() -> int:
    """Pick networks of the gallery to step through or train; without a terminal, list them and show the first."""
    why = why_no_screen()
    if why:
        from tui.showroom.answers import put
        from tui.showroom.listing import listed

        put([*listed(list(GALLERY.values()), shutil.get_terminal_size().columns), ()])
        return step_through(resolve(next(iter(GALLERY))))
    from tui.projects import project_of
    from tui.showroom import picker
    from tui.showroom.drawings import Drawings
    from tui.training.asked import train

    drawings, name, status = Drawings(), "", FINE
    while status == FINE:
        choice = picker.pick_one(name, drawings)
        if choice is None:
            return FINE
        name = choice.name
        if choice.deed == picker.TRAIN:
            train(parse(["train", name]))
        else:
            status = introduce(resolve(name), Wishes(project=project_of(name)))
    return status


def run(options: argparse.Namespace) -> int:
    """Run a script or module, then step through what it recorded."""

    def program() -> scripts.Program:
        if options.module:
            return scripts.module(options.module)
        return targets.script_at(options.script)

    gone = strays(options.rest)
    if gone and not (options.orders or options.batch):
        came = "came after the script and went to it; before it they are Gradstep's"
        print(f"gradstep: {', '.join(gone)} {came}", file=sys.stderr)
    again = targets.repeated(lambda: targets.ran(program(), options.rest, options.episode))
    first = program()
    wishes = wishes_of(options, first.file)
    done = scripts.run(first, options.rest, episode=options.episode)
    sys.stdout.flush()
    if done.error is not None:
        scripts.print_traceback(done.error)
    elif done.status:
        print(f"gradstep: {targets.ended_with(done.program.name, done.status)}", file=sys.stderr)
    if done.status:
        if options.on_error:
            after_failure(done, again, wishes)
        elif sys.stderr.isatty():
            print(
                "gradstep: --on-error before the script opens the debugger at what it had recorded",
                file=sys.stderr,
            )
        return done.status
    return step_through(replace(targets.of_run(done, options.episode), again=again), wishes)


def after_failure(done: scripts.Run, again: Callable[[], Target], wishes: Wishes) -> None:
    """Step through what a script had recorded when it failed; say so if that is nothing."""
    try:
        step_through(replace(targets.of_failure(done), again=again), wishes)
    except UsageError as error:
        print(f"gradstep: {error}", file=sys.stderr)


def open(options: argparse.Namespace) -> int:
    """Step through a target."""
    wishes = wishes_of(options, options.target)
    return introduce(resolve(options.target, options.set), wishes)


def show(options: argparse.Namespace) -> int:
    """Print a target as text, or as JSON."""
    with own_output(aside=options.json):
        target = resolve(options.target, options.set)
    position = position_of(target, options.step)
    remark(target)
    if options.json:
        from tui.document import document

        whole = document(target.trace, target.title, position=position)
        print(json.dumps(whole, allow_nan=False, ensure_ascii=False))
        return FINE
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(
        text.show(target.trace, target.title, position=position, every=options.all, columns=columns)
    )
    if target.trace.device != "cpu":
        from tui.comparing import against_cpu

        found = against_cpu(target)
        if found is not None:
            print(f"\n{target.trace.device} against cpu: {found}")
    return FINE


def position_of(target: Target, step: int | None) -> int | None:
    """A position on the timeline. Raises `UsageError` outside it."""
    last = target.trace.timeline.last
    if step is not None and not 0 <= step <= last:
        raise UsageError(
            f"{target.title} has steps 0 to {last}, so there is no step {step}\n  try: --step {last}"
        )
    return step


def diagram(options: argparse.Namespace) -> int:
    """Write the figure of a target, or draw it here in characters."""
    from tui import exporting

    place = exporting.place_of(options)
    with own_output(aside=place.format is not None):
        target = resolve(options.target, options.set)
    remark(target)
    figure = exporting.figure_of(target, options, position_of(target, options.step))
    exporting.put(figure, place)
    return FINE


def diff(options: argparse.Namespace) -> int:
    """Compare two targets, or one on two devices, node by node."""
    from tui.comparing import compared

    return FINE if compared(options) else FAILED


def record(options: argparse.Namespace) -> int:
    """Make pictures of recorded sessions."""
    from tracer.diagrams.animation import PAUSE
    from tui.recorder import recording

    output = options.output
    if len(options.sessions) > 1 and output is not None and not Path(output).is_dir():
        raise UsageError(
            f"{len(options.sessions)} sessions do not fit into one file\n  try: a folder for -o"
        )
    pause = options.pause or (PAUSE if options.animate else None)
    wishes = recording.Wishes(options.target, options.size, options.theme, pause)
    for session in options.sessions:
        print(f"wrote {recording.record(session, output, wishes)}")
    return FINE


def new(options: argparse.Namespace) -> int:
    """Write a starter script, or list them."""
    from tui import starting

    if options.name is None:
        print(starting.starters_list())
    else:
        file = starting.write_starter(options.name, options.file, force=options.force)
        typed = shlex.quote(str(file))
        print(f"wrote {file}: python {typed}, then gradstep run {typed}")
    return FINE


def ops(options: argparse.Namespace) -> int:
    """List the operations, those of a family or a pattern, or describe one."""
    from tui.op_page import op_page
    from tui.op_table import ops_table
    from tui.operations import chosen

    here = terminal()
    found = chosen(options.name, options.family)
    one = options.name == found[0].name and len(found) == 1
    print(printed(op_page(found[0], here) if one else ops_table(found, here), colours=here.colours))
    return FINE


def bench(options: argparse.Namespace) -> int:
    """Run the benchmarks of a checkout."""
    root = Path(__file__).resolve().parents[1]
    if not (root / "tests" / "bench" / "__main__.py").is_file():
        raise UsageError(
            "the benchmarks are not part of the installed package\n"
            "  try: gradstep bench in a checkout of Gradstep, with the extra gradstep[bench]"
        )
    status = subprocess.run(
        [sys.executable, "-m", "tests.bench", *options.rest], cwd=root
    ).returncode
    return status if status in (FINE, FAILED, USAGE) else FAILED
