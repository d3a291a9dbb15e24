from __future__ import annotations

import pytest_socket


def pytest_runtest_setup(item: object) -> None:
    """Unit tests reach no server."""
    pytest_socket.disable_socket(allow_unix_socket=True)
