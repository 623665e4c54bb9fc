"""The table of rules, by which operations run for many inputs at once, and of those that are analytic."""

from __future__ import annotations

import math

import numpy as np

from ops.contractions import terms_of
from ops.primitive import NUMBERS, Array
from ops.random import dropout_mask, scale_of
from tracer.lanes import shapes
from tracer.lanes.run import Rule, Run, from_end


def only_first(rule: Rule) -> Rule:
    """A rule for runs in which no input but the first has lanes."""
    return lambda run: rule(run) if run.laned[0] and not any(run.laned[1:]) else None


def _elementwise(run: Run) -> Array:
    rank = len(run.shape)
    return run(*(run.aligned(k, rank) for k in range(len(run.args))))


def _along_axes(run: Run) -> Array | None:
    """Reductions, scans, sorting, norms: `axis` counts from the end; None, and a single number, are one row."""
    x, *rest = run.args
    rank, axis = run.rank(0), run.params["axis"]
    kept = {"keepdims": False} if "keepdims" in run.params else {}
    if axis is None or not rank:
        if isinstance(run.params.get("shift"), tuple) or (isinstance(axis, tuple) and not axis):
            return None
        return run(x.reshape(run.lanes, math.prod(x.shape[1:])), *rest, axis=-1, **kept)
    return run(x, *rest, axis=from_end(axis, rank))


def _over_batch(run: Run) -> Array:
    """Lanes as more samples of a batch: images, sequences, windows."""
    x, *rest = run.args
    return run(x.reshape(run.lanes * x.shape[1], *x.shape[2:]), *rest)


def _as_rows(run: Run, x: Array, k: int) -> Array:
    """A vector as a matrix: a row on the left of a product, a column on its right."""
    if run.rank(k) != 1:
        return x
    return x[..., None, :] if k == 0 else x[..., None]


def _product(run: Run) -> Array:
    left, right = (_as_rows(run, run.args[k], k) for k in (0, 1))
    ranks = [max(run.rank(k), 2) for k in (0, 1)]
    if not run.laned[1] and ranks == [2, 2]:  # one product in place of many
        rows = math.prod(left.shape[:-1])
        return left.reshape(rows, left.shape[-1]) @ right
    pairs = zip((left, right), ranks, run.laned, strict=True)
    left, right = (
        x.reshape(run.lanes, *(1,) * (max(ranks) - rank), *x.shape[1:]) if laned else x
        for x, rank, laned in pairs
    )
    return np.matmul(left, right)


def _matmul(run: Run) -> Array | None:
    return _product(run) if min(run.rank(0), run.rank(1)) else None


def _dot(run: Run) -> Array | None:
    ranks = run.rank(0), run.rank(1)
    if not min(ranks):  # a number and anything
        x, y = (run.aligned(k, len(run.shape)) for k in (0, 1))
        return np.asarray(x * y)
    return _product(run) if max(ranks) <= 2 else None


def _linear(run: Run) -> Array:
    """x Wᵀ + b."""
    x, weight, bias = run.args
    turned = run._replace(args=(x, np.swapaxes(weight, -1, -2)), laned=run.laned[:2])
    y = _product(turned).reshape(run.lanes if any(run.laned[:2]) else 1, *run.shape)
    left_out = type(bias) in NUMBERS and not bias
    return y if left_out else y + run.aligned(2, len(run.shape))


def _outer(run: Run) -> Array:
    x, y = (
        run.args[k].reshape(run.lanes, -1) if run.laned[k] else np.reshape(run.args[k], (1, -1))
        for k in (0, 1)
    )
    return x[:, :, None] * y[:, None, :]


def _tensordot(run: Run) -> Array | None:
    if all(run.laned):
        return None
    (x, y), axes, ranks = run.args, run.params["axes"], (run.rank(0), run.rank(1))
    if isinstance(axes, int):
        axes = (tuple(range(ranks[0] - axes, ranks[0])), tuple(range(axes)))
    first, second = (
        tuple(from_end(a, rank) for a in ((side,) if isinstance(side, int) else side))
        for side, rank in zip(axes, ranks, strict=True)
    )
    value = run(x, y, axes=(first, second))
    return value if run.laned[0] else np.moveaxis(value, ranks[0] - len(first), 0)


