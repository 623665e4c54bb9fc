"""Who is wrong, the hand or a rule: by majority of three numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracer.checking.judge import AGREE, DISAGREE
from tracer.checking.report import Row
from tracer.traces import Trace

from .judged import Judged, any_wrong


def whose_rules(twin: Trace, node: int) -> str:
    """Whose rules brought the gradient of a node: the operations that a user declared, or ours."""
    theirs = {
        op.name
        for flow in twin.flows_into(node)
        if (op := twin.op(flow.consumer)) is not None and not op.home.startswith("ops.")
    }
    if theirs:
        return f"the rule of {' or '.join(sorted(theirs))} is wrong"
    return "our own rule is wrong (please report it)"


def culprit_of(judged: Judged, row: Row, whose: str) -> str:
    """Who is wrong, by majority of the three numbers at the worst element."""
    elements = judged.by_line if judged.line_wrong and not judged.hand_wrong else judged.by_hand
    worst = replace(row, elements=elements).worst
    if worst is None or not judged.ours:
        return ""
    own = next(e for e in judged.ours if e.index == worst.index)
    if worst.verdict == DISAGREE and own.verdict == AGREE:
        return "" if row.inherited else "the number by hand is wrong: automatic and certified agree"
    if any_wrong(judged.ours):
        if worst.verdict == AGREE:
            return f"{whose}: by hand and certified agree"
        close = np.isclose(worst.hand, worst.automatic, rtol=1e-6)
        return (
            "by hand and automatic agree, but not with the certified one: a kink, or both are wrong"
            if close
            else "all three numbers differ"
        )
    return ""
