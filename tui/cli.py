"""The commands: `gradstep COMMAND`. Textual is loaded only to open the debugger, numpy only to do something.

Exit status: 0 fine, 1 a check failed or a script did, 2 it was asked wrongly, 3 a fault of Gradstep. Of `check` and
`verify`, 1 says that a gradient is wrong; a script that cannot be run is 2.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tui.plain import write_what_can_be_written

if TYPE_CHECKING:
    from tracer.traces import Trace

FINE, FAILED, USAGE, INTERNAL = range(4)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What is wrong with an output that takes no more."""
INTERRUPTED = 130
"""The exit status after ctrl+c."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence and one thing to try."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and leave with status 2."""
        self.exit(USAGE, f"{self.prog}: {shown(message)}\n  try: {self.prog} --help\n")


@dataclass(frozen=True)
class Argument:
    """One argument of a command: its flags or its name, its help, and what else argparse wants to know."""

    flags: tuple[str, ...]
    help: str
    more: Mapping[str, Any]


@dataclass(frozen=True)
class Command:
    """What a command is about, an example of it, and its arguments."""

    about: str
    example: str
    arguments: tuple[Argument, ...] = ()
    usage: str | None = None


def argument(*flags: str, help: str, **more: Any) -> Argument:
    """An argument, written as for argparse."""
    return Argument(flags, help, more)


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def count(text: str) -> float:
    """A number from 0."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0")
    return number


def step_numbers(text: str) -> tuple[int, ...]:
    """Numbers of steps, such as 1,10,100."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    try:
        return tuple(positive(word) for word in words)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}: optimiser steps, such as 1,10,100") from None


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text} is not a number of steps: after how many, such as 12?"
        ) from None


def seconds(text: str) -> float:
    """A time above 0."""
    try:
        time = float(text)
    except ValueError:
        time = 0.0
    if not 0 < time < 3600:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return time


def elements(text: str) -> int:
    """How many elements, or all."""
    return sys.maxsize if text == "all" else positive(text)