def _einsum(run: Run) -> Array | None:
    ranks = tuple(run.rank(k) for k in range(len(run.args)))
    terms, result = terms_of(run.params["equation"], ranks)
    free = next((c for c in "zyxwvutsrqponmlkjihgfedcba" if c not in "".join(terms)), None)
    if free is None:
        return None
    pairs = zip(terms, run.laned, strict=True)
    inputs = ",".join(free + term if laned else term for term, laned in pairs)
    return run(*run.args, equation=f"{inputs}->{free}{result}")


def _any_rank(run: Run) -> Array:
    """Operations on the last axes, or on one that counts from the end already."""
    return run(run.args[0])


def _dropout(run: Run) -> Array | None:
    """The same mask in every lane, as the random seed is the same."""
    x, params = run.args[0], run.params
    return x * dropout_mask(x[0], **params) * scale_of(params["p"], params["form"])


def _matrices(run: Run) -> Array | None:
    """Operations on stacks of matrices."""
    everyone = range(len(run.args))
    rank = max(map(run.rank, everyone))
    return run(*(run.aligned(k, rank) for k in everyone))


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            *("sum", "mean", "prod", "max", "min", "var", "std", "norm", "logsumexp", "median"),
            *("all", "any", "argmax", "argmin", "argsort", "sort", "cumsum", "cumprod", "roll"),
            *("softmax", "log_softmax", "glu", "maxout", "repeat"),
        ),
        only_first(_along_axes),
    ),
    **dict.fromkeys(
        (
            *("conv1d", "conv2d", "conv_transpose2d", "max_pool1d", "max_pool2d", "avg_pool1d"),
            *("avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "unfold", "fold"),
        ),
        only_first(_over_batch),
    ),
    **dict.fromkeys(("tril", "triu", "matrix_trace"), only_first(_any_rank)),
    "matmul": _matmul,
    "dot": _dot,
    "linear": _linear,
    "outer": _outer,
    "tensordot": _tensordot,
    "einsum": _einsum,
    **dict.fromkeys(("reshape", "broadcast_to"), shapes.shaped),
    "sum_to": shapes.sum_to,
    "transpose": shapes.transpose,
    "tile": shapes.tile,
    "pad": shapes.pad,
    "diagonal": shapes.diagonal,
    **dict.fromkeys(("stack", "concatenate"), shapes.joined),
    "getitem": only_first(shapes.getitem),
    "scatter_add": only_first(shapes.scatter_add),
    "take_along_axis": shapes.take_along,
    "scatter_along_axis": shapes.scatter_along,
    "embedding": shapes.embedding,
    "dropout": _dropout,
    **dict.fromkeys(("detach", "astype", "to"), _any_rank),
    **dict.fromkeys(("det", "inv", "solve", "cholesky", "log_abs_det", "det_sign"), _matrices),
}
"""How operations that are not elementwise run with lanes."""

ANALYTIC = frozenset(
    """
    add sub mul div neg pow square sqrt exp log sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh
    expm1 exp2 log2 log10 reciprocal rsqrt sigmoid erf erfc silu maximum minimum where relu leaky_relu prelu relu6
    hard_tanh hard_sigmoid clip elu celu selu maxout max min sort median
    sum mean var std cumsum cumprod softmax log_softmax batch_norm batch_norm_inference layer_norm rms_norm group_norm
    instance_norm mse_loss
    sum_to broadcast_to reshape transpose getitem scatter_add concatenate stack roll repeat tile pad take_along_axis
    scatter_along_axis diagonal tril triu glu unfold fold embedding dropout detach to
    matmul linear outer dot tensordot einsum matrix_trace inv solve conv1d conv2d conv_transpose2d avg_pool1d avg_pool2d
    rnn_cell rnn_layer gru_cell lstm_cell lstm_layer
    """.split()
)
"""Operations whose kernels take complex numbers and are analytic off their kinks: so a complex step goes through them.

Those with kinks choose by the real part, and so follow the branch on which the recorded value lies.
"""


def run_lanes(run: Run) -> Array | None:
    """The value of an operation in every lane, (lanes, *shape); None where it has no rule for these inputs.

    Operations that users declared have none: what they do with one more axis is theirs to say.
    """
    if not run.op.home.startswith("ops."):
        return None
    rule = _elementwise if run.op.elementwise else RULES.get(run.op.name)
    value = rule(run) if rule is not None else None
    return None if value is None else value.reshape(run.lanes, *run.shape)
