"""What a tensor can show of a node: its value, its gradient, and how far they are from others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer import format as fmt
from tui import heatmap
from tui.heatmap import Limits
from tui.planes import (
    DIFFERENCE,
    GRADIENT,
    GRADIENT_CHANGE,
    QUANTITIES,
    RELATIVE,
    VALUE,
    VALUE_CHANGE,
    Numbers,
)
from tui.views.changes import before
from tui.views.scene import Scene
from tui.views.verify import hand_derived

ALWAYS = (VALUE, GRADIENT)
"""What can be asked of every node, though it may not be there yet."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """A quantity of the selected node: its numbers, or why there are none."""

    name: str
    numbers: Numbers | None
    reason: str = ""


def shown(scene: Scene) -> str:
    """The name of the quantity that the tensor pane shows."""
    return scene.tensor.shown(scene.step.phase == "backward")


def quantity(scene: Scene, name: str) -> Quantity:
    """A quantity of the selected node, as far as the position has come."""
    node = scene.selected
    if not scene.has_run(node):
        return Quantity(name, None, "· not run yet")
    if name == VALUE:
        return Quantity(name, Numbers((scene.trace.seen(node),)))
    if name == GRADIENT:
        return _gradient(scene)
    if name in (DIFFERENCE, RELATIVE):
        return _against_hand(scene, name)
    return _change(scene, name)


def available(scene: Scene) -> list[str]:
    """The quantities that exist for the selected node, in the order in which they are cycled through."""
    return [
        name for name in QUANTITIES if name in ALWAYS or quantity(scene, name).numbers is not None
    ]


def _gradient(scene: Scene) -> Quantity:
    array = scene.gradient(scene.selected)
    if array is not None:
        return Quantity(GRADIENT, Numbers((array,)))
    status = scene.status(scene.selected)
    if status.arrived:
        return Quantity(GRADIENT, None, "… the sum of the flows is being worked out")
    return Quantity(GRADIENT, None, f"{status.glyph} {status}")


def _against_hand(scene: Scene, name: str) -> Quantity:
    label = scene.trace.label(scene.selected)
    hand = hand_derived(scene, scene.selected)
    if hand is None:
        return Quantity(name, None, f"no hand derivation of {label}: verify compares one")
    status, automatic = scene.status(scene.selected), scene.gradient(scene.selected)
    if automatic is None or status.state != "final":
        return Quantity(name, None, f"{status.glyph} {status}: it is compared when it is final")
    hand = np.asarray(hand)
    if hand.shape != automatic.shape:
        shapes = f"{fmt.shape(hand.shape)}, the gradient {fmt.shape(automatic.shape)}"
        return Quantity(name, None, f"the hand derivation of {label} has shape {shapes}")
    combine = np.subtract if name == DIFFERENCE else relative_error
    return Quantity(name, Numbers((automatic, hand), combine))


def relative_error(a: Any, b: Any) -> Any:
    """|a - b| relative to the larger of both, 0 where they are equal.

    >>> relative_error(np.array([1.0, 0.0, 2.0]), np.array([0.5, 0.0, 2.0]))
    array([0.5, 0. , 0. ])
    """
    with np.errstate(all="ignore"):  # of two infinities it is nan
        off, size = np.abs(np.subtract(a, b)), np.maximum(np.abs(a), np.abs(b))
        return np.where(off == 0, 0.0, off / np.where(size == 0, 1.0, size))


def _change(scene: Scene, name: str) -> Quantity:
    found = before(scene, scene.selected)
    if found is None:
        return Quantity(name, None, "nothing has been changed: x edits a value")
    old = found[0] if name == VALUE_CHANGE else found[1]
    now = quantity(scene, VALUE if name == VALUE_CHANGE else GRADIENT)
    if now.numbers is None or old is None:
        return Quantity(name, None, now.reason or "there was no gradient before")
    if name == GRADIENT_CHANGE and scene.status(scene.selected).state != "final":
        return Quantity(name, None, "the gradient is compared when it is final")
    return Quantity(name, Numbers((now.numbers.parts[0], np.asarray(old)), np.subtract))


def limits(scene: Scene, found: Quantity) -> Limits:
    """The scale of the colours of a quantity; what may be negative is symmetric about 0."""
    numbers = found.numbers
    assert numbers is not None
    if found.name not in ALWAYS:
        scale = heatmap.limits(numbers.sample())
    else:
        arrived = scene.timeline.arrived(scene.position, scene.selected)[0]
        key = ("limits", scene.selected, found.name, arrived)
        scale = scene.figures.once(key, lambda: heatmap.limits(numbers.sample()))
    return scale._replace(signed=scale.signed or found.name not in (VALUE, RELATIVE))
