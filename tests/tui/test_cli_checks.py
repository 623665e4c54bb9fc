"""`gradstep check` and `verify`: what they find is said in words and by the exit status."""

from __future__ import annotations

import pytest

from gallery import GALLERY

# ----- check


@pytest.mark.parametrize("name", [name for name in GALLERY if name != "batchnorm:digits"])
def test_the_gradients_of_every_network_are_certified(gradstep, name):
    status, out, _ = gradstep("check", name)
    assert status == 0, out
    assert "DISAGREE" not in out


def test_a_wrong_rule_is_found_and_the_exit_status_says_so(python, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import tracer as tr\n"
        "@tr.primitive(vjps={'x': lambda g, out, x: g * x})\n"
        "def square_without_its_two(x):\n    'x times x.'\n    return x * x\n"
        "def loss():\n    w = tr.tensor(3.0)\n    return square_without_its_two(w)\n"
    )
    done = python("-m", "tui.cli", "check", f"{file}:loss")
    assert done.returncode == 1, done.stderr
    assert "DISAGREE" in done.stdout


# ----- verify


@pytest.mark.parametrize("name", [name for name, entry in GALLERY.items() if entry.derivation])
def test_the_derivation_that_a_network_brings_agrees(gradstep, name):
    status, out, _ = gradstep("verify", name)
    assert status == 0, out


def test_the_six_lines_of_batchnorm_agree(gradstep):
    status, out, _ = gradstep("verify", "batchnorm")
    assert status == 0, out
    assert out.count("AGREE") - out.count("DISAGREE") >= 6
    assert "DISAGREE" not in out


def test_a_forgotten_variance_path_is_caught_at_its_line(gradstep, tmp_path):
    """dL/dx without the route through the variance: the line of dL/dx is wrong, and no line before it."""
    right = GALLERY["batchnorm"].derivation
    wrong = right.replace(" + dL/dvar * 2 * (x - mu) / m", "")
    assert wrong != right
    file = tmp_path / "mine.txt"
    file.write_text(wrong, encoding="utf-8")
    status, out, _ = gradstep("verify", "batchnorm", file)
    assert status == 1
    number = next(k for k, line in enumerate(wrong.splitlines(), 1) if line.startswith("dL/dx "))
    assert f"first wrong line: {number}" in out


def test_a_network_without_a_derivation_asks_for_one(gradstep):
    status, _, err = gradstep("verify", "rnn")
    assert status == 2
    assert "brings no derivation of its own" in err


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("numbers", "status", "said", "worst"),
    [
        ("relu(tr.parameter([0.0, 1.0]", 0, "1 of 1 inputs agree", "[1]"),
        (
            "relu(tr.parameter([0.0]",
            0,
            "0 of 1 inputs agree, 1 at a kink, between its slopes",
            "[0]",
        ),
        ("sqrt(tr.parameter([0.0, 4.0]", 0, "agree, 1 element undecidable", "[1]"),
        ("sqrt(tr.parameter([0.0]", 1, "0 of 1 inputs agree, 1 undecidable", "[0]"),
    ],
)
def test_what_could_not_be_decided_is_said_in_the_first_line(
    gradstep, script, numbers, status, said, worst
):
    text = f"""
import numpy as np, tracer as tr
with np.errstate(all="ignore"):
    (tr.{numbers}, name="x"))).sum().backward()
"""
    found, out, _ = gradstep("check", script(text))
    assert found == status
    assert out.partition("\n")[0].endswith(said)
    assert worst in out


def test_a_variant_without_a_derivation_names_the_network_that_has_one(gradstep):
    status, _, err = gradstep("verify", "batchnorm:by_hand")
    assert status == 2
    assert "try: gradstep verify batchnorm\n" in err


def test_a_derivation_of_a_circuit_is_read_from_a_file(gradstep, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("dL/dq = z\ndL/dz = q\ndL/dx = dL/dq\ndL/dy = dL/dq\n", encoding="utf-8")
    assert gradstep("verify", "circuit", file)[0] == 0
    file.write_text("dL/dq = z\ndL/dx = -dL/dq\n", encoding="utf-8")
    status, out, _ = gradstep("verify", "circuit", file)
    assert status == 1
    assert "first wrong line: 2" in out


@pytest.mark.parametrize(
    "content", [b"import os\nos.system('true')\n", b"dL/dq = \n", b"\xff\xfe\x00", None]
)
def test_a_derivation_that_cannot_be_read_is_refused_in_a_sentence(gradstep, tmp_path, content):
    file = tmp_path / "mine.txt"
    if content is not None:
        file.write_bytes(content)
    status, out, err = gradstep("verify", "circuit", file)
    assert (status, out) == (2, "")
    assert err.startswith("gradstep: ")
    assert "Traceback" not in err
