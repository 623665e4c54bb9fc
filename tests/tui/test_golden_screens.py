"""What a person sees in the main views, word for word: screens kept as text in `tests/tui/screens`.

Where a change is meant, `GRADSTEP_REWRITE=1 pytest tests/tui/test_golden_screens.py` writes them anew; look at the diff
before it is committed.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

import pytest

from tui.recorder.playing import play
from tui.sessions import parsed, read_session
from tui.targets import resolve

HERE = Path(__file__).parent
SCREENS = HERE / "screens"
SESSIONS = sorted((HERE / "sessions").glob("*.txt"))
REWRITE = "GRADSTEP_REWRITE"
ROUNDING = re.compile(r" +\d(\.\d+)?e−(1[1-9]|2\d)")
"""Numbers that are nothing but rounding errors: they depend on the processor."""
SIZES = {"120x36": (120, 36), "80x24": (80, 24)}
VIEWS = {
    "start": ("circuit", ""),
    "flow": ("circuit", "end 3"),
    "backward": ("batchnorm", "end 17"),
    "heatmap": ("batchnorm:digits", "end\nselect xhat\nfocus deck\nquantity"),
    "time": ("rnn", "end 40"),
    "layers": ("vanishing", "end\nview layers"),
    "verify": ("batchnorm", "end\nview verify\nverify"),
    "stops": ("batchnorm", "break xhat if max(value) > 0\nwatch norm(grad) of x\ncontinue\nview stops"),
    "changes": ("circuit", "end\nedit x = 3\nview changes"),
    "help": ("circuit", "help"),
    "zoom": ("batchnorm", "end 9\nfocus graph\nzoom"),
}  # fmt: skip


def assert_screen(name: str, screen: str) -> None:
    """Compare a screen with the one that is kept under this name."""
    file = SCREENS / f"{name}.txt"
    screen = ROUNDING.sub(lambda found: "tiny".rjust(len(found[0])), screen)
    if os.environ.get(REWRITE):
        file.parent.mkdir(exist_ok=True)
        file.write_text(screen, encoding="utf-8")
    assert file.exists(), f"no screen is kept as {file.name}: {REWRITE}=1 keeps this one\n{screen}"
    kept = file.read_text(encoding="utf-8")
    if screen != kept:
        diff = difflib.unified_diff(
            kept.splitlines(), screen.splitlines(), f"kept {file.name}", "seen", lineterm="", n=0
        )
        raise AssertionError(
            "\n".join(("the screen has changed", *diff, f"if that is meant: {REWRITE}=1"))
        )


@pytest.mark.parametrize("size", ["120x36", pytest.param("80x24", marks=pytest.mark.slow)])
@pytest.mark.parametrize("view", VIEWS)
def test_the_view_is_as_it_was_looked_at(view, size):
    target, orders = VIEWS[view]
    (*_, last) = play(resolve(target), parsed(orders).deeds, size=SIZES[size])
    assert_screen(f"{view}-{size}", last.picture.text)


@pytest.mark.parametrize("file", SESSIONS, ids=lambda file: file.stem)
def test_a_recorded_session_ends_on_the_same_screen(file):
    session = read_session(file)
    size = tuple(map(int, session.head["size"].split("x")))
    (*_, last) = play(resolve(session.head["target"]), session.deeds, size=size)
    assert_screen(f"session-{file.stem}", last.picture.text)


def test_every_kept_screen_is_compared():
    named = {f"{view}-{size}" for view in VIEWS for size in SIZES}
    named |= {f"session-{file.stem}" for file in SESSIONS}
    assert {file.stem for file in SCREENS.glob("*.txt")} == named


def test_a_changed_screen_is_told_line_by_line(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.tui.test_golden_screens.SCREENS", tmp_path)
    monkeypatch.delenv(REWRITE, raising=False)
    with pytest.raises(AssertionError, match="no screen is kept"):
        assert_screen("new", "a\nb\n")
    monkeypatch.setenv(REWRITE, "1")
    assert_screen("new", "a\nb\n")
    monkeypatch.delenv(REWRITE)
    assert_screen("new", "a\nb\n")
    with pytest.raises(AssertionError, match=r"-b\n\+c\nif that is meant"):
        assert_screen("new", "a\nc\n")
