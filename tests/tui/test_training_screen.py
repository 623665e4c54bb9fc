"""A training on the screen: keys pressed, and what a person then sees. How long it takes is nobody's test."""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import tracer as tr
from gallery.training import Moment, Training
from gallery.two_layers.training_xor import TRAINING as XOR
from tests.patience import PATIENCE
from tracer.errors import GradstepError
from tracer.plots import Curve, Plot
from tui.changing import with_knobs
from tui.ink import text_of
from tui.recorder.camera import screen_text
from tui.screens.help import hanging
from tui.session import Session
from tui.training import session
from tui.training.episodes import Episodes
from tui.training.job import Job
from tui.training.panes import help_page
from tui.training.plan import Plan, plan_of
from tui.training.screen import TrainingApp

Do = Callable[["Watched"], Awaitable[None]]


def plan(steps: int = 20, *, training: Training = XOR, keep: tuple[int, ...] = (1, 10)) -> Plan:
    """A plan for xor with another training in its place, so that a test decides how it goes."""
    names = ("steps", "set", "keep", "every", "output", "plot", "json")
    options = argparse.Namespace(name="xor", **dict.fromkeys(names))
    made = replace(plan_of(options), training=training, steps=steps, keep=frozenset(keep))
    return made if training is XOR else replace(made, settings={})


class Watched:
    """A screen under test, and the training that it shows."""

    def __init__(self, app: TrainingApp, job: Job, pilot: Any) -> None:
        self.app, self.job, self.pilot = app, job, pilot

    async def press(self, *keys: str) -> str:
        """Press keys, and read the screen when it shows what came of them."""
        await self.pilot.press(*keys)
        return await self.shown()

    async def shown(self) -> str:
        """The screen as it stands."""
        await self.app.workers.wait_for_complete()
        self.app.look(anew=True)
        await self.pilot.pause()
        return screen_text(self.app)

    async def until(self, holds: Callable[[], object]) -> str:
        """Wait for the training to come somewhere."""
        while not holds():
            await asyncio.sleep(0.002)
        return await self.shown()

    async def at_rest(self) -> None:
        """Wait until a training that was paused has ended its present step: it grants wishes between steps."""
        await asyncio.wrap_future(self.job.keep(following=False))

    async def ended(self) -> str:
        """The screen when the last step is made."""
        return await self.until(lambda: self.job.view().ended)

    @property
    def count(self) -> int:
        """How many steps were made."""
        return self.job.view().history.count


def watch(made: Plan, do: Do, *, size: tuple[int, int] = (120, 36), started: bool = True) -> Any:
    """Show a training, do something, and return what the screen returned."""

    async def run() -> Any:
        job = Job(made.begin(), made.steps)
        app = TrainingApp(made, job)
        if started:
            job.start()
        try:
            async with app.run_test(size=size) as pilot:
                await do(Watched(app, job, pilot))
            return app.return_value
        finally:
            job.leave()

    return asyncio.run(asyncio.wait_for(run(), PATIENCE))


def endless() -> Plan:
    """A training that goes on until it is left, and leaves the processor to the screen."""

    def run(**given: Any) -> Iterator[Moment]:
        for moment in XOR.run(**given):
            yield moment
            time.sleep(0.002)

    made = plan(10**6)
    return replace(made, training=replace(XOR, run=run))


def failing(after: int) -> Training:
    """A training that raises at a step."""

    def run() -> Iterator[Moment]:
        w = tr.parameter(1.0, name="w")
        for step in range(1, 10**6):
            if step > after:
                raise ValueError("the data are gone")
            loss = w * w
            loss.backward()
            yield Moment(loss)

    return Training(run)


# ----- what is shown


