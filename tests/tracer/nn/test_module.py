"""Modules: what they find, what they call it, where they say it was recorded, and what they keep in files."""

from __future__ import annotations

import copy
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from tracer.errors import ShapeError, StateError


class Net(tr.nn.Module):
    """A list of layers, a dictionary of layers, a parameter of its own, and a container."""

    def __init__(self) -> None:
        self.blocks = [tr.nn.Linear(2, 2, rng=0), tr.nn.Linear(2, 2, rng=1)]
        self.heads = {"a": tr.nn.Linear(2, 3, rng=2)}
        self.scale = tr.parameter(2.0)
        self.tail = tr.nn.Sequential(tr.nn.BatchNorm1d(3), tr.relu, tr.nn.Linear(3, 1, rng=3))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.tail(self.heads["a"](x)) * self.scale


NAMES = [
    "scale",
    *(f"blocks.{k}.{name}" for k in (0, 1) for name in ("weight", "bias")),
    "heads.a.weight",
    "heads.a.bias",
    *(f"tail.{k}.{name}" for k in (0, 2) for name in ("weight", "bias")),
]
X = np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 3.0]])


def scopes(net: tr.nn.Module, x=X) -> list[str]:
    trace = tr.trace(tr.sum(net(x)))
    return [node.scope_text for node in trace if node.op is not None]


def test_parameters_are_found_in_attributes_lists_dicts_and_containers():
    assert [name for name, _ in Net().named_parameters()] == NAMES


def test_parameters_bear_their_paths_in_a_trace_in_their_order():
    net = Net()
    trace = tr.trace(tr.sum(net(X)))
    labels = [node.label for node in trace if node.kind == "parameter"]
    assert labels == [*NAMES[1:7], "scale", *NAMES[7:]]  # in the order in which they were made


def test_buffers_are_found_with_their_paths():
    names = [name for name, _ in Net().named_buffers()]
    assert names == ["tail.0.running_mean", "tail.0.running_var", "tail.0.num_batches_tracked"]


def test_each_module_runs_in_its_own_scope():
    assert scopes(Net()) == [
        "net.blocks[k=0]",
        "net.blocks[k=1]",
        "net.heads[k=a]",
        "net.tail.batch_norm1d[k=0]",
        "net.tail",
        "net.tail.linear[k=2]",
        "net",
        "",
    ]


def test_layers_appended_later_get_their_names_and_scopes():
    class Stack(tr.nn.Module):
        def __init__(self):
            self.layers = []
            for k in range(2):
                self.layers.append(tr.nn.Linear(2, 2, rng=k))

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    net = Stack()
    assert scopes(net) == ["stack.layers[k=0]", "stack.layers[k=1]", ""]
    assert [one.name for one in net.parameters()] == [
        f"layers.{k}.{name}" for k in (0, 1) for name in ("weight", "bias")
    ]


def test_a_name_grows_with_the_module_that_it_is_put_into():
    inner = tr.nn.Linear(2, 2)
    assert inner.weight.name == "weight"
    middle = tr.nn.Residual(inner)
    assert inner.weight.name == "layer.weight"
    outer = tr.nn.Sequential(middle)
    assert inner.weight.name == "0.layer.weight"
    assert scopes(outer)[0] == "sequential.residual[k=0].layer"


def test_a_name_that_the_user_gave_stays():
    class Named(tr.nn.Module):
        def __init__(self):
            self.w = tr.parameter([1.0], name="W1")

    net = tr.nn.Sequential(Named())
    assert [(path, one.name) for path, one in net.named_parameters()] == [("0.w", "W1")]


def test_a_shared_module_counts_once_under_its_first_path():
    class Tied(tr.nn.Module):
        def __init__(self):
            self.first = tr.nn.Linear(2, 2)
            self.second = self.first
            self.also = self.first.weight

    net = Tied()
    assert [name for name, _ in net.named_parameters()] == ["also", "first.bias"]
    assert net.first.weight.name == "first.weight"


def test_containers_in_containers_are_walked():
    class Grid(tr.nn.Module):
        def __init__(self):
            self.rows = [[tr.nn.Linear(1, 1)], ({"x": tr.nn.Linear(1, 1)},)]

    names = [name for name, _ in Grid().named_parameters()]
    assert names == [f"rows.{k}.{name}" for k in ("0.0", "1.0.x") for name in ("weight", "bias")]


def test_a_module_that_holds_itself_is_walked_once():
    net = tr.nn.Linear(1, 1)
    net.me = net
    assert [name for name, _ in net.named_parameters()] == ["weight", "bias"]


