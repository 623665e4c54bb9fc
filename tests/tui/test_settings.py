"""Settings and memory: what is read, what is wrong, what is remembered, and that nothing of it stops the start."""

from __future__ import annotations

import asyncio
import json
import os
import stat

import pytest

from tests.tui.conftest import Desk
from tui.app import DebuggerApp
from tui.key_names import KeyNameError, key_named, shown
from tui.keys import KEYS, key_line, rebound
from tui.memory import LONGEST, MOST_LINES, Memory, recall
from tui.personal import starting_theme
from tui.settings import Settings, config_file, read_settings, settings_of, state_file


def written(tmp_path, text):
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(file)


def keys(**table):
    return settings_of({"keys": table})


def start(trace, script, **more):
    async def session():
        app = DebuggerApp(trace, **more)
        async with app.run_test(size=(120, 36)) as pilot:
            await script(Desk(app, pilot))
        return app

    return asyncio.run(session())


# ----- where


def test_settings_lie_where_other_terminal_programs_have_them():
    home = {"HOME": "/home/ada"}
    assert str(config_file(home)) == "/home/ada/.config/gradstep/config.toml"
    assert str(state_file(home)) == "/home/ada/.local/state/gradstep/state.json"
    moved = {**home, "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}
    assert str(config_file(moved)) == "/c/gradstep/config.toml"
    assert str(state_file(moved)) == "/s/gradstep/state.json"
    assert str(config_file({**home, "XDG_CONFIG_HOME": "relative"})).startswith("/home/ada/")
    assert str(config_file({**home, "GRADSTEP_CONFIG": "/x/mine.toml"})) == "/x/mine.toml"
    assert config_file({}) is None


@pytest.mark.parametrize("off", ["", os.devnull])
def test_without_settings_nothing_is_read_or_remembered(off):
    environment = {"HOME": "/home/ada", "GRADSTEP_CONFIG": off}
    assert config_file(environment) is None
    assert state_file(environment) is None
    assert read_settings(None) == Settings()
    assert not Memory().save()


# ----- what is written


def test_what_is_written_holds(tmp_path):
    text = 'theme = "light"\nspeed = 4\n[keys]\n"ctrl+b" = "break if nan(value)"\n"?" = ""\n"J" = "next 10"\n'
    found = written(tmp_path, text)
    assert found == Settings(
        "light", 4.0, {"ctrl+b": "break if nan(value)", "question_mark": "", "J": "next 10"}
    )
    assert found.complaint == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme = ", "config.toml: "),
        ('theme = "pink"', "there is no theme pink: dark, light"),
        ("speed = true", "speed is a number of steps a second, not True"),
        ("speed = -1", "speed is a number"),
        ("speed = nan", "speed is a number"),
        ('them = "dark"', "there is no setting them: did you mean theme?"),
        ("keys = 3", "keys is a table"),
        ('[keys]\nj = "nxt"', "there is no order 'nxt': did you mean next?"),
        ('[keys]\nj = "zoom 3"', "zoom takes nothing after it"),
        ("[keys]\nj = 3", "the key j needs an order"),
        ('[keys]\n"ctrl+fish" = "next"', "there is no key ctrl+fish"),
        ('[keys]\nentr = "next"', "there is no key entr: did you mean enter?"),
        ('[keys]\n"?" = "next"\nquestion_mark = "back"', "two orders for the key question_mark"),
        ('[keys]\nj = "next"\nj = "back"', "config.toml: "),
        ('[keys]\n"ctrl+c" = "next"', "ctrl+c always quits"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_the_rest_holds(tmp_path, text, words):
    found = written(tmp_path, text)
    assert words in found.complaint
    assert "\n" not in found.complaint
    if text.startswith('[keys]\nj = "nxt') or text.startswith("speed"):
        assert written(tmp_path, f'theme = "light"\n{text}').theme == "light"


def test_a_file_made_to_harm_is_told_and_harms_nothing(tmp_path):
    assert "nests too deep" in written(tmp_path, f"theme = {'[' * 5000}").complaint
    assert "digits" in written(tmp_path, f"speed = 1{'0' * 5000}").complaint
    assert "too large" in written(tmp_path, "#" * 1_000_001).complaint


def test_of_several_wrong_lines_the_first_is_told_and_the_others_counted():
    assert settings_of({"a": 1, "b": 2, "theme": "pink"}).complaint.endswith("(and 2 more)")


def test_files_that_cannot_be_read_are_told_or_not_there(tmp_path):
    assert read_settings(tmp_path / "none.toml") == Settings()
    assert read_settings(tmp_path / "none.toml" / "below.toml") == Settings()
    missing = read_settings(tmp_path / "none.toml", named=True).complaint
    assert missing.endswith("none.toml, which GRADSTEP_CONFIG names")
    assert "cannot read" in read_settings(tmp_path).complaint
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    assert "not text in UTF-8" in read_settings(tmp_path / "latin.toml").complaint


# ----- keys


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("n", "n"),
        ("N", "N"),
        (" ", "space"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        ("Shift+Ctrl+Left", "ctrl+shift+left"),
        ("F12", "f12"),
        ("PageUp", "pageup"),
    ],
)
def test_keys_are_named_as_people_write_them(name, key):
    assert key_named(name) == key
    if name.isascii() and len(key) < 6:
        assert key_named(shown(key)) == key


@pytest.mark.parametrize("name", ["", "nn", "ctrl+", "hyper+a", "f99", "ctrl+nope"])
def test_what_is_no_key_is_refused(name):
    with pytest.raises(KeyNameError, match="there is no key"):
        key_named(name)


def test_a_rebound_key_leaves_its_order_to_the_keys_that_are_left():
    table = rebound({"t": "zoom", "n": "", "ctrl+b": "break if nan(value)"})
    by_order = {key.order: key.shown for key in table}
    assert by_order["run"] == "⏎"
    assert by_order["zoom"] == "t z"
    assert "next" not in by_order
    assert by_order["break if nan(value)"] == "ctrl+b"
    assert rebound({}) == KEYS


def test_the_key_line_shows_the_keys_as_they_are():
    assert ("J", "next") in key_line(120, rebound({"n": "", "J": "next"}))


def test_rebound_keys_give_their_orders_and_the_old_ones_do_not(circuit):
    settings = keys(n="end", j="next 2")

    async def script(desk):
        assert "step 2/6" in await desk.press("j")
        screen = await desk.press("n")
        assert "step 6/6" in screen
        assert " j next" not in screen
        page = await desk.press("question_mark")
        assert "next 2" in page

    start(circuit, script, settings=settings)


def test_wrong_settings_are_told_on_the_first_screen(circuit):
    async def script(desk):
        assert "there is no theme pink" in (await desk.look()).splitlines()[-1]
        assert "? help" in (await desk.press("n")).splitlines()[-1]

    start(circuit, script, settings=settings_of({"theme": "pink"}))


# ----- memory


def test_the_layout_and_what_was_typed_come_back(circuit, tmp_path):
    file = tmp_path / "deep" / "state.json"

    async def leave(desk):
        await desk.burst(":theme light\n:detail 1\n:orientation td\n:goto 3\n]]")
        await desk.press("tab", "z")

    start(circuit, leave, memory=recall(file))

    async def come_back(desk):
        screen = await desk.look()
        assert "╭─ tape" in screen
        assert (
            "╭─ graph" in screen
        )  # a pane alone, and the view of the deck, belong to what was looked at
        assert desk.app.session.graph.detail == 1
        assert desk.app.session.graph.down
        await desk.press("colon", "up")
        assert desk.app.query_one("#answer").value == "goto 3"

    memory = recall(file)
    assert memory.theme == "light"
    assert memory.speed == 20
    start(circuit, come_back, memory=memory)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"theme": 3, "history": {}}', '{"speed": true}', "[" * 10_000, "\xff"],
)
def test_a_garbled_memory_is_none(tmp_path, text):
    file = tmp_path / "state.json"
    file.write_text(text, encoding="latin-1")
    assert recall(file) == Memory(file=file)
    assert recall(file).save()
    assert json.loads(file.read_text())["history"] == []


