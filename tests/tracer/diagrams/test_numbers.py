"""Every number that a figure prints, read back from its file, is that of the trace; the same trace, the same bytes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import FIGURES, LARGE
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tests.tracer.diagrams.test_geometry import fitting, trace_of
from tracer.diagrams import FORMATS, diagram
from tracer.diagrams.numerals import first_numbers, mean_size, numeral, one_number
from tracer.diagrams.palettes import LIGHT
from tracer.stats import rms

SVG = "{http://www.w3.org/2000/svg}"
ROLES = {colour: role for role, colour in reversed(asdict(LIGHT).items())}
NUMBER = re.compile(r"−?(?:\d+(?:\.\d+)?(?:e−?\d+)?|inf|nan)")
SIGNS = (("−", r"\textminus"), ("…", r"\dots"), ("∂", r"$\partial$"), ("Σ", r"$\Sigma$"))
Shown = dict[str, dict[str, str]]
"""For each item of a figure, what it says in each role."""


# ----- reading back


def shown_in_svg(text: str) -> Shown:
    found: Shown = {}
    for group in ElementTree.fromstring(text).iter(f"{SVG}g"):
        roles: dict[str, str] = defaultdict(str)
        for line in group.iter(f"{SVG}text"):
            for span in (line, *line.iter(f"{SVG}tspan")):
                if span.get("fill") and span.text:
                    roles[ROLES[span.get("fill")]] += span.text
        if roles:
            found[group.get("data-key", "")] = dict(roles)
    return found


def shown_in_tex(text: str) -> Shown:
    found: Shown = defaultdict(lambda: defaultdict(str))
    key = ""
    for line in text.split("% the picture", 1)[1].splitlines():
        if line.startswith("% "):
            key = line.split()[-1]
        for role, words in re.findall(r"\\gstext\{gs(\w+)\}(?:\{[^{}]*\}){4}\{(.*)\}$", line):
            for sign, command in SIGNS:
                words = words.replace(command, sign)
            found[key][role] += words.replace("\\ ", " ").replace("{}", "")
    return found


def agrees(word: str, number: float) -> bool:
    """Whether a printed number is this one, within half a unit of its last digit; zero and nan exactly."""
    plain = word.replace("−", "-")
    if plain in ("nan", "inf", "-inf"):
        return np.array_equal(float(plain), number, equal_nan=True)
    if float(plain) == 0:
        return number == 0 and plain.startswith("-") == bool(np.signbit(number))
    digits, _, power = plain.partition("e")
    unit = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(float(plain) - number) <= unit * 0.5000001


def says(text: str, array: Any, *, sizes: bool = False) -> bool:
    """Whether a text speaks of this array, in any of the ways in which figures do.

    sizes: the caption calls a single number of an array its root mean square.
    """
    array = np.asarray(array)
    text = text.strip().removeprefix("∂ ").strip()
    if sizes and array.size > 1 and NUMBER.fullmatch(text):
        text = f"rms {text}"
    if array.size == 0:
        return text == "empty"
    if array.dtype.kind == "b":
        return text in (first_numbers(array), mean_size(array))
    if text.startswith("rms "):
        return array.size > 1 and agrees(text[4:], rms(array))
    flat = np.ravel(array)
    if re.fullmatch(r"(\d+ (nan|inf) )+of \d+", text):
        return text == mean_size(array)
    shown, rest, hidden = text.partition("…")
    if hidden.startswith(" rms "):
        if any(map(float, shown.split())) or not agrees(hidden[5:], rms(array)):
            return False
        hidden = ""
    words = shown.split()
    whole = len(words) == flat.size if not rest else len(words) < flat.size
    hidden, of, size = hidden.partition(" of ")
    counts = dict(zip(hidden.split()[1::2], map(int, hidden.split()[::2]), strict=True))
    told = flat if counts else flat[len(words) :]  # all are counted, unless none of the rest is one
    return (
        whole
        and all(agrees(word, x) for word, x in zip(words, flat, strict=False))
        and (not of or int(size) == flat.size)
        and counts.get("nan", 0) == np.isnan(told).sum()
        and counts.get("inf", 0) == np.isinf(told).sum()
    )


def of_node(key: str) -> int | None:
    return int(key[1:]) if re.fullmatch(r"n\d+", key) else None


def misprints(shown: Shown, trace: tr.Trace, step: int, *, sizes: bool = False) -> Iterator[str]:
    """What a figure says wrongly of nodes and of flows."""
    timeline = trace.timeline
    for key, roles in shown.items():
        i = of_node(key)
        if i is not None:
            value, gradient = trace.value(i), timeline.gradient(step, i)
            if "value" in roles and not says(roles["value"], value, sizes=sizes):
                yield f"{key} value {roles['value']!r} is {value}"
            if "gradient" not in roles:
                continue
            terms, _, total = roles["gradient"].rpartition("=")
            total = total.strip().removeprefix("Σ").strip()
            if gradient is None or not says(total, gradient, sizes=sizes):
                yield f"{key} gradient {total!r} is {gradient}"
            for word in NUMBER.findall(terms.replace("− ", "−")):
                if not any(agrees(word, one) for one in sums_of_flows(trace, i)):
                    yield f"{key} term {word!r} is none of the flows into it"
        elif (
            re.fullmatch(r"b\d+", key) and key[1:] and "value" not in roles and "gradient" in roles
        ):
            flow = trace.flow(int(key[1:])).cotangent
            if not says(roles["gradient"], flow):
                yield f"{key} flow {roles['gradient']!r} is {flow}"
        elif "gradient" in roles and (found := re.match(r"[ft](\d+)x\d+", key)):
            words = NUMBER.findall(roles["gradient"])
            sent = list(sums_of_flows(trace, int(found[1])))
            for word in words:
                if not any(agrees(word, one) for one in sent):
                    yield f"{key} flow {word!r} is none of those into n{found[1]}"


@lru_cache
def sums_of_flows(trace: tr.Trace, i: int) -> tuple[float, ...]:
    """What has come to a node by flows that follow each other: the sums of all stretches, as numbers or rms."""
    flows = [np.asarray(flow.cotangent, dtype=np.float64) for flow in trace.flows_into(i)]
    found = []
    for start in range(len(flows)):
        total = np.zeros_like(flows[start])
        for flow in flows[start : start + 64]:
            total = total + flow
            found.append(float(total) if total.ndim == 0 else rms(total))
    return tuple(found)


def held_against_the_trace(
    name: str, style: str | None, step: int | None, *, tex: bool = False
) -> Shown:
    trace = trace_of(name)
    figure = diagram(trace, style=style, step=step)
    shown = shown_in_svg(figure.render("svg").decode("utf-8"))
    at = trace.timeline.last if step is None else step
    sizes = figure.style in ("unrolled", "rolled")
    wrong = list(misprints(shown, trace, at, sizes=sizes))
    if tex:
        set_in_tex = shown_in_tex(figure.render("tex").decode("utf-8"))
        wrong += [f"tex: {what}" for what in misprints(set_in_tex, trace, at, sizes=sizes)]
        assert numbers_in(set_in_tex) == numbers_in(shown)
    assert not wrong, f"{name} {figure.style} {step}: " + "; ".join(wrong[:6])
    return shown


def numbers_in(shown: Shown) -> set[tuple[str, str]]:
    """Which items show a value, and which a gradient."""
    return {
        (key, role)
        for key, roles in shown.items()
        for role in ("value", "gradient")
        if role in roles
    }


ORDINARY = [name for name in FIGURES if name not in LARGE]


@needs_graphviz
@pytest.mark.parametrize("name", ORDINARY)
def test_every_number_of_an_svg_and_of_a_tikz_picture_is_that_of_the_trace(name):
    shown = held_against_the_trace(name, None, None, tex=True)
    trace = trace_of(name)
    numbers = [key for key, roles in shown.items() if {"value", "gradient"} & set(roles)]
    assert len(numbers) >= min(len(trace), 10) or "sentence" in name


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_every_number_of_an_svg_and_of_a_tikz_picture_is_that_of_the_trace_in_every_style_at_every_stage(
    name,
):
    last = trace_of(name).timeline.last
    for style in fitting(name):
        for step in (None, *sorted({0, last // 3, last // 2, 3 * last // 4, last})):
            held_against_the_trace(name, style, step, tex=True)


@needs_graphviz
@pytest.mark.parametrize("name", ["residual", "highway", "four_steps"])
def test_the_contributions_of_paths_add_up_to_the_gradient(name):
    trace = trace_of(name)
    shown = shown_in_svg(diagram(trace, style="paths").render("svg").decode("utf-8"))
    parts = [
        NUMBER.findall(text)[-1]
        for key, roles in shown.items()
        for role, text in roles.items()
        if key.startswith("t") and role.startswith("route")
    ]
    target = next(
        key for key, roles in shown.items() if of_node(key) is not None and "gradient" in roles
    )
    gradient = float(trace.gradient(of_node(target)))
    total = sum(float(part.replace("−", "-")) for part in parts)
    assert len(parts) > 1
    assert abs(total - gradient) <= 0.005 * len(parts)


def test_the_reading_tells_wrong_numbers_from_right_ones():
    array = np.array([0.756, -0.52, 1.0, np.nan])
    assert says("0.76 −0.52 … 1 nan of 4", array)
    for wrong in (
        "0.76 −0.52 …",
        "0.75 −0.52 … 1 nan of 4",
        "0.76 0.52 … 1 nan of 4",
        "0.76 −0.52",
        "0",
    ):
        assert not says(wrong, array)
    assert says("rms 3.54", np.array([3.0, -4.0]))
    assert not says("3.54", np.array([3.0, -4.0]))
    assert not says("0", np.float64(1e-300))


# ----- numbers


@pytest.mark.parametrize(
    ("number", "printed"),
    [
        (0.0, "0"), (-0.0, "−0"), (1e-300, "1.0e−300"), (5e-324, "4.9e−324"), (-1e300, "−1.0e300"),
        (float("nan"), "nan"), (float("-inf"), "−inf"), (-0.004, "−0.0040"), (0.00995, "0.010"),
        (999.996, "1000"), (0.9951, "1.00"), (99999.6, "1.0e5"), (-12.345, "−12.35"),
    ],
)  # fmt: skip
def test_a_number_has_two_decimals_and_two_significant_digits(number, printed):
    assert numeral(number) == printed


def test_a_number_that_is_not_zero_never_prints_as_zero():
    rng = np.random.default_rng(0)
    numbers = 10.0 ** rng.uniform(-323, 308, 4000) * rng.choice([-1, 1], 4000)
    for number in numbers:
        text = numeral(number)
        assert agrees(text, number), (text, number)
        assert "-" not in text
        assert len(text.replace("−", "").partition("e")[0]) <= 6
        assert sum(c in "123456789" for c in text.partition("e")[0]) >= 1


@pytest.mark.parametrize(
    ("array", "elided", "size"),
    [
        (np.array([0.756, -0.52, 1.0]), "0.76 −0.52 …", "rms 0.78"),
        (np.array([0.5, np.nan]), "0.50 nan", "1 nan of 2"),
        (
            np.array([0.5, 0.5, np.inf, -np.inf, np.nan]),
            "0.50 0.50 … 1 nan 2 inf of 5",
            "1 nan 2 inf of 5",
        ),
        (np.array([3, 1, 4]), "3 1 …", "rms 2.94"),
        (np.array([True, False, True]), "True False …", "2 of 3 True"),
        (np.empty((0, 3)), "empty", "empty"),
        (np.float64(2.5), "2.50", "2.50"),
        (np.array([[2.5]]), "2.50", "2.50"),
        (np.zeros(3), "0 0 …", "rms 0"),
        (np.array([1e300, 1e300]), "1.0e300 1.0e300", "rms 1.0e300"),
    ],
)
def test_an_array_is_elided_without_hiding_what_matters(array, elided, size):
    assert (first_numbers(array), mean_size(array)) == (elided, size)


def test_integers_and_booleans_print_as_what_they_are():
    assert [one_number(x) for x in (np.int64(-7), np.bool_(True), np.array(3))] == [
        "−7",
        "True",
        "3",
    ]


def test_a_figure_writes_zeros_and_what_is_not_finite():
    values = {
        roles["value"] for roles in shown_in_svg(
            diagram(trace_of("absurd_scalars")).render("svg").decode()
        ).values() if "value" in roles
    }  # fmt: skip
    assert {"nan", "inf", "−inf", "−0", "1.0e−300", "1.0e300"} <= {v.strip() for v in values}


# ----- bytes


@pytest.mark.slow
def test_the_same_trace_gives_the_same_bytes_in_any_process(python):
    """Byte-identical in every text format, whatever the order of sets."""
    code = (
        "import hashlib; from tests.tracer.diagrams.networks import FIGURES; "
        "from tracer.diagrams import FORMATS, diagram; "
        "print([(name, format, hashlib.sha256(diagram(FIGURES[name](), theme='auto' if format in ('svg', 'html') "
        "else 'light').render(format)).hexdigest()) for name in ('neuron', 'batch_norm', 'sentence', 'residual') "
        "for format in sorted(FORMATS) if FORMATS[format].text])"
    )
    seen = []
    for hash_seed in ("0", "1", "271828"):
        done = python("-c", f"import os, sys, subprocess; sys.exit(subprocess.run([sys.executable, '-c', {code!r}], "
                      f"env={{**os.environ, 'PYTHONHASHSEED': {hash_seed!r}}}).returncode)")  # fmt: skip
        assert done.returncode == 0, done.stderr
        seen.append(done.stdout)
    assert len(set(seen)) == 1
    assert "svg" in seen[0]
    assert {"dot", "svg"} <= {name for name in FORMATS if FORMATS[name].text}
