"""Values on a device: made there, moved, recorded, differentiated, replayed, saved; and errors at the door."""

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

import tracer as tr
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from tracer.errors import DeviceError, DTypeError, MixedDevicesError
from tracer.fetching import COPIES, ENTRY, Findings, fetched

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])


def squares(device="cpu"):
    x = tr.tensor(X, name="x", device=device)
    w = tr.parameter([0.5, -1.0, 2.0], name="w", device=device)
    h = tr.tanh(x @ w)
    loss = (h * h).mean()
    return x, w, loss


def test_a_tensor_is_made_where_it_is_asked_for():
    for made in (
        tr.tensor(X, device="interpret"),
        tr.constant(X, device="interpret"),
        tr.parameter(X, device="interpret"),
    ):
        assert made.device == "interpret"
        assert type(made.value) is DeviceArray
        assert (made.shape, made.dtype, made.ndim, made.size) == (X.shape, X.dtype, 2, 6)
        np.testing.assert_array_equal(made.numpy(), X)
        np.testing.assert_array_equal(np.asarray(made), X)
    assert tr.tensor(X).device == "cpu"


def test_inside_a_device_everything_new_lies_there():
    with tr.device("interpret"):
        assert tr.tensor(2.0).device == "interpret"
        assert tr.nn.Linear(2, 3).weight.device == "interpret"
        with tr.device("cpu"):
            assert tr.tensor(2.0).device == "cpu"
        with tr.scope("layer"):
            assert tr.constant([1, 2]).device == "interpret"
    assert tr.tensor(2.0).device == "cpu"


def test_a_chosen_device_holds_from_the_call_on():
    tr.device("interpret")
    try:
        assert tr.tensor(1.0).device == "interpret"
    finally:
        tr.device("cpu")
    assert tr.tensor(1.0).device == "cpu"


def test_a_device_is_entered_again_decorates_and_stands_for_its_name():
    device = tr.device("interpret")
    with device:
        with device:
            assert tr.tensor(1.0).device == "interpret"
        assert tr.tensor(1.0).device == "interpret"
    assert tr.tensor(1.0).device == "cpu"
    with device:
        assert tr.tensor(1.0).device == "interpret"
    assert tr.tensor(1.0).device == "cpu"
    assert (str(device), repr(device)) == ("interpret", "device('interpret')")
    assert tr.tensor(1.0).to(device).device == tr.tensor(1.0, device=device).device == "interpret"

    @tr.device("interpret")
    def made(deeper):
        return [tr.tensor(1.0).device, *(made(deeper - 1) if deeper else [])]

    assert tr.tensor(1.0).device == "cpu"
    assert made(2) == ["interpret"] * 3
    assert tr.tensor(1.0).device == "cpu"


def test_a_choice_of_device_moves_nothing_that_lies_on_the_cpu():
    x, net = tr.tensor([1.0, 2.0], name="x"), tr.nn.Linear(2, 2)
    with tr.device("interpret"):
        made = [
            x + np.ones(2),
            tr.where(x.value > 1, x, 0),
            x[np.array([0])],
            tr.stack([x, [1, 2]]),
        ]
        made += [net([1.0, 2.0]), x.detach(), copy.copy(x), copy.deepcopy(x), x.detach() * x]
        first = tr.grad((x * x * x).sum(), x, create_graph=True)
        assert {each.device for each in (*made, first)} == {"cpu"}
        np.testing.assert_array_equal(tr.grad(first.sum(), x), [6.0, 12.0])
        assert tr.nn.BatchNorm1d(3).running_mean.device == "interpret"


def test_a_constant_goes_to_the_device_once(monkeypatch):
    b = tr.tensor([1.0, 2.0], name="b", device="interpret")
    put = []
    with tr.record() as recorded:
        c = tr.constant([3.0, 4.0], name="c")
        monkeypatch.setattr(INTERPRET, "put", lambda x: put.append(x) or np.array(x, order="C"))
        loss = (b * c).sum() + (b * c * 2).sum() + tr.where(np.array([True, False]), b, 0.0).sum()
    trace = tr.trace(loss, recorded=recorded)
    assert len([x for x in put if x.ndim]) == 2
    assert c.device == "cpu"
    assert [label for label in trace.labels if label.startswith("c")] == ["c", "constant@8"]
    loss.backward()
    assert len([x for x in put if x.ndim]) == 2


