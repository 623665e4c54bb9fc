"""`tr.verify_function`: right kernels pass, wrong ones do not, and bad manners are said."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tracer as tr
from tracer.checking import AGREE, DISAGREE, UNDECIDABLE
from tracer.checking.progress import StoppedError
from tracer.errors import CheckError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 30))
LINE = X[0]


def cosine(g, x):
    """The right gradient of a sine."""
    return g * np.cos(x)


def with_a_flipped_sign(g, x):
    gradient = g * np.cos(x)
    gradient[0, 0] *= -1
    return gradient


def relu(x):
    return np.maximum(x, 0)


def layer_norm(x, gamma):
    """Normalised over the last axis; the cache is what Ba et al. keep."""
    inverse = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    x_hat = (x - x.mean(-1, keepdims=True)) * inverse
    return x_hat * gamma, (x_hat, inverse, gamma)


def layer_norm_backward(dout, cache):
    x_hat, inverse, gamma = cache
    g = dout * gamma
    mean = g.mean(-1, keepdims=True) + x_hat * (g * x_hat).mean(-1, keepdims=True)
    return (g - mean) * inverse, (dout * x_hat).sum(0)


# ----- right kernels


@pytest.mark.parametrize(
    ("forward", "backward", "args"),
    [
        pytest.param(np.sin, cosine, LINE, id="a ufunc"),
        pytest.param(np.sin, lambda dy, x: dy * np.cos(x), 0.5, id="a number"),
        pytest.param(np.tanh, lambda g, out, x: g * (1 - out**2), LINE, id="with the output"),
        pytest.param(layer_norm, layer_norm_backward, (X[:4], X[4]), id="with a cache"),
        pytest.param(
            lambda x, w: x @ w,
            lambda g, x, w: (g @ w.T, x.T @ g),
            (X[:3], X[:, :2]),
            id="two arguments",
        ),
        pytest.param(
            lambda x, w: x * w,
            lambda g, x, w: {"dw": g * x, "dx": g * w},
            (LINE, X[1]),
            id="by name",
        ),
        pytest.param(
            lambda x: (np.sin(x), np.cos(x)),
            lambda g1, g2, x: g1 * np.cos(x) - g2 * np.sin(x),
            LINE,
            id="two outputs",
        ),
        pytest.param(
            lambda x, n: x**n,
            lambda g, x, n: g * n * x ** (n - 1),
            (LINE, 3),
            id="an integer beside",
        ),
        pytest.param(lambda x: np.sum(x * x), lambda g, x: 2 * g * x, LINE, id="a scalar output"),
        pytest.param(
            lambda x: 1e-7 * np.sin(x), lambda g, x: 1e-7 * g * np.cos(x), LINE, id="tiny"
        ),
        pytest.param(lambda x: 1e6 + np.sin(x), cosine, LINE, id="an offset"),
        pytest.param(relu, lambda g, x: g * (x > 0), RNG.normal(size=1_500), id="a large relu"),
    ],
)
def test_a_right_kernel_passes(forward, backward, args):
    report = tr.verify_function(forward, backward, args)
    assert report.outcome == "PASS", report


def test_at_a_kink_a_subgradient_passes_and_another_number_does_not():
    at_zero = np.zeros(2)
    assert tr.verify_function(relu, lambda g, x: g * (x > 0), at_zero).outcome == "KINK"
    assert tr.verify_function(relu, lambda g, x: g * 1.7, at_zero).outcome == "FAIL"


# ----- the wrong gradients that other checkers pass (research/verify.md)


@pytest.mark.parametrize(
    ("forward", "backward", "x", "cause"),
    [
        pytest.param(
            np.sin, lambda g, x: 1.0009 * cosine(g, x), X[:2], "factor precision", id="1.0009"
        ),
        pytest.param(
            lambda x: 1e-6 * x, lambda g, x: 0 * g, LINE, "missing path", id="zero of 1e-6"
        ),
        pytest.param(
            lambda x: np.sin(x) / 2e5,
            lambda g, x: 2 * cosine(g, x) / 2e5,
            LINE,
            "two",
            id="2x of 1/2e5",
        ),
        pytest.param(np.sin, with_a_flipped_sign, X[:5], "some elements", id="one sign of 150"),
        pytest.param(
            np.sin,
            with_a_flipped_sign,
            X,
            "some elements",
            id="one sign of 900",
            marks=pytest.mark.slow,
        ),
        pytest.param(np.sin, lambda g, x: cosine(g, x).T, X[:5, :5], "transposed", id="transposed"),
        pytest.param(
            lambda x: 1e-7 * np.sin(x),
            lambda g, x: -1e-7 * cosine(g, x),
            LINE,
            "sign",
            id="sign of 1e-7",
        ),
    ],
)
def test_a_wrong_gradient_that_others_pass_is_caught_with_its_cause(forward, backward, x, cause):
    report = tr.verify_function(forward, backward, x)
    assert report.outcome == "FAIL", report
    assert report.rows[0].causes[0].kind in (*cause.split(), cause), report


@pytest.mark.slow
def test_one_flipped_sign_of_ten_thousand_is_found_and_named():
    report = tr.verify_function(np.sin, with_a_flipped_sign, RNG.normal(size=(100, 100)))
    (row,) = report.rows
    assert [e.index for e in row.elements if e.verdict == DISAGREE] == [(0, 0)]
    assert "all other elements are right" in str(report)


@pytest.mark.parametrize("factor", [1.001, 0.0])
@pytest.mark.parametrize(
    "size",
    [
        10,
        pytest.param(5_000, marks=pytest.mark.slow),
        pytest.param(100_000, marks=pytest.mark.slow),
        pytest.param(1_000_000, marks=pytest.mark.slow),
    ],
)
def test_a_wrong_factor_is_caught_however_many_elements_there_are(size, factor):
    x = RNG.normal(size=size)
    assert tr.verify_function(np.sin, cosine, x).ok
    assert not tr.verify_function(np.sin, lambda g, x: factor * cosine(g, x), x).ok


@pytest.mark.slow
def test_a_large_transposed_gradient_is_recognised_from_a_block_of_it():
    report = tr.verify_function(np.sin, lambda g, x: cosine(g, x).T, RNG.normal(size=(100, 100)))
    assert [cause.kind for cause in report.rows[0].causes] == ["transposed"]


def test_a_forgotten_sum_over_a_broadcast_axis_is_named():
    report = tr.verify_function(
        lambda x, b: x + b, lambda g, x, b: (g, g), (RNG.normal(size=(3, 2)), np.zeros(2))
    )
    assert [row.verdict for row in report.rows] == [AGREE, DISAGREE]
    assert "its gradient has the shape 3×2, b has 2" in str(report)
    assert [cause.kind for cause in report.rows[1].causes] == ["sum"]


# ----- manners


def test_a_backward_that_leaves_out_g_is_named():
    report = tr.verify_function(np.sin, lambda g, x: np.cos(x), LINE)
    assert "not multiplied by g" in str(report)
    assert report.rows[0].causes[0].kind == "upstream"


@pytest.mark.parametrize(
    "bend", [lambda g: np.clip(g, -1, 1), abs, lambda g: g**3, lambda g: g + 1e-3, np.sign]
)
def test_a_backward_that_is_not_linear_in_g_is_caught(bend):
    """Clipped, rectified, powered, shifted, reduced to its sign."""
    report = tr.verify_function(np.sin, lambda g, x: bend(g) * np.cos(x), LINE)
    assert not report.ok
    assert any(rung.name == "linear in g" and rung.failed for rung in report.rungs)


def test_a_backward_that_writes_into_g_fails_unless_it_may():
    def spoiling(g, x):
        g *= np.cos(x)
        return g

    report = tr.verify_function(np.sin, spoiling, LINE)
    assert (report.outcome, report.rows[0].verdict) == ("FAIL", AGREE)
    assert "changed g in place" in str(report).replace("\n", " ")
    assert tr.verify_function(np.sin, spoiling, LINE, may_change="g").ok


def test_a_forward_that_writes_into_its_argument_is_told_and_the_caller_keeps_it():
    def doubling(x):
        x *= 2
        return x

    mine = LINE.copy()
    report = tr.verify_function(doubling, lambda g, x: 2 * g, mine)
    assert report.faulty == "forward"
    np.testing.assert_array_equal(mine, LINE)


def test_a_backward_that_spends_its_cache_is_told():
    def backward(g, cache):
        cache[0][:] = 0 * cache[0] + g * cache[0]
        return cache[0]

    report = tr.verify_function(lambda x: (np.sin(x), (np.cos(x),)), backward, LINE)
    assert report.outcome == "FAIL"
    assert "cache[0]" in str(report)


def test_a_backward_that_gives_other_bits_when_called_again_is_told():
    calls = []

    def drifting(g, x):
        calls.append(1)
        return cosine(g, x) * (1 + 1e-12 * len(calls))

    report = tr.verify_function(np.sin, drifting, LINE)
    assert any(rung.name == "same bits again" and rung.failed for rung in report.rungs)


def test_none_is_said_and_not_judged():
    report = tr.verify_function(lambda x, y: x * y, lambda g, x, y: (g * y, None), (LINE, X[1]))
    assert report.ok
    assert report.rows[1].verdict == UNDECIDABLE
    assert "the output depends on it all the same" in " ".join(str(report).split())


def test_wrt_says_which_arguments_are_checked():
    report = tr.verify_function(
        lambda x, y: x * y, lambda g, x, y: (g * y, 0 * g), (LINE, X[1]), wrt="x"
    )
    assert [row.name for row in report.rows] == ["x"]
    assert report.ok


# ----- precision


def test_float32_arguments_are_judged_in_float64_and_their_own_error_is_told():
    report = tr.verify_function(np.sin, cosine, LINE.astype(np.float32))
    assert report.outcome == "PASS"
    assert all(e.numerical.bound < 1e-9 for e in report.rows[0].elements)
    assert any("promoted from float32" in note for note in report.notes)


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_a_kernel_that_knows_only_float32_is_judged_in_it(factor):
    def sine(x):
        assert x.dtype == np.float32
        return np.sin(x)

    report = tr.verify_function(
        sine, lambda g, x: np.float32(factor) * cosine(g, x), LINE.astype(np.float32)
    )
    assert report.outcome == ("PASS" if factor == 1 else "FAIL"), report
    assert any("float32 only" in note for note in report.notes)


def test_a_gradient_of_another_dtype_than_its_argument_is_told():
    report = tr.verify_function(
        np.sin, lambda g, x: cosine(g, x).astype(np.float64), LINE.astype(np.float32)
    )
    assert any("the gradient of x is float64, x is float32" in note for note in report.notes)


# ----- ways of calling it


@pytest.mark.parametrize(
    ("backward", "takes"),
    [
        (lambda a, b: b * np.cos(a), "*args, g"),
        (lambda a, b, c: a * np.cos(c), "g, out, *args"),
        (lambda *these: these[0] * np.cos(these[1]), "g, *args"),
    ],
)
def test_takes_says_how_backward_is_called(backward, takes):
    assert tr.verify_function(np.sin, backward, LINE, takes=takes).ok


def test_arrays_to_fill_are_recognised_by_their_names_and_given_as_zeros():
    def forward(x, out):
        out[:] = np.sin(x)

    def backward(g, x, dx):
        dx += g * np.cos(x)

    report = tr.verify_function(forward, backward, LINE, out=np.empty(30))
    assert report.ok
    assert any("must be given zeros" in note for note in report.notes)


@pytest.mark.slow
def test_a_kernel_of_numba_is_called_as_it_is():
    numba = pytest.importorskip("numba")

    @numba.njit
    def forward(x):
        out = np.empty_like(x)
        for k in range(x.size):
            out[k] = math.sin(x[k])
        return out

    report = tr.verify_function(forward, lambda g, x: -cosine(g, x), LINE)
    assert [cause.kind for cause in report.rows[0].causes] == ["sign"]


@pytest.mark.parametrize(
    ("forward", "backward", "args", "options", "message"),
    [
        pytest.param(np.sin, None, LINE, {}, "without a backward", id="no backward"),
        pytest.param(np.sin, 3, LINE, {}, "backward is int", id="no function"),
        pytest.param(np.sin, cosine, 3, {}, "nothing that has a gradient", id="an integer"),
        pytest.param(np.sin, lambda g, x: 1 / 0, LINE, {}, "backward raised ZeroDivisionError", id="raises"),
        pytest.param(lambda x: 1 / 0, cosine, LINE, {}, r"it was given x f64\[30\]", id="forward raises"),
        pytest.param(lambda x: None, cosine, LINE, {}, "out=np.empty", id="nothing"),
        pytest.param(lambda x: "no", cosine, LINE, {}, "returns str", id="text"),
        pytest.param(np.sin, lambda g, x: (g, g, g), LINE, {}, "returns 3 gradients", id="too many"),
        pytest.param(np.sin, lambda g, x: None, LINE, {}, "no gradient at all", id="none"),
        pytest.param(np.sin, lambda g, x: g * 1j, LINE, {}, r"complex128\[30\] as the gradient of x", id="complex"),
        pytest.param(np.sin, lambda *all: all[0], LINE, {}, "can be read in 2 ways", id="ambiguous"),
        pytest.param(np.sin, lambda a, b, c, d: a, LINE, {}, "fits no usual way", id="unknown"),
        pytest.param(np.sin, cosine, (LINE, LINE), {}, "2 arguments are given", id="two for one"),
        pytest.param(lambda x: np.sin(x), cosine, LINE, {"takes": "h, x"}, "has 'h'", id="strange word"),
        pytest.param(np.sin, cosine, LINE, {"takes": "x"}, "leaves out the cotangent", id="no g"),
        pytest.param(np.sin, cosine, LINE, {"wrt": "y"}, "one of x", id="wrt unknown"),
        pytest.param(lambda x: x * RNG.normal(), cosine, LINE, {}, "gave other numbers", id="random"),
        pytest.param(lambda x, out: out, cosine, LINE, {}, "out=np.empty", id="fills untold"),
    ],
)  # fmt: skip
def test_what_cannot_be_verified_is_refused_with_a_cure(forward, backward, args, options, message):
    with pytest.raises(CheckError, match=message) as caught:
        tr.verify_function(forward, backward, args, **options)
    assert "try:" in str(caught.value)


def test_the_same_random_seed_gives_the_same_report():
    first, again, other = (
        str(tr.verify_function(np.sin, cosine, LINE, seed=seed)) for seed in (3, 3, 4)
    )
    assert first == again != other


def test_elements_limits_what_is_looked_at_one_by_one():
    (row,) = tr.verify_function(np.sin, cosine, X, elements=5).rows
    assert sum(e.index[0] != "direction" for e in row.elements) == 5


def test_an_empty_argument_is_said_to_be_empty():
    report = tr.verify_function(np.sin, cosine, np.empty((0, 3)))
    assert report.rows[0].because == "empty: nothing to check"


def test_a_small_output_is_not_hidden_by_a_large_one():
    def forward(x):
        return 1e8 * np.sin(x), np.cos(x)

    def backward(sign):
        return lambda g1, g2, x: 1e8 * g1 * np.cos(x) + sign * g2 * np.sin(x)

    assert tr.verify_function(forward, backward(-1), LINE).outcome == "PASS"
    report = tr.verify_function(forward, backward(1), LINE)
    assert report.outcome == "FAIL"
    assert "its gradient for output 1 alone is wrong" in str(report)


def test_a_backward_that_is_wrong_in_float32_only_fails():
    def backward(g, x):
        return cosine(g, x) * (np.float32(1.1) if x.dtype == np.float32 else 1)

    report = tr.verify_function(np.sin, backward, LINE.astype(np.float32))
    assert report.outcome == "FAIL"
    assert "in float32 its gradient is 0.1 off" in str(report)


def test_a_saturated_softmax_is_linear_in_g_but_for_what_rounding_absorbs():
    def softmax(x):
        e = np.exp(x - x.max())
        return e / e.sum()

    def backward(g, x):
        return softmax(x) * (g - (g * softmax(x)).sum())

    report = tr.verify_function(softmax, backward, np.array([30.0, 0.0, 0.3]))
    assert not any(rung.failed for rung in report.rungs if rung.name == "linear in g")


def test_who_is_told_hears_how_far_it_is_and_may_end_it():
    heard = []
    args = (LINE, X[1])
    product = (lambda x, y: x * y), (lambda g, x, y: (g * y, g * x))
    tr.verify_function(*product, args, told=lambda done, of: heard.append((done, of)))
    assert heard == sorted(heard)
    assert heard[-1] == (60, 60)

    def stop(done, of):
        if done > 30:
            raise StoppedError

    report = tr.verify_function(*product, args, told=stop)
    assert report.outcome == "PRECISION-LIMITED"
    assert [row.verdict for row in report.rows] == [AGREE, UNDECIDABLE]
    assert "stopped: 1 of 2 arguments were judged" in report.notes
