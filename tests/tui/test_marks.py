"""The one sign beside a node."""

from __future__ import annotations

from tui.orders import obey
from tui.session import Session


def signs(session: Session, *names: str) -> list[str]:
    scene = session.scene()
    return [scene.sign(session.trace.node_index(name)) for name in names]


def test_an_edit_marks_what_it_changed_and_nothing_else(circuit):
    session = Session(circuit)
    obey(session, "edit x = 3")
    assert signs(session, "x", "y", "z", "q", "f") == ["Δ", "", "", "Δ", "Δ"]
    obey(session, "undo")
    assert signs(session, "x", "q") == ["", ""]


def test_a_breakpoint_hides_other_signs(circuit):
    session = Session(circuit)
    obey(session, "edit x = 3")
    obey(session, "break q")
    obey(session, "break f if value < 0")
    assert signs(session, "x", "q", "f") == ["Δ", "●", "◇"]


def test_a_wrong_line_is_told_before_an_edit_and_a_right_one_is_ticked(circuit, tmp_path):
    lines = tmp_path / "mine.txt"
    lines.write_text("dx = df * z\ndz = df * q * 2\n")
    session = Session(circuit)
    obey(session, f"verify {lines}")
    assert signs(session, "x", "y", "z") == ["✓", "", "✗"]
