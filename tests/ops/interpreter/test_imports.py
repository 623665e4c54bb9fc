"""What the interpreter loads, and when."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
from ops.cuda.kernel import Kernel, Launch
from ops.interpreter.machine import run

def build(cuda, math, T, threads):
    def kernel(x):
        x[cuda.grid(1)] = T(1)
    return kernel

x = np.zeros(4, np.float32)
run(Kernel("fill", "elementwise", build, "T[:]", lambda rng, T: []), "f4", Launch(2, 2), [x])
assert x.tolist() == [1, 1, 1, 1]
print([name for name in ("greenlet", "numba", "scipy", "cupy") if name in sys.modules])
"""


def test_a_kernel_whose_threads_wait_for_nobody_needs_no_greenlets_and_nothing_of_cuda() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