def test_the_screen_shows_curves_layers_parameters_and_kept_steps():
    async def do(watched: Watched) -> None:
        screen = await watched.ended()
        assert "DONE" in screen.splitlines()[0]
        assert "xor  loss 0.4996" in screen.splitlines()[0]
        assert "20 of 20 optimiser steps" in screen
        for word in (
            "│ loss",
            "│ accuracy",
            "hidden",
            "output",
            "rms grad",
            "‖Δw‖/‖w‖",
            "W1",
            "b2",
        ):
            assert word in screen, word
        assert "▸  1  loss 0.5003" in screen
        assert "  10  loss 0.5 " in screen
        assert screen.splitlines()[-1].split()[:3] == ["o", "opens", "this"]

    watch(plan(), do)


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
def test_nothing_is_cut_off_at_any_size(size):
    async def do(watched: Watched) -> None:
        screen = await watched.ended()
        assert "DONE" in screen
        assert "kept steps" in screen
        assert "layers and parameters" in screen
        assert all(len(line) <= size[0] for line in screen.splitlines())

    watch(plan(), do, size=size)


def test_a_terminal_that_is_too_small_says_so():
    async def do(watched: Watched) -> None:
        screen = await watched.ended()
        assert "too small" in screen
        assert "kept" not in screen

    watch(plan(), do, size=(40, 10))


def test_before_the_first_step_there_is_nothing_to_open():
    async def do(watched: Watched) -> None:
        assert "none yet" in await watched.shown()
        assert "no step is kept yet" in await watched.press("enter")

    assert watch(plan(), do, started=False) is None


def test_a_training_that_raises_says_what():
    async def do(watched: Watched) -> None:
        screen = await watched.ended()
        assert "FAILED" in screen
        assert "ValueError: the data are gone" in screen.splitlines()[-1]
        assert watched.count == 3

    watch(plan(training=failing(3)), do)


def test_a_loss_that_is_no_number_is_said_and_its_step_kept():
    def run() -> Iterator[Moment]:
        for x in (1.0, 2.0, float("nan"), 3.0):
            loss = tr.parameter(x, name="w") * 1.0
            loss.backward()
            yield Moment(loss)

    async def do(watched: Watched) -> None:
        screen = await watched.ended()
        assert "FAILED" in screen
        assert "the loss is NaN at step 3" in screen.splitlines()[-1]
        assert "3  loss nan" in screen

    watch(plan(training=Training(run)), do)


def test_own_plots_stand_beside_the_loss_and_tab_shows_the_next():
    def plots(history, **settings):
        squares = [Curve("x", history.steps, history.losses**2)]
        repeated = Plot("the loss again", [Curve("loss", history.steps, history.losses)])
        return (repeated, Plot("first of mine", squares), Plot("second of mine", squares))

    async def do(watched: Watched) -> None:
        await watched.ended()
        screen = await watched.until(lambda: watched.app._own)
        assert "first of mine" in screen
        assert "tab: 1 of 2" in screen
        assert "second of mine" in await watched.press("tab")
        assert "first of mine" in await watched.press("shift+tab")

    watch(replace(plan(), training=replace(XOR, plots=plots)), do)


def test_a_plot_that_fails_does_not_end_the_training():
    def plots(history, **settings):
        raise ZeroDivisionError("no data")

    async def do(watched: Watched) -> None:
        screen = await watched.ended()
        assert "DONE" in screen
        assert "no plot: ZeroDivisionError: no data" in screen

    watch(replace(plan(), training=replace(XOR, plots=plots)), do)


def test_the_loss_can_be_seen_on_a_logarithmic_scale():
    async def do(watched: Watched) -> None:
        linear = await watched.ended()
        logarithmic = await watched.press("l")
        assert "0.01 ┤" in logarithmic
        assert "0.01 ┤" not in linear
        assert await watched.press("l") == linear

    watch(plan(300), do)


def test_the_help_names_every_key_and_the_claim():
    async def do(watched: Watched) -> None:
        await watched.ended()
        screen = await watched.press("question_mark")
        assert "leaving it leads back here" in screen
        assert "with the weights of table 5.1" in screen
        assert "leaving it leads back here" not in await watched.press("escape")

    assert watch(plan(), do) is None


# ----- keys


