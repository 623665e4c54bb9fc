"""What README.md and docs/ show runs and prints what they say.

The fenced blocks of one file run in order, in one empty folder:

- ```python runs, all blocks of the file in one namespace; ```python NAME and ```latex NAME are written to that file.
- ```console runs its lines that begin with `$ gradstep`; such a command exits with 0, or with N where
  `# exit status N` ends its line. Lines below it are what it prints.
- ```text right after a python block is what that block prints.

Printed lines must occur in the shown order; `...` stands for any number of lines. Other blocks are not run.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[ ]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATUS = re.compile(r"# exit status (\d)\s*$")
RUN_COMMAND = "import sys; from tui.cli import main; sys.exit(main())"


class Block(NamedTuple):
    """A fenced block: its language, the rest of its opening line, its text, and the line of the page it starts on."""

    language: str
    title: str
    text: str
    line: int


def blocks_of(page: str) -> Iterator[Block]:
    for match in FENCE.finditer(page):
        language, title, text = match.groups()
        yield Block(language, title, text, page.count("\n", 0, match.start(3)) + 1)


def commands_of(block: Block) -> Iterator[tuple[list[str], int, str]]:
    """Of a console block, each gradstep command: its arguments, exit status and printed text."""
    for chunk in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = chunk.partition("\n")
        status = STATUS.search(command)
        words = shlex.split(command, comments=True)
        if words[0] == "gradstep":
            yield words[1:], int(status[1]) if status else 0, printed


def missing_line(shown: str, printed: str) -> str | None:
    """The first shown line that does not follow the ones before it in what was printed."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    for line in map(str.rstrip, shown.strip("\n").splitlines()):
        if line.strip() != "..." and line not in lines:
            return line
    return None


def run_python(block: Block, namespace: dict[str, Any], source: Path) -> str:
    """Run a block as part of the file `source`, on the lines that it has on the page; return what it prints."""
    written = source.read_text().splitlines() if source.exists() else []
    written += [""] * (block.line - 1 - len(written))
    source.write_text("\n".join([*written, block.text]))
    code = compile("\n" * (block.line - 1) + block.text, str(source), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, namespace)
    return printed.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_page_shows_runs_and_prints_that(page, python, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    ran = 0
    for block in blocks_of(page.read_text(encoding="utf-8")):
        where = f"{page.name}:{block.line}"
        match block.language, block.title:
            case "python", "":
                printed = run_python(block, namespace, tmp_path / f"{page.stem}.py")
                ran += 1
            case "python" | "latex", name:
                (tmp_path / name).write_text(block.text, encoding="utf-8")
            case "text", _ if printed:
                assert missing_line(block.text, printed) is None, f"{where} prints\n{printed}"
            case "console", _:
                for arguments, status, shown in commands_of(block):
                    done = python("-c", RUN_COMMAND, *arguments)
                    told = f"{where} gradstep {shlex.join(arguments)}\n{done.stdout}{done.stderr}"
                    assert done.returncode == status, told
                    assert missing_line(shown, done.stdout) is None, told
                    ran += 1
    assert ran, f"{page.name} shows nothing that runs"


def test_a_page_is_cut_into_blocks_and_commands():
    page = "One\n```console\n$ gradstep check xor   # exit status 1\nok\n$ ls\n```\n\n```python a.py\nx = 1\n```\n"
    console, script = blocks_of(page)
    assert list(commands_of(console)) == [(["check", "xor"], 1, "ok\n")]
    assert script == Block("python", "a.py", "x = 1\n", 9)


def test_a_line_that_was_not_printed_is_found():
    assert missing_line("a\n...\nc\n", "a\nb\nc  \n") is None
    assert missing_line("a\nx\n", "a\nb\n") == "x"
    assert missing_line("b\na\n", "a\nb\n") == "a"
