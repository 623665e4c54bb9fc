"""The launches of what losses of classifiers need: losses and flows of rows, losses gathered, flows of any layout."""

from __future__ import annotations

from typing import NamedTuple

from ops.cuda.kernel import Launch
from ops.cuda.reductions.launching import FULL, MOST, Collapsed, power_above, strip
from ops.cuda.softmax.classes import AT_ONCE
from ops.cuda.softmax.launching import exponential_sums, row_launch
from ops.cuda.softmax.loss_tables import CLASS_FLOW, CROSS_ENTROPY, GATHER, GATHER_PARTS
from ops.devices.arrays import DeviceArray, empty


class Gathered(NamedTuple):
    """The losses of all samples together, what each sample weighs, and how many targets are no class: (1,) each."""

    out: DeviceArray
    weights: DeviceArray
    wrong: DeviceArray


def parts_of(samples: int) -> int:
    """In how many parts the losses are gathered: two on each multiprocessor of a large GPU where there are so many.

    >>> parts_of(1), parts_of(65536), parts_of(10**7)
    (1, 64, 264)
    """
    return max(1, min(264, samples // 1024))


def gathered_losses(
    losses: DeviceArray, target: DeviceArray, classes: int, ignored: int, *, mean: bool
) -> Gathered:
    """The sum or mean of the losses, and what comes of counting the targets, of one reading of both."""
    device, dtype, samples = losses.device, losses.dtype, losses.size
    sums = empty(device, (parts_of(samples),), dtype)
    counts = _count(target, classes, ignored, losses, sums, adds=True)
    found = Gathered(
        empty(device, (1,), dtype), empty(device, (samples,), dtype), empty(device, (1,), "int64")
    )
    out, weights, wrong = found.out.memory, found.weights.memory, found.wrong.memory
    numbers = target.reshape(-1).memory
    arguments = [sums.memory, counts.memory, numbers, ignored, weights, out, wrong]
    lanes = _lanes(samples)
    launch = Launch(min(-(-samples // lanes), FULL), lanes)
    device.launch(GATHER, dtype, launch, arguments, {"mean": mean})
    return found


def _lanes(samples: int) -> int:
    return 256 if samples >= 256 else 32


def _count(
    target: DeviceArray,
    classes: int,
    ignored: int,
    losses: DeviceArray,
    sums: DeviceArray,
    *,
    adds: bool,
) -> DeviceArray:
    """How many targets of each part of the samples count, and how many are no class; the losses added up, if wanted."""
    parts, lanes = parts_of(losses.size), _lanes(losses.size)
    counts = empty(target.device, (parts, 2), "int64")
    numbers = target.reshape(-1).memory
    arguments = [losses.reshape(-1).memory, numbers, classes, ignored, sums.memory, counts.memory]
    options = {"lanes": lanes, "adds": adds}
    target.device.launch(GATHER_PARTS, losses.dtype, Launch(parts, lanes), arguments, options)
    return counts


def launch_rows(
    scores: DeviceArray,
    target: DeviceArray,
    at: Collapsed,
    ignored: int,
    numbers: DeviceArray,
    *,
    each: int,
    g: DeviceArray | None = None,
    flow: DeviceArray | None = None,
) -> None:
    """Short rows of logits: the losses, into `numbers`; or the flow of the cotangent g, whose rows weigh so much."""
    rows = (at.outer, at.size)
    logits = scores.reshape(rows).memory
    arguments = [
        logits,
        target.reshape(-1).memory,
        ignored,
        target.reshape(-1, 1).memory,  # no counts are read
        (numbers if g is None else g).reshape(-1).memory,
        0 if g is None or g.size == 1 else 1,
        numbers.reshape(-1).memory,
        logits if flow is None else flow.reshape(rows).memory,
    ]
    options = {"each": each, "makes": "losses" if flow is None else "flow"}
    scores.device.launch(CROSS_ENTROPY, scores.dtype, row_launch(at.outer), arguments, options)


def launch_both(
    scores: DeviceArray,
    target: DeviceArray,
    at: Collapsed,
    ignored: int,
    losses: DeviceArray,
    flow: DeviceArray,
    *,
    each: int,
    mean: bool,
) -> None:
    """Short rows of logits, read once: the losses, and the flow of a cotangent of 1 of their sum or mean.

    A mean divides by how many samples count: that is known first, of 8 bytes for each of them.
    """
    rows, numbers = (at.outer, at.size), losses.reshape(-1)
    counts = target.reshape(-1, 1)
    if mean:
        counts = _count(target, at.size, ignored, losses, numbers, adds=False)
    arguments = [
        scores.reshape(rows).memory,
        target.reshape(-1).memory,
        ignored,
        counts.memory,
        numbers.memory,  # no cotangents are read
        0,
        numbers.memory,
        flow.reshape(rows).memory,
    ]
    options = {"each": each, "makes": "both", "mean": mean}
    scores.device.launch(CROSS_ENTROPY, scores.dtype, row_launch(at.outer), arguments, options)


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
