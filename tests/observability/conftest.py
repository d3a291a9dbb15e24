"""Makes the generators importable, and finds the programs of Prometheus."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci/observability"))

import programs  # noqa: E402 - found only now


def _found(program: programs.Program) -> str:
    try:
        return programs.find(program)
    except programs.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def promtool() -> str:
    """The command promtool."""
    return _found(programs.PROMTOOL)


@pytest.fixture(scope="session")
def prometheus() -> str:
    """The command prometheus."""
    return _found(programs.PROMETHEUS)


@pytest.fixture(scope="session")
def mysqld_exporter() -> str:
    """The command mysqld_exporter."""
    return _found(programs.MYSQLD_EXPORTER)
