from __future__ import annotations

import pytest
import pytest_socket

from isotherm_simulator.weather import Weather


def pytest_runtest_setup(item: object) -> None:
    """Unit tests reach no server; an event loop's own pair of sockets is none."""
    pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.fixture(scope="session")
def weather() -> Weather:
    """The weather of seed 0 at real speed."""
    return Weather()
