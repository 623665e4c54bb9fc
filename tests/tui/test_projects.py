"""Breakpoints and watches that last from one debugger to the next."""

from __future__ import annotations

import argparse
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracer as tr
from tui import projects
from tui.opening import Wishes, wishes_of
from tui.orders import obey
from tui.projects import Project, blocks_of, kept, project_of, read, root_of, write
from tui.session import Session


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv(projects.OFF, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    return lambda target="circuit": project_of(target)


def session_with(trace, *lines):
    session = Session(trace)
    for line in lines:
        obey(session, line)
    return session


def again(trace, project):
    session = Session(trace)
    project.restore(session)
    return session


LINES = (
    "break q",
    "break op:mul except q if value < 0",
    "disable last",
    "ignore last 2",
    "tbreak grad > 1e3",
    "watch norm(x.grad) / norm(x)",
    "watch q",
)


def test_what_is_set_is_there_the_next_time(circuit, project, tmp_path):
    session = session_with(circuit, *LINES)
    assert project().keep(session) == ""
    assert (tmp_path / ".gradstep").read_text() == "[circuit]\n" + "\n".join(LINES) + "\n"
    back = again(circuit, project())
    assert kept(back.debugger) == kept(session.debugger)
    assert back.message == "3 breakpoints and 2 watches of the last time"
    second = back.debugger.breakpoints[1]
    assert (second.enabled, second.ignore) == (False, 2)
    assert back.debugger.breakpoints[2].temporary
    assert back.log == list(LINES)


def test_nothing_is_written_where_nothing_was_ever_set(circuit, project, tmp_path):
    assert project().keep(Session(circuit)) == ""
    assert not (tmp_path / ".gradstep").exists()


def test_a_file_is_left_alone_while_nothing_changes(circuit, project, tmp_path):
    file = tmp_path / ".gradstep"
    file.write_text("[circuit]\n\n  break q\n\n")
    one = project()
    session = again(circuit, one)
    obey(session, "continue")
    assert one.keep(session) == ""
    assert file.read_text() == "[circuit]\n\n  break q\n\n"


def test_sections_of_other_targets_and_comments_stay(circuit, project, tmp_path):
    file = tmp_path / ".gradstep"
    file.write_text("# mine\n[train.py]\nbreak h\n\n[circuit]\n# why q\nbreak q\n")
    one = project()
    session = again(circuit, one)
    obey(session, "break f")
    one.keep(session)
    assert file.read_text() == (
        "# mine\n\n[train.py]\nbreak h\n\n[circuit]\n# why q\nbreak q\nbreak f\n"
    )
    obey(session, "delete")
    one.keep(session)
    assert file.read_text() == "# mine\n\n[train.py]\nbreak h\n\n[circuit]\n# why q\n"


def test_without_any_section_there_is_no_file(circuit, project, tmp_path):
    one = project()
    one.keep(session_with(circuit, "break q"))
    one = project()
    session = again(circuit, one)
    obey(session, "delete")
    one.keep(session)
    assert not (tmp_path / ".gradstep").exists()


def test_a_line_that_no_longer_fits_is_said_and_kept(circuit, project, tmp_path):
    (tmp_path / ".gradstep").write_text(
        "[circuit]\nbreak gone\nignore last 3\nbreak q\nwatch norm(gone.grad)\n"
    )
    one = project()
    session = again(circuit, one)
    assert [each.text for each in session.debugger.breakpoints] == ["q"]
    assert [each.ignore for each in session.debugger.breakpoints] == [0]
    assert session.message == (
        "1 breakpoint of the last time; kept in .gradstep, though not in this trace: "
        "break gone; watch norm(gone.grad)"
    )
    obey(session, "break f")
    one.keep(session)
    assert (tmp_path / ".gradstep").read_text() == (
        "[circuit]\nbreak gone\nignore last 3\nwatch norm(gone.grad)\nbreak q\nbreak f\n"
    )


def test_only_orders_about_breakpoints_and_watches_are_obeyed(circuit, project, tmp_path):
    text = "[circuit]\nexport stolen.svg\nsave stolen.txt\nquit\nignore last 3\nbreak q\nnext 2\n"
    (tmp_path / ".gradstep").write_text(text)
    session = again(circuit, project())
    assert session.debugger.position == 0
    assert [each.text for each in session.debugger.breakpoints] == ["q"]
    assert [file.name for file in tmp_path.iterdir() if "stolen" in file.name] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00break", "is not text in UTF-8"),
        (b"[circuit]\n" + b"break q\n" * 200_000, "is too large"),
    ],
)
def test_a_file_that_is_no_file_of_ours_is_left_as_it_is(circuit, project, tmp_path, content, said):
    file = tmp_path / ".gradstep"
    file.write_bytes(content)
    one = project()
    session = again(circuit, one)
    assert said in session.message
    assert session.trouble
    obey(session, "break q")
    one.keep(session)
    assert file.read_bytes() == content


