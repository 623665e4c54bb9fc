"""Gradstep's public face, `import tracer as tr`: record a network, step through its backward pass, check its gradients.

>>> import tracer as tr
>>> x, y, z = tr.tensor(-2.0), tr.tensor(5.0), tr.tensor(-4.0)
>>> q = x + y
>>> f = q * z
>>> f.backward()
>>> q.grad, x.grad
(np.float64(-4.0), np.float64(-4.0))
"""

import importlib as _importlib
from typing import TYPE_CHECKING, Any

try:
    from ops import abs as abs
    from ops import add as add
    from ops import astype as astype
    from ops import batch_norm as batch_norm
    from ops import broadcast_to as broadcast_to
    from ops import concatenate as concatenate
    from ops import detach as detach
    from ops import div as div
    from ops import equal as equal
    from ops import exp as exp
    from ops import getitem as getitem
    from ops import greater as greater
    from ops import greater_equal as greater_equal
    from ops import less as less
    from ops import less_equal as less_equal
    from ops import log as log
    from ops import log1p as log1p
    from ops import log_softmax as log_softmax
    from ops import matmul as matmul
    from ops import max as max
    from ops import maximum as maximum
    from ops import mean as mean
    from ops import min as min
    from ops import minimum as minimum
    from ops import mul as mul
    from ops import neg as neg
    from ops import not_equal as not_equal
    from ops import one_hot as one_hot
    from ops import pow as pow
    from ops import primitive as primitive
    from ops import relu as relu
    from ops import reshape as reshape
    from ops import scatter_add as scatter_add
    from ops import sigmoid as sigmoid
    from ops import sign as sign
    from ops import softmax as softmax
    from ops import sqrt as sqrt
    from ops import square as square
    from ops import stack as stack
    from ops import sub as sub
    from ops import sum as sum
    from ops import sum_to as sum_to
    from ops import tanh as tanh
    from ops import transpose as transpose
    from ops import where as where
    from ops.catalogue import PUBLIC as _PUBLIC
except Exception as _error:  # whatever a foreign package of that name does when it is imported
    from tracer.house import explain_ops

    explain_ops(_error)

from tracer import errors as errors
from tracer.parameters import Parameter as Parameter
from tracer.parameters import parameter as parameter
from tracer.recording import kernels as kernels
from tracer.recording import no_grad as no_grad
from tracer.recording import record as record
from tracer.recording import scope as scope
from tracer.tensors import Tensor as Tensor
from tracer.tensors import constant as constant
from tracer.tensors import tensor as tensor

