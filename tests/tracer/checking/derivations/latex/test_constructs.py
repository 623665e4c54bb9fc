"""What may stand in a formula, what the names mean, and what is refused with the line, the reason and a cure."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import tracer as tr
from tests.tracer.checking.derivations.latex import lectures
from tracer.checking.derivations.calculator import evaluate
from tracer.checking.derivations.latex import is_latex, read_latex
from tracer.checking.derivations.names import Names
from tracer.errors import DerivationError

RNG = np.random.default_rng(7)
VALUES = {
    "x": RNG.uniform(0.5, 2, (4, 3)),
    "w": RNG.uniform(0.5, 2, 3),
    "A": RNG.uniform(0.5, 2, (3, 2)),
    "v": RNG.uniform(0.5, 2, 4),
    "c": np.float64(1.7),
    "W_hh": RNG.uniform(0.5, 2, (3, 3)),
    "var": RNG.uniform(0.5, 2, 3),
    "xhat": RNG.uniform(0.5, 2, (4, 3)),
}


def names() -> Names:
    """A trace in which all of VALUES are recorded, and nothing else is."""
    loss = tr.sum(sum(tr.sum(tr.tensor(value, name=name)) for name, value in VALUES.items()))
    return Names(tr.trace(loss))


NAMES = names()


def last(text: str) -> tuple[str, object]:
    """The last line of a derivation, in Python, and what it comes to."""
    known: dict[str, object] = {}

    def lookup(name: str) -> object:
        if name in known:
            return known[name]
        return np.ones_like(VALUES[name[4:]]) if name.startswith("dL_d") else VALUES[name]

    lines = read_latex(text, NAMES)
    for line in lines:
        known[line.target] = evaluate(line.expression, Meanings(lookup))
    return ast.unparse(lines[-1].expression), known[lines[-1].target]


class Meanings:
    """What the calculator asks: values by name; no value here was recorded at many steps."""

    def __init__(self, value) -> None:
        self.value = value

    def steps(self, name: str) -> None:
        """No name means values at time steps."""

    def tick(self) -> None:
        """Nothing is timed."""

    def spend(self, work) -> None:
        """Nothing is counted."""


x, w, A, v, c, W_hh, var, xhat = VALUES.values()

FORMULAS = [
    (r"x + 2 w", x + 2 * w),
    (r"-x - -w", -x + w),
    (r"\frac12 x", x / 2),
    (r"\frac{x}{w} \cdot 3", x / w * 3),
    (r"\dfrac{x - w}{\tfrac{1}{2}}", (x - w) * 2),
    (r"x / 2 \cdot w", x / 2 * w),
    (r"1.5 x", 1.5 * x),
    (r"10^{-2} x", 0.01 * x),
    (r"x^2 w^{-1/2}", x**2 * w**-0.5),
    (r"x^{\frac{1}{2}}", x**0.5),
    (r"(x^2)^3", x**6),
    (r"\sqrt{x}", np.sqrt(x)),
    (r"\sqrt[3]{x + 1}", (x + 1) ** (1 / 3)),
    (r"\sqrt x", np.sqrt(x)),
    (r"x \odot \hat{x}", x * xhat),
    (r"x \circ \hat x", x * xhat),
    (r"x \ast w", x * w),
    (r"x A", x @ A),
    (r"x \times A", x @ A),
    (r"A^\top w", A.T @ w),
    (r"W_{hh} w", W_hh @ w),
    (r"W_{hh}^T w", W_hh.T @ w),
    (r"w w^\top", np.outer(w, w)),
    (r"w^{\mathsf T} w", w @ w),
    (r"{A}^{\intercal} \mathbf{w}", A.T @ w),
    (r"\mathbf{1}^\top x", x.sum(0)),
    (r"x \mathbf 1", x.sum(1)),
    (r"\sum_{i=1}^{m} x_i", x.sum(0)),
    (r"\sum_i x_i", x.sum(0)),
    (r"\frac{1}{m} \sum_{i=1}^m x_i w", x.mean(0) * w),
    (r"\sum_{i,j} x_{ij}", x.sum()),
    (r"\sum_{ij} x_{ij} w_j", (x * w).sum()),
    (r"\sum_i \sum_j v_i x_{ij} w_j", v @ x @ w),
    (r"\sum_i (x_i + w)", (x + w).sum(0)),
    (r"\sum_{i=1}^{4} x_i \cdot w", x.sum(0) * w),
    (r"\sum_i \left( x_i - \frac14 \sum_j x_j \right)^2", ((x - x.mean(0)) ** 2).sum(0)),
    (r"\exp(x) \log w", np.exp(x) * np.log(w)),
    (r"e^{-x}", np.exp(-x)),
    (r"\frac{1}{1 + e^{-x}}", 1 / (1 + np.exp(-x))),
    (r"\ln(w) + \tanh^2(x)", np.log(w) + np.tanh(x) ** 2),
    (r"\sigma(x) (1 - \sigma(x))", np.exp(-x) / (1 + np.exp(-x)) ** 2),
    (r"\sigma'(x)", np.exp(-x) / (1 + np.exp(-x)) ** 2),
    (r"\tanh'(x)", 1 - np.tanh(x) ** 2),
    (r"1 - \tanh(x)^2", 1 - np.tanh(x) ** 2),
    (r"\operatorname{ReLU}'(x - 1)", (x > 1) * 1.0),
    (r"\max(0, x - 1)", np.maximum(0, x - 1)),
    (r"\mathbb 1[x > 1] w", (x > 1) * w),
    (r"\mathbb{1}_{[x > 1]}", (x > 1) * 1.0),
    (r"[x \le 1]", (x <= 1) * 1.0),
    (r"\begin{cases} w & x > 1 \\ 0 & \text{otherwise} \end{cases}", np.where(x > 1, w, 0)),
    (r"\operatorname{diag}(w)", np.diag(w)),
    (r"\operatorname{diag}(w) - w w^\top", np.diag(w) - np.outer(w, w)),
    (r"\lVert w \rVert_2^2", w @ w),
    (r"\left\| w \right\|", np.sqrt(w @ w)),
    (r"\left| w - 1 \right| + |c|", abs(w - 1) + c),
    (r"\operatorname{softmax}(w)", np.exp(w) / np.exp(w).sum()),
    (r"\text{xhat} + \mathrm{xhat} + xhat", 3 * xhat),
    (r"\hat{x} + \widehat x", 2 * xhat),
    (r"\sigma^2 + \sigma_B^2 + \sigma_{\mathcal B}^2", 3 * var),
    (r"\sqrt{\sigma^2}", np.sqrt(var)),
    (r"\underbrace{x + w}_{z} \cdot c", (x + w) * c),
    (r"\color{red} x \, \bigl( w \bigr)", x * w),
    (r"\nabla_x L + \frac{dL}{dx} + dx + \partial L/\partial x", np.full_like(x, 4)),
    (r"2 \frac{\partial}{\partial x} L", np.full_like(x, 2)),
    ("x̂ ⊙ w² · ½ − √(c)", xhat * w**2 / 2 - np.sqrt(c)),
    ("Aᵀ w", A.T @ w),
    ("Σᵢ xᵢ / 2", x.sum(0) / 2),
    ("w⁻¹ × 2 + w ^ (−1)", 3 / w),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "value"), FORMULAS, ids=[f for f, _ in FORMULAS])
def test_a_formula_comes_to_what_it_says(formula, value):
    target = next(
        (name for name, each in VALUES.items() if np.shape(each) == np.shape(value)), None
    )
    left = (
        "r"
        if target is None
        else rf"\frac{{\partial L}}{{\partial {target.replace('W_hh', 'W_{hh}')}}}"
    )
    _, found = last(rf"\[ {left} = {formula} \]")
    np.testing.assert_allclose(found, value, rtol=1e-12)


INDEXED = [
    (r"A_{ij} = A_{ij}", "A"),
    (r"x_i = 2 \hat x_i w", "2 * xhat * w"),
    (r"x_{ij} = v_i w_j", "v[:, None] * w"),
    (r"A_{jk} = \sum_i x_{ij} x_{ij} A_{jk}", "(x * x).sum(0)[:, None] * A"),
    (r"W_{hh} = \sum_i x_i x_i^\top", "np.einsum('ip,iq->pq', x, x)"),
    (r"w_j = \sum_i v_i x_{ij}", "np.einsum('i,ij->j', v, x)"),
    (r"w_j = w_j \sum_k w_k (\delta_{jk} - w_k)", "w * (w * (np.eye(3) - w)).sum(1)"),
    (r"w_j = \sum_{k \ne j} w_k", "(w[:, None] * (1 - np.eye(3, 3))).sum(0)"),
]


@pytest.mark.parametrize(("equation", "code"), INDEXED)
def test_indices_are_axes(equation, code):
    left, right = equation.split(" = ", 1)
    lines = read_latex(rf"\frac{{\partial L}}{{\partial {left}}} = {right}", NAMES)
    if code == "A":
        assert ast.unparse(lines[-1].expression) == "A"
        return
    have = evaluate(lines[-1].expression, Meanings(VALUES.__getitem__))
    want = evaluate(ast.parse(code, mode="eval").body, Meanings(VALUES.__getitem__))
    np.testing.assert_allclose(have, want, rtol=1e-12)


REFUSED = [
    (r"\[ \frac{\partial L}{\partial w} = x_i \]", "the index i stands on the right", r"\\sum_i"),
    (
        r"\[ \frac{\partial L}{\partial w} = \sum_i x_i + \hat x_i \]",
        "the index i stands on the right",
        "sum",
    ),
    (
        r"\[ \frac{\partial L}{\partial w} = q w \]",
        "q is neither defined in a line nor recorded",
        "try",
    ),
    (r"\[ \frac{\partial L}{\partial w} = \epsilon w \]", "epsilon is neither", r"10\^\{-5\}"),
    (r"\[ \frac{\partial L}{\partial w} = \frac{w}{m} \]", "m is neither", r"\\sum_\{i=1\}\^\{m\}"),
    (r"\[ \frac{\partial L}{\partial q} = \frac{\partial L}{\partial p} \]", "p is neither", "try"),
    (
        r"\[ \frac{\partial x}{\partial w} = w \]",
        "∂x/∂w is not a gradient of the loss",
        "partial L",
    ),
    (r"\[ \frac{\partial^2 L}{\partial w^2} = w \]", "second derivatives", "gradients"),
    (
        r"\[ \frac{\partial L}{\partial w} = x_{ijk} \]",
        "3 indices, x has 2 axes",
        "an index for each axis",
    ),
    (r"\[ \frac{\partial L}{\partial w} = x_{ii} \]", "an index twice", "diag"),
    (
        r"\[ \frac{\partial L}{\partial w_i} = \sum_j x_{ij} + w_i \]",
        "the index i runs over",
        "another letter",
    ),
    (
        r"\[ \frac{\partial L}{\partial w} = \sum_{i=1}^{7} x_i \]",
        "goes to 7 = 7, but i runs over 4",
        "limit",
    ),
    (r"\[ \frac{\partial L}{\partial w} = \sum_{i=2}^{4} x_i \]", "a part of the axis i", "from 1"),
    (r"\[ \frac{\partial L}{\partial w} = \sum w \]", "over which index", r"\\sum_i"),
    (r"\[ \frac{\partial L}{\partial w} = \sum_k w \]", "bears the index k", "index k"),
    (r"\[ \frac{\partial L}{\partial w} = f'(w) \]", "the derivative of f is not known", "tanh"),
    (r"\[ \frac{\partial L}{\partial w} = f(w) \]", "the function f is not known", "tanh"),
    (r"\[ \frac{\partial L}{\partial w} = \foo{w} \]", r"\\foo cannot be read", "text"),
    (r"\[ \frac{\partial L}{\partial w} = w \pm 1 \]", "± is two signs", "one of them"),
    (r"\[ \frac{\partial L}{\partial w} = w \otimes w \]", "several meanings", "odot"),
    (r"\[ \frac{\partial L}{\partial w} = \log w c \]", "belong to what the function", "brackets"),
    (
        r"\[ \frac{\partial L}{\partial W_{hh}} = W_{hh} \cdot W_{hh} \]",
        "elementwise or the product",
        "odot",
    ),
    (r"\[ \frac{\partial L}{\partial W_{hh}} = W_{hh}^{-1} \]", "inverse of a matrix", "elements"),
    (r"\[ \frac{\partial L}{\partial w} = (w \]", "closing \\) is missing", "brackets"),
    (r"\[ \frac{\partial L}{\partial w} = w) \]", "a \\) too many", "brackets"),
    (r"\[ \frac{\partial L}{\partial w = w \]", "closing bracket or } is missing", "brackets"),
    (r"\[ \frac{\partial L}{\partial w} = \]", "nothing on the right", "name"),
    (r"\[ w + 1 = w \]", "the left side must be", "partial"),
    (r"\[ \frac{\partial L}{\partial w} = w < 1 \]", "outside of brackets", "1 or 0"),
    (r"\[ \frac{\partial L}{\partial w} = (x w)_i \]", "an index at brackets", "each symbol"),
    (r"\[ \frac{\partial L}{\partial w} = \delta_{jk} \]", "Kronecker", "try"),
]


@pytest.mark.parametrize(("text", "reason", "cure"), REFUSED)
def test_what_cannot_be_read_is_said_with_its_line_and_a_cure(text, reason, cure):
    with pytest.raises(DerivationError, match=reason) as caught:
        read_latex("\n% a comment\n" + text, NAMES)
    first, *_, tried = str(caught.value).splitlines()
    assert first.startswith("line 3: ")
    assert tried.startswith("  try: ")
    assert __import__("re").search(cure, str(caught.value))


def test_two_readings_of_a_name_are_refused_with_both():
    x, xi = tr.tensor([1.0, 2.0], name="x"), tr.tensor([3.0, 4.0], name="xi")
    both = Names(tr.trace(tr.sum(x * xi)))
    with pytest.raises(DerivationError, match=r"the recorded xi, or x with an index"):
        read_latex(r"\frac{\partial L}{\partial x} = x_i", both)
    sigma, z = tr.tensor(2.0, name="sigma"), tr.tensor(1.0, name="z")
    with pytest.raises(DerivationError, match="times a bracket, or a function"):
        read_latex(r"\frac{\partial L}{\partial z} = \sigma(z)", Names(tr.trace(sigma * z)))
    a, b, ab = (tr.tensor(k, name=n) for k, n in ((1.0, "a"), (2.0, "b"), (3.0, "ab")))
    with pytest.raises(DerivationError, match=r"the recorded ab, or a product of a, b"):
        read_latex(r"\frac{\partial L}{\partial a} = ab", Names(tr.trace(a * b * ab)))


def test_own_definitions_may_stand_below_their_use():
    text = (
        r"\[ \frac{\partial L}{\partial w} = g \odot w \] where \[ g = 2 w, \] with $s = 1 \dots 3$"
    )
    assert [line.target for line in read_latex(text, NAMES)] == ["g", "dL_dw"]


def test_definitions_that_differ_from_the_recorded_value_are_noted():
    text = r"\mu_B = \sum_i x_i \\ \frac{\partial L}{\partial \beta} = \sum_i \frac{\partial L}{\partial y_i}"
    report = tr.verify(lectures.batch_norm(), text)
    assert any("mu" in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (r"$\frac{a}{b}$", True),
        ("∂L/∂xᵢ = 2·xᵢ", True),
        ("dx = 2 * x", False),
        (r"dx = 2 * x  # \frac{a}{b}", False),
        ("∂L/∂w = dL/dy * x   # the chain rule", False),
        ("dx̂ = dy * γ\ndσ² = (dx̂ * (x − μ)).sum(0)", False),
        ("for t in range(3):\n    dh[t] = 0", False),
    ],
)
def test_latex_is_told_from_python(text, latex):
    assert is_latex(text) is latex


@pytest.mark.parametrize("ones", [r"\mathbf{1}", r"\mathbf 1", r"\mathbb{1}", r"\mathbf{1}_m"])
def test_a_sum_over_columns_may_be_a_column(ones):
    """`\\nabla_b L = \\delta 1` where b is a column, as in texts that work with column vectors."""
    rng = np.random.default_rng(0)
    w, x = (
        tr.tensor(rng.normal(size=(3, 4)), name="W"),
        tr.tensor(rng.normal(size=(4, 5)), name="x"),
    )
    b = tr.tensor(rng.normal(size=(3, 1)), name="b")
    z = w @ x + b
    text = "\\delta = 2 z\n\\nabla_b L = \\delta " + ones
    assert tr.verify(tr.trace(tr.sum(tr.square(z))), text).ok


def test_a_formula_whose_arrays_do_not_fit_is_a_line_that_cannot_be_computed():
    (line,) = read_latex(r"\[ \frac{\partial L}{\partial w} = x + A \]", NAMES)
    assert "do not fit" in line.misfit
