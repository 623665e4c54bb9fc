"""Trace files: what comes back, how they lie on disk, and what is said of broken and hostile ones."""

import contextlib
import copy
import json
import os
import random
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from ops.shape import Slot
from tracer import archive as archives
from tracer.archive import read_archive, write_archive
from tracer.backing import References
from tracer.columns import COLUMNS, GRAPH
from tracer.debugger import Debugger
from tracer.encoding import decoded, encoded
from tracer.errors import GradstepError, ReplayError, TraceFileError
from tracer.recording import ScopeEntry

HERE = Path(__file__).parent


def bits(array):
    """What must come back: kind, type, shape, and every byte."""
    if array is None:
        return None
    return np.ndim(array) > 0, array.dtype, array.shape, np.asarray(array).tobytes()


def same(one, other):
    """Whether two traces are equal to the last bit."""
    for key in GRAPH:
        np.testing.assert_array_equal(getattr(one, key), getattr(other, key))
        assert getattr(one, key).dtype == getattr(other, key).dtype
    assert one.ops == other.ops
    assert repr(one.literals) == repr(other.literals)
    assert repr([dict(p) for p in one.params]) == repr([dict(p) for p in other.params])
    for key in ("scopes", "places", "guards", "flipped", "names", "labels", "loss"):
        assert getattr(one, key) == getattr(other, key), key
    for key in ("sources", "given_names", "meta"):
        assert dict(getattr(one, key)) == dict(getattr(other, key)), key
    assert bits(one.seed) == bits(other.seed)
    for k in range(len(one)):
        assert bits(one.value(k)) == bits(other.value(k))
        assert bits(one.gradient(k)) == bits(other.gradient(k))
        found = {name: bits(array) for name, array in other.storage.saved(k).items()}
        assert {name: bits(array) for name, array in one.storage.saved(k).items()} == found
    assert list(map(bits_of_flow, flows(one))) == list(map(bits_of_flow, flows(other)))


def flows(trace):
    return [flow for k in range(len(trace)) for flow in trace.flows_from(k)]


def bits_of_flow(flow):
    return (*flow[:3], bits(flow.cotangent))


def network():
    """A bit of everything: scopes, indices, a fused node, integers, truths, guards, float32, numbers of Python."""
    rng = np.random.default_rng(3)
    x = tr.tensor(rng.normal(size=(6, 4)), name="x")
    gamma, beta = tr.parameter(np.ones(4), name="gamma"), tr.parameter(np.zeros(4), name="beta")
    with tr.scope("bn"), tr.scope("layer", depth="first"):
        h = tr.batch_norm(x, gamma, beta, eps=1e-3)
    picked = h[np.array([0, 2, 2]), 1:3]
    rest = h[..., None, -1]
    for t in range(2):
        with tr.scope("rnn", t=t):
            picked = tr.tanh(picked * 0.5 + float("inf") * 0 if t else picked)
    small = tr.astype(picked, dtype="float32") * -0.0
    chosen = tr.where(picked > 0.1, picked, 0)
    logits = tr.concatenate([chosen, chosen], axis=-1)
    loss = tr.cross_entropy(logits, np.array([0, 3, 1])) + tr.sum(rest)
    if loss > -1e9:
        loss = loss + tr.sum(small) * loss.item()
    return tr.trace(loss)


def odd_numbers():
    """NaN with payloads, -0.0, inf, subnormals, empty arrays, rank 0, integers of 64 bits, truths."""
    payload = np.array([0x7FF8DEADBEEF0001, 0xFFF0000000000001], dtype=np.uint64).view(np.float64)
    x = tr.tensor(np.concatenate([payload, [np.inf, -np.inf, -0.0, 5e-324]]), name="x")
    y = tr.tensor(np.float32(-0.0), name="y")
    empty = tr.tensor(np.empty((0, 3)), name="empty")
    whole = tr.tensor(np.array([2**63 - 1, -(2**63)]), name="whole")
    truths = tr.tensor(np.array([True, False]), name="truths")
    with tr.record() as recorded:
        loss = tr.sum(x * x) + tr.sum(empty) * y
        both = whole + truths
    trace = tr.trace(loss, recorded=recorded)
    assert trace.node_index("both") >= 0
    assert both.shape == (2,)
    return trace


MAKERS = [network, odd_numbers]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.trace"


@pytest.fixture
def saved(path):
    network().save(path)
    return path