def test_space_pauses_and_lets_it_go_on():
    async def do(watched: Watched) -> None:
        await watched.until(lambda: watched.count > 5)
        assert "PAUSED" in await watched.press("space")
        await watched.at_rest()
        stands = watched.count
        await asyncio.sleep(0.05)
        assert watched.count == stands
        assert "TRAINING" in await watched.press("space")
        await watched.until(lambda: watched.count > stands)

    watch(endless(), do)


def test_k_keeps_the_step_that_comes_next_also_in_a_pause():
    async def do(watched: Watched) -> None:
        await watched.until(lambda: watched.count > 12)
        await watched.press("space")
        await watched.at_rest()
        stands = watched.count
        screen = await watched.press("k")
        assert watched.count == stands + 1
        assert f"kept step {stands + 1:,}" in screen
        assert stands + 1 in watched.job.view().history.traces

    watch(endless(), do)


def test_o_opens_the_present_step():
    async def do(watched: Watched) -> None:
        await watched.ended()
        await watched.press("o")

    assert watch(plan(), do) == 20


def test_enter_opens_the_kept_step_under_the_cursor():
    async def do(watched: Watched) -> None:
        await watched.ended()
        screen = await watched.press("down", "down", "up")
        assert "▸ 10" in screen
        await watched.press("enter")

    assert watch(plan(), do) == 10


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_it_can_be_left_at_any_time_and_asks_once_where_kept_steps_are_not_saved(key):
    async def do(watched: Watched) -> None:
        await watched.until(lambda: watched.count > 2)
        assert "not saved: w saves" in await watched.press(key)
        await watched.pilot.press(key)

    assert watch(endless(), do) is None


def test_escape_does_not_end_a_training():
    async def do(watched: Watched) -> None:
        await watched.until(lambda: watched.count > 2)
        assert "q leaves" in await watched.press("escape")
        assert watched.app.is_running

    watch(endless(), do)


def test_w_saves_the_kept_steps_in_a_folder_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor-steps").mkdir()

    async def do(watched: Watched) -> None:
        await watched.ended()
        assert "saved 3 steps in xor-steps-2" in await watched.press("w")
        assert "all kept steps are saved" in await watched.press("w")
        await watched.press("q")
        assert not watched.app.is_running

    assert watch(plan(), do) is None
    names = {each.name for each in (tmp_path / "xor-steps-2").iterdir()}
    assert names == {f"xor-step{k}.trace" for k in (1, 10, 20)}


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
def test_n_shows_the_whole_note_of_a_plot(size):
    text = "it writes " + "many words " * 30 + "to the last"

    def plots(history, **settings):
        marks = [Curve("x", history.steps, history.losses**2)]
        return (Plot("what is written", marks, note=f"at step 1 {text}; at step 2 to end"),)

    async def do(watched: Watched) -> None:
        await watched.ended()
        screen = await watched.until(lambda: watched.app._own)
        assert "n: its note" in screen
        assert "the last" not in screen
        screen = await watched.press("n")
        assert "the last" in screen
        assert "at step 2 to end" in screen
        assert "at step 2 to end" not in await watched.press("n")
        assert "there is no other plot" in await watched.press("tab")

    watch(replace(plan(), training=replace(XOR, plots=plots)), do, size=size)


def test_a_training_that_diverges_says_so_while_it_goes_on():
    def run() -> Iterator[Moment]:
        step = 0
        while True:
            step += 1
            loss = tr.parameter(2.0 ** min(step, 900), name="w") * 1.0
            loss.backward()
            time.sleep(0.002)
            yield Moment(loss)

    async def do(watched: Watched) -> None:
        await watched.until(lambda: watched.count > 20)
        assert "DIVERGING" in await watched.shown()

    watch(plan(10**6, training=Training(run)), do)


def test_measures_stand_with_their_step_and_percentiles_only_in_plots():
    def run() -> Iterator[Moment]:
        for step in range(1, 10**6):
            loss = tr.parameter(1.0, name="w") * 1.0
            loss.backward()
            measures = {"a measure with a long name": 0.25, "right": 0.5, "15 %": 7.0}
            yield Moment(loss, measures if step == 3 else {})

    async def do(watched: Watched) -> None:
        first = (await watched.ended()).splitlines()[0]
        assert "loss 1  at step 3: right 0.5  a measure with a long name 0.25" in first
        assert "15 %" not in first

    watch(plan(4, training=Training(run, drawn=("15 %",))), do)


