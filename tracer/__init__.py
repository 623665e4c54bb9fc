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
    from ops import binary_cross_entropy as binary_cross_entropy
    from ops import broadcast_to as broadcast_to
    from ops import concatenate as concatenate
    from ops import cross_entropy as cross_entropy
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
    from ops import mse as mse
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
    from tracer.checking import check as check
    from tracer.checking import verify as verify
    from tracer.debugging import debug as debug
    from tracer.diagrams import diagram as diagram
    from tracer.freezing import trace as trace
    from tracer.nodes import Flow as Flow
    from tracer.nodes import Node as Node
    from tracer.storage import load as load
    from tracer.sweep import grad as grad
    from tracer.traces import Trace as Trace

_LAZY = {
    "Flow": "tracer.nodes",
    "Node": "tracer.nodes",
    "Trace": "tracer.traces",
    "check": "tracer.checking",
    "debug": "tracer.debugging",
    "diagram": "tracer.diagrams",
    "grad": "tracer.sweep",
    "load": "tracer.storage",
    "trace": "tracer.freezing",
    "verify": "tracer.checking",
}
"""Public names whose rooms load on first use, so that importing tracer is nearly as quick as importing numpy."""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        found = getattr(_importlib.import_module(_LAZY[name]), name)
        globals()[name] = found
        return found
    if name in _PUBLIC:
        found = getattr(_importlib.import_module(_PUBLIC[name]), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module 'tracer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_PUBLIC})
