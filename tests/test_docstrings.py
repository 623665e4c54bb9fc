"""Every example in a docstring gives what it shows. Names at hand: those of its module, `tr` and `np`."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("ops", "tracer", "gallery", "tui")
    for file in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


def run(examples: list[doctest.DocTest]) -> tuple[int, str]:
    """How many examples ran, and a report of those that gave something else."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for example in examples:
        runner.run(example, out=report.append)
    return runner.tries, "".join(report)


def examples_of(module: str) -> list[doctest.DocTest]:
    """The examples of a module: of its functions and classes, and of the primitives that it declares."""
    import tracer as tr
    from ops import PRIMITIVES

    home = importlib.import_module(module)
    names = {**vars(home), "np": np, "tr": tr}
    found = doctest.DocTestFinder(exclude_empty=True).find(home, globs=names)
    parser = doctest.DocTestParser()
    declared = [
        parser.get_doctest(one.doc, dict(names), f"{module}.{name}", home.__file__, 0)
        for name, one in PRIMITIVES.items()
        if vars(home).get(name) is one and one.kernel.__module__ == module
    ]
    return [example for example in (*found, *declared) if example.examples]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_give_what_they_show(module):
    ran, report = run(examples_of(module))
    assert not report, report
    assert ran, f"{module} shows an example, but none was found"
