"""DOT text to SVG, PNG or PDF by `dot` on the PATH, else by pygraphviz in another process; always in limited time."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from tracer import errors

FORMATS = ("svg", "png", "pdf")
TIME_LIMIT = 30.0
"""Seconds after which the layout is stopped."""
PNG_DPI = 110
_APART = str(Path(__file__).with_name("apart.py"))


def rendered(dot: str, engine: str, format: str, *, time_limit: float = TIME_LIMIT) -> bytes:
    """The picture as bytes of an SVG, PNG or PDF file.

    Raises `GraphvizMissingError` where neither `dot` nor pygraphviz is there, and `DiagramError` when the layout takes
    longer than `time_limit` seconds or Graphviz refuses the text.
    """
    command = _command(engine, format)
    try:
        done = subprocess.run(
            command, input=dot.encode("utf-8"), capture_output=True, timeout=time_limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise errors.DiagramError(
            f"Graphviz did not lay this graph out within {time_limit:g} seconds and was stopped\n"
            "  try: scope=... for one part of the graph, or save it as .dot"
        ) from None
    except OSError as error:
        raise errors.GraphvizMissingError(f"{command[0]} could not be started: {error}") from error
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise errors.DiagramError(
            f"Graphviz made no {format}: {said[-1] if said else 'it said nothing'}"
        )
    return done.stdout


def _command(engine: str, format: str) -> list[str]:
    resolution = f"-Gdpi={PNG_DPI}" if format == "png" else ""  # dpi would crop an SVG
    program = shutil.which("dot")
    if program is not None:
        layout = ["-Kneato", "-n2"] if engine == "neato" else ["-Kdot"]
        return [program, *layout, *([resolution] if resolution else []), f"-T{format}"]
    if _has_pygraphviz():
        engine = "nop2" if engine == "neato" else "dot"
        return [sys.executable, "-P", _APART, format, engine, resolution]
    raise errors.GraphvizMissingError(
        f"a .{format} figure needs Graphviz, which is not here: "
        "install the package graphviz of your system, or pip install pygraphviz"
    )


def _has_pygraphviz() -> bool:
    try:
        return importlib.util.find_spec("pygraphviz") is not None
    except (ImportError, ValueError):
        return False
