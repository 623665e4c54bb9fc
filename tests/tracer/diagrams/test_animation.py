"""Figures at several steps: pages of one size, and pictures that play; each frame tells what the trace knows there."""

from __future__ import annotations

import io
import re
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import (
    HOSTILE,
    badly_named,
    batch_norm,
    branching,
    circuit,
    neuron,
    scalar_rnn,
)
from tracer.diagrams import diagram
from tracer.diagrams.animation import choosing, moving_picture, save_frames
from tracer.diagrams.animation.choosing import chosen_positions
from tracer.diagrams.animation.moving_svg import moving_svg
from tracer.diagrams.animation.numbered import latex_line, numbered
from tracer.diagrams.animation.pages import PAGES, dot_pages
from tracer.diagrams.animation.showtimes import LAST, PAUSE, paced
from tracer.diagrams.drawing import Diagram
from tracer.diagrams.palettes import DARK, LIGHT
from tracer.diagrams.strokes import Item, Letters
from tracer.errors import DiagramError
from tracer.traces import Trace

SVG = "{http://www.w3.org/2000/svg}"
MINUS = "−"


def says(text: str, number: object) -> bool:
    """Whether a text is a number to as many decimals as it has, or empty where there is none."""
    if number is None or not text:
        return number is None and not text
    plain = text.replace(MINUS, "-")
    return abs(float(plain) - float(number)) <= 0.5001 * 10.0 ** -len(plain.partition(".")[2])  # type: ignore[arg-type]


def numbers_of(root: ElementTree.Element, key: str) -> tuple[str, str]:
    """The value and the gradient of one shape of a light SVG, by their colours."""
    (group,) = (each for each in root.iter(f"{SVG}g") if each.get("data-key") == key)
    said = {LIGHT.value: "", LIGHT.gradient: ""}
    for each in (*group.iter(f"{SVG}text"), *group.iter(f"{SVG}tspan")):
        if each.get("fill") in said:
            said[each.get("fill")] += each.text
    return said[LIGHT.value], said[LIGHT.gradient]


# ----- which steps


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("all", [0, 1, 2, 3, 4, 5, 6]),
        ("node", [0, 1, 2, 4, 6]),
        ("2:4", [2, 3, 4]),
        (":1", [0, 1]),
        ("5:", [5, 6]),
        ("6:6", [6]),
    ],
)
def test_frames_are_all_steps_or_whole_nodes_or_a_range(which, expected):
    assert list(chosen_positions(diagram(circuit()).part, which)) == expected


@pytest.mark.parametrize("which", ["4:2", "0:7", "nodes", "", "-1:2", "1:2:3", "9" * 5000 + ":"])
def test_other_frames_are_refused_with_a_cure(which):
    with pytest.raises(DiagramError, match=r"no frames(.|\n)*try: ") as caught:
        chosen_positions(diagram(circuit()).part, which)
    assert len(str(caught.value)) < 6000


def test_too_many_frames_are_refused_with_fewer(monkeypatch):
    monkeypatch.setattr(choosing, "MOST", 5)
    part = diagram(circuit()).part
    with pytest.raises(DiagramError, match=r"7 frames are more than 5\n  try: node .*0:4"):
        chosen_positions(part)
    assert len(chosen_positions(part, "node")) == 5


def test_the_frames_of_a_part_are_those_in_which_it_changes():
    figure = diagram(neuron(), around="d", radius=1)
    positions = chosen_positions(figure.part)
    assert (positions[0], positions[-1]) == (0, figure.trace.timeline.last)
    assert len(positions) < figure.trace.timeline.last / 2
    film = figure.film(positions)
    assert all(a.looks != b.looks for a, b in pairwise(film.frames[:-1]))


# ----- pages


@pytest.mark.parametrize("build", [circuit, branching])
def test_the_numbers_of_each_page_are_those_of_the_trace_at_that_step(build):
    figure = diagram(build())
    film = figure.film()
    trace, timeline = figure.trace, figure.trace.timeline
    for frame, page in zip(film.frames, PAGES["svg"](figure, film), strict=True):
        root, at = ElementTree.fromstring(page), frame.position
        for i in range(len(trace)):
            value, gradient = numbers_of(root, f"n{i}")
            assert says(value, trace.value(i) if timeline.has_run(at, i) else None), (at, i, value)
            assert says(gradient, timeline.gradient(at, i)), (at, i, gradient)


