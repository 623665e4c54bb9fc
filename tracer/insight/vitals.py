"""The numbers by which one sees how a layer fares: norms and spread, dead and saturated units, and the update."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tracer import stats
from tracer.insight.layering import Layer
from tracer.insight.slopes import Flat, flat_share, shape_of_activation
from tracer.traces import Trace


@dataclass(frozen=True)
class Vitals:
    """One layer, or one time step, in numbers; norms are Euclidean, of all elements of what the layer puts out.

    Every number is that of the whole run: what a position has not reached yet is for the view to leave out.
    """

    layer: Layer
    value_norm: float
    value_rms: float
    spread: float
    """The standard deviation of what it puts out."""
    gradient_norm: float | None
    """None where no gradient flows; `state` says why."""
    gradient_rms: float | None
    state: str
    """What is known of the gradient at the end: final, blocked, disconnected."""
    dead: float | None
    """The share of units that are flat for every sample, of activations that die on one side; None if there is none."""
    saturated: float | None
    """The share of numbers in the flat part, of activations that saturate on both sides; None if there is none."""
    samples: int
    """The most samples over which a unit was judged."""
    weight_rms: float | None
    """The root mean square of its parameters; None if it has none."""
    weight_gradient_rms: float | None
    rate: float | None = None
    """The learning rate, if it is known."""
    bad: str = ""
    """What is not finite: value or gradient."""
    decades: float | None = None
    """log10 of the norm of the gradient, less that of the neighbour nearer the loss."""
    verdict: str = ""
    """Empty if nothing is wrong."""
    reason: str = ""

    @property
    def name(self) -> str:
        """What the layer is called."""
        return self.layer.name

    @property
    def output(self) -> int:
        """The node that it puts out."""
        return self.layer.output

    @property
    def update(self) -> float | None:
        """rms(gradient) / rms(weight) of its parameters, times the learning rate: how far a plain step moves them.

        Per unit of learning rate where none is known.
        """
        if not self.weight_rms or self.weight_gradient_rms is None:
            return None
        return (
            (1.0 if self.rate is None else self.rate) * self.weight_gradient_rms / self.weight_rms
        )


def vitals(trace: Trace, layer: Layer, rate: float | None = None) -> Vitals:
    """The numbers of one layer; see `Vitals`."""
    value, gradient = trace.seen(layer.output), trace.seen_gradient(layer.output)
    size = math.sqrt(value.size)
    value_rms = stats.rms(value)
    gradient_rms = None if gradient is None else stats.rms(gradient)
    dead, saturated = _flats(trace, layer)
    return Vitals(
        layer,
        value_norm=size * value_rms,
        value_rms=value_rms,
        spread=stats.summary(value).std,
        gradient_norm=None if gradient_rms is None else size * gradient_rms,
        gradient_rms=gradient_rms,
        state=trace.timeline.status(trace.timeline.last, layer.output).state,
        dead=_share(dead),
        saturated=_share(saturated),
        samples=max((flat.samples for flat in dead), default=0),
        weight_rms=_together([trace.seen(p) for p in layer.parameters]),
        weight_gradient_rms=_together(
            [g for p in layer.parameters if (g := trace.seen_gradient(p)) is not None]
        ),
        rate=rate,
        bad=_not_finite(value_rms, gradient_rms),
    )


def _flats(trace: Trace, layer: Layer) -> tuple[list[Flat], list[Flat]]:
    """How much of each activation of a layer is flat: of those that die on one side, and of those that saturate."""
    found: tuple[list[Flat], list[Flat]] = ([], [])
    for node in layer.nodes:
        shape = shape_of_activation(trace, node)
        if shape is not None:
            found[shape.sides - 1].append(flat_share(trace, node, shape))
    return found


def _share(flats: list[Flat]) -> float | None:
    """The share of flat units in several activations together."""
    units = sum(flat.units for flat in flats)
    return sum(flat.share * flat.units for flat in flats) / units if units else None


def _together(arrays: list[Any]) -> float | None:
    """The root mean square of the elements of some arrays together; None if there are none."""
    counts = [array.size for array in arrays]
    if not sum(counts):
        return None
    parts = [stats.rms(a) * math.sqrt(n / sum(counts)) for a, n in zip(arrays, counts, strict=True)]
    return math.hypot(*parts)


def _not_finite(value: float, gradient: float | None) -> str:
    """Which of two root mean squares is NaN or infinite, in words."""
    for what, size in (("value", value), ("gradient", gradient)):
        if size is not None and not math.isfinite(size):
            return f"{'NaN' if math.isnan(size) else 'inf'} in the {what}"
    return ""
