"""Dropout and weight decay (CS188; Bajwa; Simion)."""

from __future__ import annotations

from gallery.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
