"""The stepper in a real headless browser: keys, mouse, fingers, colours, screen readers, what is let out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracer as tr
from gallery import GALLERY
from tests.tracer.diagrams.browser import Browser, Tab
from tests.tracer.diagrams.networks import branching, neuron
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tests.tracer.diagrams.test_stepper import SCRIPT, hostile, letters_of
from tracer.diagrams import Diagram, diagram
from tracer.diagrams.stepper import stepper_cell, stepper_page, stepper_part
from tracer.diagrams.stepper.steps import positions

pytestmark = [needs_graphviz, pytest.mark.slow]  # a real browser

AA = 4.5
"""The contrast of text that WCAG asks for at level AA."""
LAST = 20
"""The last position of the neuron; its backward pass begins after the eighth."""
CONTRASTS = """(() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const light = (colour) => {
    const [r, g, b] = colour.map((x) => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const filled = (element) => element instanceof SVGElement && !element.closest("text")
    && getComputedStyle(element).fill !== "none" && element.matches("circle, ellipse, path, rect")
    ? getComputedStyle(element).fill : null;
  const ground = (element) => {
    const box = element.getBoundingClientRect();
    const under = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    for (const each of under) {
      if (each === element || element.contains(each)) continue;
      const colour = filled(each) || getComputedStyle(each).backgroundColor;
      if (parse(colour)[3] === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const element of document.querySelectorAll("text, tspan, p, span, b, h1, button, li, kbd, sub, summary")) {
    const own = [...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (!own || !box.width || style.visibility === "hidden") continue;
    if (box.bottom > innerHeight || box.right > innerWidth) continue;
    const text = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(parse(text)), light(parse(ground(element)))].sort((x, y) => y - x);
    found.push([element.textContent, (a + 0.05) / (b + 0.05)]);
  }
  return found;
})()"""


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    with browser.tab() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages that several tests open."""
    folder = tmp_path_factory.mktemp("pages")
    for name, build in (("neuron", neuron), ("branching", branching), ("hostile", hostile)):
        figure = diagram(build(), style="circuit")
        (folder / f"{name}.html").write_text(
            stepper_page(figure, title=SCRIPT * (name == "hostile")), "utf-8"
        )
    return folder


def text(tab: Tab, name: str) -> str:
    return tab.evaluate(f'document.querySelector(".{name}").textContent')


def at(tab: Tab) -> int:
    """The position that the page says it is at."""
    return int(text(tab, "count").split()[1])


def seen(tab: Tab) -> Counter[str]:
    """The lines of text that the figure shows."""
    return Counter(
        tab.evaluate(
            '[...document.querySelectorAll(".figure text")]'
            '.filter((each) => getComputedStyle(each).display !== "none").map((each) => each.textContent)'
        )
    )


def frame(figure: Diagram, position: int) -> Counter[str]:
    drawn = figure.film([position]).drawn(0)
    return letters_of(drawn._replace(items=tuple(i for i in drawn.items if i.key != "caption")))


# ----- stepping


def test_arrow_keys_walk_through_every_step_and_the_figure_follows(tab, pages):
    film = diagram(neuron()).film()
    tab.open(pages / "neuron.html")
    for number in range(LAST + 1):
        drawn = film.drawn(number)
        drawn = drawn._replace(items=tuple(i for i in drawn.items if i.key != "caption"))
        assert (at(tab), seen(tab)) == (number, letters_of(drawn))
        passes = "start" if number == 0 else "forward pass" if number <= 8 else "backward pass"
        assert text(tab, "phase") == passes
        tab.press("ArrowRight")
    assert at(tab) == LAST
    tab.press("ArrowLeft", "ArrowLeft")
    assert at(tab) == LAST - 2
    tab.press("Home")
    assert (at(tab), text(tab, "phase")) == (0, "start")
    tab.press("ArrowLeft")
    assert at(tab) == 0
    tab.press("End")
    assert (at(tab), text(tab, "phase")) == (LAST, "backward pass")


def test_a_step_shows_its_formula_with_numbers_and_says_it_in_words(tab, pages):
    tab.open((pages / "neuron.html").as_uri() + "#3")
    lines = "[...document.querySelectorAll('.formula span')].slice(0, 4).map((each) => each.textContent)"
    shown = tab.evaluate(lines)
    assert shown[0] == "s"
    assert shown[-2:] == ["= −2 + 6", "= 4"]
    assert text(tab, "words").endswith("gives s = 4.")
    assert ("status", "") in {(role, "") for role, _ in tab.names()}
    tab.press("End")
    assert tab.evaluate(lines)[-2:] == ["= 0.1966 · 2", "= 0.3932"]


def test_buttons_and_the_slider_step(tab, pages):
    tab.open(pages / "neuron.html")
    for name, position in (
        ("next", 1),
        ("next", 2),
        ("back", 1),
        ("last", LAST),
        ("next", LAST),
        ("first", 0),
    ):
        tab.click(f".{name}")
        assert at(tab) == position
    assert tab.evaluate("document.querySelector('.back').getAttribute('aria-disabled')") == "true"
    tab.click(".slider")
    assert at(tab) == LAST // 2
    tab.press("ArrowRight")
    assert at(tab) == LAST // 2 + 1
    spoken = tab.evaluate("document.querySelector('.slider').getAttribute('aria-valuetext')")
    assert spoken == f"step {LAST // 2 + 1} of {LAST}, backward"


def test_the_slider_marks_where_the_backward_pass_begins(tab, pages):
    tab.open((pages / "neuron.html").as_uri() + "#8")
    thumb, mark = tab.evaluate(
        "(() => { const way = document.querySelector('.slider').getBoundingClientRect();"
        "const half = document.querySelector('.halves span:last-child').getBoundingClientRect();"
        f"return [way.x + 11 + (way.width - 22) * 8 / {LAST}, half.x]; }})()"
    )
    assert thumb == pytest.approx(mark, abs=1.5)


def test_a_click_on_an_operation_leads_to_its_forward_step_and_another_to_its_backward_step(
    tab, pages
):
    trace = neuron()
    node = trace.node_index("s")
    tab.open(pages / "neuron.html")
    for _ in range(2):
        tab.click(f'.op[role=button][data-node="{node}"]')
        assert at(tab) == trace.timeline.after_forward(node)
        tab.click(f'.op[role=button][data-node="{node}"]')
        step = trace.timeline.step(at(tab))
        assert (step.phase, step.node, step.number) == ("backward", node, 1)
    tab.press("%")
    assert at(tab) == trace.timeline.after_forward(node)


def test_an_operation_is_reached_and_opened_by_keys_alone(tab, pages):
    tab.open((pages / "neuron.html").as_uri() + "#3")
    order = []
    for _ in range(12):
        tab.press("Tab")
        order.append(tab.evaluate("document.activeElement.getAttribute('class')"))
    assert order[:11] == [
        *("farther", "whole", "closer", "theme"),
        *("first", "back", "play", "next", "last", "slider", "figure"),
    ]
    assert "op" in order[11].split()
    assert tab.evaluate("document.activeElement.getAttribute('aria-current')") == "step"
    tab.press("Enter")
    assert text(tab, "phase") == "backward pass"
    tab.press("ArrowRight")
    assert tab.evaluate("document.activeElement.getAttribute('aria-current')") == "step"


def test_the_address_holds_the_position(tab, pages):
    address = (pages / "neuron.html").as_uri()
    tab.open(f"{address}#7")
    assert at(tab) == 7
    tab.press("ArrowRight")
    assert tab.evaluate("location.hash") == "#8"
    tab.evaluate("location.hash = '#15'")
    assert tab.evaluate("new Promise((done) => setTimeout(() => done(location.hash), 30))") == "#15"
    assert at(tab) == 15
    for wrong, position in (("#9999", LAST), ("#-3", 0), ("#<b>", 0)):
        tab.open(address + wrong)
        assert at(tab) == position
    assert tab.complaints() == []


def test_space_plays_to_the_end_and_stops_there(tab, pages):
    tab.open((pages / "neuron.html").as_uri() + "#17")
    tab.evaluate("(window.setInterval = (tick) => { window.tick = tick; return 7; }, 0)")
    tab.press(" ")
    assert at(tab) == 18
    pressed = "document.querySelector('.play').getAttribute('aria-pressed')"
    tab.evaluate("(tick(), tick(), 0)")
    assert (at(tab), tab.evaluate(pressed)) == (LAST, "true")
    tab.evaluate("(tick(), 0)")
    assert tab.evaluate(pressed) == "false"
    tab.press(" ")
    assert (at(tab), tab.evaluate(pressed)) == (0, "true")
    tab.press("ArrowRight")
    assert (at(tab), tab.evaluate(pressed)) == (1, "false")


def test_several_steppers_on_one_page_go_their_own_ways(tab, tmp_path):
    parts = [stepper_part(diagram(build())) for build in (neuron, branching, neuron)]
    page = tmp_path / "several.html"
    page.write_text(
        f"<!DOCTYPE html><meta charset='utf-8'><p id='next'>text</p>{''.join(parts)}", "utf-8"
    )
    tab.open(page)
    where = "[...document.querySelectorAll('.count')].map((each) => Number(each.textContent.split(' ')[1]))"
    tab.press("ArrowRight")
    assert tab.evaluate(where) == [0, 0, 0]
    tab.click("main:nth-of-type(2) .next")
    tab.press("ArrowRight")
    tab.click("main:nth-of-type(3) .last")
    assert tab.evaluate(where) == [0, 2, LAST]
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(set(ids)) == 3  # the page's own, and two figures: the third is the first again
    assert tab.evaluate("location.hash") == ""
    assert tab.complaints() == []


def test_a_cell_of_a_notebook_steps_inside_its_frame(tab, tmp_path):
    page = tmp_path / "cell.html"
    page.write_text(
        f"<!DOCTYPE html><meta charset='utf-8'>{stepper_cell(diagram(neuron()))}", "utf-8"
    )
    tab.open(page)
    inner = tab.frame()
    inner.click(".next")
    inner.press("ArrowRight")
    assert at(inner) == 2
    assert inner.evaluate("origin") == "null"
    assert tab.complaints() == []


# ----- on a phone


def test_a_phone_has_large_buttons_and_no_page_that_moves_sideways(browser, pages):
    with browser.tab(360, 740, phone=True) as tab:
        for name in ("neuron", "hostile"):
            tab.open((pages / f"{name}.html").as_uri() + "#4")
            assert tab.evaluate("document.documentElement.scrollWidth") == 360
            boxes = tab.evaluate(
                "[...document.querySelectorAll('main p, main h1, main span, main li, main button, main input')]"
                ".map((each) => each.getBoundingClientRect()).filter((box) => box.width)"
                ".map((box) => [box.left, box.right])"
            )
            assert boxes
            assert all(left >= 0 and right <= 360 for left, right in boxes)
        sizes = tab.evaluate(
            "[...document.querySelectorAll('.buttons button')].map((each) => each.getBoundingClientRect())"
            ".map((box) => [box.width, box.height, box.bottom])"
        )
        assert all(width >= 44 and height >= 44 and low <= 740 for width, height, low in sizes)


def test_a_finger_taps_and_swipes(browser, pages):
    with browser.tab(360, 740, phone=True) as tab:
        tab.prefer(reduced_motion="reduce")
        tab.open(pages / "neuron.html")
        tab.tap(".next")
        assert at(tab) == 1
        x, y = tab.middle(".words")
        tab.swipe((x + 70, y), (x - 70, y + 5))
        assert at(tab) == 2
        tab.swipe((x - 70, y), (x + 70, y))
        assert at(tab) == 1
        tab.swipe((x, y + 60), (x + 10, y - 60))
        assert at(tab) == 1
        x, y = tab.middle(".figure")
        tab.swipe((x + 70, y), (x - 70, y))  # the figure is wider than the page: it scrolls
        assert at(tab) == 1


@pytest.mark.parametrize("position", [3, 8, 12, LAST])
def test_the_current_operation_is_scrolled_into_view(browser, pages, position):
    with browser.tab(360, 740, phone=True) as tab:
        tab.prefer(reduced_motion="reduce")
        tab.open((pages / "neuron.html").as_uri() + "#1")
        tab.evaluate(f"location.hash = '#{position}'")
        inside = tab.evaluate(
            "new Promise((done) => setTimeout(() => {"
            "const box = document.querySelector('[aria-current]').getBoundingClientRect();"
            "const frame = document.querySelector('.figure').getBoundingClientRect();"
            "done(box.left >= frame.left && box.right <= frame.right); }, 30))"
        )
        assert inside


def test_the_figure_grows_shrinks_and_fits(tab, pages):
    tab.open(pages / "neuron.html")
    width = "document.querySelector('.figure svg').getBoundingClientRect().width"
    fitted = tab.evaluate(width)
    tab.click(".closer")
    tab.click(".closer")
    assert tab.evaluate(width) == pytest.approx(fitted * 1.25**2, rel=0.01)
    tab.click(".farther")
    assert tab.evaluate(width) == pytest.approx(fitted * 1.25**2 * 0.8, rel=0.01)
    tab.click(".whole")
    assert tab.evaluate(
        "document.querySelector('.figure').scrollWidth <= document.querySelector('.figure').clientWidth"
    )


def test_a_wide_figure_begins_with_letters_that_can_be_read_and_fits_when_asked(tab, tmp_path):
    page = tmp_path / "bn.html"
    page.write_text(stepper_page(diagram(tr.trace(GALLERY["batchnorm"].build()))), "utf-8")
    tab.open(page)
    scale = (
        "(() => { const m = document.querySelector('.figure svg').getScreenCTM(); return m.a; })()"
    )
    inside = (
        "(() => { const f = document.querySelector('.figure');"
        " return f.scrollWidth <= f.clientWidth && f.scrollHeight <= f.clientHeight; })()"
    )
    assert tab.evaluate(scale) * 10 >= 10.99
    assert not tab.evaluate(inside)
    tab.click(".whole")
    assert tab.evaluate(inside)


# ----- colours, paper, a browser without scripts


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_aa_asks_for(browser, pages, scheme):
    with browser.tab(1280, 1000) as tab:
        tab.prefer(color_scheme=scheme)
        for position in (4, 8, LAST):
            tab.open((pages / "branching.html").as_uri() + f"#{position}")
            found = tab.evaluate(CONTRASTS)
            assert len(found) > 30
            poor = [(words, round(ratio, 2)) for words, ratio in found if ratio < AA]
            assert poor == []


def test_dark_follows_the_reader_and_the_button_overrules(tab, pages):
    ground = "getComputedStyle(document.querySelector('main')).backgroundColor"
    tab.prefer(color_scheme="dark")
    tab.open(pages / "neuron.html")
    dark = tab.evaluate(ground)
    tab.prefer(color_scheme="light")
    light = tab.evaluate(ground)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(15, 23, 42)")
    shown = []
    for _ in range(3):
        tab.click(".theme")
        shown.append((text(tab, "theme"), tab.evaluate(ground)))
    assert shown == [("colours: light", light), ("colours: dark", dark), ("colours: auto", light)]


def test_paper_is_light_and_without_buttons(tab, pages):
    tab.open((pages / "neuron.html").as_uri() + "#12")
    tab.click(".theme")
    tab.click(".theme")
    tab.prefer(media="print", color_scheme="dark")
    assert (
        tab.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    hidden = (
        "['.controls', '.zoom', '.theme'].map((each) => document.querySelector(each).offsetHeight)"
    )
    assert tab.evaluate(hidden) == [0, 0, 0]
    assert at(tab) == 12


def test_without_scripts_the_last_step_is_shown_with_a_word_about_it(tab, pages):
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(pages / "neuron.html")
    assert seen(tab) == frame(diagram(neuron()), LAST)
    assert "JavaScript" in tab.evaluate("document.querySelector('noscript').textContent")
    assert tab.evaluate("document.querySelector('.controls').offsetHeight") == 0


# ----- what a screen reader meets, and what goes out


def test_everything_that_can_be_operated_has_a_name(tab, pages):
    tab.open((pages / "neuron.html").as_uri() + "#3")
    names = tab.names()
    operated = [(role, name) for role, name in names if role in ("button", "slider")]
    assert all(name for _, name in operated)
    buttons = {name for role, name in operated if role == "button"}
    assert {"first step", "previous step", "play", "next step", "last step", "larger"} <= buttons
    assert "t = s + w2" in buttons
    assert ("slider", "step") in operated
    assert ("heading", "f, step by step") in names
    live = "document.querySelector('[aria-live]')"
    assert tab.evaluate(f"{live}.textContent").startswith(f"forward pass step 3 of {LAST} add of")


def test_nothing_is_asked_of_a_network_and_nothing_complains(tab, pages):
    tab.open(pages / "neuron.html")
    tab.press("ArrowRight", "End", " ", "Home")
    tab.click(".theme")
    assert {url for url in tab.requests() if not url.startswith(("about:", "data:"))} == {
        (pages / "neuron.html").as_uri()
    }
    assert tab.complaints() == []


def test_the_content_policy_is_in_force(tab, pages):
    tab.open(pages / "neuron.html")
    tab.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.pwned = 1'}))"
    )
    tab.evaluate("document.body.setAttribute('onclick', 'window.pwned = 2')")
    tab.click("h1")
    refused = "fetch('http://127.0.0.1:9/').then(() => 'went out', () => 'refused')"
    assert tab.evaluate(refused) == "refused"
    assert tab.evaluate("window.pwned ?? null") is None
    assert any("Content Security Policy" in words for words in tab.complaints())


def test_hostile_names_inject_nothing(tab, pages):
    tab.open(pages / "hostile.html")
    tab.press(*["ArrowRight"] * 30)
    tab.click(".op[role=button]")
    assert tab.evaluate("window.pwned ?? null") is None
    assert tab.evaluate("document.querySelectorAll('img, main script:not(.film)').length") == 0
    assert tab.evaluate("document.querySelector('h1').textContent").startswith(
        "</script><script>window.pwned"
    )
    assert tab.events("Page.javascriptDialogOpening") == []
    assert tab.complaints() == []


# ----- larger pages


@pytest.mark.slow
@pytest.mark.parametrize("name", ["batchnorm", "rnn"])
def test_every_step_of_a_lecture_is_right_on_the_page(tab, tmp_path, name):
    figure = tr.trace(GALLERY[name].build()).diagram()
    page = figure.save(tmp_path / f"{name}.html")
    tab.open(page)
    film = figure.film()
    for number in range(len(film.frames)):
        if number % 3 == 0:
            drawn = film.drawn(number)
            drawn = drawn._replace(items=tuple(i for i in drawn.items if i.key != "caption"))
            assert (at(tab), seen(tab)) == (number, letters_of(drawn))
        tab.press("ArrowRight")
    assert tab.complaints() == []


@pytest.mark.slow
def test_a_thousand_steps_are_a_page_of_fewer_frames_that_answers_at_once(tab, tmp_path):
    y = tr.tensor(0.3, name="x")
    for _ in range(166):
        y = tr.tanh(y * 0.9 + 0.1)
    trace = tr.trace(y)
    shown = positions(trace.timeline)
    assert len(shown) < trace.timeline.last == 996
    page = trace.diagram().save(tmp_path / "long.html")
    assert page.stat().st_size < 2_000_000
    tab.open(page)
    step, copy = tab.evaluate(
        "(() => { const time = (act) => { const start = performance.now();"
        "for (let k = 0; k < 200; k++) act(); return performance.now() - start; };"
        "const key = {key: 'ArrowRight', bubbles: true};"
        "const svg = document.querySelector('.figure svg');"
        "return [time(() => document.body.dispatchEvent(new KeyboardEvent('keydown', key))),"
        "time(() => svg.cloneNode(true))]; })()"
    )
    assert step < 3 * copy  # a step touches what changes: it costs no more than copying the figure
    assert at(tab) == shown[200]
