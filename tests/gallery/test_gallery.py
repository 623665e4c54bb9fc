"""Every network of the gallery: it records, its expected numbers come out, its derivation agrees, its knobs turn."""

from __future__ import annotations

import functools
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY, SECTIONS, Entry, compare
from gallery.entry import ORIGINS, OURS, PUBLISHED, TORCH, Fact, as_printed, origins
from gallery.knobs import Knob, settings
from tests.walking import walk
from tracer.diagrams.writers.plain_text import text_drawing
from tui.batch import carry_out
from tui.networks import Network
from tui.session import Session
from tui.sessions import Deed

MOST_NODES = 2_000
"""A network that somebody is to step through has no more."""
SLOW = {"batchnorm_train", "char_rnn", "convnet", "dropout:inverted", "turing_machine"}
"""Their derivations take over two seconds."""
ENTRIES = [pytest.param(entry, id=entry.name) for entry in GALLERY.values()]
DERIVED = [
    pytest.param(entry, id=entry.name, marks=[pytest.mark.slow] * (entry.name in SLOW))
    for entry in GALLERY.values()
    if entry.derivation
]
LED = [pytest.param(entry, id=entry.name) for entry in GALLERY.values() if entry.orders]
KNOBS = [
    pytest.param(entry, knob, id=f"{entry.name}-{knob.name}")
    for entry in GALLERY.values()
    for knob in entry.knobs
]


def network(entry: Entry) -> str:
    """The name that all forms of a network share, by which the tests walk them."""
    return entry.name.partition(":")[0]


@functools.cache
def traced(name: str) -> tr.Trace:
    """The trace of an entry as it stands, built once for all tests."""
    return tr.trace(GALLERY[name].build())


def same(a: tr.Trace, b: tr.Trace) -> None:
    """Two traces of the same nodes and the same values."""
    assert a.labels == b.labels
    for k in range(len(a)):
        np.testing.assert_array_equal(a.value(k), b.value(k))


# ----- what an entry is


@walk("entry", ENTRIES, by=network)
def test_an_entry_records_a_scalar_loss_and_sends_a_gradient_to_every_parameter(entry):
    trace = traced(entry.name)
    assert trace.value(trace.loss).shape == ()
    parameters = [node for node in trace if node.kind in ("parameter", "input")]
    assert parameters
    assert all(np.isfinite(node.gradient).all() for node in parameters)
    assert len(trace) <= MOST_NODES


@walk("entry", ENTRIES, by=network)
def test_an_entry_says_what_it_is_and_where_it_is_from(entry):
    assert GALLERY[entry.name] is entry
    assert re.fullmatch(r"[a-z_0-9]+(:[a-z_0-9]+)?", entry.name)
    assert entry.caption
    assert "\n" not in entry.caption
    assert not entry.caption.endswith(".")
    assert entry.source


def test_every_form_of_a_network_stands_behind_the_network_itself():
    for entries in SECTIONS.values():
        names = [entry.name for entry in entries]
        for k, name in enumerate(names):
            root, colon, _ = name.partition(":")
            assert not colon or root in names[:k]


@walk("entry", ENTRIES, by=network)
def test_source_places_point_into_the_gallery(entry):
    trace = traced(entry.name)
    for node in trace:
        assert node.place is not None
        assert Path(node.place.file).parents[1].name == "gallery"
        assert trace.source_line(node.place).strip()


@walk("entry", ENTRIES, by=network)
def test_two_builds_record_the_same_numbers(entry):
    same(traced(entry.name), tr.trace(entry.build(**entry.settings())))


def test_the_gallery_is_imported_and_built_without_compiling_anything(python):
    """What makes an entry open at once: Numba alone takes longer to load than that."""
    done = python(
        "-c",
        "import sys, gallery, tracer as tr\n"
        "heavy = {'numba', 'scipy', 'textual', 'graphviz', 'tracer.plots.svg'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "for entry in gallery.GALLERY.values():\n"
        "    tr.trace(entry.build()).swept\n"
        "    assert 'numba' not in sys.modules, entry.name\n",
    )
    assert done.returncode == 0, done.stderr


# ----- the numbers expected of it


@walk("entry", ENTRIES, by=network)
def test_every_expected_number_comes_out_at_its_printed_precision(entry):
    """The sources are named by the entries: slides of CS188, Koehn's table 5.1. `test_lectures` has their numbers."""
    rows = compare(entry, traced(entry.name))
    assert len(rows) == len(entry.values) + len(entry.gradients) + len(entry.facts)
    assert [row for row in rows if not row.agrees] == []
    assert tuple(row.origin for row in rows) == origins(entry)
    assert set(origins(entry)) <= set(ORIGINS)
    assert set(entry.ours) <= {*entry.values, *entry.gradients}


@walk("entry", ENTRIES, by=network)
def test_no_number_is_called_published_where_the_note_says_that_there_are_none(entry):
    if re.search("no (numbers|weights)|forms, not numbers", entry.note):
        assert PUBLISHED not in origins(entry)
    if re.search("numbers? of PyTorch|PyTorch's", entry.note):
        assert TORCH in origins(entry)


def test_a_row_says_where_its_number_is_from():
    """Koehn prints the hidden values and from them 1.060; the sum of the exact ones is ours."""
    rows = compare(GALLERY["xor:one_zero"], traced("xor:one_zero"))
    found = {row.printed: row.origin for row in rows}
    assert found["0.731 0.119"] == found["1.060"] == PUBLISHED
    assert found["1.0593"] == OURS
    assert {row.origin for row in compare(GALLERY["lstm"], traced("lstm"))} == {TORCH}


@walk("entry", ENTRIES, by=network)
def test_a_fact_follows_from_the_trace(entry):
    """What can be had without one says nothing of the network: it belongs into a test."""
    for fact in entry.facts:
        with pytest.raises((AttributeError, TypeError), match="NoneType"):
            fact.compute(None)


def test_comparing_names_a_number_that_differs():
    other = traced("circuit").replay({"x": -3.0})
    wrong = [row for row in compare(GALLERY["circuit"], other) if not row.agrees]
    found = {(row.node, row.what): row.recorded for row in wrong}
    assert found["q", "value"] == "2"
    assert found["f", "value"] == "-8"
    assert ("z", "value") not in found


def circuit_with(*facts: Fact) -> Entry:
    """The first circuit with facts of its own."""
    return Entry("mine", GALLERY["circuit"].build, "mine", "mine", facts=facts)


def test_a_fact_is_a_row_and_differs_where_it_does_not_follow_from_the_trace():
    right = Fact("the sum", "3 3.0", lambda trace: [trace.value("q")] * 2)
    wrong = Fact("the product", "-12.1", lambda trace: trace.value("f"))
    rows = compare(circuit_with(right, wrong), traced("circuit"))
    assert [row[:4] for row in rows] == [
        ("the sum", "fact", "3 3.0", "3 3.0"),
        ("the product", "fact", "-12.1", "-12.0"),
    ]
    assert [row.agrees for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("number", "agrees"), [(0.213, True), (0.2294, True), (0.2296, False), (0.1964, False)]
)
def test_a_random_number_agrees_within_four_spreads_and_half_a_unit(number, agrees):
    fact = Fact("std", "0.213", lambda trace: number, spread=lambda: (0.213, 0.004))
    (row,) = compare(circuit_with(fact), traced("circuit"))
    assert row.recorded == f"{number:.3f}(0.213±0.004)"
    assert row.agrees is agrees


def test_a_random_number_is_judged_against_the_mean_of_the_seeds_as_the_printed_one_is():
    """A seed close to the printed number does not make it right where the mean is far from both."""
    fact = Fact("std", "0.213", lambda trace: 0.213, spread=lambda: (0.230, 0.004))
    (row,) = compare(circuit_with(fact), traced("circuit"))
    assert not row.agrees


def test_each_random_number_has_a_spread_of_its_own():
    fact = Fact(
        "std",
        "0.213 2.6e-5",
        lambda _: [0.22, 2.63e-5],
        spread=lambda: ([0.21, 2.6e-5], [0.004, 4e-7]),
    )
    (row,) = compare(circuit_with(fact), traced("circuit"))
    assert row.recorded == "0.220(0.210±0.004) 2.6e-5(2.6e-5±4e-7)"
    assert row.agrees
    short = Fact("std", "0.213", lambda _: [0.213, 0.213], spread=lambda: (0.213, 0.004))
    assert not compare(circuit_with(short), traced("circuit"))[0].agrees


