"""Figures of a trace on a device: those of the CPU byte by byte, made from samples, summaries and windows."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from ops.devices.arrays import array
from ops.devices.interpreting import INTERPRET
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tracer import fetching
from tracer import format as short
from tracer.diagrams.numerals import first_numbers, mean_size
from tracer.fetching import Distant
from tracer.formulas import flow_formula, formula
from tracer.traces import Trace

SHAPE = 24, 40
LARGE = 4 * 24 * 40
"""The bytes of a large array."""


@pytest.fixture(autouse=True)
def soon_large(monkeypatch):
    """Arrays of 512 elements count as large, as the interpreter is slow; and no test finds the copies of another."""
    monkeypatch.setattr(fetching, "SMALL", 512)
    monkeypatch.setattr(fetching, "COPIES", fetching.Findings(fetching.COPIES.find, fetching.KEPT))


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.fixture(scope="module")
def layers() -> Trace:
    with tr.device("interpret"):
        x = tr.tensor(numbers(*SHAPE), name="x")
        w = tr.parameter(numbers(SHAPE[1]), name="w")
        with tr.scope("layer"):
            h = x * w
            a = tr.relu(h - 9.0)  # the first elements are 0, so that the root mean square is shown
        y = a + h
        loss = tr.mean(y * y)
    return tr.trace(loss)


@pytest.fixture(scope="module")
def over_time() -> Trace:
    with tr.device("interpret"):
        x = tr.tensor(numbers(*SHAPE), name="x")
        w = tr.parameter(numbers(SHAPE[1]), name="w")
        h = x
        for t in range(3):
            with tr.scope("rnn", t=t):
                h = tr.tanh(h * w)
        loss = tr.mean(h)
    return tr.trace(loss)


def fetched_by(deed):
    before = INTERPRET.fetched
    found = deed()
    return found, INTERPRET.fetched - before


def is_drawn_from_afar(trace, draw):
    """A figure from a device, which is that of the same numbers on the host; it fetches less than one large array."""
    assert trace.swept is not None
    found, fetched = fetched_by(lambda: draw(trace))
    assert found
    assert found == draw(trace.on_host())
    assert fetched < LARGE


@needs_graphviz
@pytest.mark.parametrize(
    "style", ["cards", "outline", "paths", pytest.param("backward", marks=pytest.mark.slow)]
)
def test_figures_of_tensors_fetch_samples_and_summaries(layers, style):
    def draw(trace):
        figure = trace.diagram(style=style)
        return figure.render("svg"), figure.render("txt"), figure.dot

    is_drawn_from_afar(layers, draw)


@needs_graphviz
@pytest.mark.parametrize("style", ["unrolled", "rolled"])
def test_figures_over_time_add_up_flows_on_the_device(over_time, style):
    is_drawn_from_afar(over_time, lambda trace: trace.diagram(style=style).render("svg"))


@needs_graphviz
def test_a_derivation_writes_numbers_without_fetching_arrays(layers):
    is_drawn_from_afar(layers, lambda trace: trace.diagram().render("tex"))


@needs_graphviz
@pytest.mark.slow
def test_every_frame_of_a_stepper_together_fetches_less_than_an_array(layers):
    is_drawn_from_afar(layers, lambda trace: trace.diagram().render("html"))


@needs_graphviz
def test_a_figure_in_the_middle_of_the_backward_pass_has_the_same_partial_sums(over_time):
    step = next(
        p
        for p in range(over_time.timeline.last)
        if over_time.timeline.status(p, over_time.node_index("w")).state == "partial"
    )
    is_drawn_from_afar(over_time, lambda trace: trace.diagram("cards", step).render("svg"))


@needs_graphviz
def test_a_notebook_shows_a_trace_and_its_nodes_by_their_corners(layers):
    is_drawn_from_afar(layers, lambda trace: trace._repr_html_())
    for name in ("h", "x", "w"):
        is_drawn_from_afar(layers, lambda trace, name=name: trace[name]._repr_html_())


def test_a_tensor_in_a_notebook_fetches_the_corner_that_it_shows():
    x = tr.tensor(numbers(3, *SHAPE), name="x", device="interpret")
    shown, fetched = fetched_by(x._repr_html_)
    assert fetched == 6 * 6 * 4
    assert shown == tr.tensor(numbers(3, *SHAPE), name="x")._repr_html_()


def test_formulas_with_numbers_show_the_first_of_each_array(layers):
    node = layers["h"]
    for trace in (layers, layers.on_host()):
        assert formula(trace["h"], numbers=True) == "[0.126 −0.132 …] · [0.126 −0.132 …]"
    sent, fetched = fetched_by(lambda: flow_formula(node, 0, numbers=True))
    assert sent == flow_formula(layers.on_host()["h"], 0, numbers=True)
    assert sent.count("…") == 2
    assert fetched < LARGE / 10


def test_the_health_of_layers_is_judged_on_the_device(over_time):
    found, fetched = fetched_by(lambda: tr.health(over_time))
    here = tr.health(over_time.on_host())
    assert fetched < LARGE
    assert str(found) == str(here)
    assert [row.saturated for row in found.rows] == [row.saturated for row in here.rows]
    assert any(row.saturated for row in found.rows)


def spoilt(**at):
    made = numbers(*SHAPE)
    made.reshape(-1)[:2] = 0
    for value, where in at.items():
        made.reshape(-1)[where] = float(value)
    return made


@pytest.mark.parametrize(
    "here",
    [
        numbers(*SHAPE),
        spoilt(),
        spoilt(nan=[0, 7], inf=[900]),
        spoilt(inf=[1]),
        np.zeros(SHAPE),
        numbers(*SHAPE) > 0,
        np.arange(960).reshape(SHAPE),
    ],
    ids=["floats", "zeros first", "nan and inf", "inf first", "zeros", "truths", "integers"],
)
def test_a_number_says_of_an_array_from_afar_what_it_says_of_a_copy(here):
    far = Distant(array(INTERPRET, here))
    for write in (first_numbers, mean_size, short.elided):
        found, fetched = fetched_by(lambda write=write: write(far))
        assert found == write(here)
        assert fetched < 150
