"""Losses in words: what they are the mean of, and of how many numbers, which their names do not say."""

from __future__ import annotations

import re

import numpy as np

from tracer.nodes import Node

from .wording import Line, line


def loss_in_words(node: Node) -> tuple[Line, ...]:
    """What a loss is the mean or the sum of, and of how many numbers: nothing of what is none."""
    if node.op is None or "reduction" not in node.op.defaults or node.shape:
        return ()
    said = re.split(r"[;,]|\. |\.$", " ".join(node.op.doc.split("\n\n")[0].split()))[0]
    first, *_, target = node.inputs
    size = np.size(target.value) if isinstance(target, Node) else 0
    if not size and isinstance(first, Node):  # classes or a number stand in the graph as they are
        size = int(np.prod(first.shape[:-1] if "logits" in node.argument_names else first.shape))
    reduction = node.params.get("reduction", node.op.defaults["reduction"])
    of = f", of {size} numbers" if size > 1 else ""
    instead = "" if reduction == "mean" else f"; not the mean, but the {reduction}"
    return (line(f"{said[:1].lower()}{said[1:]}{of}{instead}"),)
