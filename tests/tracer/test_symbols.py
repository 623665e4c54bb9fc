"""Formulas: what is printed is what runs."""

import re

import numpy as np
import pytest

import ops
import tracer as tr
from tests.ops.twins import TWINS
from tracer.formulas import flow_formula, formula, local_derivative
from tracer.lettering import tex_name
from tracer.symbols import Style, Symbol, write

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def evaluated(text):
    """The number that a printed formula of scalars stands for, with what its where clauses define."""
    formula, *clauses = re.split(r" where (?=\w+ = )|, (?=\w+ = )", text)
    names = {}
    for clause in clauses:
        name, meaning = clause.split(" = ", 1)
        names[name] = number_of(meaning, names)
    return number_of(formula, names)


def number_of(text, defined):
    code = re.sub(r"([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda m: f"**({m.group(1).translate(RAISED)})", text)
    code = code.replace("·", "*").replace("−", "-").replace("^", "**").replace("σ(", "sigmoid(")
    code = code.replace("≥", ">=").replace("≤", "<=").replace("≠", "!=")
    code = re.sub(r"(?<![<>!=])=(?!=)", "==", code)
    code = code.replace("∛(", "cbrt(").replace("√(", "sqrt(")
    code = re.sub(r"⌊(.+?)⌋", r"floor(\1)", re.sub(r"⌈(.+?)⌉", r"ceil(\1)", code))
    code = re.sub(r"\|([^|]+)\|", r"abs(\1)", code)
    choices = {"max": max, "min": min, "where": lambda c, a, b: a if c else b, "Σ": lambda x: x}
    return float(eval(code, {"__builtins__": {}}, {**TWINS, **choices, **defined}))


SCALAR = [op for op in ops.PRIMITIVES.values() if op.elementwise and not op.defaults]


@pytest.mark.parametrize("op", SCALAR, ids=lambda op: op.name)
def test_what_is_printed_evaluates_to_the_recorded_number(op):
    values = (1.25, 0.5, 0.75)[: len(op.inputs)]
    if np.isnan(op(*values)):  # outside of the domain
        values = (0.6,)
    inputs = [tr.tensor(v) for v in values]
    if op.name == "where":
        inputs[0] = tr.tensor(True)
    trace = tr.trace(op(*inputs) * 3.0) if op.vjps else None
    if trace is None:
        return
    node = next(n for n in trace if n.op_name == op.name)
    assert evaluated(formula(node, numbers=True)) == pytest.approx(float(node.value), rel=1e-3)
    for flow in trace.flows_from(node.index):
        text = flow_formula(node, flow.argument, numbers=True)
        assert evaluated(text) == pytest.approx(float(flow.cotangent), rel=1e-3)
        local = evaluated(local_derivative(node, flow.argument, numbers=True))
        assert 3.0 * local == pytest.approx(float(flow.cotangent), rel=1e-3)


@pytest.mark.parametrize("op", SCALAR, ids=lambda op: op.name)
def test_a_rule_run_on_symbols_carries_the_flow_to_the_last_bit(op):
    rng = np.random.default_rng(0)
    values = list(rng.uniform(0.5, 2, size=len(op.inputs)))
    if op.name == "where":
        values[0] = np.bool_(True)
    out, _ = op.run(values)
    g = np.float64(0.7)
    numbers = op.pull_back(g, out, values, [op.differentiable(k) for k in range(len(values))])
    for k, rule in enumerate(op.rules):
        if rule is not None:
            symbols = [Symbol(v, n, n) for v, n in zip(values, op.inputs, strict=True)]
            got = rule(Symbol(g, "g", "g"), Symbol(out, "out", "out"), *symbols)
            np.testing.assert_array_equal(getattr(got, "value", got), numbers[k])


def nodes():
    x, w = tr.tensor(2.0, name="x"), tr.tensor(-3.0, name="w")
    q = w * x
    s = tr.sigmoid(q)
    y = (s - x) ** 2 / (1 + w * w)
    return tr.trace(y)


def test_formulas_use_names_and_only_the_brackets_they_need():
    trace = nodes()
    assert formula(trace["q"]) == "w · x"
    assert formula(trace["q"], numbers=True) == "−3 · 2"
    assert local_derivative(trace["s"], 0) == "s · (1 − s)"
    assert flow_formula(trace["q"], 0) == "∂L/∂q · x"
    assert formula(trace["y"], tex=True).startswith(r"\frac{")


def test_a_linear_map_is_written_with_its_upstream():
    x, w = tr.tensor(np.ones((2, 3)), name="x"), tr.tensor(np.ones((3, 4)), name="w")
    node = tr.trace((x @ w).sum())[2]
    assert local_derivative(node, 0) == "g ↦ g @ wᵀ"
    assert local_derivative(node, 1) == "g ↦ xᵀ @ g"
    assert flow_formula(node, 0) == "∂L/∂matmul@2 @ wᵀ"


def test_the_sum_over_broadcast_axes_is_written():
    x, b = tr.tensor(np.ones((4, 3)), name="x"), tr.tensor(np.ones(3), name="b")
    node = tr.trace((x * b).sum())[2]
    assert flow_formula(node, 1) == "Σ(∂L/∂mul@2 · x)"
    assert flow_formula(node, 0) == "∂L/∂mul@2 · b"


def test_locals_of_a_rule_become_where_clauses():
    x = tr.tensor(np.random.default_rng(0).normal(size=(4, 2)), name="x")
    gamma, beta = tr.parameter(np.ones(2)), tr.parameter(np.zeros(2))
    y = tr.batch_norm(x, gamma, beta)
    text = flow_formula(tr.trace((y * y).sum())["y"], 0)
    assert " where " in text
    assert "x̂" in text
    assert "ĝ = ∂L/∂y · gamma" in text


def test_leaves_and_literals_have_no_formula_or_derivative():
    trace = nodes()
    assert formula(trace["x"]) == ""
    power = next(n for n in trace if n.op_name == "pow")
    assert flow_formula(power, 1) == ""


@pytest.mark.parametrize(
    ("label", "tex"),
    [
        ("w0", "w_{0}"),
        ("W_hh", "W_{hh}"),
        ("gamma", r"\gamma"),
        ("x_hat", r"\hat{x}"),
        ("h#3", "h^{(3)}"),
        ("mul@7", "v_{7}"),
    ],
)
def test_names_become_tex(label, tex):
    assert tex_name(label) == tex


def test_a_power_is_raised_only_where_it_is_one_small_whole_number():
    x, y = tr.tensor(2.0, name="x"), tr.tensor(-3.0, name="y")
    power = tr.trace(x**y)[2]
    assert formula(power, numbers=True) == "2⁻³"
    assert flow_formula(power, 0, numbers=True).endswith("^(−3 − 1)")
    assert formula(tr.trace(x**-1e7)[1], numbers=True) == "2^(−1e7)"
    assert formula(tr.trace(x**1e7)[1], numbers=True) == "2^1e7"


@pytest.mark.parametrize(
    ("label", "tex"),
    [
        ("xhat", r"\hat{x}"),
        ("that", r"\mathrm{that}"),
        ("inv_std", r"\mathrm{inv\_std}"),
        ("γ", r"\gamma"),
        ("50% \\input", r"\text{50\% \textbackslash{}input}"),
        ("a@b\\c", r"\text{a@b\textbackslash{}c}"),
        ("a#\\c", r"\text{a\#\textbackslash{}c}"),
    ],
)
def test_a_name_of_any_kind_becomes_tex_without_a_command_of_its_own(label, tex):
    assert tex_name(label) == tex


def test_tex_is_plain_ascii_with_parameters_and_arrays_in_it():
    x = tr.tensor(np.array([[1.0, np.nan, -2.0]]), name="x")
    for y in (tr.mean(x, axis=1), x[..., 0] * 2.0, tr.einsum("ij->j", x)):
        node = next(n for n in tr.trace(y.sum()) if not n.is_leaf)
        for numbers in (False, True):
            assert formula(node, tex=True, numbers=numbers).isascii()
    mean = tr.trace(tr.mean(x, axis=1).sum())[1]
    assert formula(mean, tex=True) == r"\frac{1}{3} \sum_{\text{axis 1}}\left(x\right)"


@pytest.mark.parametrize(
    ("label", "tex"),
    [
        ("Wx", "W_{x}"),
        ("Whh", "W_{hh}"),
        ("W_out_2", r"W_{\mathrm{out},2}"),
        ("x_train", r"x_{\mathrm{train}}"),
    ],
)
def test_what_stands_behind_a_letter_stands_below_it(label, tex):
    assert tex_name(label) == tex


def test_tensors_are_multiplied_element_by_element_and_numbers_with_a_dot():
    x, s = tr.tensor(np.ones(3), name="x"), tr.tensor(2.0, name="s")
    y = tr.trace((x * x + s * x + s * s).sum())
    found = {formula(node, tex=True) for node in y if node.op_name == "mul"}
    assert found == {r"x \odot x", r"s \cdot x", r"s \cdot s"}


def test_the_transpose_of_a_transpose_is_the_matrix():
    x = Symbol(np.ones((2, 3)), "x", "x")
    assert x.T.T is x
    assert write(x.T, Style(tex=True)) == r"{x}^{\mathsf{T}}"


def test_axes_of_sums_are_counted_from_the_front():
    x = tr.tensor(np.ones((2, 3, 4)), name="x")
    written = {
        formula(tr.trace(y.sum())[1], tex=True)
        for y in (
            tr.sum(x, axis=-1),
            tr.sum(x, axis=(0, 2)),
            tr.mean(x),
            tr.max(x, axis=1),
            tr.prod(x, axis=1),
            tr.logsumexp(x, axis=1),
        )
    }
    assert written == {
        r"\sum_{\text{axis 2}}\left(x\right)",
        r"\sum_{\text{axes 0, 2}}\left(x\right)",
        r"\frac{1}{24} \sum_{\text{all}}\left(x\right)",
        r"\max_{\text{axis 1}}\left(x\right)",
        r"\prod_{\text{axis 1}}\left(x\right)",
        r"\log\sum_{\text{axis 1}}\exp\left(x\right)",
    }


def by_copies(g, out, x):
    return 2 * np.asarray(g) * np.asarray(x)


def by_bytes(g, out, x):
    return 2 * g * np.frombuffer(x.tobytes(), x.dtype)


@pytest.mark.parametrize("rule", [by_copies, by_bytes])
def test_a_rule_that_asks_for_arrays_of_numpy_is_written_as_the_call_of_a_function(rule):
    square = tr.primitive(vjps={"x": rule}, name="unread")(lambda x: np.square(x))
    x = tr.tensor([1.0, 2.0, 3.0], name="x")
    y = square(x)
    trace = tr.trace(y.sum())
    assert flow_formula(trace["y"], 0) == "unread_vjp(∂L/∂y, x)"
    assert flow_formula(trace["y"], 0, numbers=True) == "unread_vjp([1 1 …], [1 2 …])"
    assert local_derivative(trace["y"], 0) == "g ↦ unread_vjp(g, x)"
    assert r"\operatorname{unread\_vjp}" in trace.diagram().render("tex").decode()
    assert "unread_vjp" in trace["y"]._repr_html_()