def test_in_a_kept_step_the_knobs_are_those_of_the_training():
    made = plan(2)
    run = made.begin()
    run.step()
    session = Session(run.history.traces[1])
    session.episodes = Episodes("xor lr=2", run.history.traces, 1)
    with pytest.raises(GradstepError, match="gradstep train xor --set NAME=VALUE"):
        with_knobs(session)


# ----- the thread


def test_a_training_that_was_left_ends_after_its_step():
    made = endless()
    job = Job(made.begin(), made.steps)
    job.start()
    assert job.keep(following=True).result(30) >= 1
    job.leave()
    job.join(30)
    assert not any(thread.name == "training" for thread in threading.enumerate())
    assert job.view().ended


def test_the_last_step_can_be_kept_after_the_end():
    made = plan(4, keep=())
    job = Job(made.begin(), made.steps)
    assert job.keep(following=True).cancelled() is False
    job.start()
    while not job.view().ended:
        threading.Event().wait(0.001)
    assert job.keep(following=False).result(30) == 4
    assert list(job.view().history.traces) == [1, 4]
    job.leave()


# ----- to the debugger and back


def test_the_debugger_opens_at_the_step_and_the_training_waits_for_it(monkeypatch):
    made = endless()
    opened: list[tuple[Any, ...]] = []
    answers = iter([10, None])

    def screen(app: TrainingApp, *args: object) -> int | None:
        answer = next(answers)
        while 10 not in app.job.view().history.traces:
            threading.Event().wait(0.001)
        opened.append(("screen", app.chosen, app.job.view().paused))
        return answer

    def debug(trace: tr.Trace, **options: Any) -> int:
        episodes = options["episodes"]
        opened.append(("debugger", options["title"], list(episodes.traces)))
        assert trace is episodes.traces[10]
        return 0

    monkeypatch.setattr(TrainingApp, "run", screen)
    monkeypatch.setattr(session, "debug", debug)
    run = made.begin()
    assert session.on_screen(run, made, {}) is None
    assert opened == [
        ("screen", 0, False),
        ("debugger", "xor, optimiser step 10", [1, 10]),
        ("screen", 10, False),
    ]
    assert run.history.count >= 10


def test_a_fault_of_ours_is_one_line_and_the_status_says_so(monkeypatch, capsys):
    def shown(app: TrainingApp, view: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.delenv("GRADSTEP_DEBUG", raising=False)
    monkeypatch.setattr(TrainingApp, "_show_words", shown)
    made, run = plan(), TrainingApp.run
    monkeypatch.setattr(TrainingApp, "run", lambda app: run(app, headless=True))
    with pytest.raises(SystemExit) as left:
        session.on_screen(made.begin(), made, {})
    assert left.value.code == 3
    said = capsys.readouterr()
    words = " ".join((said.out + said.err).split())
    assert "a fault of ours: RuntimeError: a bug" in words
    assert "locals" not in words
    assert len(words) < 300


def test_what_a_step_raised_is_told_when_the_screen_is_left(monkeypatch):
    made = plan(training=failing(0))

    def screen(app: TrainingApp, *args: object) -> None:
        while not app.job.view().ended:
            threading.Event().wait(0.001)

    monkeypatch.setattr(TrainingApp, "run", screen)
    assert isinstance(session.on_screen(made.begin(), made, {}), ValueError)


def test_the_words_beside_a_key_go_on_below_themselves_in_the_help():
    page = help_page(plan())
    for line in page.lines:
        parts = [text_of(part) for part in hanging(line, 60)]
        margin = len(line[0].text)
        assert all(len(part) <= 60 for part in parts)
        assert all(part[:margin].isspace() for part in parts[1:])
        assert " ".join(part[margin:].strip() for part in parts) == " ".join(line[1].text.split())
