"""Somebody else's `ops` on the path: the error names its file and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", ["ops/__init__.py", "ops.py"], ids=["package", "module"])
@pytest.mark.parametrize(
    "text", ["", "def mul(a, b): return a * b\n"], ids=["empty", "with-names-of-ours"]
)
def test_a_foreign_ops_is_named_with_its_cure(name, text, python, tmp_path):
    foreign = write(tmp_path / "elsewhere" / name, text)
    done = python("-c", "import tracer", first=(foreign.parents[name.count("/")],))
    assert done.returncode != 0
    last = done.stderr[done.stderr.rindex("Error") :]
    assert str(foreign) in last
    assert "rename" in last


def test_an_ops_folder_beside_the_script_is_named_and_python_P_cures_it(python, tmp_path):
    foreign = write(tmp_path / "project" / "ops" / "__init__.py", "")
    script = write(tmp_path / "project" / "train.py", "import tracer; print(tracer.tensor(2.0))\n")
    refused = python(str(script))
    assert refused.returncode != 0
    assert str(foreign) in refused.stderr
    assert "python -P" in refused.stderr
    cured = python("-P", str(script))
    assert cured.returncode == 0, cured.stderr


def test_a_foreign_ops_that_raises_is_named_too(python, tmp_path):
    foreign = write(tmp_path / "elsewhere" / "ops" / "__init__.py", "import a_library_not_there\n")
    done = python("-c", "import tracer", first=(foreign.parents[1],))
    assert done.returncode != 0
    assert str(foreign) in done.stderr[done.stderr.rindex("Error") :]


def test_a_folder_named_ops_without_python_files_does_no_harm(python, tmp_path):
    write(tmp_path / "elsewhere" / "ops" / "notes.txt", "deployment scripts")
    done = python("-c", "import tracer", first=(tmp_path / "elsewhere",))
    assert done.returncode == 0, done.stderr