# ----- what comes back


@pytest.mark.parametrize("make", MAKERS)
def test_a_saved_trace_comes_back_bit_for_bit(make, path):
    trace = make()
    trace.save(path)
    same(trace, tr.load(path))


@pytest.mark.parametrize("make", MAKERS)
def test_a_loaded_trace_saves_to_the_same_bytes(make, path, tmp_path):
    make().save(path)
    again = tmp_path / "again.trace"
    tr.load(path).save(again)
    same(tr.load(path), tr.load(again))
    assert path.read_bytes() == again.read_bytes()


def test_a_trace_can_be_saved_over_the_file_that_it_lies_in(path):
    trace = network()
    trace.save(path)
    loaded = tr.load(path)
    loaded.save(path)
    same(trace, loaded)
    same(trace, tr.load(path))


def test_a_seed_cotangent_a_replay_and_its_flipped_guards_come_back(path):
    x = tr.tensor([2.0], name="x")
    y = x * x
    if y > 0:
        y = y * 3.0
    replayed = tr.trace(y, seed=np.array([-1.0])).replay({"x": [-0.0]})
    assert len(replayed.flipped) == 1
    replayed.save(path)
    same(replayed, tr.load(path))


def test_a_loaded_trace_can_be_replayed_and_debugged(saved):
    trace, loaded = network(), tr.load(saved)
    new = np.full((6, 4), 0.25)
    again, expected = loaded.replay({"x": new}), trace.replay({"x": new})
    assert bits(again.gradient("gamma")) == bits(expected.gradient("gamma"))
    debugger = Debugger(loaded)
    debugger.run_to("h")
    debugger.into()
    assert debugger.depth == 1


def test_loaded_numbers_are_read_only_and_lie_in_the_file(saved):
    value = tr.load(saved).value("x")
    assert not value.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        value[0, 0] = 1.0
    assert not value.flags.owndata


def test_parameters_of_every_kind_come_back():
    values = [
        *(None, True, False, 0, -1, 2**63 - 1, 2**63, -(2**80), 1.5, -0.0, 1e-320, "", "σ\ud800\0"),
        *(float("inf"), float("-inf"), (), (1, (2, [3.0, None])), slice(None), slice(3, 0, -2)),
        *(
            Ellipsis,
            Slot(2),
            {"key": (1,)},
            np.float32(0.1),
            np.int8(-3),
            np.True_,
            np.float64(-0.0),
        ),
    ]
    for value in values:
        back = decoded(json.loads(json.dumps(encoded(value))))
        assert repr(back) == repr(value)
        assert type(back) is type(value)
    strange = struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0]
    assert struct.pack("<d", decoded(encoded(strange))).hex() == "010000000000f87f"


def test_a_parameter_that_has_no_form_in_a_file_is_named(path):
    @tr.primitive(name="with_function_example")
    def with_function_example(x, *, f):
        return f(x)

    try:
        trace = tr.trace(with_function_example(tr.tensor(2.0), f=np.exp) + tr.tensor(1.0))
        with pytest.raises(
            TraceFileError, match=r"parameters .*ufunc 'exp'.* holds a ufunc.*\n  try"
        ):
            trace.save(path)
    finally:
        del PRIMITIVES["with_function_example"]
    assert not path.exists()


def test_an_array_of_a_kind_that_files_do_not_hold_is_named(path):
    trace = tr.trace(tr.tensor(2.0, name="x") * 3.0)
    odd = replace(trace, storage=References([np.array([1j]), np.float64(6.0)], [{}, {}]))
    with pytest.raises(
        TraceFileError, match=r"x holds elements of type complex128.*\n  try: float64, float32"
    ):
        odd.save(path)
    assert not path.exists()


def test_an_operation_that_is_not_declared_loads_with_its_numbers_and_says_what_is_missing(path):
    @tr.primitive(
        name="cube_example", vjps={"x": lambda g, out, x, *, scale: g * 3 * scale * x * x}
    )
    def cube_example(x, *, scale=1.0):
        return scale * x * x * x

    try:
        x = tr.tensor(2.0, name="x")
        y = cube_example(x, scale=3.0)
        trace = tr.trace(y * y)
        trace.save(path)
        same(trace, tr.load(path))
    finally:
        del PRIMITIVES["cube_example"]
    loaded = tr.load(path)
    assert [node.op_name for node in loaded] == ["input", "cube_example", "mul"]
    assert (loaded.value("y"), loaded.gradient("x")) == (24.0, trace.gradient("x"))
    assert loaded["y"].params == {"scale": 3.0}
    assert loaded.timeline.last == trace.timeline.last
    assert loaded.timeline.status(loaded.timeline.last, 0).state == "final"
    for action in (lambda: loaded.replay({"x": 1.0}), lambda: loaded.flows_from("y")):
        with pytest.raises(
            ReplayError, match=r"operation 'cube_example' is not declared here.*\n  try: import"
        ):
            action()
    again = path.with_name("again.trace")
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()