def seed(text: str) -> int:
    """A random seed."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a random seed: a whole number from 0")
    return int(text)


def json_file(text: str) -> str:
    """The file of a report: its ending is .json, so that no derivation after the option is written over."""
    if text != "-" and not text.endswith(".json"):
        raise argparse.ArgumentTypeError(
            f"{text} does not end in .json: --json=report.json, or --json at the end"
        )
    return text


def from_file(text: str) -> tuple[str, str]:
    """Orders in a file."""
    return "file", text


def from_line(text: str) -> tuple[str, str]:
    """One order."""
    return "order", text


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
STEP = argument("--step", type=whole, metavar="N", help="as it stands after N steps (default: all)")
PAUSE = argument(
    "--pause",
    type=seconds,
    metavar="S",
    help="how long a frame is seen where they play (default: 0.8 seconds)",
)
CHECKING = (
    argument(
        "--json",
        nargs="?",
        const="-",
        type=json_file,
        metavar="FILE.json",
        help="the report as JSON for other programs, in place of the page; into a file, beside it",
    ),
    argument(
        "--open", action="store_true", help="open the debugger at the first wrong node and element"
    ),
    argument(
        "--elements",
        type=elements,
        metavar="N",
        help="certify so many elements of each gradient, or all (default: what the verdict needs)",
    ),
    argument(
        "--seed",
        type=seed,
        metavar="N",
        help="the random seed of directions and samples (default: 0)",
    ),
    argument(
        "--workers",
        type=positive,
        metavar="N",
        help="spread the elements over so many processes (a cluster: see executor= of tr.check)",
    ),
    argument("-q", "--quiet", action="store_true", help="only the first line of the page"),
)
"""What the commands that check have in common."""

COMMANDS = {
    "run": Command(
        "run a script, then step through what it recorded",
        "gradstep run train.py --epochs 1",
        (
            argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m does"),
            argument(
                "--episode",
                type=positive,
                metavar="K",
                help="the K-th backward pass (default: the last)",
            ),
            argument(
                "--on-error",
                action="store_true",
                help="if the script raises, open at what it had recorded",
            ),
            DEVICE,
            *ORDERS,
            argument(
                "script",
                nargs="?",
                metavar="SCRIPT",
                help="the script; what follows is handed to it",
            ),
        ),
        usage="gradstep run [--episode K] [--on-error] [--device NAME] [-x FILE] [-ex ORDER] [--batch] "
        "(SCRIPT | -m MODULE) [ARGS ...]",
    ),
    "open": Command(
        "step through a network, a script or a trace",
        "gradstep open batchnorm -ex 'break xhat' -ex continue",
        (TARGET, SET, DEVICE, *ORDERS),
    ),
    "show": Command(
        "print a trace as text",
        "gradstep show circuit",
        (
            TARGET,
            SET,
            DEVICE,
            STEP,
            argument("--all", action="store_true", help="do not fold the middle of a long trace"),
            argument("--json", action="store_true", help="one JSON document, for other programs"),
        ),
    ),
    "diagram": Command(
        "write the figure of a trace, or draw it here in characters",
        "gradstep diagram batchnorm -o bn.pdf --theme print",
        (
            TARGET,
            SET,
            DEVICE,
            argument(
                "-o",
                "--output",
                metavar="FILE",
                help="its ending says the format: .svg .png .pdf .html .tex .md .txt .dot, or .gif .apng that play; "
                "- is the standard output (default: a drawing in characters)",
            ),
            argument("--format", metavar="F", help="the format for -o -, such as svg or dot"),
            argument("--html", action="store_true", help="a page to step through: -o TARGET.html"),
            STEP,
            argument(
                "--frames",
                nargs="?",
                const="drawn",
                metavar="WHICH",
                help="many steps: drawn (whenever the picture changes; the default), all, node (whole nodes) or a "
                "range, 10:20 with both ends; .svg .gif .apng play, "
                ".pdf .png .tex and NAME-%%02d.svg become numbered pages",
            ),
            PAUSE,
            argument(
                "--style",
                metavar="STYLE",
                help="circuit, cards, unrolled, rolled, paths, backward or outline (default: what suits the trace)",
            ),
            argument(
                "--theme",
                metavar="THEME",
                default="light",
                help="light, dark, print (no colour needed), safe (for the colour-blind) or auto (as the reader of an "
                ".svg or .html prefers; default: light)",
            ),
            argument(
                "--scope",
                metavar="SCOPE",
                help="only what was recorded under a scope, such as batchnorm or 'rnn[t=3]'",
            ),
            argument("--around", metavar="NODE", help="only a node and its neighbours"),
            argument(
                "--radius",
                type=positive,
                metavar="K",
                help="neighbours up to so many edges away (default: 2)",
            ),
            argument(
                "--max-nodes",
                type=positive,
                metavar="N",
                help="fold scopes and time steps until no more shapes are left",
            ),
            argument("--local", action="store_true", help="local derivatives on the edges"),
            argument(
                "--direction",
                metavar="DIRECTION",
                help="rows, right (one row) or down, of cards, outline and backward (default: rows where one is too "
                "wide for a page)",
            ),
        ),
    ),
    "record": Command(
        "make pictures of recorded sessions",
        "gradstep record gallery/tours/*.txt -o gallery/pictures",
        (
            argument(
                "sessions",
                nargs="+",
                metavar="SESSION",
                help="a file of orders, as `:save` writes it in the debugger",
            ),
            argument(
                "-o",
                "--output",
                metavar="OUT",
                help="an .svg or .txt file, or a folder (default: an .svg of the session's name, here)",
            ),
            argument("--target", metavar="TARGET", help="of what (default: what the session says)"),
            argument(
                "--size",
                metavar="CxR",
                help="columns and rows (default: the session's, else 120x36)",
            ),
            argument(
                "--theme", metavar="THEME", help="its colours (default: the session's, else dark)"
            ),
            argument(
                "--animate", action="store_true", help="an SVG that plays, a frame for each order"
            ),
            PAUSE,
        ),
    ),
    "check": Command(
        "compare every gradient with certified numbers",
        "gradstep check batchnorm",
        (
            TARGET,
            SET,
            DEVICE,
            argument("--second", action="store_true", help="the second derivatives too"),
            *CHECKING,
        ),
    ),
    "diff": Command(
        "compare two traces node by node: the first to diverge, forward and backward",
        "gradstep diff batchnorm --device interpret",
        (
            TARGET,
            argument(
                "other",
                nargs="?",
                metavar="OTHER",
                help="what to compare it with (default: the same, with --set or on --device)",
            ),
            argument(
                "--set",
                action="append",
                metavar="NAME=VALUE",
                help="turn a knob of OTHER; may come several times",
            ),
            argument("--device", metavar="NAME", help="where OTHER is recorded"),
            argument(
                "--ulps",
                type=count,
                metavar="N",
                help="what counts as diverging: ulps of the largest element (default: 1e3 in float32, 1e6 in float64)",
            ),
            argument("--all", action="store_true", help="a row for every node"),
        ),
    ),
    "verify": Command(
        "check gradients derived by hand, line by line",
        "gradstep verify batchnorm mine.txt",
        (
            TARGET,
            SET,
            DEVICE,
            argument(
                "derivation",
                nargs="?",
                metavar="DERIVATION",
                help="a file of lines, in Python or LaTeX; - is standard input (default: the derivation that the "
                "script or the gallery entry carries)",
            ),
            *CHECKING,
        ),
    ),
    "train": Command(
        "train a network of the gallery, and step through steps 1, 10, 100 of it",
        "gradstep train xor --set lr=2 --keep 1,10,100 --plot xor.svg",
        (
            argument("name", metavar="NAME", help="a network of the gallery that trains"),
            argument(
                "--steps",
                type=positive,
                metavar="N",
                help="how many optimiser steps (default: the entry's)",
            ),
            SET,
            DEVICE,
            argument(
                "--keep",
                type=step_numbers,
                metavar="1,10,100",
                help="the optimiser steps whose traces are kept, beside the last (default: the entry's)",
            ),
            argument(
                "--every",
                type=positive,
                metavar="K",
                help="keep every K-th step in place of --keep",
            ),
            argument(
                "-o",
                "--output",
                metavar="PLACE",
                help="save the kept traces: into a folder, or a FILE.trace (numbered if several)",
            ),
            argument(
                "--plot", metavar="FILE", help="the curves as a figure: .svg .png .pdf or .tex"
            ),
            argument(
                "--json",
                action="store_true",
                help="without a screen; the numbers as one JSON document",
            ),
        ),
    ),
    "plot": Command(
        "draw the plots of a network, or a histogram of any node",
        "gradstep plot vanishing --set factor=1.5 -o vanishing.svg",
        (
            TARGET,
            SET,
            DEVICE,
            argument(
                "--node",
                metavar="NODE",
                help="instead, the numbers of one node and of its gradient, as histograms",
            ),
            argument("--index", type=positive, metavar="K", help="only the K-th plot"),
            argument(
                "-o",
                "--output",
                metavar="FILE",
                help="its ending says the format: .svg .png .pdf .tex (default: drawn here in characters)",
            ),
            argument(
                "--theme",
                metavar="THEME",
                default="light",
                help="light, dark, print (no colour needed), safe (for the colour-blind) or auto (as the reader of an "
                ".svg prefers; default: light)",
            ),
            argument(
                "--columns",
                type=positive,
                metavar="N",
                help="so many plots beside each other in a file",
            ),
        ),
    ),
    "gallery": Command(
        "list the networks of the gallery, search them, or describe one",
        "gradstep gallery xor",
        (
            argument(
                "words",
                nargs="*",
                metavar="NAME",
                help="the name or number of a network, or words to search for in names, captions, sources and notes",
            ),
            SET,
            DEVICE,
            argument(
                "--all",
                action="store_true",
                help="the expected numbers of every network beside the recorded ones; exit status 1 if any differs",
            ),
            argument("--json", action="store_true", help="one JSON document, for other programs"),
        ),
    ),
    "quiz": Command(
        "be asked for the values and gradients of a network, or print a worksheet",
        "gradstep quiz circuit --count 5",
        (
            argument(
                "target",
                nargs="?",
                metavar="TARGET",
                help="a gallery name, FILE.trace, or script.py[:function]",
            ),
            SET,
            DEVICE,
            argument("--count", type=positive, metavar="N", help="how many questions (default: 6)"),
            argument(
                "--seed",
                type=seed,
                metavar="N",
                help="draw the questions of this random seed (default: others each time, your weak spots earlier)",
            ),
            argument(
                "--kind",
                action="append",
                metavar="KIND",
                help="only value, local, flow, gradient or formula; may come several times",
            ),
            argument(
                "--level",
                type=int,
                choices=(1, 2, 3),
                help="1: values and local derivatives; 2: flows and gradients too; 3: formulas too (default)",
            ),
            argument(
                "--from-start",
                action="store_true",
                help="the first questions along the timeline, without drawing lots",
            ),
            argument("--worksheet", metavar="FILE", help="print the questions: a .md or .tex file"),
            argument("--key", metavar="FILE", help="print their solutions: a .md or .tex file"),
            argument("--progress", action="store_true", help="what went right and wrong so far"),
            argument("--forget", action="store_true", help="forget the progress"),
        ),
    ),
    "new": Command(
        "write a script to start from, or list them",
        "gradstep new mlp net.py",
        (
            argument("name", nargs="?", metavar="NAME", help="mlp, batchnorm or rnn"),
            argument("file", nargs="?", metavar="FILE.py", help="where (default: NAME.py here)"),
            argument("--force", action="store_true", help="write over a file that is there"),
        ),
    ),
    "ops": Command(
        "list the operations, or describe one",
        "gradstep ops gelu",
        (
            argument(
                "name",
                nargs="?",
                metavar="NAME",
                help="an operation, a pattern such as 'log*', or a family",
            ),
            argument("--family", metavar="FAMILY", help="only the operations of this family"),
        ),
    ),
    "kernel": Command(
        "step through a CUDA kernel, thread by thread and barrier by barrier; or list the kernels",
        "gradstep kernel column_moments --without-barrier 0",
        (
            argument(
                "name",
                nargs="?",
                metavar="NAME",
                help="a kernel, a family of them, or your own: FILE.py:NAME, with NAME_example = (blocks, threads, "
                "arguments) beside it",
            ),
            argument(
                "--trial",
                nargs="?",
                const="list",
                metavar="N",
                help="the arguments: the number or the name of a trial (default: a small telling one); alone it lists "
                "them",
            ),
            argument("--threads", type=positive, metavar="N", help="threads of a block"),
            argument("--blocks", type=positive, metavar="N", help="blocks of the grid"),
            argument("--block", type=whole, metavar="K", help="begin with block K, from 0"),
            argument("--dtype", metavar="D", help="float32 (default) or float64"),
            argument(
                "--without-barrier",
                nargs="?",
                const="list",
                metavar="K",
                help="take barrier K away and see what happens, or all in turn; alone it lists the barriers",
            ),
            argument("--step", type=whole, metavar="N", help="begin after N steps"),
            argument("--text", action="store_true", help="print how it stands, without a screen"),
            argument("--json", action="store_true", help="one JSON document, for other programs"),
        ),
    ),
    "bench": Command("compare speed with other libraries (in a checkout)", "gradstep bench import"),
}


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


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and what belongs to a script or benchmark and is handed on untouched."""
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
    return options, rest


