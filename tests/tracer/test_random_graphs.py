"""Facts that hold on every graph, tried on random ones: a few by default, hundreds under the mark `slow`."""

import numpy as np
import pytest

import tracer as tr
from tracer.debugger import Debugger

UNARY = [
    tr.tanh,
    tr.sigmoid,
    tr.relu,
    tr.exp,
    tr.square,
    tr.neg,
    tr.softmax,
    lambda x: x.sum(axis=-1, keepdims=True),
]
BINARY = [
    tr.add,
    tr.sub,
    tr.mul,
    tr.maximum,
    lambda x, y: x @ y.T @ y,
    lambda x, y: tr.where(x > y, x, y),
]


def random_trace(seed):
    """A graph of 5 to 40 operations on (2, 3) arrays, with values used many times, and some that lead nowhere."""
    rng = np.random.default_rng(seed)
    with tr.record():
        nodes = [tr.tensor(rng.normal(size=(2, 3)) * 0.5, name=f"x{k}") for k in range(3)]
        nodes.append(tr.constant(rng.normal(size=3), name="c"))
        for k in range(rng.integers(5, 40)):
            with tr.scope("step", t=k // 5):
                x, y = (nodes[i] for i in rng.integers(0, len(nodes), size=2))
                if rng.random() < 0.5:
                    made = UNARY[rng.integers(len(UNARY))](x)
                else:
                    made = BINARY[rng.integers(len(BINARY))](
                        x if x.ndim == 2 else nodes[0], y if y.ndim == 2 else nodes[1]
                    )
                nodes.append(tr.tanh(made + nodes[2]))
        loss = (nodes[-1] * nodes[-2]).mean()
        loss.backward()
        return tr.trace(loss), {node.name: node.grad for node in nodes[:3]}


def assert_facts(seed, tmp_path):
    trace, gradients = random_trace(seed)
    timeline = trace.timeline
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(trace.gradient(name), gradient)

    running = {}
    for position in range(timeline.last + 1):
        edge = timeline.flow_at(position)
        if edge is not None:
            flow = trace.flow(edge)
            before = running.get(flow.input)
            running[flow.input] = flow.cotangent if before is None else before + flow.cotangent
            np.testing.assert_array_equal(
                timeline.gradient(position, flow.input), running[flow.input]
            )
        after = timeline.next_boundary(position)
        assert after > position or position == timeline.last
        assert timeline.previous_boundary(after) <= position
    for node, total in running.items():
        np.testing.assert_array_equal(total, trace.gradient(node))
        assert timeline.status(timeline.last, node).state == "final"

    debugger = Debugger(trace)
    stops = [debugger.position]
    while debugger.position < timeline.last:
        debugger.next()
        stops.append(debugger.position)
    for stop in reversed(stops[:-1]):
        debugger.previous()
        assert debugger.position == stop

    path = tmp_path / f"{seed}.trace"
    trace.save(path)
    loaded = tr.load(path)
    again = trace.replay({"x0": trace.value("x0")})
    for k in range(len(trace)):
        np.testing.assert_array_equal(loaded.value(k), trace.value(k))
        np.testing.assert_array_equal(again.value(k), trace.value(k))
        for other in (loaded, again):
            found, expected = other.gradient(k), trace.gradient(k)
            assert (found is None) == (expected is None)
            if expected is not None:
                np.testing.assert_array_equal(found, expected)
    assert loaded.labels == trace.labels


@pytest.mark.parametrize("seed", range(4))
def test_sweep_timeline_debugger_file_and_replay_agree_on_random_graphs(seed, tmp_path):
    assert_facts(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 300))
def test_sweep_timeline_debugger_file_and_replay_agree_on_many_random_graphs(seed, tmp_path):
    assert_facts(seed, tmp_path)
