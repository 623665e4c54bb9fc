"""What a notebook shows of traces, nodes and tensors: figures, cards, tables, cells; quick, escaped, and optional."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from tests.effort import effort
from tests.tracer.diagrams.networks import batch_norm, branching, neuron
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tests.tracer.diagrams.test_stepper import SCRIPT, hostile
from tracer.diagrams import notebook
from tracer.diagrams.layout import rendering


def text(markup: str) -> str:
    """The words of a piece of markup."""
    bare = re.sub(r"<style>.*?</style>", "", markup, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", bare))).strip()


def no_graphviz(monkeypatch):
    monkeypatch.setattr(rendering.shutil, "which", lambda name: None)
    monkeypatch.setattr(rendering, "_has_pygraphviz", lambda: False)


# ----- traces


@needs_graphviz
def test_a_trace_shows_its_figure_with_its_size_and_its_loss():
    shown = neuron()._repr_html_()
    assert "<svg" in shown
    assert text(shown).startswith("13 nodes, 20 steps, f = 0.7311 ")
    assert "−0.20" in shown


@needs_graphviz
def test_a_trace_is_drawn_once_for_all_formats_of_a_notebook(monkeypatch):
    trace, calls = branching(), []
    draw = notebook.trace_figure
    monkeypatch.setattr(notebook, "trace_figure", lambda trace: calls.append(1) or draw(trace))
    assert trace._repr_svg_() in trace._repr_html_()
    assert calls == [1]


def test_without_graphviz_a_trace_shows_a_table_of_its_layers(monkeypatch):
    no_graphviz(monkeypatch)
    trace = tr.trace(tr.sum(tr.nn.Sequential(tr.nn.Linear(2, 3), tr.relu)([[1.0, 2.0]])))
    assert trace._repr_svg_() is None
    shown = text(trace._repr_html_())
    assert "layer operations output type sequential 2 relu@4 f64[1×3]" in shown
    assert re.search(r"nodes, \d+ steps", shown)


def test_a_stepper_without_graphviz_leaves_the_place_to_its_text(monkeypatch):
    no_graphviz(monkeypatch)
    cell = neuron().stepper()
    assert cell._repr_html_() is None
    assert "trace.debug()" in repr(cell)


@needs_graphviz
def test_a_stepper_is_a_sandboxed_frame_that_takes_the_settings_of_a_diagram():
    cell = batch_norm().stepper("outline", scope="BatchNorm")
    assert cell.diagram.style == "outline"
    assert cell._repr_html_().startswith("<iframe ")
    assert 'sandbox="allow-scripts"' in cell._repr_html_()


def test_a_trace_without_a_loss_is_a_table_too():
    shown = text(replace(neuron(), loss=-1, seed=None)._repr_html_())
    assert shown.startswith("13 nodes, 8 steps layer")


def test_a_node_of_a_large_trace_is_shown_with_no_more_effort_than_it_is_frozen():
    def chain(length):
        y = tr.tensor(1.0, name="x")
        for _ in range(length):
            y = y * 1.00001 + 0.1
        return y

    def frozen(y):
        trace = tr.trace(y)
        trace.gradient("x")
        assert trace.labels
        return trace

    assert neuron()._repr_html_()  # what is imported on first use counts for neither
    frozen(chain(2))
    few, many = chain(100), frozen(chain(3_000))
    of_freezing = effort(lambda: frozen(few)) / 100
    assert effort(many._repr_html_) / 3_000 < of_freezing
    assert len(many._repr_html_()) < 50_000


# ----- nodes


def test_a_node_shows_its_formula_its_numbers_and_its_flows():
    trace = branching()
    shown = text(trace["x"]._repr_html_())
    assert shown.startswith("x f64 input 1.5")
    assert "flows in from y ∂L/∂y 1 a ∂L/∂a · x 0.1294 a" in shown
    assert shown.count("∂L/∂") == 3
    shown = text(trace["a"]._repr_html_())
    assert shown.startswith("a = x · x f64 mul 2.25")
    assert "flows out to x ∂L/∂a · x" in shown
    assert re.search(r" networks\.py:\d+ a = x \* x$", shown)


def test_a_node_without_a_final_gradient_says_why():
    shown = text(batch_norm()["target"]._repr_html_())
    assert "⊘ gradient blocked (constant)" in shown


# ----- tensors


def test_a_tensor_shows_value_above_gradient_with_its_name_and_type():
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    assert text(x._repr_html_()) == "x f64[2×2] input 1 2 3 4 no gradient yet"
    tr.sum(x * x).backward()
    rows = re.findall(r"<tr>(.*?)</tr>", x._repr_html_())
    assert [text(row) for row in rows] == ["1 2", "2 4", "3 4", "6 8"]
    assert ['class="v"' in row for row in rows] == [True, False, True, False]


def test_an_inner_value_is_named_by_its_assignment():
    x = tr.tensor(2.0, name="x")
    y = x * x
    assert text(y._repr_html_()) == "y f64 mul 4 no gradient yet"


def test_a_parameter_shows_its_current_leaf():
    w = tr.parameter(2.0, name="w")
    w -= 0.5
    assert text(w._repr_html_()) == "w f64 parameter 1.5 no gradient yet"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((0, 3)), "f64[0×3] input empty"),
        (np.arange(24.0).reshape(2, 3, 4), "at [0] 0 1 2 3 4 5"),
        (np.arange(100.0), "0 1 2 3 4 5 … 94 more"),
        (np.arange(100.0).reshape(50, 2), "10 11 … 44 more"),
        ([np.nan, -np.inf, -0.0], "nan −inf −0"),
    ],
)
def test_arrays_of_any_shape_are_shown_in_part(value, words):
    assert words in text(tr.tensor(value)._repr_html_())


def test_showing_a_value_is_no_look_that_a_replay_would_guard():
    x = tr.tensor(2.0, name="x")
    y = x * x
    y._repr_html_()
    assert tr.trace(y).guards == ()


# ----- all of them


def test_hostile_names_are_escaped():
    trace = hostile()
    tensor = tr.tensor(1.0, name=SCRIPT)
    shown = [trace._repr_html_(), tensor._repr_html_(), *(node._repr_html_() for node in trace)]
    for markup in shown:
        assert "<script" not in markup
        assert "<img" not in markup


def test_the_module_is_loaded_only_when_something_is_shown(python):
    code = (
        "import sys, tracer as tr; x = tr.tensor(2.0); t = tr.trace(x * x); repr(t), repr(x);"
        "assert not any(name.startswith('tracer.diagrams') for name in sys.modules)"
    )
    assert python("-c", code).returncode == 0


def test_ipython_takes_the_markup():
    formatters = pytest.importorskip("IPython.core.formatters")
    data, _ = formatters.DisplayFormatter().format(neuron())
    assert {"text/plain", "text/html"} <= set(data)


def test_a_figure_is_as_wide_as_its_cell_and_pairs_of_rows_stand_apart():
    page = notebook.tensor_html(tr.parameter(np.ones((2, 2)), name="w"))
    assert "svg{display:block;max-width:100%;height:auto}" in page
    assert "tr:has(td.g)+tr td{padding-top:" in page
