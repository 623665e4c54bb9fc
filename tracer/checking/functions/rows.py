"""The row of each argument of a kernel: its gradient beside certified numbers, and why it is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tracer.checking.diagnosis.causes import Cause
from tracer.checking.diagnosis.finders import diagnose
from tracer.checking.diagnosis.wrong import Wrong
from tracer.checking.judge import DISAGREE, EXACT, UNDECIDABLE
from tracer.checking.ladder.bisection import OTHERS_RIGHT
from tracer.checking.progress import ROUND, Progress
from tracer.checking.report import Element, Row, Rung
from tracer.checking.rounding import largest
from tracer.format import shape

from .arrays import float64, is_array, numpy_of
from .manners import Faults, gradients_of
from .pairs import Kernel, Projected, Ran
from .shaking import is_constant, moves, shaken
from .slopes import LINES, SAMPLE, SEARCH, SWEEP, Slopes, block, directions, total_of

Array = Any
"""A numpy array or numpy scalar."""

ROUGH = "it computes in too few digits to tell along a direction"
"""Why directions that disagree are no disagreement where no element does, in float32 and less."""
ROUNDED = 8.0
"""So many times what units in the last place do to a gradient may it be off where it should be linear in g."""
CONSTANT = "the output does not change with {}, so nothing about backward can be told"
BEFORE = "return the tensor before its last sum"
"""What to do about that."""


@dataclass(eq=False)
class Rows:
    """The gradients of one call, and the numbers they are held against."""

    kernel: Kernel
    args: Sequence[Any]
    cotangents: Sequence[Array]
    gradients: Sequence[Any]
    ran: Ran
    unit: float
    most: int | None
    rng: np.random.Generator
    moves: Callable[[int], Sequence[Array]]
    """How rounding of arguments and g moves the gradient of an argument; worked out when it is asked for."""
    alone: bool = False
    """Whether all elements of the row that is made are right but for those that were found wrong."""

    def __post_init__(self) -> None:
        with np.errstate(all="ignore"):
            self.weighed = [
                np.where(g == 0, 0.0, g * float64(out))
                for g, out in zip(self.cotangents, self.ran.outputs, strict=True)
            ]
        self.work = sum(
            np.size(numpy_of(a)) for a in (*self.args, *self.ran.outputs) if is_array(a)
        )
        self.made = {"directions": [0, 0], "elements": [0, 0]}

    def rounding(self, k: int) -> float:
        """How far the gradient of argument k may be off because everything is rounded.

        What is absorbed shows in no move: of g (1 − p), with p nearly 1, a unit in the last place of g is always lost.
        """
        moved = max(map(largest, self.moves(k)), default=0.0)
        return ROUNDED * max(moved, self.unit * total_of(self.weighed))

    def rungs(self) -> list[Rung]:
        """How many directions and elements were looked at."""
        return [Rung(name, made, failed) for name, (made, failed) in self.made.items() if made]

    def counted(self, k: int) -> int:
        """How many numbers are certified for argument k, if all is right."""
        size = int(np.size(numpy_of(self.args[k])))
        return size if self._sweeps(size) else LINES

    def _sweeps(self, size: int) -> bool:
        """Whether all elements of an argument are looked at from the first."""
        return size * ROUND * self.work <= SWEEP if self.most is None else self.most >= size

    def row(self, k: int, faults: Faults, progress: Progress) -> Row:
        """The row of one argument."""
        name, x, gradient = self.kernel.names[k], float64(self.args[k]), self.gradients[k]
        reasons = faults.reasons.get(name, [])
        row = Row(name, x.shape, reason="; ".join(reasons), wrong=bool(reasons))
        if gradient is None:
            return self._without(row, k, x)
        claim = float64(gradient)
        if not x.size:
            return replace(row, reason="empty: nothing to check")
        if claim.shape != x.shape:
            return self._misshapen(row, k, x, claim)
        slopes = self.slopes(k, x, claim)
        self.alone = False
        counted: Any = progress.counted(slopes.function, self.counted(k))
        found = self._judged(replace(slopes, function=counted))
        causes = tuple(faults.causes.get(name, ()))
        if any(e.verdict == DISAGREE for e in found):
            causes += self._causes(claim, found)
        notes = (OTHERS_RIGHT,) if self.alone else ()
        row = replace(row, elements=found, causes=causes, notes=notes)
        if not row.wrong and self._says_nothing(slopes, found):
            return replace(row, reason=CONSTANT.format(name), vacuous=BEFORE)
        return row

    def slopes(self, k: int, x: Array, claim: Array) -> Slopes:
        """The gradient that is claimed for argument k, and what it is judged by."""
        return Slopes(
            function=Projected(self.kernel, self.args, k, self.cotangents),
            x=x,
            claim=claim,
            work=self.work,
            total=total_of(self.weighed),
            unit=self.unit,
            moved=lambda: self.moves(k),
        )

    def _judged(self, slopes: Slopes) -> tuple[Element, ...]:
        """What is looked at in an argument: directions, all elements, or some."""
        size, every = slopes.x.size, np.arange(slopes.x.size)
        if self._sweeps(size):
            return self._counted("elements", slopes.elements(every))
        stream = directions(slopes.x, self.rng)
        lines = [next(stream) for _ in range(LINES if slopes.affords(LINES, SWEEP) else 2)]
        findings = slopes.along(lines)
        along = tuple(
            Element(("direction", n), math.nan, f.claim, f.slope, f.verdict, f.reason)
            for n, f in enumerate(findings)
        )
        wrong = [n for n, f in enumerate(findings) if f.verdict == DISAGREE]
        single: tuple[Element, ...] = ()
        if self.most is not None:
            single = slopes.elements(np.sort(self.rng.choice(size, self.most, replace=False)))
        if wrong:
            single += self._single(slopes, lines[wrong[0]])
        confirmed = any(e.verdict == DISAGREE for e in single)
        if wrong and not confirmed and self.unit > EXACT:
            # many kinks within the few digits of a line look like a slope of their own
            along = tuple(replace(e, verdict=UNDECIDABLE, reason=ROUGH) for e in along)
        self._counted("directions", along)
        self._counted("elements", single)
        return single if wrong and confirmed else along + single

    def _single(self, slopes: Slopes, line: Array) -> tuple[Element, ...]:
        """Elements of an argument along whose directions something disagrees: all, or a block; else those that do."""
        if slopes.affords(slopes.x.size, SEARCH):
            return slopes.elements(np.arange(slopes.x.size))
        shape = slopes.x.shape
        count = max(4, min(SAMPLE, SEARCH // (ROUND * self.work)))
        chosen = np.ravel_multi_index(np.ix_(*block(shape, count, self.rng)), shape)
        sample = slopes.elements(chosen.reshape(-1))
        if self.unit > EXACT or any(e.verdict == DISAGREE for e in sample):
            return sample
        found = slopes.searched(line)
        self.alone = found.alone and bool(found.elements)
        return found.elements + sample

    def _counted(self, rung: str, found: tuple[Element, ...]) -> tuple[Element, ...]:
        made = self.made[rung]
        made[0] += len(found)
        made[1] += sum(e.verdict == DISAGREE for e in found)
        return found

    def _says_nothing(self, slopes: Slopes, found: Sequence[Element]) -> bool:
        """Whether the slopes are 0 whatever backward is told: the outputs are few, and do not change with x at all.

        An argument with no more numbers than the outputs is left alone, such as a bias before a normalisation: that
        its gradient is 0 for all cotangents is something to be told.
        """
        outputs = sum(np.size(g) for g in self.cotangents)
        flat = all(
            e.verdict != DISAGREE and abs(e.numerical.value) <= e.numerical.bound for e in found
        )
        return (
            flat
            and slopes.x.size > outputs
            and is_constant(slopes.function, slopes.x, self.unit, self.rng)
        )

    def _without(self, row: Row, k: int, x: Array) -> Row:
        """An argument for which backward returns None: whether the output depends on it is said, not judged."""
        function = Projected(self.kernel, self.args, k, self.cotangents)
        line = next(directions(x, self.rng))
        moved = {function(x), *(function(x + t * line) for t in (1e-3, -1e-3, 0.1))}
        depends = len({value for value in moved if math.isfinite(value)}) > 1
        said = (
            "the output depends on it all the same"
            if depends
            else "the output does not depend on it"
        )
        return replace(
            row, reason=row.reason or f"backward returns None for it: not judged; {said}"
        )

    def _misshapen(self, row: Row, k: int, x: Array, claim: Array) -> Row:
        """A gradient that has not the shape of its argument; what it should be is worked out to say why."""
        causes: tuple[Cause, ...] = ()
        right = self.slopes(k, x, np.zeros(x.shape))
        if right.affords(x.size, SWEEP):
            numbers = np.array([e.numerical.value for e in right.elements(np.arange(x.size))])
            causes = diagnose(Wrong(None, -1, claim, numbers.reshape(x.shape)))
        reason = f"its gradient has the shape {shape(claim.shape)}, {row.name} has {shape(x.shape)}"
        return replace(
            row, wrong=True, reason="; ".join(filter(None, [reason, row.reason])), causes=causes
        )

    def _causes(self, claim: Array, found: Sequence[Element]) -> tuple[Cause, ...]:
        """Why a gradient is wrong: from all its numbers, or from those of a block."""
        single = [e for e in found if e.index[:1] != ("direction",)]
        if not single or not all(e.numerical.differentiable for e in single):
            return ()
        axes = [
            sorted({int(i) for i in along})
            for along in zip(*(e.index for e in single), strict=True)
        ]
        sizes = [len(each) for each in axes]
        known = {e.index: e.numerical.value for e in single}
        if math.prod(sizes) != len(known):
            return ()
        right = np.array([known[i] for i in sorted(known)]).reshape(sizes)
        part = claim[np.ix_(*axes)] if axes else claim
        if not part.any():
            return (Cause("missing path", "it is 0 everywhere"),)
        lengths = {
            n
            for a in (*self.args, *self.ran.outputs)
            if is_array(a)
            for n in (*np.shape(a), np.size(numpy_of(a)))
        }
        return diagnose(Wrong(None, -1, part, right, sizes=frozenset(lengths)))


def outputs_alone(job: Rows, checked: Sequence[int], faults: Faults) -> None:
    """The gradients for a cotangent of each output by itself: beside a large output a small one would not show."""
    made, failed = 0, 0
    for n in range(len(job.cotangents)):
        alone = [g if k == n else np.zeros_like(g) for k, g in enumerate(job.cotangents)]
        gradients = gradients_of(job.kernel, job.args, alone)

        def moved(k: int, alone: Any = alone, mine: Any = gradients) -> Sequence[Array]:
            return moves(mine, shaken(job.kernel, job.args, alone, job.unit, job.rng), k)

        one = replace(job, cotangents=alone, gradients=gradients, moves=moved)
        for k in checked:
            x, gradient = float64(job.args[k]), gradients[k]
            if gradient is None or not x.size or np.shape(gradient) != x.shape:
                continue
            line = next(directions(x, job.rng))
            (found,) = one.slopes(k, x, float64(gradient)).along([line])
            made += 1
            if found.verdict == DISAGREE:
                failed += 1
                faults.blame(job.kernel.names[k], f"its gradient for output {n} alone is wrong")
    label, said = ("backward", "a gradient for one output alone") if failed else ("", "")
    faults.rungs.append(Rung("each output alone", made, failed, said, label=label))
