"""`gradstep plot`: the plots of a network drawn or written, the numbers of a node, and what is said without."""

from __future__ import annotations

import pytest

from gallery import GALLERY
from tui.statuses import FINE, USAGE


def test_the_plots_of_a_network_are_drawn(gradstep):
    status, out, err = gradstep("plot", "vanishing")
    assert (status, err) == (FINE, "")
    plots = GALLERY["vanishing"].plots(**GALLERY["vanishing"].settings())
    assert all(plot.title in out for plot in plots)
    assert max(map(len, out.splitlines())) <= 80


def test_a_knob_changes_what_is_drawn(gradstep):
    status, turned, _ = gradstep("plot", "vanishing", "--set", "factor=1.5")
    assert status == FINE
    assert turned not in (gradstep("plot", "vanishing")[1], "")
    status, _, err = gradstep("plot", "vanishing", "--set", "wab=1")
    assert status == USAGE
    assert "no knob 'wab'" in err


def test_plots_are_written_in_a_theme(gradstep, tmp_path):
    file = tmp_path / "xor.svg"
    status, out, _ = gradstep("plot", "xor", "-o", str(file), "--theme", "dark")
    assert (status, out) == (FINE, f"wrote {file}\n")
    assert "#0F172A" in file.read_text()


def test_one_plot_can_be_chosen(gradstep):
    plots = GALLERY["activations"].plots(**GALLERY["activations"].settings())
    _, out, _ = gradstep("plot", "activations", "--index", "2")
    assert plots[1].title in out
    assert plots[0].title not in out
    status, _, err = gradstep("plot", "activations", "--index", "99")
    assert status == USAGE
    assert f"there is no plot 99 of {len(plots)} plots" in err


def test_the_numbers_of_any_node_are_histograms_of_value_and_gradient(gradstep, tmp_path):
    status, out, _ = gradstep("plot", "batchnorm", "--node", "xhat")
    assert status == FINE
    assert "xhat (4×2): value" in out
    assert "xhat (4×2): gradient" in out
    assert "∂loss/∂xhat" in out
    script = tmp_path / "net.py"
    script.write_text(
        "import tracer as tr\nx = tr.tensor([1.0, 2.0, 3.0])\nloss = tr.sum(x * x)\nloss.backward()\n"
    )
    assert "x (3): gradient" in gradstep("plot", str(script), "--node", "x")[1]


def test_the_histograms_of_a_node_say_how_many_numbers_have_no_place_on_them(gradstep, tmp_path):
    script = tmp_path / "nan.py"
    script.write_text(
        "import tracer as tr\nx = tr.tensor([1.0, 2.0, 800.0, 0.0])\ne = tr.exp(x)\n"
        "loss = tr.sum(e / (e + x * e))\nloss.backward()\n"
    )
    _, out, _ = gradstep("plot", str(script), "--node", "e")
    assert "1 inf not shown" in out
    assert "1 NaN not shown" in out
    assert "not shown" not in gradstep("plot", "batchnorm", "--node", "xhat")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("circuit",), ("circuit has no plots: there are some of xor", "--node NAME")),
        (("cirkuit",), ("did you mean circuit?",)),
        (("net.py",), ("net.py has no plots of its own", "--node NAME")),
        (("circuit", "--node", "q"), ("q is one number, 3, its gradient −4",)),
        (("batchnorm", "--node", "xhut"), ("xhut", "xhat")),
        (("xor", "-o", "x.gif"), (".svg, .png, .pdf or .tex",)),
        (("xor", "-o", "x.svg", "--theme", "drak"), ("unknown theme 'drak'",)),
        (("xor", "--index", "0"), ("0 is not a number from 1",)),
    ],
)
def test_what_cannot_be_drawn_says_what_can(gradstep, arguments, words):
    status, out, err = gradstep("plot", *arguments)
    assert (status, out) == (USAGE, "")
    assert all(word in err for word in words)
    assert "try: " in err


def test_a_network_that_has_plots_only_once_it_is_trained_says_so(gradstep):
    status, _, err = gradstep("plot", "batchnorm_train")
    assert status == USAGE
    assert "try: gradstep train batchnorm_train" in err
