"""Larger pictures: language models, convolutions, graphs too big to read without folding (Bajwa; Simion; CS188)."""

from __future__ import annotations

from gallery.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
