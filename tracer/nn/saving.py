"""Parameters and buffers in a file: an npz archive of arrays by name. What does not fit is said, all of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ops.primitive import Array
from tracer.errors import StateError

if TYPE_CHECKING:
    from zipfile import ZipFile

Shape = tuple[int, ...]

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write arrays as an npz file. It is there whole or not at all: written beside its place, then renamed."""
    from zipfile import ZipFile  # loading it takes as long as all layers

    target = Path(path)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with ZipFile(beside, "w") as archive:  # not np.savez: to it, `file` is no name
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def read_arrays(path: str | os.PathLike[str], wanted: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of an npz file, if it holds those that are wanted and no others.

    Only the headers are read before names and shapes are compared, so a file cannot ask for more memory than the
    arrays that it replaces. Raises `StateError` for a file that is damaged, or holds something else.
    """
    from zipfile import BadZipFile, ZipFile
    from zlib import error as Damage  # noqa: N812

    try:
        with ZipFile(path) as archive:
            shapes = {
                member.removesuffix(".npy"): _shape(archive, member)
                for member in archive.namelist()
            }
            check_fit(wanted, shapes, f"{os.fspath(path)} does not fit")
            return {name: _array(archive, f"{name}.npy") for name in wanted}
    except (BadZipFile, Damage, ValueError, KeyError, EOFError, RuntimeError) as error:
        if isinstance(error, StateError):
            raise
        raise StateError(
            f"{os.fspath(path)} cannot be read as an npz file of arrays: {error}\n  try: save it again"
        ) from error


def check_fit(wanted: Mapping[str, Array], shapes: Mapping[str, Shape], what: str) -> None:
    """Raise `StateError` if the names or shapes differ from the wanted ones, listing every difference."""
    missing = [name for name in wanted if name not in shapes]
    unexpected = [name for name in shapes if name not in wanted]
    differ = [
        f"{name} {shapes[name]} for {wanted[name].shape}"
        for name in wanted
        if name in shapes and shapes[name] != wanted[name].shape
    ]
    listed = [
        f"\n  {kind}: {', '.join(names)}"
        for kind, names in (("missing", missing), ("unexpected", unexpected), ("shapes", differ))
        if names
    ]
    if listed:
        raise StateError(
            f"{what}:{''.join(listed)}\n  try: the module, with the sizes, that it was saved from"
        )


def _shape(archive: ZipFile, member: str) -> Shape:
    """The shape that the header of a member declares. Raises `ValueError` for what is not an array of numbers."""
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _READERS:
            raise ValueError(f"{member} has version {version} of the npy format")
        shape, _, dtype = _READERS[version](stream)
    if dtype.kind not in "fiub":
        raise ValueError(f"{member} has dtype {dtype}")
    return tuple(shape)


def _array(archive: ZipFile, member: str) -> Any:
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)
