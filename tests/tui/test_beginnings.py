"""Running again reads the gallery as it is by then: also what a network is built by, and what its room lists."""

from __future__ import annotations

import shutil

import pytest

BEFORE = """
import os, pathlib, time
import gallery
from gallery import GALLERY, SECTIONS
from tui.targets import ScriptError, resolve

home = pathlib.Path(gallery.__file__).parent
assert home.parent == pathlib.Path.cwd()

def edit(file, old, new):
    text = (home / file).read_text()
    assert old in text
    (home / file).write_text(text.replace(old, new))
    soon = time.time() + 10
    os.utime(home / file, (soon, soon))
"""


@pytest.fixture
def edited(python, checkout, tmp_path):
    """Run lines in a process whose gallery may be edited; what it prints."""
    skipped = shutil.ignore_patterns("pictures", "tours", "__pycache__")
    shutil.copytree(checkout / "gallery", tmp_path / "gallery", ignore=skipped)

    def run(lines):
        done = python("-c", BEFORE + lines, first=(tmp_path,))
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


def test_an_entry_that_its_module_keeps_in_a_tuple_is_built_anew(edited):
    lines = """
target = resolve("activations:relu")
print(target.trace.value("z").size)
edit("activations/entries.py", "reach, 21)", "reach, 41)")
print(target.again().trace.value("z").size, GALLERY["activations:relu"].build().shape)
"""
    assert edited(lines) == ["21", "41", "()"]


def test_a_variant_is_built_anew_when_what_it_imports_has_been_edited(edited):
    lines = """
target = resolve("lstm:fused")
before = target.trace.value(target.trace.loss)
edit("recurrent/carousel.py", "0.6, -0.2", "0.9, -0.2")
again = target.again()
print(before != again.trace.value(again.trace.loss), again.network.entry is GALLERY["lstm:fused"])
print(any(again.network.entry is each for each in SECTIONS["Recurrent networks"]))
"""
    assert edited(lines) == ["True", "True", "True"]


def test_a_module_that_cannot_be_read_leaves_the_gallery_as_it_was(edited):
    lines = """
target, count = resolve("lstm:fused"), len(GALLERY)
edit("recurrent/carousel.py", "STEPS = ", "STEPS = = ")
try:
    target.again()
except ScriptError as failure:
    print(type(failure.error).__name__, len(GALLERY) == count)
print(resolve("lstm:fused").title)
edit("recurrent/carousel.py", "STEPS = = ", "STEPS = ")
print(target.again().title)
"""
    assert edited(lines) == ["SyntaxError", "True", "lstm:fused", "lstm:fused"]


def test_an_entry_that_somebody_has_added_stays(edited):
    lines = """
import dataclasses
mine = GALLERY["mine"] = dataclasses.replace(GALLERY["circuit"], name="mine")
target = resolve("activations:relu")
edit("activations/entries.py", "reach, 21)", "reach, 41)")
print(target.again().trace.value("z").size, GALLERY["mine"] is mine)
"""
    assert edited(lines) == ["41", "True"]


def test_nothing_is_read_again_where_nothing_was_edited(edited):
    lines = """
entry = GALLERY["activations:relu"]
print(resolve("activations:relu").again().network.entry is entry)
"""
    assert edited(lines) == ["True"]
