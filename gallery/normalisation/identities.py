"""What is true of batch normalisation whatever the numbers: computed from a trace, and shown beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import tracer as tr
from gallery.entry import Fact
from tracer.plots import Array

ZERO = "0.0000000000"


def identity_again(trace: tr.Trace) -> float:
    """Largest |y - x| when gamma is √(σ² + ε) and beta is μ."""
    undone = trace.replay({"gamma": trace.value("std"), "beta": trace.value("mu")})
    return float(np.abs(undone.value("y") - trace.value("x")).max())


def three_terms(trace: tr.Trace) -> Array:
    """The terms of the paper's dL/dx: by xhat, by the variance, by the mean.  Returns: float (3, *x)."""
    x, mu, std = (trace.value(name) for name in ("x", "mu", "std"))
    by_xhat, by_var, by_mu = (trace.gradient(name) for name in ("xhat", "var", "mu"))
    assert by_xhat is not None
    assert by_var is not None
    assert by_mu is not None
    m = len(x)
    return np.stack([by_xhat / std, by_var * 2 * (x - mu) / m, np.broadcast_to(by_mu / m, x.shape)])


def terms_left_over(trace: tr.Trace) -> float:
    """Largest element of the three terms' sum less dL/dx."""
    gradient = trace.gradient("x")
    assert gradient is not None
    return float(np.abs(three_terms(trace).sum(axis=0) - gradient).max())


def routes_to_x(trace: tr.Trace) -> int:
    """By how many routes the loss sends a gradient to x."""
    from tracer.insight.routes import routes_from_loss  # for the commands that ask for facts only

    return routes_from_loss(trace)[trace.node_index("x")]


def as_in_small_steps(build: Callable[[float], tr.Tensor]) -> tuple[Fact, ...]:
    """That a form of one node agrees with the small primitives that `build` records, forwards and backwards."""

    def apart(trace: tr.Trace, name: str) -> float:
        small = tr.trace(build(trace["y"].params["eps"]))
        ours, theirs = (
            each.gradient(name) if name != "y" else each.value(name) for each in (trace, small)
        )
        assert ours is not None
        assert theirs is not None
        return float(np.abs(ours - theirs).max())

    return (
        Fact(
            "largest difference of y from that of the small primitives",
            ZERO,
            lambda t: apart(t, "y"),
        ),
        *(
            Fact(
                f"largest difference of dL/d{name} from that of the small primitives",
                ZERO,
                lambda trace, name=name: apart(trace, name),  # type: ignore[misc]
            )
            for name in ("x", "gamma", "beta")
        ),
    )


def sum_over_batch(trace: tr.Trace) -> Array:
    """What x would receive if all samples moved together: nothing where their own mean is subtracted."""
    gradient = trace.gradient("x")
    assert gradient is not None
    moved: Array = gradient.sum(axis=0)
    return moved


OF_SMALL_STEPS = (
    Fact("mean of xhat", "0.000000 0.000000", lambda trace: trace.value("xhat").mean(axis=0)),
    Fact(
        "standard deviation of xhat", "1.0000 1.0000", lambda trace: trace.value("xhat").std(axis=0)
    ),
    Fact("largest |y - x| with gamma = sqrt(var + eps), beta = mu", ZERO, identity_again),
    Fact("routes from the loss to x", "4", routes_to_x),
    Fact("sum of dL/dx over the batch", "0.0000000000 0.0000000000", sum_over_batch),
    Fact("largest difference of dL/dx from its terms by xhat, var and mu", ZERO, terms_left_over),
)
