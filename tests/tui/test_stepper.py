"""Stepping through a recorded kernel: what every moment shows, forwards and backwards, without a screen."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch, Trial
from ops.interpreter.recording import record
from tests.tui.stepping import BLOCK_SUM, COLUMNS, HASTY, SIDES, asked, stand_of
from tui.heatmap import Limits
from tui.ink import text_of
from tui.scripts import UsageError
from tui.stepper import heading, memory, registers, saying, source, stand, tables, timeline
from tui.stepper.cells import cell
from tui.stepper.lanes import State
from tui.stepper.orders import obey, search
from tui.stepper.stand import Stand
from tui.stepper.trials import launch_text, launched, recorded, telling, trials_of, walk_of
from tui.stepper.waiting import Work, waited_for


def _wide(cuda, math, T, threads):
    def kernel(x):
        t = cuda.threadIdx.x
        k = 2147483647 + t
        x[t] = k

    return kernel


def _wide_trials(rng, T):
    yield Trial((np.zeros(32, np.int64),), {})


def line_with(where: Stand, text: str) -> int:
    """The number of the first line of the source that holds a text."""
    lines = where.walk.run.source
    return where.walk.run.first_line + next(k for k, line in enumerate(lines) if text in line)


def at_line(where: Stand, text: str) -> Stand:
    found = stand.to_line(where, line_with(where, text))
    assert found is not None
    return found


def words(where: Stand) -> str:
    return "\n".join(text for text, _ in saying.said(where))


def shown(lines) -> str:
    return "\n".join(text_of(line) for line in lines)


# ----- moments


def test_the_block_sum_ends_with_the_sum_in_shared_memory_and_in_its_argument():
    where = stand_of()
    end = where.walk.moment(where.walk.last)
    x = where.walk.run.arguments["x"]
    assert end.memory["part"].values[0] == pytest.approx(x.sum(), rel=1e-5)
    assert end.memory["out"].values[0] == where.walk.run.results["out"][0]


def test_backwards_shows_the_same_moments_as_forwards():
    def seen(where: Stand) -> str:
        moment = where.walk.moment(where.position)
        arrays = [(m.name, m.values.tobytes(), m.writer.tobytes()) for m in moment.memory.values()]
        return repr((moment.done, moment.registers, arrays)) + words(where)

    where = stand_of()
    ahead = [where]
    while ahead[-1].position < where.walk.last:
        ahead.append(stand.any_step(ahead[-1], 1))
    forwards = [seen(each) for each in ahead]
    back = [ahead[-1]]
    while back[-1].position:
        back.append(stand.any_step(back[-1], -1))
    assert [seen(each) for each in back[::-1]][1:] == forwards[1:]
    fresh = stand_of()
    middle = len(ahead) // 2
    assert seen(stand.any_step(fresh, middle)) == forwards[middle]


def test_no_number_is_shown_of_shared_memory_that_nobody_has_written():
    where = at_line(stand_of(), "part[t] = total")
    part = where.walk.moment(where.position).memory["part"]
    assert [part.known((k,)) for k in (0, 31, 32, 63)] == [True, True, False, False]
    rows = shown(memory.memory_lines(where, 110, 9)).splitlines()
    assert rows[3].split() == ["32", *"·" * 16]


# ----- lanes


def test_lanes_that_part_are_told_with_the_line_of_each_side():
    where = at_line(stand_of(SIDES, threads=64), "if i % 2")
    even, odd = line_with(where, "= x[i]"), line_with(where, "= x[2 * i]")
    assert f"they part: lanes 0, 2 … 30 → line {even}; lanes 1, 3 … 31 → line {odd}" in words(where)
    where = at_line(where, "= x[i]")
    assert [lane.state for lane in where.shown.lanes[:2]] == [State.RUNS, State.WAITS]
    assert f"lanes 1, 3 … 31 wait for the others at line {odd}" in words(where)


def test_the_source_says_how_many_lanes_are_at_each_line():
    where = at_line(stand_of(SIDES, threads=64), "= x[i]")
    lines = shown(source.source_lines(where, 100, 20, 0)).splitlines()
    assert any(line.startswith(" 16 ▶") and "out[i] = x[i]" in line for line in lines)
    assert any(line.startswith(" 16 ▷") and "x[2 * i]" in line for line in lines)


def test_waiting_lanes_are_dimmed_and_changed_numbers_marked():
    where = at_line(stand_of(), "half = threads")
    assert "•half 32" in shown(registers.register_lines(where, 118, 12))
    where = at_line(stand_of(), "total += x[i]")
    table = shown(registers.register_lines(where, 118, 12)).splitlines()
    assert next(row for row in table if row.startswith("total")).count("•") == 17
    away = at_line(stand_of(SIDES, threads=64), "= x[i]")
    assert shown(registers.register_lines(away, 118, 12)).splitlines()[1].split() == ["▼", "·"] * 8


def test_all_lanes_of_a_warp_fit_a_narrow_pane_as_colours():
    where = at_line(stand_of(), "total += x[i]")
    table = shown(registers.register_lines(where, 38, 7, colour=False)).splitlines()
    assert len(table[2]) <= 38
    assert table[1].count("▼") == 31
    assert "◆" in table[1]


# ----- traffic


def test_neighbouring_reads_are_one_segment_and_a_stride_is_named():
    where = at_line(stand_of(), "total += x[i]")
    assert "32 lanes read x[0…31]: 1 segment of 128 bytes, coalesced" in words(where)
    odd = at_line(stand_of(SIDES, threads=64), "= x[2 * i]")
    assert (
        "16 lanes read x[2], x[6] … x[62]: 2 segments of 128 bytes for 64 bytes of numbers"
        in words(odd)
    )
    assert "a stride of 4" in words(odd)


def test_a_column_of_a_tile_is_a_32_way_bank_conflict():
    where = at_line(stand_of(COLUMNS, threads=32), "out[t] = tile")
    assert "32 lanes read tile[0…31,0]: 32-way bank conflict" in words(where)
    assert "32 lanes write out[0…31]: 1 segment of 128 bytes, coalesced" in words(where)


def test_the_lane_that_is_looked_at_is_told_by_its_numbers():
    where = stand.other_lane(at_line(stand_of(), "total += x[i]"), 3)
    x = where.walk.run.arguments["x"]
    assert f"lane 3: x[3] → {x[3]:.4f}".replace("-", "−") in words(where)


# ----- moving


def test_n_goes_on_by_steps_of_this_warp_and_back_by_the_same():
    where = stand.step(stand.other_warp(stand_of(), 1), 1)
    assert where.walk.steps[where.position - 1].warp == 1
    on = stand.step(where, 3)
    assert stand.step(on, -3).position == where.position
    assert stand.step(where, -1).position == 0


def test_b_goes_to_where_the_whole_block_has_passed_a_barrier():
    where = stand.barrier(stand_of(), 1)
    assert where.epoch == 1
    assert {where.walk.steps[k].epoch for k in range(where.position)} == {0}
    assert stand.barrier(where, -1).position == 0
    assert stand.barrier(stand.go(where, where.walk.last), 1).position == where.walk.last


def test_c_stops_at_a_breakpoint_and_looks_at_the_warp_that_came_there():
    where = obey(stand_of(), f"break {line_with(stand_of(), '= part[0]')}")
    where = stand.run_on(where, 1)
    assert where.shown.line in where.stops
    assert where.shown.active == (0,)
    assert stand.run_on(where, 1).position == where.walk.last


def test_orders_go_to_lines_steps_warps_lanes_and_arrays_by_a_few_letters():
    where = obey(stand_of(), "li " + str(line_with(stand_of(), "part[t] = total")))
    assert where.shown.line == line_with(where, "part[t] = total")
    assert obey(where, "17").position == 17
    assert obey(where, "warp 1").warp == 1
    assert obey(where, "thread 40").thread == 40
    assert obey(where, "array out").array == "out"
    assert search(where, "SYNC", 1).cursor == line_with(where, "cuda.syncthreads()")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("line 1", "there is no line 1"),
        ("warp 7", "there is no warp 7\n  try: warp 0 to 1"),
        ("array q", "there is no array 'q'\n  try: part, x, out"),
        ("stpe 3", "no order 'stpe'\n  try: step"),
        ("search zebra", "no line holds 'zebra'"),
    ],
)
def test_an_order_that_cannot_be_done_says_what_can(order, said):
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        obey(stand_of(), order)


# ----- memory, time


def test_the_element_that_is_looked_at_names_its_last_writer():
    where = stand.go(stand_of(), stand_of().walk.last)
    line = text_of(memory.element_line(where, (0,)))
    assert "written by thread 0 (warp 0, lane 0)" in line
    assert f"line {line_with(where, 'part[t] += part')}" in line


def test_a_place_of_the_pane_is_the_element_that_is_drawn_there():
    where = stand.go(stand_of(), stand_of().walk.last)
    assert tables.place_at(where, 110, 9, 4 + 2 * 6, 2) == (18,)
    assert tables.beside(where, 110, 9, 1, 0) is not None


def test_the_timeline_has_a_barrier_for_each_epoch_and_is_heavy_up_to_the_position():
    where = stand.barrier(stand_of(), 2)
    rows = shown(timeline.timeline_lines(where, 100, 3)).splitlines()
    assert [row.count("┃") + row.count("│") for row in rows[:2]] == [7, 7]
    assert [row.count("┃") for row in rows[:2]] == [2, 2]
    assert rows[0].count("◆") == 1
    assert rows[1].count("◇") == 1


def test_the_timeline_of_more_epochs_than_columns_is_still_drawn():
    where = stand.barrier(stand_of(), 2)
    rows = shown(timeline.timeline_lines(where, 20, 3)).splitlines()
    assert all(len(row) <= 20 for row in rows)
    assert "◆" in rows[0]


# ----- faults, trials


@pytest.mark.parametrize("number", ["0", "1"])
def test_without_a_barrier_one_begins_at_the_race_with_element_threads_and_lines(number):
    where = stand_of(without_barrier=number)
    fault = where.fault
    assert fault is not None
    assert where.array == fault.array == "part"
    assert where.shown.line in fault.lines
    touched = [access.index for access in where.events[where.thread].accesses]
    assert fault.index in touched or not touched  # of a write that was refused nothing is kept
    assert where.walk.thread_number(fault.threads[-1]) == where.thread or fault.index in touched
    text = words(where)
    assert f"part[{fault.index[0]}]" in text
    assert all(f"thread {thread[0]}" in text for thread in fault.threads)
    lines = shown(source.source_lines(where, 110, 40, 0)).splitlines()
    assert sum("✗" in line for line in lines) == len(set(fault.lines))
    assert any("taken away" in line and "−" in line for line in lines)
    assert "✗" in shown(memory.memory_lines(where, 110, 9))
    assert "✗" in shown(timeline.timeline_lines(where, 100, 3))


def test_of_many_turns_of_a_line_that_one_is_meant_in_which_the_thread_touched_the_element():
    where = stand_of(HASTY, threads=32)
    assert where.fault is not None
    first, _ = sorted(stand.culprits(where.walk, where.fault))
    there = stand.go(where, first[0])
    assert [access.index for access in there.events[0].accesses] == [(1,), (1,)]


def test_from_before_the_fault_one_is_led_to_it():
    where = stand_of(without_barrier="1")
    back = stand.go(where, 0)
    assert words(back).count("✗") == 0
    assert stand.run_on(back, 1).position == where.position


def test_the_usual_trial_keeps_two_warps_busy_and_ends_ragged():
    found = telling(trials_of(BLOCK_SUM, "float32"))
    assert found.what == "n = 150"
    assert found.arguments[0].dtype == np.float32


# ----- what a pane says


def test_lanes_of_which_no_more_was_recorded_have_not_ended():
    found = launched(BLOCK_SUM, asked(blocks=1))
    run = record(found.kernel, found.dtype, found.launch, found.trial.arguments, limit=150)
    where = stand.begin(walk_of(run, 0))
    where = stand.go(where, where.walk.last)
    assert run.stopped
    assert {lane.state for lane in where.shown.lanes} <= {State.CUT, State.RUNS}
    assert "ended" not in words(where)
    assert " end" not in words(where).replace("the end", "")
    assert "were not recorded further" in words(where)


def test_recording_is_stopped_when_it_is_told_to():
    found = launched(BLOCK_SUM, asked(blocks=2, trial="n = 150"))
    counts = []

    def stop(count: int) -> bool:
        counts.append(count)
        return True

    assert not recorded(found, lambda count: False).stopped
    run = recorded(found, stop)
    assert len(counts) == 1
    assert run.stopped.startswith(f"stopped after {counts[0]:,} lines")


def test_a_block_that_was_not_reached_is_recorded_alone_when_it_is_asked_for():
    found = launched(BLOCK_SUM, asked(blocks=3, trial="n = 150"))
    told = []

    def stop_the_first(count: int) -> bool:
        told.append(count)
        return len(told) == 1

    run = recorded(found, stop_the_first, 2)
    assert not run.stopped
    assert [block.block for block in run.runs] == [(2, 0, 0)]
    told.clear()
    run = recorded(found, stop_the_first, 0)
    assert [block.block for block in run.runs] == [(0, 0, 0)]
    assert run.stopped.endswith("--block 1 keeps that block alone")
    assert "not recorded to its end" in text_of(
        heading.status_line(stand.begin(walk_of(run, 0)), "", 120)
    )


def test_work_that_lasts_tells_how_far_it_is_and_is_stopped_from_another_thread():
    seen = threading.Event()

    def make(tell):
        while not tell(7):
            seen.set()
        return "stopped"

    work = Work(make)
    work.thread.start()
    assert seen.wait(20)
    assert work.count == 7
    work.stopping.set()
    work.thread.join(20)
    assert work.done
    assert work.made == ["stopped"]


def test_work_that_raises_raises_where_it_is_waited_for():
    def make(tell):
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        waited_for("it", make)
    assert waited_for("it", lambda tell: 3) == 3


def test_lanes_out_of_sight_are_told_and_reached_by_pages():
    where = at_line(stand_of(), "total += x[i]")
    assert registers.title(where, 118).endswith("lanes 0–15 of 32 ›")
    there = registers.other_lanes(stand.other_lane(where, 3), 118, 1)
    assert there.lane == 19
    assert registers.title(there, 118).endswith("‹ lanes 16–31 of 32")
    assert registers.other_lanes(there, 118, 1).lane == 3
    assert "of 32" not in registers.title(where, 210)


def test_the_number_behind_a_row_has_a_heading():
    where = stand.other_lane(at_line(stand_of(), "total += x[i]"), 3)
    table = shown(registers.register_lines(where, 118, 12)).splitlines()
    assert table[0].endswith("lane 3")
    row = next(line for line in table if line.startswith("total"))
    assert len(table[0].rstrip()) >= row.rindex(" ")


def test_registers_that_no_lane_has_yet_take_no_row():
    where = at_line(stand_of(), "t = cuda.threadIdx.x")
    assert registers.known(where) == ["t"]
    assert "·" not in shown(registers.register_lines(where, 118, 12)[2:])


def test_whole_numbers_are_written_with_all_their_digits():
    kernel = Kernel("wide", "moving", _wide, "i8[:]", _wide_trials, launches=(Launch(1, 32),))
    where = at_line(stand_of(kernel, threads=32), "x[t] = k")
    table = shown(registers.register_lines(where, 118, 12))
    assert "2147483652" in table
    assert "e+" not in table
    end = stand.go(where, where.walk.last)
    assert "2147483652" in shown(memory.memory_lines(end, 118, 12))


def test_a_negative_number_has_as_many_digits_as_a_positive_one():
    limits = Limits(1.0, signed=True)
    texts = [cell(value, 6, limits)[0].text for value in (0.38, -0.38)]
    assert texts == ["  0.38", " −0.38"]


def test_no_cell_has_half_a_bracket():
    for colour in (True, False):
        for sign in ("", "→", "✗"):
            for value in (1, 2450, -1.25):
                spans = cell(value, 6, Limits(1.0, True), sign=sign, chosen=True, colour=colour)
                text = "".join(each.text for each in spans)
                assert len(text) == 6
                assert text.count("[") == text.count("]")


def test_dimmed_lanes_are_no_signs_where_there_are_colours():
    where = at_line(stand_of(SIDES, threads=64), "= x[i]")
    table = shown(registers.register_lines(where, 40, 7)).splitlines()
    assert not set("+-=#") & set("".join(table[2:]))
    assert registers.subtitle(where, 60, colour=False).startswith("= - · + #")


def test_columns_of_shared_memory_stand_above_their_numbers():
    where = at_line(stand_of(), "part[t] = total")
    ruler, *rows = shown(memory.memory_lines(where, 110, 9)).splitlines()
    assert next(k for k, sign in enumerate(ruler) if sign != " ") == rows[2].index("·")


def test_captions_are_chosen_by_the_room_for_them():
    where = stand.go(stand_of(), stand_of().walk.last)
    for width in (18, 30, 44, 60, 118):
        assert len(registers.subtitle(where, width)) <= width
        assert (
            "…" not in shown(memory.memory_lines(where, width, 9)[-1:]).replace("0…", "")
            or width < 30
        )
    assert (
        memory.title(where, 24) == "shared part float32[64]"[:20]
        or len(memory.title(where, 24)) <= 20
    )


def test_a_fault_in_few_lines_says_what_who_and_what_to_try():
    where = stand_of(without_barrier="0")
    lines = [text_of(line) for line in saying.saying_lines(where, 58, 4)]
    assert lines[0].startswith("✗ race on part[")
    assert "thread 0" in lines[1]
    assert any(line.startswith("try: ") for line in lines)


def test_all_that_takes_part_in_a_fault_is_in_sight_where_it_has_room():
    where = stand_of(without_barrier="0")
    wanted = {*where.fault.lines, where.removed}
    height = max(wanted) - min(wanted) + 1
    top = source.scrolled(where, 0, height)
    first = where.walk.run.first_line + top
    assert wanted <= set(range(first, first + height))


def _called(cuda, math, T, threads):
    def added(x, i):
        found = x[i]
        return found + x[i + 1]

    def kernel(x, out):
        i = cuda.grid(1)
        out[i] = added(x, i)
        if i < 3:
            out[i] = added(x, 2 * i)

    return kernel


CALLED = Kernel("called", "moving", _called, "T[:] T[:]", SIDES.trials)


def test_a_step_goes_into_a_device_function_over_it_or_out_of_it():
    where = stand_of(CALLED, threads=32)
    before = at_line(where, "i = cuda.grid")
    inside = stand.step(before, 1)
    assert inside.shown.line == line_of(where, "def added")
    assert "all 32 lanes run line" in words(inside)
    assert "of added" in words(inside)
    behind = stand.over(before, 1)
    assert behind.shown.line == line_of(where, "out[i] = added(x, i)")
    assert stand.over(behind, -1).position == before.position
    assert (
        stand.out(inside, 1).position
        == stand.out(stand.over(inside, 1), 1).position
        == behind.position
    )
    assert stand.over(inside, 2).shown.line == line_of(where, "return found")
    assert stand.over(inside, 3).position == behind.position
    assert stand.out(inside, -1).position == before.position
    assert stand.over(before, 100).position == where.walk.last
    assert stand.over(behind, -100).position == 0
    assert obey(before, "next").position == behind.position
    assert obey(inside, "finish").position == behind.position


def line_of(where: Stand, text: str) -> int:
    """The number of the first listed line that holds a text."""
    return next(row.line for row in where.walk.listed if text in row.text)


def test_the_source_lists_device_functions_and_says_who_calls_them():
    where = stand.step(at_line(stand_of(CALLED, threads=32), "if i < 3"), 2)
    page = shown(source.source_lines(where, 60, 20, 0)).splitlines()
    assert [row.split()[-1] for row in page[:2]] == ["i):", "x[i]"]
    assert page[3].startswith("┄")
    assert page[1].startswith("  3 ▶")
    caller = line_of(where, "out[i] = added(x, 2 * i)")
    first = line_of(where, "def added")
    assert source.title(where) == f"added · test_stepper.py:{first} · called in line {caller}"
    assert "lane 0: x[0] → 0, added.found = 0" in words(where)
    assert search(where, "cuda.grid", 1).cursor == line_of(where, "cuda.grid")
    assert source.title(search(where, "cuda.grid", 1)).startswith("called · ")
    with pytest.raises(UsageError, match=f"there is no line {first + 3}"):
        obey(where, f"line {first + 3}")
    assert obey(where, f"line {first + 2}").shown.line == first + 2


def test_the_numbers_of_a_device_function_are_gone_when_it_has_ended():
    where = stand.step(at_line(stand_of(CALLED, threads=32), "i = cuda.grid"), 2)
    assert where.walk.moment(where.position).registers[5] == {
        "i": 5,
        "added.i": 5,
        "added.found": 5,
    }
    where = stand.step(where, 1)
    assert where.walk.moment(where.position).registers[5]["added.return"] == 11
    where = stand.step(where, 1)
    assert where.walk.moment(where.position).registers[5] == {"i": 5}


@pytest.mark.parametrize(("height", "colours"), [(3, 0), (4, 1), (5, 2)])
def test_a_low_pane_has_the_numbers_of_the_lane_where_not_all_rows_fit(height, colours):
    where = stand.other_lane(at_line(stand_of(), "part[t] += part"), 3)
    lines = shown(registers.register_lines(where, 39, height)).splitlines()
    assert len(lines) <= height
    text = " ".join(lines)
    assert "lane 3:  t 3" in text
    assert "i 131" in text
    assert "half 32" in text
    assert sum(line.startswith(("t ", "i ", "total ")) for line in lines) == colours
    tall = shown(registers.register_lines(where, 39, 6))
    assert "lane 3:" not in tall
    assert "same in all lanes:" in tall


def test_one_lane_has_the_words_of_one():
    where = stand_of(threads=1)
    end = words(stand.go(where, where.walk.last))
    assert "lane 0 ends" in end
    assert registers.title(where).endswith(": thread 0")
    assert launch_text(Launch(1, 1)) == "1 block of 1 thread"


def test_words_of_gdb_are_known():
    assert obey(stand_of(), "next 3").position == stand.step(stand_of(), 3).position
    assert obey(stand_of(), "continue").position == stand_of().walk.last
    assert obey(stand_of(), "print out").array == "out"


def test_small_arrays_stand_beside_each_other_where_there_is_room():
    kernel = Kernel("tiles", "moving", _tiles, "T[:,:] T[:,:]", _tile_trials)
    where = stand_of(kernel, threads=32)
    wide, narrow = (
        shown(memory.memory_lines(where, width, 24)).splitlines() for width in (200, 90)
    )
    assert "argument b float32[8,8]" in wide[0]
    assert wide[1].split().count("63") == 0
    assert wide[8].split()[-1] == "63"
    assert "argument b float32[8,8]" not in narrow[0]
    assert any(row.startswith("argument b") for row in narrow)


def _tiles(cuda, math, T, threads):
    def kernel(a, b):
        a[0, 0] = b[0, 0]

    return kernel


def _tile_trials(rng, T):
    yield Trial((np.zeros((8, 8), T), np.arange(64, dtype=T).reshape(8, 8)), {})
