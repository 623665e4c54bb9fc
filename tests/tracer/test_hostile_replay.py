"""A trace from a hostile file is run or refused with one clear error, and never exhausts memory or time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from tests.ops.cases import Case, cases_of
from tests.tracer.hostile import LONG, claimed
from tests.walking import walk
from tracer import running
from tracer.cones import Cone
from tracer.formulas import flow_formula
from tracer.replay import parts_trace
from tracer.running import asked_by

OURS = [op for op in PRIMITIVES.values() if op.home.startswith("ops.")]
SLACK = 4
"""Flows and what is saved beside the value: so many times the declared size, or what the inputs imply."""


@walk("op", OURS, by=lambda op: op.name[0], ids=lambda op: op.name)
def test_an_operation_makes_no_more_than_it_says(op):
    """Value, saved numbers, bare flows and parts of every sample, against the declared or implied size."""
    for case in cases_of(op):
        asked = asked_by(op, case.args, case.params)
        held = sum(np.size(x) for x in case.args)
        value, saved = case.run()
        assert np.size(value) <= asked
        assert sum(np.size(x) for x in saved.values()) <= SLACK * asked
        if case.floats:
            g = np.ones_like(value)
            for flow in case.bare_flows(g).values():
                assert np.size(flow) <= asked + held + np.size(value)
        if op.parts and case.floats:
            made = asked_by(op, case.args, case.params, parts=True)
            assert all(np.size(part.value) <= made + held for part in parts_of(case))


def parts_of(case: Case):
    with tr.record() as recorded:
        case.op.parts(*map(as_leaf, case.args), **case.params)
    return recorded.nodes


def as_leaf(x):
    return tr.tensor(x) if hasattr(x, "dtype") else x


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("tampering", "most"),
    [
        ("literals", 1),
        *(pytest.param(name, 99, marks=SLOW) for name in ("files", "params", "shapes", "literals")),
    ],
)
def test_hostile_traces_of_every_operation_are_refused_in_little_memory_and_time(tampering, most):
    """Every parameter, one or two axes, every input made huge; replayed, swept back, and opened into parts.

    most: so many samples of each operation.
    """
    command = [sys.executable, "-m", "tests.tracer.hostile", tampering, str(most)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    *faults, last = done.stdout.splitlines() or [""]
    assert (done.returncode, faults) == (0, []), done.stderr[-2000:]
    assert int(last.split()[0]) >= len(OURS)


# ----- numbers whose shapes contradict each other


def product():
    x = tr.tensor(np.ones((LONG, 1)), name="x")
    y = tr.tensor(np.ones((1, 2)), name="y")
    return tr.trace((x @ y).sum())


def test_a_rule_does_not_run_on_a_value_of_another_shape_than_its_operation_gives(tmp_path):
    """Read as (1, LONG) @ (LONG, 1), the recorded value of (LONG, 2) would be multiplied out with y."""
    trace = product()
    values = [trace.value(k) for k in range(len(trace))]
    values[0], values[1] = values[0].T, np.ones((LONG, 1))
    for k in (0, 1):
        with pytest.raises(tr.errors.ReplayError, match="recorded shape"):
            claimed(trace, storage=type(claimed(trace).storage)(values, [{}] * 4)).flows_from(2)[k]


def test_the_operation_of_a_node_of_a_file_runs_once_before_its_rule(tmp_path, monkeypatch):
    ran = []
    run = running.run_op
    monkeypatch.setattr(running, "run_op", lambda *args: ran.append(args[1]) or run(*args))
    product().save(tmp_path / "run.trace")
    loaded = tr.load(tmp_path / "run.trace")
    assert loaded.gradient("x").shape == (LONG, 1)
    assert ran == []  # the file holds the gradients
    for _ in range(2):
        loaded.flows_from(2)
        loaded.replay({"y": np.zeros((1, 2))}).gradient("x")
    assert ran == [2]


def test_numbers_that_were_recorded_here_need_no_proof(monkeypatch):
    trace = product()
    monkeypatch.setattr(running, "run_op", None)
    assert trace.flows_from(2)[0].cotangent.shape == (LONG, 1)


def test_what_a_kernel_saved_must_be_what_it_saves(tmp_path):
    x = tr.tensor(np.ones((4, 3)), name="x")
    trace = tr.trace(tr.batch_norm(x, np.ones(3), np.zeros(3)).sum())
    node = 3
    kept = [trace.storage.saved(k) for k in range(len(trace))]
    kept[node] = {**kept[node], "mean": np.ones((LONG, 1, 1))}
    values = [trace.value(k) for k in range(len(trace))]
    bad = claimed(trace, storage=type(claimed(trace).storage)(values, kept))
    for action in (
        lambda: bad.flows_from(node),
        lambda: parts_trace(bad, node),
        lambda: Cone(bad, [0], bad.loss),
        lambda: flow_formula(bad[node], 0),
    ):
        with pytest.raises(tr.errors.ReplayError, match="saved other numbers"):
            action()


def test_an_empty_array_of_absurd_sizes_allocates_nothing():
    x = tr.tensor(np.empty((0, 10**12)), name="x")
    trace = tr.trace((x * 2.0).sum())
    total = replace(trace, params=({"axis": 0, "keepdims": False},) * len(trace.params))
    with pytest.raises(tr.errors.ReplayError, match="would make 1,000,000,000,000 numbers"):
        total.replay({"x": np.empty((0, 10**12))})


def test_what_is_large_but_was_recorded_so_runs_again(monkeypatch):
    """Columns of a convolution, and an outer product: many times the inputs, but not of what is recorded."""
    monkeypatch.setattr(running, "ROOM", 0)
    x, y = tr.tensor(np.ones(300), name="x"), tr.tensor(np.ones(300), name="y")
    trace = tr.trace(tr.outer(x, y).sum())
    assert trace.replay({"x": np.zeros(300)}).gradient("y").sum() == 0
    image, w = tr.tensor(np.ones((1, 1, 16, 16)), name="image"), tr.parameter(np.ones((1, 1, 7, 7)))
    trace = tr.trace(tr.conv2d(image, w, padding=3).sum())
    assert parts_trace(trace.replay({"image": np.zeros((1, 1, 16, 16))}), 2).loss > 0
