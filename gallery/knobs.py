"""Knobs: the numbers of a network that one may turn, with their defaults, meanings and ranges."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracer.errors import GradstepError

Setting = float | int | bool | str
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
LONGEST = 40
"""So much of a value that cannot be read is repeated."""


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
        cure = f"\n  try: {self.name}={written(self.default)}"
        try:
            read = self._typed(value)
        except (TypeError, ValueError):
            said = repr(str(value)[:LONGEST])
            raise KnobError(f"{self.name}: {said} is not {self.range}{cure}") from None
        inside = isinstance(read, (str, bool)) or self.low <= read <= self.high
        if (self.choices and read not in self.choices) or not inside:
            raise KnobError(f"{self.name}: {written(read)[:LONGEST]} is not {self.range}{cure}")
        return read

    @property
    def range(self) -> str:
        """What it may be, in words.

        >>> Knob("p", 0.5, "kept", low=0, high=1).range, Knob("eps", 1e-5, "in the root", low=0).range
        ('a number from 0 to 1', 'a number of at least 0')
        """
        if self.choices:
            return "one of " + ", ".join(map(written, self.choices))
        kinds = {bool: "yes or no", int: "a whole number", float: "a number", str: "a word"}
        kind = kinds[type(self.default)]
        low, high = self.low > -math.inf, self.high < math.inf
        if low and high:
            return f"{kind} from {self.low:g} to {self.high:g}"
        return kind + (f" of at least {self.low:g}" * low or f" of at most {self.high:g}" * high)

    def beside(self, value: Setting, way: int) -> Setting:
        """The next value upwards (1) or downwards (-1): of the choices, else 1, 2, 5, 10 or an even step; in its range.

        >>> lr, waa = Knob("lr", 0.1, "learning rate", low=0), Knob("waa", 0.5, "scale", low=-2, high=2)
        >>> lr.beside(0.1, 1), lr.beside(0.1, -1), waa.beside(0.5, 1)
        (0.2, 0.05, 0.6)
        """
        if self.choices or isinstance(self.default, bool):
            values = self.choices or (False, True)
            return values[(values.index(value) + way) % len(values)]
        if isinstance(self.default, str) or isinstance(value, (str, bool)):
            return value
        if self.low < 0 or self.high < math.inf:
            sizes = [abs(self.default) or 1.0, (self.high - self.low) / 20]
            unit = 10.0 ** math.floor(math.log10(min(sizes)))
            moved = round(value / unit + way) * unit
        else:
            moved = _on_scale(value, way)
        if isinstance(self.default, int):
            moved = math.ceil(moved) if way > 0 else math.floor(moved)
            moved = moved if moved != value else value + way
        moved = min(max(float(f"{moved:.12g}"), self.low), self.high)
        return int(moved) if isinstance(self.default, int) else float(moved)

    def _typed(self, value: Setting) -> Setting:
        if isinstance(self.default, bool):
            word = str(value).lower()
            return word in YES if word in YES + NO else _refused(value)
        if isinstance(self.default, int):
            number = float(value)
            return int(number) if number.is_integer() else _refused(value)
        if isinstance(self.default, float):
            number = float(value)
            return number if math.isfinite(number) else _refused(value)
        return str(value)


def _on_scale(value: float, way: int) -> float:
    """The next of 1, 2, 5, 10, 20 ... beside a number that is not negative."""
    if value <= 0:
        return 1e-3 if way > 0 else 0.0
    ten = 10.0 ** math.floor(math.log10(value))
    marks = [0.1 * ten * m for m in (1, 2, 5)] + [ten * m for m in (1, 2, 5, 10, 20)]
    near = 1e-9 * value
    beyond = [m for m in marks if (m > value + near if way > 0 else m < value - near)]
    return min(beyond) if way > 0 else max(beyond)


def _refused(value: Setting) -> Setting:
    raise ValueError(value)


def settings(knobs: Sequence[Knob], turned: Mapping[str, Setting]) -> dict[str, Any]:
    """The value of every knob: its default, or what it was turned to. Raises `KnobError` for a name that is not there.

    >>> settings([Knob("lr", 0.1, "learning rate"), Knob("p", 0.5, "kept")], {"lr": "0.3"})
    {'lr': 0.3, 'p': 0.5}
    """
    names = [knob.name for knob in knobs]
    for name, value in turned.items():
        if name not in names:
            said = repr(name[:LONGEST])
            if not names:
                raise KnobError(f"no knob {said}: it has none to turn\n  try: without it")
            close = (difflib.get_close_matches(name, names, n=1) or names[:1])[0]
            cure = f"{close}={written(_taken(knobs[names.index(close)], value))}"
            raise KnobError(f"no knob {said}: it has {', '.join(names)}\n  try: {cure}")
    return {k.name: k.read(turned[k.name]) if k.name in turned else k.default for k in knobs}


def _taken(knob: Knob, value: Setting) -> Setting:
    """The value if the knob can take it, else its default."""
    try:
        return knob.read(value)
    except KnobError:
        return knob.default


def assignments(words: Iterable[str]) -> dict[str, str]:
    """The names and values of words such as `waa=1.5`; of several for one name the last. Raises `KnobError`.

    >>> assignments(["waa=1.5", "steps=10"])
    {'waa': '1.5', 'steps': '10'}
    """
    found = {}
    for word in words:
        name, equals, value = (part.strip() for part in word.partition("="))
        if not (name and equals and value):
            raise KnobError(f"{word[:LONGEST]!r} turns no knob\n  try: NAME=VALUE, such as lr=0.1")
        found[name] = value
    return found


def written(value: Setting) -> str:
    """A setting as one would type it.

    >>> written(True), written(1e-05), written(3.0), written("relu")
    ('yes', '1e-5', '3', 'relu')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    mantissa, exponent, power = repr(value).removesuffix(".0").partition("e")
    return f"{mantissa}e{int(power)}" if exponent else mantissa
