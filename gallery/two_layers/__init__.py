"""Two-layer networks, classifiers and their losses (Koehn; Simion; Bajwa; CS188)."""

from gallery.two_layers.xor import ONE_ZERO, XOR

ENTRIES = (XOR, ONE_ZERO)
