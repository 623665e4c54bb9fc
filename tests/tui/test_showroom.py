"""`gradstep gallery`, `--set` and the order `knob`: what is printed, what is turned, what is refused."""

from __future__ import annotations

import dataclasses
import json

import pytest

import tracer as tr
from gallery import GALLERY, SECTIONS
from gallery.entry import Fact
from gallery.knobs import Knob
from tracer.errors import GradstepError
from tui.batch import led
from tui.ink import text_of
from tui.networks import Network, network
from tui.orders import obey
from tui.projects import Project
from tui.recorder.playing import play
from tui.session import Session
from tui.sessions import Deed, parsed
from tui.showroom.comparison import numbers_of
from tui.showroom.drawing import small_drawing
from tui.showroom.listing import found, marks
from tui.targets import resolve


def named(out: str) -> list[str]:
    """The names that a list of the gallery prints."""
    words = [line.split() for line in out.splitlines()]
    return [line[1] for line in words if len(line) > 2 and line[0].isdecimal()]


@pytest.fixture
def factor(monkeypatch):
    """An entry under the name of `circuit` whose only node is a number times x, and x is a knob as the number is."""

    def build(by: float = 2.0, x: float = 3.0, times: int = 1) -> tr.Tensor:
        y = tr.tensor(x, name="x")
        for _ in range(times):
            y = y * by
        return y

    entry = dataclasses.replace(
        GALLERY["circuit"],
        build=build,
        values={"x": "3"},
        gradients={},
        derivation="",
        facts=(),
        knobs=(
            Knob("by", 2.0, "the factor", low=0, high=10),
            Knob("x", 3.0, "what is multiplied"),
            Knob("times", 1, "how often", low=1, high=5),
        ),
    )
    monkeypatch.setitem(GALLERY, "circuit", entry)
    return entry


def session_of(name: str) -> Session:
    target = resolve(name)
    return Session(target.trace, title=target.title, again=target.again, network=target.network)


# ----- the list


def test_the_gallery_is_listed_by_sections_with_numbers_and_marks(gradstep):
    status, out, _ = gradstep("gallery")
    assert status == 0
    assert named(out) == list(GALLERY)
    lines = out.splitlines()
    assert [line for line in lines if line in SECTIONS] == [s for s, e in SECTIONS.items() if e]
    for number, (name, entry) in enumerate(GALLERY.items(), start=1):
        (row,) = (line for line in lines if line.startswith(f"{number:>3}  {name} "))
        assert row.split()[2] == marks(entry)


