"""`gradstep train` without a screen: a few lines, curves in characters, numbers beside the claim, files."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import tracer as tr
from gallery.history import Statistics
from gallery.training import Run
from tracer.cells.pieces import text_of
from tui.cli import main
from tui.statuses import FAILED, FINE, INTERRUPTED, USAGE
from tui.training.plan import plan_of
from tui.training.words import layer_lines


def told(capsys, *words: str) -> tuple[int, str, str]:
    """The exit status, and what was printed to stdout and stderr."""
    status = main(["train", *words])
    found = capsys.readouterr()
    return status, found.out, found.err


def options(**given: object) -> argparse.Namespace:
    """The options of the command."""
    names = ("name", "steps", "set", "keep", "every", "output", "plot", "json")
    return argparse.Namespace(**{**dict.fromkeys(names), "name": "xor", **given})


def test_without_a_terminal_there_are_a_few_lines_a_decade_of_steps(capsys):
    status, out, _ = told(capsys, "xor")
    assert status == FINE
    steps = [int(found) for found in re.findall(r"^step +(\d+)  loss", out, re.MULTILINE)]
    assert steps == [1, 2, 5, 10, 20, 50, 100, 200, 300]


def test_at_the_end_stand_plots_layers_the_claim_and_what_to_type(capsys):
    _, out, _ = told(capsys, "xor", "--set", "lr=2", "--set", "seed=3")
    assert "optimiser step" in out
    assert re.search(r"^hidden +0\.\d+ ", out, re.MULTILINE)
    assert re.search(r"^W1 +\d", out, re.MULTILINE)
    summary = out.partition("xor lr=2 seed=3: loss ")[2]
    assert re.match(r"0\.\d+ at step 1; at step 300 loss [\d.e−]+  accuracy 1\n", summary)
    assert "what to expect: with the weights of table 5.1" in summary
    assert "kept: step 1, step 10, step 100, step 300" in summary
    assert "gradstep train xor --set lr=2 --set seed=3 -o FOLDER" in summary


def test_a_training_that_diverges_fails(capsys):
    status, _, err = told(capsys, "mlp:digits", "--set", "lr=50", "--steps", "30")
    assert status == FAILED
    assert "the loss has grown from 2.268" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["xorr"], "did you mean xor"),
        (["circuit"], "circuit does not train; these do: xor, mlp, "),
        (["xor:one_zero"], "optimizers:minibatches, dropout, "),
        (["xor:one_zero"], "\n  try: gradstep train xor"),
        (["xor", "--set", "rate=1"], "xor: no knob 'rate'"),
        (["xor", "--set", "lr=fast"], "xor: lr: 'fast' is not a number"),
        (["xor", "--steps", "0"], "0 is not a number from 1"),
        (["xor", "--keep", "1,x"], "optimiser steps, such as 1,10,100"),
        (["xor", "--keep", "1", "--every", "2"], "--keep and --every"),
        (["xor", "--keep", "1,500", "--steps", "20"], "try: --steps 500, or --keep 1"),
        (["xor", "-o", "/proc/nowhere"], "cannot write into /proc/nowhere"),
        (["xor", "--plot", "curves.bmp"], "unknown suffix '.bmp'"),
        (["xor", "--plot", "nowhere/curves.svg"], "there is no directory nowhere"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything_is_trained(capsys, words, said):
    status, out, err = told(capsys, *words)
    assert status == USAGE
    assert said in err
    assert "step" not in out


def test_traces_are_not_saved_into_a_file(capsys, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    status, out, err = told(capsys, "xor", "-o", str(file))
    assert (status, out) == (USAGE, "")
    assert "is a file, so traces cannot be saved in it" in err
    assert file.read_text() == "mine"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_cannot_be_saved_is_told_after_the_numbers(capsys, monkeypatch, tmp_path, form):
    def refused(trace: tr.Trace, file: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tr.Trace, "save", refused)
    status, out, err = told(capsys, "xor", "--steps", "3", "-o", str(tmp_path), *form)
    assert status == USAGE
    assert "No space left on device" in err
    assert (json.loads(out)["steps"] == 3) if form else ("at step 3 loss" in out)


def test_a_measure_is_printed_only_where_it_was_taken(capsys):
    _, out, _ = told(capsys, "batchnorm_train", "--steps", "5")
    first, second, *_ = (line for line in out.splitlines() if line.startswith("step"))
    assert "accuracy with BN" in first
    assert "%" not in first
    assert re.fullmatch(r"step 2  loss [\d.]+", second)


def test_the_kept_traces_are_saved_in_a_folder(capsys, tmp_path):
    folder = tmp_path / "new" / "xor"
    _, out, _ = told(capsys, "xor", "--steps", "20", "--every", "10", "-o", str(folder))
    files = [folder / "xor-step10.trace", folder / "xor-step20.trace"]
    assert sorted(folder.iterdir()) == files
    for file in files:
        assert f"gradstep open {file}" in out
    trace = tr.load(files[1])
    assert trace.gradient("W1").shape == (2, 2)
    assert f"at step 20 loss {float(trace.value(trace.loss)):.4g}" in out


@pytest.mark.parametrize(
    ("keep", "names"), [("5", ["one.trace"]), ("2,4", [f"one-step{k}.trace" for k in (2, 4, 5)])]
)
def test_a_file_of_traces_has_a_number_only_where_there_are_several(capsys, tmp_path, keep, names):
    told(capsys, "xor", "--steps", "5", "--keep", keep, "-o", str(tmp_path / "one.trace"))
    assert sorted(each.name for each in tmp_path.iterdir()) == names


def test_the_curves_are_written_as_a_figure(capsys, tmp_path):
    file = tmp_path / "xor.svg"
    _, _, err = told(capsys, "xor", "--steps", "5", "--plot", str(file))
    assert f"wrote {file}" in err
    svg = file.read_text()
    assert svg.startswith("<svg") or "<svg" in svg[:200]
    assert "accuracy" in svg
    assert "loss" in svg


def test_json_has_every_number_and_nothing_else_is_printed(capsys):
    status, out, err = told(capsys, "xor", "--steps", "12", "--set", "lr=3", "--json")
    assert status == FINE
    found = json.loads(out)
    assert found["format"] == "gradstep-train"
    assert found["settings"] == {"lr": 3.0, "hidden": 2, "optimiser": "momentum", "seed": 0}
    assert len(found["losses"]) == found["steps"] == 12
    assert found["measures"]["accuracy"]["steps"] == list(range(1, 13))
    assert set(found["layers"]["hidden"]) == {"mean", "std", "gradient", "zeros"}
    assert found["kept"] == {"1": None, "10": None, "12": None}
    assert "step 10  loss" in err


def test_ctrl_c_ends_it_with_what_there_is(capsys, monkeypatch):
    made = Run.step

    def interrupted(run: Run) -> bool:
        if run.history.count == 7:
            raise KeyboardInterrupt
        return made(run)

    monkeypatch.setattr(Run, "step", interrupted)
    status, out, _ = told(capsys, "xor")
    assert status == INTERRUPTED
    assert "stopped after 7 of 300 steps" in out
    assert "at step 7 loss" in out


def test_of_many_kept_steps_only_the_ends_are_listed(capsys):
    _, out, _ = told(capsys, "xor", "--steps", "40", "--every", "1")
    assert "kept: step 1, step 2, step 3, step 4, step 5, step 6, … 31 more …, step 38" in out


def test_a_training_has_a_name_of_what_was_turned():
    plan = plan_of(options(set=["lr=2", "hidden=2"]))
    assert plan.title == "xor lr=2"
    assert plan.command == "gradstep train xor --set lr=2"
    assert plan.settings["hidden"] == 2
    again = plan_of(options(steps=7, keep=(1, 3)))
    assert again.command == "gradstep train xor --steps 7 --keep 1,3"


def test_the_steps_and_what_is_kept_are_those_of_the_entry_unless_asked():
    plan = plan_of(options())
    assert plan.steps == 300
    assert [step for step in range(1, 301) if step in plan.keep] == [1, 10, 100]
    plan = plan_of(options(steps=9, every=4))
    assert [step for step in range(1, 301) if step in plan.keep] == [4, 8]


def test_the_traces_are_named_beside_a_path_with_blanks(capsys, tmp_path):
    place = Path(tmp_path) / "my steps"
    _, out, _ = told(capsys, "xor", "--steps", "1", "-o", str(place))
    assert f"gradstep open '{place / 'xor-step1.trace'}'" in out


def table(zeros: float, width: int) -> list[str]:
    """The table of one layer whose spread and gradient change."""
    steps = [Statistics(0.5, 0.1 * k, 0.01 / k, zeros) for k in range(1, 9)]
    return [text_of(line) for line in layer_lines(SimpleNamespace(layers={"hidden": steps}), width)]


def test_zeros_have_a_column_only_where_there_are_any():
    heading, row = table(0.0, 54)
    assert "zeros" not in heading
    assert "%" not in row
    heading, row = table(0.25, 54)
    assert heading.rstrip().endswith("zeros")
    assert row.rstrip().endswith("25 %")


@pytest.mark.parametrize(("width", "drawn"), [(54, 2), (46, 1), (40, 0)])
def test_as_many_lines_of_blocks_are_drawn_as_there_is_room_for(width, drawn):
    heading, row = table(0.0, width)
    assert len(re.findall("[▁▂▃▄▅▆▇█]{6,}", row)) == drawn
    assert max(len(heading), len(row)) <= width
    assert heading.index("rms grad") + len("rms grad") == row.index("0.00125") + len("0.00125")
