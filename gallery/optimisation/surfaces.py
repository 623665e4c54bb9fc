"""The two surfaces that optimisers walk on in the lecture: two valleys, and one steep beside one flat direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from tracer.plots import Array, Contours


def valleys(x: Any, y: Any) -> Any:
    """(x² − 1)² + 0.3 x + y²: a shallow valley near x = 1, a deeper one near x = −1."""
    return (x**2 - 1) ** 2 + 0.3 * x + y**2


def ravine(x: Any, y: Any) -> Any:
    """(x² + 20 y²) / 2: twenty times as steep along y as along x."""
    return (x**2 + 20 * y**2) / 2


class Surface(NamedTuple):
    """A loss over two weights, and the part of the plane that is drawn."""

    height: Callable[[Any, Any], Any]
    start: tuple[float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    levels: tuple[float, ...]


SURFACES = {
    "ravine": Surface(
        ravine, (-2.0, 0.8), (-2.4, 1.2), (-1.0, 1.0), (0.05, 0.25, 0.7, 1.5, 3, 6, 10)
    ),
    "valleys": Surface(
        valleys, (1.7, 0.7), (-1.9, 1.9), (-1.0, 1.0), (-0.2, 0.0, 0.25, 0.5, 0.8, 1.2, 2, 4)
    ),
}


def contours(name: str) -> Contours:
    """Lines of equal loss of a surface."""
    surface = SURFACES[name]
    x, y = np.linspace(*surface.x, 81), np.linspace(*surface.y, 61)
    z: Array = surface.height(x[None, :], y[:, None])
    return Contours(x, y, z, surface.levels, "loss")


def loss_at(w: Any, name: str) -> tr.Tensor:
    """The recorded loss at w = (x, y). w: float (2,)."""
    x, y = w[0], w[1]
    with tr.scope(name):
        loss: tr.Tensor = SURFACES[name].height(x, y)
    return loss
