"""Traces that go to other processes: pickled as the bytes of their files."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from tracer.errors import TraceFileError
from tracer.parcels import Parcel, opened


def recorded() -> tr.Trace:
    rng = np.random.default_rng(0)
    x, w = tr.tensor(rng.normal(size=(3, 4)), name="x"), tr.parameter(rng.normal(size=4), name="w")
    with tr.scope("layer", t=1):
        y = tr.tanh(x * w)
    return tr.trace((y**2).sum())


def test_a_pickled_trace_has_the_same_numbers_names_and_scopes():
    trace = recorded()
    again = pickle.loads(pickle.dumps(trace))
    assert again.labels == trace.labels
    for node in range(len(trace)):
        np.testing.assert_array_equal(again.value(node), trace.value(node))
        np.testing.assert_array_equal(again.gradient(node), trace.gradient(node))
        assert again[node].scope_text == trace[node].scope_text


def test_a_pickled_trace_runs_again():
    again = pickle.loads(pickle.dumps(recorded()))
    assert again.replay({"w": np.zeros(4)}).value(again.loss) == 0


def test_a_trace_that_was_replayed_arrives_with_its_new_numbers():
    changed = recorded().replay({"w": np.ones(4)})
    again = pickle.loads(pickle.dumps(changed))
    np.testing.assert_array_equal(again.gradient("x"), changed.gradient("x"))


def test_an_operation_that_the_other_process_cannot_import_is_named():
    trace = recorded()
    parcel = replace(trace, meta=dict(trace.meta))._parcel
    with pytest.raises(TraceFileError, match="cannot import nowhere_at_all"):
        opened(Parcel(parcel.content, ("nowhere_at_all",)))
