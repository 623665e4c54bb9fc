"""The commands that teach: networks that train, the gallery, questions, starters and operations."""

from __future__ import annotations

from tui.command_line.arguments import DEVICE, JSON, SET, Command, argument
from tui.command_line.words import positive, seed, step_numbers

TRAIN = Command(
    "train a network of the gallery, and step through steps 1, 10, 100 of it",
    "gradstep train xor --set lr=2 --keep 1,10,100 --plot xor.svg",
    "tui.training.asked:train",
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
        argument("--plot", metavar="FILE", help="the curves as a figure: .svg .png .pdf or .tex"),
        argument(
            "--json",
            action="store_true",
            help="without a screen; the numbers as one JSON document",
        ),
    ),
)

GALLERY = Command(
    "list the networks of the gallery, search them, or describe one",
    "gradstep gallery xor",
    "tui.showroom.answers:gallery",
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
        JSON,
    ),
)

QUIZ = Command(
    "be asked for the values and gradients of a network, or print a worksheet",
    "gradstep quiz circuit --count 5",
    "tui.quiz.asked:quiz",
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
)

NEW = Command(
    "write a script to start from, or list them",
    "gradstep new mlp net.py",
    "tui.commands:new",
    (
        argument("name", nargs="?", metavar="NAME", help="mlp, batchnorm or rnn"),
        argument("file", nargs="?", metavar="FILE.py", help="where (default: NAME.py here)"),
        argument("--force", action="store_true", help="write over a file that is there"),
    ),
)

OPS = Command(
    "list the operations, or describe one",
    "gradstep ops gelu",
    "tui.commands:ops",
    (
        argument(
            "name",
            nargs="?",
            metavar="NAME",
            help="an operation, a pattern such as 'log*', or a family",
        ),
        argument("--family", metavar="FAMILY", help="only the operations of this family"),
    ),
)

BENCH = Command(
    "compare speed with other libraries (in a checkout)",
    "gradstep bench import",
    "tui.commands:bench",
)
