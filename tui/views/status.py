"""The status line, and the line of messages and keys."""

from __future__ import annotations

import textwrap

from rich.cells import cell_len

from tracer.cells.meanings import Kind
from tracer.cells.verdicts import OPEN, RIGHT, WRONG
from tui.ink import Line, Span, clip, elide, pad, span
from tui.keys import KEYS, Key, key_line
from tui.views.changes import shown
from tui.views.scene import Scene
from tui.views.verify import counts

MOST_SAID = 3
"""A message takes so many lines at most."""
PROGRESS = 12
"""How long the bar of long work is."""


def status_line(scene: Scene, width: int) -> Line:
    """Phase, step, node, op, loss, scope, counts and warnings; what matters least goes first where room is short."""
    step = scene.step
    parts: list[tuple[int, list[Span]]] = [(0, _phase(step.phase))]
    parts.append((0, [span(f"step {scene.position}/{scene.timeline.last}")]))
    if step.node >= 0:
        parts.append((0, _node(scene)))
    if scene.trace.loss >= 0:
        parts.append((2, _loss(scene)))
    if scene.depth:
        parts.append((1, [span(f"depth {scene.depth}", Kind.KEY)]))
    scope = scene.trace[scene.selected].scope if len(scene.trace) else ()
    if scope:
        parts.append((3, _scope(scope, scene.scope_level)))
    if scene.breakpoints:
        parts.append((2, [span("●", Kind.MARK), span(f" {scene.breakpoints}")]))
    if scene.watches:
        parts.append((4, [span(f"watch {len(scene.watches)}", Kind.FAINT)]))
    if scene.report is not None:
        parts.append((1, _verified(scene)))
    changes = shown(scene)
    if changes is not None and changes.edits:
        parts.append((1, [span("edited", Kind.KEY)]))
    warning = _warning(scene)
    if warning:
        parts.append((0, [span(warning, Kind.WARN)]))
    if scene.stale:
        parts.append((1, [span(scene.stale, Kind.WARN)]))
    if scene.count:
        parts.append((0, [span(f"{scene.count}×", Kind.KEY)]))
    return _fit(parts, width)


def _fit(parts: list[tuple[int, list[Span]]], width: int) -> Line:
    """Join parts with blanks; while they are too long, drop the one of the largest number, the later of equals."""

    def join() -> Line:
        line: list[Span] = []
        for _, spans in parts:
            line += [*spans, span("  ")]
        return tuple(line[:-1])

    while sum(len(piece.text) for piece in join()) > width and max(rank for rank, _ in parts) > 0:
        worst = max(range(len(parts)), key=lambda n: (parts[n][0], n))
        parts = parts[:worst] + parts[worst + 1 :]
    return clip(join(), width)


def _phase(phase: str) -> list[Span]:
    if phase == "backward":
        return [span(" BACKWARD ▲ ", Kind.BACKWARD_TAG)]
    return [span(" START ▶ " if phase == "start" else " FORWARD ▼ ", Kind.FORWARD_TAG)]


def _node(scene: Scene) -> list[Span]:
    view = scene.trace[scene.current]
    spans = [span(view.label, Kind.NAME)]
    if view.name:
        spans.append(span(f" {view.op_name}", Kind.OP))
    if scene.target >= 0:
        spans += [span(" → ", Kind.GRADIENT), span(scene.trace.label(scene.target), Kind.NAME)]
        if scene.step.count > 1:
            spans.append(span(f" {scene.step.number}/{scene.step.count}", Kind.FAINT))
    return spans


def _loss(scene: Scene) -> list[Span]:
    loss = scene.trace.loss
    text = scene.figures.value(loss).text if scene.has_run(loss) else "·"
    word = "loss"
    if (
        scene.depth or scene.trace.storage.held(loss).ndim
    ):  # what parts give, or an array, is no loss
        name = scene.title.rpartition(" ▸ ")[2] if scene.depth else scene.trace.label(loss)
        word = elide(name, 16) + (" rms" if scene.trace.storage.held(loss).ndim else "")
    return [span(f"{word} ", Kind.FAINT), span(text, Kind.VALUE)]


def _scope(scope: tuple[object, ...], level: int | None) -> list[Span]:
    spans: list[Span] = []
    for number, entry in enumerate(scope):
        spans += [span(" ▸ ", Kind.FAINT)] if number else []
        inside = level is not None and number < level
        spans.append(span(str(entry), Kind.NAME if inside else Kind.OP))
    return spans


def _verified(scene: Scene) -> list[Span]:
    """How many lines of a derivation agree, disagree and are open."""
    found = counts(scene)
    assert found is not None
    signs = (
        (RIGHT, found.right, Kind.VALUE),
        (WRONG, found.wrong, Kind.GRADIENT),
        (OPEN, found.open, Kind.FAINT),
    )
    return [span(f"{sign}{number} ", kind) for sign, number, kind in signs if number]


def _warning(scene: Scene) -> str:
    if scene.bad is None or scene.position < scene.bad[1]:
        return ""
    node = scene.bad[0]
    word = "value" if scene.bad[1] <= scene.timeline.forward_steps else "gradient"
    return f" ⚠ NaN or inf since {elide(scene.trace.label(node), 16)}'s {word} "


def watch_lines(scene: Scene, width: int) -> list[Line]:
    """Each watch and what it shows here."""
    return [
        clip((span(f" {text}  ", Kind.KEY), span(value)), width) for text, value in scene.watches
    ]


def last_line(scene: Scene, width: int, keys: tuple[Key, ...] = KEYS) -> Line:
    """What is going on, or what came of the last key; the keys where there is nothing to say."""
    if scene.busy:
        return clip((*progress(scene.busy, scene.done),), width)
    if not scene.message:
        return keys_line(width, keys)
    kind = Kind.WARN if scene.trouble else Kind.OP
    return (span(elide(f" {scene.message}", width), kind),)


def said(scene: Scene, width: int) -> list[Line]:
    """A message that is longer than the last line, in as many lines as it takes; `MOST_SAID` at most."""
    if scene.busy or cell_len(scene.message) + 1 <= width:
        return []
    kind = Kind.WARN if scene.trouble else Kind.OP
    lines = textwrap.wrap(scene.message, width - 2, break_on_hyphens=False)
    kept, rest = lines[: MOST_SAID - 1], " ".join(lines[MOST_SAID - 1 :])
    return [(span(pad(f" {line}", width), kind),) for line in (*kept, rest) if line]


def progress(words: str, done: float | None) -> list[Span]:
    """What is being worked at, how much of it is done where that is known, and how to stop it.

    >>> "".join(piece.text for piece in progress("working", 0.42))
    ' working ▓▓▓▓▓░░░░░░░  42%  esc stops'
    """
    if done is None:
        return [span(f" {words}… ", Kind.KEY), span("esc stops", Kind.FAINT)]
    full = int(PROGRESS * done)
    bar = span("▓" * full, Kind.KEY), span("░" * (PROGRESS - full), Kind.FAINT)
    return [
        span(f" {words} ", Kind.KEY),
        *bar,
        span(f" {done:4.0%} "),
        span(" esc stops", Kind.FAINT),
    ]


def keys_line(width: int, keys: tuple[Key, ...] = KEYS) -> Line:
    """The keys that are needed most, as many as fit."""
    line: list[Span] = []
    for names, word in key_line(width, keys):
        line += [span(f" {names} ", Kind.KEY), span(f"{word} ", Kind.FAINT)]
    return tuple(line)
