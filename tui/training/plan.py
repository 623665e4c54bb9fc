"""What `gradstep train` is asked to do: which network, with which settings, for how long, and which steps are kept."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from gallery import GALLERY, Entry
from gallery.knobs import KnobError, assignments, settings, written
from gallery.training import Run, Training
from tui.networks import entry_of
from tui.scripts import UsageError


@dataclass(frozen=True)
class Plan:
    """A training to be made."""

    entry: Entry
    training: Training
    settings: dict[str, Any]
    turned: tuple[str, ...]
    """What does not stand at its default, as one would type it: `lr=0.5`."""
    steps: int
    keep: Container[int]
    asked: tuple[str, ...] = ()
    """The options that say so."""
    place: str | None = None
    """Where the traces are saved at the end, if that was asked for."""

    @property
    def title(self) -> str:
        """What it is called: the network, and what was turned."""
        return " ".join((self.entry.name, *self.turned))

    @property
    def command(self) -> str:
        """What one types to do it again."""
        knobs = (f"--set {word}" for word in self.turned)
        return " ".join(("gradstep train", self.entry.name, *knobs, *self.asked))

    def begin(self) -> Run:
        """The training, before its first step."""
        return Run(self.training, self.settings, keep=self.keep)


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan that the options of the command are. Raises `UsageError` or `KnobError`."""
    entry = entry_of(options.name)
    training = entry.training
    if training is None:
        raise UsageError(
            f"{entry.name} does not train; these do: {', '.join(trained())}\n"
            f"  try: gradstep train {_other(entry)}"
        )
    knobs = entry.every_knob
    try:
        given = settings(knobs, assignments(options.set or ()))
    except KnobError as error:
        raise KnobError(f"{entry.name}: {error}") from None
    turned = tuple(
        f"{k.name}={written(given[k.name])}" for k in knobs if given[k.name] != k.default
    )
    steps = options.steps or training.steps
    if options.every and options.keep is not None:
        raise UsageError("--keep and --every are two ways to say it\n  try: one of them")
    if options.every:
        keep: Container[int] = range(options.every, steps + 1, options.every)
    else:
        keep = frozenset(options.keep if options.keep is not None else training.keep)
        _check_kept(options.keep or (), steps)
    asked = [f"--steps {steps}"] * (steps != training.steps)
    asked += [f"--every {options.every}"] * bool(options.every)
    if options.keep is not None:
        asked.append("--keep " + shlex.quote(",".join(map(str, options.keep))))
    return Plan(entry, training, given, turned, steps, keep, tuple(asked), options.output)


def _check_kept(asked: Iterable[int], steps: int) -> None:
    """Refuse to keep steps that are never made."""
    beyond = [step for step in asked if step > steps]
    if beyond:
        there = ",".join(str(step) for step in asked if step <= steps) or str(steps)
        raise UsageError(
            f"step {beyond[0]:,} cannot be kept: only {steps:,} are made\n"
            f"  try: --steps {max(beyond)}, or --keep {there}"
        )


def trained() -> Iterable[str]:
    """The names of the networks that train."""
    return (name for name, entry in GALLERY.items() if entry.training is not None)


def _other(entry: Entry) -> str:
    """A network that does train: another form of this one, if there is any."""
    family = entry.name.partition(":")[0]
    return min(trained(), key=lambda name: name.partition(":")[0] != family, default="xor")
