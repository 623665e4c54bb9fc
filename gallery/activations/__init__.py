"""Activation functions: value, slope, where they saturate or die (CS188; Bajwa; Simion)."""

from gallery.activations.entries import OVERVIEW, SINGLE

ENTRIES = (OVERVIEW, *SINGLE)
