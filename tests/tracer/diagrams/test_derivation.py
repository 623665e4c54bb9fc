"""The chain rule as LaTeX: what is written is what ran, in the order of the sweep, and reads as on paper."""

import math
import re
from itertools import pairwise

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams import networks
from tracer.diagrams.algebra.derivation import derivation_tex
from tracer.diagrams.frames import part_of
from tracer.diagrams.settings import Settings
from tracer.lettering import tex_name


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
    assert found[r"\hat{x}"].startswith(r" = \mathrm{xc} \cdot \mathrm{inv\_std}")
    assert found["y"].startswith(r" = \gamma \cdot \hat{x} + \beta")
    assert r"\frac{1}{\sqrt{\mathrm{var} + 10^{-5}}}" in found[r"\mathrm{inv\_std}"]
    assert (
        found[r"\frac{\partial L}{\partial \hat{x}}"]
        == r" = \frac{\partial L}{\partial y} \cdot \gamma"
    )
    assert found[r"\frac{\partial L}{\partial \mathrm{xc}}"] == (
        r" = \underbrace{\frac{\partial L}{\partial \hat{x}} \cdot \mathrm{inv\_std}}_{\text{from }\hat{x}}"
        r" + \underbrace{\frac{\partial L}{\partial \mathrm{var}} \cdot \frac{2 \cdot \mathrm{xc}}{4}}"
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