def test_the_list_fits_the_terminal_and_breaks_between_words(gradstep, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = gradstep("gallery")[1]
    assert max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    assert all(" ".join(entry.caption.split()) in words for entry in GALLERY.values())


def test_the_gallery_is_searched_by_words_that_all_have_to_be_there(gradstep):
    out = gradstep("gallery", "Koehn")[1]
    assert "xor" in named(out)
    assert "circuit" not in named(out)
    assert len(found(["recurrent"])) > len(found(["recurrent", "names"])) > 0
    assert [entry.name for entry in found(["GATES", "circuits"])][:1]


def test_what_matches_nothing_names_the_closest(gradstep):
    status, out, err = gradstep("gallery", "xr")
    assert (status, out) == (2, "")
    assert "did you mean xor?" in err
    assert "try: gradstep gallery" in err


def test_the_list_as_json_holds_the_facts_of_each_entry(gradstep):
    entries = json.loads(gradstep("gallery", "--json")[1])
    assert [entry["name"] for entry in entries] == list(GALLERY)
    assert set(entries[0]) >= {"section", "caption", "source", "knobs", "derivation"}
    assert "numbers" not in entries[0]  # nothing is built
    (one,) = json.loads(gradstep("gallery", "xor", "--json")[1])
    assert one["section"] == "Two-layer networks"


def test_the_json_of_one_entry_has_its_numbers_and_its_knobs_as_they_are_turned(gradstep, factor):
    (one,) = json.loads(gradstep("gallery", "circuit", "--json")[1])
    rows = numbers_of(factor)
    assert [row["recorded"] for row in one["numbers"]] == [row.recorded for row in rows]
    assert {"node", "what", "printed", "agrees", "origin"} <= set(one["numbers"][0])
    (turned,) = json.loads(gradstep("gallery", "circuit", "--json", "--set", "by=5")[1])
    assert turned["numbers"] == []
    assert turned["knobs"][0]["value"] == 5
    status, out, err = gradstep("gallery", "circuit", "--json", "--set", "a=1")
    assert (status, out) == (2, "")
    assert "no knob 'a'" in err


def test_the_json_of_all_has_the_numbers_of_each(gradstep, factor, monkeypatch):
    for module in ("answers", "listing"):
        monkeypatch.setattr(f"tui.showroom.{module}.GALLERY", {"circuit": factor})
    (one,) = json.loads(gradstep("gallery", "--all", "--json")[1])
    assert len(one["numbers"]) == len(numbers_of(factor))


def test_the_knobs_of_a_training_stand_apart_with_the_command_that_takes_them(gradstep):
    lines = gradstep("gallery", "xor")[1].splitlines()
    heading = "knobs of its training, for gradstep train xor --set NAME=VALUE"
    assert lines[lines.index(heading) + 1].split("=")[0].strip() in [
        knob.name for knob in GALLERY["xor"].training.knobs
    ]
    assert ("knobs, for --set NAME=VALUE and :knob" in lines) == bool(GALLERY["xor"].knobs)


# ----- the page of an entry


def test_the_page_of_an_entry_has_its_drawing_and_the_numbers_expected_beside_the_recorded(
    gradstep,
):
    status, out, _ = gradstep("gallery", "circuit")
    assert status == 0
    entry = GALLERY["circuit"]
    assert out.count("✓") == len(entry.values) + len(entry.gradients) + len(entry.facts)
    assert "✗" not in out
    assert "CS188" in out
    assert "╭ q add" in out
    assert "dL/dq = z" in out
    assert "gradstep open circuit" in out
    assert out == gradstep("gallery", "1")[1]


def test_a_number_that_differs_is_marked_and_the_table_of_all_says_so(
    gradstep, factor, monkeypatch
):
    for module in ("answers", "comparison"):
        monkeypatch.setattr(f"tui.showroom.{module}.GALLERY", {"circuit": factor})
    assert gradstep("gallery", "--all")[0] == 0
    wrong = dataclasses.replace(factor, values={"x": "4"})
    monkeypatch.setitem(GALLERY, "circuit", wrong)
    assert (
        "x     value  4         3         published  ✗ differs" in gradstep("gallery", "circuit")[1]
    )
    monkeypatch.setattr("tui.showroom.comparison.GALLERY", {"circuit": wrong})
    status, out, _ = gradstep("gallery", "--all")
    assert status == 1
    assert "1 networks; numbers or rows of them: 1 published; 1 differ" in out


def test_many_numbers_go_on_below_each_beside_its_own(gradstep, factor, monkeypatch):
    digits = " ".join(f"{k}.00000" for k in range(10))
    long = Fact("ten numbers", digits, lambda trace: list(range(10)))
    monkeypatch.setitem(GALLERY, "circuit", dataclasses.replace(factor, facts=(long,)))
    monkeypatch.setenv("COLUMNS", "80")
    out = gradstep("gallery", "circuit")[1]
    rows = [line for line in out.splitlines() if ".00000" in line]
    assert max(map(len, rows)) <= 80
    for row in rows:
        numbers = [word for word in row.split() if word.endswith(".00000")]
        half = len(numbers) // 2
        assert numbers[:half] == numbers[half:]
    assert rows[-1].endswith("✓")


def test_turned_knobs_are_on_the_page_and_no_numbers_are_compared(gradstep, factor):
    out = gradstep("gallery", "circuit", "--set", "by=5")[1]
    assert out.startswith("circuit by=5  Circuits\n")
    assert "by=5     the factor; default 2; a number from 0 to 10" in out
    assert "numbers expected are those of the default settings" in out
    assert "✓" not in out
    assert "gradstep open circuit --set by=5" in out
    assert "by=5" not in gradstep("gallery", "circuit", "--set", "by=2")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--all", "xor"), "--all is about every network"),
        (("--set", "a=1"), "--set turns a knob of one network"),
        (("circuit", "--set", "a"), "'a' turns no knob"),
        (("circuit", "--set", "nosuch=1"), "circuit: no knob 'nosuch'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_cure(gradstep, words, said):
    status, out, err = gradstep("gallery", *words)
    assert (status, out) == (2, "")
    assert said in err
    assert "\n  try: " in err


# ----- small drawings


@pytest.mark.parametrize("name", ["circuit", "xor", "rnn", "batchnorm:digits", "lstm"])
@pytest.mark.parametrize("width", [30, 44, 72, 100])
def test_a_small_drawing_fits_its_place(name, width):
    lines = small_drawing(tr.trace(GALLERY[name].build()), width, 20)
    assert 0 < len(lines) <= 20
    assert max(len(text_of(line)) for line in lines) <= width


def test_a_small_drawing_has_numbers_where_they_fit_and_names_where_they_do_not():
    trace = tr.trace(GALLERY["circuit"].build())
    roomy = "\n".join(map(text_of, small_drawing(trace, 60, 20)))
    tight = "\n".join(map(text_of, small_drawing(trace, 40, 5)))
    assert all(text in roomy for text in ("−12", "∂      −4", "q add"))
    assert "│ q ├" in tight
    assert "−12" not in tight


# ----- --set


@pytest.mark.parametrize("command", ["show", "check", "open"])
def test_a_turned_knob_is_in_the_title_and_in_the_numbers(gradstep, factor, command):
    status, out, _ = gradstep(command, "circuit", "--set", "by=5", "--set", "x=-1")
    assert status == 0
    assert "circuit by=5 x=-1" in out
    if command != "check":
        assert "−5" in out


def test_a_turned_knob_is_drawn_and_verified(gradstep, factor, tmp_path):
    assert "−4" in gradstep("diagram", "circuit", "--set", "x=-2")[1]
    mine = tmp_path / "mine.txt"
    mine.write_text("dL/dx = 5\n")
    assert gradstep("verify", "circuit", mine, "--set", "by=5")[0] == 0
    status, out, _ = gradstep("verify", "circuit", mine)
    assert status == 1
    assert "--set" not in out


@pytest.mark.parametrize(
    ("target", "word", "said"),
    [
        ("circuit", "by=11", "circuit: by: 11 is not a number from 0 to 10\n  try: by=2"),
        ("circuit", "times=1.5", "times: '1.5' is not a whole number from 1 to 5"),
        ("circuit", "bye=3", "circuit: no knob 'bye': it has by, x, times\n  try: by=3"),
        ("net.py", "by=3", "net.py has no knobs to turn"),
        ("net.py:loss", "by=3", "net.py:loss has no knobs to turn"),
        ("one.trace", "by=3", "one.trace has no knobs to turn"),
        ("nosuch", "by=3", "no network 'nosuch' in the gallery"),
    ],
)
def test_a_knob_that_cannot_be_turned_is_refused(gradstep, factor, target, word, said):
    for command in ("show", "open", "diagram", "check", "verify"):
        status, out, err = gradstep(command, target, "--set", word)
        assert (status, out) == (2, "")
        assert said in err
        assert "\n  try: " in err
        assert len(err.splitlines()) == 2


def test_a_network_without_knobs_says_so(gradstep, factor, monkeypatch):
    monkeypatch.setitem(GALLERY, "circuit", dataclasses.replace(factor, knobs=()))
    err = gradstep("show", "circuit", "--set", "by=3")[2]
    assert "circuit: no knob 'by': it has none to turn" in err


# ----- the order


def test_the_order_lists_the_knobs_with_value_default_meaning_and_range(factor):
    session = session_of("circuit")
    obey(session, "knob by=5")
    page = obey(session, "knob")
    assert page.heading == "knobs of circuit"
    assert [text_of(line) for line in page.lines] == [
        "by=5     the factor; default 2; a number from 0 to 10",
        "x=3      what is multiplied; a number",
        "times=1  how often; a whole number from 1 to 5",
    ]
    assert obey(session, "knob by") is None
    assert session.message == "by=5: the factor; default 2; a number from 0 to 10"


def test_a_turned_knob_builds_the_network_again_at_the_same_step(factor):
    session = session_of("circuit")
    for line in ("break op:mul", "end", "select x", "knob by=5 times=2"):
        obey(session, line)
    assert session.title == "circuit by=5 times=2"
    assert session.trace.value(session.trace.loss) == 75.0
    assert session.trace.label(session.selected) == "x"
    assert session.debugger.position > 0
    assert len(session.debugger.breakpoints) == 1
    assert session.message.startswith("by 2 → 5, times 1 → 2; loss 6 → 75")
    obey(session, "rerun")
    assert session.trace.value(session.trace.loss) == 75.0
    obey(session, "knob by=default")
    assert session.title == "circuit times=2"
    obey(session, "knob default")
    assert session.title == "circuit"
    assert session.trace.value(session.trace.loss) == 6.0


def test_plus_and_minus_turn_a_knob_by_a_step(factor):
    session = session_of("circuit")
    obey(session, "knob by +")
    assert session.network.settings["by"] == pytest.approx(2.1)
    obey(session, "knob by -")
    obey(session, "knob by -")
    assert session.network.settings["by"] == pytest.approx(1.9)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("knob by=11", "by: 11 is not a number from 0 to 10"),
        ("knob bye", "no knob 'bye': it has by, x, times"),
        ("knob by 5", "by 5 turns no knob: try knob by=5"),
        ("knob by=", "'by=' turns no knob"),
    ],
)
def test_an_order_that_turns_no_knob_changes_nothing_and_says_why(factor, line, said):
    session = session_of("circuit")
    before = session.trace
    with pytest.raises(GradstepError, match=r"knob|by") as refused:
        obey(session, line)
    assert said in str(refused.value)
    assert session.trace is before
    assert session.title == "circuit"


