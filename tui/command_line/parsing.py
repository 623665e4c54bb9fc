"""The words of the command line as options: `argparse`, whose complaints are one sentence and one thing to try."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tui.command_line import COMMANDS
from tui.command_line.arguments import DEVICE
from tui.command_line.stepping import RUN
from tui.statuses import USAGE


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence and one thing to try."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and leave with status 2."""
        self.exit(USAGE, f"{self.prog}: {shown(message)}\n  try: {self.prog} --help\n")


def parser() -> Parser:
    """The commands of the table as argparse wants them."""
    top = Parser(
        prog="gradstep",
        description="A debugger for backpropagation: step through a forward and backward pass in the terminal.",
        epilog="Without a command: pick a network from the gallery. Example: gradstep open circuit",
    )
    top.add_argument("--version", action="store_true", help="print the version and leave")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, command in COMMANDS.items():
        about = command.about[0].upper() + command.about[1:] + "."
        epilog = f"Example: {command.example}"
        made = commands.add_parser(
            name, help=command.about, description=about, epilog=epilog, usage=command.usage
        )
        for one in command.arguments:
            made.add_argument(*one.flags, help=one.help, **one.more)
    return top


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options; `rest` is what belongs to a script or benchmark and is handed on untouched."""
    head, rest = handed_on(argv)
    whole = parser()
    if head and not head[0].startswith("-") and head[0] not in COMMANDS:
        whole.error(no_command(head[0]))
    options, over = whole.parse_known_args(head)
    if over:
        called = f"{whole.prog} {options.command}" if options.command else whole.prog
        said = f"{called}: it takes no {' '.join(over)}\n  try: {called} --help\n"
        whole.exit(USAGE, said)
    if options.command == "run" and not options.script and not options.module:
        whole.exit(USAGE, "gradstep run: which script?\n  try: gradstep run train.py\n")
    options.rest = rest
    return options


def no_command(word: str) -> str:
    """The sentence about a command that does not exist."""
    from difflib import get_close_matches

    close = get_close_matches(word, COMMANDS, n=1)
    options = (
        name for name, one in COMMANDS.items() for a in one.arguments if f"--{word}" in a.flags
    )
    option = next(options, None)
    if close:
        meant = close[0]
    elif option is not None:
        meant = f"gradstep {option} --{word}"
    else:
        meant = f"gradstep open {target}" if (target := to_open(word)) else ""
    return f"no command {word!r}" + (f": did you mean {meant}?" if meant else "")


def to_open(word: str) -> str:
    """What `gradstep open` may be meant to open: that network or file, else a network of a close name; or nothing."""
    from difflib import get_close_matches

    from gallery import GALLERY
    from tui.networks import is_network

    if is_network(word) or Path(word.partition(":")[0]).is_file():
        return word
    return next(iter(get_close_matches(word, GALLERY, n=1, cutoff=0.7)), "")


def strays(rest: Sequence[str]) -> list[str]:
    """The options of `gradstep run` among the words for its script, but for those that scripts have too.

    >>> strays(["--lr", "3", "--batch", "-ex", "where", "--device", "cuda"])
    ['--batch', '-ex']
    """
    ours = {flag for one in RUN.arguments for flag in one.flags if flag.startswith("-")}
    return [word for word in rest if word in ours - {"-m", "-x", *DEVICE.flags}]


def handed_on(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the arguments of `run` after the script or `-m MODULE`, those of `bench` after the word.

    >>> handed_on(["run", "--episode", "2", "train.py", "--lr", "3"])
    (['run', '--episode', '2', 'train.py'], ['--lr', '3'])
    """
    argv = list(argv)
    if argv[:1] == ["bench"]:
        return argv[:1], argv[1:]
    if argv[:1] != ["run"]:
        return argv, []
    valued = {flag for one in RUN.arguments if one.takes_value for flag in one.flags}
    at = 1
    while at < len(argv):
        word = argv[at]
        if word.startswith("-m") and not word.startswith("--"):
            at += 2 if word == "-m" else 1
            break
        elif not word.startswith("-") or word == "-":
            at += 1
            break
        at += 2 if word in valued else 1
    return argv[:at], argv[at:]


def shown(error: object) -> str:
    """The words of an error, which may quote a file, without what a terminal would obey."""
    from tracer.format import printable

    return "\n".join(map(printable, str(error).split("\n")))
