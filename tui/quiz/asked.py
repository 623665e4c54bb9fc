"""What `gradstep quiz` does with its options: a round, a worksheet, the progress."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tracer.files import write_whole
from tracer.quizzing.making import LEVELS, draw
from tracer.quizzing.progress import Progress
from tracer.quizzing.question import KINDS, Question
from tracer.quizzing.worksheets import Worksheet, key, worksheet
from tui.printing import Line, Piece, printed, terminal, wrapped
from tui.quiz.keeping import forget, keep, quiz_file, recall
from tui.quiz.playing import FORMS, ORDERS, Round
from tui.scripts import UsageError
from tui.statuses import FINE
from tui.targets import Target, resolve

COUNT = 6
"""Questions of a round, unless asked otherwise."""
ENDINGS = (".md", ".tex")
MOST_SPOTS = 12
"""Lines of the progress that are printed."""


def quiz(options: argparse.Namespace) -> int:
    """Play a round, print a worksheet, or tell of the progress. Raises `UsageError`."""
    file = quiz_file(os.environ)
    _refuse_what_does_not_go_together(options)
    if options.forget:
        return _forget(file)
    if options.progress:
        return _tell(file)
    if options.target is None:
        raise UsageError("which network?\n  try: gradstep quiz circuit, or --progress")
    places = [Path(place) for place in (options.worksheet, options.key) if place]
    for place in places:
        if place.suffix not in ENDINGS:
            raise UsageError(
                f"{place} is neither Markdown nor LaTeX\n  try: {place.stem or 'quiz'}.md"
            )
    if len(set(places)) < len(places):
        raise UsageError(f"worksheet and key are both {places[0]}\n  try: another file for the key")
    target = resolve(options.target, options.set)
    kept = recall(file)
    lots = options.seed is None and not places
    another = kept.progress.total.asked or time.time_ns() % 2**32  # where nothing is kept
    questions = draw(
        target.trace,
        options.count or COUNT,
        seed=another if lots else options.seed or 0,
        kinds=tuple(dict.fromkeys(options.kind or LEVELS[options.level or 3])),
        weight=(kept.progress if lots else Progress()).weight,
        from_start=options.from_start,
    )
    if places:
        return _print(options, target, questions)
    if kept.trouble:
        print(f"gradstep: {kept.trouble}: the quiz begins anew", file=sys.stderr)
    return _play(target, questions, file)


def _refuse_what_does_not_go_together(options: argparse.Namespace) -> None:
    """Raise `UsageError` for options of which one would be passed over, above all where progress would be lost."""
    alone = [word for word in ("forget", "progress") if getattr(options, word)]
    others = (
        options.target, options.worksheet, options.key, options.kind, options.level, options.count, options.set,
        options.seed is not None, options.from_start, alone[1:],
    )  # fmt: skip
    if alone and any(others):
        raise UsageError(
            f"--{alone[0]} is about the progress with all networks, and goes with nothing else\n"
            f"  try: gradstep quiz --{alone[-1]}"
        )
    if options.level and options.kind:
        raise UsageError(
            "--level says which kinds are asked, and so does --kind\n  try: one of them"
        )
    if "" in (options.worksheet, options.key):
        raise UsageError("the name of a file is empty\n  try: --worksheet sheet.md")


# ----- a round


def _play(target: Target, questions: tuple[Question, ...], file: Path | None) -> int:
    """Ask in the terminal, or over a pipe."""
    here = terminal()
    here = here._replace(columns=min(here.columns, 100))
    echo = not sys.stdin.isatty()
    if not echo:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  # input() then has a history, and keys to edit with

    def say(lines: Iterable[Line]) -> None:
        print(printed(lines, colours=here.colours))

    def ask(prompt: str) -> str:
        text = input(prompt)
        if echo:  # so that what was piped in can be read beside what became of it
            print(text)
        return text

    many = f"{len(questions)} question{'' if len(questions) == 1 else 's'}"
    forms = "; ".join(FORMS[form] for form in dict.fromkeys(each.asks for each in questions))
    say([(Piece(f"quiz: {target.title}", "name"), Piece(f", {many}"))])
    help = [*wrapped(f"answer with {forms}", here.columns, "  "), ORDERS]
    say([(Piece(row, "faint"),) for row in help])
    game = Round(questions, here, ask, say)
    try:
        game.play()
    finally:
        trouble = keep(file, game.answers)
    if trouble:
        print(f"gradstep: {trouble}", file=sys.stderr)
    return FINE


# ----- on paper


def _print(options: argparse.Namespace, target: Target, questions: tuple[Question, ...]) -> int:
    """Write the worksheet and the key."""
    about = target.network.entry.caption if target.network is not None else ""
    sheet = Worksheet(target.title, about, questions)
    for place, write in ((options.worksheet, worksheet), (options.key, key)):
        if place:
            text = write(sheet, tex=place.endswith(".tex"))
            try:
                write_whole(Path(place), text.encode())
            except OSError as error:
                raise UsageError(
                    f"cannot write {place}: {error.strerror or error}\n  try: a folder that is there"
                ) from None
            print(f"wrote {place}")
    return FINE


# ----- the progress


def _tell(file: Path | None) -> int:
    """Print what was asked so far, the weakest spots first."""
    progress, trouble = recall(file)
    if trouble:
        raise UsageError(f"{trouble}\n  try: gradstep quiz --forget")
    asked, right = progress.total
    if not asked:
        print("nothing was asked yet\n  try: gradstep quiz circuit")
        return FINE
    lines: list[Line] = [(Piece(f"{right} of {asked} answers were right at once", "name"),), ()]
    spots = list(progress.weakest)
    for spot, tally in spots[:MOST_SPOTS]:
        shows = "right" if tally.right == tally.asked else "wrong"
        said = f"{tally.right:>4} of {tally.asked:<4}"
        lines.append(
            (Piece(said, shows), Piece(f" {spot.operation:<22} {KINDS.get(spot.kind, '')}"))
        )
    if len(spots) > MOST_SPOTS:
        lines.append((Piece(f"     and {len(spots) - MOST_SPOTS} more", "faint"),))
    lines.append((Piece(f"kept in {file}; gradstep quiz --forget takes it away", "faint"),))
    print(printed(lines, colours=terminal().colours))
    return FINE


def _forget(file: Path | None) -> int:
    """Take the progress away."""
    try:
        there = forget(file)
    except OSError as error:
        raise UsageError(f"cannot remove {file}: {error.strerror or error}\n  try: rm") from None
    print("the progress is forgotten" if there else "there was no progress to forget")
    return FINE
