"""The debugger on a trace whose values lie on a device: it fetches summaries and what is in view, not the arrays."""

from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from ops.devices.interpreting import INTERPRET
from tracer.cells.figures import Figures
from tracer.fetching import SMALL, Distant
from tracer.stats import all_finite, rms, summary
from tui.ink import text_of
from tui.views import node
from tui.views.scene import Scene

ROWS, COLUMNS = 64, 80


@pytest.fixture(scope="module")
def trace():
    rng = np.random.default_rng(0)
    assert ROWS * COLUMNS > SMALL
    with tr.device("interpret"):
        x = tr.tensor(rng.normal(size=(ROWS, COLUMNS)).astype("float32"), name="x")
        w = tr.parameter(rng.normal(size=COLUMNS).astype("float32"), name="w")
        h = x * w
        y = tr.relu(h) + h
        loss = tr.mean(y * y)
    found = tr.trace(loss)
    assert found.swept is not None
    return found


def fetched_by(deed):
    before = INTERPRET.fetched
    deed()
    return INTERPRET.fetched - before


def test_a_large_array_is_seen_from_afar_and_a_small_one_is_copied(trace):
    assert type(trace.seen(trace.node_index("h"))) is Distant
    assert type(trace.seen(trace.node_index("w"))) is np.ndarray
    assert type(trace.seen_gradient(trace.node_index("h"))) is Distant


def test_a_summary_from_afar_is_that_of_a_copy_and_fetches_next_to_nothing(trace):
    node = trace.node_index("h")
    far, near = trace.seen(node), np.asarray(trace.storage.held(node).numpy())
    found = None

    def look():
        nonlocal found
        found = summary(far)

    assert fetched_by(look) < 200
    expected = summary(near)
    for name in ("count", "nans", "infs", "zeros"):
        assert getattr(found, name) == getattr(expected, name)
    for name in ("mean", "std", "low", "high", "rms"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-5, atol=1e-7
        )
    np.testing.assert_allclose(rms(far), rms(near), rtol=1e-6)
    assert all_finite(far)


def test_a_window_fetches_the_window_alone(trace):
    far = trace.seen(trace.node_index("h"))
    assert fetched_by(lambda: far[3:8, 10:20]) == 5 * 10 * 4
    np.testing.assert_array_equal(far[3:8, 10:20], np.asarray(far)[3:8, 10:20])
    assert 0 < fetched_by(far.sample) <= 4 * SMALL // 8


@pytest.mark.parametrize("view", ["graph", pytest.param("layers", marks=pytest.mark.slow)])
def test_a_step_fetches_a_fraction_of_one_array(at_desk, trace, view):
    fetched = []

    async def script(desk):
        desk.app.obey(f"view {view}")
        desk.app.obey("select h")
        await desk.look()
        for _ in range(trace.timeline.last):
            before = INTERPRET.fetched
            desk.app.obey("next")
            await desk.look()
            fetched.append(INTERPRET.fetched - before)

    at_desk(trace, script)
    # some samples of 512 elements, some windows and summaries
    assert max(fetched) < ROWS * COLUMNS * 4
    assert sum(fetched) < len(fetched) * ROWS * COLUMNS * 2


@pytest.mark.slow
def test_the_screen_shows_the_numbers_of_the_cpu(at_desk, trace):
    shown = []

    async def script(desk):
        desk.app.obey("end")
        desk.app.obey("select h")
        screen = await desk.look()
        shown.append([line for line in screen.splitlines() if "h[0,0] = " in line])

    for each in (trace, trace.on_host()):
        at_desk(each, script)
    assert shown[0]
    assert shown[0] == shown[1]


def test_the_node_pane_says_what_ran_it(at_desk, trace):
    async def script(desk):
        desk.app.obey("end")
        desk.app.obey("select h")
        assert "CUDA, interpreted" in await desk.look()

    at_desk(trace, script)


def test_the_trace_as_text_fetches_heads_and_summaries(trace):
    from tui import text

    shown = []
    assert fetched_by(lambda: shown.append(text.show(trace, "far"))) < ROWS * COLUMNS * 4
    assert fetched_by(lambda: text.show(trace.on_host(), "far")) >= 0
    here = text.show(trace.on_host(), "far").splitlines()
    numbers = [line for line in shown[0].splitlines() if line.lstrip().startswith("2  h")]
    assert numbers
    assert numbers[0] in here


def test_a_document_for_other_programs_has_the_summaries_of_large_arrays(trace):
    from tui.document import document

    shown = []
    assert fetched_by(lambda: shown.append(document(trace, "far"))) < ROWS * COLUMNS * 4
    here = document(trace.on_host(), "far")
    w = trace.node_index("w")
    for number in ("value", "gradient", "state"):
        assert shown[0]["nodes"][w][number] == here["nodes"][w][number]
    assert set(shown[0]["nodes"][trace.node_index("h")]["value"]) == {"summary"}


def test_where_we_are_is_told_from_afar(trace):
    from tui.views.whereabouts import moment

    end, node = trace.timeline.last, trace.node_index("h")
    rows = []
    assert fetched_by(lambda: rows.extend(moment(trace, end, node))) < ROWS * COLUMNS
    here = moment(trace.on_host(), end, node)
    assert rows[:3] == here[:3]
    assert rows[2] == ("", "h = [0.126 −0.132 …] · [−0.767 −0.696 …]")


def by_copies(g, out, x):
    return 2 * np.asarray(g) * np.asarray(x)


@pytest.fixture(scope="module")
def pulled_on_copies():
    @tr.primitive(vjps={"x": by_copies}, parts=lambda x: x * x, name="squared_for_a_pane")
    def square(x):
        return np.square(x)

    x = tr.tensor([1.0, 2.0, 3.0], name="x", device="interpret")
    y = square(x)
    return tr.trace(y.sum())


def pane(trace, position):
    scene = replace(Scene(trace, position, 0, Figures(trace)), selected=trace.node_index("y"))
    return [text_of(line).rstrip() for line in node.lines(scene, 60)]


def test_the_node_pane_says_what_ran_the_flows_once_they_ran_where_it_is_another(pulled_on_copies):
    before, after = (pane(pulled_on_copies, p) for p in (2, pulled_on_copies.timeline.last))
    for shown in (before, after):
        assert "kernels   CUDA, interpreted" in shown
    flows = "  flows   numpy, on copies from the device"
    assert flows not in before
    assert after[after.index("kernels   CUDA, interpreted") + 1] == flows


def test_show_counts_the_flows_that_numpy_ran_on_copies(pulled_on_copies):
    from tui import text
    from tui.document import document

    said = "2 operations by CUDA kernels, the flows of 1 by numpy on copies · all"
    assert said in text.show(pulled_on_copies, "pulled")
    assert "numpy" not in text.show(pulled_on_copies, "pulled", position=2)
    nodes = document(pulled_on_copies, "pulled")["nodes"]
    assert [(n["kernels"], n["flow_kernels"]) for n in nodes] == [
        (None, None),
        ("interpret", "host"),
        ("interpret", "interpret"),
    ]
