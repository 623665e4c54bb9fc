"""TikZ: the same strokes as the SVG, in ASCII that plain pdflatex sets, alone or inside a document."""

import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

import ops
import tracer as tr
from tests.tracer.diagrams import networks
from tracer.diagrams.algebra.derivation import derivation_tex
from tracer.diagrams.frames import part_of
from tracer.diagrams.palettes import THEMES
from tracer.diagrams.strokes import Drawn, Ellipse, Item, Letters
from tracer.diagrams.writers.tikz import FIGURE_SIGNS, LARGEST, tikz_text
from tracer.tex import SIGNS, UNKNOWN, tex_text
from tracer.timeline import GLYPHS

LIGHT = THEMES["light"]
PDFLATEX = shutil.which("pdflatex")
TECTONIC = shutil.which("tectonic")
needs_tex = pytest.mark.skipif(
    not (PDFLATEX or TECTONIC), reason="no pdflatex and no tectonic on PATH"
)

LETTERS = re.compile(
    r"^\\gstext\{gs(\w+)\}\{(\w+)\}\{([\d.]+)\}\{([\d.,-]+)\}\{([\d.]+)\}\{(.*)\}$", re.M
)
BACK = {tex: char for char, tex in reversed(FIGURE_SIGNS.items()) if not tex.isalnum()}
TOKEN = re.compile(
    "|".join(map(re.escape, sorted(BACK, key=len, reverse=True))) + r"|\\ |\{\}|.", re.S
)


def read(tex: str) -> str:
    """The characters that a piece of TeX shows."""
    return "".join(
        {"\\ ": " ", "{}": ""}.get(token, BACK.get(token, token)) for token in TOKEN.findall(tex)
    )


def numbers_by_shape(tex: str) -> dict[str, dict[str, str]]:
    """For each shape the characters in the colours of values and gradients."""
    found: dict[str, dict[str, str]] = {}
    for block in re.split(r"^% (?=\w+ \S*$)", tex, flags=re.M)[1:]:
        key = block.split()[1]
        for role, _, _, _, _, text in LETTERS.findall(block):
            shown = found.setdefault(key, {})
            shown[role] = shown.get(role, "") + read(text)
    return found


def rounds_to(text: str, number: float) -> bool:
    """Whether a printed number is the number, to the decimals that it has."""
    printed = Decimal(text.replace("−", "-"))
    step = Decimal((0, (1,), printed.as_tuple().exponent))
    return abs(printed - Decimal(float(number))) <= step / 2 + Decimal("1e-12")


def one_word(text: str, **dress: object) -> Drawn:
    """A page with one word."""
    letters = Letters(text, (10.0, 20.0), 40.0, "ink", 12.0, **dress)
    return Drawn(100.0, 40.0, (Item("n0", "shape", (letters,)),))


# ----- what is written


@pytest.mark.parametrize("network", ["circuit", "neuron", "branching", "scalar_rnn"])
def test_every_number_of_a_scalar_figure_is_that_of_the_trace(network):
    trace = getattr(networks, network)()
    figure = trace.diagram()
    shown = numbers_by_shape(tikz_text(figure.drawn, figure.palette))
    checked = 0
    for node in trace:
        texts = shown.get(f"n{node.index}", {})
        if texts.get("value"):
            assert rounds_to(texts["value"], node.value), (node, texts)
            checked += 1
        if texts.get("gradient") and "=" not in texts["gradient"]:
            assert rounds_to(texts["gradient"], node.gradient), (node, texts)
            checked += 1
    assert checked >= 8


def test_the_first_numbers_of_every_card_are_those_of_the_trace():
    trace = networks.batch_norm()
    figure = trace.diagram()
    shown = numbers_by_shape(tikz_text(figure.drawn, figure.palette))
    for node in trace:
        texts = shown[f"n{node.index}"]
        for role, array in (("value", node.value), ("gradient", node.gradient)):
            printed = re.findall(r"−?\d[\d.e−]*", texts.get(role, ""))
            for text, number in zip(printed, [] if array is None else array.flat, strict=False):
                assert rounds_to(text, number)
        assert re.search(r"\d", texts["value"])


