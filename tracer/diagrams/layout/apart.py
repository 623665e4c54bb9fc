"""Draws a figure with pygraphviz: a script of its own, run in another process, where it can be stopped.

Usage: `python apart.py FORMAT ENGINE [ARGS [FILE ...]]`: of the DOT text on standard input a picture on standard
output, or of each file one beside it, with the format as a further suffix, as by the option -O of `dot`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Read DOT text, write the figure."""
    pygraphviz = import_module("pygraphviz")  # optional: an extra
    file_format, engine, args = (*sys.argv[1:], "")[:3]

    def drawn(text: bytes) -> bytes:
        graph = pygraphviz.AGraph(string=text.decode("utf-8"))
        content: bytes = graph.draw(format=file_format, prog=engine, args=args)
        return content

    for name in sys.argv[4:]:
        Path(f"{name}.{file_format}").write_bytes(drawn(Path(name).read_bytes()))
    if not sys.argv[4:]:
        sys.stdout.buffer.write(drawn(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
