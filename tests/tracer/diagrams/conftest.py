"""What tests of figures share: one browser for all that look at pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tracer.diagrams.browser import NAMES, Browser, program, running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless browser; what asks for one is skipped where there is none."""
    name = program()
    if name is None:
        pytest.skip(f"no browser on the PATH ({', '.join(NAMES)})")
    with running(name) as found:
        yield found
