"""The picker: keys pressed and clicks made, and what a person then sees and opens."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading

import pytest
from textual.worker import WorkerCancelled

from gallery import GALLERY, SECTIONS
from tests.tui.conftest import key_event
from tui.recorder.camera import screen_text
from tui.recorder.playing import settle
from tui.showroom import about, picker
from tui.showroom.drawings import Drawings
from tui.showroom.listing import MARKS, marks
from tui.showroom.picker import OPEN, TRAIN, Choice, Picker
from tui.showroom.shelf import Shelf, best

TRAINED = next(name for name, entry in GALLERY.items() if entry.training is not None)


class Person:
    """Somebody in front of the picker."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    async def press(self, *keys):
        """Press keys, and read the screen when all is shown."""
        for key in keys:
            self.app.post_message(key_event(key))
            await self.pilot.pause(0)
        return await self.look()

    async def look(self):
        """The characters on the screen, once the drawing is there."""
        with contextlib.suppress(WorkerCancelled):  # a drawing that nobody waits for any more
            await settle(self.pilot)
        while self.app.is_running and "drawing …" in screen_text(self.app):
            await self.pilot.pause(0.01)
        return screen_text(self.app) if self.app.is_running else ""


@pytest.fixture
def at_picker(monkeypatch):
    """Run a script in front of the picker; returns what was picked."""
    monkeypatch.setattr(about, "REST", 0.001)

    def run(script, *, size=(120, 36), **more):
        async def session():
            app = Picker(**more)
            async with app.run_test(size=size) as pilot:
                await script(Person(app, pilot))
            return app.return_value

        return asyncio.run(session())

    return run


def after(*keys):
    """A script that presses keys."""

    async def script(person):
        await person.press(*keys)

    return script


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 16)])
def test_the_gallery_stands_at_the_left_and_what_is_chosen_at_the_right(at_picker, size):
    async def script(person):
        screen = await person.look()
        assert f"the gallery: {len(GALLERY)} networks" in screen
        assert next(iter(SECTIONS)) in screen
        assert "circuit" in screen
        assert "f = (x + y) z" in screen
        assert "│ q " in screen or "q add" in screen
        assert "⏎ open" in screen
        screen = await person.press("down")
        assert "1 / (1 + exp(" in screen
        assert "f = (x + y) z" not in screen
        screen = await person.press("end")
        assert list(SECTIONS)[-1] in screen

    at_picker(script, size=size)


def test_values_are_in_the_drawing_where_there_is_room(at_picker):
    async def script(person):
        screen = await person.look()
        assert "−12" in screen
        assert "knobs" in screen
        assert "numbers to compare:" in screen

    at_picker(script)


def test_enter_picks_what_is_under_the_cursor_and_headings_are_passed_over(at_picker):
    assert at_picker(after("enter")) == Choice("circuit", OPEN)
    assert at_picker(after("down", "j", "k", "enter")) == Choice("sigmoid_neuron", OPEN)
    names = [entry.name for entry in SECTIONS["Circuits"]]
    below = next(iter(SECTIONS["Two-layer networks"]))
    assert at_picker(after(*["down"] * len(names), "enter")) == Choice(below.name, OPEN)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
def test_one_can_leave_without_picking(at_picker, key):
    assert at_picker(after(key)) is None


def test_it_begins_where_it_was_left(at_picker):
    assert at_picker(after("enter"), at="rnn") == Choice("rnn", OPEN)
    assert at_picker(after("enter"), at="nosuch") == Choice("circuit", OPEN)


def test_a_search_keeps_what_matches_and_stands_on_the_nearest_name(at_picker):
    async def script(person):
        screen = await person.press("slash", "v", "a", "n")
        assert "/ van" in screen
        assert "gates" not in screen
        assert f"of {len(GALLERY)} networks" in screen
        assert person.app.entry.name == "vanishing"
        await person.press("down")
        assert person.app.entry.name == "vanishing:exploding"
        await person.press("up", "enter")

    assert at_picker(script) == Choice("vanishing", OPEN)


def test_escape_shows_all_again_after_a_search(at_picker):
    async def script(person):
        screen = await person.press("slash", "x", "o", "r", "space", "k", "o", "e")
        assert "/ xor koe" in screen
        assert person.app.entry.name == "xor"
        screen = await person.press("escape")
        assert f"the gallery: {len(GALLERY)} networks" in screen
        assert person.app.entry.name == "xor"

    assert at_picker(script) is None


