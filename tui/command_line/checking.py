"""The commands that compare gradients and traces."""

from __future__ import annotations

from tui.command_line.arguments import DEVICE, SET, TARGET, Command, argument
from tui.command_line.words import count, elements, json_file, positive, seed

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

CHECK = Command(
    "compare every gradient with certified numbers",
    "gradstep check batchnorm",
    "tui.verdicts.asked:check",
    (
        TARGET,
        SET,
        DEVICE,
        argument("--second", action="store_true", help="the second derivatives too"),
        *CHECKING,
    ),
)

DIFF = Command(
    "compare two traces node by node: the first to diverge, forward and backward",
    "gradstep diff batchnorm --device interpret",
    "tui.commands:diff",
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
)

VERIFY = Command(
    "check gradients derived by hand, line by line",
    "gradstep verify batchnorm mine.txt",
    "tui.verdicts.asked:verify",
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
)