def test_an_operation_that_is_declared_otherwise_now_is_not_taken_for_the_old_one(path):
    def declare(names):
        scope = {"__name__": "users_module"}
        exec(f"def changed_example({names}): return x * 2.0", scope)
        return tr.primitive(name="changed_example")(scope["changed_example"])

    try:
        x = tr.tensor(2.0, name="x")
        tr.trace(declare("x")(x) + x).save(path)
        del PRIMITIVES["changed_example"]
        declare("x, y")
        with pytest.raises(ReplayError, match="is declared with other inputs or rules here"):
            tr.load(path).replay({"x": 1.0})
    finally:
        del PRIMITIVES["changed_example"]


# ----- how it lies on disk


def test_the_file_is_a_stored_zip_of_two_members_whose_arrays_lie_at_multiples_of_64(saved):
    trace = tr.load(saved)
    with zipfile.ZipFile(saved) as archive:
        assert archive.namelist() == ["tensors.bin", "trace.json"]
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(archive.read("trace.json"))["version"] == 1
        start = saved.read_bytes().index(archive.read("tensors.bin"))
    arrays = [array for k in range(len(trace)) for array in (trace.value(k), trace.gradient(k))]
    for array in arrays:
        if array is not None and array.ndim:
            assert array.ctypes.data % 64 == 0
    assert start % 64 == 0
    tensors = trace.storage.tensors
    assert not ((start + tensors.offsets[tensors.ranks > 0]) % 64).any()


def test_an_array_that_stands_at_many_nodes_is_written_once(path):
    x = tr.tensor(np.zeros(100_000), name="x")
    y = x + 0.0
    for _ in range(5):
        y = y + 0.0  # each passes on the gradient that it gets
    tr.trace(tr.sum(y)).save(path)
    assert path.stat().st_size < 9 * 800_000


def test_the_same_trace_gives_the_same_bytes_at_any_time(path, tmp_path):
    trace = network()
    trace.save(path)
    trace.save(tmp_path / "twin.trace")
    assert path.read_bytes() == (tmp_path / "twin.trace").read_bytes()


def test_loading_reads_no_tensor(path):
    trace = tr.trace(tr.sum(tr.tensor(np.ones(4_000_000), name="x") * 2.0))
    trace.save(path)
    tracemalloc.start()
    loaded = tr.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert loaded.value("x")[-1] == 1.0


@pytest.mark.slow
def test_a_chain_of_100_000_nodes_is_saved_and_loaded(path):
    x = tr.tensor(1.0, name="x")
    y = x
    for _ in range(50_000):
        y = y * 1.00001 + x
    trace = tr.trace(y)
    trace.save(path)
    loaded = tr.load(path)
    assert len(loaded) == 100_001
    assert bits(loaded.gradient("x")) == bits(trace.gradient("x"))
    assert path.stat().st_size < 20e6


# ----- writing safely