def test_a_search_for_nothing_says_so_and_opens_nothing(at_picker):
    async def script(person):
        screen = await person.press("slash", *"zzzz", "enter")
        assert "nothing matches" in screen
        assert "0 of" in screen
        assert person.app.is_running
        screen = await person.press("backspace", "backspace", "backspace", "backspace")
        assert f"the gallery: {len(GALLERY)} networks" in screen
        assert person.app.entry is not None

    assert at_picker(script) is None


def test_the_nearest_name_is_the_same_then_one_that_begins_so():
    names = ["char_rnn", "rnn:third", "rnn", "xor"]
    assert best(names, "rnn") == "rnn"
    assert best(names, "rn") == "rnn:third"
    assert best(names, "har") == "char_rnn"
    assert best(names, "time") == "char_rnn"


def test_t_trains_what_can_be_trained(at_picker):
    assert at_picker(after("t"), at=TRAINED) == Choice(TRAINED, TRAIN)

    async def script(person):
        screen = await person.press("t")
        assert "circuit has no training" in screen.splitlines()[-1]
        screen = await person.press("down")
        assert " t train " not in screen.splitlines()[-1]

    assert at_picker(script, at="circuit") is None


def test_a_letter_that_is_no_key_does_nothing(at_picker):
    async def script(person):
        before = await person.look()
        assert await person.press(*"abcefghi") == before
        assert person.app.entry.name == "circuit"

    assert at_picker(script) is None


def test_in_a_search_no_letter_trains_or_leaves(at_picker):
    async def script(person):
        screen = await person.press("slash", *"qtjkdp")
        assert "/ qtjkdp" in screen
        assert person.app.is_running

    assert at_picker(script) is None


@pytest.mark.parametrize(
    ("key", "mark", "said"),
    [("d", "d", "dL/d"), ("p", "p", "┤"), ("equals_sign", "=", "--set NAME=VALUE")],
)
def test_the_key_of_a_mark_shows_what_the_mark_says(at_picker, key, mark, said):
    having = next(entry.name for entry in GALLERY.values() if mark in marks(entry))
    lacking = [entry.name for entry in GALLERY.values() if mark not in marks(entry)]
    named = MARKS[mark]

    async def with_it(person):
        assert f" {mark} {named} " in (await person.look()).splitlines()[-1]
        shown = await person.press(key)
        assert f"{having}: {named}" in shown
        assert said in shown
        assert f"{having}: {named}" not in await person.press("escape")

    async def without_it(person):
        assert f" {mark} {named} " not in (await person.look()).splitlines()[-1]
        assert f"{lacking[0]} has no {named}" in (await person.press(key)).splitlines()[-1]

    at_picker(with_it, at=having)
    for name in lacking[:1]:  # every network has a derivation
        at_picker(without_it, at=name)


def test_plots_that_cannot_be_made_are_no_end_of_the_picker(at_picker, monkeypatch):
    def plots(**settings):
        raise ValueError("no such curve")

    monkeypatch.setitem(GALLERY, "circuit", dataclasses.replace(GALLERY["circuit"], plots=plots))

    async def script(person):
        assert "no such curve" in await person.press("p")
        assert "no such curve" not in await person.press("escape")

    at_picker(script)


def test_a_click_chooses_and_a_double_click_opens(at_picker):
    async def script(person):
        await person.pilot.click(Shelf, offset=(5, 3))
        assert "1 / (1 + exp(" in await person.look()
        await person.pilot.click(Shelf, offset=(5, 1))  # a heading
        assert person.app.entry.name == "sigmoid_neuron"
        await person.pilot.click(Shelf, offset=(5, 2), times=2)

    assert at_picker(script) == Choice("circuit", OPEN)


def test_the_help_says_what_the_keys_do(at_picker):
    async def script(person):
        screen = await person.press("question_mark")
        assert "open the network in the debugger" in screen
        assert "the derivation by hand" in screen
        assert "open the network in the debugger" not in await person.press("escape")

    at_picker(script)