def no_command(word: str) -> str:
    """The sentence about a command that does not exist."""
    close = difflib.get_close_matches(word, COMMANDS, n=1)
    options = (
        name for name, one in COMMANDS.items() for a in one.arguments if f"--{word}" in a.flags
    )
    option = next(options, None)
    if close:
        meant = close[0]
    elif option is not None:
        meant = f"gradstep {option} --{word}"
    else:
        meant = f"gradstep open {word}"
    return f"no command {word!r}: did you mean {meant}?"


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
    at = 1
    while at < len(argv):
        word = argv[at]
        if word in ("--episode", "--device", "-x", "-ex"):
            at += 2
        elif word.startswith("-m") and not word.startswith("--"):
            at += 2 if word == "-m" else 1
            break
        elif word.startswith("-") and word != "-":
            at += 1
        else:
            at += 1
            break
    return argv[:at], argv[at:]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status says how it went. What is wrong is said in a sentence on stderr."""
    write_what_can_be_written()
    if sys.stdout is None:
        return no_output("it is closed")
    try:
        options, rest = parse(sys.argv[1:] if argv is None else argv)
        status = dispatch(options, rest)
        sys.stdout.flush()
        return status
    except SystemExit as left:  # argparse, after --help or a complaint
        return left.code if isinstance(left.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `gradstep show rnn | head` is no error
        output_nowhere()
        return FINE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
            output_nowhere()
            return no_output(os.strerror(error.errno))
        return explained(error)


def output_nowhere() -> None:
    """Send what is still to be printed nowhere: Python would try once more when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def no_output(why: str) -> int:
    """Say that what was asked for cannot be printed."""
    print(
        f"gradstep: cannot write the output: {why}\n  try: > FILE behind the command, where there is room",
        file=sys.stderr,
    )
    return USAGE


