"""Choosing, writing and rendering: styles, steps, files, palettes, hostile names, a machine without Graphviz."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import tracer as tr
from tests.tracer.diagrams.networks import (
    HOSTILE,
    badly_named,
    batch_norm,
    circuit,
    neuron,
    rnn,
    scalar_rnn,
    texts,
)
from tracer.diagrams import STYLES, Diagram, diagram
from tracer.diagrams.layout import rendering
from tracer.diagrams.measure import BACKSLASH
from tracer.diagrams.names import plain
from tracer.diagrams.palettes import LIGHT
from tracer.errors import DiagramError, GraphvizMissingError

NETWORKS = (circuit, neuron, batch_norm, scalar_rnn, rnn)
needs_graphviz = pytest.mark.skipif(
    not (rendering._has_pygraphviz() or rendering.shutil.which("dot")), reason="no Graphviz here"
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ----- choosing


def test_the_style_follows_from_the_values_and_the_scopes():
    assert diagram(circuit()).dot == diagram(circuit(), style="circuit").dot
    assert diagram(batch_norm()).dot == diagram(batch_norm(), style="cards").dot
    assert diagram(rnn()).dot == diagram(rnn(), style="unrolled").dot


def test_a_circuit_of_hundreds_of_gates_becomes_an_outline():
    y = tr.tensor(0.5)
    for _ in range(400):
        y = tr.tanh(y)
    assert diagram(tr.trace(y)).style == "outline"
    assert diagram(tr.trace(y), style="circuit").style == "circuit"


@pytest.mark.parametrize("build", NETWORKS)
def test_the_same_trace_gives_the_same_bytes(build):
    assert diagram(build()).dot == diagram(build()).dot


def test_the_text_does_not_depend_on_the_order_of_sets(python):
    code = (
        "import hashlib; from tests.tracer.diagrams.networks import *; from tracer.diagrams import diagram; "
        "print([hashlib.sha256(diagram(f()).dot.encode()).hexdigest() for f in (circuit, batch_norm, rnn)])"
    )
    seen = {python("-c", f"import os; {code}").stdout for _ in range(3)}
    assert len(seen) == 1
    assert len(seen.pop()) > 100


@pytest.mark.parametrize("style", STYLES)
def test_every_style_draws_a_scalar_network_over_time(style):
    assert "digraph" in diagram(scalar_rnn(), style=style).dot


def test_what_cannot_be_drawn_is_refused_with_the_choices():
    trace = batch_norm()
    with pytest.raises(DiagramError, match="unknown style 'cubist'\n  try: "):
        diagram(trace, style="cubist")
    with pytest.raises(DiagramError, match=r"draws scalars(.|\n)*cards"):
        diagram(trace, style="circuit")
    for step in (-1, trace.timeline.last + 1, 1.5):
        with pytest.raises(DiagramError, match=f"0 to {trace.timeline.last}"):
            diagram(trace, step=step)  # type: ignore[arg-type]


def test_the_last_step_shows_the_same_numbers_as_no_step():
    trace = neuron()
    last, plain_figure = (texts(diagram(trace, step=s).dot) for s in (trace.timeline.last, None))
    for key, words in plain_figure.items():
        if key.startswith("n"):
            assert (words["value"], words["gradient"]) == (
                last[key]["value"],
                last[key]["gradient"],
            )


def test_a_trace_without_a_backward_pass_is_drawn_without_gradients():
    trace = neuron()
    found = texts(diagram(trace, step=trace.timeline.forward_steps - 1).dot)
    assert not any("gradient" in words for words in found.values())


# ----- colours


def test_the_dark_figure_has_the_same_words_in_other_colours():
    light, dark = diagram(neuron()).dot, diagram(neuron(), theme="dark").dot
    assert LIGHT.paper not in dark
    strip = re.compile(r"#[0-9A-F]{6}")
    assert strip.sub("", light) == strip.sub("", dark)


# ----- names


@pytest.mark.parametrize("style", ["circuit", "cards"])
def test_hostile_names_come_out_as_text(style):
    found = texts(diagram(badly_named(), style=style).dot)
    shown = [words["parameter"] for words in found.values() if "parameter" in words]
    assert shown == [plain(name).replace("\\", BACKSLASH) for name in HOSTILE]


@needs_graphviz
@pytest.mark.parametrize("style", ["circuit", "cards"])
def test_hostile_names_survive_rendering_letter_by_letter(style):
    svg = diagram(badly_named(), style=style).render("svg").decode("utf-8")
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    said = ["".join(text.itertext()).replace("\xa0", " ") for text in root.iter(f"{space}text")]
    for name in HOSTILE:
        assert said.count(plain(name)) == 2, name  # the parameter, and the frame of its scope
    titles = ["".join(title.itertext()) for title in root.iter(f"{space}title")]
    for name in HOSTILE:
        assert any(title.startswith(f"{plain(name)} (parameter") for title in titles), name
    assert root.find(f".//{space}b") is None


def test_names_get_subscripts_and_greek_letters():
    dot = diagram(neuron()).dot
    assert re.search(r"<I>w</I></FONT><SUB><FONT[^>]*>0</FONT></SUB>", dot)
    assert "γ" in diagram(batch_norm()).dot


def test_a_very_long_name_is_cut_on_the_figure():
    trace = tr.trace(tr.tensor(1.0, name="x" * 5000) * 2.0)
    words = texts(diagram(trace).dot)["n0"]
    assert words["ink"] == "x" * 31 + "…"


# ----- files


@pytest.mark.parametrize("suffix", [".dot", ".gv"])
def test_the_dot_text_is_saved_as_it_is(tmp_path, suffix):
    figure = diagram(neuron())
    path = figure.save(tmp_path / f"figure{suffix}")
    assert path.read_text(encoding="utf-8") == figure.dot
    assert names(tmp_path) == [path.name]


@needs_graphviz
@pytest.mark.parametrize("build", NETWORKS)
@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<svg "), (".PNG", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_figures_are_saved_in_the_format_of_the_suffix(tmp_path, build, suffix, start):
    path = diagram(build()).save(tmp_path / f"figure{suffix}")
    assert path.read_bytes().startswith(start)
    assert names(tmp_path) == [path.name]


@needs_graphviz
def test_a_notebook_shows_the_svg():
    shown = diagram(neuron())._repr_svg_()
    assert shown is not None
    assert "0.73" in shown
    assert "dpi" not in diagram(neuron()).dot  # it would crop the SVG


@pytest.mark.parametrize("name", ["figure.jpeg", "figure", "figure.svg.bak"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(DiagramError, match=r"try: one of \.dot, \.gv, \.svg, \.png"):
        diagram(circuit()).save(tmp_path / name)
    with pytest.raises(DiagramError, match="unknown format 'jpeg'"):
        diagram(circuit()).render("jpeg")
    assert names(tmp_path) == []


def test_a_missing_directory_is_refused(tmp_path):
    with pytest.raises(DiagramError, match="there is no directory"):
        diagram(circuit()).save(tmp_path / "absent" / "figure.svg")


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path):
    (tmp_path / "figure.dot").mkdir()
    with pytest.raises(DiagramError, match="cannot write"):
        diagram(circuit()).save(tmp_path / "figure.dot")
    assert names(tmp_path) == ["figure.dot"]


def test_a_directory_without_permission_is_refused(tmp_path, monkeypatch):
    def refuse(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(DiagramError, match=r"cannot write .*: Permission denied"):
        diagram(circuit()).save(tmp_path / "figure.dot")


def test_a_full_disk_leaves_an_older_figure_as_it_was(tmp_path, monkeypatch):
    path = diagram(circuit()).save(tmp_path / "figure.dot")
    before = path.read_bytes()

    def refuse(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(DiagramError, match="No space left"):
        diagram(neuron()).save(path)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["figure.dot"]


# ----- Graphviz


@pytest.fixture
def no_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with neither `dot` on the PATH nor pygraphviz."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_the_error_is_one_sentence_and_the_dot_text_is_written(tmp_path):
    figure = diagram(neuron())
    with pytest.raises(GraphvizMissingError) as caught:
        figure.save(tmp_path / "figure.png")
    assert "\n" not in str(caught.value)
    assert "install" in str(caught.value)
    assert str(tmp_path / "figure.dot") in str(caught.value)
    assert (tmp_path / "figure.dot").read_text(encoding="utf-8") == figure.dot
    assert not (tmp_path / "figure.png").exists()
    assert figure._repr_svg_() is None


def test_without_dot_pygraphviz_draws_both_engines(monkeypatch, tmp_path):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", str(tmp_path))
    for build in (neuron, scalar_rnn):
        figure = diagram(build())
        assert b"tanh" in figure.render("svg") or b"exp" in figure.render("svg")
        assert figure.render("png").startswith(b"\x89PNG")


def test_a_layout_that_takes_too_long_is_stopped(monkeypatch, tmp_path):
    def hang(process, given, timeout):
        assert timeout == rendering.TIME_LIMIT
        raise subprocess.TimeoutExpired(process.args, timeout)

    monkeypatch.setattr(
        rendering, "_command", lambda engine, format: [sys.executable, "-c", "while True: pass"]
    )
    monkeypatch.setattr(subprocess.Popen, "communicate", hang)
    with pytest.raises(DiagramError, match=r"within 30 seconds(.|\n)*scope="):
        diagram(neuron()).save(tmp_path / "figure.svg")
    assert (tmp_path / "figure.dot").exists()


def test_the_layout_runs_in_a_process_that_really_is_stopped(monkeypatch):
    monkeypatch.setattr(
        rendering, "_command", lambda engine, format: [sys.executable, "-c", "while True: pass"]
    )
    with pytest.raises(DiagramError, match="was stopped"):
        rendering.rendered("digraph {}", "dot", "svg", time_limit=0.5)


def test_what_graphviz_refuses_is_told(monkeypatch):
    monkeypatch.setattr(
        rendering,
        "_command",
        lambda engine, format: [sys.executable, "-c", "raise SystemExit('no such font')"],
    )
    with pytest.raises(DiagramError, match="no such font"):
        diagram(neuron()).render("svg")


def test_a_diagram_is_frozen_and_tells_its_size():
    figure = diagram(circuit())
    assert repr(figure) == "<Diagram of 8 shapes, circuit style>"
    with pytest.raises(AttributeError):
        figure.dot = ""  # type: ignore[misc]
    assert isinstance(figure, Diagram)


def test_the_arrow_of_a_moving_flow_points_backwards():
    trace = circuit()
    forward = diagram(trace, style="circuit", step=trace.timeline.forward_steps).dot
    backward = diagram(trace, style="circuit", step=trace.timeline.forward_steps + 1).dot
    assert "dir=back" not in forward
    assert sum("dir=back" in line for line in backward.splitlines()) == 1


def test_a_scope_of_scalars_in_a_network_of_arrays_is_a_circuit():
    x = tr.tensor([1.0, 2.0], name="x")
    total = tr.sum(x * x)
    with tr.scope("head"):
        y = tr.tanh(total * 0.5)
    trace = tr.trace(y)
    assert diagram(trace).style == "cards"
    assert diagram(trace, scope="head").style == "circuit"
    assert diagram(trace, scope="head").render("svg")
