"""Recurrent networks and backpropagation through time (Farrahi & Hare)."""

from gallery.recurrent.char_rnn import CHAR_RNN
from gallery.recurrent.gru import FUSED as FUSED_GRU
from gallery.recurrent.gru import GRU
from gallery.recurrent.lstm import FUSED as FUSED_LSTM
from gallery.recurrent.lstm import LSTM
from gallery.recurrent.rnn import RNN, THIRD
from gallery.recurrent.rnn_scalar import RNN_SCALAR
from gallery.recurrent.vanishing import EXPLODING, VANISHING

ENTRIES = (RNN, THIRD, RNN_SCALAR, VANISHING, EXPLODING, LSTM, FUSED_LSTM, GRU, FUSED_GRU, CHAR_RNN)
