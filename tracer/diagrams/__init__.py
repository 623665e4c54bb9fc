"""Figures of a trace: circuits, cards, and networks unrolled over time, as DOT, SVG, PNG or PDF."""

from __future__ import annotations

from tracer.diagrams.drawing import STYLES as STYLES
from tracer.diagrams.drawing import Diagram as Diagram
from tracer.diagrams.drawing import diagram as diagram
from tracer.diagrams.drawing import picture_of as picture_of
