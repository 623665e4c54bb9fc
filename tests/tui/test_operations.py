"""`gradstep ops`: the table, the page of one operation, and that both fit where they are printed."""

from __future__ import annotations

import io
import re

import pytest

import tracer as tr
from ops import PRIMITIVES
from ops.catalogue import PUBLIC
from tests.walking import walk
from tui.op_page import derivatives, op_page
from tui.op_table import first_sentence, ops_table
from tui.operations import chosen, entries, second_order
from tui.printing import Terminal, printed, reflowed, terminal, text_of
from tui.statuses import USAGE
from tui.text import width

NAMES = sorted({*PRIMITIVES, *PUBLIC})


def page(name: str, **settings) -> str:
    return "\n".join(map(text_of, op_page(entries()[name], Terminal(**settings))))


def table(*, columns: int = 80, **which) -> list[str]:
    return [text_of(line) for line in ops_table(chosen(**which), Terminal(columns))]


# ----- the table


def test_the_table_has_every_operation_under_its_family(gradstep):
    status, out, _ = gradstep("ops")
    assert status == 0
    listed = re.findall(r"^  (\w+)", out, re.MULTILINE)
    assert sorted(listed[1:]) == sorted(entries())
    assert {*NAMES} <= {*listed}
    assert not re.search(
        r"^_", out, re.MULTILINE
    )  # what a function of a family makes belongs to it
    assert out.index("\ngating: Activations") < out.index("\n  gelu ") < out.index("\nattention: ")


@pytest.mark.parametrize("columns", [80, 100, 150, 220])
def test_the_table_fits_the_terminal_and_uses_what_there_is(columns):
    rows = table(columns=columns)
    assert max(map(width, rows)) <= columns
    row = next(row for row in rows if row.startswith("  silu "))
    assert ("also called swish" in row) == (columns >= 150)
    assert max(map(width, rows)) > min(columns, 140) - 10


def test_a_row_says_formula_inputs_second_order_and_kernels():
    rows = {row.split()[0]: row for row in table() if row.startswith("  ")}
    assert rows["matmul"].split()[1:] == ["x", "@", "y", "x,", "y", "✓"]
    assert rows["relu"].split() == ["relu", "relu(x)", "x", "0", "8,192"]
    assert rows["greater"].split()[-2:] == ["—", "—"]
    assert rows["embedding"].split() == ["embedding", "weight[indices]", "weight", "0", "512"]
    assert rows["swapaxes"].split("  ")[-1].strip() == "swapaxes(x, axis1, axis2)"


def test_second_order_is_found_by_differentiating_twice():
    found = {name: second_order(PRIMITIVES[name]) for name in ("exp", "mul", "add", "sum", "sign")}
    assert found == {"exp": "✓", "mul": "✓", "add": "0", "sum": "0", "sign": "0"}
    assert second_order(PRIMITIVES["argmax"]) == "—"


def test_a_pattern_and_a_family_filter_the_table(gradstep):
    _, out, _ = gradstep("ops", "log*")
    listed = re.findall(r"^  (\w+)", out, re.MULTILINE)[1:]
    assert "logsumexp" in listed
    assert all(name.startswith("log") for name in listed)
    by_word, by_option = gradstep("ops", "gating")[1], gradstep("ops", "--family", "gating")[1]
    assert by_word == by_option
    assert re.findall(r"^  (\w+)", by_word, re.MULTILINE)[1:] == [
        "silu",
        "mish",
        "gelu",
        "glu",
        "swish",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sigmiod",), "no operation 'sigmiod': did you mean sigmoid"),
        (("rectifeirs",), "did you mean rectifiers"),
        (("GELU",), "no operation 'GELU': did you mean gelu?"),
        (("--family", "gatin"), "no family 'gatin' of operations: did you mean gating?"),
        (("nosuch",), "no operation 'nosuch'\n  try: gradstep ops, which lists them"),
        (("zz*",), "gradstep ops, which lists them"),
    ],
)
def test_what_is_not_there_names_the_closest(gradstep, arguments, words):
    status, _, err = gradstep("ops", *arguments)
    assert status == USAGE
    assert words in err


def test_a_first_sentence_ends_where_it_ends():
    assert first_sentence("Sum of two values. An add gate.") == "Sum of two values."
    assert first_sentence("As in He et al. 2015. More.") == "As in He et al. 2015."
    assert first_sentence("1e-5 is 0.00001 here\n\nMore.") == "1e-5 is 0.00001 here"


# ----- the page


@walk("name", NAMES, by=lambda name: name[0])
def test_every_operation_has_a_page_that_fits(name):
    found = page(name)
    lines = found.splitlines()
    assert max(map(width, lines)) <= 80
    whole = " ".join(found.split())
    op = PRIMITIVES.get(name) or getattr(tr, name)
    doc = (getattr(op, "doc", None) or op.__doc__).splitlines()[0]
    assert " ".join(doc.split()) in whole
    assert f"tr.{name}(" in found or name not in dir(tr)


