"""Trace files: `save` and `load`. What grows with a trace stands in the blob, as columns and arrays; the rest is JSON.

Version 1. The document holds the tables that the columns point into, and for each column `[offset, count, crc32]`. A
tensor is its kind of element, its rank, its offset and its sizes; node i has the tensors `value_of[i]` and
`gradient_of[i]`. Arrays lie at multiples of 64 bytes of the file, numbers of rank 0 at multiples of their own size. All
is little-endian, in C order.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np

from tracer.archive import (
    Archive,
    BlobWriter,
    DamageError,
    read_archive,
    unreadable,
    write_archive,
)
from tracer.columns import GRAPH, NUMBERS, TENSORS, put_columns, read_columns
from tracer.mapped import Mapped, Tensors, TensorWriter
from tracer.soundness import check_trace
from tracer.tables import read_tables, rows, tables_of, text, whole
from tracer.traces import Trace

FORMAT, VERSION = "gradstep-trace", 1


def save(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write a trace to a file: its graph, every value and gradient bit for bit, and the source that it came from.

    The file is there whole or not at all, and what stood there before stays until it is.
    Raises `TraceFileError` where it cannot be written, or where a parameter has no form in a file.

    >>> import tempfile, tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tr.trace(x * x).save(folder + "/square.trace")
    ...     tr.load(folder + "/square.trace").gradient("x")
    np.float64(6.0)
    """
    write_archive(path, partial(_write, trace), load)


def load(path: str | os.PathLike[str]) -> Trace:
    """The trace in a file that `save` wrote. Arrays are mapped, and read when somebody looks.

    An operation of a user's own that is not imported loads with its numbers; running it says what is missing.
    Raises `TraceFileError` for a file that is missing, damaged, of another kind, or of a later version. Nothing in a
    file is ever run.
    """
    archive = read_archive(path)
    try:
        _check_version(archive)
        return _trace(archive)
    except DamageError as damage:
        raise unreadable(archive.path, str(damage)) from None
    except KeyError as error:
        raise unreadable(archive.path, f"its {error.args[0]} is missing") from None
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise unreadable(archive.path, f"its parts contradict each other ({error})") from error


def _write(trace: Trace, blob: BlobWriter) -> dict[str, Any]:
    """Put the numbers and columns of a trace into the blob; returns the document."""
    tensors = TensorWriter(blob)
    value, saved = trace.storage.value, trace.storage.saved
    values, gradients = [], []
    saved_rows: list[tuple[int, int, int]] = []
    names: dict[str, int] = {}
    for k in range(len(trace)):
        label = partial(trace.label, k)
        values.append(tensors.put(value(k), label))
        gradient = trace.gradient(k)
        gradients.append(-1 if gradient is None else tensors.put(gradient, label))
        for name, array in saved(k).items():
            number = names.setdefault(name, len(names))
            saved_rows.append((k, number, tensors.put(array, label)))
    seed = -1 if trace.seed is None else tensors.put(trace.seed, lambda: "the seed cotangent")
    kept = np.array(saved_rows, dtype=np.int64).reshape(-1, 3)
    columns = {
        **{key: getattr(trace, key) for key in GRAPH},
        **dict(zip(NUMBERS, (values, gradients, *kept.T), strict=True)),
        **{key: getattr(tensors, key) for key in TENSORS},
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        "columns": put_columns(blob, columns),
        "saved_names": list(names),
        "loss": trace.loss,
        "seed": seed,
        **tables_of(trace),
    }


def _check_version(archive: Archive) -> None:
    document = archive.document
    if document.get("format") != FORMAT:
        raise DamageError(f"it is of the format {document.get('format')!r:.40}, not {FORMAT!r}")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise DamageError(f"its version {version!r:.40} is unknown")
    if version > VERSION:
        raise unreadable(
            archive.path,
            f"it is of version {version}, and this Gradstep reads up to {VERSION}",
            "a newer Gradstep: pip install --upgrade gradstep",
        )


def _trace(archive: Archive) -> Trace:
    document = archive.document
    columns = read_columns(archive)
    table = (columns[key].astype(np.int64) for key in TENSORS)
    tensors = Tensors(archive.path, archive.blob, *table)
    tensors.check()
    names = tuple(map(text, rows(document, "saved_names")))
    numbers = Mapped(tensors, names, *(columns[key] for key in NUMBERS))
    loss, seed = whole(document["loss"]), whole(document["seed"])
    if not -1 <= seed < len(tensors):
        raise DamageError("its seed cotangent is no tensor")
    trace = Trace(
        **{key: columns[key] for key in GRAPH},
        **read_tables(document),
        storage=numbers,
        loss=loss,
        seed=None if seed < 0 else tensors.read(seed),
    )
    check_trace(trace, numbers)
    if seed >= 0 and (loss < 0 or tensors.shape(seed) != tensors.shape(numbers.value_of[loss])):
        raise DamageError("its seed cotangent has another shape than its loss")
    return trace
