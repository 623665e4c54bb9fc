"""The operations that load on first use: the lists are complete, and asking for a name is all that it takes."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import ops
import tracer as tr
from ops import PRIMITIVES
from ops.catalogue import MODULES, PUBLIC


def test_every_listed_name_is_there():
    for name, module in MODULES.items():
        found = importlib.import_module(module)
        assert hasattr(found, name) or (name not in PUBLIC and name in PRIMITIVES), name


def test_every_primitive_of_a_listed_module_is_listed():
    lazy = set(MODULES.values())
    for op in PRIMITIVES.values():
        module = op.home.rpartition(".")[0].partition(".<")[0]
        if module in lazy:
            assert MODULES.get(op.name) == module, op.name


def test_every_public_operation_is_a_name_of_tracer():
    for name in PUBLIC:
        assert getattr(tr, name) is getattr(ops, name)
        assert name in dir(tr)


def test_importing_tracer_loads_no_family_of_the_catalogue():
    families = sorted(set(MODULES.values()))
    code = f"import sys, tracer; print([name for name in {families!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("room", ["ops", "tracer"])
def test_names_that_load_on_first_use_are_spelled_out_for_editors(room: str):
    tree = ast.parse(Path(importlib.import_module(room).__file__ or "").read_text(encoding="utf-8"))
    for_editors = next(part for part in tree.body if isinstance(part, ast.If))
    told = {
        (alias.asname, part.module)
        for part in for_editors.body
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
    }
    assert {(name, PUBLIC[name] if room == "ops" else "ops") for name in PUBLIC} <= told
