"""Knobs: the numbers of a network that one may turn, with their defaults, meanings and ranges."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracer.errors import GradstepError

Setting = float | int | bool | str
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


class KnobError(GradstepError):
    """A knob that does not exist, or a value that it cannot take."""


@dataclass(frozen=True)
class Knob:
    """A number or word of a network that one may turn: the keyword of its functions, and what it may be.

    >>> Knob("lr", 0.1, "learning rate", low=0.0).read("0.5")
    0.5
    """

    name: str
    default: Setting
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[Setting, ...] = ()

    def read(self, value: Setting) -> Setting:
        """The value as this knob takes it: of its default's type, within its range. Raises `KnobError`."""
        try:
            read = self._typed(value)
        except (TypeError, ValueError):
            raise KnobError(
                f"{self.name}: {value!r} is no {self._kind}\n  try: {self.name}={self.default}"
            ) from None
        if self.choices and read not in self.choices:
            raise KnobError(
                f"{self.name}: there is no {read!r}\n  try: one of {', '.join(map(str, self.choices))}"
            )
        if not isinstance(read, (str, bool)) and not self.low <= read <= self.high:
            raise KnobError(f"{self.name}: {read} lies outside of its range\n  try: {self.range}")
        return read

    @property
    def range(self) -> str:
        """What it may be, in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        if isinstance(self.default, bool):
            return "yes or no"
        ends = [
            f"at least {self.low:g}" if self.low > -math.inf else "",
            f"at most {self.high:g}" if self.high < math.inf else "",
        ]
        return ", ".join(filter(None, ends)) or f"any {self._kind}"

    @property
    def _kind(self) -> str:
        kinds = {bool: "yes or no", int: "whole number", float: "number", str: "word"}
        return kinds[type(self.default)]

    def _typed(self, value: Setting) -> Setting:
        if isinstance(self.default, bool):
            word = str(value).lower()
            return word in YES if word in YES + NO else _refused(value)
        if isinstance(self.default, int):
            number = float(value)
            return int(number) if number == int(number) else _refused(value)
        if isinstance(self.default, float):
            number = float(value)
            return number if math.isfinite(number) else _refused(value)
        return str(value)


def _refused(value: Setting) -> Setting:
    raise ValueError(value)


def settings(knobs: Sequence[Knob], turned: Mapping[str, Setting]) -> dict[str, Any]:
    """The value of every knob: its default, or what it was turned to. Raises `KnobError` for a name that is not there.

    >>> settings([Knob("lr", 0.1, "learning rate"), Knob("p", 0.5, "kept")], {"lr": "0.3"})
    {'lr': 0.3, 'p': 0.5}
    """
    names = [knob.name for knob in knobs]
    for name in turned:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            there = f"it has {', '.join(names)}" if names else "it has none"
            cure = f"{close[0]}={turned[name]}" if close else there
            raise KnobError(f"no knob {name!r}: {there}\n  try: {cure}")
    return {k.name: k.read(turned[k.name]) if k.name in turned else k.default for k in knobs}
