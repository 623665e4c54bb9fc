"""Values on a device: made there, moved, recorded, differentiated, replayed, saved; and errors at the door."""

import pickle

import numpy as np
import pytest

import tracer as tr
from ops.devices.arrays import DeviceArray
from ops.devices.interpreting import INTERPRET
from tracer.errors import DeviceError

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


# ----- at the door


def test_two_devices_in_one_operation_are_refused_with_both_named_and_the_line():
    a, b = tr.tensor([1.0, 2.0]), tr.tensor([1.0, 2.0], device="interpret")
    with pytest.raises(DeviceError) as caught:
        a * b
    said = str(caught.value)
    assert said.startswith("mul: x lies on the cpu, and another input on interpret")
    assert "test_placing.py" in said
    assert "a * b" in said
    assert "\n  try: x.to('interpret')" in said


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
