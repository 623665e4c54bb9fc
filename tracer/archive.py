"""The container of a trace file: a zip archive, stored without compression, of `trace.json` and `tensors.bin`.

The blob begins at a multiple of 64 bytes of the file, so that its arrays can be mapped where they lie. A file is
written beside its place, read once, and then renamed: it is there whole or not at all. Reading believes nothing: every
size is compared with the size of the file before anything is allocated, and nothing in a file is ever run.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ops.primitive import Array
from tracer.errors import TraceFileError

DOCUMENT, BLOB = "trace.json", "tensors.bin"
ALIGNMENT = 64
LARGEST_DOCUMENT = 64 * 2**20
"""Bytes of JSON that are read; what grows with nodes or elements stands in the blob."""
MOST_BRACKETS = 4_000_000
"""Lists and objects in the JSON: the smallest takes 3 bytes in the file and 70 in memory."""

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_END, _END64 = b"PK\5\6", b"PK\6\7"
_PADDING = 0xD935  # the extra field that zipalign uses
_ZIP64_EXTRA = 20
_LARGE = 2**16


class DamageError(Exception):
    """What is wrong with a file; the door adds its name."""


def unreadable(path: str, what: str, advice: str = "save the trace again") -> TraceFileError:
    """The one error for a file that cannot be read."""
    return TraceFileError(f"{path} cannot be read as a trace: {what}\n  try: {advice}")


# ----- writing


class BlobWriter:
    """Appends runs of bytes to the blob, each at a multiple of its alignment. Small ones are gathered."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._gathered = bytearray()
        self.size = 0

    def put(self, data: Any, alignment: int = ALIGNMENT) -> int:
        """Where in the blob the bytes now lie."""
        gap = -self.size % alignment
        self._gathered += bytes(gap)
        offset = self.size + gap
        if len(data) < _LARGE:
            self._gathered += data
        else:
            self.flush()
            self._stream.write(data)
        if len(self._gathered) > _LARGE:
            self.flush()
        self.size = offset + len(data)
        return offset

    def flush(self) -> None:
        """Hand on what has been gathered."""
        self._stream.write(self._gathered)
        self._gathered.clear()


def write_archive(
    path: Any, fill: Callable[[BlobWriter], Mapping[str, Any]], check: Callable[[str], object]
) -> None:
    """Write a trace file: `fill` puts arrays into the blob and returns the document; `check` reads the result.

    Raises `TraceFileError`, and leaves what was there, if it cannot be written.
    """
    try:
        target = _place(path)
        _write_beside(path, target, fill, check)
    except TraceFileError:
        raise
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error


def _place(path: Any) -> Path:
    """Where a path leads: through links, so that a link stays one."""
    try:
        target = Path(os.path.realpath(path))
    except ValueError as error:  # a null character
        raise _unwritable(path, str(error)) from error
    if target.is_dir():
        raise TraceFileError(f"{path} is a folder\n  try: a file in it, {target / 'run.trace'}")
    if target.exists() and not target.is_file():
        raise TraceFileError(
            f"{path} is no regular file, and is left as it is\n  try: another name"
        )
    return target


def _unwritable(path: Any, what: str) -> TraceFileError:
    return TraceFileError(
        f"{str(path)!r:.200} cannot be written: {what}\n"
        f"  try: a folder that exists, has room and belongs to you"
    )


