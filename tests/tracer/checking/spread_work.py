"""What the workers of the tests run: functions of a module, as a job needs them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

import tracer as tr


def square(x: float) -> float:
    return x * x


def slowly(path: str, k: int) -> int:
    """Leave a mark, after a while."""
    time.sleep(0.05)
    Path(path, str(k)).touch()
    return k


def refuse() -> None:
    raise ValueError("it cannot be done")


def die() -> None:
    os._exit(3)


def network(x: Any, w: Any) -> Any:
    """A function that workers can import."""
    return tr.sum(tr.tanh(x @ w) ** 2)


def arguments() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 20)), rng.normal(size=(20, 15))


def own_slope(g: Any, out: Any, x: Any) -> Any:
    return g * 2.0


def wrong_slope(g: Any, out: Any, x: Any) -> Any:
    return g * 2.5


def samples(rng: np.random.Generator) -> list[Any]:
    return [(rng.normal(size=3),)]


@tr.primitive(vjps={"x": own_slope}, samples=samples)
def twice_as_much(x: Any) -> Any:
    """An operation of one's own, which only who imports this module knows."""
    return x * 2.0


@tr.primitive(vjps={"x": wrong_slope}, samples=samples)
def twice_misruled(x: Any) -> Any:
    """An operation whose rule is wrong."""
    return x * 2.0


def doubled(x: Any) -> Any:
    return tr.sum(twice_as_much(x) ** 2)


def misruled(x: Any) -> Any:
    return tr.sum(twice_misruled(x) ** 2)