def test_values_and_gradients_are_those_of_the_cpu():
    x, w, loss = squares()
    there = squares("interpret")
    loss.backward()
    there[2].backward()
    assert there[2].device == "interpret"
    for a, b in ((x, there[0]), (w, there[1])):
        assert type(b.grad) is DeviceArray
        np.testing.assert_allclose(b.grad.numpy(), a.grad, rtol=1e-12)
    np.testing.assert_allclose(there[2].item(), loss.item(), rtol=1e-14)


def test_gradients_add_up_and_are_forgotten():
    x = tr.tensor([1.0, 2.0], device="interpret")
    (x * x).sum().backward()
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [4.0, 8.0])
    x.zero_grad()
    assert x.grad is None


def test_moving_is_recorded_and_the_cotangent_comes_back():
    x = tr.tensor([1.0, 2.0], name="x")
    there = x.to("interpret")
    assert there.op.name == "to"
    y = (there * there).cpu()
    assert y.device == "cpu"
    (y * tr.constant([1.0, 10.0])).sum().backward()
    assert type(x.grad) is np.ndarray
    np.testing.assert_array_equal(x.grad, [2.0, 40.0])
    assert x.to("cpu") is x
    trace = tr.trace(y.sum())
    np.testing.assert_array_equal(trace.replay({"x": [3.0, 4.0]}).gradient("x"), [6.0, 8.0])


def test_to_takes_a_dtype_as_well():
    x = tr.tensor(X, device="interpret")
    assert x.to("float32").dtype == np.float32
    assert x.to(np.float32).device == "interpret"
    assert x.to(float) is not None


def test_the_second_derivative_is_taken_there():
    x = tr.tensor(2.0, device="interpret")
    first = tr.grad(x * x * x, x, create_graph=True)
    assert first.device == "interpret"
    assert (first.item(), tr.grad(first, x).item()) == (12.0, 12.0)


def test_a_seed_and_a_gradient_of_ones_own_go_there():
    x = tr.tensor([1.0, 2.0], device="interpret")
    (x * x).backward(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 40.0])
    x.grad = [5.0, 6.0]
    assert type(x.grad) is DeviceArray


def test_a_look_from_python_is_guarded_as_elsewhere():
    x = tr.tensor(2.0, name="x", device="interpret")
    y = x * 3.0 if x > 1.0 else x
    assert tr.trace(y).replay({"x": 0.5}).flipped


def test_what_a_hook_gives_goes_there():
    x = tr.tensor([1.0, 2.0], device="interpret")
    x.register_hook(lambda gradient: np.ones(2))
    (x * 2).sum().backward()
    assert type(x.grad) is DeviceArray


def test_no_place_points_into_our_house():
    w = tr.tensor([1.0, 2.0], name="w", device="interpret")
    y = w.value * w
    z = np.multiply(w.value, w)
    for made, name in ((y, "y"), (z, "z")):
        node = tr.trace(made, seed=[1.0, 1.0])[name]
        assert node.place.file == __file__


def test_to_takes_a_dtype_beside_a_device_and_another_value():
    x = tr.tensor([1.0, 2.0])
    like = tr.tensor(np.float32(1.0), device="interpret")
    for made in (x.to("interpret", np.float32), x.to(like)):
        assert (made.device, made.dtype) == ("interpret", np.float32)


# ----- at the door


@pytest.mark.parametrize("dtype", ["float16", "complex64"])
def test_dtypes_that_no_value_has_are_refused_there_too(dtype):
    there = tr.tensor([1.0], device="interpret")
    with pytest.raises(DTypeError, match=f"data of dtype {dtype}"):
        tr.tensor(there, dtype=dtype)


