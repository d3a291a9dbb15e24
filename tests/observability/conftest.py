"""Makes the generators importable, and finds promtool."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci/observability"))

import promtool as provider  # noqa: E402 - found only now


@pytest.fixture(scope="session")
def promtool() -> str:
    """The command promtool."""
    try:
        return provider.find()
    except provider.Unavailable as error:
        pytest.skip(str(error))
