"""What runs an operation on a device: kernels, parts, numpy on copies; whose errors are heard; how often rules run."""

import numpy as np
import pytest

import tracer as tr
from ops.cuda.native import compute, pull
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.errors import DeviceError
from ops.primitive import NUMBERS, PRIMITIVES

X = np.array([1.0, 3.0, 2.0])


@pytest.fixture(autouse=True)
def the_table_as_it_was():
    before = set(dict.keys(PRIMITIVES))
    yield
    for name in set(dict.keys(PRIMITIVES)) - before:
        if not PRIMITIVES[name].home.startswith("ops."):
            dict.__delitem__(PRIMITIVES, name)


def declared(rule, kernel=None, **options):
    kernel = kernel or (lambda x: x * x)
    return tr.primitive(name="theirs", vjps={"x": rule}, **options)(kernel)


def added_at(g, out, x):
    flow = np.zeros(x.shape)
    np.add.at(flow, np.arange(3), 2 * x * g)
    return flow


def added_in_place(g, out, x):
    flow = np.zeros_like(x)
    flow += 2 * x * g
    return flow


def written_out(g, out, x):
    return np.multiply(2 * x, g, out=np.empty(x.shape))


RULES = {
    "np.max of np.abs": lambda g, out, x: 2 * x * g * np.max(np.abs(x)) / 3,
    "np.add.at": added_at,
    "+=": added_in_place,
    "out=": written_out,
    "assigned": lambda g, out, x: np.array([2 * a * b for a, b in zip(x, g, strict=True)]),
    "np.einsum": lambda g, out, x: np.einsum("i,i->i", 2 * x, g),
    "np.diag": lambda g, out, x: np.diag(2 * x) @ g,
}


@pytest.mark.parametrize("how", RULES)
def test_a_rule_of_a_user_may_use_whatever_numpy_has(how):
    op = declared(RULES[how])
    flows = []
    for device in ("cpu", "interpret"):
        x = tr.tensor(X, device=device)
        (op(x) * 2.0).sum().backward()
        flows.append(np.asarray(x.grad))
    assert type(x.grad) is DeviceArray
    np.testing.assert_array_equal(flows[0], 4 * X)
    np.testing.assert_array_equal(flows[1], flows[0])


def test_a_rule_of_a_user_runs_once_for_one_flow():
    seen = []

    def rule(g, out, x):
        seen.append(type(g))
        return 2 * x * g

    op = declared(rule)
    op(tr.tensor(X, device="interpret")).sum().backward()
    assert seen == [np.ndarray]


def test_parts_of_a_user_run_on_the_device_where_they_can_and_so_do_the_rules_of_them():
    op = declared(lambda g, out, x: 2 * x * g, parts=lambda x: x * x)
    x = array(INTERPRET, X)
    before = INTERPRET.fetched
    found = compute(op, [x], {})
    (flow,) = pull(op, x, found.value, [x], [True])
    assert not found.host
    assert INTERPRET.fetched == before
    np.testing.assert_array_equal(flow.numpy(), 2 * X * X)


def test_parts_and_rules_that_only_numpy_can_run_go_to_the_host():
    op = declared(lambda g, out, x: 2 * x * np.real(g), parts=lambda x: np.real(x) * x)
    x = array(INTERPRET, X)
    found = compute(op, [x], {})
    assert found.host
    (flow,) = pull(op, x, found.value, [x], [True])
    np.testing.assert_array_equal(flow.numpy(), 2 * X * X)


@pytest.mark.parametrize("parts", [None, lambda x: x * x])
def test_what_is_wrong_with_a_rule_on_the_host_too_is_said(parts):
    def rule(g, out, x):
        raise ZeroDivisionError("of theirs")

    op = declared(rule, parts=parts)
    x = array(INTERPRET, X)
    with pytest.raises(ZeroDivisionError, match="of theirs"):
        pull(op, x, x, [x], [True])


def test_an_error_of_a_rule_of_ours_is_not_hidden():
    def rule(g, out, x):
        raise TypeError("a bug")

    op = PRIMITIVES["inv"].replaced(vjps={"a": rule})
    x = array(INTERPRET, np.eye(2))
    with pytest.raises(TypeError, match="a bug"):
        pull(op, x, x, [x], [True])


def test_kernels_belong_to_an_operation_and_not_to_its_name():
    op = PRIMITIVES["sum"].replaced(vjps={"x": lambda g, out, x, **_: 0.0 * x})
    x = array(INTERPRET, X)
    (flow,) = pull(op, x[0], x[0], [x], [True], {"axis": None, "keepdims": False})
    np.testing.assert_array_equal(flow.numpy(), np.zeros(3))


