"""Every network of the gallery: it records, its published numbers come out, and its source places point into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY, compare
from gallery.entry import as_printed

ENTRIES = [pytest.param(entry, id=entry.name) for entry in GALLERY.values()]
PUBLISHED = [
    pytest.param(entry, what, node, printed, id=f"{entry.name}-{what}-{node}")
    for entry in GALLERY.values()
    for what, table in (("value", entry.values), ("gradient", entry.gradients))
    for node, printed in table.items()
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_records_a_scalar_loss_and_sends_a_gradient_to_every_parameter(entry):
    trace = tr.trace(entry.build())
    assert trace.value(trace.loss).shape == ()
    parameters = [node for node in trace if node.kind in ("parameter", "input")]
    assert parameters
    assert all(np.isfinite(node.gradient).all() for node in parameters)


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_says_what_it_is_and_where_it_is_from(entry):
    assert GALLERY[entry.name] is entry
    assert entry.caption
    assert entry.source


@pytest.mark.parametrize("entry", ENTRIES)
def test_source_places_point_into_the_gallery(entry):
    trace = tr.trace(entry.build())
    for node in trace:
        assert node.place is not None
        assert Path(node.place.file).parents[1].name == "gallery"
        assert trace.source_line(node.place).strip()


@pytest.mark.parametrize("entry", ENTRIES)
def test_two_builds_record_the_same_numbers(entry):
    first, second = tr.trace(entry.build()), tr.trace(entry.build())
    assert first.labels == second.labels
    for k in range(len(first)):
        np.testing.assert_array_equal(first.value(k), second.value(k))


@pytest.mark.parametrize(("entry", "what", "node", "printed"), PUBLISHED)
def test_a_published_number_comes_out_at_its_printed_precision(entry, what, node, printed):
    """The sources are named by the entries: slides of CS188, Koehn's table 5.1."""
    trace = tr.trace(entry.build())
    found = trace.value(node) if what == "value" else trace.gradient(node)
    assert as_printed(found, printed) == printed


def test_the_numbers_of_the_lectures_are_the_ones_compared():
    """LECTURES sections 1 and 2: how many numbers each entry is held to, so that none is dropped in silence."""
    counts = {name: len(entry.values) + len(entry.gradients) for name, entry in GALLERY.items()}
    assert counts["circuit"] == 7
    assert counts["sigmoid_neuron"] == 8 + 13
    assert counts["sigmoid_neuron:one_gate"] == 5 + 10
    assert sum(len(text.split()) for text in GALLERY["xor"].values.values()) == 12
    assert counts["xor:one_zero"] == 4


def test_comparing_names_a_number_that_differs():
    entry = GALLERY["circuit"]
    other = tr.trace(entry.build()).replay({"x": -2.5})
    wrong = [row for row in compare(entry, other) if not row.agrees]
    assert [(row.node, row.what, row.recorded) for row in wrong[:2]] == [
        ("q", "value", "2"),
        ("f", "value", "-10"),
    ]


def test_rounding_keeps_the_printed_decimals_and_gives_no_sign_to_zero():
    assert as_printed(np.float64(0.19661), "0.20") == "0.20"
    assert as_printed(np.array([-0.0001, 1.0593]), "0.00 1.059") == "0.00 1.059"
    assert as_printed(np.zeros(3), "0.0") == "0.0 0.0 0.0"
