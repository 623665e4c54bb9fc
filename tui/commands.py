"""What each command does. A command gets its options and returns its exit status; it raises what `cli` explains."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import tracer as tr
from gallery import GALLERY
from tracer.versions import VERSIONS
from tui import keyboard, scripts, targets, text
from tui.cli import FAILED, FINE, USAGE, parse
from tui.networks import entry_of, is_network
from tui.plain import why_not_drawn
from tui.printing import printed, terminal
from tui.scripts import UsageError
from tui.targets import Target, resolve

if TYPE_CHECKING:
    from tui.projects import Project
    from tui.sessions import Deed
    from tui.views.verify import Verified


def version() -> int:
    """Print the versions that a report of a fault should name."""
    print(" ".join(f"{name} {number}" for name, number in VERSIONS.items()))
    return FINE


def on_device(name: str | None) -> contextlib.AbstractContextManager[None]:
    """Record on a device inside. Raises `DeviceError` where it is not there."""
    return contextlib.nullcontext() if name is None else tr.device(name)


def refuse_for_files(device: str | None, target: str | None) -> None:
    """Raise `UsageError` for a device beside a trace in a file, whose numbers lie where they lie."""
    if device is not None and target is not None and target.endswith(".trace"):
        raise UsageError(
            f"--device {device} says where something is recorded, and {target} is recorded already\n"
            f"  try: gradstep diff {target} TARGET, with what it was recorded from"
        )


def has_terminal() -> bool:
    """Whether a person sits in front of it: keys can be read and a screen can be drawn."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def has_keys() -> bool:
    """Whether keys can be read beside the input of the program, which is a file or a pipe: `run net.py < data`."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and keyboard.is_there()


@dataclass(frozen=True)
class Wishes:
    """What is to be done with a target beside opening it: orders, done first or alone, and where breakpoints last."""

    deeds: Sequence[Deed] = ()
    whole: bool = False
    """Whether the orders are a saved session, which begins at the start."""
    batch: bool = False
    project: Project | None = None
    verified: Verified | None = None
    """What was verified before, for the debugger to show."""
    lead: Sequence[Deed] = ()
    """What the entry of the gallery wants to be seen first, on a screen."""


def wishes_of(options: argparse.Namespace, target: str) -> Wishes:
    """What the options of a command wish. Raises `UsageError` for a file of orders that cannot be read."""
    from tui.batch import deeds_of
    from tui.projects import project_of

    given = deeds_of(options.orders or ())
    if options.batch and not given.deeds:
        raise UsageError(
            "--batch needs orders\n  try: --batch -ex 'break nan' -ex continue -ex where"
        )
    named = entry_of(target).name if is_network(target) else target
    project = None if options.batch else project_of(named)
    return Wishes(given.deeds, "target" in given.head, options.batch, project)


def step_through(target: Target, wishes: Wishes | None = None) -> int:
    """Open the debugger; without a terminal, do the orders that are given, or say so and print what `show` prints."""
    wishes = wishes or Wishes()
    remark(target)
    why = why_no_screen()
    if wishes.batch or (why and wishes.deeds):
        from tui.batch import run
        from tui.session import Session

        session = Session(
            target.trace,
            title=target.title,
            derivation=target.derivation,
            again=target.again,
            network=target.network,
        )
        session.episodes = target.episodes
        return run(session, wishes.deeds)
    if not why:
        from tui.app import debug

        return debug(
            target.trace,
            title=target.title,
            derivation=target.derivation,
            again=target.again,
            network=target.network,
            lead=wishes.lead,
            deeds=wishes.deeds,
            project=wishes.project,
            verified=wishes.verified,
            episodes=target.episodes,
        )
    print(f"gradstep: {why}, so here is what `gradstep show` prints", file=sys.stderr)
    print(text.show(target.trace, target.title))
    return FINE


def why_no_screen() -> str:
    """Why the debugger cannot be opened here; empty where it can."""
    if has_terminal() or has_keys():
        return why_not_drawn()
    return "no terminal to open the debugger in"


def remark(target: Target) -> None:
    """Say how a target was chosen, if there is a word to be said."""
    if target.remark:
        print(f"{target.title}: {target.remark}", file=sys.stderr)


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

    drawings, name, status = Drawings(), "", FINE
    while status == FINE:
        choice = picker.pick_one(name, drawings)
        if choice is None:
            return FINE
        name = choice.name
        if choice.deed == picker.TRAIN:
            train(parse(["train", name])[0])
        else:
            status = introduce(resolve(name), Wishes(project=project_of(name)))
    return status


def run(options: argparse.Namespace, argv: Sequence[str]) -> int:
    """Run a script or module, then step through what it recorded."""

    def program() -> scripts.Program:
        if options.module:
            return scripts.module(options.module)
        return targets.script_at(options.script)

    again = targets.repeated(lambda: targets.ran(program(), argv, options.episode))
    first = program()
    wishes = wishes_of(options, first.file)
    done = scripts.run(first, argv, episode=options.episode)
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


def introduce(target: Target, wishes: Wishes) -> int:
    """Open the debugger where the entry of the gallery wants it to begin, unless a saved session is done again."""
    from tui.sessions import Deed

    orders = target.entry.orders if target.entry is not None and not wishes.whole else ()
    lead = tuple(Deed(order, f"{target.title}: ") for order in orders)
    return step_through(target, replace(wishes, lead=lead))


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


@contextlib.contextmanager
def own_output(*, aside: bool) -> Iterator[None]:
    """Send what a script prints to stderr, where our own output is to be read by a program."""
    with contextlib.redirect_stdout(sys.stderr) if aside else contextlib.nullcontext():
        yield


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


def plot(options: argparse.Namespace) -> int:
    """Draw the plots of a network, or a histogram of any node."""
    from tui import plotting

    plotting.plot(options)
    return FINE


def record(options: argparse.Namespace) -> int:
    """Make pictures of recorded sessions."""
    from tracer.diagrams.animation import PAUSE
    from tui.recorder.recording import Wishes, record

    output = options.output
    if len(options.sessions) > 1 and output is not None and not Path(output).is_dir():
        raise UsageError(
            f"{len(options.sessions)} sessions do not fit into one file\n  try: a folder for -o"
        )
    pause = options.pause or (PAUSE if options.animate else None)
    wishes = Wishes(options.target, options.size, options.theme, pause)
    for session in options.sessions:
        print(f"wrote {record(session, output, wishes)}")
    return FINE


def check(options: argparse.Namespace) -> int:
    """Compare the gradients of a target with certified numbers."""
    from tui.verdicts import asked

    return asked.check(options)


def verify(options: argparse.Namespace) -> int:
    """Compare a hand derivation with the recorded gradients, line by line."""
    from tui.verdicts import asked

    return asked.verify(options)


def gallery(options: argparse.Namespace) -> int:
    """List the gallery, search it, describe one network, or hold all its numbers against the expected ones."""
    from tui.showroom import answers

    return answers.gallery(options)


def train(options: argparse.Namespace) -> int:
    """Train a network of the gallery."""
    from tui.training import asked

    return asked.train(options)


def quiz(options: argparse.Namespace) -> int:
    """Ask for the values and gradients of a target, or print a worksheet."""
    from tui.quiz import asked

    return asked.quiz(options)


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


def kernel(options: argparse.Namespace) -> int:
    """List the CUDA kernels, or step through one."""
    from tui.stepper import asked

    return asked.kernel(options)


def bench(options: argparse.Namespace, argv: Sequence[str]) -> int:
    """Run the benchmarks of a checkout."""
    root = Path(__file__).resolve().parents[1]
    if not (root / "tests" / "bench" / "__main__.py").is_file():
        raise UsageError(
            "the benchmarks are not part of the installed package\n"
            "  try: gradstep bench in a checkout of Gradstep, with the extra gradstep[bench]"
        )
    status = subprocess.run([sys.executable, "-m", "tests.bench", *argv], cwd=root).returncode
    return status if status in (FINE, FAILED, USAGE) else FAILED
