"""A report as JSON values, for other programs: a schema with a version, strict numbers, and one fixed order.

    {
      "format": "gradstep-report", "version": 1,
      "title", "summary", "outcome", "ok", "faulty", "noun", "random_seed",
      "rows": [ROW], "faults": [ROW], "rungs": [RUNG], "notes": [text],
      "written" (the lines of the derivation)
    }
    ROW      name, shape, verdict, outcome, counts {AGREE, DISAGREE, UNDECIDABLE}, reason, because, wrong, unjudged,
             line, fault, text, inherited, culprit, causes [CAUSE], vacuous, notes, node, worst (ELEMENT or null),
             elements [ELEMENT], left_out (how many elements are not listed)
    ELEMENT  index [numbers, or "direction" and a number], hand, automatic, numerical {value, bound, status, left,
             right, evaluations}, verdict, reason
    CAUSE    kind, text, fix, exact, line
    RUNG     name, made, failed, said, node, label

Numbers are JSON numbers that read back to the same bits; what is not finite is its name, "nan", "inf" or "-inf", and a
number that there is none of (by hand, automatic) is "nan" too. `node` is −1 and `line` 0 where there is none.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from .judge import AGREE, DISAGREE, UNDECIDABLE

if TYPE_CHECKING:
    from .report import Element, Report, Row

FORMAT = "gradstep-report"
VERSION = 1
MOST = 1000
"""Elements listed of one row, at most: those that disagree first, then those that could not be decided."""
NOT_WRITTEN = ("hand",)
"""Fields of a row that are left out: whole arrays."""


def as_record(report: Report, most: int = MOST) -> dict[str, Any]:
    """A report as JSON values; see the head of this module for the schema. most: elements listed of a row, at most.

    >>> from tracer.checking.report import Report
    >>> record = as_record(Report("check tanh", ()))
    >>> record["format"], record["version"], record["outcome"], record["rows"]
    ('gradstep-report', 1, 'PASS', [])
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": report.title,
        "summary": report.summary,
        "outcome": report.outcome,
        "ok": report.ok,
        "faulty": report.faulty,
        "noun": report.noun,
        "random_seed": random_seed(report),
        "rows": [_row(row, most) for row in report.rows],
        "faults": [_row(row, most) for row in report.faults],
        "rungs": [_fields(rung) for rung in report.rungs],
        "notes": list(report.notes),
        "written": report.written,
    }


def as_json(report: Report, most: int = MOST) -> str:
    """A report as JSON text; see `as_record`."""
    return json.dumps(as_record(report, most), allow_nan=False, ensure_ascii=False, indent=1)


def random_seed(report: Report) -> int | None:
    """The random seed that a report says it used; None if it does not say.

    >>> from tracer.checking.report import Report
    >>> random_seed(Report("check", (), ("random seed 7",))), random_seed(Report("check", ()))
    (7, None)
    """
    found = (re.search(r"\brandom seed (\d+)", note) for note in report.notes)
    return next((int(match[1]) for match in found if match), None)


def _row(row: Row, most: int) -> dict[str, Any]:
    shown = _listed(row.elements, most)
    record = _fields(row, without=(*NOT_WRITTEN, "elements"))
    return {
        **record,
        "verdict": row.verdict,
        "outcome": row.outcome,
        "because": row.because,
        "counts": {verdict: row.count(verdict) for verdict in (AGREE, DISAGREE, UNDECIDABLE)},
        "worst": None if row.worst is None else _fields(row.worst),
        "elements": [_fields(element) for element in shown],
        "left_out": len(row.elements) - len(shown),
    }


def _listed(elements: tuple[Element, ...], most: int) -> list[Element]:
    """The elements that are listed, in their order."""
    if len(elements) <= most:
        return list(elements)
    rank = (DISAGREE, UNDECIDABLE, AGREE)
    kept = sorted(range(len(elements)), key=lambda k: (rank.index(elements[k].verdict), k))[:most]
    return [elements[k] for k in sorted(kept)]


def _fields(thing: Any, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of a record, in the order in which they are declared."""
    return {
        each.name: _plain(getattr(thing, each.name))
        for each in fields(thing)
        if each.name not in without
    }


def _plain(value: Any) -> Any:
    """A value as JSON allows it."""
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return _fields(value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
