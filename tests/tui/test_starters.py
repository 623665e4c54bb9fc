"""`gradstep new`: the starters run, train, and carry a right derivation; nothing is written over by accident."""

from __future__ import annotations

import runpy
import shlex
import tomllib

import pytest

from tests.tui.test_cli import one_sentence
from tui.starting import FOLDER, starters

NAMES = list(starters())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_they_are_listed_with_what_each_is(gradstep):
    status, out, _ = gradstep("new")
    assert status == 0
    assert all(f"  {name} " in out for name in ("mlp", "batchnorm", "rnn"))
    assert "tells two rings of points apart" in out


@pytest.mark.parametrize("name", NAMES)
def test_a_starter_trains_visibly(name, capsys):
    names = runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    words = capsys.readouterr().out.split()
    losses = [float(word) for word in words if "." in word]
    width = 2 if name == "batchnorm" else 1  # without and with batch normalisation
    assert losses[-1] < losses[width - 1] / 5
    assert callable(names["loss"])


@pytest.mark.parametrize("name", NAMES)
def test_what_a_starter_says_can_be_typed_gives_no_complaint(gradstep, here, name):
    assert gradstep("new", name, "net.py")[0] == 0
    text = (here / "net.py").read_text()
    for words in ("check net.py:loss", "verify net.py", "run net.py", "quiz net.py:loss"):
        assert f"gradstep {words} " in text
        status, out, err = gradstep(*words.split(), stdin="")
        assert status == 0, out + err


@pytest.mark.parametrize("name", NAMES)
def test_the_derivation_of_a_starter_gives_every_parameter(gradstep, here, name):
    gradstep("new", name)
    status, out, _ = gradstep("verify", f"{name}.py")
    assert status == 0
    assert "PASS" in out
    names = runpy.run_path(str(here / f"{name}.py"))
    from tracer import Parameter

    parameters = [key for key, value in names.items() if isinstance(value, Parameter)]
    assert parameters
    assert all(f"dL/d{key} " in names["derivation"] for key in parameters)


def test_a_file_that_is_there_stays_but_by_force(gradstep, here):
    (here / "mlp.py").write_text("mine")
    status, _, err = gradstep("new", "mlp")
    assert status == 2
    assert "mlp2.py" in err
    assert one_sentence(err)
    assert (here / "mlp.py").read_text() == "mine"
    assert gradstep("new", "mlp", "--force")[0] == 0
    assert (here / "mlp.py").read_text() == (FOLDER / "mlp.py").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mpl",), "gradstep new mlp"),
        (("transformer",), "there are batchnorm, mlp, rnn"),
        (("mlp", "net.txt"), "no Python script"),
        (("mlp", "no/such/folder/net.py"), "cannot write"),
        (("../starting",), "no starter"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(gradstep, here, words, said):
    status, _, err = gradstep("new", *words)
    assert status == 2
    assert said in err
    assert one_sentence(err)
    assert not list(here.iterdir())


@pytest.mark.parametrize("name", ["", " "])
def test_a_script_needs_a_name(gradstep, here, name):
    status, _, err = gradstep("new", "mlp", name)
    assert status == 2
    assert "needs a name" in err
    assert not list(here.iterdir())


def test_what_is_to_be_typed_next_can_be_typed(gradstep, here):
    out = gradstep("new", "mlp", "a b 💥.py")[1]
    typed = out.partition(": ")[2].replace(", then", " ")
    assert shlex.split(typed).count("a b 💥.py") == 2
    err = gradstep("new", "mlp", "a b 💥.py")[2]
    assert "try: gradstep new mlp 'a b 💥2.py'" in err


def test_a_folder_without_an_ending_is_said_to_be_one(gradstep, here):
    (here / "work").mkdir()
    status, _, err = gradstep("new", "mlp", "work")
    assert status == 2
    assert "work is a folder\n  try: gradstep new mlp work/mlp.py" in err


def test_a_folder_is_not_written_over(gradstep, here):
    (here / "mlp.py").mkdir()
    status, _, err = gradstep("new", "mlp", "--force")
    assert status == 2
    assert "is a folder" in err


def test_a_built_wheel_has_the_starters(checkout):
    """What is built is whole packages, without the listed patterns; the starters are files of the package tui."""
    wheel = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]
    assert FOLDER.relative_to(checkout).parts[0] in wheel["packages"]
    files = [file.relative_to(checkout).as_posix() for file in starters().values()]
    assert not [f for f in files for pattern in wheel["exclude"] if f.startswith(pattern)]