def test_two_devices_in_one_operation_are_refused_with_both_named_and_the_line():
    a, b = tr.tensor([1.0, 2.0]), tr.tensor([1.0, 2.0], device="interpret")
    with pytest.raises(DeviceError) as caught:
        a * b
    said = str(caught.value)
    assert said.startswith("mul: a float64[2] lies on the cpu, b float64[2] on interpret\n")
    assert "test_placing.py" in said
    assert "a * b" in said
    assert "\n  try: a.to('interpret')" in said
    assert type(caught.value) is MixedDevicesError
    with pytest.raises(MixedDevicesError, match="stack: its third input float64"):
        tr.stack([b, b, a * 2])
    with pytest.raises(
        MixedDevicesError, match=r"weight float64\[2, 2\].*\n  at .*\n  try: module.to"
    ):
        tr.nn.Linear(2, 2)(b)


def test_constants_follow_to_the_device():
    b = tr.tensor([1.0, 2.0], device="interpret")
    (b * np.array([3.0, 4.0])).sum().backward()
    np.testing.assert_array_equal(b.grad.numpy(), [3.0, 4.0])
    assert (tr.constant([1.0, 1.0]) + b).device == "interpret"


def test_shapes_that_do_not_fit_are_refused_as_on_the_cpu():
    said = []
    for device in ("cpu", "interpret"):
        with pytest.raises(tr.errors.ShapeError) as caught:
            tr.tensor(np.ones(3), device=device) + tr.tensor(np.ones(4), device=device)
        said.append(str(caught.value).splitlines()[-1])
    assert said[0] == said[1]


def test_a_device_that_is_not_there_is_refused_and_the_cpu_still_works():
    if tr.devices()[1].available:
        pytest.skip("there is a GPU here")
    for wanted in (lambda: tr.tensor(1.0, device="cuda"), lambda: tr.tensor(1.0).cuda()):
        with pytest.raises(DeviceError, match=r"\n  try: device='interpret'"):
            wanted()
    with pytest.raises(DeviceError), tr.device("cuda"):
        pass
    assert tr.tensor(1.0).device == "cpu"
    assert (tr.tensor(1.0) * 2).item() == 2.0


# ----- traces


def test_a_trace_shows_numbers_of_the_host_and_keeps_those_of_the_device():
    trace = tr.trace(squares("interpret")[2])
    assert trace.device == "interpret"
    for node in trace:
        assert isinstance(node.value, (np.ndarray, np.generic))
        assert type(trace.storage.held(node.index)) is DeviceArray
    assert type(trace.gradient("w")) is np.ndarray
    assert type(trace.held_gradient(trace.node_index("w"))) is DeviceArray
    assert type(trace.flows_into("w")[0].cotangent) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        trace.value("x")[0, 0] = 1.0


def test_nodes_say_which_kernels_ran_them():
    with tr.device("interpret"):
        x = tr.tensor([[2.0, 1.0], [1.0, 3.0]])
        trace = tr.trace(tr.sum(tr.inv(tr.exp(x))))
    assert [node.kernels for node in trace] == ["", "interpret", "host", "interpret"]


def test_a_replay_runs_on_the_device():
    trace = tr.trace(squares("interpret")[2])
    again = trace.replay({"w": [1.0, 0.0, 0.0]})
    expected = tr.trace(squares()[2]).replay({"w": [1.0, 0.0, 0.0]})
    assert type(again.storage.held(again.loss)) is DeviceArray
    assert tr.compare(expected, again, ulps=64).ok


def test_a_saved_trace_is_read_without_the_device(tmp_path):
    trace = tr.trace(squares("interpret")[2])
    trace.save(tmp_path / "there.trace")
    found = tr.load(tmp_path / "there.trace")
    assert found.device == "interpret"
    assert tr.compare(trace, found, ulps=0).ok
    assert type(found.replay({"w": [1.0, 0.0, 0.0]}).value(found.loss)) is np.float64
    assert tr.compare(trace, pickle.loads(pickle.dumps(trace)), ulps=0).ok