def broken_disk(self):
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(archives.BlobWriter, "flush", broken_disk)
    with pytest.raises(TraceFileError, match=r"cannot be written: No space left on device\n  try"):
        odd_numbers().save(saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["run.trace"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(saved):
    def interrupt(blob):
        blob.put(b"half")
        raise KeyboardInterrupt

    before = saved.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_archive(saved, interrupt, tr.load)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["run.trace"]


def test_a_file_that_could_not_be_read_back_is_not_put_in_place(saved):
    before = saved.read_bytes()
    with pytest.raises(TraceFileError, match=r"run\.trace cannot be read"):
        write_archive(saved, lambda blob: {"format": "gradstep-trace"}, tr.load)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["run.trace"]


def test_a_place_that_cannot_be_written_is_named(saved, tmp_path):
    trace = odd_numbers()
    before = saved.read_bytes()
    places = {
        tmp_path: r"is a folder\n  try: a file in it, .*run.trace",
        tmp_path / "missing" / "run.trace": "missing/run.trace' cannot be written: No such file",
        saved / "run.trace": "cannot be written: Not a directory",
        tmp_path / ("x" * 300): "cannot be written: File name too long",
        "null\0character": "cannot be written: .*embedded null",
    }
    for place, said in places.items():
        with pytest.raises(TraceFileError, match=said):
            trace.save(place)
    assert saved.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.trace"]


def test_a_device_or_pipe_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(TraceFileError, match="is no regular file"):
        network().save(pipe)
    assert pipe.is_fifo()


def test_a_parameter_that_nests_too_deep_is_named(path):
    deep = ()
    for _ in range(100_000):
        deep = (deep,)
    trace = replace(tr.trace(tr.tensor(2.0) * 3.0), meta={"deep": deep})
    with pytest.raises(TraceFileError, match="nests too deep"):
        trace.save(path)
    for depth in (100, 200, 300, 400, 500, 600):
        deep = ()
        for _ in range(depth):
            deep = (deep,)
        with contextlib.suppress(TraceFileError):
            replace(trace, meta={"deep": deep}).save(path)
    assert path.exists()


def test_a_link_stays_a_link(saved, tmp_path):
    link = tmp_path / "link.trace"
    link.symlink_to(saved)
    odd_numbers().save(link)
    assert link.is_symlink()
    same(odd_numbers(), tr.load(saved))


def test_a_new_file_has_the_permissions_that_the_user_asks_for(path):
    mask = os.umask(0o027)
    try:
        network().save(path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640


# ----- files that are no trace


def refused(path, *said):
    """The one error for a file; it names the file and says what is wrong and what to try."""
    with pytest.raises(TraceFileError) as caught:
        tr.load(path)
    message = str(caught.value)
    assert os.fspath(path) in message
    assert "\n  try: " in message
    for words in said:
        assert words in message
    return message


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path):
    refused(tmp_path / "missing.trace", "there is no file")
    refused(tmp_path, "it is a folder")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "it is no regular file")
    with pytest.raises(TraceFileError, match="null"):
        tr.load("with\0null")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_that_may_not_be_read_is_named(saved):
    saved.chmod(0)
    refused(saved, "Permission denied")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"x", "it is no zip archive"),
        (b"\x93NUMPY" + bytes(200), "it is no zip archive"),
        (b"PK\3\4" + bytes(10), "its end is missing"),
        (b"PK\5\6" + bytes(18), "it does not hold just trace.json and tensors.bin"),
        (b"\x80\x04cos\nsystem\n(S'true'\ntR." * 9, "it is no zip archive"),
    ],
)
def test_a_file_of_another_kind_is_refused(path, content, said):
    path.write_bytes(content)
    refused(path, said)


def test_an_archive_of_another_kind_is_refused(path):
    np.savez(path.with_suffix(".npz"), a=np.ones(3))
    refused(path.with_suffix(".npz"), "it does not hold just")
    for names in (["trace.json"], ["trace.json", "trace.json"], ["trace.json", "../tensors.bin"]):
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
            warnings.simplefilter("ignore")  # zipfile warns of a name that stands twice
            for name in names:
                archive.writestr(name, "{}")
        refused(path, "it does not hold just trace.json and tensors.bin")


def test_a_compressed_archive_is_refused_before_it_is_unpacked(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trace.json", b"[" * 50_000_000)
        archive.writestr("tensors.bin", b"")
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    refused(path, "trace.json is compressed")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_an_archive_that_another_program_packed_anew_is_refused(saved, path):
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    other = path.with_name("other.trace")
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    refused(other, "tensors.bin is not aligned")


def test_a_directory_of_a_million_members_is_not_read(path):
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(3000):
            archive.writestr(f"{k:0100}", b"")
    data = bytearray(path.read_bytes())
    struct.pack_into("<HH", data, len(data) - 14, 2, 2)
    path.write_bytes(data)
    refused(path, "it does not hold just")


def raw(path, document, blob=b"\0" * 64):
    """A well-formed archive with any text as its document."""
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(archives._aligned(0), "w", force_zip64=True) as stream:
            stream.write(blob)
        archive.writestr("trace.json", document)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "trace.json is not JSON"),
        (b"[]", "does not hold an object"),
        (b"\xff\xfe{}", "trace.json is not UTF-8 text"),
        (b"[" * 100_000, "nests its brackets too deep"),
        (b'{"a":' * 100_000, "nests its brackets too deep"),
        (b"[" + b"[]," * 4_000_001 + b"[]]", "has more than 4,000,000 brackets"),
        (b'{"format": NaN}', "NaN is no number"),
        (b'{"format": ' + b"9" * 5000 + b"}", "trace.json is not JSON"),
        (b"{}", "it is of the format None, not 'gradstep-trace'"),
        (b'{"format": "safetensors"}', "it is of the format 'safetensors'"),
        (b'{"format": "gradstep-trace"}', "its version None is unknown"),
        (b'{"format": "gradstep-trace", "version": true}', "its version True is unknown"),
        (b'{"format": "gradstep-trace", "version": "1"}', "its version '1' is unknown"),
        (b'{"format": "gradstep-trace", "version": 0}', "its version 0 is unknown"),
        (
            b'{"format": "gradstep-trace", "version": 2}',
            "it is of version 2, and this Gradstep reads up to 1",
        ),
        (b'{"format": "gradstep-trace", "version": 1}', "its columns is missing"),
        (b'{"format": "gradstep-trace", "version": 1, "columns": []}', "contradict each other"),
        (b'{"format": "gradstep-trace", "version": 1, "columns": {}}', "its op_of is missing"),
    ],
)
def test_a_document_that_is_none_is_refused(path, document, said):
    raw(path, document)
    refused(path, said)


def test_a_document_that_is_too_large_is_not_read(path):
    raw(path, b" " * (64 * 2**20 + 1))
    refused(path, "trace.json has 67,108,865 bytes; at most 67,108,864 are read")


# ----- files whose parts contradict each other


def rewritten(source, target, *, document=None, columns=None, blob=None):
    """The same trace file with something changed, and all checksums right again."""
    archive = read_archive(source)
    inside = copy.deepcopy(archive.document)
    data = bytearray(archive.blob.tobytes())
    for edit in (columns or {}).items():
        key, change = edit
        offset, count, _ = inside["columns"][key]
        old = np.frombuffer(bytes(data), COLUMNS[key], count, offset).copy()
        new = change(old)
        new = (old if new is None else np.asarray(new)).astype(COLUMNS[key])
        inside["columns"][key] = [len(data), len(new), zlib.crc32(new.tobytes())]
        data += new.tobytes() + bytes(-len(new.tobytes()) % 64)
    if document:
        document(inside)
    if blob:
        blob(data, inside)

    def fill(writer):
        writer.put(bytes(data))
        return inside

    write_archive(target, fill, lambda _: None)
    return target


def at(index, value):
    def change(column):
        column[index] = value

    return change


