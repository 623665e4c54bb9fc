"""numpy's and PyTorch's array methods: each calls the operation of its name, which loads on first use.

A method is here if numpy's arrays have it, and then means what it means there (`x.std()` divides by m, `x.repeat(2)`
doubles each element); or if only PyTorch has it, and it means the same as the numpy function of that name. What would
silently mean something else, or has no operation, is listed below with how it is written here.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import ops


class Method:
    """A method that calls an operation with the value as its first input: `x.var(axis=0)` is `tr.var(x, axis=0)`.

    A descriptor for each name and not `__getattr__`, which would make every attribute of every Tensor a third slower.
    """

    __slots__ = ("name",)

    name: str

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        operation = getattr(ops, self.name)
        return operation if instance is None else MethodType(operation, instance)


class Methods:
    """The methods of recorded values that no hot path needs.

    >>> import tracer as tr
    >>> x = tr.tensor([[1.0, 2.0], [3.0, 6.0]])
    >>> x.var(axis=0).tolist(), x.cumsum(1).tolist(), x.flatten().shape
    ([1.0, 4.0], [[1.0, 3.0], [3.0, 9.0]], (4,))
    """

    __slots__ = ()

    # reductions
    all = Method()
    any = Method()
    argmax = Method()
    argmin = Method()
    logsumexp = Method()
    norm = Method()
    prod = Method()
    std = Method()
    var = Method()

    # along an axis
    argsort = Method()
    cumprod = Method()
    cumsum = Method()
    flip = Method()
    log_softmax = Method()
    roll = Method()
    softmax = Method()

    # shape
    diagonal = Method()
    flatten = Method()
    gather = Method()
    moveaxis = Method()
    ravel = Method()
    repeat = Method()
    squeeze = Method()
    swapaxes = Method()
    take = Method()
    tile = Method()
    tril = Method()
    triu = Method()

    # linear algebra
    det = Method()
    dot = Method()
    outer = Method()

    # element by element
    arccos = Method()
    arcsin = Method()
    arctan = Method()
    ceil = Method()
    clip = Method()
    cos = Method()
    cosh = Method()
    erf = Method()
    exp2 = Method()
    expm1 = Method()
    floor = Method()
    isfinite = Method()
    isinf = Method()
    isnan = Method()
    log10 = Method()
    log1p = Method()
    log2 = Method()
    maximum = Method()
    minimum = Method()
    reciprocal = Method()
    round = Method()
    rsqrt = Method()
    sign = Method()
    sin = Method()
    sinh = Method()
    tan = Method()


_ELSEWHERE = {
    "view": "x.reshape(...)",
    "permute": "x.transpose(...)",
    "t": "x.T",
    "unsqueeze": "x[:, None], or tr.expand_dims(x, axis)",
    "expand": "tr.broadcast_to(x, shape=...)",
    "flat": "x.ravel()",
    "dim": "x.ndim",
    "numel": "x.size",
    "clone": "x itself: recorded values never change",
    "copy": "x.detach() for a constant, x.value.copy() for an array",
    "data": "x.value to look; w.set(new), or w -= step under no gradient, to refill a parameter",
    "contiguous": "x itself",
    "movedim": "x.moveaxis(source, destination)",
    "chunk": "tr.split(x, pieces)",
    "topk": "tr.sort(x)[..., -k:]",
    "float": "x.astype('float32')",
    "double": "x.astype('float64')",
    "long": "x.astype('int64')",
    "add": "x + y",
    "sub": "x - y",
    "mul": "x * y",
    "div": "x / y",
    "pow": "x ** y",
    "mm": "x @ y",
    "bmm": "x @ y",
    "clamp": "x.clip(low, high)",
    "amax": "x.max(axis)",
    "amin": "x.min(axis)",
    "masked_fill": "tr.where(mask, value, x)",
    "index_select": "x.take(indices, axis)",
    "nonzero": "np.nonzero(x.value)",
    "sort": "tr.sort(x), which leaves x as it is; x.argsort() for the order",
    "median": "tr.median(x), which of an even number takes the mean of the middle two",
    "split": "tr.split(x, pieces), which takes their number or the places to cut",
    "trace": "tr.matrix_trace(x); tr.trace(x) freezes the graph that led to x",
    "inverse": "tr.inv(x)",
    "retain_grad": "x.grad: every node keeps its gradient",
    "requires_grad_": "tr.tensor(..., requires_grad=...)",
}
"""What PyTorch or numpy would offer, and how it is written here."""

_ARRAY = "tr.tensor(np.{}(...)), or tr.parameter(...) for what is trained"
FUNCTIONS_ELSEWHERE = {
    **{
        name: _ARRAY.format(name)
        for name in "array asarray zeros ones full eye arange linspace".split()
    },
    "randn": "tr.tensor(np.random.default_rng(0).normal(size=...)), or tr.init.normal",
    "rand": "tr.tensor(np.random.default_rng(0).uniform(size=...)), or tr.init.uniform",
    "from_numpy": "tr.tensor(array)",
    "float32": "dtype=np.float32",
    "float64": "dtype=np.float64",
    "F": "the functions stand in tracer itself: tr.relu, tr.cross_entropy",
    "functional": "the functions stand in tracer itself: tr.relu, tr.cross_entropy",
    "cat": "tr.concatenate([x, y], axis=0)",
    "hstack": "tr.concatenate([x, y], axis=1)",
    "vstack": "tr.concatenate([x, y], axis=0)",
    "clamp": "tr.clip(x, low, high)",
    "unsqueeze": "tr.expand_dims(x, axis)",
    "permute": "tr.transpose(x, axes)",
    "chunk": "tr.split(x, pieces)",
    "mm": "x @ y",
    "bmm": "x @ y",
    "masked_fill": "tr.where(mask, value, x)",
    "topk": "tr.sort(x)[..., -k:]",
    "subtract": "tr.sub, or x - y",
    "multiply": "tr.mul, or x * y",
    "divide": "tr.div, or x / y",
    "power": "tr.pow, or x**y",
    "negative": "tr.neg, or -x",
    "absolute": "tr.abs",
    "amax": "tr.max(x, axis)",
    "amin": "tr.min(x, axis)",
    "logdet": "tr.slogdet(a).logabsdet",
    "hardtanh": "tr.hard_tanh",
    "hardsigmoid": "tr.hard_sigmoid",
    **{f"a{name}": f"tr.arc{name}" for name in "sin cos tan sinh cosh tanh tan2".split()},
    "save": "tr.trace(loss).save(file), or np.savez(file, **module.state_dict())",
}
"""The same for functions."""


class Elsewhere:
    """A name of PyTorch's or numpy's that says how it is written here."""

    def __init__(self, name: str, cure: str) -> None:
        self.said = f"a recorded value has no {name!r}\n  try: {cure}"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        raise AttributeError(self.said)


for _name, _cure in _ELSEWHERE.items():
    setattr(Methods, _name, Elsewhere(_name, _cure))
