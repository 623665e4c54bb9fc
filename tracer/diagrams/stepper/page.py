"""One HTML file in which a reader steps through a trace: a figure, a formula, a script, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tracer.diagrams.names import plain
from tracer.diagrams.stepper.furniture import controls, hints, legend, panel, zooms
from tracer.diagrams.stepper.stage import Stage, faces, staged
from tracer.diagrams.stepper.steps import Told, positions, told
from tracer.diagrams.writers.svg import mark_of, printed, variables

if TYPE_CHECKING:
    from tracer.diagrams.drawing import Diagram

CELL_HEIGHTS = (420, 860)
"""Pixels that a cell of a notebook takes, at least and at most; text and controls take `AROUND` of them."""
AROUND = 330


def stepper_page(diagram: Diagram, *, title: str = "") -> str:
    """A walk through a trace as a whole HTML page, on one layout. `#12` after its address leads to step 12.

    It opens from a file, asks nothing of a network, and its content policy allows no script but its own. A page in the
    light theme, which nobody has to ask for, turns dark where the reader prefers that, and has a button for it.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> "default-src 'none'" in stepper_page(tr.trace(x * x).diagram())
    True
    """
    made = _made(diagram, title, alone=True)
    policy = (
        f"default-src 'none'; script-src '{_digest(made.script)}'; style-src '{_digest(made.style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{printed(made.title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{made.style}</style>\n</head>\n<body>\n{made.body}\n"
        f"<script>{made.script}</script>\n</body>\n</html>\n"
    )


def stepper_part(diagram: Diagram, *, title: str = "") -> str:
    """The same walk as a part of a page. Any number of them stand on one; the one with the focus answers to keys."""
    made = _made(diagram, title, alone=False)
    return f"<style>{made.style}</style>\n{made.body}\n<script>{made.script}</script>\n"


def stepper_cell(diagram: Diagram, *, title: str = "") -> str:
    """The page in a frame, for the output of a notebook: its script reaches nothing outside the frame."""
    page = stepper_page(diagram, title=title)
    least, most = CELL_HEIGHTS
    height = max(least, min(most, round(AROUND + diagram.drawn.height * 4 / 3)))
    return (
        f'<iframe title="{printed(plain(title) or diagram.title)}" sandbox="allow-scripts" width="100%" '
        f'height="{height}" style="border:0" srcdoc="{escape(page)}"></iframe>'
    )


class _Made(NamedTuple):
    title: str
    body: str
    script: str
    style: str


def _made(diagram: Diagram, title: str, *, alone: bool) -> _Made:
    if diagram.theme == "light":
        diagram = replace(diagram, theme="auto")
    trace, timeline = diagram.trace, diagram.trace.timeline
    chosen = positions(timeline)
    steps = [told(trace, position, diagram.called) for position in chosen]
    film = diagram.film(chosen)
    stage = staged(film, trace, len(chosen) - 1, title=diagram.title)
    forward = sum(position <= timeline.forward_steps for position in chosen)
    data = _data(diagram, stage, steps, faces(film, trace))
    remarks = list(diagram.remarks)
    if len(chosen) <= timeline.last:
        remarks.append(f"this page shows {len(chosen)} of {timeline.last + 1} positions")
    name = plain(title) or f"{plain(trace.label(trace.loss), longest=60)}, step by step"
    toggle = '<button type="button" class="theme"><span>colours: </span>auto</button>'
    inside = "\n".join(
        (
            f"<header><h1>{printed(name)}</h1>{zooms()}{toggle if diagram.palette_for_the_dark else ''}</header>",
            controls(len(chosen), forward),
            panel(steps),
            f'<div class="figure" tabindex="0" role="region" aria-label="figure">\n{stage.svg}\n</div>',
            legend(trace, replace(diagram, step=None).picture.caption, remarks),
            hints(),
            f'<script type="application/json" class="film">{data}</script>',
        )
    )
    half = (forward - 1) / max(len(chosen) - 1, 1)
    mark = mark_of(inside, diagram.theme)
    focus = " data-alone" if alone else ' tabindex="-1"'
    body = f'<main id="{mark}" class="gradstep"{focus}>\n{inside}\n</main>'
    return _Made(name, body, _asset("script.js"), _style(diagram, stage, mark, half))


def _data(diagram: Diagram, stage: Stage, steps: Sequence[Told], face: Sequence[int]) -> str:
    """What the script reads, as JSON that no text can end early."""
    timeline = diagram.trace.timeline
    frames = [
        {
            "at": step.position,
            "node": face[step.node] if step.node >= 0 else -1,
            "formula": step.formula,
            "words": step.words,
        }
        for step in steps
    ]
    content = {
        "first": diagram.step or 0,
        "forward": timeline.forward_steps,
        "last": timeline.last,
        "frames": frames,
        "changes": stage.changes,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _style(diagram: Diagram, stage: Stage, mark: str, half: float) -> str:
    """The style sheet: what all steppers share, then the colours, sizes and dresses of this one."""
    place, dark = f"#{mark}", diagram.palette_for_the_dark
    sizes = f"--wide:{stage.width:.0f};--high:{stage.height:.0f};--half:{half:.4f}"
    rules = [_asset("style.css"), f"{place}{{{variables(diagram.palette)}{sizes}}}"]
    if dark is not None:
        night = variables(dark)
        rules.append(
            f"@media screen{{{place}[data-theme=dark]{{color-scheme:dark;{night}}}}}"
            "@media screen and (prefers-color-scheme:dark){"
            f"{place}:not([data-theme=light]){{color-scheme:dark;{night}}}}}"
        )
    rules.append(stage.rules(place))
    return "\n".join(rules)


@cache
def _asset(name: str) -> str:
    """The script or the style sheet, without comments, indentation and blanks that mean nothing."""
    lines = (
        line.strip() for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()
    )
    kept = [line for line in lines if line and not line.startswith("//")]
    if name.endswith(".css"):
        return "".join(_DECLARED.sub(r"\1:", line) for line in kept)
    return "\n".join(kept)


_DECLARED = re.compile(r"(?<![\w:-])([a-z-]+): ")


def _digest(source: str) -> str:
    """What a content policy calls an inline script or style sheet by."""
    return f"sha256-{b64encode(sha256(source.encode()).digest()).decode()}"
