"""`tr.verify`: a hand derivation against the recorded gradients and certified numbers, line by line.

Three numbers stand beside each other for every element: by hand, automatic, and numerical, from a replay of the trace
with that node's value moved. Two that agree say who is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from tracer.checking.derivations.claims import Claim, claims_of_mapping, claims_of_text
from tracer.checking.derivations.depth import printed
from tracer.checking.derivations.names import Names
from tracer.checking.judge import AGREE
from tracer.checking.ladder.noting import not_finite
from tracer.checking.numerical import Context, context
from tracer.checking.pieces import on_piece
from tracer.checking.progress import Progress, StoppedError, Told
from tracer.checking.promote import promoted
from tracer.checking.report import UNJUDGED, Report, Row
from tracer.errors import CheckError, DerivationError
from tracer.format import shape
from tracer.recording import switched
from tracer.traces import Trace

from .culprits import culprit_of, whose_rules
from .elsewhere import Elsewhere, place_of
from .judged import Judged, any_wrong, badness, fitted, of_one_line, which_steps
from .measuring import looked_at, measured, shaken
from .refusing import rows_of, with_a_cure
from .seeking import Search, unjudged

Array = Any
"""A numpy array or numpy scalar."""
UNDONE = "right only because it undoes an earlier mistake"
"""The reason of a line that is wrong by itself, and comes to the right numbers."""


@switched(device="cpu")  # where replays run
def verify(
    trace: Trace,
    derivation: str | Mapping[str, Any],
    *,
    seed: int = 0,
    elements: int | None = None,
    told: Told | None = None,
    executor: Executor | None = None,
) -> Report:
    """Compare gradients derived by hand with the recorded ones and with certified numbers.

    derivation: the gradients as `{name: array}`, or the lines that compute them, as text: `dw = dy * x`, with loops,
    conditions and a `def` around them if wanted; or in LaTeX. In a line the name of a recorded value means that value,
    `dNAME` (or `dL/dNAME`) its gradient: by the lines above, else as recorded. What a loop recorded at each time step
    is `h[t]` or `h#3`, its gradient `dh[t]`, or `dh` in a loop over time. The first wrong line is the first that is
    wrong although the gradients it uses are right; lines that are wrong only by using it are marked as inherited. A
    line that cannot be computed is wrong by itself. One that gives the gradient of nothing recorded, which no other
    line uses, is not judged, and the outcome then INCOMPLETE.
    seed: the random seed of samples and directions. elements: look at so many elements of a gradient at most; by
    default at all of a small one, and of a larger one at the most suspect, a sample, and directions through all. told,
    executor: as in `check`.
    Raises `DerivationError` with line and reason for text that cannot be read or computed, `UnknownNameError` for keys.

    >>> import tracer as tr
    >>> x, w = tr.tensor(3.0, name="x"), tr.tensor(2.0, name="w")
    >>> y = tr.square(x * w)
    >>> trace = tr.trace(y)
    >>> print(verify(trace, "dL/dw = 2 * x * w * x\\ndL/dx = 2 * x * w * w").summary)
    verify: PASS, 2 of 2 lines right
    >>> print(verify(trace, "dL/dw = 2 * x * w").first_wrong.line)
    1
    """
    if trace.loss < 0 or trace.seed is None:
        raise CheckError("verify: the trace has no loss\n  try: tr.trace(loss), of a single number")
    twin = promoted(trace)
    names = Names(twin)
    text = ""
    if isinstance(derivation, str):
        text = printed(derivation)
        try:
            derived = claims_of_text(names, text)
        except DerivationError as error:
            raise with_a_cure(error, twin, text) from None
    elif isinstance(derivation, Mapping):
        derived = claims_of_mapping(names, derivation)
    else:
        raise DerivationError(
            f"verify: a derivation is text or a mapping, not {type(derivation).__name__}\n"
            f"  try: {{'x': dx}}, or lines such as  dw = dy * x"
        )
    rng = np.random.default_rng(seed)
    elsewhere = Elsewhere(twin, derived, text)
    judging = Judging(elsewhere, shaken(trace, twin, rng), rng, elements, told, executor)
    judging.in_float32 = twin is not trace
    noun = "line" if isinstance(derivation, str) else "gradient"
    rows = sorted((*judging.rows(), *rows_of(derived, twin, text)), key=lambda row: row.line)
    return Report("verify", tuple(rows), (*not_finite(twin), *derived.notes), noun, written=text)


class Judging:
    """The claims of a derivation on their way to rows."""

    def __init__(
        self,
        elsewhere: Elsewhere,
        shaken: tuple[Trace, ...],
        rng: np.random.Generator,
        elements: int | None,
        told: Told | None,
        executor: Executor | None,
    ) -> None:
        twin, derived = elsewhere.twin, elsewhere.derived
        self.twin, self.derived, self.elsewhere, self.shaken = twin, derived, elsewhere, shaken
        self.rng, self.elements, self.executor = rng, elements, executor
        sizes = [looked_at(np.size(twin.value(claim.node)), elements) for claim in derived.claims]
        self.progress = Progress(told, sizes)
        self.stopped = False
        self.in_float32 = False
        """Whether the trace was recorded in float32, which decided on which side of a kink a value lies."""
        self.search = Search(elsewhere, ())

    def rows(self) -> tuple[Row, ...]:
        """A row for each line, in their order; those that were not come to when it was stopped say so."""
        judged = [self.judged(claim) for claim in self.derived.claims]
        self.search = Search(self.elsewhere, judged)
        groups = groupby(judged, lambda each: of_one_line(each.claim))
        return tuple(self.row(list(group)) for _, group in groups)

    def judged(self, claim: Claim) -> Judged:
        """One claim, judged on the user's own upstream numbers, and on the recorded ones."""
        twin, node = self.twin, claim.node
        size = np.shape(twin.value(node))
        row = Row(
            claim.name,
            size,
            line=claim.line,
            text=claim.text,
            notes=_missing(twin, node),
            node=node,
        )
        if self.stopped:
            return Judged(claim, replace(row, reason=UNJUDGED))
        if not np.size(twin.value(node)):
            return Judged(claim, replace(row, reason="empty: nothing to check"))
        if twin.op_of[node] >= 0 and _is_transposed(claim.own, size):
            note = f"it is laid out transposed: {shape(np.shape(claim.own))} for {shape(size)}"
            row = replace(row, notes=(*row.notes, note))
            claim = replace(claim, own=claim.own.T, alone=np.transpose(claim.alone))
        own, alone = fitted(claim.own, size), fitted(claim.alone, size)
        if own is None or alone is None:
            reason = f"its shape is {shape(np.shape(claim.own))}, the value's {shape(size)}"
            return Judged(
                claim, replace(row, wrong=True, inherited=alone is not None, reason=reason)
            )
        if np.shape(claim.own) != size and claim.own is not None:
            note = f"its shape {shape(np.shape(claim.own))} was read as {shape(size)}"
            row = replace(row, notes=(*row.notes, note))
        try:
            return self.compared(claim, replace(row, hand=own), own, alone)
        except StoppedError:
            self.stopped = True
            return Judged(claim, replace(row, reason=UNJUDGED))

    def compared(self, claim: Claim, row: Row, own: Array, alone: Array) -> Judged:
        """A claim of the right shape beside certified numbers."""
        twin, node = place_of(self.twin, self.derived, claim)
        moved = self.shaken if self.in_float32 and twin is self.twin else ()
        function = self.progress.counted(
            on_piece(twin, node, moved), looked_at(np.size(own), self.elements)
        )
        around: Context = context(twin, self.shaken if twin is self.twin else (), node)
        found = measured(
            function,
            twin.value(node),
            around,
            (own, alone),
            elements=self.elements,
            rng=self.rng,
            executor=self.executor,
        )
        return Judged(
            claim,
            row,
            found.compare(around, own),
            found.compare(around, alone),
            () if twin.gradient(node) is None else found.compare(around),
        )

    def row(self, judged: Sequence[Judged]) -> Row:
        """The row of one line: of one claim, or of one for each time step, the worst of them named."""
        line_wrong = any(each.line_wrong for each in judged)
        hand_wrong = any(each.hand_wrong for each in judged)
        shown = [
            each.by_line if each.line_wrong and not each.hand_wrong else each.by_hand
            for each in judged
        ]
        worst = max(judged, key=lambda each: badness(each, line_wrong=line_wrong))
        row = worst.row
        step = worst.claim.step
        if len(judged) == 1 and step is not None:
            row = replace(row, name=f"{row.name}[{step}]")
        if len(judged) > 1:
            row = replace(row, name=f"{row.name}[t]")
            shown = [
                tuple(replace(e, index=(f"t={each.claim.step}", *e.index)) for e in elements)
                for each, elements in zip(judged, shown, strict=True)
            ]
        row = replace(
            row,
            elements=tuple(element for elements in shown for element in elements),
            wrong=row.wrong or line_wrong or any(any_wrong(each.ours) for each in judged),
            inherited=hand_wrong and not line_wrong,
        )
        if row.verdict == AGREE and (remark := self.elsewhere.remark(worst.claim)):
            row = replace(row, notes=(*row.notes, remark))
        if line_wrong:
            row = self.explained(row, worst, hand_wrong=hand_wrong)
        if len(judged) > 1 and (line_wrong or hand_wrong):
            row = replace(row, reason=which_steps(judged, line_wrong, row.reason))
        culprit = culprit_of(worst, row, whose_rules(self.twin, worst.claim.node))
        return replace(row, culprit=culprit)

    def explained(self, row: Row, worst: Judged, *, hand_wrong: bool) -> Row:
        """The row of a wrong line, with the causes, and the line at fault where it is a helper's."""
        claim = worst.claim
        causes = self.search.of(claim)
        fault = causes[0].line if causes else 0
        if self.search.patience.ended:
            row = replace(row, notes=(*row.notes, self.search.patience.ended))
        helpers = () if any(cause.exact for cause in causes) else unjudged(claim)
        row = replace(row, causes=(*causes, *helpers), fault=fault if fault != claim.line else 0)
        if not hand_wrong and not row.reason:
            row = replace(row, reason=UNDONE)
        return row


def _missing(twin: Trace, node: int) -> tuple[str, ...]:
    """A note if no gradient was recorded for the node."""
    if twin.gradient(node) is not None:
        return ()
    return ("no gradient was recorded for this value: judged by the numbers alone",)


def _is_transposed(claim: Any, size: tuple[int, ...]) -> bool:
    """Whether a claim has the shape of the value with its two axes in the other order."""
    return len(size) == 2 and size[0] != size[1] and np.shape(claim) == size[::-1] and 1 not in size
