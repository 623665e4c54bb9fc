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


def __getattr__(name: str) -> object:
    """Say which function stands for a layer of PyTorch's that has nothing to keep."""
    import ops

    word = name.lower().removesuffix("loss")
    functions = {each.replace("_", "").removesuffix("loss"): each for each in dir(ops)}
    functions["bce"] = "binary_cross_entropy"
    functions["bcewithlogits"] = "binary_cross_entropy_with_logits"
    said = f"module 'tracer.nn' has no attribute {name!r}"
    if name == "functional":
        cure = "import tracer as tr, where the functions are: tr.relu, tr.cross_entropy"
    elif word == "flatten":
        cure = "lambda x: tr.flatten(x, 1), a function; the 1 keeps the batch axis"
    elif word in functions and not name.startswith("_"):
        cure = f"tr.{functions[word]}, a function, since there is nothing to keep"
    else:
        raise AttributeError(said)
    raise AttributeError(f"{said}\n  try: {cure}", name=name, obj=None)
