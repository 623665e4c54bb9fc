"""What may stand on the command line: every command with its arguments, as data, in the order of the help."""

from __future__ import annotations

from tui.command_line.checking import CHECK, DIFF, VERIFY
from tui.command_line.learning import BENCH, GALLERY, NEW, OPS, QUIZ, TRAIN
from tui.command_line.pictures import DIAGRAM, PLOT, RECORD
from tui.command_line.stepping import KERNEL, OPEN, RUN, SHOW

COMMANDS = {
    "run": RUN,
    "open": OPEN,
    "show": SHOW,
    "diagram": DIAGRAM,
    "record": RECORD,
    "check": CHECK,
    "diff": DIFF,
    "verify": VERIFY,
    "train": TRAIN,
    "plot": PLOT,
    "gallery": GALLERY,
    "quiz": QUIZ,
    "new": NEW,
    "ops": OPS,
    "kernel": KERNEL,
    "bench": BENCH,
}
