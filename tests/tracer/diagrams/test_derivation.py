"""The chain rule as LaTeX: what is written is what ran, in the order of the sweep, and reads as on paper."""

import math
import re
from itertools import pairwise

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams import networks
from tracer.diagrams.algebra.chain import Chain
from tracer.diagrams.algebra.derivation import derivation_tex
from tracer.diagrams.algebra.notation import notation_of
from tracer.diagrams.frames import part_of
from tracer.diagrams.settings import Settings
from tracer.lettering import tex_name
from tracer.symbols import Symbol


def derived(trace, step=None, **options):
    return derivation_tex(part_of(trace), step, **options)


def rows(text):
    """Name to everything that it equals, rows that go on joined; numbers of the derivation in order."""
    found = {}
    name = None
    for body in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", text, re.S):
        for row in re.split(r" \\\\(?:\[4pt\])?\n", body):
            left, _, right = row.partition("&")
            name = left.strip() or name
            found.setdefault(name, "")
            found[name] += " " + right
    return found


def gradients(text):
    """Derivatives by name, in order, and the last number of each."""
    return {
        found[1]: right.rpartition("= ")[2].split(r" \qquad")[0]
        for name, right in rows(text).items()
        if (found := re.fullmatch(r"\\frac\{\\partial [^}]+\}\{\\partial (.+)\}", name))
    }


def evaluated(tex):
    """The number that a written sum of products stands for."""
    for _ in range(9):
        tex = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", tex)
        tex = re.sub(r"\{([^{}]*)\}\^(?:\{([^{}]*)\}|(\d))", r"((\1)**(\2\3))", tex)
        tex = re.sub(r"(\d+)\^\{([^{}]*)\}", r"(\1**(\2))", tex)
    tex = tex.replace(r"\left", "").replace(r"\right", "").replace(r"\cdot", "*")
    tex = re.sub(r"\\(exp|tanh|sigma)\b", r"\1", tex)
    sigma = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    return float(
        eval(tex, {"__builtins__": {}}, {"exp": math.exp, "tanh": math.tanh, "sigma": sigma})
    )


# ----- right


@pytest.mark.parametrize("network", ["circuit", "neuron", "branching", "scalar_rnn"])
def test_every_gradient_of_a_scalar_network_is_derived_to_its_recorded_number(network):
    trace = getattr(networks, network)()
    totals = gradients(derived(trace))
    written = 0
    for node in trace:
        total = totals.get(tex_name(node.label)) or totals.get(
            tex_name(node.label.replace("#", ""))
        )
        if total is not None:
            assert float(total) == pytest.approx(float(node.gradient), rel=1e-3)
            written += 1
    assert written >= 3


@pytest.mark.parametrize("network", ["circuit", "neuron", "branching", "scalar_rnn"])
def test_the_numbers_put_in_come_to_what_stands_behind_them(network):
    checked = 0
    for right in rows(derived(getattr(networks, network)())).values():
        numbers = [
            part
            for part in re.split(r"(?<![<>])=", right)
            if not re.search(r"(?<!\\)\b[a-z]_|\\partial|\\frac\{\\", part)
        ]
        numbers = [
            part
            for part in numbers
            if re.search(r"\d", part) and not re.search(r"(?<![\\a-z])[a-zL](?![a-z])", part)
        ]
        for one, other in pairwise(numbers):
            assert evaluated(one) == pytest.approx(evaluated(other), rel=2e-3)
            checked += 1
    assert checked >= 2


def test_gradients_come_in_the_order_in_which_the_sweep_finishes_them():
    trace = networks.neuron()
    order = [name for name in gradients(derived(trace)) if name != "f"]
    finals = [
        trace.timeline.when_final(trace.node_index(re.sub(r"[_{}]", "", name))) for name in order
    ]
    assert finals == sorted(finals)
    assert order[0] == "d"


