"""Optimisation: optimisers on two surfaces, learning rates that fall, search, mini-batches (CS188; Bajwa; Simion)."""

from gallery.optimisation.minibatches import MINIBATCHES
from gallery.optimisation.optimizers import OPTIMIZERS
from gallery.optimisation.schedules import SCHEDULED
from gallery.optimisation.search import SEARCH

ENTRIES = (OPTIMIZERS, SCHEDULED, SEARCH, MINIBATCHES)
