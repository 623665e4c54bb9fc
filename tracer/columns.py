"""The columns of a trace file: what grows with the number of nodes, edges and tensors."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ops.primitive import Array
from tracer.archive import Archive, BlobWriter, DamageError

GRAPH = {
    "op_of": "<i4",
    "kind_of": "|u1",
    "input_start": "<i8",
    "input_of": "<i8",
    "params_of": "<i4",
    "scope_of": "<i4",
    "place_of": "<i4",
}
"""The columns of a `Trace`, under its own names, and the integers that they are made of."""
NUMBERS = {
    "value_of": "<i4",
    "gradient_of": "<i4",
    "saved_node": "<i4",
    "saved_name": "<i4",
    "saved_tensor": "<i4",
}
"""The tensors of each node, as in `mapped.Mapped`."""
TENSORS = {"kinds": "|u1", "ranks": "|u1", "offsets": "<i8", "sizes": "<i8"}
"""The table of tensors, as in `mapped.Tensors`."""
COLUMNS = {**GRAPH, **NUMBERS, **TENSORS}
LENGTHS = {
    "op_of": ("kind_of", "params_of", "scope_of", "place_of", "value_of", "gradient_of"),
    "saved_node": ("saved_name", "saved_tensor"),
    "kinds": ("ranks", "offsets"),
}
"""Columns that are as long as another."""
LARGEST = 2 * 2**30
"""Bytes of columns that are read into memory: more than 30 million nodes."""


def put_columns(blob: BlobWriter, columns: Mapping[str, Any]) -> dict[str, list[int]]:
    """Write the columns; returns for each `[offset, count, crc32]`."""
    forms = {}
    for key, dtype in COLUMNS.items():
        data = np.asarray(columns[key], dtype=dtype).tobytes()
        forms[key] = [blob.put(data), len(columns[key]), zlib.crc32(data)]
    return forms


def read_columns(archive: Archive) -> dict[str, Array]:
    """The columns, copied out of the blob and made read-only.

    Raises `DamageError` for one that is cut off, too large, of another length than it should be, or changed.
    """
    forms = archive.document["columns"]
    found: dict[str, Array] = {}
    total = 0
    for key, dtype in COLUMNS.items():
        offset, count, checksum = forms[key]
        if type(offset) is not int or type(count) is not int:
            raise DamageError(f"column {key} lies nowhere")
        size = count * np.dtype(dtype).itemsize
        total += size
        if offset < 0 or count < 0 or offset + size > len(archive.blob):
            raise DamageError(f"column {key} reaches beyond the end of the file")
        if total > LARGEST:
            raise DamageError(f"its columns take more than {LARGEST:,} bytes")
        data = archive.blob[offset : offset + size]
        if zlib.crc32(data) != checksum:
            raise DamageError(f"column {key} is damaged")
        found[key] = np.frombuffer(data, dtype).astype(np.dtype(dtype).newbyteorder("="))
        found[key].setflags(write=False)
    for key, others in LENGTHS.items():
        for other in others:
            if len(found[other]) != len(found[key]):
                raise DamageError(f"columns {key} and {other} differ in length")
    if len(found["input_start"]) != len(found["op_of"]) + 1:
        raise DamageError("columns op_of and input_start differ in length")
    return found
