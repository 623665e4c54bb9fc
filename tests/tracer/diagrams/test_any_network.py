"""Facts that hold for the figure of any network: random graphs with random scopes, at random steps."""

from __future__ import annotations

import random
from contextlib import ExitStack

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import texts
from tracer.diagrams import STYLES, diagram
from tracer.diagrams.picture import Gate, Wire

SEEDS = range(24)
OPERATIONS = (
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - b,
    lambda a, b: a * a,
    lambda a, b: 2 * a,
    lambda a, b: tr.tanh(a),
    lambda a, b: tr.maximum(a, b),
)


def network(seed: int) -> tr.Trace:
    """A random graph over scalars: shared values, scopes entered again, time steps in any order, odd names."""
    chance = random.Random(seed)
    pool = [tr.tensor(chance.gauss(0, 1), name="x") for _ in range(3)]
    timed = seed % 3 > 0
    for k in range(chance.randrange(4, 20)):
        with ExitStack() as scopes:
            if timed and chance.random() < 0.8:
                scopes.enter_context(tr.scope("rnn", t=chance.choice([0, 1, 2, k])))
            if chance.random() < 0.5:
                scopes.enter_context(tr.scope(chance.choice(["a", "b", "<c>"])))
            if chance.random() < 0.4:
                make = chance.choice([tr.parameter, tr.constant, tr.tensor])
                pool.append(make(chance.gauss(0, 1), name=chance.choice(["w", "h_1", "\\N"])))
            operation = chance.choice(OPERATIONS)
            pool.append(operation(chance.choice(pool[-5:]), chance.choice(pool)))
    return tr.trace(pool[-1] + pool[0])


def fitting(trace: tr.Trace) -> list[str]:
    over_time = diagram(trace).engine == "neato"
    uses = np.bincount(trace.input_of[trace.edge_flows])
    unfit = {"unrolled": not over_time, "rolled": not over_time, "paths": uses.max() < 2}
    return [style for style in STYLES if not unfit.get(style)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_joins_two_shapes_and_no_shape_is_drawn_twice(seed):
    trace = network(seed)
    for style in fitting(trace):
        picture = diagram(trace, style=style).picture
        keys = [shape.key for shape in picture.every_shape()]
        assert len(set(keys)) == len(keys)
        assert {key for edge in picture.edges for key in (edge.tail, edge.head)} <= set(keys)
        assert {key for rank in picture.abreast for key in rank} <= set(keys)


@pytest.mark.parametrize("seed", SEEDS)
def test_placed_shapes_stand_apart(seed):
    trace = network(seed)
    for style in {"unrolled", "rolled"} & {*fitting(trace)}:
        picture = diagram(trace, style=style).picture
        spots = [shape.at for shape in picture.shapes if isinstance(shape, (Gate, Wire))]
        assert None not in spots
        assert len(set(spots)) == len(spots)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_figure_shows_a_number_that_is_not_there_yet(seed):
    trace = network(seed)
    step = random.Random(seed).randrange(trace.timeline.last + 1)
    for style in fitting(trace):
        for key, words in texts(diagram(trace, style=style, step=step).dot).items():
            if key[0] == "n" and key[1:].isdigit():
                i = int(key[1:])
                there = trace.timeline.gradient(step, i) is not None
                if style not in ("outline", "backward"):  # they show no values
                    assert ("value" in words) == trace.timeline.has_run(step, i)
                if style != "outline":
                    assert ("gradient" in words) == there


@pytest.mark.parametrize("seed", SEEDS)
def test_the_circuit_draws_every_node_and_every_use(seed):
    trace = network(seed)
    picture = diagram(trace, style="circuit").picture
    shapes = {shape.key for shape in picture.every_shape()}
    assert {f"n{i}" for i in range(len(trace))} <= shapes
    into_gates = [edge for edge in picture.edges if edge.head[0] == "g"]
    assert len(into_gates) == int(np.sum(trace.input_of >= 0))
