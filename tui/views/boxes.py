"""The boxes of the graph pane: value above, gradient below, and how the node stands to the position."""

from __future__ import annotations

from tracer import format as fmt
from tui.canvas import Face, Thread
from tui.drawing import WIDEST, Drawing, name_and_op
from tui.ink import Kind
from tui.views.scene import Scene


def face(scene: Scene, node: int, width: int = WIDEST) -> Face:
    """The text of a box of some columns at this position. A number appears only when the position has reached it."""
    status = scene.status(node)
    value = scene.trace.storage.value(node)
    name, op = name_and_op(scene.trace, node)
    return Face(
        name,
        op,
        (_value_row(scene, node, width), _gradient_row(scene, node, status.glyph, width)),
        foot=f"{fmt.shape(value.shape)} rms" if value.ndim else "",
        count=f"{status.arrived}/{status.expected}" if status.state == "partial" else "",
        look=scene.look(node),
        mark=scene.mark(node),
        selected=node == scene.selected and node != scene.current,
    )


def _value_row(scene: Scene, node: int, width: int) -> tuple[str, str, Kind]:
    if not scene.has_run(node):
        return "", "·", Kind.FAINT
    figure = scene.figures.value(node)
    return "", figure.fitting(width - 4), Kind.VALUE if figure.finite else Kind.WARN


def _gradient_row(scene: Scene, node: int, glyph: str, width: int) -> tuple[str, str, Kind]:
    figure = scene.figures.gradient(scene.position, node) if scene.has_run(node) else None
    if figure is None:
        return "", glyph, Kind.FAINT
    return "∂", figure.fitting(width - 6), Kind.GRADIENT if figure.finite else Kind.WARN


def threads(scene: Scene, drawing: Drawing) -> list[Thread]:
    """The wires along which the latest step moved: those of all operands forward, that of the flow backward."""
    here = drawing.place.get(scene.current)
    if here is None:
        return []
    wires = [argument for argument, i in enumerate(scene.trace.inputs_of(scene.current)) if i >= 0]
    chosen = [k for k, argument in enumerate(wires) if scene.step.argument in (None, argument)]
    backward = scene.step.argument is not None
    return [Thread(tuple(drawing.layout.path(here, k)), backward) for k in chosen]
