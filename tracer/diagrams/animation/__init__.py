"""A figure at several steps: numbered pages for slides, or one picture that plays."""

from __future__ import annotations

from tracer.diagrams.animation.saving import Saved as Saved
from tracer.diagrams.animation.saving import save_frames as save_frames
from tracer.diagrams.animation.showtimes import PAUSE as PAUSE
