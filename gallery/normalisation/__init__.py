"""BatchNorm and LayerNorm (Ioffe & Szegedy 2015; Farrahi & Hare)."""

from gallery.normalisation.batchnorm import BATCHNORM, BY_HAND, DIGITS, FUSED

ENTRIES = (BATCHNORM, FUSED, BY_HAND, DIGITS)
