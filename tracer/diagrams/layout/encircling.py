"""Frames around shapes that have been placed: only those that hold their own shapes and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ops.primitive import Array
from tracer.diagrams.measure import text_width
from tracer.diagrams.picture import Cluster, Picture, Point, Shape

MARGIN, HEAD = 5.0, 18.0
"""Points between a frame and what is in it: at the sides and below, and above, where its label stands."""


def encircled(
    picture: Picture, spots: Mapping[str, Point], sizes: Mapping[str, Point]
) -> tuple[tuple[Shape, ...], tuple[Cluster, ...], int]:
    """The shapes outside all frames, the outermost frames with their boxes, and how many frames were left out.

    The shapes of a frame that is left out stand in the one around it.
    """
    every, parent = _flat(picture)
    if not every:
        return picture.shapes, (), 0
    rims = {key: _rim(spots[key], sizes[key]) for key in spots}
    all_rims = np.array(list(rims.values()))
    boxes: list[Array | None] = [None] * len(every)
    held = [0] * len(every)
    spans: list[list[Array]] = [[rims[shape.key] for shape in cluster.shapes] for cluster in every]
    for k in reversed(range(len(every))):
        held[k] += len(every[k].shapes)
        own = np.array(spans[k])
        box = np.concatenate([own[:, :2].min(axis=0) - MARGIN, own[:, 2:].max(axis=0) + MARGIN])
        box[3] += HEAD - MARGIN
        box[2] = max(box[2], box[0] + text_width(every[k].label) + 24)
        boxes[k] = box
        if parent[k] >= 0:
            held[parent[k]] += held[k]
            spans[parent[k]].append(box)
    kept = _kept(np.array(boxes), np.array(held), parent, all_rims)
    return _rebuilt(picture, every, parent, kept, boxes)


def _flat(picture: Picture) -> tuple[list[Cluster], list[int]]:
    """All clusters, outer ones before inner, and the number of the one around each."""
    every, parent = list(picture.clusters), [-1] * len(picture.clusters)
    for k, cluster in enumerate(every):
        every.extend(cluster.clusters)
        parent.extend([k] * len(cluster.clusters))
    return every, parent


def _rim(spot: Point, size: Point) -> Array:
    (x, y), (width, height) = spot, size
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def _kept(boxes: Array, held: Array, parent: list[int], rims: Array) -> list[bool]:
    """Which frames touch nothing but what is in them."""
    kept: list[bool] = []
    for k, (left, low, right, high) in enumerate(boxes):
        touched = (
            (rims[:, 0] < right) & (rims[:, 2] > left) & (rims[:, 1] < high) & (rims[:, 3] > low)
        )
        others = boxes[:k][np.array(kept, dtype=bool)]
        meet = (
            (others[:, 0] < right)
            & (others[:, 2] > left)
            & (others[:, 1] < high)
            & (others[:, 3] > low)
        )
        around = (
            (others[:, 0] <= left)
            & (others[:, 2] >= right)
            & (others[:, 1] <= low)
            & (others[:, 3] >= high)
        )
        kept.append(bool(touched.sum() == held[k] and (meet == around).all()))
    return kept


def _rebuilt(
    picture: Picture,
    every: list[Cluster],
    parent: list[int],
    kept: list[bool],
    boxes: list[Array | None],
) -> tuple[tuple[Shape, ...], tuple[Cluster, ...], int]:
    shapes: list[list[Shape]] = [list(cluster.shapes) for cluster in every]
    inner: list[list[Cluster]] = [[] for _ in every]
    outside, outermost = list(picture.shapes), list[Cluster]()
    for k in reversed(range(len(every))):
        above = parent[k]
        into, among = (inner[above], shapes[above]) if above >= 0 else (outermost, outside)
        box = boxes[k]
        if kept[k] and box is not None:
            left, low, right, high = box.tolist()
            children = tuple(reversed(inner[k]))
            into.append(
                replace(
                    every[k],
                    shapes=tuple(shapes[k]),
                    clusters=children,
                    box=(left, low, right, high),
                )
            )
        else:
            into.extend(inner[k])
            among.extend(shapes[k])
    return tuple(outside), tuple(reversed(outermost)), kept.count(False)
