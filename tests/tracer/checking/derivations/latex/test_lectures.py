"""Derivations as papers and slides print them, verified from end to end; right, and with the mistakes people make."""

from __future__ import annotations

import pytest

import tracer as tr
from tests.tracer.checking.derivations.latex import lectures
from tracer.errors import DerivationError

RIGHT = [
    pytest.param(lectures.batch_norm, lectures.SIX_LINES, 6, id="Ioffe and Szegedy"),
    pytest.param(lectures.batch_norm, lectures.PASTED, 6, id="pasted"),
    pytest.param(
        lambda: lectures.batch_norm(5), lectures.SIX_LINES, 6, id="as many samples as features"
    ),
    pytest.param(lectures.layer_norm, lectures.LAYER_NORM, 3, id="LayerNorm"),
    pytest.param(lectures.classifier, lectures.CROSS_ENTROPY, 7, id="softmax and cross-entropy"),
    pytest.param(lectures.two_layers, lectures.TWO_LAYERS, 6, id="two layers"),
    pytest.param(lectures.two_layers, lectures.EVERY_LAYER, 2, id="any layer"),
    pytest.param(lectures.attention, lectures.ATTENTION, 5, id="attention"),
    pytest.param(lectures.recurrent, lectures.THROUGH_TIME, 7, id="through time"),
    pytest.param(lambda: lectures.recurrent(0), lectures.THROUGH_TIME, 7, id="through time from 0"),
]


@pytest.mark.parametrize(("network", "text", "lines"), RIGHT)
def test_what_the_slides_print_agrees(network, text, lines):
    report = tr.verify(network(), text)
    assert report.ok, report
    assert len(report.rows) == lines


WRONG = [
    pytest.param("{-3/2}", "{-1/2}", 4, "exponent", id="exponent"),
    pytest.param(r"\frac{-1}{2}", r"\frac{1}{2}", 4, "sign", id="sign"),
    pytest.param(
        r"\cdot\frac{2(x_i-\mu_{\mathcal{B}})}{m} +",
        r"\cdot 2(x_i-\mu_{\mathcal{B}}) +",
        9,
        "1/",
        id="1/m",
    ),
    pytest.param(r"\cdot\frac{1}{m} \\", r"\\", 9, "8 times", id="1/m of the mean"),
    pytest.param(r"y_i}\cdot\widehat{x}_i", r"y_i}", 12, "", id="factor"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "cause"), WRONG)
def test_a_mistake_in_the_paper_is_found_in_its_line(right, wrong, line, cause):
    assert right in lectures.SIX_LINES
    report = tr.verify(lectures.batch_norm(), lectures.SIX_LINES.replace(right, wrong))
    assert not report.ok
    assert report.first_wrong.line == line
    assert cause in " ".join(each.text for each in report.first_wrong.causes)


def test_a_path_that_was_forgotten_is_named():
    forgotten = r"""+ \frac{\partial\ell}{\partial\sigma_{\mathcal{B}}^2}
    \cdot\frac{2(x_i-\mu_{\mathcal{B}})}{m} """
    assert forgotten in lectures.SIX_LINES
    report = tr.verify(lectures.batch_norm(), lectures.SIX_LINES.replace(forgotten, ""))
    assert report.first_wrong.name == "dL_dx"
    assert "var" in report.first_wrong.causes[0].text


def test_a_long_wrong_line_is_shown_in_signs():
    report = tr.verify(lectures.batch_norm(), lectures.SIX_LINES.replace("{-3/2}", "{-1/2}"))
    assert "∂ℓ/∂σ_B² = Σᵢ ∂ℓ/∂x̂ᵢ·(xᵢ − μ_B)·(−1)/2(σ_B² + ε)^(−1/2)" in report.first_wrong.text


def test_a_short_wrong_line_is_shown_as_it_was_written():
    text = r"\[ \frac{\partial L}{\partial \beta} = \sum_i  2 \, \frac{\partial L}{\partial y_i} \]"
    report = tr.verify(lectures.batch_norm(), text)
    shown = r"\frac{\partial L}{\partial \beta} = \sum_i 2 \frac{\partial L}{\partial y_i}"
    assert report.first_wrong.text == shown


def test_every_step_of_a_chain_is_judged():
    text = r"\[ \nabla_z L = \hat y - y = \frac{\hat y - y}{N} \]"
    report = tr.verify(lectures.classifier(), text + "% N = 6 is inferred")
    assert [row.verdict for row in report.rows] == ["DISAGREE", "AGREE"]


