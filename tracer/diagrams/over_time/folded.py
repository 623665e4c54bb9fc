"""Which steps of a long loop are folded into one pane, so that the first and the last ones can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from tracer.diagrams.over_time.timesteps import TimeAxis
from tracer.diagrams.settings import Settings

MANY_STEPS = 12
"""More steps than these are folded, unless the reader says how many shapes there may be."""
WIDE = 2400.0
"""So are those that would be wider than so many points: nobody could read them on a page."""
ROOM = 2100.0
"""Points for the steps that are shown then."""
SHOWN = 6
"""At most so many steps of a folded loop are shown, half of them at its beginning."""
FEW = 3
"""A loop of so few steps is not folded."""


@dataclass(frozen=True)
class Fold:
    """Steps of one loop that share a pane."""

    times: range
    loop: int

    def __len__(self) -> int:
        return len(self.times)


def folds_of(axis: TimeAxis, settings: Settings, widths: Mapping[int, float]) -> tuple[Fold, ...]:
    """The steps to fold: of each long loop all but the first and the last few.

    `widths` says for each loop about how wide a pane of it is.
    """
    steps = len(axis.labels)
    if settings.most is not None:
        each = Counter(block.time for block in axis.blocks if block.time < axis.after)
        per_step = 2 * max(each.values(), default=1) + len(axis.shared) * 2 + 2
        if per_step * steps <= settings.most:
            return ()
        shown = dict.fromkeys(widths, settings.most // per_step // len(widths))
    else:
        if steps <= MANY_STEPS and sum(widths[loop] for loop in axis.loops) <= WIDE:
            return ()
        shown = {loop: min(SHOWN, int(ROOM / len(widths) / widths[loop])) for loop in widths}
    folds = []
    for loop, run in groupby(range(steps), key=lambda time: axis.loops[time]):
        times = list(run)
        ends = max(shown[loop], 2)
        if len(times) > max(FEW, ends + 1):
            folds.append(Fold(range(times[ends - ends // 2], times[-(ends // 2)]), loop))
    return tuple(folds)
