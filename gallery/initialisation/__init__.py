"""Initialisation: ten layers of 500 units (CS188)."""

from __future__ import annotations

from gallery.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