def test_a_renamed_parameter_keeps_its_gradient_and_receives_that_of_a_loss_recorded_before():
    layer = tr.nn.Linear(1, 1)
    loss = tr.sum(layer([[2.0]]))
    before = tr.trace(loss)
    loss.backward()
    net = tr.nn.Sequential(layer)
    assert next(net.parameters()).grad.item() == 2
    loss.backward()
    assert next(net.parameters()).grad.item() == 4
    assert before.gradient("weight").item() == 2
    assert tr.trace(loss).gradient("0.weight").item() == 2


def test_the_place_of_a_node_made_in_a_layer_is_the_users_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import tracer as tr\n"
        "layer = tr.nn.Linear(2, 3)\n"
        "net = tr.nn.Sequential(layer, tr.nn.LayerNorm(3))\n"
        "\n"
        "hidden = layer([[1.0, 2.0]])\n"
        "y = net([[1.0, 2.0]])\n"
    )
    names: dict[str, tr.Tensor] = {}
    exec(compile(script.read_text(), str(script), "exec"), names)
    trace = tr.trace(tr.sum(names["hidden"]) + tr.sum(names["y"]))
    lines = {node.label: node.place.line for node in trace if node.place.file == str(script)}
    assert lines["0.weight"] == 2
    assert lines["1.weight"] == 3
    assert lines["hidden"] == 5
    assert lines["y"] == 6
    ours = Path(tr.__file__).parent
    assert all(ours not in Path(node.place.file).parents for node in trace)


def test_train_and_eval_reach_every_module():
    net = Net()
    assert net.eval() is net
    assert not any(module.training for _, module in net.named_modules())
    assert all(module.training for _, module in net.train().named_modules())


def test_zero_grad_forgets_all_gradients():
    net = Net()
    tr.sum(net(X)).backward()
    assert any(one.grad is not None for one in net.parameters())
    net.zero_grad()
    assert all(one.grad is None for one in net.parameters())


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Empty has no forward\n  try: def forward"):
        type("Empty", (tr.nn.Module,), {})()([1.0])


def test_a_deep_copy_is_a_module_of_its_own():
    net = Net()
    other = copy.deepcopy(net)
    net.scale.set(5.0)
    assert other.scale.item() == 2
    assert [one.name for one in other.parameters()] == NAMES


def test_a_module_prints_as_in_pytorch():
    assert repr(Net()) == (
        "Net(\n"
        "  (blocks.0): Linear(in_features=2, out_features=2, bias=True)\n"
        "  (blocks.1): Linear(in_features=2, out_features=2, bias=True)\n"
        "  (heads.a): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (tail): Sequential(\n"
        "    (0): BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)\n"
        "    (1): relu\n"
        "    (2): Linear(in_features=3, out_features=1, bias=True)\n"
        "  )\n"
        ")"
    )


# ----- states and files


def test_a_state_is_not_changed_by_later_training():
    net = Net()
    state = net.state_dict()
    before = {name: value.copy() for name, value in state.items()}
    net(X)
    for one in net.parameters():
        one.set(one.value + 1)
    assert all((state[name] == before[name]).all() for name in state)
    net.load_state_dict(state)
    assert all((net.state_dict()[name] == before[name]).all() for name in state)


