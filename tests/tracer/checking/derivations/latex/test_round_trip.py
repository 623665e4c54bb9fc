"""A random expression, printed as LaTeX and read again, comes to the same number."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tracer as tr
from tests.tracer.checking.derivations.latex.test_constructs import Meanings
from tracer.checking.derivations.calculator import evaluate
from tracer.checking.derivations.latex import read_latex
from tracer.checking.derivations.names import Names

RNG = np.random.default_rng(11)
VALUES = {
    "x": RNG.uniform(0.5, 2, (4, 3)),
    "w": RNG.uniform(0.5, 2, 3),
    "mu": RNG.uniform(0.5, 2, 3),
    "s": np.float64(1.3),
}
NAMES = Names(tr.trace(tr.sum(sum(tr.sum(tr.tensor(v, name=n)) for n, v in VALUES.items()))))

Printed = tuple[str, np.ndarray]
ATOMS: list[Printed] = [
    ("x_i", VALUES["x"]), ("w", VALUES["w"]), (r"\mu", VALUES["mu"]), ("s", VALUES["s"]), ("2", np.float64(2)),
    (r"\frac{1}{2}", np.float64(0.5)), (r"\left( x_i - \mu \right)", VALUES["x"] - VALUES["mu"]),
]  # fmt: skip


def larger(inner: st.SearchStrategy[Printed]) -> st.SearchStrategy[Printed]:
    """An expression of one or two smaller ones, as LaTeX and as a number."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: (rf"\left( {p[0][0]} + {p[1][0]} \right)", p[0][1] + p[1][1])),
        pair.map(lambda p: (f"( {p[0][0]} - {p[1][0]} )", p[0][1] - p[1][1])),
        pair.map(lambda p: (rf"{{{p[0][0]}}} \odot {{{p[1][0]}}}", p[0][1] * p[1][1])),
        pair.map(
            lambda p: (
                rf"\dfrac{{{p[0][0]}}}{{1 + \exp({p[1][0]})}}",
                p[0][1] / (1 + np.exp(p[1][1])),
            )
        ),
        inner.map(lambda p: (rf"\tanh\bigl({p[0]}\bigr)", np.tanh(p[1]))),
        inner.map(lambda p: (rf"\sigma({p[0]})", 1 / (1 + np.exp(-p[1])))),
        inner.map(lambda p: (rf"({p[0]})^{{2}}", p[1] ** 2)),
        inner.map(lambda p: (rf"\sqrt{{ ({p[0]})^2 }}", abs(p[1]))),
    )


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.sampled_from(ATOMS), larger, max_leaves=10))
def test_what_is_printed_is_read_as_the_same(printed):
    text, value = printed
    lines = read_latex(rf"\[ \frac{{\partial L}}{{\partial x_i}} = 1 \cdot {text} \]", NAMES)
    with np.errstate(all="ignore"):
        found = evaluate(lines[-1].expression, Meanings(VALUES.__getitem__))
        wanted = np.broadcast_to(value, (4, 3))
    np.testing.assert_allclose(np.broadcast_to(found, (4, 3)), wanted, rtol=1e-9)
