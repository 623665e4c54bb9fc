"""Pictures of the screen: what is drawn is what was on it, cell by cell, frame by frame, the same bytes every time."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.color import Color
from rich.style import Style
from rich.terminal_theme import MONOKAI

import tracer as tr
from tracer.diagrams.animation.showtimes import LAST
from tracer.errors import GradstepError
from tui.recorder.camera import Pens, picture_of
from tui.recorder.film import Frame, durations, film
from tui.recorder.glyphs import HEIGHT, WIDTH, Box, arms, merged, shape
from tui.recorder.picture import Pen, Picture, Stretch
from tui.recorder.playing import keys_of, play
from tui.recorder.recording import Wishes, record
from tui.recorder.svg import BASELINE, svg
from tui.scripts import UsageError
from tui.sessions import parsed, read_session, written
from tui.targets import Target, resolve

SVG = "{http://www.w3.org/2000/svg}"
PEN = Pen("#aaaaaa", "#000000")
ROOT = Path(__file__).resolve().parents[2]
TOURS = sorted((ROOT / "gallery" / "tours").glob("*.txt"))


def picture(*lines: str, pen: Pen = PEN) -> Picture:
    stretches = tuple(Stretch(0, y, line, pen) for y, line in enumerate(lines))
    return Picture(max(map(len, lines)), len(lines), stretches, PEN.paper)


def unwritten(text: str) -> str:
    """A text without what is drawn rather than written."""
    return "".join(" " if c > "\x7f" and shape(c) else c for c in text)


def read_back(elements, width: int, height: int) -> str:
    """The characters that text elements of an SVG put into the cells of a screen."""
    cells = [[" "] * width for _ in range(height)]
    for element in elements:
        places = [int(place) for place in element.get("x").split()]
        y = (int(element.get("y")) - BASELINE) // HEIGHT
        if len(places) == 1:
            places = [places[0] + WIDTH * n for n in range(len(element.text))]
        for place, character in zip(places, element.text, strict=True):
            cells[y][place // WIDTH] = character
    return "".join("".join(line).rstrip() + "\n" for line in cells)


def screen_of(text: str):
    """The part of an SVG that holds the screen."""
    return ElementTree.fromstring(text).find(f"{SVG}g[@transform]")


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    deeds = parsed("# of\n\nnext 2\nstep\nzoom\nzoom\nnext 9").deeds
    return play(resolve("circuit"), deeds, size=(90, 26))


LINES = [
    chr(code)
    for code in range(0x2500, 0x2580)
    if not any(word in unicodedata.name(chr(code)) for word in ("DIAGONAL", "ARC", "DASH"))
]


@pytest.mark.parametrize("character", LINES)
def test_a_wire_reaches_exactly_the_sides_that_its_name_says(character):
    boxes = shape(character).boxes
    touched = {
        "left": any(box.x == 0 for box in boxes),
        "right": any(box.x + box.w == WIDTH for box in boxes),
        "up": any(box.y == 0 for box in boxes),
        "down": any(box.y + box.h == HEIGHT for box in boxes),
    }
    named = arms(unicodedata.name(character).removeprefix("BOX DRAWINGS "))
    assert {side for side, on in touched.items() if on} == set(named)
    assert len({box.y for box in boxes if box.x == 0}) == (
        0 if "left" not in named else 2 if named["left"] == "double" else 1
    )


@pytest.mark.parametrize(
    ("character", "share"),
    [("█", 1), ("▀", 0.5), ("▂", 0.25), ("▏", 0.125), ("▚", 0.5), ("⣿", 0.25), ("▓", 0.75)],
)
def test_a_block_covers_the_share_of_its_cell_that_it_should(character, share):
    found = shape(character)
    area = sum(box.w * box.h for box in found.boxes) * found.cover
    assert area == pytest.approx(share * WIDTH * HEIGHT)


def test_fewer_boxes_cover_the_same_cells():
    rng = random.Random(0)
    for _ in range(200):
        boxes = {
            Box(rng.randrange(4) * 2, rng.randrange(4) * 2, 2, 2) for _ in range(rng.randrange(12))
        }
        joined = merged(boxes)
        covered = [
            (x, y)
            for box in joined
            for x in range(int(box.x), int(box.x + box.w))
            for y in range(int(box.y), int(box.y + box.h))
        ]
        assert len(covered) == len(set(covered)) == 4 * len(boxes)
        assert len(joined) <= len(boxes)


def test_a_frame_is_drawn_in_a_few_boxes():
    boxes = screen_of(svg(picture("┌────┐", "│    │", "└────┘"))).findall(f"{SVG}path")
    assert sum(path.get("d").count("M") for path in boxes) <= 6


def test_every_character_stands_in_its_cell(frames):
    for frame in frames:
        shown = frame.picture
        words = screen_of(svg(shown)).iter(f"{SVG}text")
        assert read_back(words, shown.width, shown.height) == "".join(
            unwritten(line).rstrip() + "\n" for line in shown.text.splitlines()
        )


def test_what_comes_from_anywhere_cannot_break_the_file():
    shown = picture("<b>&amp;", "]]> \"'", pen=PEN._replace(bold=True))
    found = [element.text for element in screen_of(svg(shown, '<&">')).iter(f"{SVG}text")]
    assert found == ["<b>&amp;", "]]> \"'"]


def test_a_wide_character_takes_two_cells_and_an_accent_none():
    shown = Picture(8, 1, (Stretch(0, 0, "網x̂ a", PEN),), PEN.paper)
    (word,) = screen_of(svg(shown)).iter(f"{SVG}text")
    assert word.get("x") == "0 16 16 24 32"


def test_reverse_and_dim_are_worked_out():
    pens = Pens(Color.parse("#ffffff"), Color.parse("#000000"), MONOKAI)
    assert pens(Style(reverse=True))[:2] == ("#000000", "#ffffff")
    assert pens(Style.parse("dim #ffffff on #000000")).ink not in ("#ffffff", "#000000")
    assert pens(None) == Pen("#ffffff", "#000000")
    assert pens(Style.parse("bold red")).bold


def test_a_page_lies_on_the_panes_in_the_picture(circuit, at_desk):
    async def script(desk):
        await desk.press("question_mark")
        text = picture_of(desk.app).text
        assert "╭─ help" in text
        assert "START" in text

    at_desk(circuit, script, size=(120, 36))


def test_the_same_session_gives_the_same_bytes(tmp_path):
    session = tmp_path / "tour.txt"
    session.write_text("# target: batchnorm:digits\n\nend 9\nselect xhat\n")
    made = [record(session, tmp_path / f"{n}.svg", Wishes(pause=0.5)) for n in range(2)]
    assert made[0].read_bytes() == made[1].read_bytes()


# ----- films


def visible_at(text: str, moment: float) -> list[ElementTree.Element]:
    """The text elements of the screen that are visible at a share of the whole time, by the rules of CSS."""
    style = ElementTree.fromstring(text).find(f"{SVG}style").text
    on = {}
    for name, steps in re.findall(r"@keyframes (f\d+)\{((?:[^{}]+\{[^{}]*\})+)\}", style):
        changes = re.findall(r"([\d.]+)%\{visibility:(\w+)\}", steps)
        on[name] = [how for start, how in changes if float(start) <= 100 * moment][-1] == "visible"
    screen = screen_of(text)
    found = screen.findall(f"{SVG}text")
    for group in screen.findall(f"{SVG}g"):
        if on[group.get("class")]:
            found += group.findall(f"{SVG}text")
    return found


def test_each_frame_of_a_film_shows_its_screen_and_nothing_else(frames):
    text = film(frames, pause=1.0)
    seconds = durations(frames, 1.0)
    for number, frame in enumerate(frames):
        moment = (sum(seconds[:number]) + 0.5) / sum(seconds)
        shown = frame.picture
        assert read_back(visible_at(text, moment), shown.width, shown.height) == "".join(
            unwritten(line).rstrip() + "\n" for line in shown.text.splitlines()
        ), number


def test_what_does_not_change_is_in_a_film_once(frames):
    text = film(frames)
    assert len(text) < 0.6 * sum(len(svg(frame.picture)) for frame in frames)
    words = [element.text for element in screen_of(text).iter(f"{SVG}text")]
    assert words.count("tape") == 1


def test_without_motion_a_film_shows_its_last_frame(frames):
    text = film(frames)
    style = ElementTree.fromstring(text).find(f"{SVG}style").text
    assert "prefers-reduced-motion:reduce" in style
    hidden = set(re.findall(r"g\.(f\d+)\{visibility:hidden", style))
    screen = screen_of(text)
    found = screen.findall(f"{SVG}text")
    for group in screen.findall(f"{SVG}g"):
        found += group.findall(f"{SVG}text") if group.get("class") not in hidden else []
    last = frames[-1].picture
    assert (
        read_back(found, last.width, last.height).splitlines()[0]
        == unwritten(last.text.splitlines()[0]).rstrip()
    )


def test_a_caption_stays_long_enough_to_be_read():
    shown = picture("a")
    long = "x" * 100
    seconds = durations(
        [Frame(shown), Frame(shown, caption=long), Frame(shown, caption=long), Frame(shown)], 0.5
    )
    assert seconds[1] > 5
    assert seconds[2] == 0.5
    assert seconds[3] == LAST * 0.5
    assert long in film([Frame(shown), Frame(shown, caption=long)])


def test_a_film_tells_keys_and_orders(frames):
    text = film(frames)
    bar = [element.text for element in ElementTree.fromstring(text).iter(f"{SVG}text")]
    assert {"2n", "next 2", "s", "step", "z", "zoom"} <= set(bar)
    assert keys_of("break op:log") == ":"


# ----- sessions


def test_comments_become_captions_and_the_head_says_what_it_is_of():
    head = "# gradstep 0.1.0\n# target: rnn:third\n# size: 80x24\n# no caption\n\n"
    session = parsed(head + "next 3\n\n# look here\nzoom\nnext\n#\nback\n", "tour.txt")
    assert dict(session.head) == {"target": "rnn:third", "size": "80x24"}
    assert [(deed.order, deed.caption) for deed in session.deeds] == [
        ("next 3", ""), ("zoom", "look here"), ("next", "look here"), ("back", ""),
    ]  # fmt: skip
    assert session.deeds[1].place == "tour.txt:9: "


def test_a_written_session_reads_as_it_was_without_what_leaves_no_mark():
    orders = ["next 3", "ask break", "break op:mul", "play", "help", "export a.svg", "zoom"]
    session = parsed(written(orders, target="rnn", size=(100, 30)))
    assert [deed.order for deed in session.deeds] == ["next 3", "break op:mul", "zoom"]
    assert dict(session.head) == {"target": "rnn", "size": "100x30"}


def test_keys_and_mouse_replayed_from_their_session_give_the_same_screen(
    at_desk, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    seen = []

    async def script(desk):
        await desk.burst("5n\tjjb \x1b")
        await desk.pilot.click("#tape", offset=(8, 6))
        await desk.burst("wnorm(grad) of q\n%ns")
        await desk.burst(":save mine.txt\n")
        seen.append(await desk.press("s"))
        await desk.press("S")

    at_desk(resolve("circuit").trace, script, title="circuit", size=(100, 30))
    (*_, last) = play(resolve("circuit"), read_session("mine.txt").deeds, size=(100, 30))
    again = play(
        resolve("circuit"), [*read_session("mine.txt").deeds, *parsed("step").deeds], size=(100, 30)
    )
    assert last.picture.text.splitlines()[0].startswith(" BACKWARD")
    assert without_focus(again[-1].picture.text) == without_focus(seen[0])


def without_focus(screen: str) -> str:
    return "\n".join(line.rstrip() for line in screen.splitlines())


def test_an_order_that_fails_is_told_by_its_line():
    with pytest.raises(GradstepError, match=r"tour.txt:3: there is no order 'nxt'"):
        play(resolve("circuit"), parsed("next\n\nnxt 2", "tour.txt").deeds, size=(80, 24))
    with pytest.raises(GradstepError, match=r"tour.txt:1: .*no.*'mu'"):
        play(resolve("circuit"), parsed("select mu", "tour.txt").deeds, size=(80, 24))


def test_a_page_or_question_of_one_order_is_closed_before_the_next():
    deeds = parsed("help\nask break\nnext").deeds
    opened, asked, stepped = play(resolve("circuit"), deeds, size=(80, 24))[1:]
    assert "╭─ help" in opened.picture.text
    assert "╭─ help" not in asked.picture.text
    assert "break" in asked.picture.text.splitlines()[-1]
    assert "step 1/6" in stepped.picture.text.splitlines()[0]


def test_quit_ends_a_session_early():
    assert len(play(resolve("circuit"), parsed("next\nquit\nnext").deeds, size=(80, 24))) == 2


# ----- the command


@pytest.fixture
def tour(tmp_path):
    file = tmp_path / "tour.session.txt"
    file.write_text("# target: circuit\n# size: 80x24\n# theme: light\n\nnext 3\n")
    return file


def test_a_session_becomes_an_svg_a_text_or_a_film(gradstep, tour, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert gradstep("record", tour)[0] == 0
    light = (tmp_path / "tour.svg").read_text()
    assert "<title>gradstep open circuit</title>" in light
    assert "@keyframes" not in light
    assert gradstep("record", tour, "-o", "dark.svg", "--theme", "dark")[0] == 0
    assert (tmp_path / "dark.svg").read_text() != light
    assert gradstep("record", tour, "-o", "film.svg", "--animate")[0] == 0
    assert "@keyframes" in (tmp_path / "film.svg").read_text()
    status, out, _ = gradstep("record", tour, "-o", "x.txt", "--target", "xor", "--size", "100x30")
    assert (status, out) == (0, "wrote x.txt\n")
    text = (tmp_path / "x.txt").read_text().splitlines()
    assert len(text) == 30
    assert max(map(len, text)) > 90


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "10x10"], "goes from 60x16 to 400x200"),
        (["--size", "wide"], "it is written 120x36"),
        (["--theme", "blue"], "the themes are dark, light"),
        (["-o", "screen.png"], "a screen is written as .svg or .txt"),
        (["--target", "nope"], "no network 'nope' in the gallery"),
        (["--pause", "0"], "no number of seconds"),
        (["-o", "no/such/folder.svg"], "cannot write"),
    ],
)  # fmt: skip
def test_a_wish_that_makes_no_sense_is_told_in_a_sentence(gradstep, tour, words, said):
    status, _, complaint = gradstep("record", tour, *words)
    assert status == 2
    assert said in complaint


def test_a_session_that_is_not_there_or_says_nothing_is_told(gradstep, tmp_path):
    assert "cannot read the session" in gradstep("record", tmp_path / "none.txt")[2]
    bare = tmp_path / "bare.txt"
    bare.write_text("next\n")
    assert "does not say what it is a session of" in gradstep("record", bare)[2]
    assert "fit into one file" in gradstep("record", bare, bare, "-o", "x.svg")[2]
    slow = tmp_path / "slow.txt"
    slow.write_text("# target: xor\n# animate: slowly\n\nnext\n")
    with pytest.raises(UsageError, match="no number of seconds"):
        record(slow)


def test_a_scalar_alone_can_be_recorded():
    trace = tr.trace(tr.tensor(2.0, name="alone"))
    (frame,) = play(Target("alone", trace), (), size=(80, 24))
    assert "alone" in frame.picture.text
    groups = defaultdict(int)
    for stretch in frame.picture.stretches:
        groups[stretch.y] += len(stretch.text)
    assert set(groups.values()) == {80}


@pytest.mark.parametrize("tour", TOURS, ids=lambda file: file.stem)
@pytest.mark.slow
def test_a_tour_of_the_gallery_can_be_played(tour, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    text = record(tour, tmp_path / "picture.svg").read_text()
    head = read_session(tour).head
    command = f"gradstep {head.get('command') or 'open ' + head['target']}"
    assert f"<title>{head.get('title', command)}</title>" in text
    assert ("@keyframes" in text) is ("animate" in head)


# ----- what commands print


def page_of(tmp_path, command, *, size="80x36", name="page.svg"):
    session = tmp_path / "page.txt"
    session.write_text(f"# gradstep 0.1.0\n# command: {command}\n# size: {size}\n")
    return record(str(session), str(tmp_path / name)).read_text(encoding="utf-8")


def test_what_a_command_prints_is_recorded_as_it_stands_on_a_terminal(
    gradstep, tmp_path, monkeypatch
):
    monkeypatch.setenv("NO_COLOR", "1")  # of whoever records; the picture has colours all the same
    monkeypatch.setenv("COLUMNS", "60")
    status, printed, _ = gradstep("verify", "circuit")
    written = page_of(tmp_path, "verify circuit", size="60x36", name="page.out.txt")
    assert status == 0
    assert written.split()[0] == "PASS"
    assert [line.strip() for line in written.splitlines()[1:]] == [
        line.strip() for line in printed.splitlines()[1:]
    ]


def test_the_picture_of_a_page_has_its_colours(tmp_path):
    dark = page_of(tmp_path, "verify circuit")
    assert "gradstep verify circuit" in dark
    assert "#5fdc7c" in dark  # the green of PASS
    assert ElementTree.fromstring(dark).get("width") == str(80 * WIDTH + 16)


@pytest.mark.parametrize("command", ["run train.py", "record x.txt", "verify nowhere", "open rnn"])
def test_a_page_that_cannot_be_printed_is_refused(tmp_path, command):
    with pytest.raises(UsageError):
        page_of(tmp_path, command)
