"""The screen of a training and the debugger in turn, until the user leaves; the training waits while one debugs."""

from __future__ import annotations

import os
from pathlib import Path

from gallery.training import Run
from tui.app import debug
from tui.leaving import on_terminal
from tui.memory import recall
from tui.settings import CONFIG, config_file, read_settings, state_file
from tui.statuses import INTERNAL
from tui.training.episodes import Episodes
from tui.training.job import Job
from tui.training.plan import Plan
from tui.training.screen import TrainingApp

PATIENCE = 2.0
"""Seconds that a step may still take when the user leaves; then it is left behind."""


def on_screen(run: Run, plan: Plan, files: dict[int, Path]) -> BaseException | None:
    """Train while somebody watches; what a step raised, if one did. The files of steps that are saved go to `files`."""
    for stale in ("COLUMNS", "LINES"):  # Textual believes them, even when the terminal is resized
        os.environ.pop(stale, None)
    settings = read_settings(config_file(os.environ), named=CONFIG in os.environ)
    job = Job(run, plan.steps)
    job.start()
    chosen = 0
    try:
        while True:
            memory = recall(state_file(os.environ))
            app = TrainingApp(
                plan,
                job,
                files=files,
                chosen=chosen,
                settings=settings,
                memory=memory,
                environment=dict(os.environ),
            )
            step = on_terminal(app)
            if app.return_code:
                raise SystemExit(INTERNAL)
            if not step:
                break
            was_paused = job.view().paused
            job.pause(on=True)
            episodes = Episodes(plan.title, run.history.traces, step)
            debug(
                episodes.traces[step],
                title=episodes.title,
                derivation=plan.entry.derivation,
                episodes=episodes,
            )
            job.pause(on=was_paused)
            chosen = step
    finally:
        job.leave()
        job.join(PATIENCE)
    return job.view().error