def test_all_letters_keep_their_place_size_room_and_colour():
    figure = networks.neuron().diagram()
    letters = [s for item in figure.drawn.items for s in item.strokes if isinstance(s, Letters)]
    written = LETTERS.findall(tikz_text(figure.drawn, LIGHT))
    assert len(written) == len(letters)
    for one, (role, face, size, place, room, text) in zip(letters, written, strict=True):
        assert (role, read(text)) == (one.paint.replace("_", ""), one.text)
        assert (float(size), float(room)) == pytest.approx((one.size, one.room), abs=1e-3)
        assert face == ("b" * one.bold + "i" * one.italic or "plain")
        x, y = map(float, place.split(","))
        assert x == pytest.approx(one.at[0], abs=1e-3)
        hang = 0.3 * one.size if one.lowered else 0.0
        assert y == pytest.approx(one.at[1] + hang, abs=1e-3)


def test_every_colour_is_defined_once_by_the_name_of_its_role():
    text = tikz_text(networks.circuit().diagram().drawn, LIGHT)
    defined = re.findall(r"\\definecolor\{(\w+)\}\{HTML\}\{([0-9A-F]{6})\}", text)
    assert ("gsvalue", LIGHT.value.lstrip("#").upper()) in defined
    assert len({name for name, _ in defined}) == len(defined)
    used = set(re.findall(r"(?:draw|fill)=(gs\w+)", text)) | {
        f"gs{m[0]}" for m in LETTERS.findall(text)
    }
    assert used <= {name for name, _ in defined}


def test_the_same_figure_gives_the_same_bytes_in_plain_ascii():
    texts = {tikz_text(networks.batch_norm().diagram().drawn, LIGHT) for _ in range(2)}
    assert len(texts) == 1
    assert texts.pop().isascii()


def test_a_dark_figure_paints_its_paper_and_a_light_one_does_not():
    drawn = one_word("x")
    assert r"\fill[gspaper]" in tikz_text(drawn, THEMES["dark"])
    assert r"\fill[gspaper]" not in tikz_text(drawn, LIGHT)


def test_a_page_longer_than_tex_can_measure_is_drawn_smaller():
    wide = Drawn(
        70_000.0, 100.0, (Item("n0", "shape", (Ellipse((69_000.0, 50.0), (9.0, 9.0), "ink"),)),)
    )
    text = tikz_text(wide, LIGHT)
    assert "Drawn 5.0 times smaller" in text
    assert max(float(n) for n in re.findall(r"\(([\d.]+),", text)) <= LARGEST


# ----- hostile and foreign names

KNOWN = set(
    "textbackslash textless textgreater textbar char textminus texttimes textdiv dots square partial i cdot circ "
    "bullet gsring gshalf gsdisc oslash varnothing".split()
)


@pytest.mark.parametrize(
    "name",
    [
        *networks.HOSTILE,
        r"\input{secret}",
        r"\write18{rm}",
        "a%b",
        "}}\\end{document}",
        "^^5cinput",
        "a\nb\r\\x",
        "$x_1^2&~#",
        "``'' -- ?` !`",
        "x" * 10_000,
        "日本 שלום 😀 \u202e",
        "\\catcode`\\%=12",
    ],
)
def test_no_name_can_bring_a_command_along(name):
    line = LETTERS.search(tikz_text(one_word(name), LIGHT))
    assert line is not None
    text = line[6]
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= KNOWN
    bare = re.sub(r"\\.", "", text.replace("\\\\", ""))
    assert not set("%#&~") & set(bare)
    assert "^^" not in text
    depth = 0
    for token in re.findall(r"\\.|[{}]", text):
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0
    assert depth == 0


def test_a_character_that_no_font_has_becomes_a_visible_box():
    assert tex_text("a😀b") == f"a{UNKNOWN}b"


def test_signs_are_not_taken_apart_and_repeated_ones_do_not_melt_together():
    assert tex_text("a≠b") == r"a$\ne$b"
    assert tex_text("--, >>") == r"-{}-, \textgreater{}\textgreater"


@pytest.mark.parametrize(
    ("text", "tex"),
    [("w_0", r"w\_0"), ("naïve", r"na\"{\i}ve"), ("ŷ", r"\^{y}"), ("x²", "x$^{2}$")],
)
def test_accents_and_raised_digits_are_set_as_such(text, tex):
    assert tex_text(text) == tex


def test_every_sign_that_a_figure_can_show_has_a_form():
    signs = set("".join(GLYPHS.values()) + "∂Σ×−…→·⋯")
    for op in ops.PRIMITIVES.values():
        signs |= {c for c in op.formula.text + op.formula.symbol if not c.isascii()}
    assert {c for c in signs if UNKNOWN in tex_text(c, FIGURE_SIGNS)} == set()
    assert all(value.isascii() for value in SIGNS.values())


# ----- compiled


