"""What a command is about: TARGET is a gallery name, `script.py[:function]`, or FILE.trace; it becomes a Trace."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import tracer as tr
from gallery import Entry
from gallery.knobs import assignments
from tracer.recording import Episode
from tui.beginnings import Beginning
from tui.definitions import (
    asks_nothing,
    latest_first,
    left_out,
    no_function,
    nothing_recorded,
)
from tui.networks import Network, closest, is_network, network
from tui.scripts import (
    Program,
    Run,
    UsageError,
    frames,
    imported,
    own_path,
    run,
    script,
)
from tui.training.episodes import Episodes

KEPT = re.compile(r"(.+)-step(\d{1,12})\.trace")
"""The name of a file that `gradstep train -o FOLDER` writes."""


@dataclass(frozen=True)
class Target:
    """A trace to look at, what to call it, the network of the gallery it is of, and a word about how it was chosen.

    again: makes it anew, from the sources as they are then; None where that is not known. carried: the lines by hand
    that its script carries, as a text or a function.
    """

    title: str
    trace: tr.Trace
    network: Network | None = None
    remark: str = ""
    again: Callable[[], Target] | None = None
    carried: str = ""
    episodes: Episodes | None = None
    """The kept optimiser steps of a training that it is one of."""

    @property
    def entry(self) -> Entry | None:
        """The entry of the gallery that it is of."""
        return self.network.entry if self.network is not None else None

    @property
    def derivation(self) -> str:
        """The gradients by hand that came with it, "" without."""
        return self.entry.derivation if self.entry is not None else self.carried


class ScriptError(Exception):
    """A script ended early: it raised `error`, or asked for an exit status other than 0."""

    def __init__(self, error: BaseException | None, status: int, name: str = "") -> None:
        super().__init__(ended_with(name, status) if error is None else str(error))
        self.error = error
        self.status = status


def ended_with(name: str, status: int) -> str:
    """The sentence about a script that asked for an exit status."""
    return f"{name} ended with status {status}"


def resolve(text: str, turned: Iterable[str] | None = None) -> Target:
    """The target of that name. turned: words such as `factor=1.5`, for a network of the gallery.

    Raises `UsageError` for a name or file that is not there, `KnobError` for a knob that is not, `ScriptError` for a
    script that raises, and what `tr.load` and `tr.trace` raise.
    """
    words = tuple(turned or ())
    again = repeated(lambda: _resolved(text, words))
    return replace(_resolved(text, words), again=again)


def of_network(found: Network) -> Target:
    """The target that a network of the gallery is."""
    return Target(found.title, found.trace(), found)


def repeated(make: Callable[[], Target]) -> Callable[[], Target]:
    """What makes a target anew, as a process that starts now would, from the folder where this one was when asked.

    A target that cannot be made raises `ScriptError` or `UsageError`.
    """
    beginning = Beginning()

    def again() -> Target:
        try:
            with beginning.again():
                return replace(make(), again=again)
        except (UsageError, ScriptError):
            raise
        except Exception as error:
            raise ScriptError(error, 1) from None

    return again


def ran(program: Program, argv: Sequence[str], episode: int | None = None) -> Target:
    """The target that a program leaves. Raises `ScriptError` where it ended early, `UsageError` if it left nothing."""
    return left_by(run(program, argv, episode=episode), episode)


def left_by(done: Run, episode: int | None = None) -> Target:
    """The target that a program has left; raises as `ran` does."""
    name = done.program.name
    if done.error is not None or (done.status and not done.episodes):
        raise ScriptError(done.error, done.status, name)
    target = of_run(done, episode)
    if done.status:
        ended = "; ".join(filter(None, (ended_with(name, done.status), target.remark)))
        return replace(target, remark=ended.removeprefix(f"{name} "))
    return target


def _resolved(text: str, turned: Sequence[str] = ()) -> Target:
    if is_network(text):
        return of_network(network(text, turned))
    if turned and _is_file(text):
        assignments(turned)  # a word that turns nothing is the first thing to say
        raise UsageError(
            f"{text} has no knobs to turn, for it is no network of the gallery\n"
            f"  try: without --set {' --set '.join(turned)}"
        )
    path, colon, function = text.rpartition(":")
    if colon and path.endswith(".py"):
        return called(path, function)
    if text.endswith(".py"):
        return ran(script_at(text), ())
    if text.endswith(".trace") or Path(text).is_file():
        return Target(text, tr.load(text))
    if Path(text).is_dir():
        return kept_in(Path(text))
    raise UsageError(unknown(text))


def unknown(text: str) -> str:
    """The sentence about a target that is not there, with the closest names."""
    if os.sep in text or "." in text:
        return f"no file {text}\n  try: a gallery name (see gradstep gallery), script.py[:function], or FILE.trace"
    return f"no network {text!r} in the gallery: {closest(text)}"


def kept_in(folder: Path) -> Target:
    """The first of the optimiser steps that `gradstep train -o FOLDER` kept; the debugger goes on to the others.

    Raises `UsageError` for another folder.
    """
    found = [(KEPT.fullmatch(file.name), file) for file in sorted(folder.iterdir())]
    files = {int(match[2]): (match[1], file) for match, file in found if match is not None}
    if not files or len({name for name, _ in files.values()}) > 1:
        raise UsageError(a_folder(str(folder)))
    traces = {step: tr.load(files[step][1]) for step in sorted(files)}
    first = next(iter(traces))
    episodes = Episodes(files[first][0], traces, first)
    return Target(episodes.title, traces[first], episodes=episodes)


def a_folder(text: str) -> str:
    """The sentence about a folder, with one of the traces in it or a script to run."""
    inside = sorted([*Path(text).glob("*.trace"), *Path(text).glob("*.py")])
    cure = f"try: {inside[0]}" if inside else "try: a FILE.trace or script.py in it"
    return f"{text} is a folder, not a trace or a script\n  {cure}"


def _is_file(text: str) -> bool:
    """Whether a target is a script, a function of one, or a trace, as far as its name says."""
    return ".py" in text or text.endswith(".trace") or Path(text).is_file()


def script_at(path: str) -> Program:
    """The script in a file; one that is not Python fails as it does under Python itself."""
    if not Path(path).exists():
        beside = [file.stem for file in Path(path).absolute().parent.glob("*.py")]
        near = difflib.get_close_matches(Path(path).stem, beside, n=1, cutoff=0.7)
        cure = f"try: {Path(path).with_name(near[0])}.py" if near else "try: check the path"
        raise UsageError(f"no file {path}\n  {cure}")
    try:
        return script(path)
    except SyntaxError as error:
        raise ScriptError(error, 1) from None


def called(path: str, function: str) -> Target:
    """The target that a function of a script returns: a loss, or a trace."""
    program = script_at(path)
    try:
        with own_path(program):
            names = imported(program)
            found = names.get(function)
            if callable(found):
                asks_nothing(found, path, function, names)
            result = found() if callable(found) else None
    except SystemExit as asked:
        raise UsageError(
            f"{path} called sys.exit({asked.code!r}) before there was a result\n"
            f"  try: put what it runs by itself under  if __name__ == '__main__':"
        ) from None
    except UsageError:
        raise
    except Exception as error:
        raise ScriptError(error, 1) from None
    if not callable(found):
        raise UsageError(no_function(path, function, names))
    title = f"{path}:{function}"
    if isinstance(result, (tr.Trace, tr.Tensor)):
        trace = result if isinstance(result, tr.Trace) else tr.trace(result)
        return Target(title, trace, carried=carried_by(program.file, names))
    raise UsageError(
        f"{title} returned {type(result).__name__}, not a loss or a trace\n"
        f"  try: return the loss, a recorded value of rank 0"
    )


def carried_by(file: str, names: Mapping[str, Any]) -> str:
    """The derivation that a script carries, on its own lines; empty without one."""
    try:
        source = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    if not any(word in source for word in ("derivation", "DERIVATION", "def backward")):
        return ""  # the room that checks is loaded when it is needed
    from tracer.checking.derivations.locating import TEXTS, derivation_in

    computed = (names.get(name) for name in TEXTS)
    return derivation_in(source) or next((text for text in computed if isinstance(text, str)), "")


def of_run(done: Run, episode: int | None = None) -> Target:
    """What a finished script recorded: the backward pass asked for, else the last, else its latest scalar.

    Raises `UsageError` for a script that recorded nothing, or fewer backward passes than asked for.
    """
    target = recorded_by(done, episode)
    remark = "; ".join(filter(None, (target.remark, left_out(done.names, target.trace))))
    return replace(target, carried=carried_by(done.program.file, done.names), remark=remark)


def recorded_by(done: Run, episode: int | None) -> Target:
    """What a finished script recorded; see `of_run`."""
    name = done.program.name
    if episode is not None and not done.episodes:
        passes = f"{done.count} backward pass{'' if done.count == 1 else 'es'}"
        raise UsageError(
            f"{name} made {passes}, so there is no episode {episode}\n  try: --episode {done.count or 1}"
        )
    if done.episodes:
        return of_episode(name, done.episodes[-1], episode or done.count, done.count)
    traces = [value for value in done.names.values() if isinstance(value, tr.Trace)]
    if traces:
        return Target(name, traces[-1], remark="the trace that the script made")
    recorded = latest_first(done.names)
    losses = [variable for variable in recorded if done.names[variable].ndim == 0]
    if not losses:
        raise UsageError(nothing_recorded(name, done.names, recorded))
    remark = f"no backward pass was made, so the latest scalar variable, {losses[0]}, is taken for the loss"
    return Target(name, tr.trace(done.names[losses[0]]), remark=remark)


def of_episode(name: str, episode: Episode, number: int, count: int) -> Target:
    """The target that one backward pass is."""
    remark = f"backward pass {number} of {count}" if count > 1 else ""
    return Target(name, tr.trace(episode.loss, seed=episode.seed), remark=remark)


def of_failure(done: Run) -> Target:
    """What a script recorded before it failed: the latest value that its frames hold, or its latest backward pass.

    Raises `UsageError` if there is neither.
    """
    error = done.error
    held = [done.names, *frames(error.__traceback__ if error is not None else None)]
    found = [names[variable] for names in held for variable in latest_first(names)]
    latest = max(found, key=lambda one: one.serial, default=None)
    last = done.episodes[-1] if done.episodes else None
    if latest is not None and (last is None or latest.serial > last.loss.serial):
        seed = None if latest.ndim == 0 else np.ones(latest.shape, latest.dtype)
        what = "the latest value before the error"
        remark = what if seed is None else f"{what}; its gradients are those of its sum"
        return Target(done.program.name, tr.trace(latest, seed=seed), remark=remark)
    if last is not None:
        return of_episode(done.program.name, last, done.count, done.count)
    raise UsageError(
        f"{done.program.name} failed before it recorded anything\n"
        f"  try: correct the error above, then run it again"
    )
