"""What a user keeps: figures of the moment, the screen, the session; and never over what is there already."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

import tracer as tr
from tracer.errors import GradstepError
from tui.app import fault_line
from tui.completion import offer
from tui.exporting import file_name
from tui.orders import obey
from tui.orders.keeping import free, moment_name
from tui.session import Session
from tui.sessions import kept_for_report, read_session
from tui.targets import resolve


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to write into."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def session(here):
    return Session(resolve("batchnorm").trace, title="batchnorm")


def test_the_figure_is_that_of_the_moment_and_named_after_it(session, here):
    obey(session, "goto 14")
    obey(session, "export")
    assert session.message == "wrote batchnorm-step14.svg"
    assert "<svg" in (here / "batchnorm-step14.svg").read_text()
    obey(session, "export bn.dot")
    figure = session.trace.diagram(step=14, theme="dark")
    assert (here / "bn.dot").read_text() == figure.dot
    assert figure.dot != session.trace.diagram(theme="dark").dot


def test_the_figure_has_the_theme_of_the_screen_and_the_scope_that_is_looked_at(session, here):
    session.dark = False
    obey(session, "end")
    obey(session, "select var")
    obey(session, "scope up")
    obey(session, "export part.dot")
    last = session.debugger.timeline.last
    assert session.scene().scope
    scope = ".".join(map(str, session.scene().scope))
    wanted = session.trace.diagram(step=last, scope=scope)
    assert (here / "part.dot").read_text() == wanted.dot


def test_the_theme_of_the_figure_may_be_said(session, here):
    obey(session, "goto 14")
    for theme in ("print", "safe", "light"):
        obey(session, f"export bn-{theme}.dot {theme}")
        wanted = session.trace.diagram(step=14, theme=theme)
        assert (here / f"bn-{theme}.dot").read_text() == wanted.dot
    obey(session, "export auto")
    assert "prefers-color-scheme" in (here / "batchnorm-step14.svg").read_text()
    obey(session, "export my figure.dot")
    assert (here / "my figure.dot").exists()


def test_the_figure_may_be_a_page_to_step_through_a_drawing_in_characters_or_what_plays(here):
    pytest.importorskip("PIL.Image")
    session = Session(resolve("circuit").trace, title="circuit")
    for ending, start in ((".html", b"<!"), (".txt", "╭".encode()), (".gif", b"GIF8")):
        obey(session, f"export c{ending}")
        assert session.message == f"wrote c{ending}"
        assert (here / f"c{ending}").read_bytes().startswith(start)


def test_what_the_reader_of_the_figure_should_know_is_said(session, here, monkeypatch):
    monkeypatch.setattr("tui.orders.keeping.remarks", lambda figure, format: ("3 steps folded",))
    obey(session, "export bn.dot")
    assert session.message == "wrote bn.dot; 3 steps folded"


def test_the_figure_of_opened_parts_is_theirs(fused, here):
    session = Session(fused, title="net.py:loss")
    obey(session, "next")
    obey(session, "step")
    assert moment_name(session).startswith("net-loss-y-step")
    obey(session, "export parts.dot")
    assert "sqrt" in (here / "parts.dot").read_text()


def test_a_network_of_the_gallery_is_drawn_in_its_style(here):
    session = Session(resolve("rnn").trace, title="rnn")
    obey(session, "end")
    obey(session, "export rnn.dot")
    entry = resolve("rnn").entry
    wanted = session.trace.diagram(style=entry.style, step=session.debugger.position, theme="dark")
    assert (here / "rnn.dot").read_text() == wanted.dot


def test_nothing_is_written_over(session, here):
    for _ in range(3):
        obey(session, "export bn.dot")
    assert session.message == "wrote bn-3.dot, for bn.dot was there"
    assert sorted(file.name for file in here.iterdir()) == ["bn-2.dot", "bn-3.dot", "bn.dot"]
    assert free("bn.dot").name == "bn-4.dot"


@pytest.mark.parametrize("name", [".", "/", "x" * 5000, "a\0b", "~nobody-of-this-name/x.svg"])
@pytest.mark.parametrize("order", ["save", "export", "verify"])
def test_what_is_no_path_is_said(session, here, order, name):
    with pytest.raises(GradstepError, match=r"no path here|is a folder|cannot read"):
        obey(session, f"{order} {name}")
    assert not list(here.iterdir())
    offer(session, f"verify {name}")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(session, here, monkeypatch):
    def refuse(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(GradstepError, match="No space left on device"):
        obey(session, "save mine.txt")
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("export bn.jpeg", "unknown suffix '.jpeg'"),
        ("export no/such/folder/bn.svg", "there is no directory"),
        ("save no/such/folder/mine.txt", "cannot write"),
    ],
)
def test_what_cannot_be_written_is_told(session, line, said):
    with pytest.raises(GradstepError, match=said):
        obey(session, line)


def test_a_saved_session_says_what_it_is_of_and_holds_the_orders(here, at_desk):
    async def script(desk):
        await desk.burst("2nb:save\n")
        assert "wrote circuit.session.txt" in desk.screen().splitlines()[-1]

    at_desk(resolve("circuit").trace, script, title="circuit", size=(100, 30))
    text = (here / "circuit.session.txt").read_text()
    assert text == "# gradstep 0.1.0\n# target: circuit\n# size: 100x30\n\nnext 2\ntoggle\n"
    assert [deed.order for deed in read_session("circuit.session.txt").deeds] == [
        "next 2",
        "toggle",
    ]


def test_the_screen_is_written_as_it_is_seen(here, at_desk):
    async def script(desk):
        await desk.press("n")
        seen = await desk.press("escape")
        desk.app.obey("screenshot now.txt")
        assert (here / "now.txt").read_text() == seen + "\n"
        desk.app.obey("screenshot")
        assert "<title>gradstep circuit</title>" in (here / "circuit-step1-screen.svg").read_text()
        desk.app.obey("screenshot now.png")
        assert "a screen is written as .svg or .txt" in await desk.look()

    at_desk(resolve("circuit").trace, script, title="circuit")


def test_the_key_e_writes_the_figure_beside_the_screen(here, at_desk, monkeypatch):
    monkeypatch.setattr("tracer.diagrams.drawing.Diagram.render", lambda *_: b"a picture")

    async def script(desk):
        screen = await desk.press("n", "e")
        assert "wrote circuit-step1.svg" in screen.splitlines()[-1]
        assert (here / "circuit-step1.svg").read_bytes() == b"a picture"

    at_desk(resolve("circuit").trace, script, title="circuit")


def test_a_title_from_anywhere_makes_a_plain_name():
    assert file_name("/home/ada/nets/train.py") == "train"
    assert file_name("..\\..\\evil:name") == "evil-name"
    assert file_name("-") == ""
    assert moment_name(Session(tr.trace(tr.tensor(1.0, name="x")))) == "trace-step0"


def test_a_fault_keeps_the_session_for_the_report(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = fault_line(ValueError("oh")) + kept_for_report(["next", "zoom"], target="xor")
    (file,) = tmp_path.iterdir()
    assert said.endswith(f"; the session is kept in {file}")
    assert [deed.order for deed in read_session(file).deeds] == ["next", "zoom"]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert kept_for_report(["next"], target="xor") == ""