def test_a_check_of_a_trace_on_a_device_judges_the_gradients_of_the_device():
    trace = tr.trace(squares("interpret")[2])
    assert tr.check(trace).ok


def test_a_trace_that_ends_on_the_cpu_is_checked_and_knows_its_device():
    with tr.record() as recorded:
        a = tr.tensor([1.0, 2.0], name="a", device="interpret")
        a * 3.0 * 2.0
        b = tr.tensor([1.0, 2.0], name="b")
        loss = (b * b).sum()
    trace = tr.trace(loss, recorded=recorded)
    assert trace.device == "interpret"
    assert trace.on_host().device == "cpu"
    assert tr.check(trace).ok
    assert tr.verify(trace, "dL/db = 2*b").ok
    assert tr.trace((a * 3.0).to("cpu").sum()).device == "interpret"
    assert tr.trace(loss).device == "cpu"


@pytest.mark.parametrize("order", [1, 2])
def test_functions_are_checked_where_the_choice_of_device_puts_them(order):
    x, ran = np.array([1.0, 2.0]), set()

    def cube(x):
        y = x * x * x * tr.constant([1.0, 2.0])
        ran.add(y.device)
        return y.sum()

    with tr.device("interpret"):
        assert tr.check(cube, (x,), order=order).ok
        assert tr.assert_gradients(tr.tanh, (x,)).ok
        assert tr.verify_function(np.sin, lambda g, x: g * np.cos(x), (x,)).ok
        assert not tr.check(lambda x: (x * x.detach()).sum(), (x,)).ok
        trace = tr.trace(cube(tr.tensor(x, name="x")))
        assert tr.certify(trace, "x").values.shape == (2,)
    assert ran == {"interpret"}


def test_arguments_on_a_device_are_checked_there():
    w = tr.parameter([1.0, 2.0], device="interpret")
    for x in (tr.tensor([3.0, 4.0], device="interpret"), w, array(INTERPRET, np.array([3.0, 4.0]))):
        assert tr.check(lambda x: (x * w * x).sum(), (x,), order=2).ok
        assert tr.assert_gradients(lambda x: x * w, (x,)).ok
        assert tr.verify_function(np.sin, lambda g, x: g * np.cos(x), (x,)).ok
        assert type(tr.jacobian(lambda x: (x * w).sum(), x)) is np.ndarray
        value, slope = tr.jvp(lambda x: (x * w).sum(), x, [1.0, 0.0])
        assert (type(value), slope) == (np.float64, 1.0)


def test_a_replay_of_a_saved_trace_says_that_numpy_ran(tmp_path):
    tr.trace(squares("interpret")[2]).save(tmp_path / "there.trace")
    found = tr.load(tmp_path / "there.trace")
    again = found.replay({"w": [1.0, 0.0, 0.0]})
    assert found["h"].kernels == "interpret"
    assert again["h"].kernels == "numpy"
    assert again.device == "cpu"


# ----- what is fetched


def test_copies_are_bounded_by_bytes_the_oldest_go_first():
    copies = Findings(lambda value: value.numpy(), 4 * (1024 + ENTRY))
    arrays = [array(INTERPRET, np.full(128, float(k))) for k in range(10)]
    for x in arrays:
        copies.of(x)
        copies.of(arrays[0])
        assert copies.size <= copies.most
    assert len(copies) == 4
    before = INTERPRET.fetched
    copies.of(arrays[0])
    copies.of(arrays[-1])
    assert INTERPRET.fetched == before
    copies.of(arrays[1])
    assert INTERPRET.fetched == before + 1024


def test_a_copy_goes_with_its_trace():
    gc.collect()
    before = len(COPIES)
    trace = tr.trace(squares("interpret")[2])
    for node in trace:
        assert node.value is node.value
    assert len(COPIES) > before
    del trace, node
    gc.collect()
    assert len(COPIES) == before


