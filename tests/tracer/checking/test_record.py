"""Reports as JSON: strict, versioned, complete, in one order, and nothing is lost on the way."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

import tracer as tr
from tracer.checking.certified.certificate import Certified
from tracer.checking.diagnosis.causes import Cause
from tracer.checking.judge import AGREE, DISAGREE
from tracer.checking.record import NOT_WRITTEN, as_record
from tracer.checking.report import Element, Report, Row, Rung


def wrong_report():
    """A failing check, with rungs and causes."""
    x = np.array([[1.0, 3.0], [-2.0, 0.5]])
    return tr.verify_function(lambda x: abs(x), lambda g, x: -g * np.sign(x), x)


def test_the_text_is_strict_json_and_reads_back_as_the_record():
    report = wrong_report()
    text = report.to_json()
    assert json.loads(text, parse_constant=pytest.fail) == as_record(report)
    assert text == wrong_report().to_json()


def test_numbers_read_back_to_the_same_bits_and_others_are_named():
    slope = Certified(0.1 + 0.2, 5e-324, "kink", -np.inf, np.nan)
    row = Row("x", (1,), (Element((0,), np.nan, -0.0, slope, AGREE),))
    (found,) = json.loads(Report("check", (row,)).to_json())["rows"][0]["elements"]
    assert found["numerical"]["value"] == 0.1 + 0.2
    assert found["numerical"]["bound"] == 5e-324
    assert (found["hand"], found["numerical"]["left"], found["numerical"]["right"]) == (
        "nan",
        "-inf",
        "nan",
    )
    assert np.copysign(1, found["automatic"]) == -1


@pytest.mark.parametrize("kind", [Report, Row, Rung, Element, Cause, Certified])
def test_every_field_is_written(kind):
    record = as_record(wrong_report())
    row = record["rows"][0]
    element = row["elements"][0]
    written = {
        Report: record, Row: row, Rung: record["rungs"][0], Element: element,
        Cause: row["causes"][0], Certified: element["numerical"],
    }  # fmt: skip
    assert {each.name for each in fields(kind)} - set(NOT_WRITTEN) <= set(written[kind])


def test_what_a_report_says_of_itself_is_written_too():
    report = wrong_report()
    record = as_record(report)
    assert (record["format"], record["version"]) == ("gradstep-report", 1)
    assert (record["outcome"], record["ok"], record["random_seed"]) == ("FAIL", False, 0)
    assert record["summary"] == report.summary
    assert record["rows"][0]["counts"] == {"AGREE": 0, "DISAGREE": 4, "UNDECIDABLE": 0}


def test_a_long_row_is_cut_with_its_count_and_keeps_what_is_wrong():
    fine = Certified(1.0, 1e-12, "smooth", 1.0, 1.0)
    elements = [Element((k,), np.nan, 1.0, fine, AGREE) for k in range(50)]
    elements[40] = Element((40,), np.nan, 2.0, fine, DISAGREE)
    record = as_record(Report("check", (Row("x", (50,), tuple(elements)),)), most=3)["rows"][0]
    assert [each["index"] for each in record["elements"]] == [[0], [1], [40]]
    assert record["left_out"] == 47
    assert record["counts"]["AGREE"] == 49


@pytest.mark.parametrize("make", ["check", "verify"])
def test_the_other_reports_are_written_the_same_way(make):
    x = tr.tensor([1.0, 2.0], name="x")
    trace = tr.trace((x * x).sum())
    report = tr.check(trace) if make == "check" else tr.verify(trace, "dL/dx = 2 * x")
    record = json.loads(report.to_json())
    assert record["ok"] is True
    assert record["rows"][0]["name"]
