"""`gradstep quiz` over a pipe: questions, hints, verdicts, the score; worksheets; the progress in the state folder."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.patience import PATIENCE
from tests.tui.test_cli import one_sentence
from tui.quiz.keeping import keep, quiz_file, recall

ANSWERS = "3\n-12\n"


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A state folder of its own."""
    monkeypatch.delenv("GRADSTEP_NO_STATE", raising=False)
    monkeypatch.delenv("GRADSTEP_CONFIG", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "gradstep" / "quiz.json"


def quiz(gradstep, stdin, *words):
    """A round over a pipe: its output."""
    status, out, err = gradstep("quiz", *words, stdin=stdin)
    assert status == 0, err
    assert "Traceback" not in out + err
    return out


# ----- a round


def test_right_answers_to_the_end(gradstep):
    out = quiz(gradstep, ANSWERS, "circuit", "--from-start", "--kind", "value")
    assert "What is the value of q?" in out
    assert "q = x + y" in out
    assert out.count("✓ right") == 2
    assert "2 of 2 right at once" in out


def test_a_wrong_answer_is_explained_and_after_the_second_the_solution_is_shown(gradstep):
    out = quiz(gradstep, "-3\n-10\n", "circuit", "--from-start", "--kind", "value")
    assert "✗ wrong: it is of the wrong sign" in out
    assert "that is the product, and this is a sum" in out
    assert "q = (−2) + 5" in out
    assert out.index("\nthe solution") > out.index("that is the product")
    assert "0 of 1 right at once" in out
    assert "to practise: value of add" in out


def test_hints_say_more_and_more_and_count_as_help(gradstep):
    out = quiz(gradstep, "?\n?\n?\n?\n3\n", "circuit", "--from-start", "--kind", "value")
    assert out.index("hint  add:") < out.index("hint  q = x + y") < out.index("hint  q = (−2) + 5")
    assert "that was the last hint" in out
    assert "0 of 1 right at once, 1 with a hint or at the second try" in out


def test_the_solution_can_be_asked_for_and_the_drawing(gradstep):
    out = quiz(
        gradstep, ":d\n??\n:q\n", "rnn:third", "--from-start", "--kind", "value", "--count", "2"
    )
    assert "a#1 tanh" in out
    assert "the solution" in out
    assert "2/2" in out
    assert "0 of 1 right at once" in out


def test_the_drawing_does_not_show_what_is_asked_for(gradstep):
    out = quiz(gradstep, ":q\n", "circuit", "--from-start", "--kind", "value")
    picture = out[out.index("╭") : out.index("1/2")]
    assert "q add" in picture
    assert "−2" in picture
    assert "3" not in picture


def test_the_drawing_of_a_flow_shows_both_its_ends(gradstep):
    out = quiz(gradstep, "", "xor:one_zero", "--kind", "flow", "--from-start")
    assert "flow that e sends to y" in out
    picture = out[: out.index("1/6")]
    assert "y sigmoid" in picture
    assert "e div" in picture


def test_what_means_nothing_is_asked_again_and_does_not_count(gradstep):
    out = quiz(gradstep, "\nfoo\n[[1\n1 2\n3\n", "circuit", "--from-start", "--kind", "value")
    assert "1 of 1 right at once" in out
    assert "'foo' is no value and no gradient of this network" in out


def test_a_name_of_a_node_is_an_answer_and_no_order(gradstep):
    """q is a node of the circuit: it must not quit."""
    out = quiz(gradstep, "q\n", "circuit", "--kind", "formula", "--from-start", "--count", "4")
    assert "✓ right" in out or "✗ wrong" in out


def test_an_end_of_the_input_ends_the_quiz_with_its_score(gradstep):
    out = quiz(gradstep, "", "circuit")
    assert "no question was answered" in out


def test_the_same_seed_asks_the_same(gradstep):
    words = ("xor", "--seed", "5")
    assert quiz(gradstep, "", *words) == quiz(gradstep, "", *words)
    whole = [quiz(gradstep, "??\n" * 6, "xor", "--seed", str(seed)) for seed in (5, 6)]
    assert whole[0] != whole[1]


def test_a_knob_can_be_turned(gradstep):
    from gallery import GALLERY

    name, knob = next((n, e.knobs[0]) for n, e in GALLERY.items() if e.knobs and n == "koehn")
    out = quiz(gradstep, "", name, "--set", f"{knob.name}={knob.default}", "--count", "1")
    assert "1 question" in out


def test_a_script_can_be_asked_about(gradstep, script):
    file = script(
        "import tracer as tr\ndef loss():\n    x = tr.tensor(3.0)\n    y = x * x\n    return y\n"
    )
    out = quiz(gradstep, "6\n", f"{file}:loss", "--kind", "gradient")
    assert "to which 2 uses of x send a flow" in out
    assert "1 of 1 right" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "which network?"),
        (("circit",), "did you mean circuit"),
        (("circuit", "--kind", "values"), "no questions of the kind 'values'"),
        (("circuit", "--kind", "gradient"), "no question about gradient"),
        (("circuit", "--worksheet", "a.pdf"), "neither Markdown nor LaTeX"),
        (("circuit", "--worksheet", "a.md", "--key", "a.md"), "another file for the key"),
        (("circuit", "--worksheet", "no/such/folder/a.md"), "cannot write"),
        (("circuit", "--set", "lr=1"), "lr"),
        (("--forget", "--progress"), "goes with nothing else"),
        (("circuit", "--forget"), "goes with nothing else"),
        (("circuit", "--progress"), "goes with nothing else"),
        (("--forget", "--seed", "0"), "goes with nothing else"),
        (("circuit", "--level", "1", "--kind", "formula"), "one of them"),
        (("circuit", "--worksheet", ""), "the name of a file is empty"),
    ],
)
def test_a_mistake_in_the_command_is_said_in_a_sentence(gradstep, words, said):
    status, out, err = gradstep("quiz", *words, stdin="")
    assert status == 2
    assert out == ""
    assert said in err
    assert one_sentence(err)