if TYPE_CHECKING:
    from ops import adaptive_avg_pool1d as adaptive_avg_pool1d
    from ops import adaptive_avg_pool2d as adaptive_avg_pool2d
    from ops import all as all
    from ops import any as any
    from ops import arccos as arccos
    from ops import arccosh as arccosh
    from ops import arcsin as arcsin
    from ops import arcsinh as arcsinh
    from ops import arctan as arctan
    from ops import arctan2 as arctan2
    from ops import arctanh as arctanh
    from ops import argmax as argmax
    from ops import argmin as argmin
    from ops import argsort as argsort
    from ops import avg_pool1d as avg_pool1d
    from ops import avg_pool2d as avg_pool2d
    from ops import batch_norm_inference as batch_norm_inference
    from ops import binary_cross_entropy as binary_cross_entropy
    from ops import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
    from ops import cbrt as cbrt
    from ops import ceil as ceil
    from ops import celu as celu
    from ops import cholesky as cholesky
    from ops import clip as clip
    from ops import conv1d as conv1d
    from ops import conv2d as conv2d
    from ops import conv_transpose2d as conv_transpose2d
    from ops import cos as cos
    from ops import cosh as cosh
    from ops import cosine_similarity as cosine_similarity
    from ops import cross_entropy as cross_entropy
    from ops import cumprod as cumprod
    from ops import cumsum as cumsum
    from ops import det as det
    from ops import diagonal as diagonal
    from ops import dot as dot
    from ops import dropout as dropout
    from ops import einsum as einsum
    from ops import elu as elu
    from ops import embedding as embedding
    from ops import erf as erf
    from ops import erfc as erfc
    from ops import exp2 as exp2
    from ops import expand_dims as expand_dims
    from ops import expm1 as expm1
    from ops import flatten as flatten
    from ops import flip as flip
    from ops import floor as floor
    from ops import fold as fold
    from ops import gather as gather
    from ops import gelu as gelu
    from ops import glu as glu
    from ops import group_norm as group_norm
    from ops import gru as gru
    from ops import gru_cell as gru_cell
    from ops import gru_layer as gru_layer
    from ops import hard_sigmoid as hard_sigmoid
    from ops import hard_tanh as hard_tanh
    from ops import hinge_loss as hinge_loss
    from ops import huber_loss as huber_loss
    from ops import hypot as hypot
    from ops import instance_norm as instance_norm
    from ops import inv as inv
    from ops import isfinite as isfinite
    from ops import isinf as isinf
    from ops import isnan as isnan
    from ops import kl_div as kl_div
    from ops import l1_loss as l1_loss
    from ops import layer_norm as layer_norm
    from ops import leaky_relu as leaky_relu
    from ops import linear as linear
    from ops import log2 as log2
    from ops import log10 as log10
    from ops import logaddexp as logaddexp
    from ops import logical_and as logical_and
    from ops import logical_not as logical_not
    from ops import logical_or as logical_or
    from ops import logical_xor as logical_xor
    from ops import logsumexp as logsumexp
    from ops import lstm as lstm
    from ops import lstm_cell as lstm_cell
    from ops import lstm_layer as lstm_layer
    from ops import manual_seed as manual_seed
    from ops import matrix_trace as matrix_trace
    from ops import max_pool1d as max_pool1d
    from ops import max_pool2d as max_pool2d
    from ops import maxout as maxout
    from ops import median as median
    from ops import mish as mish
    from ops import moveaxis as moveaxis
    from ops import mse_loss as mse_loss
    from ops import nll_loss as nll_loss
    from ops import norm as norm
    from ops import outer as outer
    from ops import pad as pad
    from ops import prelu as prelu
    from ops import prod as prod
    from ops import ravel as ravel
    from ops import reciprocal as reciprocal
    from ops import relu6 as relu6
    from ops import repeat as repeat
    from ops import rms_norm as rms_norm
    from ops import rnn as rnn
    from ops import rnn_cell as rnn_cell
    from ops import rnn_layer as rnn_layer
    from ops import roll as roll
    from ops import round as round
    from ops import rsqrt as rsqrt
    from ops import scaled_dot_product_attention as scaled_dot_product_attention
    from ops import selu as selu
    from ops import silu as silu
    from ops import sin as sin
    from ops import sinh as sinh
    from ops import slogdet as slogdet
    from ops import smooth_l1_loss as smooth_l1_loss
    from ops import softplus as softplus
    from ops import softsign as softsign
    from ops import solve as solve
    from ops import sort as sort
    from ops import split as split
    from ops import squeeze as squeeze
    from ops import std as std
    from ops import swapaxes as swapaxes
    from ops import swish as swish
    from ops import take as take
    from ops import take_along_axis as take_along_axis
    from ops import tan as tan
    from ops import tensordot as tensordot
    from ops import tile as tile
    from ops import tril as tril
    from ops import triu as triu
    from ops import trunc as trunc
    from ops import unfold as unfold
    from ops import var as var
    from tracer import init as init
    from tracer import nn as nn
    from tracer import optim as optim
    from tracer.checking import certify as certify
    from tracer.checking import check as check
    from tracer.checking import verify as verify
    from tracer.checking.functions import verify_function as verify_function
    from tracer.checking.testing import WrongGradientError as WrongGradientError
    from tracer.checking.testing import assert_derivation as assert_derivation
    from tracer.checking.testing import assert_gradients as assert_gradients
    from tracer.debugging import debug as debug
    from tracer.diagrams import diagram as diagram
    from tracer.freezing import trace as trace
    from tracer.insight import health as health
    from tracer.insight.comparison import compare as compare
    from tracer.nodes import Flow as Flow
    from tracer.nodes import Node as Node
    from tracer.placing import device as device
    from tracer.placing import devices as devices
    from tracer.products import hessian as hessian
    from tracer.products import hvp as hvp
    from tracer.products import jacobian as jacobian
    from tracer.products import jvp as jvp
    from tracer.products import vjp as vjp
    from tracer.storage import load as load
    from tracer.sweep import grad as grad
    from tracer.traces import Trace as Trace

_LAZY = {
    "Flow": "tracer.nodes",
    "Node": "tracer.nodes",
    "Trace": "tracer.traces",
    "WrongGradientError": "tracer.checking.testing",
    "assert_derivation": "tracer.checking.testing",
    "assert_gradients": "tracer.checking.testing",
    "certify": "tracer.checking",
    "check": "tracer.checking",
    "compare": "tracer.insight.comparison",
    "debug": "tracer.debugging",
    "device": "tracer.placing",
    "devices": "tracer.placing",
    "diagram": "tracer.diagrams",
    "grad": "tracer.sweep",
    "health": "tracer.insight",
    "hessian": "tracer.products",
    "hvp": "tracer.products",
    "jacobian": "tracer.products",
    "jvp": "tracer.products",
    "load": "tracer.storage",
    "trace": "tracer.freezing",
    "verify": "tracer.checking",
    "verify_function": "tracer.checking.functions",
    "vjp": "tracer.products",
}
"""Public names whose rooms load on first use, so that importing tracer is nearly as quick as importing numpy."""

_MODULES = frozenset({"init", "nn", "optim"})
"""Public modules, which load on first use too."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return _importlib.import_module(f"tracer.{name}")
    if name in _LAZY:
        found = getattr(_importlib.import_module(_LAZY[name]), name)
        globals()[name] = found
        return found
    if name in _PUBLIC:
        found = getattr(_importlib.import_module(_PUBLIC[name]), name)
        globals()[name] = found
        return found
    from tracer.methods import FUNCTIONS_ELSEWHERE

    if cure := FUNCTIONS_ELSEWHERE.get(name):
        raise AttributeError(
            f"module 'tracer' has no attribute {name!r}\n  try: {cure}", name=name, obj=None
        )
    close: list[str] = []
    if not name.startswith("_"):  # Python asks for those by itself
        close = _importlib.import_module("difflib").get_close_matches(name, __dir__(), n=1)
    hint = f"\n  try: tr.{close[0]}" if close else ""
    raise AttributeError(f"module 'tracer' has no attribute {name!r}{hint}", name=name, obj=None)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_MODULES, *_PUBLIC})
