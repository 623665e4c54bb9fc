"""A network of the gallery with some of its knobs turned: `vanishing --set factor=1.5`."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tracer as tr
from gallery import GALLERY, Entry
from gallery.knobs import KnobError, Setting, assignments, settings, written
from tracer.recording import CURRENT, switched
from tui.scripts import UsageError


@dataclass(frozen=True)
class Network:
    """An entry of the gallery, and the knobs that do not stand at their defaults."""

    entry: Entry
    turned: Mapping[str, Setting] = field(default_factory=dict)
    device: str = field(default_factory=lambda: CURRENT.get().device)
    """Where it is recorded: where the command wanted it that made this."""

    @property
    def title(self) -> str:
        """What it is called: its name, and what was turned.

        >>> network("circuit").title
        'circuit'
        """
        return " ".join((self.entry.name, *self.words))

    @property
    def words(self) -> tuple[str, ...]:
        """What was turned, as one would type it: `factor=1.5`."""
        return tuple(f"{name}={written(value)}" for name, value in self.turned.items())

    @property
    def settings(self) -> dict[str, Any]:
        """The value of every knob: the keywords of the functions of the entry."""
        return settings(self.entry.knobs, self.turned)

    def turn(self, more: Mapping[str, Setting]) -> Network:
        """The network with knobs turned further. Raises `KnobError`."""
        training = self.entry.training
        for knob in training.knobs if training is not None else ():
            if knob.name in more:
                cure = shlex.quote(f"{knob.name}={written(more[knob.name])}")
                raise KnobError(
                    f"{self.entry.name}: {knob.name} is a knob of its training\n"
                    f"  try: gradstep train {self.entry.name} --set {cure}"
                )
        try:
            found = settings(self.entry.knobs, {**self.turned, **more})
        except KnobError as error:
            raise KnobError(f"{self.entry.name}: {error}") from None
        turned = {k.name: found[k.name] for k in self.entry.knobs if found[k.name] != k.default}
        return Network(self.entry, turned, self.device)

    def trace(self) -> tr.Trace:
        """Its trace, built anew."""
        with switched(device=self.device):
            return tr.trace(self.entry.build(**self.settings))


def network(name: str, words: Iterable[str] | None = None) -> Network:
    """The network of a name or number of the gallery, with words such as `factor=1.5` obeyed.

    Raises `UsageError` with the closest names, `KnobError` for a knob that it does not have.
    """
    return Network(entry_of(name)).turn(assignments(words or ()))


def is_network(name: str) -> bool:
    """Whether a target is a name of the gallery, or a number of its list that is no file here.

    >>> is_network("xor"), is_network("3"), is_network("0"), is_network("mine.trace")
    (True, True, False, False)
    """
    return name in GALLERY or (_number(name) is not None and not Path(name).exists())


def _number(name: str) -> int | None:
    """The number in the list that a name is; None for another."""
    if name.isdecimal() and len(name) < 6 and 0 < int(name) <= len(GALLERY):
        return int(name)
    return None


def entry_of(name: str) -> Entry:
    """The entry of that name or number. Raises `UsageError` with the closest names."""
    number = _number(name)
    if number is not None:
        return list(GALLERY.values())[number - 1]
    if name in GALLERY:
        return GALLERY[name]
    raise UsageError(f"no network {name[:60]!r} in the gallery: {closest(name)}")


def closest(name: str) -> str:
    """A question with the closest names of the gallery, else its main ones; and the command that lists them all."""
    close = difflib.get_close_matches(name, GALLERY, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?\n  try: gradstep gallery"
    main = ", ".join(each for each in GALLERY if ":" not in each)
    return f"there are {main}\n  try: gradstep gallery, which lists them all"
