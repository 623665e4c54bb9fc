"""Routes: counted without listing, listed where they are few, and valued so that they add up to the gradient."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import batch_norm, branching, highway, residual, rnn
from tracer.insight.routes import (
    MOST_COUNTED,
    Meeting,
    contribution,
    meetings,
    routes_between,
    routes_from_loss,
    slope,
)


def doublings(count: int) -> tr.Trace:
    y = tr.tensor(1.0)
    for _ in range(count):
        y = y + y
    return tr.trace(y)


@pytest.mark.parametrize("build", [branching, residual, highway, batch_norm, lambda: rnn(3)])
def test_over_all_routes_to_a_node_the_contributions_add_up_to_its_gradient(build):
    trace = build()
    counts = routes_from_loss(trace)
    for node in range(len(trace)):
        if node == trace.loss or not 0 < counts[node] < 50:
            continue
        for met in meetings(trace, node):
            routes = routes_between(trace, met, node)
            assert len(routes) == met.routes
            assert len(set(routes)) == len(routes)
            total = sum(contribution(trace, route) for route in routes)
            np.testing.assert_allclose(total, trace.gradient(node), rtol=1e-10, atol=1e-15)


def test_routes_from_the_loss_are_those_up_to_the_last_meeting():
    trace = batch_norm()
    counts = routes_from_loss(trace)
    for node in range(len(trace)):
        if counts[node] and node != trace.loss:
            assert list(meetings(trace, node))[-1] == Meeting(trace.loss, counts[node])


def test_two_residual_blocks_have_two_routes_to_the_middle_and_four_to_the_end():
    x = tr.tensor(0.5, name="x")
    h = tr.tanh(x) + x
    trace = tr.trace(tr.tanh(h) + h)
    assert [met.routes for met in meetings(trace, trace.node_index("x"))] == [2, 4]


def test_sixty_doublings_have_two_to_the_sixty_routes():
    assert routes_from_loss(doublings(60))[0] == 2**60
    assert [met.routes for met in meetings(doublings(60), 0)][-1] == 2**60


def test_counting_stops_at_a_number_that_says_so():
    trace = doublings(2000)
    assert routes_from_loss(trace)[0] == MOST_COUNTED
    assert list(meetings(trace, 0))[-1].routes == MOST_COUNTED


def test_a_route_through_a_chain_of_fifty_thousand_is_found_and_valued():
    y = tr.tensor(1.0)
    for _ in range(50_000):
        y = y * 1.0
    trace = tr.trace(y)
    (route,) = routes_between(trace, Meeting(trace.loss, 1), 0)
    assert len(route.edges) == 50_000
    assert contribution(trace, route) == 1.0


def test_a_node_that_gets_no_gradient_has_no_routes():
    x = tr.tensor(2.0, name="x")
    with tr.record():
        y = x * x
        trace = tr.trace(y.detach() * x)
    assert routes_from_loss(trace)[trace.node_index("y")] == 0
    assert routes_from_loss(trace)[trace.node_index("x")] == 1


def test_the_slope_of_an_edge_is_the_local_derivative():
    x = tr.tensor(0.5, name="x")
    trace = tr.trace(tr.tanh(x))
    assert slope(trace, 0) == pytest.approx(1 - np.tanh(0.5) ** 2)
