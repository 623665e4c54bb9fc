"""What it costs to watch a training: our runner, which writes down losses, measures and layers, against a bare loop.

Both pull the same generator; the bare loop drops what it yields. No step is kept: freezing a few is not the rule.
"""

from __future__ import annotations

from collections.abc import Callable

from gallery.knobs import settings
from gallery.training import Run, Training
from gallery.two_layers.digits_mlp import DIGITS_MLP
from gallery.two_layers.training_xor import TRAINING
from tests.bench.harness import Case, Row, compared, interleave

assert DIGITS_MLP.training is not None
TRAININGS = {
    "MLP 64-32-10 on digits": (
        DIGITS_MLP.training,
        DIGITS_MLP.every_knob,
    ),
    "xor, four inputs": (TRAINING, TRAINING.knobs),
}


def bare(training: Training, given: dict[str, object], steps: int) -> Callable[[], None]:
    """The loop without anybody who looks."""

    def run() -> None:
        moments = training.run(**given)
        for _ in range(steps):
            next(moments)

    return run


def watched(training: Training, given: dict[str, object], steps: int) -> Callable[[], None]:
    """The same, written down."""

    def run() -> None:
        watching = Run(training, given, keep=())
        for _ in range(steps):
            watching.step()

    return run


def rows(*, steps: int = 100, rounds: int = 15, sample_seconds: float = 0.05) -> list[Row]:
    """Watched against bare, each pair in one interleaved run."""
    found = []
    for name, (training, knobs) in TRAININGS.items():
        given = settings(knobs, {})
        ours, theirs = f"{name}, watched", f"{name}, bare loop"
        cases = [
            Case(ours, watched(training, given, steps)),
            Case(theirs, bare(training, given, steps)),
        ]
        seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
        found.append(compared(ours, theirs, seconds, goal=1.15))
    return found
