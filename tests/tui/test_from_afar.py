"""The debugger on a trace whose values lie on a device: it fetches summaries and what is in view, not the arrays."""

import numpy as np
import pytest

import tracer as tr
from ops.devices.interpreting import INTERPRET
from tracer.fetching import SMALL, Distant
from tracer.stats import all_finite, rms, summary

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