def test_a_file_gives_back_every_number(tmp_path):
    net, other = Net(), Net()
    for one in net.parameters():
        one.set(one.value + 1)
    net(X)
    net.save(tmp_path / "net.npz")
    other.load(tmp_path / "net.npz")
    for name, value in net.state_dict().items():
        assert (other.state_dict()[name] == value).all(), name
    assert other.state_dict()["tail.0.num_batches_tracked"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


def test_numpy_reads_the_file_and_may_write_it(tmp_path):
    net = tr.nn.Linear(2, 1)
    net.save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as file:
        assert sorted(file.files) == ["bias", "weight"]
        doubled = {name: 2 * file[name] for name in file.files}
    np.savez_compressed(tmp_path / "doubled.npz", **doubled)
    expected = 2 * net.weight.value
    net.load(tmp_path / "doubled.npz")
    assert (net.weight.value == expected).all()


def test_float64_weights_load_into_a_float32_module(tmp_path):
    tr.nn.Linear(2, 1).save(tmp_path / "net.npz")
    net = tr.nn.Linear(2, 1, dtype=np.float32)
    net.load(tmp_path / "net.npz")
    assert net.weight.dtype == np.float32


def test_everything_that_does_not_fit_is_listed_and_nothing_is_loaded(tmp_path):
    net = Net()
    state = dict(net.state_dict())
    before = dict(state)
    state["blocks.0.weight"] = np.ones((2, 2))
    state["scale"] = np.ones(3)
    del state["heads.a.bias"]
    state["extra"] = np.ones(1)
    expected = (
        r"the state does not fit this Net:\n"
        r"  missing: heads\.a\.bias\n"
        r"  unexpected: extra\n"
        r"  shapes: scale \(3,\) for \(\)\n"
        r"  try: "
    )
    with pytest.raises(StateError, match=expected):
        net.load_state_dict(state)
    np.savez(tmp_path / "wrong.npz", **state)
    with pytest.raises(StateError, match=r"wrong\.npz does not fit:\n  missing: heads"):
        net.load(tmp_path / "wrong.npz")
    assert all((net.state_dict()[name] == before[name]).all() for name in before)


def test_a_damaged_file_is_refused(tmp_path):
    net = tr.nn.Linear(20, 10)
    path = tmp_path / "net.npz"
    net.save(path)
    whole = path.read_bytes()
    for broken in (b"", b"no zip", whole[: len(whole) // 2], whole[:300] + b"!" + whole[301:]):
        path.write_bytes(broken)
        with pytest.raises(StateError, match=r"net\.npz cannot be read as an npz file of arrays"):
            net.load(path)


def test_a_file_of_objects_is_refused(tmp_path):
    np.savez(tmp_path / "net.npz", weight=np.array([[{}, []]], dtype=object), bias=np.ones(1))
    with pytest.raises(StateError, match="object"):
        tr.nn.Linear(2, 1).load(tmp_path / "net.npz")


def test_a_file_that_declares_a_huge_array_is_refused_by_its_header(tmp_path):
    path = tmp_path / "net.npz"
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("weight.npy", "w") as stream:
            header = {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
            np.lib.format.write_array_header_1_0(stream, header)
        archive.writestr("bias.npy", b"")
    with pytest.raises(StateError):
        tr.nn.Linear(2, 1).load(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        tr.nn.Linear(2, 1).load(tmp_path / "nowhere.npz")


def test_a_failed_save_leaves_the_older_file(tmp_path, monkeypatch):
    net = tr.nn.Linear(2, 1)
    net.save(tmp_path / "net.npz")
    before = (tmp_path / "net.npz").read_bytes()

    def fail(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(OSError, match="the disk is full"):
        net.save(tmp_path / "net.npz")
    assert (tmp_path / "net.npz").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


def test_a_buffer_refuses_another_shape():
    buffer = tr.nn.Buffer(np.zeros(2), name="mean")
    with pytest.raises(ShapeError, match=r"buffer mean: the new value has shape \(3,\)"):
        buffer.set(np.zeros(3))
    assert repr(buffer) == "buffer(array([0., 0.]))"


def test_a_buffer_is_a_node_of_its_kind_where_it_is_read():
    bn = tr.nn.BatchNorm1d(2).eval()
    trace = tr.trace(tr.sum(bn([[1.0, 2.0]])))
    assert [node.label for node in trace if node.kind == "buffer"] == [
        "running_mean",
        "running_var",
    ]


# ----- in traces, and at the start of a process


def test_what_a_network_gives_bears_the_name_and_its_inner_nodes_do_not():
    net = tr.nn.Sequential(tr.nn.Linear(2, 3), tr.relu, tr.nn.Linear(3, 2))
    y = net([[1.0, 2.0]])
    for _ in range(2):
        y = net(y)
    names = [node.name for node in tr.trace(tr.sum(y)) if node.op is not None]
    assert names == ["", "", "y"] * 3 + [""]


def test_a_network_survives_a_trace_file(tmp_path):
    net = Net()
    trace = tr.trace(tr.sum(net(X)))
    trace.save(tmp_path / "net.trace")
    loaded = tr.load(tmp_path / "net.trace")
    assert [node.label for node in loaded] == [node.label for node in trace]
    assert [node.scope_text for node in loaded] == [node.scope_text for node in trace]
    assert (loaded.gradient("blocks.0.weight") == trace.gradient("blocks.0.weight")).all()


def test_importing_tracer_loads_no_layers(python):
    done = python(
        "-c",
        "import sys, tracer as tr\n"
        "rooms = ('tracer.nn', 'tracer.optim', 'tracer.init')\n"
        "assert not any(name.startswith(rooms) for name in sys.modules)\n"
        "assert {'nn', 'optim', 'init'} <= set(dir(tr))\n"
        "tr.optim\n"
        "assert 'tracer.nn' not in sys.modules\n"
        "tr.nn, tr.init\n"
        "heavy = {'numba', 'scipy', 'textual', 'graphviz', 'zipfile'}\n"
        "print(heavy & {name.split('.')[0] for name in sys.modules})\n",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "set()"
