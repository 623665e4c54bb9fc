"""Operations: every primitive that Gradstep knows, each declared once. Internal: users import `tracer`.

What everyday networks need is imported here; the other families load when one of their names is asked for.
"""

import importlib as _importlib
from typing import Any

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
from ops.losses import binary_cross_entropy as binary_cross_entropy
from ops.losses import cross_entropy as cross_entropy
from ops.losses import log_softmax as log_softmax
from ops.losses import mse as mse
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


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        found = getattr(_importlib.import_module(_PUBLIC[name]), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module 'ops' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
