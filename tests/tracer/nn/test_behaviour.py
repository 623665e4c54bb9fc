"""What single layers do beyond PyTorch's numbers: defaults, options of the lecture, randomness, and words of errors."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr

LAYERS = {
    "Linear": lambda **more: tr.nn.Linear(9, 4, **more),
    "Embedding": lambda **more: tr.nn.Embedding(5, 3, **more),
    "Highway": lambda **more: tr.nn.Highway(9, 9, **more),
    "Conv1d": lambda **more: tr.nn.Conv1d(4, 6, 3, groups=2, **more),
    "Conv2d": lambda **more: tr.nn.Conv2d(2, 3, (3, 2), **more),
    "RNN": lambda **more: tr.nn.RNN(3, 4, num_layers=2, **more),
    "GRU": lambda **more: tr.nn.GRU(3, 4, bidirectional=True, **more),
    "LSTM": lambda **more: tr.nn.LSTM(3, 4, **more),
    "MultiheadAttention": lambda **more: tr.nn.MultiheadAttention(4, 2, **more),
    "TransformerEncoderLayer": lambda **more: tr.nn.TransformerEncoderLayer(4, 2, 8, **more),
}


@pytest.mark.parametrize("name", LAYERS)
def test_weights_follow_from_the_seed(name):
    make = LAYERS[name]
    tr.manual_seed(7)
    first = make()
    tr.manual_seed(7)
    again = make()
    other = make()
    by_rng = [make(rng=3), make(rng=np.random.default_rng(3))]
    for key, value in first.state_dict().items():
        assert (again.state_dict()[key] == value).all()
        assert (by_rng[0].state_dict()[key] == by_rng[1].state_dict()[key]).all()
    drawn = [key for key, value in first.state_dict().items() if np.unique(value).size > 1]
    assert drawn
    assert all((other.state_dict()[key] != first.state_dict()[key]).any() for key in drawn)


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (tr.nn.Linear(900, 70), 900),
        (tr.nn.Conv1d(40, 60, 5, groups=2), 100),
        (tr.nn.Conv2d(10, 60, (3, 4)), 120),
        (tr.nn.GRU(70, 50), 50),
    ],
    ids=["Linear", "Conv1d", "Conv2d", "GRU"],
)
def test_weights_and_biases_begin_uniform_within_one_over_the_root_of_the_fan(layer, fan_in):
    """As PyTorch's: kaiming_uniform(a=√5) is U(±1/√fan_in); recurrent layers take the hidden size."""
    for key, value in layer.state_dict().items():
        assert np.abs(value).max() <= fan_in**-0.5, key
        assert np.abs(value).max() > 0.9 * fan_in**-0.5, key
        assert abs(value.mean()) < 4 * (fan_in * 3 * value.size) ** -0.5, key


def test_attention_begins_xavier_with_zero_biases():
    attention = tr.nn.MultiheadAttention(30, 3, rng=0)
    bound = (6 / (30 + 90)) ** 0.5
    assert 0.9 * bound < np.abs(attention.in_proj_weight.value).max() <= bound
    assert not attention.in_proj_bias.value.any()
    assert not attention.out_proj.bias.value.any()


def test_the_padding_row_of_an_embedding_stays_zero():
    embedding = tr.nn.Embedding(4, 2, padding_idx=1, rng=0)
    optimizer = tr.optim.SGD(embedding.parameters(), lr=1.0)
    tr.sum(embedding([1, 2]) * 3.0).backward()
    optimizer.step()
    assert not embedding.weight.value[1].any()
    assert embedding.weight.grad is None


def test_running_statistics_in_the_lectures_form():
    """Mean and variance of the batch, the latter with 1/m: r ← (1 − α) r + α · batch."""
    x = np.array([[1.0], [3.0], [5.0]])
    bn = tr.nn.BatchNorm1d(1, momentum=0.5, running_variance="biased")
    bn(x)
    np.testing.assert_allclose(bn.running_mean.value, [1.5], rtol=1e-15)
    np.testing.assert_allclose(bn.running_var.value, [0.5 + 0.5 * 8 / 3], rtol=1e-15)


