"""`tr.verify`: a hand derivation against the recorded gradients and certified numbers, line by line.

Three numbers stand beside each other for every element: by hand, automatic, and numerical, from a replay of the trace
with that node's value moved. Two that agree say who is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tracer.errors import CheckError, DerivationError
from tracer.format import shape
from tracer.traces import Trace

from .derivations.claims import Claim, claims_of_mapping, claims_of_text
from .derivations.names import Names
from .diagnosis.causes import Cause
from .diagnosis.finders import diagnose
from .judge import AGREE, DISAGREE
from .numerical import context, looked_at, loss_by, measure, shake
from .progress import Progress, Told
from .promote import promoted
from .report import Element, Report, Row

Array = Any
"""A numpy array or numpy scalar."""


def verify(
    trace: Trace,
    derivation: str | Mapping[str, Any],
    *,
    seed: int = 0,
    elements: int | None = None,
    told: Told | None = None,
) -> Report:
    """Compare gradients derived by hand with the recorded ones and with certified numbers.

    derivation: the gradients as `{name: array}`, or the lines that compute them, as text: `dw = dy * x`. In a line the
    name of a recorded value means that value, `dNAME` (or `dL/dNAME`) its gradient: by the lines above, else as
    recorded. The first wrong line is the first that is wrong although the gradients it uses are right; lines that are
    wrong only by using it are marked as inherited. seed, elements: as in `check`; told: as in
    `check_trace`.
    Raises `DerivationError` with line and reason for text that cannot be read or computed, `UnknownNameError` for keys.

    >>> import tracer as tr
    >>> x, w = tr.tensor(3.0, name="x"), tr.tensor(2.0, name="w")
    >>> y = tr.square(x * w)
    >>> trace = tr.trace(y)
    >>> print(verify(trace, "dL/dw = 2 * x * w * x").summary)
    verify: 1 of 1 lines agree
    >>> print(verify(trace, "dL/dw = 2 * x * w").first_wrong.line)
    1
    """
    if trace.loss < 0 or trace.seed is None:
        raise CheckError("verify: the trace has no loss\n  try: tr.trace(loss), of a single number")
    twin = promoted(trace)
    names = Names(twin)
    notes: list[str] = []
    if isinstance(derivation, str):
        claims, notes = claims_of_text(names, derivation)
    elif isinstance(derivation, Mapping):
        claims = claims_of_mapping(names, derivation)
    else:
        raise DerivationError(
            f"verify: a derivation is text or a mapping, not {type(derivation).__name__}\n"
            f"  try: {{'x': dx}}, or lines such as  dw = dy * x"
        )
    rng = np.random.default_rng(seed)
    shaken = shake(twin, rng)
    sizes = [looked_at(np.size(twin.value(claim.node)), elements) for claim in claims]
    progress = Progress(told, sizes)
    rows = tuple(_row(twin, shaken, claim, rng, elements, progress) for claim in claims)
    noun = "line" if isinstance(derivation, str) else "gradient"
    return Report("verify", rows, tuple(notes), noun)


def _row(
    twin: Trace,
    shaken: tuple[Trace, ...],
    claim: Claim,
    rng: np.random.Generator,
    elements: int | None,
    progress: Progress,
) -> Row:
    """The row of one gradient: judged on the user's own upstream numbers, and on the recorded ones."""
    node, size = claim.node, np.shape(twin.value(claim.node))
    row = Row(
        claim.name, size, line=claim.line, text=claim.text, notes=_missing(twin, node), node=node
    )
    if not np.size(twin.value(node)):
        return replace(row, reason="empty: nothing to check")
    own, alone = fitted(claim.own, size), fitted(claim.alone, size)
    if own is None or alone is None:
        reason = f"its shape is {shape(np.shape(claim.own))}, the value's {shape(size)}"
        causes = diagnose(twin, node, claim.alone) if alone is None else ()
        return replace(row, wrong=True, inherited=alone is not None, reason=reason, causes=causes)
    if np.shape(claim.own) != size:
        note = f"its shape {shape(np.shape(claim.own))} was read as {shape(size)}"
        row = replace(row, notes=(*row.notes, note))

    row = replace(row, hand=own)
    function = progress.counted(loss_by(twin, node), looked_at(np.size(own), elements))
    measured = measure(function, twin.value(node), elements=elements, rng=rng)
    around = context(twin, shaken, node)
    by_hand, by_line = measured.compare(around, own), measured.compare(around, alone)
    ours = () if twin.gradient(node) is None else measured.compare(around)
    line_wrong, hand_wrong = _wrong(by_line), _wrong(by_hand)
    row = replace(
        row,
        elements=by_line if line_wrong and not hand_wrong else by_hand,
        wrong=line_wrong or _wrong(ours),
        inherited=hand_wrong and not line_wrong,
    )
    if line_wrong:
        row = replace(row, causes=diagnose(twin, node, alone) or _unjudged(claim))
        if not hand_wrong:
            row = replace(row, reason="right only because it undoes an earlier mistake")
    return replace(row, culprit=_culprit(row, ours, _whose_rules(twin, node)))


def fitted(claim: Any, size: tuple[int, ...]) -> Array | None:
    """A claim in the shape of the value; None if it does not fit.

    A single number stands for every element, and axes of length 1 may be missing or too many.
    """
    claim = np.asarray(claim)
    if claim.dtype.kind != "f":
        claim = claim.astype(np.float64)
    if claim.ndim == 0:
        return np.broadcast_to(claim, size)
    if [n for n in claim.shape if n != 1] == [n for n in size if n != 1]:
        return claim.reshape(size)
    return None


def _unjudged(claim: Claim) -> tuple[Cause, ...]:
    """A word about helpers that may hold the mistake."""
    if not claim.unjudged:
        return ()
    text = f"it uses {', '.join(claim.unjudged)}, which nothing recorded can judge"
    return (Cause("unjudged", text, exact=False),)


def _wrong(elements: tuple[Element, ...]) -> bool:
    return any(element.verdict == DISAGREE for element in elements)


def _missing(twin: Trace, node: int) -> tuple[str, ...]:
    """A note if no gradient was recorded for the node."""
    if twin.gradient(node) is not None:
        return ()
    return ("no gradient was recorded for this value: judged by the numbers alone",)


def _whose_rules(twin: Trace, node: int) -> str:
    """Whose rules brought the gradient of a node: the operations that a user declared, or ours."""
    theirs = {
        op.name
        for flow in twin.flows_into(node)
        if (op := twin.op(flow.consumer)) is not None and not op.home.startswith("ops.")
    }
    if theirs:
        return f"the rule of {' or '.join(sorted(theirs))} is wrong"
    return "our own rule is wrong (please report it)"


def _culprit(row: Row, ours: tuple[Element, ...], whose: str) -> str:
    """Who is wrong, by majority of the three numbers at the worst element."""
    worst = row.worst
    if worst is None or not ours:
        return ""
    own = next(e for e in ours if e.index == worst.index)
    if worst.verdict == DISAGREE and own.verdict == AGREE:
        return "" if row.inherited else "the hand's number is wrong: automatic and numerical agree"
    if _wrong(ours):
        if worst.verdict == AGREE:
            return f"{whose}: by hand and numerical agree"
        close = np.isclose(worst.hand, worst.automatic, rtol=1e-6)
        return (
            "by hand and automatic agree, but not with the numerical one: a kink, or both are wrong"
            if close
            else "all three numbers differ"
        )
    return ""
