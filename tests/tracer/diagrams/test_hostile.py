"""Names that mean something to a format or to a reader: in every figure they are only text."""

from __future__ import annotations

import json
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections import Counter
from functools import lru_cache
from html.parser import HTMLParser

import pytest

import tracer as tr
from tests.tracer.diagrams.networks import HOSTILE, circuit
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tracer.diagrams import FORMATS, STYLES, diagram
from tracer.errors import DiagramError, GradstepError

NAMES = (
    *HOSTILE,
    "</script><script>alert(1)</script>",
    "]]><x>",
    "<!-- --> <!--<script>",
    "&lt;b&gt; &#x3c;script&#x3e; &nbsp;",
    '" onload="alert(1)" x="',
    "' style='background:url(//example.org)",
    "javascript:alert(1)",
    "url(https://example.org/x.png)",
    "\\input{/etc/passwd} $x_{1}$ % # & ~ ^",
    "\\end{tikzpicture}\\write18{ls}",
    'a"]\n  click n0 call alert()\n  b["',
    "%%{init: {}}%% `code` | [x](y) #quot;",
    "\u2028line\u2029paragraph\ufeff\u200b",
    "\u202eltr\u2066\u2069",
    "א עברית ب عربي",
    "𝒳 👩‍👩‍👧 é\u0301",
    "\x7f\x9b31m\x85",
    "x" * 10_000,
    "words " * 1_700,
    "",
    " ",
)
SPACE = "{http://www.w3.org/2000/svg}"
DRAWN_WITH = {
    "svg",
    "title",
    "style",
    "desc",
    "rect",
    "g",
    "path",
    "circle",
    "ellipse",
    "text",
    "tspan",
}


@lru_cache
def badly_named() -> tr.Trace:
    """A chain of products of parameters under hostile names, in scopes and time steps with the same names."""
    y = tr.tensor(1.0)
    for name in NAMES:
        with tr.scope(name or "empty", t=name[:40]):
            y = y * tr.parameter(0.5, name=name or None)
    return tr.trace(y)


def badly_filed() -> tr.Trace:
    """Recorded by a script whose file name and lines mean something to HTML."""
    source = "x = tr.tensor(2.0, name='x')\ny = x * x  # </script><script>alert(2)</script>\n"
    names = {"tr": tr}
    exec(compile(source, "</script><img src=x onerror=alert(3)>.py", "exec"), names)
    return tr.trace(names["y"])


TRACES = {"names": badly_named, "files": badly_filed}


# ----- formats


def check_svg(text: str) -> None:
    for element in ElementTree.fromstring(text).iter():
        assert element.tag.removeprefix(SPACE) in DRAWN_WITH, element.tag
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name
            assert "url(" not in value
        if element.tag == f"{SPACE}style":
            assert "url(" not in (element.text or "")
            assert "@import" not in (element.text or "")


class Page(HTMLParser):
    """What a browser makes of a page: elements, attributes, and what stands in scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.islands: list[str] = []
        self.inside: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.inside = dict(attrs).get("type") or ""
            self.islands += [""] if "json" in self.inside else []

    def handle_endtag(self, tag: str) -> None:
        self.inside = None if tag == "script" else self.inside

    def handle_data(self, data: str) -> None:
        if self.inside and "json" in self.inside:
            self.islands[-1] += data

    def handle_comment(self, data: str) -> None:
        self.elements["comment"] += 1


def check_html(text: str) -> None:
    page, tame = Page(text), Page(diagram(circuit()).render("html").decode("utf-8"))
    assert page.elements["script"] == tame.elements["script"]
    assert page.elements["comment"] == tame.elements["comment"]
    assert page.elements["style"] == tame.elements["style"]
    extra = set(page.elements) - set(tame.elements)
    assert extra <= DRAWN_WITH | {"sub", "sup", "i", "b", "em", "strong", "br"}, extra
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("href", "src", "srcset", "action", "data"):
            assert value[:1] == "#" or value in ("", "data:,"), value
        assert "url(" not in value
    assert len(page.islands) == len(tame.islands)
    for island in page.islands:
        json.loads(island)


def check_tex(text: str) -> None:
    for command in ("input{/etc", "write18{", "end{tikzpicture}\\write"):
        assert f"\\{command}" not in text
    assert text.count("\\end{tikzpicture}") <= 2
    depth, escaped = 0, False
    for letter in text:
        if not escaped:
            depth += (letter == "{") - (letter == "}")
        escaped = letter == "\\" and not escaped
        assert depth >= 0
    assert depth == 0


def check_mermaid(text: str) -> None:
    for line in text.splitlines():
        assert line.count('"') % 2 == 0, line
        assert not line.strip().startswith("click")
        assert "%%{" not in line
    assert "<script" not in text.lower()


def check_txt(text: str) -> None:
    odd = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
    assert not odd
    assert not {"\u202e", "\u2066", "\u2069"} & set(text)


CHECKS = {
    "svg": check_svg,
    "html": check_html,
    "tex": check_tex,
    "mmd": check_mermaid,
    "md": check_mermaid,
    "txt": check_txt,
}


@needs_graphviz
@pytest.mark.parametrize("source", TRACES)
@pytest.mark.parametrize("format", CHECKS)
def test_hostile_names_are_only_text(format, source):
    if format in FORMATS:
        text = diagram(TRACES[source]()).render(format).decode("utf-8")
        CHECKS[format](text)
        assert len(text) < 2_000_000


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("format", CHECKS)
def test_hostile_names_are_only_text_in_every_style(format, style):
    try:
        figure = diagram(
            badly_named(), style=style, step=badly_named().timeline.last // 2, theme="auto"
        )
    except DiagramError:
        pytest.skip("the style does not fit")
    CHECKS[format](figure.render(format).decode("utf-8"))


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize(("format", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_hostile_names_come_through_graphviz(format, start):
    assert diagram(badly_named()).render(format).startswith(start)


@needs_graphviz
@pytest.mark.parametrize("name", ["x" * 10_000, "word " * 2_000, "網" * 10_000])
def test_a_name_of_ten_thousand_characters_leaves_the_figure_readable(name):
    with tr.scope(name):
        trace = tr.trace(tr.tensor(1.0, name=name) * 2.0)
    drawn = diagram(trace).drawn
    assert drawn.width < 1500


@pytest.mark.parametrize("around", ["</script>", "x" * 10_000, "\n", "\x00"])
def test_a_hostile_wish_gets_one_error_of_moderate_length(around):
    for wish in ({"around": around}, {"scope": around}, {"style": around}, {"theme": around}):
        with pytest.raises(GradstepError) as caught:
            diagram(circuit(), **wish)
        assert len(str(caught.value)) < 1000
        assert "\x00" not in str(caught.value)
