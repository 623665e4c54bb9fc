"""Figures of a trace: circuits, cards, and networks unrolled over time, in many formats."""

from __future__ import annotations

from tracer.diagrams.drawing import Diagram as Diagram
from tracer.diagrams.drawing import diagram as diagram
from tracer.diagrams.formats import FORMATS as FORMATS
from tracer.diagrams.palettes import THEMES as THEMES
from tracer.diagrams.styles import STYLES as STYLES
