"""When what is seen in a picture that plays by itself, as a style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

PAUSE = 0.8
"""Seconds that a frame is seen, where nothing else is said."""
LAST = 4
"""The last frame stays so many times as long as the others."""


def paced(count: int, pause: float = PAUSE) -> tuple[float, ...]:
    """How many seconds each of the frames is seen.

    >>> paced(3, 0.5)
    (0.5, 0.5, 2.0)
    """
    return (*(pause for _ in range(count - 1)), LAST * pause)


class Showtimes:
    """A class of CSS for each set of frames, given as the bits of a number, in which something is seen.

    root: what the rules are for, such as `#g1`. prefix: what the names of the animations begin with; they hold for a
    whole page.

    >>> times = Showtimes([1.0, 3.0])
    >>> times.group(0b01, ["<path/>"]), times.group(0b11, ["<path/>"])
    ('<g class="f0"><path/></g>', '<path/>')
    >>> print(times.style(every="g[class]").splitlines()[2])
    g.f0{visibility:hidden;animation-name:f0}@keyframes f0{0%{visibility:visible}25%{visibility:hidden}}
    """

    def __init__(self, seconds: Sequence[float]) -> None:
        self._starts = [0.0, *accumulate(seconds)]
        self._all = (1 << len(seconds)) - 1
        self._names: dict[int, str] = {}

    def group(self, frames: int, elements: Sequence[str]) -> str:
        """Elements that are visible in these frames."""
        if not elements:
            return ""
        inside = "".join(elements)
        if frames == self._all:
            return inside
        name = self._names.setdefault(frames, f"f{len(self._names)}")
        return f'<g class="{name}">{inside}</g>'

    def style(self, *, every: str, root: str = "", prefix: str = "") -> str:
        """The rules of the classes, all of which `every` selects; who wants no motion sees the last frame."""
        whole = self._starts[-1]
        rules = [f"{root}{every}{{animation:{whole:g}s step-end infinite}}"]
        for frames, name in self._names.items():
            shown = [bool(frames >> n & 1) for n in range(len(self._starts) - 1)]
            steps = "".join(
                f"{100 * start / whole:.4g}%{{visibility:{'visible' if on else 'hidden'}}}"
                for n, (on, start) in enumerate(zip(shown, self._starts, strict=False))
                if n == 0 or on != shown[n - 1]
            )
            still = "" if shown[-1] else "visibility:hidden;"
            named = f"{prefix}{name}"
            rules.append(
                f"{root}g.{name}{{{still}animation-name:{named}}}@keyframes {named}{{{steps}}}"
            )
        rules.append(
            f"@media (prefers-reduced-motion:reduce){{{root}*{{animation:none!important}}}}"
        )
        return "\n".join(("", *rules))

    def growing(self, *, root: str = "", prefix: str = "") -> str:
        """The rule of the class `p`, a bar that grows while the picture plays."""
        named = f"{prefix}p"
        return (
            f"\n{root}.p{{animation:{named} {self._starts[-1]:g}s linear infinite}}"
            f"@keyframes {named}{{from{{width:0}}}}"
        )
