"""In the ordinary run kernels compute in float32; their float64 takes part in the slow one, with the same tests."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "float64" in item.name and HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
