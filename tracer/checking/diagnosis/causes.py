"""What can be wrong with a gradient derived by hand: the kinds of cause, and the record of one that was found."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = {
    "sign": "the wrong sign, of the whole or of a term",
    "missing path": "a flow or route into the value was forgotten",
    "doubled path": "a flow or route is counted twice",
    "scaled path": "a flow or route is too large or too small by a factor",
    "factor": "a constant factor that nothing below explains",
    "size": "a factor m, 1/m or m/(m - 1), of the size of an axis",
    "two": "a factor 2 or 1/2",
    "missing factor": "a factor equal to a recorded value was forgotten",
    "extra factor": "a factor equal to a recorded value is too many",
    "wrong factor": "a recorded value stands where another belongs",
    "sum": "a sum over a broadcast axis was forgotten, or goes over the wrong one, or is a mean",
    "transposed": "axes in the wrong order",
    "reversed": "time, or another axis, runs backwards",
    "truncated": "the flows of some time steps were left out",
    "stale": "a gradient was added to one of an earlier pass",
    "bessel": "the unbiased variance in place of the biased one, or the other way round",
    "epsilon": "epsilon was forgotten or stands in another place",
    "exponent": "a wrong exponent",
    "mask": "a clip, a dropout mask, a ReLU or a detach was forgotten",
    "softmax": "the Jacobian of softmax was taken as diagonal",
    "shift": "off by one step along an axis",
    "some elements": "right but for some rows, columns, steps or elements",
    "precision": "right to a few digits only",
    "upstream": "the gradient that comes in is left out, or enters other than linearly",
    "name": "a name that nothing bears, and one that it may have meant",
    "unjudged": "it uses a helper that nothing recorded can judge",
}
"""The kinds of cause. Tests and the JSON report use these words; what people read is the text of the cause."""


@dataclass(frozen=True)
class Cause:
    """A cause that explains the error of a gradient.

    kind: one of `KINDS`. text: the cause in the user's words. fix: what the line should say, or what to change in it;
    empty where that is not known. exact: whether the error is explained to the last digits; where it is not, the
    cause only says what is known. line: the line at fault where it is a helper's above; 0 for the claim's own.
    """

    kind: str
    text: str
    fix: str = ""
    exact: bool = True
    line: int = 0

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind
