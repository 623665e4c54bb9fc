"""The tour of the gallery says what the entries say and shows their pictures; `python -m gallery.tour` writes it."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import tracer as tr
from gallery import GALLERY, SECTIONS
from gallery.entry import Fact
from gallery.tour import (
    FOLDER,
    HEAD,
    PAGE,
    contents,
    digest,
    digest_of_plots,
    figure,
    prose,
    section,
)

TEXT = PAGE.read_text(encoding="utf-8")
STALE = "gallery/README.md is stale\n  try: python -m gallery.tour"
ENTRIES = [
    pytest.param(
        entry,
        id=entry.name,
        marks=[pytest.mark.slow] if entry.name.startswith("initialization") else [],
    )
    for entry in GALLERY.values()
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_tour_says_what_an_entry_says(entry):
    assert section(entry).rstrip("\n") in TEXT, STALE


def test_the_tour_has_every_entry_in_the_order_of_the_lectures():
    heads = [HEAD.splitlines()[0].removeprefix("# ")]
    for title, entries in SECTIONS.items():
        heads += [title, *(f"`{entry.name}`" for entry in entries)]
    outside = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^#+ (.*)$", outside, re.MULTILINE) == heads, STALE
    assert TEXT.startswith(f"{HEAD}\n{contents()}\n"), STALE


def test_every_picture_of_the_tour_is_there_and_no_other():
    shown = set(re.findall(r"\]\(pictures/tour/(\S+)\)", TEXT))
    there = {path.name for path in FOLDER.iterdir()}
    assert shown == there, STALE
    assert len(shown) > len(GALLERY) / 2


def test_pictures_are_whole_and_small():
    for path in FOLDER.iterdir():
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag.endswith("svg")
        assert root.find("{http://www.w3.org/2000/svg}title").text
    total = sum(path.stat().st_size for path in FOLDER.parent.rglob("*") if path.is_file())
    assert total < 3_500_000


def test_a_changed_number_word_or_figure_makes_it_stale():
    entry = GALLERY["circuit"]
    changed = [
        replace(entry, caption="another caption"),
        replace(entry, values={**entry.values, "q": "4"}),
        replace(entry, facts=(*entry.facts, Fact("q twice", "6", lambda t: 2 * t.value("q")))),
        replace(entry, derivation=entry.derivation + "# more\n"),
        replace(entry, knobs=()),
        replace(entry, build=lambda: entry.build(x=-2.5)),
        replace(entry, style="cards"),
    ]
    for each in changed:
        assert section(each).rstrip("\n") not in TEXT
    assert "4 | 3, differs" in section(changed[1])


def test_the_digest_of_a_figure_is_of_what_it_shows_and_not_of_where():
    entry = GALLERY["xor"]
    trace = tr.trace(entry.build())
    shown = figure(entry, trace).picture
    moved = replace(shown, spread=(1.0, 1.0), direction="down")
    other = figure(entry, trace.replay({"b2": -1.0})).picture
    assert digest(moved) == digest(shown)
    assert digest(other) != digest(shown)


def test_the_digest_of_plots_is_of_their_words():
    plots = GALLERY["xor"].plots(**GALLERY["xor"].settings())
    other = (replace(plots[0], title="another title"), *plots[1:])
    assert digest_of_plots(plots) == digest_of_plots(plots)
    assert digest_of_plots(plots) != digest_of_plots(other)


def test_text_means_itself():
    assert prose("a<t> * W_1 [0]") == r"a&lt;t&gt; \* W\_1 \[0\]"