def test_batch_norm_gives_the_identity_back():
    """The lecture: γ = √(σ² + ε), β = μ undo the normalisation."""
    x = np.random.default_rng(0).normal(3, 2, size=(20, 4))
    bn = tr.nn.BatchNorm1d(4)
    bn.weight.set(np.sqrt(x.var(axis=0) + bn.eps))
    bn.bias.set(x.mean(axis=0))
    np.testing.assert_allclose(bn(x).value, x, rtol=1e-12)


def test_running_statistics_are_the_same_whether_recorded_or_not():
    x = np.random.default_rng(0).normal(50, 1e-3, size=(20, 4))
    recorded, silent = tr.nn.BatchNorm1d(4), tr.nn.BatchNorm1d(4)
    recorded(x)
    with tr.no_grad():
        silent(x)
    np.testing.assert_allclose(recorded.running_mean.value, silent.running_mean.value, rtol=1e-14)
    np.testing.assert_allclose(recorded.running_var.value, silent.running_var.value, rtol=1e-12)


def test_training_statistics_are_not_recorded():
    bn = tr.nn.BatchNorm1d(2)
    trace = tr.trace(tr.sum(bn(tr.tensor([[1.0, 2.0], [3.0, 5.0]]))))
    assert [node.op.name for node in trace if node.op is not None] == ["batch_norm", "sum"]


def test_a_batch_of_one_has_no_unbiased_variance():
    with pytest.raises(ValueError, match=r"BatchNorm1d: one number per feature has no unbiased"):
        tr.nn.BatchNorm1d(2)([[1.0, 2.0]])
    tr.nn.BatchNorm1d(2, running_variance="biased")([[1.0, 2.0]])
    tr.nn.BatchNorm1d(2).eval()([[1.0, 2.0]])


def test_dropout_drops_in_training_and_not_in_use():
    drop = tr.nn.Dropout(0.25)
    x = tr.tensor(np.ones(4000))
    kept = drop(x).value
    assert set(np.unique(kept)) == {0.0, 1 / 0.75}
    assert abs((kept == 0).mean() - 0.25) < 4 * (0.25 * 0.75 / 4000) ** 0.5
    assert (drop(x).value != kept).any()
    assert drop.eval()(x) is x


def test_dropout_in_the_lectures_form_scales_in_use():
    """Train: r ~ Bernoulli(p), r · a. Test: p · a."""
    drop = tr.nn.Dropout(0.75, form="lecture")
    x = tr.tensor(np.ones(4000))
    kept = drop(x).value
    assert set(np.unique(kept)) == {0.0, 1.0}
    assert abs(kept.mean() - 0.75) < 4 * (0.25 * 0.75 / 4000) ** 0.5
    assert (drop.eval()(x).value == 0.75).all()


def test_dropout_follows_from_the_seed():
    drop, x = tr.nn.Dropout(), np.ones(50)
    tr.manual_seed(1)
    first = drop(x)
    tr.manual_seed(1)
    assert (np.asarray(drop(x)) == np.asarray(first)).all()


def test_highway_has_the_derivative_of_the_lecture():
    """∂e/∂W = (y − t) σ(p) σ(s)(1 − σ(s)) h + (y − t) [σ(p)(1 − σ(p)) σ(s) + 1 − σ(p) − p σ(p)(1 − σ(p))] h."""
    layer = tr.nn.Highway(1, 1)
    w, b, h, t = 0.7, -0.4, 1.3, 0.2
    layer.weight.set([[w]])
    layer.bias.set([b])
    y = layer([[h]])
    (0.5 * tr.square(y - t)).sum().backward()

    def s(z):
        return 1 / (1 + np.exp(-z))

    p, a = w * h, w * h + b
    by_layer = s(p) * s(a) * (1 - s(a))
    by_gate = s(p) * (1 - s(p)) * s(a) + 1 - s(p) - p * s(p) * (1 - s(p))
    np.testing.assert_allclose(y.value, [[s(p) * s(a) + (1 - s(p)) * p]], rtol=1e-14)
    expected = (y.item() - t) * (by_layer + by_gate) * h
    np.testing.assert_allclose(layer.weight.grad, [[expected]], rtol=1e-13)


