"""Where `dot` cannot lay a figure out in time, layers of our own do, and the figure says so."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

import tracer as tr
from tests.tracer.diagrams.networks import batch_norm, neuron
from tracer.diagrams import diagram
from tracer.diagrams.layout import laying, rendering
from tracer.diagrams.strokes import Letters
from tracer.errors import DiagramError

DOT = shutil.which("dot")
pytestmark = pytest.mark.skipif(DOT is None, reason="no dot on the PATH")


def fake_dot(folder: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    """A `dot` that draws what is placed and does something else where it should lay out."""
    script = folder / "dot"
    script.write_text(f'#!/bin/sh\ncase "$*" in *-n2*) exec {DOT} "$@";; esac\n{does}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def numbers(figure) -> set[str]:
    return {
        stroke.text
        for item in figure.drawn.items
        for stroke in item.strokes
        if isinstance(stroke, Letters) and stroke.paint in ("value", "gradient")
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("sleep 60", "did not lay this graph out within 0.8 seconds"),
        ("echo trouble in init_rank >&2; exit 1", "trouble in init_rank"),
        ("kill -SEGV $$", "it said nothing"),
    ],
)
def test_a_dot_that_hangs_fails_or_crashes_is_replaced_by_layers(
    tmp_path, monkeypatch, does, reason
):
    usual = numbers(diagram(batch_norm()))
    fake_dot(tmp_path, monkeypatch, does)
    monkeypatch.setattr(rendering, "TIME_LIMIT", 0.8)
    figure = diagram(batch_norm())
    assert numbers(figure) == usual
    (remark,) = (said for said in figure.remarks if "laid out in plain layers" in said)
    assert reason in remark
    assert figure.render("png").startswith(b"\x89PNG")
    film = figure.film([0, 5, figure.trace.timeline.last])
    assert len({(film.drawn(k).width, film.drawn(k).height) for k in range(3)}) == 1


def test_a_dot_that_does_nothing_right_is_an_error(tmp_path, monkeypatch):
    script = tmp_path / "dot"
    script.write_text("#!/bin/sh\necho no fonts >&2; exit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(DiagramError, match="no fonts"):
        diagram(neuron()).render("svg")


def test_a_dot_that_prints_nonsense_is_an_error(tmp_path, monkeypatch):
    script = tmp_path / "dot"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(DiagramError, match="cannot be read"):
        diagram(neuron()).render("svg")


def test_dot_is_not_asked_where_it_would_take_too_long(tmp_path, monkeypatch):
    fake_dot(tmp_path, monkeypatch, "sleep 60")
    y = tr.tensor(0.1, name="x")
    for _ in range(30):
        y = tr.tanh(y * 1.1)
    monkeypatch.setattr(laying, "MOST_FOR_DOT", 100)
    figure = diagram(tr.trace(y))
    assert laying.labour(figure.picture) > laying.MOST_FOR_DOT
    assert "too large for dot" in figure.remarks[-1]
    assert len(figure.drawn.items) >= 120


def test_a_usual_figure_is_laid_out_by_dot_without_a_word():
    assert diagram(neuron()).remarks == ()
    assert diagram(batch_norm()).remarks == ()


@pytest.mark.slow
def test_a_value_that_hundreds_of_operations_read_is_drawn():
    """Its line turns so often that Graphviz would not read the points."""
    x = tr.tensor(0.5, name="x")
    y = x
    for _ in range(220):
        y = tr.sin(y) + x * 0.001
    figure = diagram(tr.trace(y), style="cards", most=10**6)
    assert figure.picture.placed or "too large for dot" in figure.remarks[0]
    assert len(figure.drawn.items) > 600
    assert figure.render("png").startswith(b"\x89PNG")
