"""`gradstep diagram`: every option, every ending, and what is said where something makes no sense."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.tui.test_cli import one_sentence
from tracer.diagrams import STYLES, THEMES
from tracer.diagrams.animation import choosing
from tracer.diagrams.formats import FORMATS
from tui.exporting import file_name
from tui.targets import resolve


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to write into."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(file.name for file in folder.iterdir())


# ----- one figure


@pytest.mark.parametrize(
    ("ending", "start"),
    [
        (".dot", b"digraph"),
        (".gv", b"digraph"),
        (".svg", b"<svg"),
        (".SVG", b"<svg"),
        (".png", b"\x89PNG"),
        (".pdf", b"%PDF"),
        (".html", b"<!"),
        (".txt", "╭".encode()),
        (".tex", b"% A figure"),
        (".md", b"```mermaid"),
        (".gif", b"GIF89a"),
        (".apng", b"\x89PNG"),
    ],
)
def test_the_ending_says_the_format(gradstep, here, ending, start):
    if ending in (".gif", ".apng"):
        pytest.importorskip("PIL.Image")
    status, out, err = gradstep("diagram", "circuit", "-o", f"c{ending}")
    assert (status, out, err) == (0, f"wrote c{ending}\n", "")
    assert (here / f"c{ending}").read_bytes().startswith(start)
    assert names(here) == [f"c{ending}"]


@pytest.mark.parametrize("name", ["sigmoid_neuron", "xor", "batchnorm", "rnn"])
def test_every_network_has_a_figure(gradstep, here, name):
    assert gradstep("diagram", name, "-o", "figure.dot")[:2] == (0, "wrote figure.dot\n")
    assert (here / "figure.dot").read_text(encoding="utf-8").startswith("digraph")


def test_every_ending_that_the_help_names_is_written(gradstep):
    out = gradstep("diagram", "--help")[1]
    endings = {word.strip(",;()") for word in out.split() if word.startswith(".")}
    assert endings <= {f".{format}" for format in FORMATS}
    assert all(f".{format}" in endings or format in ("gv", "mmd") for format in FORMATS)


def test_the_help_names_every_style_and_theme(gradstep):
    out = " ".join(gradstep("diagram", "--help")[1].split())
    assert all(style in out for style in STYLES)
    assert all(theme in out for theme in THEMES)


def test_without_a_file_the_drawing_is_printed(gradstep, here):
    status, out, err = gradstep("diagram", "circuit")
    assert (status, err) == (0, "")
    assert "q add" in out
    assert "−12" in out
    assert not names(here)


def test_the_drawing_is_as_wide_as_the_terminal(gradstep, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert max(map(len, gradstep("diagram", "rnn")[1].splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "300")
    assert max(map(len, gradstep("diagram", "sigmoid_neuron")[1].splitlines())) > 80
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, gradstep("diagram", "sigmoid_neuron")[1].splitlines())) <= 60
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert max(map(len, gradstep("diagram", "sigmoid_neuron")[1].splitlines())) <= 60


def test_the_drawing_of_a_step_does_not_know_what_comes_later(gradstep):
    out = gradstep("diagram", "circuit", "--step", 1)[1]
    assert "−12" not in out
    assert "3" in out


@pytest.mark.parametrize("format", ["dot", "svg", "txt"])
def test_text_formats_go_to_the_standard_output_and_nothing_else_does(gradstep, script, format):
    text = "import tracer as tr\nprint('hello')\nw = tr.tensor(3.0)\n(w * w).backward()\n"
    file = script(text)
    status, out, err = gradstep("diagram", file, "-o", "-", "--format", format)
    assert status == 0
    assert "hello" in err
    assert out == resolve(str(file)).trace.diagram().render(format).decode()
    if format == "svg":
        ElementTree.fromstring(out)


def test_a_page_to_step_through_is_named_after_the_target(gradstep, here):
    assert gradstep("diagram", "sigmoid_neuron:one_gate", "--html")[1] == (
        "wrote sigmoid_neuron-one_gate.html\n"
    )
    assert names(here) == ["sigmoid_neuron-one_gate.html"]
    assert file_name("../nets/train.py:loss") == "train-loss"


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (("--step", "3"), {"step": 3}),
        (("--style", "cards"), {"style": "cards"}),
        (("--theme", "dark"), {"theme": "dark"}),
        (("--theme", "print"), {"theme": "print"}),
        (("--scope", "sigmoid"), {"scope": "sigmoid"}),
        (("--around", "e"), {"around": "e"}),
        (("--around", "e", "--radius", "1"), {"around": "e", "radius": 1}),
        (("--max-nodes", "3"), {"most": 3, "style": "cards"}),
        (("--local",), {"local": True}),
    ],
)
def test_an_option_does_what_its_argument_in_python_does(gradstep, here, words, more):
    if "most" in more:
        words = (*words, "--style", more["style"])
    assert gradstep("diagram", "sigmoid_neuron", "-o", "n.dot", *words)[0] == 0
    trace = resolve("sigmoid_neuron").trace
    wanted = trace.diagram(**{"style": "circuit", **more})
    assert (here / "n.dot").read_text() == wanted.dot
    assert wanted.dot != trace.diagram(style="circuit").dot


def test_the_theme_of_the_reader_is_followed(gradstep, here):
    gradstep("diagram", "circuit", "-o", "c.svg", "--theme", "auto")
    assert "prefers-color-scheme" in (here / "c.svg").read_text()


def test_what_the_reader_should_know_is_said(gradstep, here, monkeypatch):
    monkeypatch.setattr("tui.exporting.remarks", lambda figure, format: ("40 steps were folded",))
    status, out, err = gradstep("diagram", "circuit", "-o", "c.dot")
    assert (status, out, err) == (0, "wrote c.dot\n", "gradstep: 40 steps were folded\n")


# ----- many steps


def test_numbered_pages_are_written_with_the_line_for_latex(gradstep, here):
    status, out, err = gradstep("diagram", "circuit", "--frames", "-o", "c.pdf")
    assert (status, err) == (0, "")
    assert out.startswith("wrote c-00.pdf to c-06.pdf: 7 pages of one size\n")
    assert r"\usepackage{pgffor}" in out
    assert r"\includegraphics<+>" in out
    assert names(here) == [f"c-{k:02d}.pdf" for k in range(7)]


def test_frames_may_be_whole_nodes_or_a_range(gradstep, here):
    gradstep("diagram", "circuit", "--frames", "node", "-o", "n-%d.svg")
    gradstep("diagram", "circuit", "--frames", "2:4", "-o", "r-%d.svg")
    assert names(here) == [f"n-{k}.svg" for k in range(5)] + [f"r-{k}.svg" for k in range(3)]
    assert "step 4 of 6" in (here / "r-2.svg").read_text()


def test_an_svg_of_frames_plays_with_the_pause_that_is_asked_for(gradstep, here):
    assert gradstep("diagram", "circuit", "--frames", "--pause", "0.5", "-o", "c.svg")[0] == 0
    text = (here / "c.svg").read_text()
    assert "animation:5s step-end infinite" in text  # six frames of half a second, and the last
    assert names(here) == ["c.svg"]


def test_a_gif_needs_no_word_about_frames(gradstep, here):
    image = pytest.importorskip("PIL.Image")
    gradstep("diagram", "circuit", "-o", "c.gif", "--pause", "0.2")
    with image.open(here / "c.gif") as found:
        assert (found.n_frames, found.info["duration"]) == (7, 200)


# ----- what makes no sense


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "c.jpeg"), "unknown suffix '.jpeg'"),
        (("-o", "c"), "no suffix"),
        (("-o", "."), "no suffix"),
        (("-o", "no/such/c.svg"), "there is no directory no/such"),
        (("-o", "folder.svg"), "folder.svg: it is a directory"),
        (("-o", "c.svg", "--style", "cubist"), "unknown style 'cubist'"),
        (("-o", "c.svg", "--style", "unrolled"), "time steps"),
        (("-o", "c.svg", "--theme", "puce"), "unknown theme 'puce'"),
        (("-o", "c.svg", "--scope", "nope"), "a scope 'nope'"),
        (("-o", "c.svg", "--around", "nope"), "no node 'nope'"),
        (("-o", "c.svg", "--around", "q", "--radius", "x"), "--radius"),
        (("-o", "c.svg", "--radius", "2"), "--around"),
        (("-o", "c.svg", "--max-nodes", "0"), "--max-nodes"),
        (("-o", "c.svg", "--step", "7"), "steps 0 to 6"),
        (("-o", "c.svg", "--step", "q"), "--step"),
        (("-o", "c.svg", "--pause", "1"), "--pause"),
        (("-o", "c.svg", "--format", "svg"), "--format"),
        (("--format", "svg"), "--format"),
        (("-o", "-"), "which format"),
        (("-o", "-", "--format", "png"), "no png"),
        (("-o", "-", "--frames"), "frames need a file"),
        (("--frames",), "frames need a file"),
        (("-o", "c.html", "--frames"), "unknown suffix '.html'"),
        (("-o", "c.gif", "--frames", "9:3"), "no frames 9:3"),
        (("-o", "c.gif", "--frames", "some"), "no frames 'some'"),
        (("-o", "c.gif", "--step", "3"), "--step is one moment"),
        (("-o", "c.pdf", "--frames", "--step", "3"), "--step is one moment"),
        (("-o", "c-%02d.gif", "--frames"), "unknown suffix '.gif'"),
        (("-o", "c.svg", "--html"), "--html"),
        (("--html", "--frames"), "--frames"),
        (("-o", "c.svg", "--dark"), "--dark"),
    ],
)
def test_bad_input_leaves_with_2_a_sentence_and_a_cure_and_writes_nothing(
    gradstep, here, words, said
):
    (here / "folder.svg").mkdir()
    status, out, err = gradstep("diagram", "circuit", *words)
    assert (status, out) == (2, "")
    assert said in err
    assert "try: " in err
    assert one_sentence(err)
    assert names(here) == ["folder.svg"]


def test_a_bad_ending_is_told_before_a_script_runs(gradstep, script):
    file = script("raise SystemExit('it ran')\n")
    for words in (("-o", "c.jpeg"), ("--frames", "-o", "c.txt"), ("-o", "-")):
        status, _, err = gradstep("diagram", file, *words)
        assert status == 2
        assert "it ran" not in err


def test_too_many_frames_are_refused_with_fewer(gradstep, here, monkeypatch):
    monkeypatch.setattr(choosing, "MOST", 4)
    status, _, err = gradstep("diagram", "circuit", "--frames", "-o", "c.pdf")
    assert status == 2
    assert "7 frames are more than 4\n  try: node" in err
    assert not names(here)


def test_without_graphviz_frames_are_refused_in_a_sentence(gradstep, here, monkeypatch):
    monkeypatch.setenv("PATH", str(here))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    for words in (("--frames", "-o", "c.pdf"), ("-o", "c.gif"), ("-o", "c.svg", "--frames")):
        status, _, err = gradstep("diagram", "circuit", *words)
        assert status == 2
        assert "needs Graphviz" in err
        assert one_sentence(err)
    assert not names(here)
    assert gradstep("diagram", "circuit")[0] == 0
    assert gradstep("diagram", "circuit", "-o", "-", "--format", "dot")[0] == 0


def test_a_full_disk_leaves_no_page(gradstep, here, monkeypatch):
    rename = type(here).rename

    def fails(file, target):
        if str(target).endswith("c-03.svg"):
            raise OSError(28, "No space left on device")
        return rename(file, target)

    (here / "c-01.svg").write_text("mine")
    monkeypatch.setattr(type(here), "rename", fails)
    status, _, err = gradstep("diagram", "circuit", "--frames", "-o", "c-%02d.svg")
    assert status == 2
    assert "No space left" in err
    assert names(here) == ["c-01.svg"]
    assert (here / "c-01.svg").read_text() == "mine"


def test_drawing_loads_neither_numba_nor_textual(checkout, tmp_path):
    code = (
        "import sys; from tui.cli import main; "
        f"assert main(['diagram', 'batchnorm', '-o', {str(tmp_path / 'b.svg')!r}]) == 0; "
        f"assert main(['diagram', 'batchnorm', '--frames', 'node', '-o', {str(tmp_path / 'c.svg')!r}]) == 0; "
        "print(*{'numba', 'llvmlite', 'textual', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "", done.stderr


# ----- cures in the words of the shell


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (("batchnorm", "--style", "circuit"), "try: --style cards"),
        (("batchnorm", "--style", "card"), "try: --style cards, or one of"),
        (("batchnorm", "--style", "bn.png"), "try: -o bn.png"),
        (("rnn", "--scope", "rnnn"), "the scopes are: "),
        (("circuit", "--step", "abc"), "abc is not a number of steps"),
        (("circuit", "--style", "paths", "--around", "f"), "try: another node"),
    ],
)
def test_a_cure_names_the_option_and_not_the_argument_of_python(gradstep, options, cure):
    status, out, err = gradstep("diagram", *options, "-o", "-", "--format", "dot")
    assert (status, out) == (2, "")
    assert cure in err
    assert one_sentence(err)
    assert not re.search(r"(style|scope|around)=", err)


def test_the_theme_of_the_reader_is_light_in_a_picture_and_it_says_so(gradstep, here):
    assert (
        "a .png cannot follow"
        in gradstep("diagram", "circuit", "--theme", "auto", "-o", "c.png")[2]
    )
    assert gradstep("diagram", "circuit", "--theme", "auto", "-o", "c.svg")[2] == ""


@pytest.mark.slow
def test_frames_without_a_word_are_those_in_which_something_changes(gradstep, here):
    gradstep("diagram", "rnn", "--frames", "-o", "a.svg")
    told = gradstep("diagram", "rnn", "--frames", "-o", "a-%02d.svg")[1]
    drawn = len(names(here))
    gradstep("diagram", "rnn", "--frames", "all", "-o", "b-%02d.svg")
    every = len([name for name in names(here) if name.startswith("b")])
    assert "pages of one size" in told
    assert drawn < every


def test_a_name_that_several_nodes_bear_is_told_apart(gradstep, here):
    err = gradstep("diagram", "rnn", "--around", "a", "-o", "a.dot")[2]
    assert "'a' is a#8 here, the last of 8" in err


BLOCKS = """
import tracer as tr


def loss():
    x = tr.tensor(0.5, name="x")
    for k in range(12):
        with tr.scope("block", k=k):
            with tr.scope("attention"):
                x = tr.tanh(x)
            if k == 3:
                with tr.scope("head"):
                    x = x * 2
    return x
"""


def test_a_scope_is_known_by_its_end_where_only_one_ends_so(gradstep, here):
    (here / "net.py").write_text(BLOCKS)
    by_end = gradstep("diagram", "net.py:loss", "--scope", "head", "-o", "-", "--format", "dot")
    whole = gradstep(
        "diagram", "net.py:loss", "--scope", "block[k=3].head", "-o", "-", "--format", "dot"
    )
    assert by_end[0] == 0
    assert by_end[1] == whole[1]
    status, _, err = gradstep("diagram", "net.py:loss", "--scope", "attention", "-o", "x.dot")
    assert status == 2
    assert "12 scopes end in 'attention'" in err
    assert err.index("block[k=2].attention") < err.index("block[k=10].attention")
    assert "such as --scope 'block[k=0].attention'" in err