def dispatch(options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Call the command."""
    from tui import commands

    if options.version:
        return commands.version()
    if options.command is None:
        return commands.pick()
    aside = options.command == "diff"  # its first target stays where it is
    named = (getattr(options, "other", None) if aside else None) or getattr(options, "target", None)
    commands.refuse_for_files(getattr(options, "device", None), named)
    with commands.on_device(None if aside else getattr(options, "device", None)):
        if options.command in ("run", "bench"):
            status: int = getattr(commands, options.command)(options, rest)
        else:
            status = getattr(commands, options.command)(options)
    return status


def explained(error: Exception) -> int:
    """Say what went wrong: a user's mistake in its own words, a script's error as Python would, a fault of ours."""
    try:
        from tracer.errors import GradstepError
        from tui.scripts import UsageError, print_traceback
        from tui.targets import ScriptError
    except ImportError as foreign:  # somebody else's `ops` on the path: tracer says so
        print(f"gradstep: {foreign}", file=sys.stderr)
        return USAGE

    if isinstance(error, ScriptError):
        if error.error is not None:
            print_traceback(error.error)
        else:
            print(f"gradstep: {shown(error)}", file=sys.stderr)
        return error.status
    if isinstance(error, (GradstepError, UsageError)):
        if os.environ.get("GRADSTEP_DEBUG"):
            print_traceback(error)
        else:
            print(f"gradstep: {shown(error)}", file=sys.stderr)
        return USAGE
    if os.environ.get("GRADSTEP_DEBUG"):
        print_traceback(error)
    print(
        f"gradstep: internal error: {type(error).__name__}: {shown(error)}\n"
        f"  try: again with GRADSTEP_DEBUG=1, and report what it prints",
        file=sys.stderr,
    )
    return INTERNAL


def shown(error: object) -> str:
    """The words of an error, which may quote a file, without what a terminal would obey."""
    from tracer.format import printable

    return "\n".join(map(printable, str(error).split("\n")))


def open_trace(trace: Trace, title: str = "trace") -> None:
    """Open the debugger on a trace; without a terminal, say so in a line and print the trace instead."""
    from tui.commands import step_through
    from tui.targets import Target

    step_through(Target(title, trace))


if __name__ == "__main__":
    sys.exit(main())
