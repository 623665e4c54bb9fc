"""Nothing imports upwards. The contracts stand in pyproject.toml, where import-linter reads them too."""

from __future__ import annotations

import ast
import functools
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
LAYERS, *FORBIDDEN = SETTINGS["contracts"]
PACKAGES: list[str] = SETTINGS["root_packages"]


class Import(NamedTuple):
    """One import statement: who imports whom, where, and whether it waits for a call of a function."""

    importer: str
    imported: str
    line: int
    lazy: bool

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported} (line {self.line})"


def imports_of(
    importer: str, tree: ast.AST, *, is_package: bool, lazy: bool = False
) -> Iterator[Import]:
    """Every import below a syntax tree; `from a import b` counts as an import of a and of a.b."""
    for node in ast.iter_child_nodes(tree):
        inside = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                here = importer.split(".")
                kept = here[: len(here) - node.level + is_package]
                source = ".".join([*kept, *filter(None, [source])])
            yield Import(importer, source, node.lineno, lazy)
            for alias in node.names:
                yield Import(importer, f"{source}.{alias.name}", node.lineno, lazy)
        else:
            yield from imports_of(importer, node, is_package=is_package, lazy=inside)


@functools.cache
def all_imports() -> list[Import]:
    """Every import of the four packages, read when the first test asks: half a second."""
    found: list[Import] = []
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            importer = ".".join(parts[:-1] if is_package else parts)
            found += imports_of(importer, ast.parse(file.read_bytes()), is_package=is_package)
    return found


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def excepted(one: Import, contract: dict[str, Any]) -> bool:
    """Whether the contract lists this import; `a.**` covers a itself too, and `b` every name inside b."""
    for line in contract.get("ignore_imports", ()):
        importer, imported = line.split(" -> ")
        from_there = fnmatchcase(one.importer, importer) or one.importer == importer.removesuffix(
            ".**"
        )
        if from_there and within(one.imported, imported):
            return True
    return False


def test_the_four_packages_are_walked():
    assert {one.importer.split(".")[0] for one in all_imports()} == set(PACKAGES)


def test_nothing_imports_a_package_above_its_own():
    layers: list[str] = LAYERS["layers"]
    above = {low: layers[: layers.index(low)] for low in layers}
    upwards = [
        one
        for one in all_imports()
        if any(within(one.imported, high) for high in above[one.importer.split(".")[0]])
    ]
    assert [str(one) for one in upwards if not excepted(one, LAYERS)] == []
    assert upwards, "the listed exception is gone: take it out of pyproject.toml"
    assert all(one.lazy for one in upwards), (
        "debug() must open the terminal from inside the function"
    )


@pytest.mark.parametrize("contract", FORBIDDEN, ids=lambda contract: contract["name"])
def test_a_library_is_imported_only_in_its_room(contract: dict[str, Any]):
    uses = [
        one
        for one in all_imports()
        if any(within(one.importer, source) for source in contract["source_modules"])
        and any(within(one.imported, library) for library in contract["forbidden_modules"])
    ]
    assert [str(one) for one in uses if not excepted(one, contract)] == []


def test_the_gallery_is_written_as_a_user_would_write_it():
    """Gallery code is user code: of ours it imports `tracer`, never the internal `ops`."""
    imported = {
        one.imported.split(".")[0] for one in all_imports() if within(one.importer, "gallery")
    }
    assert imported & set(PACKAGES) <= {"tracer", "gallery"}