def test_it_plays_in_a_process_of_its_own(python):
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "quiz", "circuit", "--from-start", "--count", "2"],
        input=ANSWERS,
        capture_output=True,
        encoding="utf-8",
        env={**__import__("os").environ, "PYTHONIOENCODING": "ascii:strict"},
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "2 of 2 right at once" in done.stdout


# ----- on paper


@pytest.mark.parametrize("ending", ["md", "tex"])
def test_a_worksheet_and_its_key_are_written(gradstep, tmp_path, monkeypatch, ending):
    monkeypatch.chdir(tmp_path)
    words = ("quiz", "xor", "--worksheet", f"s.{ending}", "--key", f"k.{ending}", "--count", "4")
    status, out, _ = gradstep(*words)
    assert status == 0
    assert f"wrote s.{ending}" in out
    first = [(tmp_path / f"{stem}.{ending}").read_text() for stem in "sk"]
    gradstep(*words)
    assert [(tmp_path / f"{stem}.{ending}").read_text() for stem in "sk"] == first
    assert first[0] != first[1]


def test_the_progress_does_not_change_a_worksheet(gradstep, tmp_path, state):
    gradstep("quiz", "xor", "--worksheet", tmp_path / "a.md")
    keep(state, [("sigmoid", "value", False)] * 5)
    gradstep("quiz", "xor", "--worksheet", tmp_path / "b.md")
    assert (tmp_path / "a.md").read_text() == (tmp_path / "b.md").read_text()


# ----- the progress


def test_answers_are_kept_and_told(gradstep, state):
    quiz(gradstep, "3\n1\n1\n", "circuit", "--from-start", "--kind", "value")
    assert json.loads(state.read_text())["answers"] == {"add value": [1, 1], "mul value": [1, 0]}
    status, out, _ = gradstep("quiz", "--progress")
    assert status == 0
    assert "1 of 2 answers were right at once" in out
    assert out.index("mul") < out.index("add")  # the weakest first


def test_answers_are_kept_when_the_quiz_is_left(gradstep, state):
    quiz(gradstep, "3\n:q\n", "circuit", "--from-start", "--kind", "value")
    assert recall(state).progress.total.asked == 1


@pytest.mark.parametrize("end", ["-3\n:q\n", "-3\n"])
def test_a_wrong_answer_counts_where_the_quiz_is_left_after_it(gradstep, state, end):
    out = quiz(gradstep, end, "circuit", "--from-start", "--kind", "value")
    assert "0 of 1 right at once" in out
    assert json.loads(state.read_text())["answers"] == {"add value": [1, 0]}


def test_progress_is_not_lost_by_a_mistaken_order(gradstep, state):
    keep(state, [("mul", "flow", True)])
    assert gradstep("quiz", "circuit", "--forget")[0] == 2
    assert state.exists()


def test_where_nothing_is_kept_it_asks_something_else_too(gradstep, monkeypatch):
    monkeypatch.setenv("GRADSTEP_NO_STATE", "1")
    rounds = {quiz(gradstep, "??\n" * 3, "batchnorm", "--count", "3") for _ in range(5)}
    assert len(rounds) > 1


def test_it_asks_something_else_the_next_time(gradstep, state):
    rounds = {quiz(gradstep, "??\n" * 3, "batchnorm", "--count", "3") for _ in range(3)}
    assert len(rounds) == 3


def test_it_can_be_forgotten(gradstep, state):
    keep(state, [("mul", "flow", True)])
    assert gradstep("quiz", "--forget")[:2] == (0, "the progress is forgotten\n")
    assert not state.exists()
    assert gradstep("quiz", "--forget")[:2] == (0, "there was no progress to forget\n")
    assert "nothing was asked yet" in gradstep("quiz", "--progress")[1]


@pytest.mark.parametrize("content", [b"nonsense", b"\xff\xfe", b"[]", b"[" * 10_000])
def test_a_broken_file_is_put_aside_and_the_quiz_goes_on(gradstep, state, content):
    state.parent.mkdir(parents=True)
    state.write_bytes(content)
    status, out, err = gradstep("quiz", "circuit", "--from-start", "--count", "1", stdin="3\n")
    assert (status, "✓ right" in out) == (0, True)
    assert "no progress of a quiz" in err
    assert recall(state).progress.total.asked == 1
    assert state.with_name("quiz.json.broken").read_bytes() == content


def test_a_folder_that_cannot_be_written_is_survived(gradstep, state):
    state.parent.parent.mkdir(parents=True)
    state.parent.write_text("a file where a folder should be")
    status, out, err = gradstep("quiz", "circuit", "--from-start", "--count", "1", stdin="3\n")
    assert (status, "✓ right" in out) == (0, True)
    assert "not kept" in err


def test_nothing_is_kept_where_nothing_shall_be(monkeypatch):
    assert quiz_file({"GRADSTEP_NO_STATE": "1", "HOME": "/home/ada"}) is None
    assert quiz_file({"GRADSTEP_CONFIG": "/dev/null", "HOME": "/home/ada"}) is None
    assert str(quiz_file({"HOME": "/home/ada"})) == "/home/ada/.local/state/gradstep/quiz.json"
    assert keep(None, [("mul", "flow", True)]) == ""
