"""The page of a report: what it says, that it fits, and that it can be read without colours and beyond ASCII."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tracer.checking import AGREE, DISAGREE, UNDECIDABLE, Certified, Element, Report, Row
from tracer.checking.diagnosis.causes import Cause
from tracer.checking.numerical import ZERO
from tracer.checking.pages.figures import apart, digits_of
from tracer.checking.pages.page import page
from tracer.checking.pages.patches import changed, respelt
from tracer.checking.pages.words import counts_of, place_of
from tracer.checking.report import Rung
from tui.printing import Terminal, printed, text_of
from tui.text import width

WRITTEN = "m = 4\ndL/dvar = sum(g) / m\ndL/dx = dL/dxhat / s + dL/dmu / m\n"
MENDED = "dL/dx = dL/dxhat / s + dL/dvar * 2 * (x - mu) / m + dL/dmu / m"


def element(index, claim, value, verdict, *, bound=3e-13, reason=""):
    return Element(index, claim, value, Certified(value, bound, "smooth"), verdict, reason)


def line(number, name, *elements, text="", **more):
    return Row(name, (4, 2), tuple(elements), line=number, text=text, node=number, **more)


RIGHT = line(2, "dL_dvar", element((0, 1), -0.8579033316, -0.8579033316, AGREE))
WRONG = line(
    3,
    "dL_dx",
    element((0, 0), 0.11, 0.12329, DISAGREE),
    element((1, 0), 1.2, 1.21, DISAGREE),
    element((2, 0), 0.3794, 0.03794, DISAGREE),
    element((3, 0), 0.59558, 0.0379426656437, DISAGREE),
    element((3, 1), 0.5, 0.5, AGREE),
    text="dL/dx = dL/dxhat / s + dL/dmu / m",
    causes=(Cause("missing path", "the path via var is missing", MENDED),),
)
HEIR = line(4, "dL_dw", element((0, 0), 1.0, 2.0, DISAGREE), inherited=True)
REPORT = Report("verify", (RIGHT, WRONG, HEIR), ("x̂ means xhat",), "line")


def lines(report=REPORT, columns=80, *, colours=False, signs=True, **more):
    here = Terminal(columns, colours, signs)
    return printed(page(report, here, written=WRITTEN, **more), colours=colours).split("\n")


def test_the_first_line_says_outcome_place_and_counts():
    assert lines()[0] == "FAIL at line 3, dL/dx · 1 of 3 lines right, 1 wrong, 1 inherits it"
    assert lines(Report("verify", (RIGHT,), (), "line"))[0] == "PASS · 1 of 1 line right"


def test_a_fault_of_a_rule_is_named_by_its_node():
    rungs = (Rung("rules of the nodes", 9, 1, "rule of tanh by x", 5, "h#2"),)
    found = Report("check", (replace(RIGHT, line=0, name="x"),), rungs=rungs)
    assert place_of(found) == "at h#2"
    assert " ✗  rules of the nodes  8 of 9 · rule of tanh by x" in lines(found)


def test_a_rung_that_was_not_climbed_is_told_from_one_that_held():
    rungs = (Rung("directions", 8), Rung("elements", 0, said="on request"))
    shown = lines(Report("check", (RIGHT,), rungs=rungs))
    assert " ✓  directions  8 of 8" in shown
    assert " ·  elements    — · on request" in shown


def test_the_worst_elements_of_a_wrong_row_stand_below_each_other():
    shown = lines()
    start = next(k for k, text in enumerate(shown) if text.startswith(" ✗  3  dL/dx"))
    assert [shown[start + k].split()[-6 if not k else -5] for k in range(3)]
    assert "[3, 0]" in shown[start]
    assert "[2, 0]" in shown[start + 1]
    assert "[0, 0]" in shown[start + 2]
    assert shown[start + 3] == "   4 of 5 elements are wrong, these most"


def test_cause_and_patch_stand_under_the_row():
    shown = lines()
    at = shown.index("   the path via var is missing")
    assert shown[at + 1] == "   - dL/dx = dL/dxhat / s + dL/dmu / m"
    assert shown[at + 2] == f"   + {MENDED}"


def test_the_patch_is_that_of_the_helper_at_fault():
    cause = Cause("factor", "line 2 (dL_dvar): 1/m is too much", "dL/dvar = sum(g)", line=2)
    shown = lines(replace(REPORT, rows=(replace(WRONG, causes=(cause,)),)))
    assert "   - dL/dvar = sum(g) / m" in shown
    assert "   + dL/dvar = sum(g)" in shown


def test_one_mistake_that_several_lines_use_is_mended_once():
    cause = Cause("truncated", "line 1: the loop leaves out t = 1", "for t in range(1, 6):", line=1)
    loop = "for t in range(2, 6):\n    dW += g\n    db += g\n"
    rows = [replace(WRONG, line=k, fault=1, causes=(cause,)) for k in (2, 3)]
    found = page(Report("verify", tuple(rows), (), "line"), Terminal(80), written=loop)
    shown = [text_of(line) for line in found]
    assert shown.count("   - for t in range(2, 6):") == 1
    assert shown.count("   + for t in range(1, 6):") == 1
    assert shown.count("   as above: line 1: the loop leaves out t = 1") == 1


def test_two_lines_with_the_same_mistake_of_their_own_are_both_mended():
    rows = (WRONG, replace(WRONG, line=5, name="dL_dz"))
    assert lines(replace(REPORT, rows=rows)).count(f"   + {MENDED}") == 2


def test_a_fix_in_words_is_said_as_one():
    cause = Cause("transposed", "it is transposed", "transpose it")
    assert "   try: transpose it" in lines(replace(REPORT, rows=(replace(WRONG, causes=(cause,)),)))


def test_a_line_without_a_known_cause_is_shown_as_written():
    shown = lines(replace(REPORT, rows=(replace(WRONG, causes=(), culprit="all three differ"),)))
    assert "     dL/dx = dL/dxhat / s + dL/dmu / m" in shown
    assert "   all three differ" in shown


def test_an_inherited_mistake_names_the_line_that_made_it():
    assert "   wrong by line 3 only" in lines()


def test_notes_and_what_was_judged_stand_at_the_end_and_how_to_look_at_it():
    shown = lines(look="gradstep verify bn mine.txt --open")
    assert shown[-3:] == [
        " · x̂ means xhat",
        " · each line was judged on your own gradients above it, and on the recorded ones",
        " ▸ gradstep verify bn mine.txt --open",
    ]


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("signs", [True, False])
def test_it_fits_the_terminal(columns, signs):
    long = replace(WRONG, name="a_name_that_nobody_would_want_to_read_in_a_table_of_six_columns")
    report = replace(REPORT, rows=(RIGHT, long, HEIR), notes=("a note " * 30,))
    shown = lines(report, columns, signs=signs, subject="batchnorm against mine.txt")
    table = [text for text in shown if "+ dL" not in text]
    if columns >= 80:
        assert max(map(width, table)) <= columns
    if not signs:
        assert "\n".join(shown).isascii()


def test_wide_terminals_show_every_digit_that_is_certified():
    assert "0.0379426656437 ± 3e−13" in "\n".join(lines(columns=120))
    assert "−0.8579033316000 ± 3e−13" in "\n".join(lines(columns=120))


def test_colours_mark_the_differing_digits_and_the_changed_words():
    shown = "\n".join(lines(colours=True))
    assert "0.\x1b[1;4;31m595580\x1b[0m" in shown
    assert "\x1b[1;4;32m+ \x1b[0m\x1b[1;4;32mdL/dvar " in shown
    assert shown.startswith("\x1b[1;7;31m FAIL \x1b[0m")
    assert "\x1b" not in "\n".join(lines())


def test_accents_do_not_shift_the_columns():
    row = replace(RIGHT, name="dL_dx̂")
    shown = lines(Report("verify", (row, replace(RIGHT, name="dL_dxx")), (), "line"))
    rows = [text for text in shown if text.startswith(" ✓")]
    assert len({width(text.partition("4×2")[0]) for text in rows}) == 1


def test_at_a_kink_the_elements_there_are_shown_with_both_slopes():
    kink = Certified(0.0, 1e-13, "kink", 0.0, 2.0)
    at_kink = Element(
        (1,), float("nan"), 0.5, kink, UNDECIDABLE, "at a kink, between its slopes 0 and 2"
    )
    smooth = Element((0,), float("nan"), 1.0, Certified(1.0, 1e-15, "smooth"), AGREE)
    shown = lines(Report("check", (Row("x", (2,), (smooth, at_kink)),)))
    assert shown[0] == "KINK · 1 of 1 input right"
    assert any("x [1]" in text and "[0, 2] kink" in text for text in shown)
    assert "   1 of 2 elements lie at a kink; the gradient lies between the two slopes" in shown


def test_a_vacuous_row_says_what_to_check_instead():
    row = replace(RIGHT, line=0, name="x", vacuous="tr.sum(w * y)")
    shown = lines(Report("check", (row,)))
    assert shown[0] == "VACUOUS · 0 of 1 input right, 1 zero whatever the rule"
    assert any("try: tr.sum(w * y)" in text for text in shown)


def test_the_rounding_of_a_zero_is_called_so():
    noise = Element((0,), math.nan, 2.2e-16, Certified(4.4e-16, 2e-30, "smooth"), "AGREE")
    row = Row("gamma", (1,), (noise,), vacuous="tr.sum(w * y)")
    shown = lines(Report("check", (row,)))
    assert any("2.2e−16" in text and text.endswith("0 but for rounding") for text in shown)
    assert not any("e−30" in text for text in shown)


def test_a_long_table_folds_the_rows_that_are_right():
    rows = [replace(RIGHT, line=0, name=f"w{k}") for k in range(100)]
    rows[60] = replace(WRONG, line=0, name="w60")
    shown = lines(Report("check", tuple(rows)))
    assert any("w60" in text for text in shown)
    assert "      … 54 more inputs that are right" in shown
    assert len(shown) < 40
    few = Report("check", tuple(replace(RIGHT, line=0, name=f"w{k}") for k in range(20)))
    assert not any("…" in text for text in lines(few))


def test_a_row_of_the_wrong_shape_has_no_numbers():
    row = Row("dL_dw", (2,), reason="its shape is 4×2, the value's 2", wrong=True, line=1)
    shown = lines(Report("verify", (row,), (), "line"))
    assert any(text.startswith(" ✗  1  dL_dw ") and text.count("—") == 3 for text in shown)
    assert "   its shape is 4×2, the value's 2" in shown


def test_counts_are_in_the_singular_and_the_plural():
    assert counts_of(REPORT) == "1 of 3 lines right, 1 wrong, 1 inherits it"
    twice = replace(REPORT, rows=(*REPORT.rows, HEIR))
    assert counts_of(twice) == "1 of 4 lines right, 1 wrong, 2 inherit it"


# ----- numbers


@pytest.mark.parametrize(
    ("claim", "value", "digits", "cut"),
    [
        (0.12345, 0.12399, 5, ("0.123", "45")),
        (-1.5, 1.5, 3, ("", "−1.50")),
        (1.5e-9, 1.4e-9, 3, ("1.", "50e−9")),
        (1.5e-9, 1.5e-7, 3, ("", "1.50e−9")),
        (150.0, 15.0, 4, ("", "150.0")),
        (2.0, 2.0, 4, ("2.000", "")),
    ],
)
def test_a_number_is_cut_where_it_leaves_the_certified_one(claim, value, digits, cut):
    assert apart(claim, value, digits) == cut


def test_as_many_digits_are_shown_as_tell_two_numbers_apart():
    close = element((), 1.0000000123, 1.0, DISAGREE)
    assert digits_of(close, 16) == 10
    assert digits_of(element((), 2.0, 1.0, DISAGREE), 16) == 6
    assert digits_of(element((), float("nan"), 1.0, DISAGREE), 5) == 5


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("dx / s + dm / m", "dx / s + dv * 2 + dm / m", [" + dv * 2"]),
        ("a * b", "a * b / m", [" / m"]),
        ("x / s + y / m", "x / s + y / m + v * 2 / m", [" + v * 2 / m"]),
        ("(v + eps) ** -0.5", "(v + eps) ** -1.5", ["1.5"]),
        ("a", "a", []),
    ],
)
def test_what_differs_in_a_patch_is_found_by_terms(before, after, new):
    right = changed(before, after)[1]
    assert [text for text, differs in right if differs] == new
    assert "".join(text for text, _ in right) == after


@pytest.mark.parametrize(
    ("before", "after", "mended"),
    [
        ("dL/dx = ((dL/dy) * w)", "dL_dx = dL_dy * w * dL_dz", "dL/dx = dL/dy * w * dL/dz"),
        ("∂L/∂x=∂L/∂y*w", "dL_dx = dL_dy * w / m", "∂L/∂x=∂L/∂y*w / m"),
        ("dx = a*b  +  c", "dx = a * b - c", "dx = a*b  -  c"),
        ("dv = s * (v)**(-1/2)", "dv = s * v ** (-3 / 2)", "dv = s * (v)**(-3/2)"),
        ("dW += a @ b", "dW += (a.T @ b)", "dW += (a.T @ b)"),
        ("dx = dy", "dx = dy.sum(0)", "dx = dy.sum(0)"),
        ("dx = (a+b)*c", "dx = a + b * c", "dx = a + b * c"),
        ("da#2 = w.T@dz", "da#2 = w @ dz", "da#2 = w@dz"),
        ("for t in reversed(range(2, 9)):", "for t in range(2, 9):", "for t in range(2, 9):"),
        ("for t in range(1,9):", "for t in range(0, 9):", "for t in range(0,9):"),
    ],
)
def test_a_mended_line_keeps_the_spelling_of_the_user(before, after, mended):
    assert respelt(before, after) == mended


def test_a_mistake_in_a_helper_is_said_with_the_line_that_uses_it():
    found = replace(REPORT, rows=(replace(WRONG, fault=2),))
    assert place_of(found) == "at line 2, which dL/dx uses"


def test_the_calls_of_a_script_are_told_apart_in_the_first_line():
    shown = lines(call="centred, line 21")
    assert shown[0].endswith("1 inherits it · centred, line 21")


def test_a_broken_line_of_a_patch_can_be_pasted_as_it_stands():
    shown = lines(columns=48)
    at = next(k for k, text in enumerate(shown) if text.startswith("   + dL/dx"))
    assert shown[at].endswith("\\")
    assert all(width(text) <= 48 for text in shown[at : at + 2])
    pasted = "\n".join(shown[at : at + 2]).replace("   + ", "", 1)
    assert "".join(pasted.split("\\\n")).split() == MENDED.split()


def test_an_interval_is_written_from_its_lower_end():
    falling = Certified(0.0, 1e-13, "kink", 0.0, -3.0)
    at_kink = Element(
        (1,), float("nan"), 0.0, falling, UNDECIDABLE, "at a kink, between its slopes"
    )
    assert any("[−3, 0] kink" in text for text in lines(Report("c", (Row("x", (2,), (at_kink,)),))))


def test_no_line_has_blanks_at_its_end():
    assert all(text == text.rstrip() for text in map(text_of, page(REPORT, Terminal(80))))


def test_what_is_nan_is_said_to_be_and_not_called_imprecise():
    lost = Element((), float("nan"), float("nan"), Certified(), UNDECIDABLE, "not finite")
    said = "\n".join(lines(Report("verify", (line(1, "dL_dx", lost),), (), "line")))
    assert "the numbers are NaN or infinite: there is nothing to judge" in said
    assert "nan" in said
    assert "none" not in said


def test_gradients_of_rounding_are_said_to_be():
    nothing = element((), 1e-17, 0.0, UNDECIDABLE, reason=ZERO)
    said = "\n".join(lines(Report("verify", (line(1, "dL_dx", nothing),), (), "line")))
    assert "the gradients are zero to rounding: no digit of them is known" in said
