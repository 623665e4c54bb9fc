"""How much reaches the weights as the sigmoid is pushed into saturation, by each form of the connection."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.residual.forms import BIAS, FORMS, HIDDEN, TARGET, WEIGHTS, Form
from tracer.plots import Array, Axis, Curve, Plot, Points

FARTHEST = 20.0
P = float(np.dot(WEIGHTS, HIDDEN))


def gradient_sizes(form: Form, s: Array) -> Array:
    """|de/dW2| at each s, where b alone has been moved: b = s - p.  s: float (points,).  Returns: float (points,)."""
    p = tr.tensor(np.full(len(s), P))
    y = form(p, tr.constant(s - P))
    (by_p,) = tr.grad(tr.sum(tr.square(TARGET - y) / 2), [p])
    sizes: Array = np.abs(by_p) * np.linalg.norm(HIDDEN)
    return sizes


def saturation(b: float = BIAS, **others: float) -> tuple[Plot, ...]:
    """|de/dW2| over s for the four forms, on a logarithmic axis, and where the chosen b stands on each."""
    far = max(FARTHEST, abs(P + b))
    s, here = np.linspace(-far, far, 401), np.array([P + b])
    with np.errstate(under="ignore"):
        curves = [
            Curve(name, s, gradient_sizes(form, s), dashed=name == "plain")
            for name, form in FORMS.items()
        ]
        stands = np.array([gradient_sizes(form, here)[0] for form in FORMS.values()])
    return (
        Plot(
            "what reaches the weights of a saturated sigmoid",
            (*curves, Points(f"b = {b:g}", np.full(len(FORMS), here[0]), stands)),
            Axis("s = p + b"),
            Axis("|de/dW2|", scale="log", low=1e-10),
            "Without a path past the sigmoid the gradient dies on both sides; the dips are where the error, "
            "or the sum of the paths, passes through zero.",
        ),
    )