def test_a_trace_that_is_of_no_network_has_no_knobs(circuit):
    with pytest.raises(GradstepError, match="only networks of the gallery have knobs"):
        obey(Session(circuit), "knob")


def test_names_and_values_of_knobs_are_completed(factor):
    from tui.completion import offer

    session = session_of("circuit")
    assert offer(session, "knob ").words == ("x=", "by=", "times=", "default")
    assert offer(session, "knob t").words[0] == "times="
    assert offer(session, "knob by=5 ti").words == ("by=5 times=",)
    assert "by=default" in offer(session, "knob by=").words


def test_a_saved_session_turns_the_knobs_again(factor, gradstep, tmp_path):
    file = tmp_path / "one.txt"
    out = gradstep(
        *("open", "circuit", "--set", "by=5", "--batch"),
        *("-ex", "end", "-ex", "knob x=2", "-ex", f"save {file}"),
    )[1]
    assert "gradstep open circuit -x" in out
    assert "# target: circuit\n" in file.read_text()
    assert file.read_text().split("\n\n")[1].splitlines() == ["knob by=5", "end", "knob x=2"]
    again = gradstep("open", "circuit", "--batch", "-x", file, "-ex", "knob")[1]
    assert "by=5" in again
    assert "x=2" in again


def test_a_knob_is_turned_on_the_screen(factor):
    frames = play(resolve("circuit"), parsed("end\nknob by=5").deeds, size=(120, 36))
    assert "graph ▸ circuit by=5" in frames[-1].picture.text
    assert "by 2 → 5" in frames[-1].picture.text