def test_a_page_says_all_that_is_declared(gradstep):
    status, out, _ = gradstep("ops", "sigmoid")
    assert status == 0
    assert out.startswith("tr.sigmoid(x)\n\n  σ(x)\n  ∂/∂x: out · (1 − out)\n  with x 3×4\n")
    assert "⠤⠤⠤⠤ sigmoid(x)    ⠤ ⠤ ⠤ ∂/∂x, from its rule" in out
    assert re.search(r"^kernels +numpy; numba .*32,768 elements$", out, re.MULTILINE)
    assert re.search(r"^second order +its gradient has a gradient again$", out, re.MULTILINE)
    assert "tested on     sigmoid(f64[3×4])\n              sigmoid(f64[0×2])\n" in out


def test_derivatives_are_formulas_or_linear_maps():
    assert "∂/∂x: g ↦ g @ yᵀ" in derivatives(PRIMITIVES["matmul"])
    assert derivatives(PRIMITIVES["greater"])[0] == "∂/∂x: no derivative"


def test_what_a_name_stands_for_is_said_once_where_all_inputs_share_it():
    lines = derivatives(PRIMITIVES["scaled_dot_product_attention"])
    assert [line.split(":")[0] for line in lines[:3]] == ["∂/∂query", "∂/∂key", "∂/∂value"]
    assert lines[3].startswith("  where by_score = A · (by_weight − ")
    assert lines[4] == "        by_weight = g @ valueᵀ"
    assert len(lines) == 5


def test_kernels_parts_and_samples_are_named():
    found = page("embedding")
    assert "numpy; numba from 512 elements of indices" in found
    assert "opens into    one_hot, matmul" in found
    assert "embedding(i64[3], f64[3×2], padding_idx=0)" in found
    assert 'numba where tr.kernels("numba") asks for it' in page("mul")
    assert re.search(r"opens into +\d+ operations: .*\d × matmul", page("lstm_layer"))


def test_functions_names_and_inner_operations_have_pages_too():
    assert page("split").startswith("tr.split(x, indices_or_sections, axis=0)\n\nCut along an axis")
    assert "a function, which records what it calls" in page("split")
    assert page("swish").startswith("tr.swish(x)\n\n  silu(x)\n")
    assert re.search(r"^same as +silu$", page("swish"), re.MULTILINE)
    assert page("add_rows").startswith("add_rows(values, indices")
    assert "called by other operations only" in page("add_rows")
    dropout = page("dropout")
    assert dropout.startswith("tr.dropout(x, p=0.5, *, training=True")
    assert "recorded as the primitive dropout(x, p=0.5, form='inverted', seed=):" in dropout


def test_only_operations_of_one_number_have_a_plot():
    assert "⠤ ⠤ ⠤ ∂/∂x" in page("gelu")
    assert "the same curve" in page("exp")
    assert "⠤" not in page("matmul") + page("greater")


def test_a_page_uses_the_width_up_to_a_hundred_columns():
    narrow, wide, widest = (page("gelu", columns=n) for n in (60, 100, 200))
    assert 55 < max(map(width, narrow.splitlines())) <= 60
    assert 95 < max(map(width, wide.splitlines())) <= 100
    assert wide == widest


# ----- what the terminal can show


@pytest.mark.parametrize("name", [None, "gelu", "batch_norm", "lstm_layer", "floor"])
def test_in_ascii_everything_is_written_and_fits(name):
    here = Terminal(80, signs=False)
    lines = op_page(entries()[name], here) if name else ops_table(chosen(), here)
    text = "\n".join(map(text_of, lines))
    spelled = here.spell(text)
    assert "?" not in spelled
    if name:
        assert max(map(len, spelled.splitlines())) <= 80
    else:
        assert max(map(len, spelled.splitlines())) <= 84  # what follows an ellipsis is cut by signs


def test_colours_only_add_to_what_is_there_and_no_color_is_obeyed():
    class Screen(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    coloured = terminal(Screen(), {})
    assert coloured.colours
    assert coloured.signs
    assert not terminal(Screen(), {"NO_COLOR": "1"}).colours
    assert not terminal(Screen(), {"TERM": "dumb"}).colours
    assert not terminal(io.StringIO(), {}).colours
    lines = op_page(entries()["tanh"], coloured)
    bright, plain = printed(lines, colours=True), printed(lines, colours=False)
    stripped = re.sub(r"\x1b\[\d*m", "", bright)
    assert [line.rstrip() for line in stripped.splitlines()] == plain.splitlines()
    assert "\x1b[32m⠤⠤⠤⠤\x1b[0m" in bright
    assert "\x1b[31m⠤ ⠤ ⠤\x1b[0m" in bright


def test_prose_is_set_again_for_the_width_but_breaks_that_mean_something_stay():
    doc = "First words " + "and more " * 11 + "up to.\nThe next line.\n\nx: float.\ny: int."
    assert len(doc.splitlines()[0]) > 112
    assert reflowed(doc, 200)[0].endswith("up to. The next line.")
    assert reflowed(doc, 200)[1:] == ["", "x: float.", "y: int."]
    assert max(map(len, reflowed(doc, 40))) <= 40