def test_a_gradient_with_several_flows_is_their_sum_each_with_where_it_comes_from():
    text = rows(derived(networks.branching()))[r"\frac{\partial y}{\partial x}"]
    assert re.findall(r"\\text\{from \}(\w)", text) == ["y", "a", "a"]
    assert text.count(r"\underbrace") == 3
    assert text.endswith("= 1 + 0.1294 + 0.1294 = 1.259") or "= 1.259" in text


def test_batch_normalisation_reads_as_on_paper():
    found = rows(derived(networks.batch_norm()))
    assert found[r"\hat{x}"].startswith(r" = \mathrm{xc} \odot \mathrm{inv\_std}")
    assert found["y"].startswith(r" = \gamma \odot \hat{x} + \beta")
    assert r"\frac{1}{\sqrt{\mathrm{var} + 10^{-5}}}" in found[r"\mathrm{inv\_std}"]
    assert (
        found[r"\frac{\partial L}{\partial \hat{x}}"]
        == r" = \frac{\partial L}{\partial y} \odot \gamma"
    )
    assert found[r"\frac{\partial L}{\partial \mathrm{xc}}"] == (
        r" = \underbrace{\frac{\partial L}{\partial \hat{x}} \odot \mathrm{inv\_std}}_{\text{from }\hat{x}}"
        r" + \underbrace{\frac{\partial L}{\partial \mathrm{var}} \odot \frac{2 \cdot \mathrm{xc}}{4}}"
        r"_{\text{from }\mathrm{var}}"
    )
    assert found[r"\frac{\partial L}{\partial x}"] == (
        r" = \underbrace{\frac{\partial L}{\partial \mathrm{xc}}}_{\text{from }\mathrm{xc}}"
        r" + \underbrace{\frac{\partial L}{\partial \mu} \cdot \frac{1}{4}}_{\text{from }\mu}"
    )
    assert not [name for name in found if "v_" in name]


def test_short_vectors_are_printed_and_shapes_stand_by_tensors():
    trace = networks.batch_norm()
    text = derived(trace)
    first, second = trace.gradient("gamma")
    assert (
        rf"\left({first:.3g}, {second:.2g}\right)"
        in rows(text)[r"\frac{\partial L}{\partial \gamma}"]
    )
    assert r"$x \in \mathbb{R}^{4 \times 2}$" in text
    assert r"\in \mathbb{R}^{4 \times 2}" in rows(text)["y"]


# ----- names


def test_repeated_names_are_numbered_by_their_time_step():
    text = derived(networks.scalar_rnn())
    assert {"h_{1}", "h_{2}", "h_{3}", "h_{4}"} <= set(rows(text))
    assert r"\tanh\left(w \cdot h_{0} + x_{1}\right)" in text


def test_no_two_nodes_share_a_name():
    h = tr.tensor(1.0, name="h_1")
    w = tr.tensor(2.0, name="w")
    for t in range(1, 3):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h)
    names = list(rows(derived(tr.trace(h))))
    assert len(names) == len(set(names))
    assert names[0] == "h^{(1)}"  # h_{1} is another node


def test_a_loss_keeps_its_one_letter_and_any_other_is_called_l():
    assert r"\frac{\partial f}{\partial x}" in derived(networks.circuit())
    assert r"\frac{\partial L}{\partial x}" in derived(networks.batch_norm())


def test_the_loss_is_calligraphic_where_l_means_something_else():
    weight = tr.tensor(2.0, name="L")
    cost = weight * weight
    text = derived(tr.trace(cost))
    assert r"\frac{\partial \mathcal{L}}{\partial L}" in text


def test_no_name_can_bring_a_command_along():
    y = tr.tensor(1.0)
    for name in [
        *networks.HOSTILE,
        r"\input{x}",
        "a@b\\end{align*}",
        "a#\\x",
        "^^5c",
        "x" * 10_000,
    ]:
        y = y * tr.parameter(0.5, name=name)
    text = derived(tr.trace(y))
    known = (
        "raggedright noindent textbf par allowdisplaybreaks begin end frac partial cdot left right qquad quad "
        "text textbackslash textless textgreater textbar char square dots i langle rangle mathrm underbrace"
    ).split()
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= set(known)
    assert text.isascii()
    assert text.count(r"\end{align*}") == text.count(r"\begin{align*}") == 2
    assert "^^" not in text


