"""Mermaid: the same picture as a flowchart that its parser takes, whatever the names are."""

import re

import pytest

from tests.tracer.diagrams import networks
from tracer.diagrams.palettes import THEMES
from tracer.diagrams.picture import (
    Caption,
    Card,
    Cluster,
    Edge,
    Gate,
    Joint,
    Pane,
    Picture,
    Run,
    Wire,
)
from tracer.diagrams.writers.labels import label_text
from tracer.diagrams.writers.mermaid import MOST_ARROWS, mermaid_text

LIGHT = THEMES["light"]

LABEL = r'"((?:[^"#<>`\\{}|;&]|#\d+;|<br/>)*)"'
SHAPE = re.compile(rf"\s+(\w+)(?:\[{LABEL}\]|\(\({LABEL}\)\)|\(\[{LABEL}\]\)|\({LABEL}\))")
FRAME = re.compile(rf"\s+subgraph (\w+)\[{LABEL}\]")
ARROW = re.compile(rf"\s+(\w+) (-->|---|-\.->|-\.-|==>|===)(?:\|{LABEL}\|)? (\w+)")
STYLE = re.compile(
    r"\s+(?:classDef \w+ [\w#:,\- ]+|class [\w,]+ \w+|linkStyle [\d,]+ stroke:#\w{6})"
)


def parsed(text):
    """Shapes with their labels, arrows and depth of frames; fails on a line that is no Mermaid."""
    lines = text.splitlines()
    if lines[0] == "---":
        lines = lines[lines.index("---", 1) + 1 :]
    assert lines[0] == "flowchart LR"
    shapes, arrows, depth = {}, [], 0
    for line in lines[1:]:
        if found := FRAME.fullmatch(line):
            shapes[found[1]] = [found[2]]
            depth += 1
        elif line.strip() == "end":
            depth -= 1
            assert depth >= 0
        elif found := SHAPE.fullmatch(line):
            label = next(group for group in found.groups()[1:] if group is not None)
            assert found[1] not in shapes
            shapes[found[1]] = [unescaped(part) for part in label.split("<br/>")]
        elif found := ARROW.fullmatch(line):
            arrows.append((found[1], found[4], unescaped(found[3] or ""), found[2]))
        else:
            assert STYLE.fullmatch(line) or line.startswith("  %%"), line
    assert depth == 0
    assert {end for arrow in arrows for end in arrow[:2]} <= set(shapes)
    assert not {"end", "graph", "subgraph", "class", "style"} & set(shapes)
    return shapes, arrows


def unescaped(text):
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text).replace("\u2060", "")


def chart(trace, step=None, **options):
    return mermaid_text(trace.diagram(step=step, **options).picture, LIGHT)


def test_the_circuit_of_the_lecture_is_six_lines_of_shapes_and_its_numbers():
    shapes, arrows = parsed(chart(networks.circuit()))
    assert shapes["n0"] == ["x = −2", "∂ −4"]
    assert shapes["n3"] == ["q = 3", "∂ −4"]
    assert shapes["g4"] == ["×"]
    assert ("n0", "g3", "", "-->") in arrows
    assert ("g3", "n3", "", "---") in arrows


@pytest.mark.parametrize(
    "network", ["neuron", "branching", "batch_norm", "scalar_rnn", "rnn", "badly_named"]
)
def test_every_network_at_every_kind_of_step_is_valid(network):
    trace = getattr(networks, network)()
    for step in (None, 0, trace.timeline.forward_steps, trace.timeline.last - 1):
        shapes, arrows = parsed(chart(trace, step))
        assert shapes
        assert arrows


def test_the_outline_and_the_backward_graph_are_valid_too():
    for style in ("outline", "backward", "paths"):
        parsed(chart(networks.batch_norm(), style=style))


def test_a_value_with_several_uses_shows_each_contribution_on_its_arrow():
    trace = networks.branching()
    _, arrows = parsed(chart(trace))
    sent = [label for tail, _, label, _ in arrows if tail == "n0"]
    flows = [float(flow.cotangent) for flow in trace.flows_into("x")]
    assert sorted(float(label.removeprefix("∂ ")) for label in sent) == pytest.approx(
        sorted(flows), abs=5e-3
    )


def test_a_contribution_is_only_ever_written_at_its_own_arrow():
    trace = networks.scalar_rnn()
    _, arrows = parsed(chart(trace))
    flows = {f"g{flow.consumer}": float(flow.cotangent) for flow in trace.flows_into("w")}
    labelled = [(head, label) for tail, head, label, _ in arrows if tail == "n0" and label]
    roots = {f"g{i}" for i in range(len(trace))}
    assert labelled
    for head, label in labelled:
        number = float(label.removeprefix("∂ ").replace("−", "-"))
        inside = int(head[1:])  # the product and the sum are drawn inside the gate of the tanh
        assert number == pytest.approx(flows[f"g{inside - 2}"], rel=0.06)
        assert head in roots


def test_scopes_are_subgraphs_and_roles_are_classes():
    text = chart(networks.batch_norm())
    assert 'subgraph in_f0["BatchNorm"]' in text
    assert text.count("subgraph") == text.count("\n    end") + text.count("\n  end") + text.count(
        "\n      end"
    )
    assert re.search(r"class n1,n2 parameter|class n2,n1 parameter", text)
    assert f"stroke:{LIGHT.parameter}" in text