def size_of(page: bytes) -> str:
    """The size of a page, as its file says."""
    if page.startswith(b"\x89PNG"):
        return f"{int.from_bytes(page[16:20])} {int.from_bytes(page[20:24])}"
    pattern = rb"MediaBox \[([^\]]*)\]" if page.startswith(b"%PDF") else rb'viewBox="([^"]*)"'
    found = re.search(pattern, page)
    assert found is not None
    return found[1].decode()


@pytest.mark.parametrize(
    ("build", "format"), [(neuron, "png"), (badly_named, "svg"), (badly_named, "pdf")]
)
def test_all_pages_have_the_same_size(build, format):
    figure = diagram(build())
    last = figure.trace.timeline.last
    film = figure.film(sorted({0, 1, last // 2, 2 * last // 3, last}))
    sizes = [size_of(page) for page in PAGES[format](figure, film)]
    assert len(sizes) == len(film.frames)
    assert len(set(sizes)) == 1, sizes


@pytest.mark.parametrize("build", [neuron, scalar_rnn])
def test_pages_of_graphviz_are_as_large_as_those_of_the_film(build):
    figure = diagram(build())
    film = figure.film([0, figure.trace.timeline.last])
    (_, _, width, height), _ = (
        map(float, size_of(page).split()) for page in PAGES["pdf"](figure, film)
    )
    assert np.allclose((width, height), film.page, atol=16)


@pytest.mark.parametrize("format", ["svg", "pdf"])
def test_a_caption_that_is_wider_than_the_figure_widens_all_pages(format):
    w = tr.parameter(2.0, name="a_weight_with_a_long_name")
    figure = diagram(tr.trace(w * tr.tensor(3.0, name="another_long_name")), style="outline")
    film = figure.film()
    assert film.page[0] > film.width
    assert len({size_of(page) for page in PAGES[format](figure, film)}) == 1


def test_a_page_of_graphviz_has_every_line_of_the_longest_caption():
    figure = diagram(batch_norm())
    film = figure.film([0, figure.trace.timeline.last])
    lines = [len(frame.caption) for frame in film.frames]
    assert len(set(lines)) > 1
    counts = [page.count('<BR ALIGN="LEFT"/>') for page in dot_pages(figure, film)]
    assert counts == [max(lines)] * 2


def test_pages_are_numbered_and_written_together(tmp_path):
    saved = save_frames(diagram(circuit()), tmp_path / "c-%02d.svg", "node")
    assert [file.name for file in saved.files] == [f"c-{k:02d}.svg" for k in range(5)]
    assert sorted(tmp_path.iterdir()) == sorted(saved.files)
    assert all(file.read_bytes().startswith(b"<svg") for file in saved.files)


def test_pages_for_latex_come_with_the_line_that_shows_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved = save_frames(diagram(circuit()), "c.pdf", "0:2")
    assert [str(file) for file in saved.files] == ["c-00.pdf", "c-01.pdf", "c-02.pdf"]
    assert saved.latex == (
        r"\foreach \n in {0,...,2} {\includegraphics<+>[width=\linewidth]{c-\ifnum\n<10 0\fi\n}}"
    )


def test_names_that_latex_cannot_read_get_no_line():
    for name in ("my figure.pdf", "100%.pdf", "c.svg", "ü.pdf"):
        assert latex_line(numbered(Path(name), 3)) == ""
    assert r"\ifnum\n<100 0\fi\ifnum\n<10 0\fi\n" in latex_line(numbered(Path("a_b/c.pdf"), 101))


def test_a_hundred_pages_and_one_have_three_digits():
    assert [path.name for path in numbered(Path("c.pdf"), 101)][::50] == [
        "c-000.pdf",
        "c-050.pdf",
        "c-100.pdf",
    ]


@pytest.mark.parametrize("name", ["c-%02d-%d.svg", "c-%02d.gif", "c.html", "c", "c.dot"])
def test_names_that_make_no_sense_for_frames_are_refused(tmp_path, name):
    with pytest.raises(DiagramError, match="try: one"):
        save_frames(diagram(circuit()), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_written_leaves_all_as_it_was(tmp_path):
    (tmp_path / "c-03.svg").mkdir()
    (tmp_path / "c-01.svg").write_text("mine")
    with pytest.raises(DiagramError, match=r"cannot write .*c-03\.svg"):
        save_frames(diagram(circuit()), tmp_path / "c-%02d.svg")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["c-01.svg", "c-03.svg"]
    assert (tmp_path / "c-01.svg").read_text() == "mine"


def test_a_missing_folder_is_told_before_anything_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(Diagram, "film", None)
    with pytest.raises(DiagramError, match="there is no directory"):
        save_frames(diagram(circuit()), tmp_path / "absent" / "c.pdf")


def test_pages_are_drawn_without_dot_too(monkeypatch, tmp_path):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", str(tmp_path))
    figure = diagram(circuit())
    sizes = [size_of(page) for page in PAGES["pdf"](figure, figure.film([0, 3, 6]))]
    assert len(sizes) == 3
    assert len(set(sizes)) == 1


# ----- the SVG that plays


def moving(figure: Diagram, **more: object) -> str:
    film = figure.film()
    return moving_svg(film, paced(len(film.frames)), figure.palette, **more)  # type: ignore[arg-type]


def played(text: str, seconds: float) -> list[str]:
    """The texts of a moving SVG that are seen so many seconds after its start, as a browser finds them in its rules."""
    length = float(re.search(r"animation:([\d.]+)s step-end", text)[1])  # type: ignore[index]
    rules = dict(re.findall(r"@keyframes g\w+-(f\d+){((?:[\d.]+%{visibility:\w+})+)}", text))
    seen = {}
    for name, rule in rules.items():
        frames = re.findall(r"([\d.]+)%{visibility:(\w+)}", rule)
        past = [word for at, word in frames if float(at) <= 100 * seconds / length]
        seen[name] = past[-1] == "visible"
    root = ElementTree.fromstring(text)
    words = []
    for element in root:
        name = element.get("class", "")
        if element.tag in (f"{SVG}title", f"{SVG}style") or not seen.get(name, True):
            continue
        words += ["".join(each.itertext()) for each in element.iter(f"{SVG}text")]
    return words


@pytest.mark.parametrize("build", [circuit, branching, batch_norm])
def test_at_every_moment_the_words_of_that_frame_are_seen_and_no_others(build):
    figure = diagram(build())
    film = figure.film()
    text = moving(figure)
    starts = np.cumsum([0.0, *paced(len(film.frames))])
    for number, (start, end) in enumerate(pairwise(starts)):
        expected = [
            stroke.text
            for item in film.drawn(number).items
            for stroke in item.strokes
            if isinstance(stroke, Letters)
        ]
        found = played(text, (start + end) / 2)
        assert "".join(sorted("".join(found))) == "".join(sorted("".join(expected))), number


def test_what_does_not_change_is_there_once():
    figure = diagram(neuron())
    text = moving(figure)
    assert text.count(">exp</text>") == 1
    assert text.count(">2.00</text>") == 1
    pages = sum(len(page) for page in PAGES["svg"](figure, figure.film()))
    assert len(text) < pages / 4


def test_it_stands_still_for_who_wants_no_motion_and_under_the_pointer():
    text = moving(diagram(circuit()))
    assert re.search(
        r"@media \(prefers-reduced-motion:reduce\){#g\w+ \*{animation:none!important}}", text
    )
    assert re.search(r"#g\w+:hover \*{animation-play-state:paused}", text)
    still = re.findall(r" g\.(f\d+){visibility:hidden", text)
    shown = [
        element
        for element in ElementTree.fromstring(text)
        if element.get("class", "") not in still and element.tag == f"{SVG}g"
    ]
    words = ["".join(each.itertext()) for element in shown for each in element.iter(f"{SVG}text")]
    assert any("step 6 of 6" in word for word in words)
    assert not any("step 5 of 6" in word for word in words)


def test_two_of_them_on_a_page_do_not_meet():
    marks = []
    for pause in (0.5, 0.6):
        film = diagram(circuit()).film()
        text = moving_svg(film, paced(len(film.frames), pause), LIGHT)
        (mark,) = re.findall(r'<svg [^>]*id="(\w+)"', text)
        style = text.partition("<style>")[2].partition("</style>")[0]
        assert all(
            f"#{mark}" in rule for rule in re.findall(r"(?:^|})([^{}@%]+){", style) if "g." in rule
        )
        assert set(re.findall(r"@keyframes (\w+)-", style)) == {mark}
        marks.append(mark)
    assert len(set(marks)) == 2


def test_it_may_follow_what_the_reader_prefers():
    text = moving(diagram(circuit()), dark=DARK)
    assert "prefers-color-scheme:dark" in text
    assert DARK.paper in text
    ElementTree.fromstring(text)


def test_hostile_names_stay_text_in_what_plays():
    root = ElementTree.fromstring(moving(diagram(badly_named())))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "style", "g", "rect", "path", "circle", "ellipse", "text", "tspan",
    }  # fmt: skip
    assert len(HOSTILE) > 5


# ----- GIF and APNG


@pytest.fixture(scope="module")
def image():
    return pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("format", ["gif", "apng"])
def test_a_picture_that_plays_has_every_frame_as_long_as_it_should(image, tmp_path, format):
    figure = diagram(circuit())
    saved = save_frames(figure, tmp_path / f"c.{format}", pause=0.3)
    (file,) = saved.files
    with image.open(file) as found:
        assert found.n_frames == figure.trace.timeline.last + 1
        assert found.info["loop"] == 0
        lengths = []
        for number in range(found.n_frames):
            found.seek(number)
            lengths.append(round(found.info["duration"]))
    assert lengths == [300] * 6 + [300 * LAST]


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_a_gif_keeps_the_colours_of_the_theme_and_the_edges_of_letters(image, theme, palette):
    figure = diagram(circuit(), theme=theme)
    film = figure.film()
    content = moving_picture.moving_picture(figure, film, paced(len(film.frames)), "gif")
    pages = list(PAGES["png"](figure, film))
    with image.open(io.BytesIO(content)) as found:
        for number in (0, len(film.frames) // 2, len(film.frames) - 1):
            found.seek(number)
            seen = np.asarray(found.convert("RGB")).astype(int)
            page = np.asarray(image.open(io.BytesIO(pages[number])).convert("RGB")).astype(int)
            assert np.abs(seen - page).max() < 20
            for role in ("paper", "value", "ink", "gate"):
                exact = (page == rgb(palette.of(role))).all(axis=2)
                assert (seen[exact] == rgb(palette.of(role))).all()
                assert role != "paper" or exact.mean() > 0.8


def test_an_apng_keeps_every_point(image):
    figure = diagram(circuit())
    film = figure.film([0, 4])
    content = moving_picture.moving_picture(figure, film, (1.0, 1.0), "apng")
    pages = list(PAGES["png"](figure, film))
    with image.open(io.BytesIO(content)) as found:
        for number, page in enumerate(pages):
            found.seek(number)
            expected = np.asarray(image.open(io.BytesIO(page)).convert("RGB"))
            assert (np.asarray(found.convert("RGB")) == expected).all()


@pytest.mark.parametrize("format", ["svg", "gif", "apng"])
def test_the_same_trace_gives_the_same_bytes(image, tmp_path, format):
    first, second = (
        save_frames(diagram(circuit()), tmp_path / f"{name}.{format}", "node").files[0]
        for name in "ab"
    )
    assert first.read_bytes() == second.read_bytes()


def test_a_trace_saves_itself_as_what_plays(image, tmp_path):
    path = circuit().diagram(step=3).save(tmp_path / "c.gif")
    with image.open(path) as found:
        assert found.n_frames == 7


def test_without_pillow_the_error_says_how_to_get_it_and_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(DiagramError, match=r"needs Pillow(.|\n)*try: pip install"):
        circuit().diagram().save(tmp_path / "c.gif")
    assert not list(tmp_path.iterdir())


def test_what_is_too_wide_is_drawn_smaller_and_what_is_too_large_refused(image, monkeypatch):
    figure = diagram(circuit())
    film = figure.film([0, 6])
    monkeypatch.setattr(moving_picture, "WIDEST", 300)
    content = moving_picture.moving_picture(figure, film, (PAUSE, PAUSE), "gif")
    with image.open(io.BytesIO(content)) as found:
        assert abs(found.width - 300) < 5
    monkeypatch.setattr(moving_picture, "MOST_BYTES", 1000)
    with pytest.raises(DiagramError, match=r"2 frames(.|\n)*try: "):
        moving_picture.moving_picture(figure, film, (PAUSE, PAUSE), "gif")


def test_a_trace_of_one_value_has_one_frame(tmp_path):
    trace: Trace = tr.trace(tr.tensor(1.0, name="x"))
    saved = save_frames(diagram(trace), tmp_path / "x.svg")
    ElementTree.parse(saved.files[0])
    assert [file.name for file in save_frames(diagram(trace), tmp_path / "x.pdf").files] == [
        "x-00.pdf"
    ]


@pytest.mark.parametrize("build", [neuron, batch_norm])
def test_the_labels_of_scopes_stand_still_and_where_they_are_in_the_figure(build):
    figure = diagram(build())

    def starts(item: Item) -> float:
        return next(stroke.at[0] for stroke in item.strokes if isinstance(stroke, Letters))

    places = {item.key: starts(item) for item in figure.drawn.items if item.kind == "cluster"}
    assert places
    for actor in figure.film().actors:
        if actor.key in places:
            found = [starts(look) for look in actor.looks]
            assert max(found) - min(found) < 1
            assert abs(found[0] - places[actor.key]) < 6