# ----- options


def test_at_a_step_only_what_has_run_is_written():
    trace = networks.branching()
    assert r"\textbf{Backward}" not in derived(trace, 2)
    assert set(rows(derived(trace, 1))) == {"a"}
    text = derived(trace, 5)
    assert "After step 5 of" in text
    assert r"(1 of 3 flows so far)" in rows(text)[r"\frac{\partial y}{\partial x}"]
    assert r"\frac{\partial y}{\partial a}" not in rows(text)


def test_without_numbers_there_are_only_symbols():
    text = derived(networks.neuron(), numbers=False)
    assert "0.19" not in text
    assert (
        rows(text)[r"\frac{\partial f}{\partial w_{0}}"]
        == r" = \frac{\partial f}{\partial s} \cdot x_{0}"
    )


def test_a_long_trace_is_cut_to_what_is_nearest_to_the_loss_and_says_so():
    x = tr.tensor(0.5, name="x")
    y = x
    for _ in range(300):
        y = tr.sin(y)
    text = derived(tr.trace(y), most=20)
    assert "The 20 operations nearest to the loss, of 300" in text
    assert len(rows(text)) == 41


def test_a_scope_is_derived_by_itself():
    trace = networks.batch_norm()
    part = part_of(trace, Settings(scope="BatchNorm.normalise"))
    text = derivation_tex(part)
    assert next(iter(rows(text))) == r"\hat{x}"
    assert r"from elsewhere $\mathrm{xc} \in" in text


def test_a_seed_of_many_numbers_is_named_and_not_called_one():
    x = tr.tensor(np.ones((3, 2)), name="x")
    y = x * x
    text = derived(tr.trace(y, seed=np.full((3, 2), 2.0)))
    assert rows(text)[r"\frac{\partial L}{\partial y}"] == r" = \text{the seed cotangent}"


def test_a_chain_and_a_doubling_of_any_length_are_written_without_recursion():
    y = tr.tensor(0.5, name="x")
    for _ in range(3000):
        y = tr.sin(y) * 1.0
    assert "nearest to the loss" in derived(tr.trace(y))


def test_the_same_trace_gives_the_same_bytes():
    assert derived(networks.rnn(3)) == derived(networks.rnn(3))


# ----- as on a blackboard


def test_a_sum_of_which_flows_are_missing_says_so_also_in_numbers():
    w, h = tr.parameter(1.234567891, name="w"), tr.tensor(0.98765, name="x")
    with tr.scope("a"):
        p = tr.tanh(h * w + 1.23456) * tr.exp(h * 1.23456 + 0.98765)
        q = tr.tanh(h * w + 2.23456) * tr.exp(h * 2.23456 + 0.98765)
    text = derivation_tex(part_of(tr.trace(p * q * w), Settings(scope="a")))
    flows = [right for right in rows(text).values() if r"\text{1 more}" in right]
    assert flows
    assert all(re.search(r"\\cdots = [\d.]+$", right) for right in flows)


def test_a_result_is_written_also_where_its_digits_begin_the_formula():
    x = tr.tensor(1.0, name="x")
    assert rows(derived(tr.trace(2 * x)))["L"] == r" = 2 \cdot x = 2 \cdot 1 = 2"
    assert rows(derived(tr.trace(12 * x + 0)))["L"].endswith(" = 12")


def test_one_symbol_means_one_thing_in_an_equation():
    a, b, c = (tr.tensor(v, name=n) for v, n in ((2.0, "a"), (3.0, "b"), (4.0, "c")))
    x = tr.tensor(np.arange(6.0).reshape(2, 3), name="x")
    for y in (a**b + a**c, tr.max(x) * tr.sum(tr.max(x, axis=0))):
        for right in rows(derived(tr.trace(y))).values():
            meant = re.findall(r"(?:where |\\phantom\{\\text\{where \}\}) ?\}? ?(\S+) = ", right)
            assert len(meant) == len(set(meant))
    found = rows(derived(tr.trace(a**b + a**c)))[r"\frac{\partial L}{\partial a}"]
    assert r"\mathrm{base}_{2} = " in found
    assert r"{\mathrm{base}_{2}}^{b - 1}" in found