def compiled(source: str, folder: Path, name: str = "figure") -> str:
    """What TeX says of a file that it set without an error."""
    (folder / f"{name}.tex").write_text(source, encoding="ascii")
    tool = (
        [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
        if PDFLATEX
        else [str(TECTONIC), "--print"]
    )
    done = subprocess.run(
        [*tool, f"{name}.tex"], cwd=folder, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-1500:]
    assert (folder / f"{name}.pdf").read_bytes()[:4] == b"%PDF"
    return done.stdout


def page_of(folder: Path, name: str = "figure") -> tuple[float, float]:
    """Width and height of the first page, in points of 1/72 inch."""
    box = re.search(rb"/MediaBox ?\[([\d. ]+)\]", (folder / f"{name}.pdf").read_bytes())
    if box is None:
        pytest.skip("the pages lie in a compressed stream")
    return tuple(float(part) for part in box[1].split()[2:])


@needs_tex
def test_a_figure_compiles_by_itself_on_a_page_of_its_size(tmp_path):
    figure = networks.circuit().diagram()
    source = tikz_text(figure.drawn, LIGHT)
    source = source.replace(
        r"\documentclass",
        r"\ifdefined\pdfobjcompresslevel\pdfobjcompresslevel=0 \fi\documentclass",
        1,
    )
    said = compiled(source, tmp_path)
    assert "Warning" not in said
    assert page_of(tmp_path) == pytest.approx((figure.drawn.width, figure.drawn.height), abs=0.1)


@needs_tex
@pytest.mark.slow
def test_every_network_and_state_compiles_with_its_derivation(tmp_path):
    makers = ("neuron", "branching", "batch_norm", "scalar_rnn", "rnn", "badly_named")
    for network in makers:
        trace = getattr(networks, network)()
        for step in (None, 0, trace.timeline.forward_steps + 2):
            figure = trace.diagram(step=step)
            proof = derivation_tex(part_of(trace), step)
            said = compiled(tikz_text(figure.drawn, LIGHT, derivation=proof), tmp_path)
            assert not re.search(r"Overfull \\hbox \((?!\d\.|1\d\.)", said), (network, step)


@needs_tex
@pytest.mark.slow
def test_every_sign_and_hostile_name_compiles(tmp_path):
    words = [
        *SIGNS,
        *GLYPHS.values(),
        *networks.HOSTILE,
        "naïve ŷ ğ ő ç ß γ̂ x̂ ñ",
        "日本 שלום 😀",
        "a\nb",
    ]
    items = tuple(
        Item(
            f"n{k}",
            "shape",
            (Letters(word, (9.0, 12.0 * k), 30.0, "value", 11.0, bold=bool(k % 2)),),
        )
        for k, word in enumerate(words)
    )
    said = compiled(tikz_text(Drawn(90.0, 12.0 * len(words) + 20, items), LIGHT), tmp_path)
    assert "Missing character" not in said


@needs_tex
@pytest.mark.slow
def test_two_figures_and_a_derivation_go_into_a_document_of_another_language(tmp_path):
    for name, trace in (("one", networks.circuit()), ("two", networks.batch_norm())):
        text = tikz_text(trace.diagram().drawn, LIGHT, derivation=derivation_tex(part_of(trace)))
        (tmp_path / f"{name}.tex").write_text(text)
    document = r"""\documentclass{article}
\usepackage{tikz,amsmath,amssymb}
\begin{document}
\catcode`\;=13 \catcode`\:=13 \catcode`\"=13 % as in French or German
\begin{figure}\input{one}\caption{A circuit.}\end{figure}
\begin{figure}\resizebox{\textwidth}{!}{\input{two}}\caption{BatchNorm.}\end{figure}
\gsderivation
\end{document}
"""
    said = compiled(document, tmp_path, "document")
    assert "LaTeX Warning: Float too large" not in said


def test_the_format_tex_is_the_figure_with_its_derivation_at_the_same_step():
    trace = networks.circuit()
    text = trace.diagram(step=3).render("tex").decode("ascii")
    assert r"\begin{tikzpicture}" in text
    assert "After step 3 of 6" in text
    assert text.index("After step") > text.index(r"\gdef\gsderivation")


def test_a_trace_with_a_name_in_every_script_still_gives_ascii():
    γ = tr.tensor(2.0, name="γ")
    y = γ * tr.tensor(3.0, name="重み")
    text = tikz_text(tr.trace(y).diagram().drawn, LIGHT)
    assert text.isascii()
    assert r"$\gamma$" in text
