"""Plots as data, drawn in a terminal and as SVG from one record: curves, histograms, bands, points and trajectories."""

from __future__ import annotations

from tracer.plots.record import Array as Array
from tracer.plots.record import Axis as Axis
from tracer.plots.record import Band as Band
from tracer.plots.record import Contours as Contours
from tracer.plots.record import Curve as Curve
from tracer.plots.record import Histogram as Histogram
from tracer.plots.record import Mark as Mark
from tracer.plots.record import Plot as Plot
from tracer.plots.record import Points as Points
from tracer.plots.record import Trajectory as Trajectory