def test_a_variable_of_a_rule_does_not_take_the_name_of_a_node():
    base, b = tr.tensor(2.0, name="base"), tr.tensor(3.0, name="b")
    found = rows(derived(tr.trace(base**b)))[r"\frac{\partial L}{\partial \mathrm{base}}"]
    assert r"\mathrm{base}_{2} = \begin{cases}" in found


def test_many_inputs_may_have_a_number_among_them():
    first, *others = (tr.tensor(float(k), name=f"x{k}") for k in range(9))
    text = derived(tr.trace(tr.stack([first, 1.0, *others]).sum()))
    assert r"\operatorname{stack}\left(x_{0}, 1, x_{1}, \dots, x_{8}\right)" in text


def recurrent(steps=4):
    rng = np.random.default_rng(2)
    weights, recurrence = (
        tr.parameter(rng.normal(size=(3, n)), name=f"W{letter}")
        for n, letter in ((2, "x"), (3, "h"))
    )
    h = tr.constant(np.zeros(3), name="h")
    for t in range(1, steps + 1):
        x = tr.constant(rng.normal(size=2), name="x")
        with tr.scope("rnn", t=t):
            h = tr.tanh(weights @ x + recurrence @ h)
    return tr.trace((h**2).sum())


def test_states_are_called_as_in_the_figure_over_time():
    found = rows(derived(recurrent()))
    assert list(found)[:4] == ["h_{1}", "h_{2}", "h_{3}", "h_{4}"]
    assert found["h_{1}"].startswith(r" = \tanh\left(W_{x} \, x_{1} + W_{h} \, h\right)")
    assert found["h_{2}"].startswith(r" = \tanh\left(W_{x} \, x_{2} + W_{h} \, h_{1}\right)")


def test_an_elementwise_product_stands_in_brackets_before_a_matrix():
    found = rows(derived(recurrent()))[r"\frac{\partial L}{\partial W_{h}}"]
    assert (
        r"\left(\frac{\partial L}{\partial h_{4}} \odot \left(1 - {h_{4}}^2\right)\right)"
        r" \, {h_{3}}^{\mathsf{T}}"
    ) in found


def test_cases_stand_in_brackets_before_and_behind_a_matrix():
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(4, 3)), name="x")
    one, two = (tr.parameter(rng.normal(size=(3, 3)), name=f"W{k}") for k in (1, 2))
    found = rows(derived(tr.trace((tr.relu(x @ one) @ two).sum())))
    for name in ("x", "W_{1}"):
        text = found[rf"\frac{{\partial L}}{{\partial {name}}}"]
        assert re.search(r"\\left\(\\begin\{cases\}.*\\end\{cases\}\\right\)", text)


def test_a_superscript_does_not_stand_on_another():
    x = tr.tensor(np.ones((2, 2)), name="x")
    for _ in range(2):
        x = x.T @ x
    text = derived(tr.trace((x**2).sum() + x.T.T.sum()))
    assert r"{\left(x^{(3)}\right)}^{2}" in text
    assert r"{\left(x^{(2)}\right)}^{\mathsf{T}}" in text
    assert not re.search(r"\^\{\(\d+\)\}\}?\^", text)
    assert r"\mathsf{T}}}^" not in text


def test_nodes_without_a_name_get_a_letter_that_no_other_has():
    v = tr.tensor(np.ones((2, 2)), name="v")
    text = derived(tr.trace(tr.gelu(v @ v).sum()))
    assert "v_{" not in text
    assert "u_{1}" in text


def test_a_number_of_the_program_is_written_as_a_number():
    q = tr.tensor(np.ones((2, 8)), name="q")
    text = derived(tr.trace((q / np.sqrt(8)).sum()))
    assert r"\frac{q}{\sqrt{8}}" in text
    assert r"\mathrm{constants}" not in text


