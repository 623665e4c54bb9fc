"""Networks from the lectures, ready to step through: `GALLERY["batchnorm"].build()` returns the loss."""

from __future__ import annotations

from gallery.batchnorm import BATCHNORM, BY_HAND, DIGITS, FUSED
from gallery.circuit import CIRCUIT
from gallery.entry import Entry as Entry
from gallery.entry import compare as compare
from gallery.neuron import ONE_GATE, SIGMOID_NEURON
from gallery.rnn import RNN, THIRD
from gallery.vanishing import EXPLODING, VANISHING
from gallery.xor import ONE_ZERO, XOR

ENTRIES = (
    CIRCUIT,
    SIGMOID_NEURON,
    ONE_GATE,
    XOR,
    ONE_ZERO,
    BATCHNORM,
    FUSED,
    BY_HAND,
    DIGITS,
    RNN,
    THIRD,
    VANISHING,
    EXPLODING,
)

GALLERY: dict[str, Entry] = {entry.name: entry for entry in ENTRIES}
"""Every entry by name, in the order of the lectures; `batchnorm:fused` is another form of `batchnorm`."""