def test_a_frame_says_its_step_in_the_title():
    trace = networks.circuit()
    text = chart(trace, 3)
    assert text.startswith('---\ntitle: "step 3 of 6')
    assert "class g4 current" in text


def test_a_fence_makes_it_part_of_markdown():
    picture = networks.circuit().diagram().picture
    text = mermaid_text(picture, LIGHT, fenced=True)
    assert text == f"```mermaid\n{mermaid_text(picture, LIGHT)}```\n"


def test_joints_and_bare_wires_become_part_of_the_arrow():
    ink = (Run("1", "gradient"),)
    picture = Picture(
        (
            Card("a", (Run("a"),), (), ()),
            Joint("j"),
            Wire("b", (), ink),
            Gate("g", (Run("+"),)),
            Caption("o", ()),
        ),
        (
            Edge("a", "j"),
            Edge("j", "b"),
            Edge("b", "g", dashed=True),
            Edge("j", "o"),
            Edge("a", "o", hidden=True),
        ),
    )
    shapes, arrows = parsed(mermaid_text(picture, LIGHT))
    assert set(shapes) == {"s_a", "s_g", "s_o"}
    assert arrows == [("s_a", "s_g", "∂ 1", "-.->"), ("s_a", "s_o", "", "-->")]


@pytest.mark.parametrize(
    "name",
    [
        *networks.HOSTILE,
        "end",
        "```\n# markdown",
        '"] --> evil["',
        "#quot;#35;&lt;",
        "%%{init: {}}%%",
        "a;b|c{d}e[f](g)",
        "1. first",
        "click n1 callback",
        "x" * 10_000,
        "日本 שלום 😀",
    ],
)
def test_no_name_breaks_the_syntax_or_becomes_markup(name):
    run = (Run(name),)
    picture = Picture(
        (Card("n0", run, (), (run,)), Gate("g1", run)),
        (Edge("n0", "g1", label=run),),
        (Cluster("f0", run, (Caption("o2", run),)),),
        caption=(run,),
    )
    text = mermaid_text(picture, LIGHT, fenced=True)
    assert sum(line.startswith("```") for line in text.splitlines()) == 2
    shapes, arrows = parsed("\n".join(text.splitlines()[1:-1]))
    assert len(shapes) == 4
    assert len(arrows) == 1
    assert "<" not in text.replace("<br/>", "").split("flowchart")[1]


def test_a_shape_whose_key_is_a_word_of_mermaid_gets_another_name():
    picture = Picture(
        (Gate("end", (Run("a"),)), Gate("s_end", (Run("b"),))), (Edge("end", "s_end"),)
    )
    shapes, arrows = parsed(mermaid_text(picture, LIGHT))
    assert len(shapes) == 2
    assert len({end for arrow in arrows for end in arrow[:2]}) == 2


def test_more_arrows_than_mermaid_draws_are_mentioned():
    gates = tuple(Gate(f"g{k}", (Run("+"),)) for k in range(MOST_ARROWS + 2))
    edges = tuple(Edge(f"g{k}", f"g{k + 1}") for k in range(MOST_ARROWS + 1))
    assert f"%% {MOST_ARROWS + 1} arrows" in mermaid_text(Picture(gates, edges), LIGHT)


def test_frames_nested_a_thousand_deep_are_written_without_recursion():
    inner = Cluster("f1000", (), (Gate("g0", (Run("+"),)),))
    for k in reversed(range(1000)):
        inner = Cluster(f"f{k}", (), (), (inner,))
    shapes, _ = parsed(mermaid_text(Picture((), (), (inner,)), LIGHT))
    assert len(shapes) == 1002


def test_the_same_trace_gives_the_same_bytes():
    assert chart(networks.batch_norm()) == chart(networks.batch_norm())


def test_a_backslash_and_an_n_stay_two_characters():
    assert label_text("a\\nb") == "a#92;\u2060nb"


@pytest.mark.parametrize(
    "name", ["matmul@3", "a + b", "h - 1", "a/b", "h[t=1]", "e^x", "it's", "a-b"]
)
def test_what_means_nothing_stands_as_it_is(name):
    assert label_text(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "- a",
        "+ b",
        "* c",
        "1. d",
        "[f](g)",
        "[a][b]",
        "a@b.c",
        "**x**",
        "%%{x}%%",
        "www.a.b",
        "--- a",
    ],
)
def test_what_markdown_or_mermaid_would_read_does_not_stand_as_it_is(name):
    escaped = label_text(name)
    assert escaped != name
    assert unescaped(escaped) == name


def test_the_work_grows_with_the_number_of_panes_and_not_with_its_square(monkeypatch):
    from tracer.diagrams.writers import mermaid

    asked = 0
    stands_on = mermaid._stands_on

    def counted(at, pane):
        nonlocal asked
        asked += 1
        return stands_on(at, pane)

    monkeypatch.setattr(mermaid, "_stands_on", counted)
    count = 300
    panes = tuple(Pane(f"p{k}", (), (90.0, 50.0), (100.0 * k, 0.0)) for k in range(count))
    gates = tuple(Gate(f"g{k}", (Run("+"),), at=(100.0 * k, 0.0)) for k in range(count))
    text = mermaid_text(Picture((*panes, *gates), (), placed=True), LIGHT)
    assert text.count("subgraph") == count
    assert text.index("in_p7") < text.index("g7((") < text.index("in_p8")
    assert asked <= 4 * count