def _write_beside(
    path: Any,
    target: Path,
    fill: Callable[[BlobWriter], Mapping[str, Any]],
    check: Callable[[str], object],
) -> None:
    beside = target.with_name(f".{secrets.token_hex(6)}.partial")
    try:
        with beside.open("xb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                with archive.open(_aligned(file.tell()), "w", force_zip64=True) as stream:
                    blob = BlobWriter(stream)
                    document = fill(blob)
                    blob.flush()
                archive.writestr(_entry(DOCUMENT), json.dumps(document, separators=(",", ":")))
            file.flush()
            os.fsync(file.fileno())
        check(str(beside))
        beside.replace(target)
    except TraceFileError as error:
        raise TraceFileError(str(error).replace(str(beside), str(path))) from error
    except RecursionError as error:
        raise TraceFileError(
            f"{path} cannot be written: a parameter or the meta nests too deep\n  try: flatter ones"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # the same trace gives the same bytes
    info.external_attr = 0o644 << 16
    return info


def _aligned(offset: int) -> zipfile.ZipInfo:
    """The entry of the blob, padded so that its data begins at a multiple of 64 bytes of the file."""
    info = _entry(BLOB)
    padding = -(offset + _LOCAL.size + len(BLOB) + 4 + _ZIP64_EXTRA) % ALIGNMENT
    info.extra = struct.pack("<HH", _PADDING, padding) + bytes(padding)
    return info


# ----- reading


@dataclass(frozen=True, eq=False)
class Archive:
    """A trace file that is open: its document, and its blob mapped read-only, uint8 (bytes,)."""

    path: str
    document: dict[str, Any]
    blob: Array


def read_archive(path: Any) -> Archive:
    """Open a trace file without reading its arrays. Raises `TraceFileError` that says what is wrong with it."""
    name = os.fsdecode(path)
    try:
        size = _regular(name)
        with Path(name).open("rb") as file:
            try:
                return _read(name, file, size)
            except DamageError as damage:
                raise unreadable(name, str(damage)) from None
    except FileNotFoundError:
        raise TraceFileError(
            f"there is no file {name}\n  try: the path that trace.save was given"
        ) from None
    except TraceFileError:
        raise
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError
        what = getattr(error, "strerror", None) or str(error)
        raise unreadable(repr(name)[1:-1], what, "a file that you may read") from error


def _regular(name: str) -> int:
    found = Path(name).stat()
    if stat.S_ISDIR(found.st_mode):
        raise unreadable(name, "it is a folder", "a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise unreadable(name, "it is no regular file", "a file written by trace.save")
    return found.st_size


def _read(name: str, file: IO[bytes], size: int) -> Archive:
    _check_end(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if sorted(entry.filename for entry in entries) != [BLOB, DOCUMENT]:
                raise DamageError(f"it does not hold just {DOCUMENT} and {BLOB}")
            members = {entry.filename: entry for entry in entries}
            spans = {key: _span(file, size, entry) for key, entry in members.items()}
            (_, first_end), (second, _) = sorted(spans.values())
            if first_end > second:
                raise DamageError("its members overlap")
            document = _document(archive, members[DOCUMENT])
    except DamageError:
        raise
    except Exception as error:  # zipfile meets damaged headers with a dozen kinds of exceptions
        raise DamageError(f"its zip directory is damaged ({error})") from error
    start, end = spans[BLOB]
    if start % ALIGNMENT:
        raise DamageError(f"{BLOB} is not aligned; another program packed it anew")
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if len(mapped) < end:
        raise DamageError("it shrank while it was read")
    return Archive(name, document, np.frombuffer(mapped, np.uint8)[start:end])


def _check_end(file: IO[bytes], size: int) -> None:
    """Look at the end of the archive before zipfile does: its directory must list two members and be small."""
    if size == 0:
        raise DamageError("it is empty")
    head = file.read(4)
    file.seek(max(size - 98, 0))
    tail = file.read(98).rjust(98, b"\0")
    if tail[76:80] != _END or tail[96:98] != b"\0\0":
        if head == b"PK\3\4":
            raise DamageError("its end is missing; it was cut off, or another program packed it")
        raise DamageError("it is no zip archive")
    entries, length = struct.unpack_from("<HI", tail, 76 + 10)
    if tail[56:60] == _END64:
        entries, length = struct.unpack_from("<QQ", tail, 32)
    if entries != 2 or length > 4096:
        raise DamageError(f"it does not hold just {DOCUMENT} and {BLOB}")


def _span(file: IO[bytes], size: int, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """The bytes of the file where a member lies, from its own header."""
    name = entry.filename
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise DamageError(f"{name} is compressed or encrypted; trace files are stored as they are")
    if entry.file_size != entry.compress_size or not 0 <= entry.header_offset < size:
        raise DamageError(f"the directory contradicts itself about {name}")
    file.seek(entry.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise DamageError(f"the header of {name} is damaged")
    fields = _LOCAL.unpack(header)
    if file.read(fields[9]) != name.encode():
        raise DamageError(f"the header of {name} is damaged")
    start = entry.header_offset + _LOCAL.size + fields[9] + fields[10]
    if start + entry.file_size > size:
        raise DamageError(f"{name} claims {entry.file_size:,} bytes, more than the file has")
    return start, start + entry.file_size


def _document(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> dict[str, Any]:
    if entry.file_size > LARGEST_DOCUMENT:
        raise DamageError(
            f"{DOCUMENT} has {entry.file_size:,} bytes; at most {LARGEST_DOCUMENT:,} are read"
        )
    try:
        text = archive.read(entry)
    except zipfile.BadZipFile as error:
        raise DamageError(f"{DOCUMENT} is damaged ({error})") from None
    if text.count(b"[") + text.count(b"{") > MOST_BRACKETS:
        raise DamageError(f"{DOCUMENT} has more than {MOST_BRACKETS:,} brackets")
    try:
        document = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise DamageError(f"{DOCUMENT} is not UTF-8 text") from None
    except RecursionError:
        raise DamageError(f"{DOCUMENT} nests its brackets too deep") from None
    except ValueError as error:
        raise DamageError(f"{DOCUMENT} is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise DamageError(f"{DOCUMENT} does not hold an object")
    return document


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")
