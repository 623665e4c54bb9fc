"""The five tables for twenty random seeds: `python -m gallery.initialisation.over_seeds` writes `over_seeds.json`.

It takes a minute of CPU. The numbers have seven digits: float32 products may differ in the last one between machines.
"""

from __future__ import annotations

import json

import numpy as np

import tracer as tr
from gallery.initialisation.ten_layers import (
    SEEDS_FILE,
    TABLES,
    gradients,
    means,
    stds,
    ten_layers,
)

SEEDS = range(1, 21)
"""Seed 0 is the entry's own."""


def table(name: str, seed: int) -> dict[str, list[float]]:
    """`std`, `mean` and `gradient` of each layer, for one table and one seed."""
    trace = tr.trace(ten_layers(*TABLES[name], seed))
    found = {"std": stds(trace), "mean": means(trace), "gradient": gradients(trace)}
    return {what: [float(f"{x:.6e}") for x in numbers] for what, numbers in found.items()}


def write() -> None:
    """Run all, and write the file."""
    tables = {}
    for name in TABLES:
        runs = [table(name, seed) for seed in SEEDS]
        tables[name] = {what: [run[what] for run in runs] for what in runs[0]}
    made = f"python -m gallery.initialisation.over_seeds, numpy {np.__version__}, seeds 1 to 20"
    lines = json.dumps({"made": made, "tables": tables}).replace("], [", "],\n[")
    SEEDS_FILE.write_text(lines + "\n")


if __name__ == "__main__":
    write()
