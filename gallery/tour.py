"""The tour of the gallery, `gallery/README.md`: what each network shows, its figure, its numbers, what to type.

`python -m gallery.tour` writes it and its pictures anew; with `--train` it also trains what trains, or the named ones,
for the pictures of that. Pictures bear no dates and no places, and the page says of each what it shows in a few digits,
so that a test can tell when it is stale without laying it out.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tracer as tr
from gallery import GALLERY, SECTIONS
from gallery.entry import Entry, compare
from gallery.knobs import settings, written
from gallery.training import pictures, train
from tracer.diagrams import Diagram
from tracer.diagrams.picture import Card, Gate, Picture, Text, Wire
from tracer.plots import Plot

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
FOLDER = HERE / "pictures" / "tour"
MOST, FOLDED = 40, 20
"""A figure of more shapes than the first is folded, if need be until no more than the second are left."""
WHOLE = 150
"""Steps over time may have so many shapes; of what is larger still when it is folded, the outline is drawn."""
SMALL = 16
"""A variant whose figure has more shapes than this is not drawn: it resembles that of the main entry."""

HEAD = """\
# The gallery

Every network of the lectures, with its figure, the numbers expected of it beside the recorded ones, and the gradients
that were derived by hand. Values are green and stand above a wire or on the first row of a card, gradients are red and
stand below. Each can be stepped through in the terminal: `gradstep open NAME`; `gradstep gallery` lists them all.

Where a number is from stands beside it. *published*: the source prints it. *PyTorch 2.13*: its result for the same
weights. *ours*: no source prints it; it follows on paper, or was taken from a run of ours and guards against change.

