"""The gradient of a shared node as the sum of what its uses sent: in short, or written out with its terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.diagrams.moments import SMALL, WORDED, Moment
from tracer.diagrams.names import name_text
from tracer.diagrams.numerals import numeral
from tracer.diagrams.over_time.step_shapes import SMALL_WORD, with_small_words
from tracer.diagrams.picture import Run, Text
from tracer.stats import rms
from tracer.timeline import GLYPHS, GradientStatus

MOST_TERMS = 6


def short_sum_text(moment: Moment, j: int) -> Text:
    """`Σ 0.41` where the flows themselves stand beside it."""
    status = moment.timeline.status(moment.position, j)
    if status.state in WORDED:
        return moment.read(j).gradient
    total = moment.timeline.seen_gradient(moment.position, j)
    if total is None:
        return (Run(GLYPHS[status.state], "quiet", SMALL),)
    result = with_small_words((Run(moment.write(total), "gradient", 13, bold=True),))
    return (Run("Σ ", "gradient", 13), *result, *counted(status))


def counted(status: GradientStatus) -> Text:
    """The mark of a partial sum; of a whole one how many flows it has."""
    if status.state != "partial":
        return (Run(f"  {status.expected} flows", "quiet", SMALL_WORD),)
    return (Run(f" {GLYPHS['partial']} {status.arrived}/{status.expected}", "quiet", SMALL),)


def sum_text(moment: Moment, j: int, flows: Sequence[Any]) -> Text:
    """`∂L/∂w = 0.01 + 0.03 + … = 0.41`; for a tensor the root mean squares of the flows and of their sum, called so."""
    status = moment.timeline.status(moment.position, j)
    if status.state in WORDED:
        return moment.read(j).gradient
    total = moment.timeline.seen_gradient(moment.position, j)
    arrived = [flow for flow in flows if flow is not None]
    if total is None or not arrived:
        return (Run(GLYPHS[status.state], "quiet", SMALL),)
    if np.size(total) == 1:
        terms = ["…"] if status.state == "partial" else []
        terms += _elided([moment.write(flow) for flow in arrived])
        body, result = " + ".join(terms).replace("+ −", "− "), moment.write(total)
        link = " = "
    else:
        sizes = ", ".join(_elided([numeral(rms(flow)) for flow in arrived]))
        body, result = f"sum of {len(arrived)} flows of rms {sizes}", numeral(rms(total))
        link = ":  rms "
    runs = (Run(body + link, "gradient", 13), Run(result, "gradient", 13, bold=True))
    mark = counted(status) if status.state == "partial" else ()
    return (*_derivative(moment, j), *runs, *mark)


def _elided(terms: Sequence[str]) -> list[str]:
    return [*terms] if len(terms) <= MOST_TERMS else [*terms[:3], "…", *terms[-2:]]


def _derivative(moment: Moment, j: int) -> Text:
    """`∂L/∂w = `."""
    return (
        Run("∂", "gradient", 13),
        *_name(moment, moment.trace.loss),
        Run("/∂", "gradient", 13),
        *_name(moment, j),
        Run(" = ", "gradient", 13),
    )


def _name(moment: Moment, i: int) -> Text:
    """The name of a node within ∂ ⋅ / ∂ ⋅; a loss without a name is called L."""
    node = moment.trace[i]
    name = node.name or ("L" if i == moment.trace.loss else node.label)
    return name_text(name, role="gradient", size=13, italic=False)
