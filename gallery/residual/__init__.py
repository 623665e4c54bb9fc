"""Residual and highway connections: the gradient as a sum of paths (Simion)."""

from gallery.residual.highway import HIGHWAY
from gallery.residual.residual import PLAIN, RESIDUAL, SCALED

ENTRIES = (RESIDUAL, PLAIN, SCALED, HIGHWAY)