@pytest.mark.parametrize(
    ("number", "printed", "shown"),
    [
        (0.19661, "0.20", "0.20"),
        ([-0.0001, 1.0593], "0.00 1.059", "0.00 1.059"),
        (np.zeros(3), "0.0", "0.0 0.0 0.0"),
        (2.618e-5, "2.6e-5", "2.6e-5"),
        ([6.4e-6, 1.2e-6, 0.0], "6e-6 1e-6 0", "6e-6 1e-6 0"),
        (6.6e-6, "6e-6", "7e-6"),
        (9.96e-6, "1.0e-5", "1.0e-5"),
        (0.0, "1e-6", "0"),
        (1234.5, "1.23e3", "1.23e3"),
        (0.125, "0.13", "0.13"),
        (0.125, "0.12", "0.12"),
        (np.nan, "0.12", "nan"),
        ([3.4, 0.4, 2e-8], "3 0 0", "3.4 0.4 2e-8"),
        (-12 * (1 + 1e-12), "-12", "-12"),
        (2.9999999, "3", "2.9999999"),
        (4.0, "3", "4"),
        (np.nan, "0", "nan"),
    ],
)
def test_rounding_keeps_the_printed_precision_and_gives_no_sign_to_zero(number, printed, shown):
    assert as_printed(number, printed) == shown


# ----- the derivations


@pytest.mark.parametrize("entry", DERIVED)
def test_every_line_of_a_derivation_agrees(entry):
    """Ten layers of 500 units would take minutes: they are verified with ten."""
    narrow = "units" in entry.settings()
    trace = tr.trace(entry.build(units=10)) if narrow else traced(entry.name)
    report = tr.verify(trace, entry.derivation)
    assert report.rows
    assert report.ok, report


# ----- the knobs


@walk("entry", ENTRIES, by=network)
def test_the_knobs_are_the_keywords_of_build_with_the_same_defaults(entry):
    parameters = inspect.signature(entry.build).parameters
    assert {name: parameters[name].default for name in entry.settings()} == entry.settings()
    assert all(one.default is not one.empty for one in parameters.values())
    for knob in entry.knobs:
        assert knob.read(knob.default) == knob.default
        assert knob.meaning
        assert type(knob.default) is type(parameters[knob.name].default)


def other_value(knob: Knob) -> object:
    """Another value that a knob may take: the next one upwards, or downwards from the end of its range."""
    up = knob.beside(knob.default, 1)
    return up if up != knob.default else knob.beside(knob.default, -1)


@walk(("entry", "knob"), KNOBS, by=lambda entry, knob: network(entry))
def test_a_turned_knob_builds_a_network_with_a_finite_loss_and_gradients(entry, knob):
    value = other_value(knob)
    assert value != knob.default
    trace = Network(entry, {knob.name: knob.read(value)}).trace()
    assert np.isfinite(trace.value(trace.loss))
    leaves = [node for node in trace if node.kind in ("parameter", "input")]
    assert all(np.isfinite(node.gradient).all() for node in leaves)


@walk("entry", ENTRIES, by=network)
def test_training_has_no_knob_that_the_network_has_too(entry):
    own = entry.training.knobs if entry.training is not None else ()
    names = [knob.name for knob in entry.every_knob]
    assert len(names) == len(set(names))
    assert settings(own, {}) == {knob.name: knob.read(knob.default) for knob in own}


# ----- what is done with it


@pytest.mark.parametrize("entry", LED)
def test_the_debugger_opens_where_the_entry_wants_it_to(entry):
    session = Session(
        traced(entry.name),
        title=entry.name,
        derivation=entry.derivation,
        network=Network(entry),
    )
    deeds = [Deed(order) for order in entry.orders]
    later: list[str] = []
    failed = carry_out(session, deeds, tell=lambda lines: None, for_screen=later.append)
    assert failed is None
    assert not session.trouble
    assert later == []


@walk("entry", ENTRIES, by=network)
def test_the_figure_is_drawn_as_a_graph_and_in_characters(entry):
    trace = traced(entry.name)
    assert trace.diagram(style=entry.style).render("dot").startswith(b"digraph")
    drawing = text_drawing(trace, width=100)
    assert max(map(len, drawing.splitlines())) <= 100


@walk("entry", ENTRIES, by=network)
def test_a_saved_trace_is_the_same_when_it_is_loaded(entry, tmp_path):
    traced(entry.name).save(tmp_path / "one.trace")
    same(traced(entry.name), tr.load(tmp_path / "one.trace"))
