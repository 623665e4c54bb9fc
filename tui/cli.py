"""The commands: `gradstep COMMAND`. Textual is loaded only to open the debugger, numpy only to do something.

Exit status: 0 fine, 1 a check failed or a script did, 2 it was asked wrongly, 3 a fault of Gradstep. Of `check` and
`verify`, 1 says that a gradient is wrong; a script that cannot be run is 2.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from tui.command_line import COMMANDS
from tui.command_line.parsing import parse, shown
from tui.plain import write_what_can_be_written
from tui.statuses import FINE, INTERNAL, INTERRUPTED, USAGE

if TYPE_CHECKING:
    from tracer.traces import Trace

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What is wrong with an output that takes no more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status says how it went. What is wrong is said in a sentence on stderr."""
    write_what_can_be_written()
    if sys.stdout is None:
        return no_output("it is closed")
    try:
        status = dispatch(parse(sys.argv[1:] if argv is None else argv))
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


def dispatch(options: argparse.Namespace) -> int:
    """Do what a command does, on the device that it asks for; its exit status."""
    if options.version:
        return version()
    if options.command is None:
        from tui.commands import pick

        return pick()
    module, _, name = COMMANDS[options.command].does.partition(":")
    do = getattr(import_module(module), name)
    with recording_on(options):
        status: int | None = do(options)
    return status or FINE


def version() -> int:
    """Print the versions that a report of a fault should name."""
    from tracer.versions import VERSIONS

    print(" ".join(f"{name} {number}" for name, number in VERSIONS.items()))
    return FINE


def recording_on(options: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    """Record on the device of the options inside. Raises `DeviceError` where it is not there.

    Raises `UsageError` for a device beside a trace in a file, whose numbers lie where they lie.
    """
    device = getattr(options, "device", None)
    if device is None:
        return contextlib.nullcontext()
    aside = options.command == "diff"  # its first target stays where it is
    target = (options.other if aside else None) or getattr(options, "target", None)
    if target is not None and target.endswith(".trace"):
        from tui.scripts import UsageError

        raise UsageError(
            f"--device {device} says where something is recorded, and {target} is recorded already\n"
            f"  try: gradstep diff {target} TARGET, with what it was recorded from"
        )
    if aside:
        return contextlib.nullcontext()
    import tracer as tr

    return tr.device(device)


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


def open_trace(trace: Trace) -> None:
    """Open the debugger on a trace; without a terminal, say so in a line and print the trace instead."""
    from tui.opening import step_through
    from tui.targets import Target

    step_through(Target("trace", trace))


if __name__ == "__main__":
    sys.exit(main())
