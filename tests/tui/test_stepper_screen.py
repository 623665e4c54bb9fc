"""The stepper on a screen: keys pressed, and what a person then sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest

from ops.cuda.kernel import Kernel
from tests.patience import PATIENCE
from tests.tui.stepping import BLOCK_SUM, SIDES, asked
from tui.recorder.camera import screen_text
from tui.stepper.screen import StepperApp
from tui.stepper.trials import launched, recorded, walk_of
from tui.stepper.waiting import WaitingApp, Work

Do = Callable[["Bench"], Awaitable[None]]


class Bench:
    """A stepper under test."""

    def __init__(self, app: StepperApp, pilot: Any) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> str:
        """Press keys, and read the screen."""
        await self.pilot.press(*keys)
        return await self.look()

    async def look(self) -> str:
        """The screen as it stands."""
        await self.pilot.pause()
        return screen_text(self.app)

    async def type(self, text: str) -> str:
        """Type a text and a return."""
        names = {" ": "space", ":": "colon", "/": "slash", "[": "left_square_bracket"}
        return await self.press(*(names.get(sign, sign) for sign in text), "enter")


def watch(
    kernel: Kernel,
    do: Do,
    *,
    size: tuple[int, int] = (120, 36),
    theme: str = "",
    outcome: str = "",
    said: str = "",
    **given: Any,
) -> None:
    """Step through a kernel."""

    async def run() -> None:
        found = launched(kernel, asked(**{"blocks": 2, **given}))
        record = recorded(found)
        walks = cache(lambda number: walk_of(record, number))
        environment = {"TERM": "linux"} if theme == "ansi" else {"COLORTERM": "truecolor"}
        app = StepperApp(
            record,
            walks,
            removed=found.removed,
            outcome=outcome,
            said=said,
            environment=environment,
        )
        async with app.run_test(size=size) as pilot:
            await do(Bench(app, pilot))

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_a_block_reduction_is_stepped_through_by_warps_barriers_and_back():
    async def do(bench: Bench) -> None:
        start = await bench.look()
        assert "step 0/" in start
        assert "warp 0 has not begun" in start
        assert "32 ▷" in start
        there = await bench.press("2", "b", "n", "n", "n")
        assert "2 barriers passed" in there
        assert "▶" in there
        assert "lanes 0–15 → line" in there
        here = await bench.press("n")
        assert "16 lanes read part[16…31]: no bank conflict" in here
        assert "part[0] = " in here
        assert await bench.press("n", "N") == here
        other = await bench.press("w")
        assert "registers of warp 1: threads 32–63" in other
        end = await bench.press("c")
        assert "all 32 lanes end" in end
        assert "this is the end of the block" in await bench.press("n")

    watch(BLOCK_SUM, do)


def test_a_barrier_that_is_missing_is_named_where_the_stepper_opens():
    async def do(bench: Bench) -> None:
        text = await bench.look()
        assert "✗ FAULT" in text
        assert "race on part[32]" in text
        assert "thread 0" in text
        assert "thread 32" in text
        assert "✗" in text.split("shared memory")[1]
        back = await bench.press("0")
        assert "c goes to the fault" in back
        assert "race on part[32]" not in back
        assert await bench.press("c") == text

    watch(BLOCK_SUM, do, without_barrier="0")


def test_divergent_lanes_are_shown_with_both_sides():
    async def do(bench: Bench) -> None:
        text = await bench.press("n", "n", "n")
        assert "16 of 32 run line" in text
        assert "wait for the others at line" in text
        assert " 16 ▶" in text
        assert " 16 ▷" in text

    watch(SIDES, do, blocks=1)


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (60, 16)])
def test_every_pane_is_there_at_other_sizes(size):
    async def do(bench: Bench) -> None:
        text = await bench.press("b", "n", "n")
        rows = text.split("\n")
        assert len(rows) <= size[1]
        assert max(map(len, rows)) <= size[0]
        for words in (
            "step ",
            "warp 0",
            "while half > 0",
            "registers",
            "all 32 lanes run",
            "shared",
            "n next",
            "total",
            "half 32",
        ):
            assert words in text, words

    watch(BLOCK_SUM, do, size=size)


@pytest.mark.slow
def test_too_small_a_terminal_is_told_what_is_needed():
    async def do(bench: Bench) -> None:
        assert "needs at least 60×16" in await bench.look()

    watch(BLOCK_SUM, do, size=(50, 12))


def test_without_colours_signs_say_how_large_numbers_are():
    async def do(bench: Bench) -> None:
        text = await bench.press("b", "minus")
        row = next(line for line in text.split("\n") if line.startswith("│total"))
        assert set("+-") & set(row)

    watch(BLOCK_SUM, do, theme="ansi")


def test_lines_are_searched_and_run_to_and_breakpoints_stop():
    async def do(bench: Bench) -> None:
        await bench.press("slash")
        found = await bench.type("= part[0]")
        assert "step 0/" in found
        stopped = await bench.press("p", "c")
        assert "lane 0, 1 of 32 runs line" in stopped
        assert "●" in stopped
        await bench.press("0", "colon")
        assert "warp 1" in await bench.type("warp 1")
        await bench.press("colon")
        assert "no order 'wrap'; try: warp" in await bench.type("wrap 1")
        await bench.press("colon")
        assert "there is no block 9 recorded; try: block 0 to 1" in await bench.type("block 9")

    watch(BLOCK_SUM, do)


@pytest.mark.slow
def test_the_mouse_chooses_lanes_elements_lines_and_moments():
    async def do(bench: Bench) -> None:
        await bench.press("b", "n", "n")
        await bench.pilot.click("#registers", offset=(6 + 6 * 3 + 2, 3))
        assert "warp 0 lane 3" in await bench.look()
        await bench.pilot.click("#memory", offset=(10, 3))
        assert "part[16] =" in await bench.look()
        await bench.pilot.click("#timeline", offset=(110, 1))
        text = await bench.look()
        assert "registers of warp 1" in text
        assert "7 barriers passed" in text
        await bench.pilot.click("#source", offset=(20, 3))
        assert bench.app.stand.cursor

    watch(BLOCK_SUM, do)


def test_another_block_and_another_array_can_be_looked_at():
    async def do(bench: Bench) -> None:
        assert "block 1 of 2" in await bench.press("g")
        assert "argument x float32[150]" in await bench.press("m")
        assert "‹x›" in await bench.press("c")
        assert "argument out" in await bench.press("m")

    watch(BLOCK_SUM, do)


@pytest.mark.slow
def test_a_pane_takes_the_whole_screen_and_gives_it_back():
    async def do(bench: Bench) -> None:
        before = await bench.press("b", "n")
        whole = await bench.press("z")
        assert "def kernel(x, out):" in whole
        assert "registers of" not in whole
        assert "registers of" in await bench.press("tab", "tab")
        assert await bench.press("z", "shift+tab", "shift+tab") == before

    watch(BLOCK_SUM, do)


@pytest.mark.slow
def test_help_tells_the_keys_and_q_leaves():
    async def do(bench: Bench) -> None:
        assert "stepping through a kernel" in await bench.press("question_mark")
        assert "registers of" in await bench.press("escape")
        await bench.press("q")
        assert not bench.app.is_running

    watch(BLOCK_SUM, do)


@pytest.mark.slow
def test_space_plays_and_stops():
    async def do(bench: Bench) -> None:
        await bench.press("right_square_bracket", "right_square_bracket", "space")
        while bench.app.stand.position < 3:
            await asyncio.sleep(0.01)
        assert "stopped" in await bench.press("space")
        there = bench.app.stand.position
        await asyncio.sleep(0.15)
        assert bench.app.stand.position == there

    watch(BLOCK_SUM, do)


def test_a_new_size_is_filled_at_once_and_the_line_stays_in_sight():
    async def do(bench: Bench) -> None:
        assert "✗" in await bench.look()
        for size in ((100, 20), (60, 16), (30, 8), (100, 40)):
            await bench.pilot.resize_terminal(*size)
            await bench.pilot.pause(0.05)
            text = await bench.look()
            if size == (30, 8):
                assert "needs at least" in text
                continue
            source = text[text.index("block_sum ·") :].split("╰")[0]
            assert "✗" in source
            assert "part[t] = total" in source
            assert all(not row.startswith("│") or row.endswith("│") for row in text.split("\n"))
        assert "lane:" in text
        assert "race on part" in text
        assert "tab z" not in text

    watch(BLOCK_SUM, do, without_barrier="0")


def test_further_lanes_are_a_key_away():
    async def do(bench: Bench) -> None:
        assert "lanes 0–15 of 32 ›" in await bench.press("b")
        assert "‹ lanes 16–31 of 32" in await bench.press("greater_than_sign")
        assert bench.app.stand.lane == 16

    watch(BLOCK_SUM, do)


def test_the_heading_says_at_the_end_that_all_is_as_expected():
    async def do(bench: Bench) -> None:
        first = await bench.look()
        assert "as expected" not in first.split("\n")[0]
        assert "no trial of 3 shows" in first
        assert "✓ as expected" in (await bench.press("G")).split("\n")[0]

    watch(BLOCK_SUM, do, outcome="✓ as expected to the bit", said="no trial of 3 shows")


def test_a_screen_says_how_far_the_work_is_and_escape_stops_it():
    async def run() -> None:
        def make(tell):
            while not tell(12345):
                pass
            return "what there is"

        work = Work(make)
        work.thread.start()
        app = WaitingApp(work, "block_sum")
        async with app.run_test(size=(80, 24)) as pilot:
            while "12,345" not in screen_text(app):
                await pilot.pause(0.05)
            assert "running block_sum: 12,345 lines kept" in screen_text(app)
            await pilot.press("escape")
            while not work.done:
                await pilot.pause(0.05)
            await pilot.pause(0.3)
        assert work.made == ["what there is"]
        assert app.return_value is True

    asyncio.run(asyncio.wait_for(run(), PATIENCE))
