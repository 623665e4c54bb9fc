"""Networks from the lectures, ready to step through: `GALLERY["batchnorm"].build()` returns the loss."""

from __future__ import annotations

from gallery import (
    activations,
    circuits,
    initialisation,
    larger,
    normalisation,
    optimisation,
    recurrent,
    regularisation,
    residual,
    two_layers,
)
from gallery.entry import Entry as Entry
from gallery.entry import compare as compare

SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Circuits": circuits.ENTRIES,
    "Two-layer networks": two_layers.ENTRIES,
    "Activations": activations.ENTRIES,
    "BatchNorm and LayerNorm": normalisation.ENTRIES,
    "Residual and highway connections": residual.ENTRIES,
    "Recurrent networks": recurrent.ENTRIES,
    "Initialisation": initialisation.ENTRIES,
    "Optimisation": optimisation.ENTRIES,
    "Dropout and regularisation": regularisation.ENTRIES,
    "Larger pictures": larger.ENTRIES,
}
"""The entries by section, in the order of the lectures."""

GALLERY: dict[str, Entry] = {entry.name: entry for each in SECTIONS.values() for entry in each}
"""Every entry by name, in the order of the lectures; `batchnorm:fused` is another form of `batchnorm`."""