This page is written by `python -m gallery.tour` from the entries in `gallery/`; do not edit it.
"""


def page() -> str:
    """The whole page."""
    blocks = [HEAD, contents()]
    for title, entries in SECTIONS.items():
        blocks += [f"## {title}", *map(section, entries)]
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def contents() -> str:
    """The sections, and what is in them."""
    lines = []
    for title, entries in SECTIONS.items():
        names = ", ".join(f"`{entry.name}`" for entry in entries if main_of(entry) is entry)
        lines.append(f"- [{title}](#{_anchor(title)}): {names}")
    return "\n".join(lines)


def section(entry: Entry) -> str:
    """What the page says of one entry."""
    trace, main = tr.trace(entry.build()), main_of(entry)
    marks = "###" if main is entry else "####"
    blocks = [f"{marks} `{entry.name}`", prose(_sentence(entry.caption))]
    if main is entry or entry.source != main.source:
        blocks.append(f"*{prose(entry.source)}*")
    if drawn(entry, trace):
        name, said = file_name(entry), digest(figure(entry, trace).picture)
        blocks.append(_image(f"The graph of {entry.name}: {entry.caption}", name, said))
    if entry.note:
        blocks.append(f"Note: {prose(entry.note)}.")
    blocks += _numbers(entry, trace)
    if entry.knobs and (main is entry or entry.knobs != main.knobs):
        rows = [(f"`{k.name}`", written(k.default), k.range, k.meaning) for k in entry.knobs]
        blocks.append(table(("knob", "default", "range", "what it is"), rows))
    plots = own_plots(entry)
    if plots:
        titles = "; ".join(plot.title for plot in plots)
        blocks.append(_image(titles, f"{file_name(entry)}_plots", digest_of_plots(plots)))
    if entry.training is not None:
        if entry.training.claim:
            blocks.append(f"What to expect of its training: {prose(entry.training.claim)}")
        told = f"{entry.name} trained for {entry.training.steps} steps"
        blocks.append(_image(told, f"{file_name(entry)}_trained"))
    if entry.derivation:
        blocks.append(
            f"<details><summary>Derived by hand, as <code>gradstep verify {entry.name}</code> checks it</summary>\n\n"
            f"```python\n{entry.derivation.rstrip()}\n```\n\n</details>"
        )
    blocks.append(" · ".join(f"`{command}`" for command in commands(entry)))
    return "\n\n".join(blocks)


def commands(entry: Entry) -> list[str]:
    """What to type."""
    found = [f"gradstep open {entry.name}"]
    if entry.knobs:
        knob = entry.knobs[0]
        found[0] += f" --set {knob.name}={written(knob.default)}"
    if entry.derivation:
        found.append(f"gradstep verify {entry.name}")
    if entry.plots is not None:
        found.append(f"gradstep plot {entry.name}")
    if entry.training is not None:
        found.append(f"gradstep train {entry.name}")
    return found


# ----- numbers


def _numbers(entry: Entry, trace: tr.Trace) -> Iterator[str]:
    """The expected numbers beside the recorded ones: a row for each node, and one for each fact."""
    rows = compare(entry, trace)
    nodes = list(dict.fromkeys(row.node for row in rows if row.what != "fact"))
    of = {(row.node, row.what): row for row in rows}
    whats = [what for what in ("value", "gradient") if any(row.what == what for row in rows)]
    if nodes:
        heads = ["node"]
        for what in whats:
            heads += [f"{what}, expected", "recorded"]
        cells = []
        for node in nodes:
            cells.append([f"`{node}`"])
            found = [of.get((node, what)) for what in whats]
            for row in found:
                cells[-1] += [row.printed, _verdict(row)] if row is not None else ["", ""]
            cells[-1].append(next(row.origin for row in found if row is not None))
        yield table([*heads, "from"], cells)
    facts = [(r.node, r.printed, _verdict(r), r.origin) for r in rows if r.what == "fact"]
    if facts:
        yield table(("what", "expected", "recorded", "from"), facts)


def _verdict(row: Any) -> str:
    return row.recorded if row.agrees else f"{row.recorded}, differs"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|") if text.startswith("`") else prose(text).replace("|", "\\|")


def prose(text: str) -> str:
    """Text that means itself in Markdown.

    >>> print(prose("dL<3>/dwaa, W_2 * x"))
    dL&lt;3&gt;/dwaa, W\\_2 \\* x
    """
    quoted = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_`\[\]])", r"\\\1", quoted)


def _sentence(text: str) -> str:
    first = text.partition(" ")[0]
    whole = text[0].upper() + text[1:] if first == "a" or first[1:].isalpha() else text
    return whole if whole.endswith(".") else f"{whole}."


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _image(alt: str, name: str, said: str = "") -> str:
    text = re.sub(r"[\[\]<>]", lambda found: prose(found[0]), alt)
    comment = f"\n<!-- shows {said} -->" if said else ""
    return f"![{text}](pictures/tour/{name}.svg){comment}"


# ----- pictures


def main_of(entry: Entry) -> Entry:
    """The entry that it is a variant of, or itself."""
    return GALLERY[entry.name.partition(":")[0]]


def file_name(entry: Entry) -> str:
    """The name of its pictures, without a suffix."""
    return entry.name.replace(":", "_")


def figure(entry: Entry, trace: tr.Trace) -> Diagram:
    """The figure of an entry, as large as a page can show."""
    for most in (None, MOST, FOLDED):
        found = trace.diagram(style=entry.style, most=most)
        if found.shapes <= (WHOLE if found.style == "unrolled" else MOST):
            return found
    return trace.diagram(style="outline", most=2 * FOLDED)


def drawn(entry: Entry, trace: tr.Trace) -> bool:
    """Whether the page has its figure: of a main entry always, of a variant if it is small."""
    return ":" not in entry.name or len(trace) <= SMALL


def own_plots(entry: Entry) -> tuple[Plot, ...]:
    """The plots of an entry, but of a variant only what the main entry does not show."""
    main = main_of(entry)
    if entry.plots is None or (main is not entry and entry.plots is main.plots):
        return ()
    plots = entry.plots(**entry.settings())
    if main is entry or main.plots is None:
        return plots
    shown = {plot.title for plot in main.plots(**main.settings())}
    return tuple(plot for plot in plots if plot.title not in shown)


def digest(picture: Picture) -> str:
    """What a figure shows, in a few digits: its shapes and their texts, and its edges, but not where they stand."""
    words: list[str] = []
    for shape in picture.every_shape():
        words += [type(shape).__name__, shape.key, *map(_text, _texts(shape))]
    words += [f"{edge.tail} {edge.head} {edge.role} {_text(edge.label)}" for edge in picture.edges]
    return _short(words)


def _texts(shape: object) -> Iterator[Text]:
    match shape:
        case Wire():
            yield from (shape.value, shape.gradient, shape.name)
        case Gate():
            yield shape.symbol
        case Card():
            yield from (shape.title, shape.note, *shape.rows)


def _text(text: Text) -> str:
    return "".join(run.text for run in text)


def digest_of_plots(plots: Sequence[Plot]) -> str:
    """What plots show, in a few digits: their words and marks, but not each number."""
    words: list[str] = []
    for plot in plots:
        words += [plot.title, plot.note, *map(repr, (plot.x, plot.y))]
        words += [f"{type(mark).__name__} {mark.label}" for mark in plot.marks]
    return _short(words)


def _short(words: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:10]


def for_page(svg: str) -> str:
    """An SVG as a page shows it, where nothing can be pointed at, and paths to a tenth of a point: a third smaller."""
    still = re.sub(r'<title>[^<]*</title>| (data-key|class)="[^"]*"', "", svg)
    return re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), still)


def write(train_them: Callable[[Entry], bool]) -> Iterator[Path]:
    """Write the page and its pictures; those of trainings only where they are asked for. Yields what was written."""
    from tracer.plots.saving import svg

    FOLDER.mkdir(parents=True, exist_ok=True)
    for entry in GALLERY.values():
        trace = tr.trace(entry.build())
        made = {}
        if drawn(entry, trace):
            made[file_name(entry)] = figure(entry, trace).render("svg").decode()
        plots = own_plots(entry)
        if plots:
            made[f"{file_name(entry)}_plots"] = svg(plots)
        if entry.training is not None and train_them(entry):
            turned = settings(entry.every_knob, {})
            *_, history = train(entry.training, turned)
            made[f"{file_name(entry)}_trained"] = svg(pictures(entry.training, history, turned))
        for name, text in made.items():
            path = FOLDER / f"{name}.svg"
            path.write_text(for_page(text), encoding="utf-8")
            yield path
    text = page()
    PAGE.write_text(text, encoding="utf-8")
    yield PAGE
    for path in FOLDER.iterdir():
        if f"pictures/tour/{path.name})" not in text:
            path.unlink()


def main() -> None:
    """Write the tour, and say what was written."""
    parser = argparse.ArgumentParser(prog="python -m gallery.tour", description=__doc__)
    parser.add_argument(
        "--train",
        nargs="*",
        metavar="NAME",
        help="also train, for the pictures of it: the entries of these names, or all",
    )
    names = parser.parse_args().train
    unknown = set(names or ()) - set(GALLERY)
    if unknown:
        parser.error(f"no network {', '.join(sorted(unknown))} in the gallery")
    for path in write(lambda entry: names is not None and (not names or entry.name in names)):
        print(f"wrote {path.relative_to(HERE.parent)}", flush=True)


if __name__ == "__main__":
    main()