def test_a_memory_that_cannot_be_written_harms_nothing(circuit, tmp_path):
    (tmp_path / "file").write_text("")
    assert not Memory(file=tmp_path / "file" / "state.json").save()
    (tmp_path / "state.json").mkdir()
    assert not Memory(file=tmp_path / "state.json").save()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "state.json"]
    assert not Memory(history=["\ud800"], file=tmp_path / "other.json").save()
    assert not (tmp_path / "other.json").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_survived(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert not Memory(file=tmp_path / "state.json").save()
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_memory_is_bounded(tmp_path):
    memory = Memory(file=tmp_path / "state.json")
    for number in range(2 * MOST_LINES):
        memory.add(f"goto {number}")
    memory.add(memory.history[-1])
    memory.add("x" * (LONGEST + 1))
    memory.add("   ")
    assert len(memory.history) == MOST_LINES
    assert memory.history[-2:] == [f"goto {2 * MOST_LINES - k}" for k in (2, 1)]
    assert memory.save()
    assert recall(memory.file) == memory


def test_a_line_that_a_terminal_would_obey_is_not_recalled(tmp_path):
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"history": ["next", "\x1b[2J", 3, "goto 1"]}))
    assert recall(file).history == ["next", "goto 1"]


def test_without_a_memory_nothing_is_written(circuit, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GRADSTEP_CONFIG", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def script(desk):
        await desk.burst(":theme light\n")

    start(circuit, script)
    assert list(tmp_path.iterdir()) == []


def test_what_the_settings_say_comes_before_what_is_remembered():
    many = {"TERM": "xterm-256color"}
    light = Memory(theme="light")
    assert starting_theme(Settings(), light, many) == "light"
    assert starting_theme(Settings(theme="dark"), light, many) == "dark"
    assert starting_theme(Settings(), Memory(theme="gone"), many) == "dark"
    assert starting_theme(Settings(), light, {**many, "NO_COLOR": "1"}) == "ansi"
