"""Many runs of one operation at once: some of its inputs have a leading axis, the lanes, and so has what it gives.

A rule says how an operation is run so that lane k of the result is what it gives for lane k of the inputs: broadcasting
is aligned, an axis counted from the front moves by one. The table holds the operations for which that is easy; fused
ones run by their parts, and those that have neither are looped (`tracer.cones.Cone`). A generated test holds every
rule against the loop on every sample.
"""

from .rules import ANALYTIC as ANALYTIC
from .rules import run_lanes as run_lanes
from .run import Run as Run
from .run import looped as looped
