"""DOT text to PNG, PDF or drawing operations: `dot` on the PATH, else pygraphviz apart; always in limited time."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tracer import errors

TIME_LIMIT = 30.0
"""Seconds after which the layout is stopped."""
PNG_DPI = 110
AT_ONCE = 20
"""Pages that one process draws: its start costs as much as several pages."""
_APART = str(Path(__file__).with_name("apart.py"))
_GROUPS = os.name != "nt"
"""Whether a process can be ended together with those that it started."""


def rendered(dot: str, engine: str, format: str, *, time_limit: float | None = None) -> bytes:
    """The picture as bytes of a PNG or PDF file, or of Graphviz's JSON of drawing operations.

    Raises `GraphvizMissingError` where neither `dot` nor pygraphviz is there, and `DiagramError` when the layout takes
    longer than `time_limit` seconds, `TIME_LIMIT` unless told otherwise, or Graphviz refuses the text.
    """
    content = _said(_command(engine, format), format, time_limit, dot.encode("utf-8"))
    if not content:
        raise errors.DiagramError(f"Graphviz made no {format}: it said nothing")
    return content


def rendered_each(dots: Sequence[str], format: str, *, dpi: float = PNG_DPI) -> Iterator[bytes]:
    """Placed pictures as PNG or PDF files, in order; `AT_ONCE` of them by one process, each in limited time.

    Raises what `rendered` raises.
    """
    command = _command("neato", format, dpi)
    if command[0] != sys.executable:
        command.append("-O")  # writes beside each file that it reads
    with tempfile.TemporaryDirectory(prefix="gradstep-") as folder:
        for start in range(0, len(dots), AT_ONCE):
            files = []
            for number, dot in enumerate(dots[start : start + AT_ONCE]):
                files.append(Path(folder, f"{number}.dot"))
                files[-1].write_text(dot, encoding="utf-8")
            _said([*command, *map(str, files)], format, None)
            for file in files:
                yield file.with_suffix(f".dot.{format}").read_bytes()


def _said(command: list[str], format: str, time_limit: float | None, given: bytes = b"") -> bytes:
    """What Graphviz writes to its standard output."""
    if time_limit is None:
        time_limit = TIME_LIMIT
    try:
        # a pipe would be kept twice, and a large figure is 80 MB
        with tempfile.TemporaryFile() as written:
            complaint, status = _ran(command, given, written, time_limit)
            written.seek(0)
            content = written.read()
    except subprocess.TimeoutExpired:
        raise errors.DiagramError(
            f"Graphviz did not lay this graph out within {time_limit:g} seconds and was stopped\n"
            "  try: scope=... for one part of the graph, most=... to fold it, or save it as .dot"
        ) from None
    except OSError as error:
        raise errors.GraphvizMissingError(f"{command[0]} could not be started: {error}") from error
    if status != 0:
        said = complaint.decode("utf-8", "replace").strip().splitlines()
        raise errors.DiagramError(
            f"Graphviz made no {format}: {said[-1] if said else 'it said nothing'}"
        )
    return content


def _ran(
    command: list[str], given: bytes, written: IO[bytes], time_limit: float
) -> tuple[bytes, int]:
    """What a program complains of, and its exit status; however this ends, neither it nor its children live on."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=written,
        stderr=subprocess.PIPE,
        start_new_session=_GROUPS,
    ) as run:
        try:
            complaint = run.communicate(given, timeout=time_limit)[1]
        except BaseException:  # Control-C too: nobody else would stop it
            with contextlib.suppress(ProcessLookupError):
                if _GROUPS:
                    os.killpg(run.pid, signal.SIGKILL)
                else:
                    run.kill()
            raise
    return complaint, run.returncode


def _command(engine: str, format: str, dpi: float = PNG_DPI) -> list[str]:
    # dpi would crop an SVG; without a margin of 0 a PDF has half an inch of paper on each side
    option = {"png": f"-Gdpi={dpi:g}", "pdf": "-Gmargin=0"}.get(format, "")
    program = shutil.which("dot")
    if program is not None:
        layout = ["-Kneato", "-n2"] if engine == "neato" else ["-Kdot"]
        return [program, *layout, *([option] if option else []), f"-T{format}"]
    if _has_pygraphviz():
        engine = "nop2" if engine == "neato" else "dot"
        return [sys.executable, "-P", _APART, format, engine, option]
    raise errors.GraphvizMissingError(
        f"a .{format} figure needs Graphviz, which is not here: "
        "install the package graphviz of your system, or pip install pygraphviz"
    )


def _has_pygraphviz() -> bool:
    try:
        return importlib.util.find_spec("pygraphviz") is not None
    except (ImportError, ValueError):
        return False
