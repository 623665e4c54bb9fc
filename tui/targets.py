"""What a command is about: TARGET is a gallery name, `script.py[:function]`, or FILE.trace; it becomes a Trace."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import tracer as tr
from gallery import GALLERY, Entry
from tracer.recording import Episode
from tui.beginnings import Beginning
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


@dataclass(frozen=True)
class Target:
    """A trace to look at, what to call it, the gallery entry it came from, and a word about how it was chosen.

    again: makes it anew, from the sources as they are then; None where that is not known. carried: the lines by hand
    that its script carries, as a text or a function.
    """

    title: str
    trace: tr.Trace
    entry: Entry | None = None
    remark: str = ""
    again: Callable[[], Target] | None = None
    carried: str = ""

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


def resolve(text: str) -> Target:
    """The target of that name.

    Raises `UsageError` for a name or file that is not there, `ScriptError` for a script that raises,
    and what `tr.load` and `tr.trace` raise.
    """
    again = repeated(lambda: _resolved(text))
    return replace(_resolved(text), again=again)


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


def _resolved(text: str) -> Target:
    entry = GALLERY.get(text)
    if entry is not None:
        return Target(entry.name, tr.trace(entry.build()), entry)
    path, colon, function = text.rpartition(":")
    if colon and path.endswith(".py"):
        return called(path, function)
    if text.endswith(".py"):
        return ran(script_at(text), ())
    if text.endswith(".trace") or Path(text).is_file():
        return Target(text, tr.load(text))
    raise UsageError(unknown(text))


def unknown(text: str) -> str:
    """The sentence about a target that is not there, with the closest names."""
    if os.sep in text or "." in text:
        return f"no file {text}\n  try: a gallery name ({', '.join(GALLERY)}), script.py[:function], or FILE.trace"
    close = difflib.get_close_matches(text, GALLERY, n=3, cutoff=0.5)
    choice = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(GALLERY)}"
    return f"no network {text!r} in the gallery: {choice}\n  try: gradstep gallery"


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


def asks_nothing(
    function: Callable[..., Any], path: str, name: str, names: Mapping[str, Any]
) -> None:
    """Raise `UsageError` for a function that cannot be called without arguments, with one that can."""
    needed = needs(function)
    if not needed:
        return
    free = [other for other in functions(path, names) if not needs(names[other])]
    cure = (
        f"{path}:{free[-1]}"
        if free
        else f"a function in {path} that takes none, returning the loss"
    )
    raise UsageError(
        f"{path}:{name} needs {', '.join(needed)}, and it is called without arguments\n  try: {cure}"
    )


def needs(function: Callable[..., Any]) -> list[str]:
    """The arguments without which a function cannot be called."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins do not say
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def functions(path: str, names: Mapping[str, Any]) -> list[str]:
    """The functions that a script defines itself."""
    home = str(Path(path).absolute())
    return [
        name
        for name, value in names.items()
        if getattr(getattr(value, "__code__", None), "co_filename", None) == home
    ]


def no_function(path: str, function: str, names: Mapping[str, Any]) -> str:
    """The sentence about a function that a script does not define."""
    own = functions(path, names)
    close = difflib.get_close_matches(function, own, n=1)
    if close:
        return f"{path} has no function {function!r}\n  try: {path}:{close[0]}"
    there = f"it has {', '.join(own)}" if own else "it has no functions"
    return (
        f"{path} has no function {function!r}: {there}\n  try: {path} alone, which runs the script"
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
    carried = carried_by(done.program.file, done.names)
    return replace(recorded_by(done, episode), carried=carried)


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


def latest_first(names: Mapping[str, Any]) -> list[str]:
    """The variables that hold a computed value with a gradient, the latest first."""
    found = [
        variable
        for variable, value in names.items()
        if isinstance(value, tr.Tensor) and value.tracked and value.op is not None
    ]
    return sorted(found, key=lambda variable: names[variable].serial, reverse=True)


def nothing_recorded(name: str, names: Mapping[str, Any], recorded: Sequence[str]) -> str:
    """The sentence about a script without a backward pass and without a loss."""
    said = f"{name} recorded nothing to step through: it made no backward pass, and none of its variables is a loss"
    if not recorded:
        return f"{said}\n  try: compute a loss from tr.tensor(...) or tr.parameter(...), and call loss.backward()"
    latest = recorded[0]
    sizes = names[latest].shape
    return (
        f"{said}; its latest value, {latest}, has shape {sizes}\n  try: {latest}.sum().backward()"
    )


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
