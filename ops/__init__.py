"""Operations: every primitive that Gradstep knows, each declared once. Internal: users import `tracer`.

What everyday networks need is imported here; the other families load when one of their names is asked for.
"""

import importlib as _importlib
from typing import TYPE_CHECKING, Any

from ops.activations import relu as relu
from ops.activations import sigmoid as sigmoid
from ops.activations import tanh as tanh
from ops.catalogue import PUBLIC as _PUBLIC
from ops.declaring import primitive as primitive
from ops.elementwise import abs as abs
from ops.elementwise import add as add
from ops.elementwise import astype as astype
from ops.elementwise import detach as detach
from ops.elementwise import div as div
from ops.elementwise import equal as equal
from ops.elementwise import exp as exp
from ops.elementwise import greater as greater
from ops.elementwise import greater_equal as greater_equal
from ops.elementwise import less as less
from ops.elementwise import less_equal as less_equal
from ops.elementwise import log as log
from ops.elementwise import log1p as log1p
from ops.elementwise import maximum as maximum
from ops.elementwise import minimum as minimum
from ops.elementwise import mul as mul
from ops.elementwise import neg as neg
from ops.elementwise import not_equal as not_equal
from ops.elementwise import pow as pow
from ops.elementwise import sign as sign
from ops.elementwise import sqrt as sqrt
from ops.elementwise import square as square
from ops.elementwise import sub as sub
from ops.elementwise import where as where
from ops.linalg import matmul as matmul
from ops.losses import log_softmax as log_softmax
from ops.losses import one_hot as one_hot
from ops.losses import softmax as softmax
from ops.normalize import batch_norm as batch_norm
from ops.primitive import PRIMITIVES as PRIMITIVES
from ops.primitive import Primitive as Primitive
from ops.primitive import PrimitiveError as PrimitiveError
from ops.reduce import max as max
from ops.reduce import mean as mean
from ops.reduce import min as min
from ops.reduce import sum as sum
from ops.shape import broadcast_to as broadcast_to
from ops.shape import concatenate as concatenate
from ops.shape import getitem as getitem
from ops.shape import reshape as reshape
from ops.shape import scatter_add as scatter_add
from ops.shape import stack as stack
from ops.shape import sum_to as sum_to
from ops.shape import transpose as transpose