@pytest.mark.parametrize("shape", [(300, 300), (2, 2000), (7,) * 3, (9999,), (10, 10), (150, 0)])
def test_printing_fetches_no_more_than_is_printed(shape):
    x = np.random.default_rng(0).normal(size=shape)
    there = tr.tensor(x, device="interpret")
    before = INTERPRET.fetched
    assert repr(there) == repr(tr.tensor(x)).replace(")", ", device='interpret')")
    assert INTERPRET.fetched - before <= 4096


def test_several_threads_may_look_at_once():
    wrong = []

    def look():
        try:
            for k in range(300):
                x = array(INTERPRET, np.full(4, float(k)))
                if fetched(x) is not fetched(x) or fetched(x)[0] != k:
                    wrong.append(k)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_looking_at_the_shape_of_every_node_copies_nothing():
    trace = tr.trace(squares("interpret")[2])
    before = INTERPRET.fetched
    for node in trace:
        assert node.shape is not None
        assert node.dtype is not None
    assert INTERPRET.fetched == before


# ----- layers and optimisers


def test_a_module_moves_with_its_parameters_and_buffers_and_trains_there():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(8, 3)), np.arange(8) % 2
    losses = {}
    for device in ("cpu", "interpret"):
        tr.manual_seed(1)
        net = tr.nn.Sequential(tr.nn.Linear(3, 4), tr.nn.BatchNorm1d(4), tr.nn.Linear(4, 2))
        assert net.to(device) is net
        optimizer = tr.optim.Adam(net.parameters(), lr=0.1)
        losses[device] = []
        for _ in range(3):
            loss = tr.cross_entropy(net(tr.constant(x, device=device)), labels)
            optimizer.zero_grad()
            loss.backward()
            tr.optim.clip_grad_norm(net.parameters(), 1.0)
            optimizer.step()
            losses[device].append(loss.item())
        assert {p.device for p in net.parameters()} == {device}
        assert net[1].running_mean.device == device
        assert all(isinstance(v, (np.ndarray, np.generic)) for v in net.state_dict().values())
    np.testing.assert_allclose(losses["interpret"], losses["cpu"], rtol=1e-10)


def test_gradients_and_hooks_move_with_a_module():
    net, heard = tr.nn.Linear(2, 1), []
    net(np.ones((1, 2))).sum().backward()
    net.weight.register_hook(heard.append)
    net.to("interpret:0")
    kept = net.weight.tensor
    assert type(net.weight.grad) is DeviceArray
    np.testing.assert_array_equal(net.weight.grad.numpy(), np.ones((1, 2)))
    net.to("interpret:0")
    assert net.weight.tensor is kept
    net(np.ones((1, 2))).sum().backward()
    assert type(heard[0]) is DeviceArray
    assert type(net.cpu().weight.grad) is np.ndarray
    with pytest.raises(DeviceError, match="bogus"):
        tr.nn.Sequential().to("bogus")


@pytest.mark.parametrize("norm", [2.0, 3.0, np.inf])
def test_gradients_are_clipped_where_they_lie(norm):
    found = []
    for device in ("cpu", "interpret"):
        w = tr.parameter(np.arange(100.0), device=device)
        (w * w).sum().backward()
        before = INTERPRET.fetched
        total = tr.optim.clip_grad_norm([w], 1.0, norm)
        tr.optim.clip_grad_value([w], 0.1)
        assert INTERPRET.fetched - before <= 16
        found.append([total, *np.asarray(w.grad)])
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_statistics_without_a_recording_are_reduced_there():
    x = np.random.default_rng(0).normal(size=(50, 2))
    found = []
    for device in ("cpu", "interpret"):
        norm = tr.nn.BatchNorm1d(2).to(device)
        there = tr.tensor(x, device=device)
        before = INTERPRET.fetched
        with tr.no_grad():
            norm(there)
        assert INTERPRET.fetched - before <= 64
        found.append(np.asarray(norm.running_var))
    np.testing.assert_allclose(*found, rtol=1e-12)
