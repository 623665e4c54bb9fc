"""Activation functions: value, slope, where they saturate or die (CS188; Bajwa; Simion)."""

from __future__ import annotations

from gallery.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
