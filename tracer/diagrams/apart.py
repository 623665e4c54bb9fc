"""Draws a figure with pygraphviz: a script of its own, run in another process, where it can be stopped.

Usage: `python apart.py FORMAT ENGINE [ARGS]`, the DOT text on standard input, the file on standard output.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> None:
    """Read DOT text, write the figure."""
    pygraphviz = import_module("pygraphviz")  # optional: an extra
    file_format, engine, args = (*sys.argv[1:], "")[:3]
    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
    sys.stdout.buffer.write(graph.draw(format=file_format, prog=engine, args=args))


if __name__ == "__main__":
    main()
