"""A command and its arguments as data, and the arguments that several commands have. Nothing here needs numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tui.command_line.words import from_file, from_line, seconds, whole


class Argument(NamedTuple):
    """One argument of a command: its flags or its name, its help, and what else argparse wants to know."""

    flags: tuple[str, ...]
    help: str
    more: Mapping[str, Any]

    @property
    def takes_value(self) -> bool:
        """Whether a word of its own follows its flag."""
        return self.more.get("action") != "store_true"


class Command(NamedTuple):
    """What a command is about, an example of it, what does it, and its arguments."""

    about: str
    example: str
    does: str
    """`module:function` of the options, which returns the exit status, or nothing if all is well.

    Its module is loaded when the command is given.
    """
    arguments: tuple[Argument, ...] = ()
    usage: str | None = None


def argument(*flags: str, help: str, **more: Any) -> Argument:
    """An argument, written as for argparse."""
    return Argument(flags, help, more)


TARGET = argument(
    "target",
    metavar="TARGET",
    help="a gallery name, FILE.trace, or script.py[:function]; the function has no arguments and returns a loss",
)
SET = argument(
    "--set",
    action="append",
    metavar="NAME=VALUE",
    help="turn a knob of a network of the gallery, such as factor=1.5; may come several times",
)
"""For every command whose TARGET may be a network of the gallery."""
DEVICE = argument(
    "--device",
    metavar="NAME",
    help="where its values lie: cpu, cuda, or interpret, which runs the CUDA kernels without a GPU (default: cpu)",
)
"""For every command that records a network or a script."""
ORDERS = (
    argument(
        "-x",
        dest="orders",
        action="append",
        type=from_file,
        metavar="FILE",
        help="do the orders in a file first, a line each; - reads them from stdin",
    ),
    argument(
        "-ex",
        dest="orders",
        action="append",
        type=from_line,
        metavar="ORDER",
        help="do this order first, such as 'break xhat if nan(value)'; -x and -ex may come several times",
    ),
    argument(
        "--batch", action="store_true", help="do the orders, print what comes of each, and leave"
    ),
)
JSON = argument("--json", action="store_true", help="one JSON document, for other programs")
STEP = argument("--step", type=whole, metavar="N", help="as it stands after N steps (default: all)")
PAUSE = argument(
    "--pause",
    type=seconds,
    metavar="S",
    help="how long a frame is seen where they play (default: 0.8 seconds)",
)
