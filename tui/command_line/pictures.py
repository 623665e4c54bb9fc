"""The commands that make pictures."""

from __future__ import annotations

from tui.command_line.arguments import DEVICE, PAUSE, SET, STEP, TARGET, Command, argument
from tui.command_line.words import positive

DIAGRAM = Command(
    "write the figure of a trace, or draw it here in characters",
    "gradstep diagram batchnorm -o bn.pdf --theme print",
    "tui.commands:diagram",
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
)

RECORD = Command(
    "make pictures of recorded sessions",
    "gradstep record gallery/tours/*.txt -o gallery/pictures",
    "tui.commands:record",
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
)

PLOT = Command(
    "draw the plots of a network, or a histogram of any node",
    "gradstep plot vanishing --set factor=1.5 -o vanishing.svg",
    "tui.plotting:plot",
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
)
