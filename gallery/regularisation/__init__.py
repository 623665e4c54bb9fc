"""Dropout and weight decay (CS188; Bajwa; Simion)."""

from gallery.regularisation.entries import DROPOUT, INVERTED
from gallery.regularisation.four_masks import FOUR_MASKS
from gallery.regularisation.weight_decay import WEIGHT_DECAY

ENTRIES = (DROPOUT, INVERTED, FOUR_MASKS, WEIGHT_DECAY)