def test_rewriting_without_a_change_gives_the_same_trace(saved, tmp_path):
    target = rewritten(
        saved, tmp_path / "new.trace", columns={key: lambda old: None for key in COLUMNS}
    )
    same(tr.load(saved), tr.load(target))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"op_of": at(3, 99)}, "beyond the table of operations"),
        ({"op_of": at(3, -2)}, "beyond the table of operations"),
        ({"op_of": at(3, -1)}, "a leaf has inputs"),
        ({"op_of": at(0, 0)}, "a leaf has inputs, or an operation has none to run"),
        ({"kind_of": at(0, 5)}, "beyond the table of kinds"),
        ({"kind_of": at(0, 0)}, "a leaf has inputs"),
        ({"params_of": at(-1, 99)}, "beyond the table of parameters"),
        ({"params_of": at(-1, -1)}, "beyond the table of parameters"),
        ({"scope_of": at(0, 99)}, "beyond the table of scopes"),
        ({"place_of": at(0, 9999)}, "beyond the table of places"),
        ({"place_of": at(0, -2)}, "beyond the table of places"),
        ({"input_start": at(0, 1)}, "counted wrongly"),
        ({"input_start": at(-1, 10**12)}, "counted wrongly"),
        ({"input_start": at(5, 10**9)}, "counted wrongly"),
        ({"input_of": at(-1, 10**9)}, "reads one that runs later"),
        ({"input_of": at(0, 3)}, "reads one that runs later"),
        ({"input_of": at(0, -(10**9))}, "reads a number that is not there"),
        ({"input_of": lambda old: old[:-1]}, "counted wrongly"),
        ({"value_of": at(0, 10**6)}, "points at a tensor that is not there"),
        ({"value_of": at(0, -1)}, "points at a tensor that is not there"),
        ({"gradient_of": at(0, -2)}, "points at a tensor that is not there"),
        ({"saved_node": at(0, 10**6)}, "points at a tensor that is not there"),
        ({"saved_name": at(0, 7)}, "points at a tensor that is not there"),
        ({"saved_tensor": at(0, -1)}, "points at a tensor that is not there"),
        (
            {"saved_node": lambda old: old[::-1] - np.arange(len(old))},
            "points at a tensor that is not there",
        ),
        ({"op_of": lambda old: old[:0]}, "differ in length"),
        ({"saved_name": lambda old: old[:-1]}, "differ in length"),
        ({"kinds": lambda old: old[:-1]}, "differ in length"),
        ({"kinds": at(0, 11)}, "elements of an unknown kind"),
        ({"kinds": at(0, 255)}, "elements of an unknown kind"),
        ({"ranks": at(0, 65)}, "contradict each other"),
        ({"ranks": at(0, 3)}, "contradict each other"),
        ({"sizes": at(0, -6)}, "negative size"),
        ({"sizes": at(0, 2**62)}, "larger than any memory"),
        ({"sizes": at(slice(None), 2**62)}, "larger than any memory"),
        ({"sizes": at(0, 10**9)}, "reaches beyond the end of the file"),
        ({"offsets": at(0, 2**62)}, "reaches beyond the end of the file"),
        ({"offsets": at(0, -64)}, "reaches beyond the end of the file"),
        ({"offsets": at(0, -(2**63))}, "reaches beyond the end of the file"),
        ({"offsets": at(0, 3)}, "is not aligned"),
    ],
)
def test_a_column_that_points_at_nothing_is_refused(saved, tmp_path, columns, said):
    refused(rewritten(saved, tmp_path / "bad.trace", columns=columns), said)


def put(*keys, value):
    """Put a value somewhere into the document."""

    def change(document):
        inside = document
        for key in keys[:-1]:
            inside = inside[key]
        inside[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            put("columns", "op_of", value=[0, 10**12, 0]),
            "column op_of reaches beyond the end of the file",
        ),
        (
            put("columns", "op_of", value=[-64, 4, 0]),
            "column op_of reaches beyond the end of the file",
        ),
        (
            put("columns", "op_of", value=[0, -4, 0]),
            "column op_of reaches beyond the end of the file",
        ),
        (put("columns", "op_of", value=[0, 4, 1]), "column op_of is damaged"),
        (put("columns", "op_of", value=[0.5, 4, 1]), "column op_of lies nowhere"),
        (put("columns", "op_of", value=[2**70, 2**70, 1]), "reaches beyond the end of the file"),
        (put("columns", "op_of", value=None), "contradict each other"),
        (put("loss", value=10**6), "its loss is no node"),
        (put("loss", value=-2), "its loss is no node"),
        (put("loss", value="x"), "no whole number"),
        (put("loss", value=2**70), "no whole number"),
        (put("loss", value=True), "no whole number"),
        (put("seed", value=10**6), "its seed cotangent is no tensor"),
        (put("seed", value=0), "its seed cotangent has another shape"),
        (put("ops", value={}), "its ops is no list"),
        (put("ops", 0, value={}), "describes an operation wrongly"),
        (put("ops", 0, "inputs", value=[]), "describes an operation wrongly"),
        (put("ops", 0, "inputs", value=["x.y", "{0}"]), "describes an operation wrongly"),
        (put("ops", 0, "kernel", value="os.system"), "describes an operation wrongly"),
        (put("literals", value=[]), "a number that is not there"),
        (put("literals", 0, value={"float": "zz"}), "a value in it is no float"),
        (put("literals", 0, value={"pickle": "gASV"}), "has the unknown form 'pickle'"),
        (put("literals", 0, value={"float": "", "int": ""}), "has no known form"),
        (put("literals", 0, value={"number": ["object", "00"]}), "a value in it is no number"),
        (put("literals", 0, value={"number": ["float64", "00"]}), "a value in it is no number"),
        (put("literals", 0, value={"slot": -1}), "has the unknown form 'slot'"),
        (put("literals", 0, value=[1]), "has no known form"),
        (put("literals", 0, value="2"), "a number in it is none"),
        (put("params", 0, value={"tuple": []}), "a table of it has no names"),
        (put("params", -1, value={"dict": {"evil": 1}}), "has no parameter 'evil'"),
        (put("scopes", 1, value=[["bn", "", 1.5]]), "the index of a scope"),
        (put("scopes", 1, value=[[1, "", None]]), "no text"),
        (put("scopes", 1, value=[["bn"]]), "contradict each other"),
        (put("scopes", 1, value=[["backward", "of", 10**6]]), "a backward node belongs"),
        (put("places", 0, value=[99, 1, 1, 0, 0, 0]), "beyond the table of files"),
        (put("places", 0, value=[0, -1, 1, 0, 0, 0]), "negative line"),
        (put("places", 0, value=[0, 1]), "contradict each other"),
        (put("files", 0, value=None), "no text"),
        (put("given_names", 0, value=[10**6, "x"]), "names a node that is not there"),
        (put("given_names", 0, value=[0, {}]), "no text"),
        (put("guards", 0, value=[10**6, "bool", True, -1]), "a guard looks at a node"),
        (
            put("guards", 0, value=[0, "bool", True, -1]),
            "a guard looks at a node that is not one number",
        ),
        (put("guards", 0, 1, value="eval"), "a guard of it is unknown"),
        (put("guards", 0, 3, value=10**6), "a guard of it is unknown"),
        (put("guards", 0, value=[1, 2]), "contradict each other"),
        (put("sources", value=[]), "a table of it has no names"),
        (put("sources", value={"a.py": ["text"]}), "contradict each other"),
        (put("sources", value={"a.py": [1, 2]}), "no text"),
        (put("meta", value=3), "a table of it has no names"),
        (put("saved_names", value=[3]), "no text"),
        (lambda document: document.pop("meta"), "its meta is missing"),
    ],
)
def test_a_document_whose_parts_contradict_each_other_is_refused(saved, tmp_path, document, said):
    refused(rewritten(saved, tmp_path / "bad.trace", document=document), said)


