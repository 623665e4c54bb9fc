"""The progress: weak spots weigh more, and a file of it is read with suspicion."""

from __future__ import annotations

import json

import pytest

from tracer.quizzing.progress import Progress, Tally, from_text, to_text


def test_what_was_wrong_weighs_more_than_what_is_new_and_that_more_than_what_was_right():
    progress = Progress().after("mul", "flow", right=False).after("add", "value", right=True)
    weights = [
        progress.weight(*spot) for spot in (("mul", "flow"), ("exp", "local"), ("add", "value"))
    ]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == 3


def test_the_weakest_spots_come_first():
    progress = Progress()
    for operation, right in (("mul", True), ("exp", False), ("add", True), ("add", False)):
        progress = progress.after(operation, "flow", right=right)
    assert [spot.operation for spot, _ in progress.weakest] == ["exp", "add", "mul"]
    assert progress.total == Tally(4, 2)


def test_a_file_gives_back_what_was_written():
    progress = Progress().after("mul", "flow", right=False).after("mul", "flow", right=True)
    assert from_text(to_text(progress)) == progress


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "nonsense", '{"answers": 3}', "[" * 5000, "1" * 5000]
)
def test_what_is_no_progress_is_none(text):
    assert from_text(text) is None


@pytest.mark.parametrize(
    "tally", [[1], [1, 2], [-1, -1], [True, True], ["1", "1"], [10**30, 1], None, [1.0, 0.0]]
)
def test_entries_that_make_no_sense_are_left_out(tally):
    text = json.dumps({"answers": {"mul flow": tally, "\x1b[2J x": [1, 1], "add value": [2, 1]}})
    found = from_text(text)
    assert found is not None
    assert [spot.operation for spot in found.tallies] == ["add"]
