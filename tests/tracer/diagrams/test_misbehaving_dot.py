"""A dot that fails, hangs or prints garbage, and files that cannot be written: one clear error, nothing left over."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.tracer.diagrams.networks import circuit, neuron
from tracer.diagrams import diagram
from tracer.diagrams.layout import rendering
from tracer.errors import DiagramError, GraphvizMissingError


@pytest.fixture
def fake_dot(tmp_path, monkeypatch):
    """Make a program called dot the only one on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(body: str, first: str = "#!/bin/sh\n") -> Path:
        program = folder / "dot"
        program.write_text(first + body)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(rendering, "TIME_LIMIT", 0.4)
    return make


MISBEHAVING = {
    "fails": "echo 'Error: no memory left' >&2; exit 3",
    "dies": "kill -9 $$",
    "says nothing": "exit 0",
    "prints garbage": "echo garbage",
    "prints half of it": """printf '{"bb":"0,0,10,10","objects":[{"name":"n0","pos":"1'""",
    "prints another thing": """printf '[1, 2]'""",
    "prints an empty thing": """printf '{}'""",
    "prints no numbers": """printf '{"bb":"a,b,c,d"}'""",
    "prints bytes": r"""printf '\377\376\000'""",
    "closes its ears": "exec <&-; exit 1",
    "hangs": "exec /bin/sleep 600",
}


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
@pytest.mark.parametrize("format", ["svg", "png"])
@pytest.mark.parametrize("way", MISBEHAVING)
def test_a_dot_that_misbehaves_gives_one_clear_error_and_the_dot_text(
    fake_dot, tmp_path, way, format
):
    fake_dot(MISBEHAVING[way])
    out = tmp_path / "out"
    out.mkdir()
    figure = diagram(neuron())
    with pytest.raises(DiagramError) as caught:
        figure.save(out / f"figure.{format}")
    message = str(caught.value)
    assert "Graphviz" in message
    assert "figure.dot" in message
    assert len(message) < 600
    assert [path.name for path in out.iterdir()] == ["figure.dot"]
    assert (out / "figure.dot").read_text(encoding="utf-8") == figure.dot


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_what_is_no_program_is_told(fake_dot, tmp_path):
    fake_dot("not a program", first="\x00\x01")
    with pytest.raises(GraphvizMissingError, match="could not be started"):
        diagram(neuron()).save(tmp_path / "figure.svg")


def state_of(pid: int) -> str:
    """Running, zombie, or gone."""
    try:
        os.kill(pid, 0)
        said = Path(f"/proc/{pid}/stat").read_text()
        return said.rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return "gone"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_dot_that_hangs_is_stopped_with_its_children_and_leaves_no_zombie(fake_dot, tmp_path):
    fake_dot(f"echo $$ >> {tmp_path}/pids; /bin/sleep 600 & echo $! >> {tmp_path}/children; wait")
    with pytest.raises(DiagramError, match="was stopped"):
        diagram(neuron()).render("svg")
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert pids
    assert {state_of(pid) for pid in pids} == {"gone"}
    children = [int(line) for line in (tmp_path / "children").read_text().split()]
    for _ in range(100):
        states = {state_of(pid) for pid in children}
        if states <= {"gone", "Z"}:  # whoever inherits an orphan buries it
            break
        time.sleep(0.05)
    assert states <= {"gone", "Z"}


@pytest.mark.slow
def test_the_layout_is_stopped_too_when_the_user_interrupts(fake_dot, tmp_path, monkeypatch):
    """Control-C reaches us; the program that draws must not live on."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    fake_dot(f"echo $$ > {tmp_path}/pid; exec /bin/sleep 600")
    code = (
        "import signal, os, threading, tracer as tr\n"
        "from tracer.diagrams import diagram\n"
        "from tracer.diagrams.layout import rendering\n"
        "rendering.TIME_LIMIT = 60\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background
        f"pid = {str(tmp_path / 'pid')!r}\n"
        "def poke():\n"
        "    import time\n"
        "    while not os.path.exists(pid) or not open(pid).read().strip():\n"
        "        time.sleep(0.02)\n"
        "    time.sleep(1)  # until we wait for it\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "figure = diagram(tr.trace(tr.tensor(1.0, name='x') * 2.0))\n"
        "threading.Thread(target=poke, daemon=True).start()\n"
        "figure.render('svg')\n"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert state_of(int((tmp_path / "pid").read_text())) == "gone"


# ----- output names


@pytest.mark.parametrize(
    "name",
    ["figure", "figure.", ".svg.", "figure.docx", "x" * 300 + ".dot", "a\x00b.dot", "no/where.dot"],
)
def test_a_name_that_cannot_be_written_gets_one_clear_error(tmp_path, name):
    with pytest.raises(DiagramError) as caught:
        diagram(circuit()).save(tmp_path / name)
    assert "\x00" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_not_written_over(tmp_path):
    (tmp_path / "figure.dot").mkdir()
    with pytest.raises(DiagramError, match="directory"):
        diagram(circuit()).save(tmp_path / "figure.dot")
    assert (tmp_path / "figure.dot").is_dir()