def test_an_operation_with_too_many_or_too_few_inputs_is_refused(path, tmp_path):
    x = tr.tensor(2.0, name="x")
    tr.trace(x * tr.tanh(x)).save(path)
    for count in (0, 2):
        bad = rewritten(
            path, tmp_path / "bad.trace", columns={"input_start": at(slice(2, 3), count)}
        )
        refused(bad, f"has {count} inputs")


def test_truths_that_are_neither_true_nor_false_are_refused_when_somebody_looks(path, tmp_path):
    x = tr.tensor([1.0, 2.0], name="x")
    mask = x > 1.5
    tr.trace(tr.sum(tr.where(mask, x, 0.0))).save(path)
    loaded = tr.load(path)
    offset = int(loaded.storage.tensors.offsets[loaded.storage.value_of[loaded.node_index("mask")]])

    def spoil(data, inside):
        data[offset] = 7

    bad = tr.load(rewritten(path, tmp_path / "bad.trace", blob=spoil))
    with pytest.raises(
        TraceFileError, match=r"bad.trace: an array of truths holds other bytes than 0 and 1"
    ):
        bad.value("mask")


def test_sizes_that_a_hostile_file_declares_allocate_nothing(saved, tmp_path):
    def huge(column):
        column[:] = 2**40

    bad = rewritten(saved, tmp_path / "bad.trace", columns={"sizes": huge})
    tracemalloc.start()
    refused(bad)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_sparse_file_of_a_terabyte_is_refused_before_its_columns_are_read(
    saved, tmp_path, monkeypatch
):
    monkeypatch.setattr("tracer.columns.LARGEST", 1000)
    refused(saved, "its columns take more than 1,000 bytes")


# ----- fuzzing


def use(trace):
    """Look at everything in a trace that loaded."""
    for k in range(len(trace)):
        trace.value(k)
        trace.gradient(k)
        trace.storage.saved(k)
    trace.labels, trace.timeline  # noqa: B018
    for place in trace.places:
        trace.source_line(place)


def loads_or_is_refused(path):
    """Whether it loads; any error but the one for trace files fails the test."""
    try:
        use(tr.load(path))
    except TraceFileError:
        return False
    return True


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 5))]
)
def test_a_flipped_byte_anywhere_gives_a_trace_or_one_clear_error(saved, seed):
    whole = saved.read_bytes()
    chance = random.Random(seed)
    positions = chance.sample(range(len(whole)), 50)
    positions += chance.sample(range(len(whole) - 130, len(whole)), 40)
    loaded = 0
    for position in positions:
        data = bytearray(whole)
        data[position] ^= chance.randrange(1, 256)
        saved.write_bytes(data)
        loaded += loads_or_is_refused(saved)
    assert 0 < loaded < len(positions)