def test_the_path_around_a_saturated_layer_survives():
    layer = tr.nn.Linear(1, 1)
    layer.weight.set([[100.0]])
    plain, residual = tr.tensor([[1.0]]), tr.tensor([[1.0]])
    tr.sum(tr.sigmoid(layer(plain))).backward()
    tr.sum(tr.nn.Residual(tr.nn.Sequential(layer, tr.sigmoid))(residual)).backward()
    assert plain.grad.item() < 1e-40
    assert residual.grad.item() == 1


def test_a_residual_may_change_the_size():
    block = tr.nn.Residual(tr.nn.Linear(2, 3), shortcut=tr.nn.Linear(2, 3, bias=False))
    assert block(np.ones((4, 2))).shape == (4, 3)
    assert [name for name, _ in block.named_parameters()] == [
        "layer.weight",
        "layer.bias",
        "shortcut.weight",
    ]
    assert repr(tr.nn.Residual(tr.tanh)) == "Residual(\n  (layer): tanh\n)"


def test_sequential_names_its_layers_if_asked_to():
    net = tr.nn.Sequential({"hidden": tr.nn.Linear(2, 3), "f": tr.tanh, "out": tr.nn.Linear(3, 1)})
    names = [name for name, _ in net.named_parameters()]
    assert names == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    trace = tr.trace(tr.sum(net([[1.0, 2.0]])))
    assert {node.scope_text for node in trace if node.op} >= {"sequential.hidden", "sequential.out"}


def test_a_function_in_a_sequential_runs_in_a_scope_of_its_name():
    def twice_the_square(x):
        return 2 * tr.square(x)

    net = tr.nn.Sequential(tr.tanh, twice_the_square)
    trace = tr.trace(tr.sum(net(tr.tensor([1.0]))))
    assert [(n.op.name, n.scope_text) for n in trace if n.op is not None] == [
        ("tanh", "sequential"),
        ("square", "sequential.twice_the_square[k=1]"),
        ("mul", "sequential.twice_the_square[k=1]"),
        ("sum", ""),
    ]


def test_recurrent_dropout_acts_between_layers_in_training_only():
    rnn = tr.nn.GRU(2, 3, num_layers=2, dropout=0.5, bidirectional=True, rng=0)
    x = np.random.default_rng(0).normal(size=(4, 2, 2))
    plain, _ = rnn.eval()(x)
    tr.manual_seed(0)
    dropped, last = rnn.train()(x, tr.constant(np.zeros((4, 2, 3))))
    trace = tr.trace(tr.sum(dropped))
    assert [node.op.name for node in trace if node.op is not None].count("dropout") == 1
    assert dropped.shape == plain.shape
    assert last.shape == (4, 2, 3)
    assert (dropped.value != plain.value).any()
    with tr.no_grad():
        rnn.dropout = 0.0
        np.testing.assert_array_equal(np.asarray(rnn(x)[0]), plain.value)


def test_an_lstm_with_dropout_returns_both_states():
    rnn = tr.nn.LSTM(2, 3, num_layers=2, dropout=0.5)
    outputs, (h, c) = rnn(np.ones((4, 2, 2)))
    assert outputs.shape == (4, 2, 3)
    assert h.shape == c.shape == (2, 2, 3)


def test_truncation_cuts_the_gradient_in_time():
    x = tr.tensor(np.random.default_rng(0).normal(size=(6, 1, 2)))
    outputs, _ = tr.nn.RNN(2, 3, truncate=3, rng=0)(x)
    tr.sum(outputs[-1]).backward()
    assert not x.grad[:3].any()
    assert x.grad[3:].all()


def test_attention_weights_drop_in_training():
    attention = tr.nn.MultiheadAttention(4, 2, dropout=0.5, rng=0)
    x = np.random.default_rng(0).normal(size=(5, 3, 4))
    tr.manual_seed(0)
    out, weights = attention(x, x, x)
    assert weights is None
    calm, _ = attention.eval()(x, x, x)
    assert (out.value != calm.value).any()


@pytest.mark.parametrize("need_weights", [False, True])
def test_a_query_that_may_attend_to_nothing_gives_no_nan(need_weights):
    attention = tr.nn.MultiheadAttention(4, 2, batch_first=True, rng=0)
    x = tr.tensor(np.random.default_rng(0).normal(size=(2, 3, 4)))
    padding = np.array([[False, False, True], [True, True, True]])
    out, weights = attention(x, x, x, key_padding_mask=padding, need_weights=need_weights)
    np.testing.assert_allclose(out.value[1], attention.out_proj.bias.value + np.zeros((3, 4)))
    tr.sum(tr.square(out)).backward()
    assert np.isfinite(x.grad).all()
    if need_weights:
        np.testing.assert_allclose(weights.value.sum(axis=-1), [[1, 1, 1], [0, 0, 0]])


