"""What can be copied of a node: its numbers, its name, its formula, its rule in LaTeX, its place in the source."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer import format as fmt
from tracer.errors import GradstepError
from tracer.formulas import formula, local_derivative
from tracer.lettering import tex_name
from tracer.traces import Trace

MOST = 2048
"""Elements of the largest array that is copied: terminals take about 100,000 characters."""


def numpy_literal(array: Any, label: str) -> str:
    """An array as numpy reads it, every digit of it. Raises `GradstepError` where it is too large for a clipboard.

    >>> numpy_literal(np.array([[1.0, np.nan]]), "x"), numpy_literal(np.float32([0.5]), "x")
    ('np.array([[1.0, np.nan]])', 'np.array([0.5], dtype=np.float32)')
    """
    if array.size > MOST:
        raise GradstepError(
            f"{label} has {array.size:,} elements, too many for the clipboard ({MOST:,}): "
            "try copy element, or save the trace"
        )
    array = np.asarray(array[()])
    if array.ndim == 0:
        return _literal(array)
    text = f"np.array({_literal(array)}"
    if not array.size:
        text = f"np.empty({array.shape}"
    known = array.dtype in (np.float64, np.bool_) or (array.dtype == np.int64 and array.size)
    return text + (")" if known else f", dtype=np.{array.dtype.name})")


def _literal(array: Any) -> str:
    if array.ndim:
        return "[" + ", ".join(map(_literal, array)) + "]"
    number = array.item()
    if isinstance(number, float) and not np.isfinite(number):
        return "np.nan" if number != number else "np.inf" if number > 0 else "-np.inf"
    return str(array) if isinstance(number, float) and array.dtype != np.float64 else repr(number)


def formula_text(trace: Trace, node: int) -> str:
    """The formula of a node: `q = x + y`; of a leaf its value, where that is one number. Raises `GradstepError`."""
    view = trace[node]
    if view.op is not None:
        return f"{view.label} = {formula(view)}"
    if view.shape:
        raise GradstepError(f"{view.label} is a leaf without a formula: try copy value")
    return f"{view.label} = {fmt.number(view.value, 17)}"


def latex(trace: Trace, node: int) -> str:
    r"""What a node computes and its local derivatives in LaTeX, a line each. Raises `GradstepError` for a leaf.

    >>> import tracer as tr
    >>> x, y = tr.tensor(2.0, name="x"), tr.tensor(5.0, name="y")
    >>> print(latex(tr.trace(x * y), 2))
    v_{2} = x \cdot y
    \frac{\partial v_{2}}{\partial x} = y
    \frac{\partial v_{2}}{\partial y} = x
    """
    view = trace[node]
    if view.op is None:
        raise GradstepError(f"{view.label} is a leaf without a rule: try copy value")
    out = tex_name(view.label)
    rows = [f"{out} = {formula(view, tex=True)}"]
    for argument, name in enumerate(view.inputs):
        rule = local_derivative(view, argument, tex=True)
        if rule:
            into = tex_name(name.label)
            rows.append(rf"\frac{{\partial {out}}}{{\partial {into}}} = {rule}")
    return "\n".join(dict.fromkeys(rows))


def source_place(trace: Trace, node: int) -> str:
    """File and line where a node was made, as editors take it. Raises `GradstepError` where that is not known."""
    place = trace[node].place
    if place is None:
        raise GradstepError(f"nobody knows where {trace.label(node)} was made: try copy node")
    return f"{place.file}:{place.line}"
