"""Initialisation: ten layers of 500 units, and weights that start alike (CS188)."""

from gallery.initialisation.alike import ALIKE
from gallery.initialisation.tables import HE, LARGE, RELU, SMALL, XAVIER

ENTRIES = (XAVIER, SMALL, LARGE, RELU, HE, ALIKE)
