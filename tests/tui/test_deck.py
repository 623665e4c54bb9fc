"""The deck: the names of its views in the border, and a click on one."""

from __future__ import annotations

import pytest

from tui.session import VIEWS


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
def test_every_view_is_named_in_the_border_and_shown_by_a_click(circuit, at_desk, size):
    async def script(desk):
        for name in ("verify", "changes", "stops", "layers"):
            desk.app.obey("view layers")
            shown = await desk.look()
            border = next(line for line in shown.splitlines() if "‹layers›" in line)
            start = border.index("‹layers›")
            assert all(each in border for each in VIEWS)
            if name != "layers":
                column = border.index(name, start) - desk.app.query_one("#layers").region.x
                await desk.pilot.click("#layers", offset=(column, 0))
                assert f"‹{name}›" in await desk.look()
                assert desk.app.session.view == name

    at_desk(circuit, script, size=size)