def test_a_folder_in_its_place_is_survived(circuit, project, tmp_path):
    (tmp_path / ".gradstep").mkdir()
    one = project()
    session = again(circuit, one)
    assert "it is left as it is" in session.message
    obey(session, "break q")
    one.keep(session)
    assert (tmp_path / ".gradstep").is_dir()


def test_where_nothing_can_be_written_it_is_said(circuit, project, tmp_path, monkeypatch):
    def refuse(**more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    said = project().keep(session_with(circuit, "break q"))
    assert said.startswith("breakpoints and watches are not kept: cannot write")
    assert said.endswith("Permission denied")


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    file = tmp_path / ".gradstep"
    write(file, {"a": ("break x",)})
    with pytest.raises(OSError, match="surrogates"):
        write(file, {"a": ("break \udcff",)})
    assert file.read_text() == "[a]\nbreak x\n"
    assert [each.name for each in tmp_path.iterdir()] == [".gradstep"]


def test_breakpoints_in_opened_parts_are_not_kept(fused, project):
    session = session_with(fused, "next", "step", "break 3", "break op:mean")
    assert session.debugger.depth == 1
    assert kept(session.debugger) == (("break op:mean",),)


def test_the_file_lies_in_the_nearest_project_upwards(tmp_path, monkeypatch):
    monkeypatch.delenv(projects.OFF, raising=False)
    (tmp_path / ".git").mkdir()
    nets = tmp_path / "nets" / "deep"
    nets.mkdir(parents=True)
    script = nets / "train.py"
    script.touch()
    monkeypatch.chdir(nets)
    found = project_of("train.py:loss")
    assert (found.file, found.section) == (tmp_path / ".gradstep", "nets/deep/train.py:loss")
    assert project_of(str(script)).section == "nets/deep/train.py"
    assert project_of("batchnorm").section == "batchnorm"
    assert project_of("batchnorm:fused").section == "batchnorm:fused"
    (nets / "a.trace").touch()
    assert project_of("a.trace").section == "nets/deep/a.trace"
    (tmp_path / "nets" / ".gradstep").touch()
    assert root_of(nets) == tmp_path / "nets"


def test_a_folder_without_a_project_is_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(projects, "ROOTS", ("nothing-has-this",))
    assert root_of(tmp_path) == tmp_path


def test_it_can_be_switched_off_and_batch_mode_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = argparse.Namespace(orders=[("order", "next")], batch=True)
    monkeypatch.delenv(projects.OFF, raising=False)
    assert wishes_of(options, "circuit").project is None
    options.batch = False
    assert isinstance(wishes_of(options, "circuit").project, Project)
    monkeypatch.setenv(projects.OFF, "1")
    assert wishes_of(options, "circuit").project is None
    assert Wishes().project is None


TRACE = tr.trace(tr.tensor(1.0, name="x") * 2.0)
LINE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\x1c\x1d\x1e\x85\u2028\u2029"),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["[circuit]", "[", "[]", *LINES]) | LINE, max_size=12))
def test_any_text_is_survived_and_no_line_is_lost(tmp_path_factory, lines):
    file = tmp_path_factory.getbasetemp() / ".gradstep"
    file.write_text("\n".join(lines), encoding="utf-8")
    before, _ = read(file)
    project = Project(file, "circuit")
    session = Session(TRACE)
    project.restore(session)
    obey(session, "watch x + 41")
    assert project.keep(session) == ""
    after, _ = read(file)
    for name, kept_lines in before.items():
        if name != "circuit":
            assert after.get(name, ()) == kept_lines
    assert "watch x + 41" in after["circuit"]
    for block in blocks_of(before.get("circuit", ())):
        if block[0].partition(" ")[0] not in projects.BEGIN:
            assert block[0] in after["circuit"]
