"""Where the operations live that load on first use: importing all of them would double the start-up of `tracer`.

The operations of everyday networks are imported by `ops` itself; every other family is a module named here with what
it offers. A test proves the lists complete.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

_PUBLIC: dict[str, str] = {
    # module: the functions and primitives that users call by name
    "ops.class_losses": "cross_entropy nll_loss",
    "ops.binary_losses": "binary_cross_entropy binary_cross_entropy_with_logits hinge_loss",
    "ops.regression_losses": "mse_loss l1_loss huber_loss smooth_l1_loss",
    "ops.similarity": "kl_div cosine_similarity",
    "ops.layer_norms": "layer_norm rms_norm",
    "ops.channel_norms": "group_norm instance_norm batch_norm_inference",
    "ops.contractions": "einsum matrix_trace",
    "ops.decompositions": "cholesky inv solve",
    "ops.determinants": "det slogdet",
    "ops.products": "dot linear outer tensordot",
    "ops.trigonometry": "sin cos tan arcsin arccos arctan arctan2 sinh cosh arcsinh arccosh arctanh hypot",
    "ops.exponentials": "expm1 exp2 log2 log10 logaddexp reciprocal rsqrt cbrt erf erfc",
    "ops.rounding": "floor ceil trunc round clip",
    "ops.logic": "logical_and logical_or logical_xor logical_not isnan isinf isfinite",
    "ops.rectifiers": "leaky_relu prelu relu6 hard_tanh hard_sigmoid maxout",
    "ops.smooth_rectifiers": "elu celu selu softplus softsign",
    "ops.gating": "silu swish mish gelu glu",
    "ops.windows": "unfold fold",
    "ops.convolution": "conv1d conv2d",
    "ops.transposed_convolution": "conv_transpose2d",
    "ops.pooling": "max_pool1d max_pool2d",
    "ops.averaging": "avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d",
    "ops.attention": "scaled_dot_product_attention",
    "ops.embeddings": "embedding",
    "ops.random": "dropout manual_seed",
    "ops.statistics": "var std norm logsumexp",
    "ops.scanning": "cumsum cumprod prod",
    "ops.ordering": "argmax argmin any all sort argsort median",
    "ops.rearranging": "swapaxes moveaxis expand_dims squeeze flatten ravel flip split",
    "ops.copying": "roll repeat tile pad",
    "ops.picking": "take take_along_axis gather diagonal tril triu",
    "ops.recurrent": "rnn_cell rnn_layer",
    "ops.gru_cells": "gru_cell gru_layer",
    "ops.lstm_cells": "lstm_cell lstm_layer",
    "ops.sequences": "rnn gru lstm",
}

_INTERNAL: dict[str, str] = {
    # module: the primitives that only other operations call
    "ops.transfer": "to",
    "ops.decompositions": "lower_half",
    "ops.determinants": "cofactor_change cofactors det_sign inverse_transpose log_abs_det",
    "ops.averaging": "avg_unpool adaptive_avg_unpool",
    "ops.embeddings": "add_rows",
    "ops.scanning": "linear_recurrence",
    "ops.picking": "scatter_along_axis",
    "ops.recurrence": "back_through_time ahead_through_time",
}

PUBLIC = {name: module for module, names in _PUBLIC.items() for name in names.split()}
"""Public name to the module that declares it."""

MODULES = PUBLIC | {name: module for module, names in _INTERNAL.items() for name in names.split()}
"""Name of every operation that loads on first use, to the module that declares it."""


class Fused(NamedTuple):
    """Where the acceleration of a primitive is, and from how many elements of its first input it pays."""

    module: str
    least: int


ACCELERATED: dict[str, Fused] = {
    # primitive: the module whose table ACCELERATIONS holds it, and the measured size
    # three to ten times faster at any size, forward and backward; from here on a step of a normalisation saves the
    # twentieth of a millisecond that, over some ten thousand steps, pays for loading Numba; one of cross_entropy always
    "batch_norm": Fused("ops.kernels.normalize", 8192),
    "layer_norm": Fused("ops.kernels.normalize", 16384),
    "rms_norm": Fused("ops.kernels.normalize", 32768),
    "cross_entropy": Fused("ops.kernels.losses", 1024),
    # two to six times faster at any size, forward and backward; from here on a step saves a quarter of a millisecond
    # or more, so that some thousand steps pay for loading Numba
    "conv1d": Fused("ops.kernels.windows", 2048),
    "conv2d": Fused("ops.kernels.windows", 2048),
    "conv_transpose2d": Fused("ops.kernels.windows", 2048),
    "max_pool1d": Fused("ops.kernels.pooling", 2048),
    "max_pool2d": Fused("ops.kernels.pooling", 2048),
    # three to ten times faster at any size, but only here does a step save the tenth of a millisecond that, over
    # some thousand steps, pays for loading Numba
    "embedding": Fused("ops.kernels.embedding", 512),
    "add_rows": Fused("ops.kernels.embedding", 32768),
    # up to twelve times faster where states are small (the kernels refuse large ones, where BLAS wins), but only here
    # does a step save the fifth of a millisecond that, over some thousand steps, pays for loading Numba
    "rnn_layer": Fused("ops.kernels.recurrent", 2048),
    "gru_layer": Fused("ops.kernels.recurrent", 2048),
    "lstm_layer": Fused("ops.kernels.recurrent", 2048),
}

NEVER = sys.maxsize


class Compiled(NamedTuple):
    """From how many elements on compiled loops compute an elementwise operation instead of numpy."""

    flows: int
    value: int = NEVER
    """From here on the value too: the largest input decides."""


COMPILED: dict[str, Compiled] = {
    name: Compiled(flows, value)
    for flows, value, names in (
        (2048, NEVER, "maximum minimum"),
        (8192, NEVER, "abs clip hypot"),
        (8192, 8192, "celu elu erf erfc gelu logaddexp selu"),
        (8192, 8192, "hard_sigmoid hard_tanh leaky_relu prelu relu6"),
        (8192, 16384, "mish relu silu softplus where"),
        (8192, 32768, "softsign"),
        (16384, 32768, "sigmoid"),
        (16384, NEVER, "arccos arccosh arcsin div"),
        (32768, 32768, "expm1 rsqrt sign sqrt"),
        (32768, NEVER, "arctan arctanh cbrt exp2 log10 log1p log2 reciprocal square tan tanh"),
        (32768, NEVER, "ceil floor round trunc"),
    )
    for name in names.split()
}
"""The elementwise operations that compiled loops compute faster than numpy.

Measured in float32 and float64 (`python -m tests.bench.loops`). At their size they are from 1.3 to 20 times as fast,
and a step saves some microseconds at least, up to the tenth of a millisecond of gelu, which pays for loading Numba in
some thousand steps. The others are as fast in numpy, or call the mathematical library, where numpy has vector
instructions and a loop has none.
"""
