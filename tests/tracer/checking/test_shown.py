"""Reports at the prompt and in a notebook: the report itself, not its fields."""

from __future__ import annotations

import pytest

import tracer as tr


def traced(factor=1.0):
    x, w = tr.tensor([1.0, -2.0], name="x"), tr.parameter([0.5, 3.0], name="w")
    return tr.trace(tr.sum(tr.tanh(x * w) * factor))


REPORTS = {
    "check": lambda: tr.check(traced()),
    "verify": lambda: tr.verify(traced(), "dL/dw = x * (1 - np.tanh(x * w)**2) * 2"),
    "health": lambda: tr.health(traced()),
    "compare": lambda: tr.compare(traced(), traced(2.0)),
}


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_a_report_is_shown_as_what_it_prints(made):
    report = made()
    assert repr(report) == str(report)
    html = report._repr_html_()
    assert html.startswith("<pre ")
    assert html.endswith("</pre>")
    assert "Row(" not in repr(report)


def test_the_page_in_a_notebook_marks_what_is_wrong_and_escapes_what_was_written():
    html = REPORTS["verify"]()._repr_html_()
    assert "FAIL</span>" in html
    assert "color:" in html
    assert "<lambda>" not in tr.check(lambda x: tr.tanh(x), [[0.5]])._repr_html_()