def test_a_step_of_a_chain_that_names_local_derivatives_is_passed_over():
    text = r"""\[ \frac{\partial L}{\partial b} = \sum_n \frac{\partial L}{\partial z_n} \frac{\partial z_n}{\partial b}
      = \sum_n \frac{\partial L}{\partial z_n} \]"""
    report = tr.verify(lectures.classifier(), text)
    assert report.ok, report
    assert len(report.rows) == 1


def test_a_formula_for_any_step_has_one_row_whatever_the_steps_are_counted_from():
    wrong = lectures.THROUGH_TIME.replace("(1 - h_t^2)", "(1 - h_t)")
    for first in (0, 1):
        report = tr.verify(lectures.recurrent(first, steps=3), wrong)
        assert report.first_wrong.name == "dL_dz[t]"
        assert report.first_wrong.line == 9
        assert {e.index[0] for e in report.first_wrong.elements} == {"t=1", "t=2", "t=3"}


def test_a_truncated_sum_over_time_is_wrong():
    text = lectures.THROUGH_TIME.replace(r"\sum_{t=1}^T", r"\sum_{t=3}^T")
    report = tr.verify(lectures.recurrent(steps=3), text)
    assert report.first_wrong.name == "dL_dW_hh"


def test_a_whole_file_with_a_preamble_and_own_commands_is_read():
    text = r"""\documentclass{beamer}
\usepackage{amsmath}  % \frac{\partial L}{\partial x} = 0
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
\DeclareMathOperator{\relu}{ReLU}
\begin{document}
Let $x \in \mathbb{R}^{4}$ be a batch with $n = 1, \dots, N$. Then
\begin{equation} \label{eq:1}
  \begin{split}
  \pd{L}{z} &= \frac1N \left( \hat{y} - y \right), \nonumber \\[2pt]
  \end{split}
\end{equation}
and \(N = 6\), so that
\begin{eqnarray}
  \pd{L}{W} & = & x^{\top} \pd{L}{z} \tag{2}
\end{eqnarray}
\end{document}
"""
    report = tr.verify(lectures.classifier(), text)
    assert report.ok, report
    assert [(row.line, row.name) for row in report.rows] == [(9, "dL_dz"), (14, "dL_dW")]


JACOBIAN = r"""\[ \frac{\partial L}{\partial z_j}
  = \sum_i \frac{\partial L}{\partial \hat y_i} \hat y_i (\delta_{ij} - \hat y_j) \]"""


def test_a_lone_index_that_could_count_samples_or_classes_is_refused_with_both():
    with pytest.raises(DerivationError, match="could count the first axis or the last") as caught:
        tr.verify(lectures.classifier(), JACOBIAN)
    assert "an index for each axis" in str(caught.value)


@pytest.mark.parametrize("delta", [r"\delta_{ij}", "\\mathbb 1[i = j]"])
def test_the_limit_of_a_sum_says_which_axis_a_lone_index_counts(delta):
    text = JACOBIAN.replace(r"\sum_i", r"\sum_{i=1}^{K}").replace(r"\delta_{ij}", delta)
    assert tr.verify(lectures.classifier(), text).ok


def test_cases_may_hold_equals_signs():
    text = r"""\[ \frac{\partial L}{\partial z_{nk}} = \frac1N
      \begin{cases} \hat y_{nk} - 1 & y_{nk} = 1 \\ \hat y_{nk} & \text{otherwise} \end{cases} \]"""
    assert tr.verify(lectures.classifier(), text).ok


def test_gradients_beyond_the_last_step_are_zero():
    text = r"""\frac{\partial L}{\partial h_T} = h_T \\
      \frac{\partial L}{\partial h_t} = W_{hh}^\top
        \operatorname{diag}(1 - h_{t+1}^2) \frac{\partial L}{\partial h_{t+1}}"""
    assert tr.verify(lectures.recurrent(), text).ok


def test_the_e_of_a_power_is_the_number_though_an_e_was_recorded():
    text = r"""\[ \frac{\partial L}{\partial z_{nk}}
      = \frac1N \left( \frac{e^{z_{nk}}}{\sum_j e^{z_{nj}}} - y_{nk} \right) \]"""
    assert tr.verify(lectures.classifier(), text).ok