@pytest.mark.parametrize("gives", [np.float16, np.complex64, np.str_])
def test_what_a_kernel_gives_that_no_value_may_be_is_refused_as_on_the_cpu(gives):
    op = declared(lambda g, out, x: g, kernel=lambda x: np.asarray(x).astype(gives))
    said = []
    for device in ("cpu", "interpret"):
        with pytest.raises(tr.errors.DTypeError) as caught:
            op(tr.tensor(X, device=device))
        said.append(str(caught.value))
    assert said[0] == said[1]
    for dtype in ("float16", "complex64"):
        with pytest.raises(tr.errors.DTypeError, match="but values are float32"):
            tr.tensor(tr.tensor(X, device="interpret"), dtype=dtype)


def drawn(*shape):
    return np.arange(np.prod(shape, dtype=float)).reshape(shape) + 1


WRONG = {
    "max_pool2d": lambda t: tr.max_pool2d(t(3, 4), 2),
    "linear": lambda t: tr.linear(t(2, 3), t(4, 5)),
    "linear's bias": lambda t: tr.linear(t(2, 3), t(4, 3), t(1)),
    "gelu": lambda t: tr.gelu(t(3), approximate="x"),
    "glu": lambda t: tr.glu(t(3)),
    "glu's axis": lambda t: tr.glu(t(4), axis=3),
    "rnn_cell": lambda t: tr.rnn_cell(t(2, 2), t(1, 1), t(1, 2), t(1, 1)),
    "gru_cell": lambda t: tr.gru_cell(t(2, 3), t(2, 4), t(3, 3), t(4, 4)),
    "lstm_cell": lambda t: tr.lstm_cell(t(2, 2), t(1, 1), t(1, 1), t(4, 2), t(4, 1)),
    "attention": lambda t: tr.scaled_dot_product_attention(t(4), t(2, 4), t(2, 3)),
    "matmul": lambda t: t(2, 3) @ t(2, 3),
    "cross_entropy": lambda t: tr.cross_entropy(t(2, 3), np.array([0, 7])),
    "an axis": lambda t: t(2, 3).sum(axis=5),
    "an index": lambda t: t(2, 3)[7],
}


@pytest.mark.parametrize("what", WRONG)
def test_what_the_cpu_refuses_is_refused_in_the_same_words(what):
    said = []
    for device in ("cpu", "interpret"):
        with pytest.raises(tr.errors.GradstepError) as caught:
            WRONG[what](lambda *shape, device=device: tr.tensor(drawn(*shape), device=device))
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]


def test_where_the_host_finds_nothing_wrong_a_failure_on_the_device_is_heard(monkeypatch):
    from ops.cuda import native

    def broken(*inputs, **params):
        raise ValueError("of the kernel's launch")

    monkeypatch.setattr(native, "natives", lambda: {"sum": native.Native(broken)})
    native.way.cache_clear()
    try:
        with pytest.raises(ValueError, match="of the kernel's launch"):
            compute(PRIMITIVES["sum"], [array(INTERPRET, X)], {"axis": None, "keepdims": False})
    finally:
        native.way.cache_clear()


@pytest.mark.parametrize("name", ["gru_layer", "lstm_layer"])
def test_a_layer_that_kernels_do_not_take_is_computed_all_the_same(name):
    op = PRIMITIVES[name]
    sample = op.samples(np.random.default_rng(0))[0]
    args, params = op.bind(sample.args, sample.params)
    args = [x if k == 0 or type(x) in NUMBERS else x.astype(np.float32) for k, x in enumerate(args)]
    there = [x if type(x) in NUMBERS else array(INTERPRET, x) for x in args]
    found = compute(op, there, params)
    value, saved = op.run(args, params)
    np.testing.assert_allclose(found.value.numpy(), value, rtol=1e-5)
    assert found.saved.keys() == saved.keys()
    for key, kept in saved.items():
        np.testing.assert_allclose(found.saved[key].numpy(), kept, rtol=1e-5, atol=1e-6)


def test_no_memory_is_not_mistaken_for_a_wrong_input(monkeypatch):
    def full(shape, dtype):
        raise DeviceError("not enough memory\n  try: a smaller batch")

    x = array(INTERPRET, X)
    monkeypatch.setattr(INTERPRET, "empty", full)
    with pytest.raises(DeviceError, match="not enough memory"):
        compute(PRIMITIVES["exp"], [x], {})