# ----- where the debugger begins


LEAD = (Deed("break op:mul"), Deed("continue"), Deed("view layers"))


def test_an_entry_is_opened_where_its_orders_lead(factor):
    session = session_of("circuit")
    assert led(session, LEAD) == []
    assert session.debugger.position > 0
    assert session.view == "layers"
    assert session.log == [deed.order for deed in LEAD]
    at = f"step {session.debugger.position} of {session.debugger.timeline.last}"
    assert session.message == f"opened at its point of interest, {at}; g goes to the start"


def test_breakpoints_of_the_last_time_come_before_those_of_the_entry(factor, tmp_path):
    file = tmp_path / ".gradstep"
    file.write_text("[circuit]\nbreak x\n")
    session, project = session_of("circuit"), Project(file, "circuit")
    project.restore(session)
    led(session, LEAD)
    project.begin(session)
    assert [each.text for each in session.debugger.breakpoints] == ["x"]
    assert session.debugger.position == 0
    assert session.view == "layers"
    assert session.message == "1 breakpoint of the last time"


def test_breakpoints_of_the_entry_alone_are_not_kept_as_the_users(factor, tmp_path):
    session, project = session_of("circuit"), Project(tmp_path / ".gradstep", "circuit")
    project.restore(session)
    led(session, LEAD)
    project.begin(session)
    assert project.keep(session) == ""
    assert not project.file.exists()
    obey(session, "break x")
    project.keep(session)
    assert "break x" in project.file.read_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ("break op:mul",)),
        (("-ex", "end"), ("break op:mul",)),
        (("-x", "saved.txt"), ()),
        (("-x", "plain.txt"), ("break op:mul",)),
    ],
)
def test_orders_of_an_entry_are_done_unless_a_saved_session_is_done_again(
    factor, gradstep, monkeypatch, tmp_path, words, expected
):
    opened = []
    led_by = dataclasses.replace(factor, orders=("break op:mul",))
    monkeypatch.setitem(GALLERY, "circuit", led_by)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved.txt").write_text("# gradstep 0.1.0\n# target: circuit\n\nend\n")
    (tmp_path / "plain.txt").write_text("end\n")
    monkeypatch.setattr(
        "tui.opening.step_through", lambda target, wishes: opened.append(wishes.lead) or 0
    )
    assert gradstep("open", "circuit", *words)[0] == 0
    assert [deed.order for deed in opened[0]] == list(expected)


def test_a_network_counts_as_turned_only_where_it_differs_from_its_defaults(factor):
    assert network("circuit", ["by=2", "x=4"]).turned == {"x": 4.0}
    assert Network(factor).title == "circuit"
    assert network("1", ["x=4"]).title == "circuit x=4"
