"""Layers: functions with parameters, by PyTorch's names, argument order and defaults. `tr.nn.Linear(784, 256)`.

Activations and losses are functions (`tr.relu`, `tr.cross_entropy`); a layer exists where there is something to keep.
"""

from tracer.nn.attention import MultiheadAttention as MultiheadAttention
from tracer.nn.attention import TransformerEncoderLayer as TransformerEncoderLayer
from tracer.nn.buffers import Buffer as Buffer
from tracer.nn.containers import Residual as Residual
from tracer.nn.containers import Sequential as Sequential
from tracer.nn.convolution import Conv1d as Conv1d
from tracer.nn.convolution import Conv2d as Conv2d
from tracer.nn.convolution import MaxPool2d as MaxPool2d
from tracer.nn.dropout import Dropout as Dropout
from tracer.nn.linear import Embedding as Embedding
from tracer.nn.linear import Highway as Highway
from tracer.nn.linear import Linear as Linear
from tracer.nn.module import Module as Module
from tracer.nn.normalisation import BatchNorm1d as BatchNorm1d
from tracer.nn.normalisation import BatchNorm2d as BatchNorm2d
from tracer.nn.normalisation import GroupNorm as GroupNorm
from tracer.nn.normalisation import LayerNorm as LayerNorm
from tracer.nn.normalisation import RMSNorm as RMSNorm
from tracer.nn.recurrent import GRU as GRU
from tracer.nn.recurrent import LSTM as LSTM
from tracer.nn.recurrent import RNN as RNN
