"""Koehn's network: his table, and the gradient that the lecture derives."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.two_layers.xor import INPUTS, TARGETS, two_layers

TABLE = {  # Koehn, Neural Machine Translation, table 5.1: hidden 1, hidden 2, output
    (0, 0): "0.119 0.018 0.183",
    (0, 1): "0.881 0.269 0.743",
    (1, 0): "0.731 0.119 0.743",
    (1, 1): "0.993 0.731 0.334",
}


@pytest.mark.parametrize(("inputs", "target"), [*zip(INPUTS, TARGETS, strict=True)])
def test_a_single_input_gives_its_line_of_the_table(inputs, target):
    trace = tr.trace(two_layers(inputs, target))
    numbers = (*trace.value("h"), trace.value("y"))
    assert " ".join(f"{x:.3f}" for x in numbers) == TABLE[tuple(map(int, inputs))]


def test_all_four_inputs_at_once_give_the_sum_of_the_single_losses_and_gradients():
    together = tr.trace(GALLERY["xor"].build())
    single = [tr.trace(two_layers(x, t)) for x, t in zip(INPUTS, TARGETS, strict=True)]
    assert together.value("loss") == pytest.approx(sum(one.value("e") for one in single))
    for name in ("W1", "b1", "W2", "b2"):
        total = np.sum([one.gradient(name) for one in single], axis=0)
        np.testing.assert_allclose(together.gradient(name), total, rtol=1e-12)


def test_the_books_1_060_is_ours_computed_from_its_rounded_hidden_values():
    from_rounded = 5 * 0.731 - 5 * 0.119 - 2
    assert from_rounded == pytest.approx(1.060)
    assert f"{tr.trace(GALLERY['xor:one_zero'].build()).value('z2'):.4f}" == "1.0593"


def test_the_gradient_of_the_output_weights_is_the_lectures_formula():
    """Simion, lecture 4: de/dW2 = (y - t) s(z)(1 - s(z)) h, with e = (t - y)²/2 and t = 1."""
    trace = tr.trace(GALLERY["xor:one_zero"].build())
    y, h = trace.value("y"), trace.value("h")
    np.testing.assert_allclose(trace.gradient("W2"), (y - 1) * y * (1 - y) * h, rtol=1e-12)


def test_the_plot_of_the_plane_has_the_outputs_of_the_table():
    """Lines of equal height of y, computed apart from the trace: at the four inputs they must be its outputs."""
    (plot,) = GALLERY["xor"].plots()
    plane, ones, zeros = plot.marks
    columns = [int(np.argmin(np.abs(np.asarray(plane.x) - x))) for x in (0.0, 1.0)]
    found = [f"{plane.z[row][column]:.3f}" for column in columns for row in columns]
    assert found == [TABLE[tuple(map(int, inputs))].split()[2] for inputs in INPUTS]
    assert sorted(zip(ones.x, ones.y, strict=True)) == [(0, 1), (1, 0)]
    assert sorted(zip(zeros.x, zeros.y, strict=True)) == [(0, 0), (1, 1)]
