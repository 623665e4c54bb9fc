"""The commands that step through something: a script, a network, a trace or a kernel."""

from __future__ import annotations

from tui.command_line.arguments import DEVICE, JSON, ORDERS, SET, STEP, TARGET, Command, argument
from tui.command_line.words import positive, whole

RUN = Command(
    "run a script, then step through what it recorded",
    "gradstep run train.py --epochs 1",
    "tui.commands:run",
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
)

OPEN = Command(
    "step through a network, a script or a trace",
    "gradstep open batchnorm -ex 'break xhat' -ex continue",
    "tui.commands:open",
    (TARGET, SET, DEVICE, *ORDERS),
)

SHOW = Command(
    "print a trace as text",
    "gradstep show circuit",
    "tui.commands:show",
    (
        TARGET,
        SET,
        DEVICE,
        STEP,
        argument("--all", action="store_true", help="do not fold the middle of a long trace"),
        JSON,
    ),
)

KERNEL = Command(
    "step through a CUDA kernel, thread by thread and barrier by barrier; or list the kernels",
    "gradstep kernel column_moments --without-barrier 0",
    "tui.stepper.asked:kernel",
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
        JSON,
    ),
)