def test_a_causal_encoder_sees_nothing_that_comes_later():
    layer = tr.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, rng=0)
    x = tr.tensor(np.random.default_rng(0).normal(size=(1, 5, 4)))
    tr.sum(layer(x, is_causal=True)[0, 2] * [1.0, -2.0, 0.5, 3.0]).backward()
    assert x.grad[0, :3].any(axis=-1).all()
    assert not x.grad[0, 3:].any()


def test_another_activation_in_the_encoder():
    layer = tr.nn.TransformerEncoderLayer(4, 2, 8, activation=tr.gelu, rng=0)
    trace = tr.trace(tr.sum(layer(np.ones((3, 1, 4)))))
    assert "gelu" in {node.op.name for node in trace if node.op is not None}
    assert "activation=gelu" in repr(layer)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tr.nn.Conv1d(3, 4, 2, groups=2), "3 channels in and 4 out do not split into 2"),
        (lambda: tr.nn.GroupNorm(2, 3), "3 channels do not split into 2 groups"),
        (lambda: tr.nn.MultiheadAttention(5, 2), "5 numbers do not split into 2 heads"),
        (lambda: tr.nn.Dropout(1.5), "p is a probability, not 1.5"),
        (lambda: tr.nn.Dropout(form="other"), "no form 'other'"),
        (lambda: tr.nn.BatchNorm1d(3, running_variance="?"), "the running variance is not '?'"),
        (lambda: tr.nn.BatchNorm1d(3)(np.ones((2, 4))), r"BatchNorm1d\(3\) takes \(N, C\)"),
        (lambda: tr.nn.BatchNorm2d(3)(np.ones((2, 3))), r"takes \(N, C, H, W\), not \(2, 3\)"),
        (lambda: tr.nn.BatchNorm2d(3)(np.ones((2, 3))), "try: BatchNorm1d for features"),
        (lambda: tr.nn.TransformerEncoderLayer(4, 2, activation="gel"), "no activation 'gel'"),
        (lambda: tr.nn.LayerNorm(3)(np.ones((2, 4))), r"takes \(\.\.\., 3\), not \(2, 4\)"),
        (lambda: tr.nn.RMSNorm((2, 3))(np.ones((3, 3))), r"takes \(\.\.\., 2, 3\), not \(3, 3\)"),
    ],
)
def test_what_does_not_fit_is_said_at_the_door(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_sequential_refuses_what_cannot_be_called():
    with pytest.raises(TypeError, match=r"Sequential takes modules and functions, not list"):
        tr.nn.Sequential([tr.relu])


def test_layers_print_their_sizes():
    assert repr(tr.nn.Embedding(5, 3, padding_idx=0)) == "Embedding(5, 3, padding_idx=0)"
    assert repr(tr.nn.Conv1d(2, 3, 4, padding="causal", bias=False)) == (
        "Conv1d(2, 3, kernel_size=(4,), padding='causal', bias=False)"
    )
    assert repr(tr.nn.LSTM(2, 3, num_layers=2)) == "LSTM(2, 3, num_layers=2)"
    assert repr(tr.nn.Highway(2, 3)) == "Highway(in_features=2, out_features=3, activation=sigmoid)"
    assert repr(tr.nn.Dropout(0.1)) == "Dropout(p=0.1)"
    assert repr(tr.nn.RMSNorm(3)) == "RMSNorm((3,), eps=1e-06, elementwise_affine=True)"
    assert repr(tr.nn.MaxPool2d(2)) == (
        "MaxPool2d(kernel_size=2, stride=None, padding=0, dilation=1)"
    )


def test_an_activation_may_be_named():
    x = np.random.default_rng(0).normal(size=(3, 2, 4))
    for name in ("relu", "gelu"):
        named, given = (
            tr.nn.TransformerEncoderLayer(4, 2, 8, 0.0, activation, rng=0)
            for activation in (name, getattr(tr, name))
        )
        np.testing.assert_array_equal(named(x).value, given(x).value)