if TYPE_CHECKING:
    from ops.attention import scaled_dot_product_attention as scaled_dot_product_attention
    from ops.averaging import adaptive_avg_pool1d as adaptive_avg_pool1d
    from ops.averaging import adaptive_avg_pool2d as adaptive_avg_pool2d
    from ops.averaging import avg_pool1d as avg_pool1d
    from ops.averaging import avg_pool2d as avg_pool2d
    from ops.binary_losses import binary_cross_entropy as binary_cross_entropy
    from ops.binary_losses import (
        binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    )
    from ops.binary_losses import hinge_loss as hinge_loss
    from ops.channel_norms import batch_norm_inference as batch_norm_inference
    from ops.channel_norms import group_norm as group_norm
    from ops.channel_norms import instance_norm as instance_norm
    from ops.class_losses import cross_entropy as cross_entropy
    from ops.class_losses import nll_loss as nll_loss
    from ops.contractions import einsum as einsum
    from ops.contractions import matrix_trace as matrix_trace
    from ops.convolution import conv1d as conv1d
    from ops.convolution import conv2d as conv2d
    from ops.copying import pad as pad
    from ops.copying import repeat as repeat
    from ops.copying import roll as roll
    from ops.copying import tile as tile
    from ops.decompositions import cholesky as cholesky
    from ops.decompositions import inv as inv
    from ops.decompositions import solve as solve
    from ops.determinants import det as det
    from ops.determinants import slogdet as slogdet
    from ops.embeddings import embedding as embedding
    from ops.exponentials import cbrt as cbrt
    from ops.exponentials import erf as erf
    from ops.exponentials import erfc as erfc
    from ops.exponentials import exp2 as exp2
    from ops.exponentials import expm1 as expm1
    from ops.exponentials import log2 as log2
    from ops.exponentials import log10 as log10
    from ops.exponentials import logaddexp as logaddexp
    from ops.exponentials import reciprocal as reciprocal
    from ops.exponentials import rsqrt as rsqrt
    from ops.gating import gelu as gelu
    from ops.gating import glu as glu
    from ops.gating import mish as mish
    from ops.gating import silu as silu
    from ops.gating import swish as swish
    from ops.gru_cells import gru_cell as gru_cell
    from ops.gru_cells import gru_layer as gru_layer
    from ops.layer_norms import layer_norm as layer_norm
    from ops.layer_norms import rms_norm as rms_norm
    from ops.logic import isfinite as isfinite
    from ops.logic import isinf as isinf
    from ops.logic import isnan as isnan
    from ops.logic import logical_and as logical_and
    from ops.logic import logical_not as logical_not
    from ops.logic import logical_or as logical_or
    from ops.logic import logical_xor as logical_xor
    from ops.lstm_cells import lstm_cell as lstm_cell
    from ops.lstm_cells import lstm_layer as lstm_layer
    from ops.ordering import all as all
    from ops.ordering import any as any
    from ops.ordering import argmax as argmax
    from ops.ordering import argmin as argmin
    from ops.ordering import argsort as argsort
    from ops.ordering import median as median
    from ops.ordering import sort as sort
    from ops.picking import diagonal as diagonal
    from ops.picking import gather as gather
    from ops.picking import take as take
    from ops.picking import take_along_axis as take_along_axis
    from ops.picking import tril as tril
    from ops.picking import triu as triu
    from ops.pooling import max_pool1d as max_pool1d
    from ops.pooling import max_pool2d as max_pool2d
    from ops.products import dot as dot
    from ops.products import linear as linear
    from ops.products import outer as outer
    from ops.products import tensordot as tensordot
    from ops.random import dropout as dropout
    from ops.random import manual_seed as manual_seed
    from ops.rearranging import expand_dims as expand_dims
    from ops.rearranging import flatten as flatten
    from ops.rearranging import flip as flip
    from ops.rearranging import moveaxis as moveaxis
    from ops.rearranging import ravel as ravel
    from ops.rearranging import split as split
    from ops.rearranging import squeeze as squeeze
    from ops.rearranging import swapaxes as swapaxes
    from ops.rectifiers import hard_sigmoid as hard_sigmoid
    from ops.rectifiers import hard_tanh as hard_tanh
    from ops.rectifiers import leaky_relu as leaky_relu
    from ops.rectifiers import maxout as maxout
    from ops.rectifiers import prelu as prelu
    from ops.rectifiers import relu6 as relu6
    from ops.recurrent import rnn_cell as rnn_cell
    from ops.recurrent import rnn_layer as rnn_layer
    from ops.regression_losses import huber_loss as huber_loss
    from ops.regression_losses import l1_loss as l1_loss
    from ops.regression_losses import mse_loss as mse_loss
    from ops.regression_losses import smooth_l1_loss as smooth_l1_loss
    from ops.rounding import ceil as ceil
    from ops.rounding import clip as clip
    from ops.rounding import floor as floor
    from ops.rounding import round as round
    from ops.rounding import trunc as trunc
    from ops.scanning import cumprod as cumprod
    from ops.scanning import cumsum as cumsum
    from ops.scanning import prod as prod
    from ops.sequences import gru as gru
    from ops.sequences import lstm as lstm
    from ops.sequences import rnn as rnn
    from ops.similarity import cosine_similarity as cosine_similarity
    from ops.similarity import kl_div as kl_div
    from ops.smooth_rectifiers import celu as celu
    from ops.smooth_rectifiers import elu as elu
    from ops.smooth_rectifiers import selu as selu
    from ops.smooth_rectifiers import softplus as softplus
    from ops.smooth_rectifiers import softsign as softsign
    from ops.statistics import logsumexp as logsumexp
    from ops.statistics import norm as norm
    from ops.statistics import std as std
    from ops.statistics import var as var
    from ops.transposed_convolution import conv_transpose2d as conv_transpose2d
    from ops.trigonometry import arccos as arccos
    from ops.trigonometry import arccosh as arccosh
    from ops.trigonometry import arcsin as arcsin
    from ops.trigonometry import arcsinh as arcsinh
    from ops.trigonometry import arctan as arctan
    from ops.trigonometry import arctan2 as arctan2
    from ops.trigonometry import arctanh as arctanh
    from ops.trigonometry import cos as cos
    from ops.trigonometry import cosh as cosh
    from ops.trigonometry import hypot as hypot
    from ops.trigonometry import sin as sin
    from ops.trigonometry import sinh as sinh
    from ops.trigonometry import tan as tan
    from ops.windows import fold as fold
    from ops.windows import unfold as unfold


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        found = getattr(_importlib.import_module(_PUBLIC[name]), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module 'ops' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
