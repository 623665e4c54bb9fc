"""Recurrent networks and backpropagation through time (Farrahi & Hare)."""

from gallery.recurrent.rnn import RNN, THIRD
from gallery.recurrent.vanishing import EXPLODING, VANISHING

ENTRIES = (RNN, THIRD, VANISHING, EXPLODING)