def test_space_shows_more_of_a_long_page(at_picker):
    async def script(person):
        before = await person.look()
        assert await person.press("space") != before

    at_picker(script, size=(80, 24), at="rnn")


def test_a_terminal_that_is_too_small_says_so(at_picker):
    async def script(person):
        assert "too small" in await person.look()

    at_picker(script, size=(50, 12))


@pytest.mark.parametrize("theme", ["dark", "light", "blue-orange", "ansi"])
def test_every_theme_of_the_debugger_is_there(at_picker, theme):
    async def script(person):
        assert "an add gate" in await person.look()
        assert person.app.theme == f"gradstep-{theme}"

    at_picker(script, theme=theme)


# ----- drawings


def test_a_drawing_that_takes_long_holds_up_nothing(at_picker, monkeypatch):
    begun, finish = threading.Event(), threading.Event()
    entry = GALLERY["circuit"]

    def build(**settings):
        begun.set()
        assert finish.wait(30)
        return entry.build(**settings)

    monkeypatch.setitem(GALLERY, "circuit", dataclasses.replace(entry, build=build))

    async def script(person):
        while not begun.is_set():
            await person.pilot.pause(0.01)
        assert "drawing …" in screen_text(person.app)
        person.app.post_message(key_event("down"))
        for _ in range(500):  # the drawing still waits
            await person.pilot.pause(0.01)
            if "1 / (1 + exp(" in screen_text(person.app):
                break
        assert "1 / (1 + exp(" in screen_text(person.app)
        finish.set()
        assert "drawing …" not in await person.look()

    at_picker(script)


def test_a_network_is_built_once_for_its_drawing(at_picker, monkeypatch):
    built = []
    entry = GALLERY["circuit"]

    def build(**settings):
        built.append(settings)
        return entry.build(**settings)

    monkeypatch.setitem(GALLERY, "circuit", dataclasses.replace(entry, build=build))
    drawings = Drawings()

    async def script(person):
        await person.look()
        await person.press("down")
        await person.press("up")

    at_picker(script, drawings=drawings)
    at_picker(script, drawings=drawings)
    assert len(built) == 1


def test_a_network_that_cannot_be_built_is_no_end_of_the_picker(at_picker, monkeypatch):
    def build(**settings):
        raise ValueError("no such weights")

    broken = dataclasses.replace(GALLERY["circuit"], build=build)
    monkeypatch.setitem(GALLERY, "circuit", broken)

    async def script(person):
        assert "no drawing: no such weights" in await person.look()
        await person.press("down", "enter")

    assert at_picker(script) == Choice("sigmoid_neuron", OPEN)


# ----- from the picker and back


@pytest.fixture
def picked(monkeypatch):
    """Let a person pick these, one after the other, then leave; what was opened, and where the picker began."""
    opened, began = [], []

    def run(gradstep, *choices, status=0):
        answers = iter((*choices, None))

        def pick_one(at, drawings):
            began.append(at)
            return next(answers)

        def open_(target, wishes):
            opened.append((target.title, [deed.order for deed in wishes.lead]))
            return status

        monkeypatch.setattr("tui.opening.has_terminal", lambda: True)
        monkeypatch.setattr("tui.opening.step_through", open_)
        monkeypatch.setattr(picker, "pick_one", pick_one)
        return gradstep()[0], opened, began

    return run


def test_after_the_debugger_one_is_back_in_the_picker(gradstep, picked):
    status, opened, began = picked(gradstep, Choice("xor"), Choice("vanishing"))
    assert status == 0
    assert [title for title, _ in opened] == ["xor", "vanishing"]
    assert opened[1][1] == list(GALLERY["vanishing"].orders)
    assert began == ["", "xor", "vanishing"]


def test_a_fault_in_the_debugger_is_not_covered_by_the_picker(gradstep, picked):
    status, opened, _ = picked(gradstep, Choice("xor"), Choice("rnn"), status=3)
    assert status == 3
    assert len(opened) == 1


def test_training_is_begun_from_the_picker(gradstep, picked, monkeypatch):
    trained = []
    monkeypatch.setattr(
        "tui.training.asked.train", lambda options: trained.append(options.name) or 1
    )
    status, opened, began = picked(gradstep, Choice(TRAINED, TRAIN))
    assert (status, opened, trained) == (0, [], [TRAINED])
    assert began == ["", TRAINED]
