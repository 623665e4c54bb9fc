"""Residual and highway connections: the gradient as a sum of paths (Simion)."""

from __future__ import annotations

from gallery.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
