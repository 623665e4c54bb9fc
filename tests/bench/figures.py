"""What a figure costs from trace to SVG: CPU time and memory of Python and of the Graphviz that it starts.

Against limits, and against a plain DOT graph of the same trace, laid out by `dot`, stopped after a time: what a script
that walks the graph and calls Graphviz pays.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tracer as tr
from tests.bench.harness import Row, limited

ROOT = Path(__file__).resolve().parents[2]
STEPS = {100: 0.3, 1000: 3.0}
"""The most CPU seconds of an unrolled network of so many time steps."""
LAYERED_LIMIT, MEGABYTES = 8.0, 400
"""The most CPU seconds of 20,000 nodes in layers, and the most memory of either process."""
STOPPED = 30.0
"""Seconds after which plain `dot` is stopped."""
IN_NEW_PROCESS = "from tests.bench.figures import measure; measure({network!r}, {size})"


class Cost(NamedTuple):
    """CPU seconds of both processes together, and the most memory of either in MiB."""

    seconds: float
    memory: float


def recurrent(steps: int) -> tr.Trace:
    """A recurrent network with an output and a loss at each step."""
    rng = np.random.default_rng(0)
    w, u, v = (tr.parameter(0.5 * rng.normal(size=(3, 3)), name=name) for name in "wuv")
    h = tr.tensor(np.zeros(3), name="h0")
    losses = []
    for t in range(1, steps + 1):
        x = tr.constant(rng.normal(size=3), name="x")
        with tr.scope("rnn", t=t):
            h = tr.tanh(w @ h + u @ x)
            losses.append(tr.sum((v @ h) ** 2))
    return tr.trace(tr.sum(tr.stack(losses)))


def layered(nodes: int) -> tr.Trace:
    """Layers of 40 scalars, each made of two neighbours in the layer before, or of one."""
    chance = random.Random(0)
    ways = (
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, _: tr.tanh(a),
        lambda a, b: a - b,
        tr.maximum,
    )
    row = [tr.tensor(chance.gauss(0, 1), name=f"x{k}") for k in range(40)]
    for _ in range(nodes // 40 - 1):
        near = [row[min(39, max(0, k + chance.randint(-3, 3)))] for k in range(40)]
        row = [chance.choice(ways)(one, other) for one, other in zip(row, near, strict=True)]
    return tr.trace(tr.sum(tr.stack(row)))


NETWORKS = {"recurrent": recurrent, "layered": layered}


def measure(network: str, size: int) -> None:
    """Draw one network as SVG and print what it cost: the half of `cost_of` in the new process."""
    from tracer.diagrams import diagram

    trace = NETWORKS[network](size)
    style, most = ("outline", 2 * len(trace)) if network == "layered" else (None, None)
    before = time.process_time()
    figure = diagram(trace, style=style, most=most)
    content = figure.render("svg")
    own, child = (
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN),
    )
    seconds = time.process_time() - before + child.ru_utime + child.ru_stime
    assert content.startswith(b"<svg")
    print(json.dumps(Cost(seconds, max(own.ru_maxrss, child.ru_maxrss) / 1024)))


def cost_of(network: str, size: int) -> Cost:
    """What a figure costs, from a process of its own."""
    command = [sys.executable, "-c", IN_NEW_PROCESS.format(network=network, size=size)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def plain_dot(trace: tr.Trace) -> str:
    """A box for every node, an arrow for every use, nothing else."""
    lines = [f'n{node.index} [label="{node.op_name}"];' for node in trace]
    lines += [f"n{j} -> n{i};" for i in range(len(trace)) for j in trace.inputs_of(i) if j >= 0]
    return "digraph { node [shape=box]; " + "\n".join(lines) + "}"


def plain_cost(trace: tr.Trace, stopped: float) -> tuple[float, bool]:
    """CPU seconds of `dot` on the plain graph, and whether it came to an end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        subprocess.run(
            ["dot", "-Tsvg"],
            input=plain_dot(trace).encode(),
            capture_output=True,
            timeout=stopped,
            check=True,
        )
        ended = True
    except subprocess.TimeoutExpired:
        ended = False
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended


def rows(
    *, steps: tuple[int, ...] = tuple(STEPS), nodes: int = 20_000, stopped: float = STOPPED
) -> list[Row]:
    """The recurrent network at each length, then the layers: each against its limits and against plain `dot`."""
    found: list[Row] = []
    for length in steps:
        case = f"unrolled, {length:,} steps, SVG"
        found += _compared(case, "recurrent", length, STEPS.get(length, STEPS[100]), stopped)
    return [
        *found,
        *_compared(f"{nodes:,} nodes in layers, SVG", "layered", nodes, LAYERED_LIMIT, stopped),
    ]


def _compared(case: str, network: str, size: int, limit: float, stopped: float) -> list[Row]:
    cost = cost_of(network, size)
    plain, ended = plain_cost(NETWORKS[network](size), stopped)
    peer = "plain dot" if ended else f"plain dot, stopped after {stopped:g} s"
    memory = Row(
        f"{case}, memory",
        f"at most {MEGABYTES} MiB",
        cost.memory / MEGABYTES,
        1.0,
        None,
        f"{cost.memory:.0f} MiB",
    )
    against = Row(
        case, peer, cost.seconds / plain, 1.0, None, f"{cost.seconds:.2f} s against {plain:.2f} s"
    )
    return [limited(case, cost.seconds, limit), memory, against]
