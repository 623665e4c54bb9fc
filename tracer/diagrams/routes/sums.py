"""How a gradient adds up from what its routes contribute: the lines below a figure of gradient paths."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer import format as short
from tracer.diagrams.measure import text_width
from tracer.diagrams.moments import SMALL, Moment
from tracer.diagrams.names import name_text, plain
from tracer.diagrams.numerals import numeral
from tracer.diagrams.picture import Run, Text
from tracer.diagrams.routes.bundles import Braid, Bundle
from tracer.insight.routes import MOST_COUNTED, slope
from tracer.stats import rms
from tracer.timeline import GLYPHS

LINE_ROOM = 720.0
"""Points after which a sum goes on in a new line."""
MOST_FACTORS = 8
SIZE = 14.0
LONGEST_NAME = 64
"""So many letters of a name stand in a figure; the names of routes are made shorter than that."""
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def has_come(moment: Moment, bundle: Bundle) -> bool:
    """Whether every flow of a bundle has reached the node by now."""
    trace = moment.trace
    return all(
        moment.has_sent(int(trace.edge_consumer[edge]), int(trace.edge_argument[edge]))
        for edge in bundle.entries
    )


def contribution_text(moment: Moment, bundle: Bundle, *, finished: bool = False) -> Text:
    """What a bundle contributes, or the mark of a gradient that has not been reached."""
    if finished or has_come(moment, bundle):
        return (Run(_bracketed(moment, bundle.contribution), bundle.role, 13),)
    return (Run(GLYPHS["not reached"], "quiet", SMALL),)


def _bracketed(moment: Moment, array: Any) -> str:
    written = moment.write(array)
    return f"[{written}]" if np.size(array) > 1 else written


def sum_lines(moment: Moment, braid: Braid) -> tuple[Text, ...]:
    """`∂L/∂x = 0.75 (through F) + 1.00 (skip) = 1.75`, in as many lines as it needs."""
    total = moment.trace.seen_gradient(braid.source)
    assert total is not None
    terms: list[Text] = []
    for number, bundle in enumerate(braid.bundles):
        sign = (Run(" + " if number else " = ", size=SIZE),)
        named = plain(f" ({bundle.name})" if bundle.name else "", longest=LONGEST_NAME)
        term = resized(contribution_text(moment, bundle))
        terms.append((*sign, *term, Run(named, bundle.role, SIZE)))
    if len(braid.bundles) > 1 and all(has_come(moment, bundle) for bundle in braid.bundles):
        shown = Run(_bracketed(moment, total), "gradient", SIZE, bold=True)
        terms.append((Run(" = ", size=SIZE), shown))
    lines: list[Text] = []
    line = gradient_name(moment, braid.source)
    for term in terms:
        if len(line) > 1 and text_width((*line, *term)) > LINE_ROOM:
            lines.append(line)
            line = (Run("     ", size=SIZE),)
        line = (*line, *term)
    return (*lines, line)


def resized(text: Text) -> Text:
    """The same characters in the size of a sum."""
    return tuple(Run(run.text, run.role, SIZE, run.bold, run.italic, run.lowered) for run in text)


def gradient_name(moment: Moment, i: int) -> Text:
    """`∂L/∂x` in the colour of gradients."""
    trace = moment.trace
    name = name_text(trace.names[i] or trace.labels[i], role="gradient", size=SIZE)
    return (Run("∂L/∂", "gradient", SIZE), *name)


def notes(moment: Moment, braid: Braid) -> tuple[Text, ...]:
    """What a reader must know of the sum: how arrays are meant, and what lies beyond the figure."""
    trace = moment.trace
    source, end = braid.source, braid.meeting.node
    total = trace.seen_gradient(source)
    said: list[str] = []
    if total.size > 1:
        said.append(
            f"arrays add element by element; the first 2 of {short.shape(total.shape)} numbers are shown"
            if total.size > 2
            else "arrays add element by element"
        )
        sizes = [numeral(rms(bundle.contribution)) for bundle in braid.bundles]
        if len(sizes) > 1 and all(has_come(moment, bundle) for bundle in braid.bundles):
            whole = numeral(rms(total))
            said.append(f"their sizes do not add: rms {', '.join(sizes)}; of the sum {whole}")
    named = plain(trace.labels[source], longest=24)
    if braid.total > len(braid.bundles):
        words = count_words(braid.total)
        upper = plain(trace.labels[end], longest=24)
        said.append(f"{words} from L to {named}")
        if end != trace.loss:
            said[-1] += f"; here they are told apart below {upper}"
    apart = [(Run(" ", "quiet", 6),)] if said else []
    return (*apart, *((Run(line, "quiet", 11),) for line in said))


def count_words(routes: int) -> str:
    """How many routes, in words: `1 route`, `4 routes`, `more than 10³⁰ routes`.

    >>> count_words(1), count_words(2**60)
    ('1 route', 'about 1.2×10¹⁸ routes')
    """
    if routes >= MOST_COUNTED:
        return "more than 10³⁰ routes"
    if routes >= 10_000_000:
        digits, _, power = f"{routes:.1e}".partition("e+")
        raised = str(int(power)).translate(RAISED)
        return f"about {digits.removesuffix('.0')}×10{raised} routes"
    return f"{routes:,} route{'s' if routes != 1 else ''}"


def product_lines(moment: Moment, braid: Braid) -> tuple[Text, ...]:
    """Of scalars, each contribution as a product: the gradient where the route starts, times local derivatives."""
    return tuple(
        _product_line(moment, bundle)
        for bundle in braid.bundles
        if bundle.route is not None and has_come(moment, bundle) and _is_scalar(moment, bundle)
    )


def _is_scalar(moment: Moment, bundle: Bundle) -> bool:
    trace = moment.trace
    return all(
        trace.storage.held(int(i)).ndim == 0
        for edge in bundle.edges
        for i in (trace.edge_consumer[edge], trace.input_of[edge])
    )


def _product_line(moment: Moment, bundle: Bundle) -> Text:
    trace = moment.trace
    assert bundle.route is not None
    edges = bundle.route.edges
    top = trace.seen_gradient(int(trace.edge_consumer[edges[0]]))
    factors = [top, *(slope(trace, edge) for edge in edges[:MOST_FACTORS])]
    written = " · ".join(moment.write(factor) for factor in factors)
    more = " · …" if len(edges) > MOST_FACTORS else ""
    name = Run(
        plain(f"{bundle.name}: " if bundle.name else "", longest=LONGEST_NAME), bundle.role, 12
    )
    return (name, Run(f"{written}{more} = {moment.write(bundle.contribution)}", size=12))
