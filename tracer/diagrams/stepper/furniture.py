"""What stands around the figure: buttons, the slider, the text of the step, and what the marks mean; as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tracer.diagrams.names import plain
from tracer.diagrams.picture import Run, Text
from tracer.diagrams.stepper.steps import LEVEL, LOWERED, Told
from tracer.diagrams.writers.svg import printed
from tracer.timeline import GLYPHS
from tracer.traces import Trace

_Text = TypeVar("_Text")
_BUTTONS = (
    ("first", "first step", "M3 3h2v10H3zM13 3v10L6 8z"),
    ("back", "previous step", "M11 3v10L4 8z"),
    ("play", "play", ""),
    ("next", "next step", "M5 3v10l7-5z"),
    ("last", "last step", "M11 3h2v10h-2zM3 3v10l7-5z"),
)
"""The class, the spoken name and the icon of each button."""
_RUN, _PAUSE = "M4 2v12l10-6z", "M3 2h4v12H3zM9 2h4v12H9z"
_ZOOMS = (
    ("farther", "−", "smaller"),
    ("whole", "whole", "whole figure"),
    ("closer", "+", "larger"),
)
_KEYS = "<kbd>←</kbd> <kbd>→</kbd> step, <kbd>Home</kbd> <kbd>End</kbd> first and last, <kbd>space</kbd> plays"
MEANINGS = {
    "not run yet": "the forward pass has not come here",
    "not reached": "no flow has come back yet",
    "partial": "k of n flows have come back, the number is their sum so far",
    "blocked": "no gradient passes here",
    "disconnected": "the loss does not depend on it",
    "not recorded": "nobody computed it",
}
"""What the states of a gradient mean; one that is final is a number without a mark."""


def controls(count: int, first_backward: int) -> str:
    """The buttons and the slider over so many frames, of which those from `first_backward` on are the backward pass."""
    buttons = "".join(_button(*each) for each in _BUTTONS)
    halves = "<span>forward</span>" + ("<span>backward</span>" if first_backward < count else "")
    return (
        f'<div class="controls"><div class="buttons" role="group" aria-label="steps">{buttons}</div>'
        f'<div class="way"><input class="slider" type="range" min="0" max="{count - 1}" step="1" value="0" '
        f'aria-label="step"><div class="halves" aria-hidden="true">{halves}</div></div></div>'
    )


def _button(name: str, spoken: str, icon: str) -> str:
    pressed = ' aria-pressed="false"' if name == "play" else ""
    drawn = (
        f'<path d="{icon}"/>'
        if icon
        else f'<path class="run" d="{_RUN}"/><path class="pause" d="{_PAUSE}"/>'
    )
    return (
        f'<button type="button" class="{name}" aria-label="{spoken}" title="{spoken}"{pressed}>'
        f'<svg viewBox="0 0 16 16" aria-hidden="true">{drawn}</svg></button>'
    )


def panel(steps: Sequence[Told]) -> str:
    """The place of the step's texts. An invisible copy of long ones keeps room, so that the figure does not move."""
    formula = _long([step.formula for step in steps], lambda lines: len("".join(lines)))
    words = _long([step.words for step in steps], len)
    kept = "".join(f"<span>{_set(line)}</span>" for line in formula)
    return (
        '<div class="panel"><div><p class="formula"></p>'
        '<p role="status" aria-live="polite" aria-atomic="true"><b class="phase"></b> '
        '<span class="count"></span> <span class="words"></span></p></div>'
        f'<div class="room" aria-hidden="true"><p class="formula">{kept}</p>'
        f"<p>backward pass step {len(steps)} of {len(steps)} {printed(words)}</p></div></div>"
    )


def _long(texts: list[_Text], length: Callable[[_Text], int]) -> _Text:
    """A text than which only one in ten is longer: room for those would lie empty on all other steps."""
    return sorted(texts, key=length)[(len(texts) - 1) * 9 // 10]


def _set(line: str) -> str:
    return (
        printed(line.replace(LOWERED, "\ue000").replace(LEVEL, "\ue001"))
        .replace("\ue000", "<sub>")
        .replace("\ue001", "</sub>")
    )


def zooms() -> str:
    """The buttons that change the size of the figure."""
    buttons = "".join(
        f'<button type="button" class="{name}" aria-label="{spoken}" title="{spoken}">{sign}</button>'
        for name, sign, spoken in _ZOOMS
    )
    return f'<div class="zoom" role="group" aria-label="size of the figure">{buttons}</div>'


def legend(trace: Trace, notes: Sequence[Text], remarks: Sequence[str]) -> str:
    """What the colours mean, those marks that this trace ever shows, and what the finished figure says below."""
    loss = printed(plain(trace.label(trace.loss), longest=60))
    rows = [
        '<li><b class="of-value">value</b> from the forward pass</li>',
        f'<li><b class="of-gradient">gradient</b> of the loss L = {loss}, from the backward pass</li>',
    ]
    seen = _states(trace)
    for state, meaning in MEANINGS.items():
        if state in seen:
            sign = GLYPHS[state] + (" k/n" if state == "partial" else "")
            rows.append(f"<li><b>{sign}</b> {state}: {meaning}</li>")
    rows += [f"<li>{''.join(map(_noted, note))}</li>" for note in notes]
    rows += [f"<li>{printed(remark)}</li>" for remark in remarks]
    return f'<ul class="legend" aria-label="what the marks mean">{"".join(rows)}</ul>'


def _noted(run: Run) -> str:
    return f"<sub>{printed(run.text)}</sub>" if run.lowered else printed(run.text)


def hints() -> str:
    """How to step."""
    return (
        f'<p class="hint keys">{_KEYS}. Click an operation for its forward step, again for its backward step.</p>'
        '<noscript><p class="hint">This is the last step. Stepping needs JavaScript.</p></noscript>'
    )


def _states(trace: Trace) -> set[str]:
    """The states that a gradient of the trace is in at some time."""
    timeline = trace.timeline
    found = {timeline.status(timeline.last, i).state for i in range(len(trace))}
    counts = [timeline.arrived(timeline.last, i)[1] for i in range(len(trace))]
    if timeline.forward_steps:
        found.add("not run yet")
    if any(counts):
        found.add("not reached")
    if max(counts, default=0) > 1:
        found.add("partial")
    return found