def test_a_file_cut_anywhere_is_refused(saved):
    whole = saved.read_bytes()
    chance = random.Random(1)
    for length in (*chance.sample(range(len(whole)), 200), len(whole) - 1, 0, 21, 22):
        saved.write_bytes(whole[:length])
        assert not loads_or_is_refused(saved)


def test_a_file_with_something_before_behind_or_twice_is_a_trace_or_refused(saved):
    whole = saved.read_bytes()
    for data in (
        whole + b"\0",
        b"\0" + whole,
        whole + whole,
        b"\0" * 64 + whole,
        whole + b"x" * 100_000,
    ):
        saved.write_bytes(data)
        loads_or_is_refused(saved)


@pytest.mark.slow
def test_random_columns_with_right_checksums_give_a_trace_or_one_clear_error(saved, tmp_path):
    chance = np.random.default_rng(2)
    keys = list(COLUMNS)
    outcomes = []
    for _ in range(300):
        key = keys[chance.integers(len(keys))]
        limits = np.iinfo(COLUMNS[key])
        near = int(chance.integers(-3, 40))
        far = int(chance.integers(limits.min, limits.max, dtype=COLUMNS[key], endpoint=True))
        value = min(max(near, limits.min), limits.max) if chance.random() < 0.7 else far

        def change(column, value=value):
            column[chance.integers(len(column))] = value

        bad = rewritten(saved, tmp_path / "bad.trace", columns={key: change})
        outcomes.append(loads_or_is_refused(bad))
    assert {True, False} == set(outcomes)


def leaves(document, path=()):
    """The path of every value in a document."""
    if isinstance(document, dict):
        for key, inner in document.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(document, list):
        for key, inner in enumerate(document):
            yield from leaves(inner, (*path, key))
    if path:
        yield path


@pytest.mark.slow
def test_random_values_in_the_document_give_a_trace_or_one_clear_error(saved, tmp_path):
    chance = random.Random(4)
    paths = list(leaves(read_archive(saved).document))
    values = [
        None,
        True,
        -1,
        0,
        1,
        7,
        10**9,
        2**63,
        10**400,
        1.5,
        "",
        "x",
        "{0.__class__}",
        "\ud800",
        [],
        {},
        [[]],
    ]
    outcomes = []
    for _ in range(400):
        change = put(*chance.choice(paths), value=chance.choice(values))
        outcomes.append(
            loads_or_is_refused(rewritten(saved, tmp_path / "bad.trace", document=change))
        )
    assert {True, False} == set(outcomes)


# ----- files of released versions


def test_a_file_of_version_1_can_still_be_read():
    """`y = tanh(w * x)`, recorded from a file net.py: written when version 1 was made, never to be written again."""
    trace = tr.load(HERE / "files" / "version1.trace")
    assert trace.labels == ("w", "x", "mul@2", "y")
    assert trace["y"].value == np.tanh(0.5 * 2.0)
    assert trace.gradient("w") == (1 - np.tanh(1.0) ** 2) * 2.0
    assert trace["y"].scope == (ScopeEntry("rnn", "t", 3),)
    assert trace.source_line(trace["y"].place).strip() == "y = tr.tanh(w * x)"
    assert isinstance(trace.replay({"w": 1.0}).value("y"), np.float64)


def test_every_error_of_a_file_is_an_error_of_gradstep_and_of_the_system():
    assert issubclass(TraceFileError, GradstepError)
    assert issubclass(TraceFileError, OSError)


def test_a_loaded_trace_keeps_its_numbers_when_another_is_saved_over_its_file(path):
    """The file is renamed into place, never written into: who has it mapped keeps the old one."""
    tr.trace((tr.tensor(np.full(1000, 1.0), name="x") * 2.0).sum()).save(path)
    first = tr.load(path)
    inode = path.stat().st_ino
    tr.trace((tr.tensor(np.full(1000, 7.0), name="x") * 2.0).sum()).save(path)
    assert path.stat().st_ino != inode
    assert first.value("x").tolist() == [1.0] * 1000
    assert tr.load(path).value("x")[0] == 7.0
