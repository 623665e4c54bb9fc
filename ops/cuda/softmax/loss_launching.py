"""The launches of what losses of classifiers need: counts of targets, losses and flows of rows, flows of any layout."""

from __future__ import annotations

from ops.cuda.kernel import Launch
from ops.cuda.reductions.launching import MOST, Collapsed, power_above, strip
from ops.cuda.softmax.classes import AT_ONCE
from ops.cuda.softmax.launching import exponential_sums, row_launch
from ops.cuda.softmax.loss_tables import CLASS_FLOW, COUNT, CROSS_ENTROPY
from ops.devices.arrays import DeviceArray, empty


def count_targets(target: DeviceArray, classes: int, ignored: int) -> DeviceArray:
    """How many targets count, and how many of them are no class: (2,)."""
    counts = empty(target.device, (2,), "int64")
    threads = 1024 if target.size > 4096 else 64
    arguments = [target.reshape(-1).memory, classes, ignored, counts.memory]
    target.device.launch(COUNT, "float32", Launch(1, threads), arguments)
    return counts


def launch_rows(
    scores: DeviceArray,
    target: DeviceArray,
    at: Collapsed,
    counts: DeviceArray,
    losses: DeviceArray,
    weights: DeviceArray,
    ignored: int,
    *,
    each: int,
    mean: bool,
    g: DeviceArray | None = None,
    flow: DeviceArray | None = None,
    loss: bool = True,
) -> None:
    """Short rows of logits: the losses, the flow of the cotangent g, or both of one reading."""
    rows = (at.outer, at.size)
    logits = scores.reshape(rows).memory
    arguments = [
        logits,
        target.reshape(-1).memory,
        ignored,
        counts.memory,
        (losses if g is None else g).reshape(-1).memory,
        0 if g is None or g.size == 1 else 1,
        losses.reshape(-1).memory,
        weights.reshape(-1).memory,
        logits if flow is None else flow.reshape(rows).memory,
    ]
    options = {"each": each, "mean": mean, "loss": loss, "pull": flow is not None}
    launch = row_launch(at.outer)
    scores.device.launch(CROSS_ENTROPY, scores.dtype, launch, arguments, options)


def launch_flow(
    scores: DeviceArray,
    target: DeviceArray,
    at: Collapsed,
    ignored: int,
    g: DeviceArray,
    weights: DeviceArray,
    flow: DeviceArray,
    *,
    softmax: bool,
) -> bool:
    """Long rows and columns: False where their sums have no kernel."""
    tops = sums = weights
    if softmax:
        found = exponential_sums(scores, at)
        if found is None:
            return False
        tops, sums = found
    along = at.inner == 1
    if along:
        width = min(256, power_above(-(-at.size // AT_ONCE)))
        depth = max(min(256 // width, power_above(at.outer)), 32 // width, 1)
        pieces = -(-at.outer // depth) * -(-at.size // (AT_ONCE * width))
    else:
        width, depth = strip(at)
        pieces = at.outer * -(-at.size // (AT_ONCE * depth)) * -(-at.inner // width)
    numbers = (at.outer, at.inner)
    arguments = [
        scores.reshape(at).memory,
        tops.reshape(numbers).memory,
        sums.reshape(numbers).memory,
        target.reshape(numbers).memory,
        ignored,
        g.reshape(-1).memory,
        0 if g.size == 1 else 1,
        weights.reshape(numbers).memory,
        flow.reshape(at).memory,
    ]
    options = {"softmax": softmax, "along": along, "width": width, "depth": depth}
    launch = Launch(min(pieces, MOST), width * depth)
    scores.device.launch(CLASS_FLOW, scores.dtype, launch, arguments, options)
    return True