def test_a_gradient_of_ones_is_not_called_the_number_one():
    e = tr.tensor(np.ones(4), name="e")
    found = rows(derived(tr.trace(e.sum())))
    assert found[r"\frac{\partial L}{\partial e}"] == r" = \mathbf{1} = \left(1, 1, 1, 1\right)"


def test_a_broadcast_bias_is_summed_over_the_axis_along_which_it_was_broadcast():
    x, b = tr.tensor(np.ones((4, 3)), name="x"), tr.parameter(np.ones(3), name="b")
    y = tr.tanh(x + b)
    found = rows(derived(tr.trace(y.sum())))[r"\frac{\partial L}{\partial b}"]
    assert found.startswith(r" = \sum_{\text{axis 0}}\left(")


def test_two_normalisations_have_two_means_and_define_anew_what_changed():
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(4, 3)), name="x")
    gamma, beta = tr.parameter(np.ones(3), name="gamma"), tr.parameter(np.zeros(3), name="beta")
    y = tr.tanh(tr.batch_norm(x, gamma, beta))
    found = rows(derived(tr.trace((tr.batch_norm(y, gamma, beta) * y).sum())))
    means = set(re.findall(r"\\mu_\{v_\{\d\}\}", " ".join(found.values())))
    assert len(means) == 2
    assert not re.search(r"\\mu(?!_)", " ".join(found.values()))
    assert r"g_{\mathrm{mean}} = " in found[r"\frac{\partial L}{\partial x}"]


def test_ones_and_a_number_for_every_element_are_matrices_where_a_matrix_is_due():
    a = tr.tensor(np.eye(3), name="A")
    b = tr.tensor(np.eye(3), name="B")
    found = rows(derived(tr.trace((a @ b).sum())))
    assert found[r"\frac{\partial L}{\partial A}"] == r" = \mathbf{1} \, {B}^{\mathsf{T}}"
    s = tr.tensor(2.0, name="s")
    found = rows(derived(tr.trace(s * a.sum())))
    assert found[r"\frac{\partial L}{\partial A}"] == r" = s \cdot \mathbf{1}"


def computed(formula):
    """The value of a formula, worked out again from the values of its leaves."""
    if not isinstance(formula, Symbol):
        return formula
    if formula.op is None:
        return formula.value
    return formula.op.run([computed(part) for part in formula.args], formula.params)[0]


@pytest.mark.parametrize("network", ["circuit", "neuron", "branching", "batch_norm", "scalar_rnn"])
def test_a_flow_as_it_is_put_on_the_blackboard_comes_to_the_recorded_one(network):
    trace = getattr(networks, network)()
    operations = [i for i in range(len(trace)) if trace.op_of[i] >= 0]
    chain = Chain(trace, operations, notation_of(trace, range(len(trace))))
    checked = 0
    for i in range(len(trace)):
        for edge in trace.timeline.arrivals(i) if i not in chain.nested else ():
            flow, _ = chain.flow(edge)
            wanted = trace.flow(edge).cotangent
            np.testing.assert_allclose(
                np.broadcast_to(computed(flow), np.shape(wanted)), wanted, rtol=1e-12, atol=1e-300
            )
            checked += 1
    assert checked >= 4


def test_a_loop_in_a_time_step_belongs_to_that_time_step():
    h, w = tr.tensor(0.5, name="h"), tr.parameter(0.7, name="w")
    for t in range(1, 4):
        with tr.scope("outer", t=t), tr.scope("inner", t=9):
            h = tr.tanh(w * h)
    assert list(rows(derived(tr.trace(h))))[:2] == ["h_{1}", "h_{2}"]


def test_only_where_something_was_broadcast_the_title_says_what_its_sum_is():
    x, b = tr.tensor(np.ones((4, 3)), name="x"), tr.parameter(np.ones(3), name="b")
    assert "broadcast" in derived(tr.trace((x + b).sum()))
    assert "broadcast" not in derived(tr.trace((tr.softmax(x, axis=1) * x).sum()))
